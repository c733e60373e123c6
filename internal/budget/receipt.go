package budget

import (
	"time"
)

// Receipt is a request that was counted.
type Receipt struct {
	request Request
	lines   []line
	at      time.Time
}

// Cost is the number of units that the request cost, of all buckets together.
func (r *Receipt) Cost() int64 {
	sum := int64(0)
	for _, l := range r.lines {
		sum += l.units
	}
	return sum
}

// Done ends a request. Read are the platform's ids that the answer showed for items
// that were asked for without one: who was paid for already is not paid for twice,
// and neither is who was not shown. Answered is false where nobody knows what the
// platform has counted; then everything counts as spent.
func (r *Receipt) Done(read []string, answered bool, now time.Time) {
	for _, l := range r.lines {
		l.a.done(l.units)
		m, once := l.a.store.(*money)
		if once = once && l.charge.Once; once {
			m.closed(r, int64(l.charge.PerItem), now)
		}
		if !answered {
			continue
		}
		l.a.refusals = 0
		if once {
			m.settle(r, int64(l.charge.PerItem), read, now)
		}
	}
}
