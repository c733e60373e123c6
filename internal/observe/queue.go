package observe

import (
	"slices"
	"time"
)

// queue holds the targets that are looked at as soon as the budget allows.
type queue struct {
	waiting []*ticket
	// gone are the tickets in waiting whose target has left.
	gone int
	// later is in the order of at.
	later []delayed
}

// ticket is a target's place in a queue; t is nil once it has left.
type ticket struct {
	t     *target
	since time.Time
}

// delayed is a target that joins its queue at a moment.
type delayed struct {
	at time.Time
	t  *target
}

func (q *queue) add(t *target, now time.Time) *ticket {
	place := &ticket{t, now}
	q.waiting = append(q.waiting, place)
	return place
}

func (q *queue) remove(place *ticket) {
	place.t = nil
	q.gone++
}

// ripe returns the targets whose moment has come, and when the next one's comes.
func (q *queue) ripe(now time.Time) (ready []*target, rest time.Duration) {
	rest = time.Hour
	n := 0
	for ; n < len(q.later); n++ {
		if d := q.later[n]; now.Before(d.at) {
			rest = min(rest, d.at.Sub(now))
			break
		}
		ready = append(ready, q.later[n].t)
	}
	clear(q.later[:n])
	if q.later = q.later[n:]; len(q.later) == 0 {
		q.later = nil
	}
	return ready, rest
}

// closes is how long a batch of at most size waits for others to join; false if
// there is nobody.
func (q *queue) closes(size int, now time.Time, cfg Config) (time.Duration, bool) {
	if q.gone > 0 {
		q.waiting = slices.DeleteFunc(q.waiting, func(place *ticket) bool { return place.t == nil })
		q.gone = 0
		q.shrink()
	}
	n := len(q.waiting)
	if n == 0 || n >= size {
		return 0, n > 0
	}
	idle, latest := q.waiting[n-1].since.Add(cfg.Idle), q.waiting[0].since.Add(cfg.MaxWait)
	return max(min(idle.Sub(now), latest.Sub(now)), 0), true
}

// peek is the first n, or all that there are, of a queue that closes said is tidy.
func (q *queue) peek(n int) []*target {
	n = min(n, len(q.waiting))
	chosen := make([]*target, n)
	for i, place := range q.waiting[:n] {
		chosen[i] = place.t
	}
	return chosen
}

// take removes the first n.
func (q *queue) take(n int) {
	clear(q.waiting[:n])
	q.waiting = q.waiting[n:]
	q.shrink()
}

// shrink lets go of the room that a crowd needed, once nobody waits.
func (q *queue) shrink() {
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
}
