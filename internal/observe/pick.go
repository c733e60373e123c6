package observe

import (
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// next picks the batch that goes now, or says when to ask again. What failed goes
// first. But after failures every other try is something else: one batch that the
// platform cannot answer must not stand for all.
func (c *conn) next(now time.Time, cfg Config) (*batch, time.Duration) {
	if wait := c.closed(now); wait > 0 {
		return nil, wait
	}
	clear(c.kept)
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
		b, wait := c.ringBatch(now, true)
		if b != nil {
			c.pressed = true
			return b, 0
		}
		rest = min(rest, wait)
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
		if wait := c.waits(b.request, now); wait > 0 {
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
	if wait = max(wait, c.fills(q, size, now)); wait > 0 {
		return nil, min(rest, wait)
	}
	chosen := q.peek(size)
	// A few may use the reserve; a whole fleet's first looks may not.
	r := c.request(by, chosen, len(q.waiting) <= maxUnderway*size)
	if wait := c.waits(r, now); wait > 0 {
		return nil, min(rest, wait)
	}
	q.take(len(chosen))
	for _, t := range chosen {
		*t.queued.of(by) = nil
	}
	return newBatch(by, chosen, r), 0
}

// fills is how long a batch that is not full waits while a fleet is joining, and not an
// account: whoever goes in such a batch makes it one request more.
func (c *conn) fills(q *queue, size int, now time.Time) time.Duration {
	if len(q.waiting) >= size || c.targets < size {
		return 0
	}
	return min(c.crowd(now), q.waiting[0].since.Add(haltsMost).Sub(now))
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
