package observe

import (
	"time"

	"golang.org/x/time/rate"

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

// window is a counter that a platform resets at the end of each window. Between
// headers, a token bucket of the same size stands in for it; the headers have
// the last word.
type window struct {
	length  time.Duration
	share   int
	limit   int
	limiter *rate.Limiter

	known platform.Usage
	told  bool
	// underway are requests that the last header may not count yet.
	underway int
	until    time.Time
}

func newWindow(limits platform.Limits, share int) *window {
	w := &window{length: max(limits.Window, time.Second), share: share}
	w.known.Bucket = limits.Bucket
	w.resize(max(limits.Requests, 1))
	return w
}

// resize takes a limit that differs from the one in use.
func (w *window) resize(limit int) {
	if limit == w.limit {
		return
	}
	w.limit = limit
	burst := max(w.usable(), 1)
	pace := rate.Limit(float64(burst) / w.length.Seconds())
	// A new limiter starts full; the header's own count guards what is left.
	w.limiter = rate.NewLimiter(pace, burst)
}

// usable is our share of the limit.
func (w *window) usable() int { return w.limit * w.share / 100 }

func (w *window) wait(now time.Time) time.Duration {
	if now.Before(w.until) {
		return w.until.Sub(now)
	}
	if w.told && now.Before(w.known.ResetsAt) {
		if w.known.Remaining-w.underway <= w.limit-w.usable() {
			return w.known.ResetsAt.Sub(now)
		}
		return 0
	}
	if tokens := w.limiter.TokensAt(now); tokens < 1 {
		return time.Duration((1 - tokens) / float64(w.limiter.Limit()) * float64(time.Second))
	}
	return 0
}

func (w *window) spend(now time.Time) {
	w.limiter.AllowN(now, 1)
	w.underway++
}

func (w *window) done() { w.underway-- }

func (w *window) usage(u platform.Usage) {
	if u.Limit <= 0 || u.ResetsAt.IsZero() {
		return
	}
	w.resize(u.Limit)
	if w.told && u.ResetsAt.Equal(w.known.ResetsAt) && u.Remaining > w.known.Remaining {
		return // overtaken by a later answer
	}
	w.known, w.told = u, true
}

func (w *window) pause(until time.Time) {
	if until.After(w.until) {
		w.until = until
	}
}

func (w *window) state() (platform.Usage, bool) { return w.known, w.told }

func (w *window) perSecond() float64 { return float64(max(w.usable(), 1)) / w.length.Seconds() }

func (w *window) pausedUntil() time.Time { return w.until }
