package observe

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// budget is what a bucket of requests still allows. Platforms limit in different
// ways; a window counter with a reset header is the first of them.
type budget interface { //nolint:interfacebloat // three verbs of spending, two of feedback, three of reporting: one thing seen from three sides
	// wait is how long the next request has to wait; 0: it may go now.
	wait(now time.Time) time.Duration
	// spend counts a request that goes now.
	spend(now time.Time)
	// done ends a request that was counted.
	done()
	// usage takes in what an answer's headers said.
	usage(u platform.Usage)
	// pause stops the bucket until a moment.
	pause(until time.Time)
	// state is what is known, for the status.
	state() (platform.Usage, bool)
	// perSecond is the sustained number of requests.
	perSecond() float64
	// pausedUntil is the end of the last pause.
	pausedUntil() time.Time
}

// window is a counter that a platform resets at the end of each window. The
// headers say when that is and what is left. Besides, the requests are counted
// here: those that got no answer count too, and where there are no headers, no
// window of the published length, wherever it begins, holds more than our share.
type window struct {
	length time.Duration
	share  int
	limit  int

	known platform.Usage
	told  bool
	// underway are requests that the last header may not count yet.
	underway int
	until    time.Time
	// sent are the requests that the present window may hold.
	sent []time.Time
}

func newWindow(limits platform.Budget, share int) *window {
	w := &window{length: max(limits.Window, time.Second), share: share, limit: max(limits.Limit, 1)}
	w.known.Bucket = limits.Bucket
	return w
}

// usable is our share of the limit.
func (w *window) usable() int { return max(w.limit*w.share/100, 1) }

func (w *window) wait(now time.Time) time.Duration {
	if now.Before(w.until) {
		return w.until.Sub(now)
	}
	w.expire(now)
	current := w.told && now.Before(w.known.ResetsAt)
	if current && w.known.Remaining-w.underway <= w.limit-w.usable() {
		return w.known.ResetsAt.Sub(now)
	}
	if len(w.sent) < w.usable() {
		return 0
	}
	free := w.sent[len(w.sent)-w.usable()].Add(w.length)
	if current && w.known.ResetsAt.Before(free) {
		free = w.known.ResetsAt
	}
	return free.Sub(now)
}

// expire forgets the requests that the present window cannot hold.
func (w *window) expire(now time.Time) {
	over := w.told && !now.Before(w.known.ResetsAt)
	n := 0
	for n < len(w.sent) && (now.Sub(w.sent[n]) >= w.length || over && w.sent[n].Before(w.known.ResetsAt)) {
		n++
	}
	w.sent = w.sent[n:]
}

func (w *window) spend(now time.Time) {
	w.sent = append(w.sent, now)
	w.underway++
}

func (w *window) done() { w.underway-- }

func (w *window) usage(u platform.Usage) {
	if u.Limit <= 0 || u.ResetsAt.IsZero() {
		return
	}
	if w.told && (u.ResetsAt.Before(w.known.ResetsAt) ||
		u.ResetsAt.Equal(w.known.ResetsAt) && u.Limit == w.limit && u.Remaining > w.known.Remaining) {
		return // overtaken by a later answer
	}
	w.known, w.told, w.limit = u, true, u.Limit
}

func (w *window) pause(until time.Time) {
	if until.After(w.until) {
		w.until = until
	}
}

func (w *window) state() (platform.Usage, bool) { return w.known, w.told }

func (w *window) perSecond() float64 { return float64(w.usable()) / w.length.Seconds() }

func (w *window) pausedUntil() time.Time { return w.until }
