package budget

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	// slots divide a window; its count is exact to one slot, on the safe side.
	slots = 60
	// burstPart of our share may go at once; the rest is spread over the window.
	burstPart = 5
	// resetMargin allows for clocks that differ and headers in whole seconds.
	resetMargin = time.Second
)

// Window is a counter that the platform resets at the end of each window. While
// headers tell what is left, they have the last word: the rest is spread until
// the reset, and the part that is not our share is never touched. Without them,
// no window of the published length, wherever it begins, holds more requests
// than our share.
type Window struct {
	length time.Duration
	share  int
	limit  int

	pace  *rate.Limiter
	count [slots + 1]slot

	known platform.Usage
	ever  bool
	// told: known is about the present window.
	told     bool
	underway int
	paused   time.Time
}

type slot struct {
	number int64
	spent  int
}

// NewWindow returns a budget that starts with what the platform publishes. Share
// is the percentage of it that may be used.
func NewWindow(limits platform.Limits, share int) *Window {
	w := &Window{
		length: max(limits.Window, time.Second), share: min(max(share, 1), 100),
		limit: max(limits.Requests, 1), known: platform.Usage{Bucket: limits.Bucket},
	}
	w.pace = rate.NewLimiter(rate.Limit(float64(w.ours())/w.length.Seconds()), w.burst())
	return w
}

// ours is our share of the limit.
func (w *Window) ours() int { return max(w.limit*w.share/100, 1) }

func (w *Window) burst() int { return max(w.ours()/burstPart, 1) }

// Reserve implements Budget.
func (w *Window) Reserve(now time.Time) time.Duration {
	w.expire(now)
	if wait := w.full(now); wait > 0 {
		return wait
	}
	if !w.pace.AllowN(now, 1) {
		missing := 1 - w.pace.TokensAt(now)
		return max(time.Duration(math.Ceil(missing/float64(w.pace.Limit())*float64(time.Second))), time.Millisecond)
	}
	w.spend(now)
	return 0
}

// full is how long nothing at all is left.
func (w *Window) full(now time.Time) time.Duration {
	if now.Before(w.paused) {
		return w.paused.Sub(now)
	}
	if w.told {
		if w.left() > 0 {
			return 0
		}
		return w.known.ResetsAt.Add(resetMargin).Sub(now)
	}
	return w.crowded(now)
}

// left is what is left of our share in the window that the platform told of.
func (w *Window) left() int { return w.known.Remaining - (w.limit - w.ours()) }

// crowded is how long the window that ends now holds our share already.
func (w *Window) crowded(now time.Time) time.Duration {
	current := w.slotAt(now)
	oldest, sum := current, 0
	for _, s := range w.count {
		if s.spent > 0 && s.number >= current-slots {
			sum += s.spent
			oldest = min(oldest, s.number)
		}
	}
	if sum < w.ours() {
		return 0
	}
	return time.Unix(0, (oldest+slots+1)*int64(w.slotLength())).Sub(now)
}

func (w *Window) slotLength() time.Duration { return w.length/slots + 1 }

func (w *Window) slotAt(now time.Time) int64 { return now.UnixNano() / int64(w.slotLength()) }

func (w *Window) spend(now time.Time) {
	w.underway++
	if w.told {
		w.known.Remaining--
	}
	number := w.slotAt(now)
	s := &w.count[number%int64(len(w.count))]
	if s.number != number {
		*s = slot{number: number}
	}
	s.spent++
}

// expire begins a new window once the one that the platform told of has ended.
// What was spent before its end counts no more.
func (w *Window) expire(now time.Time) {
	if !w.told || now.Before(w.known.ResetsAt.Add(resetMargin)) {
		return
	}
	w.told = false
	ended := w.slotAt(w.known.ResetsAt)
	for i := range w.count {
		if w.count[i].number < ended {
			w.count[i].spent = 0
		}
	}
	w.pace.SetLimitAt(now, rate.Limit(float64(w.ours())/w.length.Seconds()))
}

// Done implements Budget.
func (w *Window) Done() { w.underway-- }

// Learn implements Budget.
func (w *Window) Learn(u platform.Usage, now time.Time) {
	if u.Limit <= 0 || !u.ResetsAt.After(now) {
		return
	}
	w.expire(now)
	// What else is under way may not be counted yet.
	u.Remaining = max(u.Remaining-max(w.underway-1, 0), 0)
	if w.told {
		switch {
		case u.ResetsAt.Before(w.known.ResetsAt):
			return // overtaken by an answer of a later window
		case u.ResetsAt.Equal(w.known.ResetsAt) && u.Limit == w.known.Limit:
			u.Remaining = min(u.Remaining, w.known.Remaining)
		}
	}
	w.known, w.told, w.ever, w.limit = u, true, true, u.Limit
	spread := max(u.ResetsAt.Sub(now), time.Second).Seconds()
	w.pace.SetBurstAt(now, w.burst())
	w.pace.SetLimitAt(now, rate.Limit(float64(max(w.left(), 1))/spread))
}

// Pause implements Budget.
func (w *Window) Pause(until time.Time) {
	if until.After(w.paused) {
		w.paused = until
	}
}

// State implements Budget.
func (w *Window) State(now time.Time) State {
	w.expire(now)
	return State{
		Usage: w.known, Told: w.ever, PausedUntil: w.paused,
		PerSecond: float64(w.ours()) / w.length.Seconds(),
	}
}
