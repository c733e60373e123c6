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
	errands errands
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
	// kept are the buckets that are left alone this time (waits).
	kept map[string]bool
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
		rings: map[ringKey]*ring{}, kept: map[string]bool{},
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
	if place := t.queued.of(by); *place == nil {
		*place = c.urgent[by].add(t, now)
	}
}

// drop forgets what a target waits for.
func (c *conn) drop(t *target) {
	for _, by := range []platform.Lookup{platform.ByID, platform.ByHandle} {
		if place := t.queued.of(by); *place != nil {
			c.urgent[by].remove(*place)
			*place = nil
		}
	}
	t.doubt, t.image = nil, nil
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
