package observe

import (
	"cmp"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/budget"
)

// readsClosed is how long no activity is read: while the platform is out of reach,
// or after failures of our own.
func (c *conn) readsClosed(now time.Time) time.Duration {
	switch {
	case c.Client == nil || c.purse == nil || c.failures > 0 || len(c.feeds.lanes) == 0:
		return time.Hour // whatever changes that wakes the loop
	case now.Before(c.feeds.resume):
		return c.feeds.resume.Sub(now)
	case c.feeds.underway >= maxReading || c.feeds.failures > 0 && c.feeds.underway > 0:
		return time.Hour
	}
	return 0
}

// claimant is a lane in which somebody's turn has come.
type claimant struct {
	lane   *lane
	jumped bool
	// late is how long ago, in parts of the interval: so the higher tiers, whose
	// intervals are short, go first, and nobody starves.
	late float64
}

// choose picks the lane that is read next, and whether from its queue; nil: none
// now. What is known to be new goes before what may be.
func (c *conn) choose(now time.Time, cfg Config) (l *lane, jumped bool, rest time.Duration) {
	all, rest := c.claimants(now, cfg)
	slices.SortFunc(all, claimant.before)
	for _, one := range all {
		wait := c.readWait(c.priceOf(one.lane, now), now)
		if wait == 0 {
			return one.lane, one.jumped, 0
		}
		rest = min(rest, wait)
	}
	return nil, false, rest
}

// priceOf is what the next call of a lane may cost.
func (c *conn) priceOf(l *lane, now time.Time) price {
	read := c.readOf(l.stream)
	items := l.ring.batch
	if l.stream != streamRereads {
		items *= c.most(read)
	}
	return c.price(read, l.ring.batch, make([]budget.Item, items), now)
}

// claimants are the lanes in which somebody's turn has come, and how long it is
// until it does in another.
func (c *conn) claimants(now time.Time, cfg Config) (all []claimant, rest time.Duration) {
	rest = time.Hour
	for _, l := range c.feeds.lanes {
		if wait, some := l.moved.closes(l.ring.batch, now, cfg); some && wait > 0 {
			rest = min(rest, wait)
		} else if some {
			all = append(all, claimant{l, true, float64(now.Sub(l.moved.waiting[0].since)) / float64(l.every)})
		}
		if due, ok := l.ring.due(now); ok && now.Before(due) {
			rest = min(rest, due.Sub(now))
		} else if ok {
			all = append(all, claimant{l, false, float64(now.Sub(due)) / float64(l.every)})
		}
	}
	return all, rest
}

func (a claimant) before(b claimant) int {
	if a.jumped != b.jumped && a.jumped {
		return -1
	}
	if a.jumped != b.jumped {
		return 1
	}
	return cmp.Or(cmp.Compare(b.late, a.late), cmp.Compare(a.lane.every, b.lane.every), cmp.Compare(a.lane.stream, b.lane.stream))
}
