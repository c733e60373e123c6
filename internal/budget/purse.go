package budget

import (
	"maps"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	// Reserved is the percentage of each budget that the sweep leaves alone: for
	// handovers, and for accounts whose spec just changed.
	Reserved = 5
	// Handed is the percentage of each budget that handovers may take at most, unless the
	// budget itself says how much: however many there are the sweep keeps the rest.
	Handed = 25
	// never is how long to wait for what does not come by itself.
	never = time.Hour
)

// Limits are what a connection's owner allows.
type Limits struct {
	// Share is the percentage of each published limit that may be used, 1 to 100. It
	// is no percentage of DailyMicroUSD, which is the owner's own limit already.
	Share int
	// DailyMicroUSD is the most that a day's reads may cost, in millionths of a US
	// dollar; 0: there is no limit, and the cost is only counted.
	DailyMicroUSD int64
	// Units replace the published Limit of buckets, by their names.
	Units map[string]int
	// Part is the part of all this that is this process's.
	Part Part
	// Saved: the ledger is saved now and then, so nothing may be spent of Day and
	// Money beyond the lease. Without it a restart forgets them.
	Saved bool
}

// Request is what is about to be asked of a platform.
type Request struct {
	Charges []platform.Charge
	// Items are the platform's ids of what is asked for, as far as they are known;
	// an empty one is always charged. Remembered ones were paid for on this day
	// before this process began.
	Items []Item
	// Urgent requests may use the reserve.
	Urgent bool
	// Handover requests may use the reserve too, and together no more than Handed.
	Handover bool
	// Ahead is the number of items that are more important than these and have yet to
	// be paid for today.
	Ahead int
}

// Item is one account or post of a Request.
type Item struct {
	ID         string
	Remembered bool
}

// store is the count of one bucket. Units are at least 1.
type store interface {
	spender
	teller
}

type spender interface {
	// wait is how long a claim has to wait, 0: it may go now.
	wait(now time.Time, c claim) time.Duration
	// spend counts what goes now; done says that its units were answered, or never will
	// be.
	spend(now time.Time, c claim)
	done(units int64)
	// usable is how many units of a span are ours; 0: nobody knows.
	usable() int64
	// fraction is how much of what is ours units of a span are; 0: nobody knows.
	fraction(units int64) float64
}

type teller interface {
	// usage takes in what an answer's headers said.
	usage(u platform.Usage, now time.Time)
	// state is what is known, for the status; false: nothing is.
	state(now time.Time) (platform.Usage, bool)
	// span is the time in which usable units may be spent.
	span() time.Duration
}

// claim is what a request costs of a bucket. Keep units stay untouched, and so does
// the reserve of a bucket that counts no units, unless the claim is urgent.
type claim struct {
	units, keep int64
	urgent      bool
	handover    bool
}

// account is one bucket's store, and what stops it.
type account struct {
	store
	budget platform.Budget
	handed handed
	// until is the end of a pause; refusals are those in a row that said no time.
	until    time.Time
	refusals int
}

// Purse holds the budgets of a connection.
type Purse struct {
	limits   Limits
	accounts map[string]*account
	names    []string
}

// New returns a Purse for an adapter's budgets. What before has counted of Day and
// Money goes on; before may be nil.
func New(budgets []platform.Budget, limits Limits, before *Purse) *Purse {
	if limits.DailyMicroUSD > 0 {
		// A part of nothing is a limit still.
		limits.DailyMicroUSD = max(limits.Part.Divide(limits.DailyMicroUSD), 1)
	}
	p := &Purse{limits: limits, accounts: map[string]*account{}}
	for _, b := range budgets {
		if units, ok := limits.Units[b.Bucket]; ok {
			b.Limit = units
		}
		a := &account{budget: b, store: newStore(b, limits)}
		if before != nil {
			if old, ok := before.accounts[b.Bucket]; ok {
				a.inherit(old)
			}
		}
		p.accounts[b.Bucket] = a
	}
	p.names = slices.Sorted(maps.Keys(p.accounts))
	return p
}

func newStore(b platform.Budget, limits Limits) store {
	switch b.Kind {
	case platform.BudgetDay:
		return newDay(b, limits.Part.share(int64(b.Limit), limits.Share), limits.Saved)
	case platform.BudgetMoney:
		return newMoney(b, limits)
	case platform.BudgetGauge:
		return newGauge(b, limits)
	case platform.BudgetBucket:
		return newBucket(b, limits)
	case platform.BudgetWindow:
	}
	return newWindow(b, limits)
}

// inherit goes on with a count that must not be forgotten.
func (a *account) inherit(old *account) {
	a.handed = old.handed
	switch was := old.store.(type) {
	case *day:
		if s, ok := a.store.(*day); ok {
			s.count = was.count
		}
	case *money:
		if s, ok := a.store.(*money); ok {
			s.count, s.paid, s.credit = was.count, was.paid, was.credit
		}
	}
}

// line is what a request costs of one bucket.
type line struct {
	claim
	a      *account
	charge platform.Charge
}

// lines are the costs of a request. What a platform charges against a budget that
// its adapter does not describe is nobody's to count.
func (p *Purse) lines(r Request, now time.Time) []line {
	lines := make([]line, 0, len(r.Charges))
	for _, c := range r.Charges {
		a, ok := p.accounts[c.Bucket]
		if !ok {
			continue
		}
		price := int64(c.PerItem)
		l := line{a: a, charge: c}
		l.units, l.urgent, l.handover = int64(c.PerRequest)+price*int64(len(r.Items)), r.Urgent || r.Handover, r.Handover
		if m, ok := a.store.(*money); ok && c.Once {
			l.units = int64(c.PerRequest) + price*m.unpaid(r.Items, price, now)
			l.keep = price * int64(r.Ahead)
		}
		if !l.urgent {
			l.keep += a.usable() * Reserved / 100
		}
		lines = append(lines, l)
	}
	return lines
}

// Spend counts a request that goes now. Call Done of what it returns.
func (p *Purse) Spend(r Request, now time.Time) *Receipt {
	receipt := &Receipt{request: r, lines: p.lines(r, now), at: now}
	for _, l := range receipt.lines {
		if l.units > 0 {
			l.a.spend(now, l.claim)
			l.a.handed.spend(now, l)
		}
	}
	for _, l := range receipt.lines {
		if m, ok := l.a.store.(*money); ok && l.charge.Once {
			m.pay(r.Items, int64(l.charge.PerItem), now)
			m.opened(r.Items, int64(l.charge.PerItem), now)
		}
	}
	return receipt
}

// Usage takes in what an answer's headers said.
func (p *Purse) Usage(u platform.Usage, now time.Time) {
	if a, ok := p.accounts[u.Bucket]; ok {
		a.usage(u, now)
	}
}

// States are what is known of each bucket, in the order of their names.
func (p *Purse) States(now time.Time) []platform.Usage {
	var all []platform.Usage
	for _, name := range p.names {
		if u, told := p.accounts[name].state(now); told {
			all = append(all, u)
		}
	}
	return all
}

// Rate is what the sweep may use of a bucket, in units a second; 0: nobody knows.
func (p *Purse) Rate(bucket string) float64 {
	a, ok := p.accounts[bucket]
	if !ok || a.budget.Kind == platform.BudgetMoney {
		return 0
	}
	usable := a.usable()
	return float64(usable-usable*Reserved/100) / a.span().Seconds()
}

// Budget is a bucket's description, with the limit in force.
func (p *Purse) Budget(bucket string) platform.Budget {
	if a, ok := p.accounts[bucket]; ok {
		return a.budget
	}
	return platform.Budget{}
}

// Money is what the sweep may spend in a day, in micro-dollars, and whether there
// is a limit.
func (p *Purse) Money() (daily int64, limited bool) {
	return p.limits.DailyMicroUSD - p.limits.DailyMicroUSD*Reserved/100, p.limits.DailyMicroUSD > 0
}

// Affordable is how many items of a request can be paid for at once, at most n and at
// least 1: a batch that costs more than a day or a lease allows would never go.
func (p *Purse) Affordable(charges []platform.Charge, n int) int {
	daily, limited := p.Money()
	for _, c := range charges {
		a, ok := p.accounts[c.Bucket]
		if !ok || !limited || c.PerItem <= 0 {
			continue
		}
		if m, ok := a.store.(*money); ok {
			n = max(min(n, int(min(daily, m.lease())/int64(c.PerItem))), 1)
		}
	}
	return n
}
