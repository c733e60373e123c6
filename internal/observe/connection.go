package observe

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// How many calls of a connection may be under way, and when failures in a row
// count as an outage.
const (
	maxUnderway  = 4
	outageAfter  = 3
	firstBackoff = 500 * time.Millisecond
	longBackoff  = time.Minute
)

// conn is the engine's side of a connection: its rings, its urgent queues, its
// budgets, and how it does. The breaker is here and not a library's because it
// has to run on the engine's clock and to let exactly one batch through.
type conn struct {
	Connection
	state    LaneState
	answered bool
	// heard is when it last did.
	heard time.Time

	rings   map[ringKey]*ring
	urgent  map[platform.Lookup]*queue
	retries []*batch
	purse   *budget.Purse
	images  images
	mass    mass
	walk    walk
	// joining is when the first of its targets joined, joined when the last did.
	joining, joined time.Time
	// opened is when the connection was first taken into use by this process, asked
	// that the reconciler was woken to save what was spent.
	opened time.Time
	asked  bool
	// feasible is the plan of the moment planned, picks the number of ring batches.
	feasible bool
	planned  time.Time
	picks    int
	// pressed: a pressing chunk went last, so it is the turn of the urgent queue.
	pressed bool
	// short: accounts are past their bounds because a day's budget is spent.
	short   LaneState
	shortAt time.Time

	underway int
	failures int
	// refused are the single questions in a row that the platform refused.
	refused int
	resume  time.Time
	backoff wait.Backoff
	targets int
	sweep   sweep
	feeds   feeds
}

type ringKey struct {
	by    platform.Lookup
	every time.Duration
}

func newConn(name string) *conn {
	c := &conn{
		Connection: Connection{Name: name}, state: missing(name),
		rings:  map[ringKey]*ring{},
		urgent: map[platform.Lookup]*queue{platform.ByID: {}, platform.ByHandle: {}},
	}
	return c
}

// open takes a connection into use. What is known of the accounts stays.
func (c *conn) open(next Connection, e *Engine) {
	before, now := c.state, e.cfg.Clock.Now()
	c.Connection, c.state = next, next.State
	c.failures, c.refused, c.resume, c.answered = 0, 0, time.Time{}, false
	c.short, c.planned, c.walk = LaneState{}, time.Time{}, walk{}
	if c.opened.IsZero() {
		c.opened = now
	}
	if next.Client != nil {
		c.fill(e, now)
	}
	for key, r := range c.rings {
		r.batch = c.batchSize(key.by)
	}
	for _, b := range c.retries {
		c.requeue(b, now)
	}
	c.retries = nil
	e.regroup(c)
	c.reopen(e)
	// The same again is no news: telling it would make the reconciler, which opens
	// again what is obstructed, run in circles.
	if c.state != before {
		e.tellAll(c)
	}
}

func (c *conn) batchSize(by platform.Lookup) int { return max(c.Adapter.Profiles[by].Batch, 1) }

func (c *conn) ringOf(by platform.Lookup, every time.Duration) *ring {
	key := ringKey{by, max(every, time.Second)}
	r, ok := c.rings[key]
	if !ok {
		r = newRing(fmt.Sprintf("%s/%s/%s", c.Name, by, key.every), key.every, c.batchSize(by))
		r.key = key
		c.rings[key] = r
	}
	return r
}

// enqueue makes a target wait for an urgent look.
func (c *conn) enqueue(t *target, by platform.Lookup, now time.Time) {
	if t.queued[by] == nil {
		t.queued[by] = c.urgent[by].add(t, now)
	}
}

// drop forgets what a target waits for.
func (c *conn) drop(t *target) {
	for by, place := range t.queued {
		c.urgent[by].remove(place)
	}
	clear(t.queued)
	t.doubt, t.image = nil, image{}
	c.mass.drop(t)
}

// requeue makes the targets of a batch that was not answered wait again.
func (c *conn) requeue(b *batch, now time.Time) {
	for _, t := range b.targets {
		if t.conn == c {
			c.enqueue(t, b.by, now)
		}
	}
}

// enqueueLater makes a target wait for an urgent look from a moment on.
func (c *conn) enqueueLater(t *target, by platform.Lookup, at time.Time) {
	q := c.urgent[by]
	i, _ := slices.BinarySearchFunc(q.later, at, func(d delayed, at time.Time) int {
		if d.at.After(at) {
			return 1
		}
		return -1
	})
	q.later = slices.Insert(q.later, i, delayed{at, t})
}

// next picks the batch that goes now, or says when to ask again. What failed goes
// first. But after failures every other try is something else: one batch that the
// platform cannot answer must not stand for all.
func (c *conn) next(now time.Time, cfg Config) (*batch, time.Duration) {
	if wait := c.closed(now); wait > 0 {
		return nil, wait
	}
	if c.failures > 0 && c.failures%2 == 0 {
		return c.other(now, cfg)
	}
	b, rest := c.retry(now)
	if b != nil {
		return b, 0
	}
	b, wait := c.fresh(now, cfg)
	return b, min(rest, wait)
}

// closed is how long nothing at all goes.
func (c *conn) closed(now time.Time) time.Duration {
	const never = time.Hour
	switch {
	case c.Client == nil || c.Client.Observe == nil || c.purse == nil:
		return never
	case now.Before(c.resume):
		return c.resume.Sub(now)
	case c.underway >= maxUnderway || c.failures > 0 && c.underway > 0:
		return never
	}
	return 0
}

// other picks something else than the batch that failed last: a fresh one, or one
// account of it.
func (c *conn) other(now time.Time, cfg Config) (*batch, time.Duration) {
	rest := time.Hour
	if len(c.retries) < maxUnderway {
		b, wait := c.fresh(now, cfg)
		if b != nil {
			return b, 0
		}
		rest = wait
	}
	b, wait := c.retry(now)
	if b != nil {
		return c.sample(b), 0
	}
	return nil, min(rest, wait)
}

// fresh picks a batch that was not tried before.
func (c *conn) fresh(now time.Time, cfg Config) (*batch, time.Duration) {
	b, rest := c.page(now)
	if b != nil {
		return b, 0
	}
	// A fleet's first looks are many. They must not make those wait whose promise ends,
	// nor wait for them: it is the turn of the one and of the other.
	if !c.pressed {
		if b, _ := c.ringBatch(now, true); b != nil {
			c.pressed = true
			return b, 0
		}
	}
	for _, by := range []platform.Lookup{platform.ByHandle, platform.ByID} {
		b, wait := c.urgentBatch(by, now, cfg)
		if b != nil {
			c.pressed = false
			return b, 0
		}
		rest = min(rest, wait)
	}
	b, wait := c.ringBatch(now, false)
	return b, min(rest, wait)
}

func (c *conn) retry(now time.Time) (*batch, time.Duration) {
	c.retries = slices.DeleteFunc(c.retries, func(b *batch) bool { return !b.renew(c) })
	rest := time.Hour
	for i, b := range c.retries {
		b.request = c.request(b.by, b.targets, b.request.Urgent)
		if wait := c.purse.Wait(b.request, now); wait > 0 {
			rest = min(rest, wait)
			continue
		}
		c.retries = slices.Delete(c.retries, i, i+1)
		return b, 0
	}
	return nil, rest
}

// urgentBatch closes a batch of urgent looks on its size, on idleness, or when the
// first has waited long enough.
func (c *conn) urgentBatch(by platform.Lookup, now time.Time, cfg Config) (*batch, time.Duration) {
	q := c.urgent[by]
	ready, rest := q.ripe(now)
	for _, t := range ready {
		if t.conn == c {
			c.enqueue(t, by, now)
		}
	}
	if by == platform.ByID {
		if wait := c.holdBack(q, now); wait > 0 {
			return nil, min(rest, wait)
		}
	}
	size := c.size(by)
	wait, some := q.closes(size, now, cfg)
	if !some || !c.reads(by) {
		return nil, rest
	}
	if wait > 0 {
		return nil, min(rest, wait)
	}
	chosen := q.peek(size)
	// A few may use the reserve; a whole fleet's first looks may not.
	r := c.request(by, chosen, len(q.waiting) <= maxUnderway*size)
	if wait := c.purse.Wait(r, now); wait > 0 {
		return nil, min(rest, wait)
	}
	q.take(len(chosen))
	for _, t := range chosen {
		delete(t.queued, by)
	}
	return newBatch(by, chosen, r), 0
}

// holdBack is how long nobody of the queue is looked at by id yet.
func (c *conn) holdBack(q *queue, now time.Time) time.Duration {
	if len(q.waiting) == 0 {
		return 0
	}
	if c.early() {
		return time.Hour
	}
	if wait := c.gathering(now); wait > 0 {
		return wait
	}
	c.seen(platform.ByID)
	return 0
}

// begin counts a call that goes now.
func (c *conn) begin(b *batch, now time.Time) {
	b.client = c.Client
	c.underway++
	c.sweep.requests++
	b.receipt = c.purse.Spend(b.request, now)
	if !b.request.Urgent && b.receipt.Cost() > 0 {
		c.picks++
	}
}
