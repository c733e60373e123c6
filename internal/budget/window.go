package budget

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// window is a counter that a platform resets at the end of each window. The
// headers say when that is and what is left. Besides, the requests are counted
// here: those that got no answer count too, and where there are no headers, no
// window of the published length, wherever it begins, holds more than our share.
type window struct {
	length time.Duration
	share  int
	limit  int64

	known platform.Usage
	told  bool
	// landed: a request has been answered, or never will be. Until then one goes at a
	// time: what an earlier process has used shows in the first headers.
	landed bool
	// underway are units that the last header may not count yet.
	underway int64
	// sent are the units that the present window may hold, total their sum.
	sent  []sent
	total int64
}

type sent struct {
	at    time.Time
	units int64
}

func newWindow(b platform.Budget, share int) *window {
	w := &window{length: max(b.Window, time.Second), share: share, limit: int64(max(b.Limit, 1))}
	w.known.Bucket = b.Bucket
	return w
}

func (w *window) usable() int64 { return max(w.limit*int64(w.share)/100, 1) }

func (w *window) span() time.Duration { return w.length }

func (w *window) wait(now time.Time, c claim) time.Duration {
	w.expire(now)
	if !w.told && !w.landed && w.underway > 0 {
		return never
	}
	most := max(w.usable()-c.keep, 1)
	units := min(c.units, most)
	current := w.told && now.Before(w.known.ResetsAt)
	if current && int64(w.known.Remaining)-w.underway-units < w.limit-most {
		return w.known.ResetsAt.Sub(now)
	}
	free := now
	for i, left := 0, w.total; left+units > most; i++ {
		free = w.sent[i].at.Add(w.length)
		left -= w.sent[i].units
	}
	if current && w.known.ResetsAt.Before(free) {
		free = w.known.ResetsAt
	}
	return free.Sub(now)
}

// expire forgets the requests that the present window cannot hold.
func (w *window) expire(now time.Time) {
	over := w.told && !now.Before(w.known.ResetsAt)
	n := 0
	for n < len(w.sent) && (now.Sub(w.sent[n].at) >= w.length || over && w.sent[n].at.Before(w.known.ResetsAt)) {
		w.total -= w.sent[n].units
		n++
	}
	w.sent = w.sent[n:]
}

func (w *window) spend(now time.Time, units int64) {
	w.sent = append(w.sent, sent{now, units})
	w.total += units
	w.underway += units
}

func (w *window) done(units int64) {
	w.underway -= units
	w.landed = true
}

func (w *window) usage(u platform.Usage, _ time.Time) {
	if u.Limit <= 0 || u.ResetsAt.IsZero() {
		return
	}
	if w.told && (u.ResetsAt.Before(w.known.ResetsAt) ||
		u.ResetsAt.Equal(w.known.ResetsAt) && int64(u.Limit) == w.limit && u.Remaining > w.known.Remaining) {
		return // overtaken by a later answer
	}
	w.known, w.told, w.limit = u, true, int64(u.Limit)
}

func (w *window) state(time.Time) (platform.Usage, bool) { return w.known, w.told }
