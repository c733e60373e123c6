package observe

import (
	"container/heap"
	"time"
)

// scanEvery is how often the engine looks who became stale.
const scanEvery = time.Second

// alarm says when a target's knowledge becomes stale if it is not looked at again.
type alarm struct {
	at stamp
	t  *target
}

// alarms are in the order of their moments. A look moves the moment but not the
// alarm: one that goes off too early is set anew. So a lap costs one move per
// account and bound, and not a scan of all accounts a second.
type alarms []alarm

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at < a[j].at }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *alarms) Push(x any) { *a = append(*a, x.(alarm)) } //nolint:forcetypeassert // heap.Interface

// Pop implements heap.Interface.
func (a *alarms) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = alarm{}
	*a = old[:len(old)-1]
	return last
}

// stale says that the target's knowledge is older than its bound. What is only
// remembered counts from the start of this process: it had no chance before.
func (e *Engine) stale(t *target, now time.Time) bool {
	if t.known == "" || t.staleAfter <= 0 {
		return false
	}
	return now.Sub(e.knownSince(t)) > t.staleAfter
}

func (e *Engine) knownSince(t *target) time.Time {
	at := t.at.time()
	if t.restored && at.Before(e.started) {
		return e.started
	}
	return at
}

// watchAge sets a target's alarm, unless an earlier one stands.
func (e *Engine) watchAge(t *target) {
	if t.known == "" || t.staleAfter <= 0 {
		return
	}
	at := stampOf(e.knownSince(t).Add(t.staleAfter + 1))
	if t.alarm != 0 && at >= t.alarm {
		return
	}
	t.alarm = at
	heap.Push(&e.alarms, alarm{at, t})
}

// scan wakes the accounts whose knowledge became stale, and publishes what has
// waited for its image long enough.
func (e *Engine) scan(now time.Time) time.Duration {
	if since := now.Sub(e.scanned); since < scanEvery {
		return scanEvery - since
	}
	e.scanned = now
	for t := range e.imageless {
		e.publish(t, now)
	}
	for len(e.alarms) > 0 && e.alarms[0].at <= stampOf(now) {
		due, _ := heap.Pop(&e.alarms).(alarm)
		t := due.t
		if due.at != t.alarm {
			continue // another alarm stands
		}
		t.alarm = 0
		if t.conn == nil {
			continue
		}
		if !e.stale(t, now) {
			e.watchAge(t)
			continue
		}
		if !t.toldStale {
			t.toldStale = true
			e.tell(t)
		}
		e.blame(t, now)
	}
	e.unblame(now)
	for _, c := range e.conns {
		e.askAgain(c, now)
	}
	return e.nextScan(now)
}

// nextScan is when there is something to find out: when the next alarm goes off, and
// every second while something waits.
func (e *Engine) nextScan(now time.Time) time.Duration {
	waiting := len(e.imageless) > 0
	for _, c := range e.conns {
		waiting = waiting || c.mass.change != nil || c.short.Reason != ""
	}
	switch {
	case waiting:
		return scanEvery
	case len(e.alarms) == 0:
		return time.Hour
	}
	return max(-e.alarms[0].at.since(now), scanEvery)
}

// blame notes that a promise broke because a day's budget is spent.
func (e *Engine) blame(t *target, now time.Time) {
	c := t.conn
	if c.short.Reason != "" {
		return
	}
	if state, gone := c.exhausted(t, now); gone {
		c.short = state
		e.tellConnection(c)
	}
}

// unblame takes it back once the budget allows looks again.
func (e *Engine) unblame(now time.Time) {
	for _, c := range e.conns {
		if c.short.Reason == "" || now.Before(c.shortAt.Add(planEvery)) {
			continue
		}
		c.shortAt = now
		if !c.stillShort(now) {
			c.short = LaneState{}
			e.tellConnection(c)
		}
	}
}

// stillShort says that a chunk that is due waits for the next day.
func (c *conn) stillShort(now time.Time) bool {
	due, _ := c.candidates(now)
	for _, one := range due {
		if _, gone := c.exhausted(one.ring.first(), now); gone {
			return true
		}
	}
	return false
}
