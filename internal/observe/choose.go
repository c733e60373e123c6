package observe

import (
	"cmp"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

const (
	// risesEvery: where the budget cannot keep every promise, the shorter ones go
	// first, and every so many requests that which is oldest for its promise, so that
	// nothing starves.
	risesEvery = 10
	// planEvery is how old the answer to "is it feasible" may be.
	planEvery = time.Minute
	// patience is the bound, in intervals, of what was promised nothing.
	patience = 4
)

// candidate is a chunk that is due.
type candidate struct {
	ring *ring
	by   platform.Lookup
	due  time.Time
	// bound is the staleness promised, age that of its first member's knowledge.
	bound, age time.Duration
}

// ringBatch takes the chunk that matters most of those that are due. While all
// promises can be kept that is the one whose promise ends first, which keeps all
// that can be kept; see risesEvery for the rest.
//
// Pressing chunks are those whose knowledge has used up half of its promise while
// others wait in the urgent queue.
func (c *conn) ringBatch(now time.Time, pressing bool) (*batch, time.Duration) {
	if pressing && len(c.urgent[platform.ByID].waiting)+len(c.urgent[platform.ByHandle].waiting) == 0 {
		return nil, time.Hour
	}
	due, rest := c.candidates(now)
	if pressing {
		due = slices.DeleteFunc(due, func(one candidate) bool { return 2*one.age < one.bound })
	}
	if len(due) == 0 {
		return nil, rest
	}
	rises := c.picks%risesEvery == risesEvery-1
	c.order(due, rises, now)
	for _, chosen := range due {
		targets := chosen.ring.peek(c.size(chosen.by))
		r := c.request(chosen.by, targets, false)
		if !rises || !c.crowded(chosen.bound, chosen.ring) {
			r.Ahead = c.ahead(chosen.bound, chosen.ring, now)
		}
		if wait := c.waits(r, now); wait > 0 {
			rest = min(rest, wait)
			continue
		}
		chosen.ring.take(len(targets))
		return newBatch(chosen.by, targets, r), 0
	}
	return nil, rest
}

func (c *conn) candidates(now time.Time) (due []candidate, rest time.Duration) {
	rest = time.Hour
	for key, r := range c.rings {
		if c.early() && key.by == platform.ByID {
			continue
		}
		c.skip(key.by, r, now)
		at, ok := r.due(now)
		if _, supported := c.Adapter.Profiles[key.by]; !ok || !supported {
			continue
		}
		if now.Before(at) {
			rest = min(rest, at.Sub(now))
			continue
		}
		one := candidate{ring: r, by: key.by, due: at, bound: r.bound(), age: now.Sub(at) + r.every}
		if looked := r.first().looked; looked != 0 {
			one.age = looked.since(now)
		}
		due = append(due, one)
	}
	return due, rest
}

func (c *conn) order(due []candidate, rises bool, now time.Time) {
	if len(due) < 2 {
		return
	}
	if now.Sub(c.planned) >= planEvery {
		c.planned, c.feasible = now, c.plan().feasible
	}
	slices.SortFunc(due, func(a, b candidate) int {
		first := cmp.Compare(a.bound-a.age, b.bound-b.age)
		switch {
		case c.feasible:
		case rises:
			first = cmp.Compare(float64(b.age)/float64(b.bound), float64(a.age)/float64(a.bound))
		default:
			first = cmp.Compare(a.bound, b.bound)
		}
		return cmp.Or(first, a.due.Compare(b.due), cmp.Compare(a.ring.phase, b.ring.phase))
	})
}

// ahead is the number of accounts with shorter promises that have yet to be paid for
// today, where money is limited.
func (c *conn) ahead(bound time.Duration, of *ring, now time.Time) int {
	if _, limited := c.purse.Money(); !limited {
		return 0
	}
	n := 0
	for key, r := range c.rings {
		if r != of && r.bound() < bound {
			n += c.owed(key.by, r, now)
		}
	}
	return n
}

// crowded says that accounts with shorter promises take so much of a day's money that
// nothing would ever be left. Then what rises does not wait for them.
func (c *conn) crowded(bound time.Duration, of *ring) bool {
	daily, _ := c.purse.Money()
	cost := int64(0)
	for key, r := range c.rings {
		if r != of && r.bound() < bound {
			cost += int64(r.size) * c.round(key, r).price
		}
	}
	return cost > daily-daily/risesEvery
}

// owed is the number of a ring's accounts that have yet to be paid for today. It is
// counted once a minute: too high a number only leaves money for later.
func (c *conn) owed(by platform.Lookup, r *ring, now time.Time) int {
	if r.owedAt.IsZero() || now.Sub(r.owedAt) >= planEvery || !sameDay(r.owedAt, now) {
		r.owedAt = now
		r.owed = c.purse.Unpaid(c.request(by, r.members, false), now)
	}
	return r.owed
}

// size is how many accounts a request names: as many as the platform takes, and as
// can be paid for.
func (c *conn) size(by platform.Lookup) int {
	return c.purse.Affordable(c.Adapter.Profiles[by].Charges, c.batchSize(by))
}

// exhausted says that a day's budget is what keeps a target from being looked at.
func (c *conn) exhausted(t *target, now time.Time) (LaneState, bool) {
	if c.purse == nil || c.Client == nil {
		return LaneState{}, false
	}
	by := c.way(t)
	r := c.request(by, []*target{t}, false)
	for c.purse.Unpaid(r, now) > 0 && len(r.Items) < c.size(by) {
		r.Items = append(r.Items, budget.Item{}) // it waits with the rest of its chunk
	}
	bucket, kind, gone := c.purse.Exhausted(r, now)
	if !gone {
		return LaneState{}, false
	}
	what := "the day's units of " + bucket
	if kind == platform.BudgetMoney {
		what = "the day's money"
	}
	return LaneState{LaneBudgetExhausted, what + " of PlatformConnection " + c.Name + " is spent"}, true
}
