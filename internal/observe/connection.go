package observe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

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

	rings   map[ringKey]*ring
	urgent  map[platform.Lookup]*queue
	retries []*batch
	buckets map[string]budget
	images  images

	underway int
	failures int
	// refused are the single questions in a row that the platform refused.
	refused int
	resume  time.Time
	backoff wait.Backoff
	targets int
	sweep   sweep
	reads   reads
}

type ringKey struct {
	by    platform.Lookup
	every time.Duration
}

func newConn(name string) *conn {
	c := &conn{
		Connection: Connection{Name: name}, state: missing(name),
		rings: map[ringKey]*ring{}, buckets: map[string]budget{},
		urgent: map[platform.Lookup]*queue{platform.ByID: {}, platform.ByHandle: {}},
	}
	return c
}

// open takes a connection into use. What is known of the accounts stays.
func (c *conn) open(next Connection, e *Engine) {
	before := c.state
	c.Connection, c.state = next, next.State
	c.failures, c.refused, c.resume, c.answered = 0, 0, time.Time{}, false
	c.buckets = map[string]budget{}
	for _, limits := range next.Adapter.Budgets {
		c.buckets[limits.Bucket] = newWindow(limits, next.Share)
	}
	for key, r := range c.rings {
		r.batch = c.batchSize(key.by)
	}
	for _, b := range c.retries {
		c.requeue(b, e.cfg.Clock.Now())
	}
	c.retries = nil
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
	q.later = append(q.later, delayed{at, t})
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
	case c.Client == nil || c.Client.Observe == nil:
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
	rest := time.Hour
	for _, by := range []platform.Lookup{platform.ByHandle, platform.ByID} {
		b, wait := c.urgentBatch(by, now, cfg)
		if b != nil {
			return b, 0
		}
		rest = min(rest, wait)
	}
	b, wait := c.ringBatch(now)
	return b, min(rest, wait)
}

// allowed says how long a lookup has to wait for its bucket.
func (c *conn) allowed(by platform.Lookup, now time.Time) (budget, time.Duration) {
	limits, ok := c.Adapter.Profiles[by]
	if !ok {
		return nil, time.Hour
	}
	b := c.buckets[limits.Charges[0].Bucket]
	return b, b.wait(now)
}

func (c *conn) retry(now time.Time) (*batch, time.Duration) {
	c.retries = slices.DeleteFunc(c.retries, func(b *batch) bool { return !b.renew(c) })
	rest := time.Hour
	for i, b := range c.retries {
		bucket, wait := c.allowed(b.by, now)
		if wait > 0 {
			rest = min(rest, wait)
			continue
		}
		c.retries = slices.Delete(c.retries, i, i+1)
		b.bucket = bucket
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
	size := c.batchSize(by)
	wait, some := q.closes(size, now, cfg)
	if !some {
		return nil, rest
	}
	if wait > 0 {
		return nil, min(rest, wait)
	}
	bucket, wait := c.allowed(by, now)
	if wait > 0 {
		return nil, min(rest, wait)
	}
	chosen := q.take(size)
	for _, t := range chosen {
		delete(t.queued, by)
	}
	return newBatch(by, chosen, bucket), 0
}

// ringBatch takes the chunk that has been due for longest.
func (c *conn) ringBatch(now time.Time) (*batch, time.Duration) {
	rest := time.Hour
	var first *ring
	var by platform.Lookup
	var bucket budget
	var at time.Time
	for key, r := range c.rings {
		due, ok := r.due(now)
		if !ok {
			continue
		}
		if now.Before(due) {
			rest = min(rest, due.Sub(now))
			continue
		}
		b, wait := c.allowed(key.by, now)
		if wait > 0 {
			rest = min(rest, wait)
			continue
		}
		if first == nil || due.Before(at) {
			first, by, bucket, at = r, key.by, b, due
		}
	}
	if first == nil {
		return nil, rest
	}
	return newBatch(by, first.take(), bucket), 0
}

// begin counts a call that goes now.
func (c *conn) begin(b *batch, now time.Time) {
	b.client = c.Client
	c.underway++
	c.sweep.requests++
	b.bucket.spend(now)
}

// rest holds the connection back after a failure: longer each time, never longer
// than half of the shortest interval, so that recovery shows within one.
func (c *conn) rest(now time.Time) {
	if c.failures <= 1 {
		c.backoff = wait.Backoff{Duration: firstBackoff, Factor: 2, Steps: 12, Cap: longBackoff}
	}
	pause := c.backoff.Step()
	for key, r := range c.rings {
		if r.size > 0 {
			pause = min(pause, key.every/2)
		}
	}
	c.resume = now.Add(pause + time.Duration(rand.Int64N(int64(pause)/5+1))) //nolint:gosec // spreads load, guards nothing
}
