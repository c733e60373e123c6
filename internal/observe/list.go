package observe

import (
	"context"
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// A first walk waits until nobody has joined for gathers, so that its pages meet those
// whom they show: after a start a fleet joins one by one. It waits for gathersMost.
const (
	gathers     = time.Second
	gathersMost = 2 * time.Minute
	// haltsMost is how long a batch that is not full waits while a fleet joins haltingly.
	haltsMost = 10 * time.Second
)

// listAgain is how long a listing rests that the platform refuses: accounts are looked
// up one by one meanwhile.
const listAgain = time.Hour

// walk is a way over all profiles that an app can list, a page at a time, once in
// the shortest interval. Who was named needs no look of its own in that lap; who
// was not is looked up.
type walk struct {
	cursor platform.Cursor
	// due is when the next page is read.
	due time.Time
	// pages are those of this walk so far, last those of the one before; 0: this is the
	// first.
	pages, last int
	underway    bool
	byID        map[string]*target
}

// lists says that the connection reads pages.
func (c *conn) lists() bool {
	return c.Client != nil && c.Client.List != nil && c.Adapter.Listing.Batch > 1 && c.targets >= c.Adapter.Listing.Batch
}

// early says that the first walk is not over: single looks would only be made twice.
func (c *conn) early() bool {
	return c.lists() && c.walk.last == 0 && c.walk.due.Before(c.opened.Add(listAgain))
}

// page is the next page of the walk, if it is due.
func (c *conn) page(now time.Time) (*batch, time.Duration) {
	if !c.lists() || c.walk.underway {
		return nil, time.Hour
	}
	if now.Before(c.walk.due) {
		return nil, c.walk.due.Sub(now)
	}
	if wait := c.gathering(now); wait > 0 {
		return nil, wait
	}
	r := budget.Request{Charges: c.Adapter.Listing.Charges, Urgent: c.early(), Items: make([]budget.Item, c.Adapter.Listing.Batch)}
	if wait := c.waits(r, now); wait > 0 {
		return nil, wait
	}
	c.walk.underway = true
	return &batch{page: true, request: r}, 0
}

// gathering is how long a first walk, and with it whoever might be looked up singly,
// still waits for those who are joining.
func (c *conn) gathering(now time.Time) time.Duration {
	if c.Client.List == nil || c.walk.last > 0 || c.walk.pages > 0 {
		return 0
	}
	return c.crowd(now)
}

// crowd is how long those are still waited for who join after a start, or as the first
// of a connection.
func (c *conn) crowd(now time.Time) time.Duration {
	if now.Sub(c.joining) >= gathersMost {
		return 0
	}
	return c.joined.Add(gathers).Sub(now)
}

// joins takes note of a target that joined, for the walk under way and for the first.
func (c *conn) joins(t *target, now time.Time) {
	if c.walk.byID != nil && t.id != "" {
		c.walk.byID[t.id] = t
	}
	if c.targets == 0 {
		c.joining = now
	}
	c.joined = now
}

// pace is how long a page lasts: so that all of them fill the period, but for the
// first walk, which goes as fast as it may.
func (c *conn) pace() time.Duration {
	if c.walk.last == 0 {
		return 0
	}
	return c.period() / time.Duration(c.walk.last)
}

// period is the interval with which a walk, and the single looks of those who are seen
// more often, cost the fewest requests.
func (c *conn) period() time.Duration {
	best, fewest := time.Duration(0), 0.0
	for _, r := range c.rings {
		cost := float64(c.walk.last) / r.every.Seconds()
		for _, often := range c.rings {
			if often.every < r.every {
				cost += float64(often.size) / often.every.Seconds()
			}
		}
		if best == 0 || cost < fewest || cost == fewest && r.every < best {
			best, fewest = r.every, cost
		}
	}
	return best
}

// read performs one page.
func (e *Engine) read(ctx context.Context, c *conn, b *batch) {
	bounded, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	page, err := b.client.List.List(bounded, c.walk.cursor)
	if ctx.Err() != nil {
		return
	}
	now := e.cfg.Clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	c.underway--
	c.walk.underway = false
	b.receipt.Done(shown(page.Observations), err == nil, now)
	switch {
	case c.Client != b.client:
		c.walk = walk{}
	case err != nil:
		e.unlisted(c, b, err, now)
	default:
		e.listed(ctx, c, page, now)
	}
	e.wakeLoop()
}

// unlisted puts the walk off. What says something about the platform is told.
func (e *Engine) unlisted(c *conn, b *batch, err error, now time.Time) {
	kind := platform.KindOf(err)
	switch kind {
	case platform.KindRateLimited:
		c.purse.Pause(b.request.Charges, retryAfter(err), now)
	case platform.KindUnavailable, platform.KindAmbiguous, platform.KindBudgetExhausted:
		e.metrics.batch(c.Platform, "list", string(kind))
		e.unavailable(c, b, now)
	case platform.KindUnauthorized, platform.KindInvalid, platform.KindNotFound:
		// This list may be closed to us while accounts are not.
		e.metrics.batch(c.Platform, "list", string(kind))
		c.walk = walk{due: now.Add(listAgain)}
	}
}

// listed takes in a page.
func (e *Engine) listed(ctx context.Context, c *conn, page platform.Listing, now time.Time) {
	w := &c.walk
	if w.pages == 0 {
		e.index(c)
	}
	w.pages++
	b := &batch{by: platform.ByID}
	var known []platform.Observation
	for _, o := range page.Observations {
		if o.Outcome != platform.Found || o.Profile == nil {
			continue
		}
		if t := w.byID[o.Profile.ID]; t != nil && t.conn == c && t.id == o.Profile.ID {
			t.listed = stampOf(now)
			b.targets, b.refs, known = append(b.targets, t), append(b.refs, platform.AccountRef{ID: t.id}), append(known, o)
		}
	}
	w.cursor = page.Cursor
	if !page.More {
		w.last, w.pages, w.cursor = w.pages, 0, ""
	}
	// By the plan and not by the answer, so that slow answers do not stretch the walk.
	if w.due = w.due.Add(c.pace()); w.due.Before(now) {
		w.due = now.Add(c.pace())
	}
	e.answered(ctx, c, b, known, now)
}

// index finds the targets by their ids, for one walk.
func (e *Engine) index(c *conn) {
	c.walk.byID = make(map[string]*target, c.targets)
	for _, t := range e.targets {
		if t.conn == c && t.id != "" {
			c.walk.byID[t.id] = t
		}
	}
}

// lately is the part of an interval within which a second look shows nothing that the
// first did not: as long as the accounts of a batch of fifty are apart.
const lately = 50

// skip passes over the members of a ring that are known shortly before their turn, those
// too whose turn has yet to come: the loop would be woken for each of them.
func (c *conn) skip(by platform.Lookup, r *ring, now time.Time) {
	for {
		t, due := r.coming(now)
		if t == nil {
			return
		}
		if due.Before(now) {
			due = now
		}
		if !c.listed(t, r, due) && !heeded(t, by, r, due) {
			return
		}
		r.take(1)
	}
}

// listed says that a page has shown a member shortly before its turn. Who is to be seen
// more often than the walk passes keeps a rhythm of single looks.
func (c *conn) listed(t *target, r *ring, due time.Time) bool {
	if t.listed == 0 || !c.lists() || c.walk.last == 0 || r.every < c.period() {
		return false
	}
	return t.listed.since(due) < c.period()+2*c.pace() // a page may be a little late
}

// heeded says that a member has just been looked at, or waits for its first look since a
// moment ago: while a fleet joins, its first looks and its turns would else meet.
func heeded(t *target, by platform.Lookup, r *ring, due time.Time) bool {
	if t.looked != 0 {
		return t.looked.since(due) < r.every/lately
	}
	place := *t.queued.of(by)
	return place != nil && due.Sub(place.since) < r.every/lately
}

// seen drops from an urgent queue who was looked at since joining it.
func (c *conn) seen(by platform.Lookup) {
	if !c.lists() {
		return
	}
	q := c.urgent[by]
	for _, place := range q.waiting {
		if t := place.t; t != nil && t.doubt == nil && !t.looked.time().Before(place.since) {
			*t.queued.of(by) = nil
			q.remove(place)
		}
	}
}
