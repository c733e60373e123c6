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
	part   Part
	limit  int64

	known platform.Usage
	told  bool
	// landed: a request has been answered, or never will be. Until then one goes at a
	// time: what an earlier process has used shows in the first headers.
	landed bool
	// counted: a whole window has begun since this process began, so that sent holds all
	// that it has used of the present one.
	counted bool
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

func newWindow(b platform.Budget, l Limits) *window {
	w := &window{length: max(b.Window, time.Second), share: l.Share, part: l.Part, limit: int64(max(b.Limit, 1))}
	w.known.Bucket = b.Bucket
	return w
}

func (w *window) usable() int64 { return w.part.share(w.limit, w.share) }

// inFlight is how many requests of each other process no header may count yet.
const inFlight = 4

// spare is what the headers have to leave over: what is not ours, of any part. Until a
// whole window is counted here, an earlier holder of this part may have spent it, and
// only the headers tell.
func (w *window) spare(keep int64) int64 {
	others := int64(w.part.parts()) - 1
	if others == 0 {
		return w.limit - max(w.usable()-keep, 1)
	}
	spare := w.limit - w.limit*int64(w.share)/100 + keep
	if !w.counted {
		spare += others * min(inFlight, w.usable())
	}
	return spare
}

func (w *window) span() time.Duration { return w.length }

func (w *window) wait(now time.Time, c claim) time.Duration {
	w.expire(now)
	if w.usable() <= 0 || w.probing() {
		return never
	}
	most := max(w.usable()-c.keep, 1)
	units := min(c.units, most)
	current := w.told && now.Before(w.known.ResetsAt)
	if current && int64(w.known.Remaining)-w.underway-units < w.spare(c.keep) {
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

// probing says that the first answer is still to come.
func (w *window) probing() bool { return !w.told && !w.landed && w.underway > 0 }

// expire forgets the requests that the present window cannot hold.
func (w *window) expire(now time.Time) {
	over := w.told && !now.Before(w.known.ResetsAt)
	w.counted = w.counted || over
	n := 0
	for n < len(w.sent) && (now.Sub(w.sent[n].at) >= w.length || over && w.sent[n].at.Before(w.known.ResetsAt)) {
		w.total -= w.sent[n].units
		n++
	}
	w.sent = w.sent[n:]
}

func (w *window) fraction(units int64) float64 { return float64(units) / float64(max(w.usable(), 1)) }

func (w *window) spend(now time.Time, c claim) {
	w.sent = append(w.sent, sent{now, c.units})
	w.total += c.units
	w.underway += c.units
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
