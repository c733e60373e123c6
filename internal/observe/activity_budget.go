package observe

import (
	"math"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// price is what a call about activity may cost. What counts requests and accounts
// is charged by those; money by what the answer may hold, and what it did not hold
// is given back.
type price struct {
	charges  []platform.Charge
	requests []budget.Request
}

// price of a read that names so many accounts and holds at most these items.
func (c *conn) price(read platform.Read, accounts int, items []budget.Item, now time.Time) price {
	counted := budget.Request{Items: make([]budget.Item, accounts)}
	p := price{charges: read.Charges}
	for _, charge := range read.Charges {
		if c.purse.Budget(charge.Bucket).Kind != platform.BudgetMoney {
			counted.Charges = append(counted.Charges, charge)
			continue
		}
		p.requests = append(p.requests, budget.Request{
			Charges: []platform.Charge{charge}, Items: items, Ahead: c.keepFor(charge, now),
		})
	}
	p.requests = append(p.requests, counted)
	return p
}

// keepFor is how many items of a charge the money is worth that the profiles of
// today have yet to cost: those go first.
func (c *conn) keepFor(charge platform.Charge, now time.Time) int {
	dearest := 0
	for _, read := range c.Adapter.Profiles {
		for _, other := range read.Charges {
			if other.Bucket == charge.Bucket {
				dearest = max(dearest, other.PerItem)
			}
		}
	}
	if dearest == 0 || charge.PerItem <= 0 {
		return 0
	}
	return (c.ahead(math.MaxInt64, nil, now)*dearest + charge.PerItem - 1) / charge.PerItem
}

// most is how many acts one ask may tell: as many as can be paid for at once.
func (c *conn) most(read platform.Read) int { return c.purse.Affordable(read.Charges, firstActs) }

// readWait is how long a call has to wait for its budgets. Profiles have the first
// claim on them: activity is read only from what they do not wait for.
func (c *conn) readWait(p price, now time.Time) time.Duration {
	for _, charge := range p.charges {
		if c.profilesWait(charge.Bucket, now) {
			return time.Minute // when they have gone, the loop is woken
		}
	}
	longest := time.Duration(0)
	for _, r := range p.requests {
		longest = max(longest, c.purse.Wait(r, now))
	}
	return longest
}

// profilesWait says that looks at profiles that are due wait for a bucket.
func (c *conn) profilesWait(bucket string, now time.Time) bool {
	for by, read := range c.Adapter.Profiles {
		if !slices.ContainsFunc(read.Charges, func(charge platform.Charge) bool { return charge.Bucket == bucket }) {
			continue
		}
		if len(c.urgent[by].waiting) > c.urgent[by].gone || slices.ContainsFunc(c.retries, func(b *batch) bool { return b.by == by }) {
			return true
		}
		for key, r := range c.rings {
			if due, ok := r.due(now); ok && key.by == by && !now.Before(due) {
				return true
			}
		}
	}
	return false
}

// spent are the receipts of a call.
type spent struct {
	conn     *conn
	purse    *budget.Purse
	charges  []platform.Charge
	receipts []*budget.Receipt
}

// spend counts a call that goes now.
func (e *Engine) spend(c *conn, p price, now time.Time) spent {
	s := spent{conn: c, purse: c.purse, charges: p.charges}
	for _, r := range p.requests {
		s.receipts = append(s.receipts, c.purse.Spend(r, now))
	}
	c.remind(e, now)
	return s
}

// done ends a call: what was read is paid for. After an error nothing was, unless
// nobody knows what the platform has counted.
func (e *Engine) done(s spent, read []string, err error, now time.Time) {
	for _, r := range s.receipts {
		r.Done(read, err == nil || answered(err), now)
	}
	s.conn.remind(e, now)
}

// answered says that the platform has answered that it does not serve a request.
func answered(err error) bool {
	switch platform.KindOf(err) {
	case platform.KindRateLimited, platform.KindBudgetExhausted, platform.KindUnauthorized, platform.KindNotFound, platform.KindInvalid:
		return true
	case platform.KindUnavailable, platform.KindAmbiguous:
	}
	return false
}

// pause stops the buckets of a call that was refused.
func (s spent) pause(err error, now time.Time) { s.purse.Pause(s.charges, retryAfter(err), now) }
