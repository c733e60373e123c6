package budget

import (
	"cmp"
	"time"
)

// handed are the units that handovers took of one bucket within its last span, in at
// most about a thousand lots.
type handed struct {
	sent  []sent
	total int64
}

// wait is how long a line waits so that handovers together take no more of it
// than is theirs. A single one that is more than that goes when no other has gone
// within the span.
func (h *handed) wait(now time.Time, l line) time.Duration {
	most := float64(cmp.Or(l.a.budget.Handed, Handed))
	if !l.handover || most >= 100 {
		return 0
	}
	h.expire(now, l.a.span())
	left, free := h.total, now
	for i := 0; left > 0 && 100*l.a.fraction(left+l.units) > most; i++ {
		left -= h.sent[i].units
		free = h.sent[i].at.Add(l.a.span())
	}
	return max(free.Sub(now), 0)
}

func (h *handed) spend(now time.Time, l line) {
	if !l.handover {
		return
	}
	span := l.a.span()
	h.expire(now, span)
	h.total += l.units
	if n := len(h.sent); n > 0 && now.Sub(h.sent[n-1].at) < span/1000 {
		h.sent[n-1].units += l.units
		return
	}
	h.sent = append(h.sent, sent{now, l.units})
}

func (h *handed) expire(now time.Time, span time.Duration) {
	n := 0
	for ; n < len(h.sent) && now.Sub(h.sent[n].at) >= span; n++ {
		h.total -= h.sent[n].units
	}
	h.sent = h.sent[n:]
}
