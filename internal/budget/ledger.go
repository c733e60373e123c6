package budget

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Line is what was spent of a bucket on a day: what must survive a restart.
type Line struct {
	Bucket string
	// Kind is Day, in units, or Money, in millionths of a US dollar.
	Kind platform.BudgetKind
	// Date is the day in the bucket's zone, as 2006-01-02.
	Date  string
	Spent int64
	// EndsAt is the end of the day.
	EndsAt time.Time
	// Leased: nothing is spent beyond a lease before the line is saved.
	Leased bool
}

// DateBefore is the day that ends at a moment, in a budget's zone.
func DateBefore(b platform.Budget, ends time.Time) string {
	return ends.Add(-time.Nanosecond).In(zoneOf(b)).Format(time.DateOnly)
}

// daily is what Day and Money have in common.
func (a *account) daily(now time.Time) (c *count, zone *time.Location, lease int64) {
	switch s := a.store.(type) {
	case *day:
		s.roll(now, s.zone)
		return &s.count, s.zone, s.lease()
	case *money:
		s.roll(now)
		if s.limit == 0 {
			return &s.count, s.zone, 0
		}
		return &s.count, s.zone, s.lease()
	}
	return nil, nil, 0
}

// Ledger is what was spent of Day and Money on this day.
func (p *Purse) Ledger(now time.Time) []Line {
	var lines []Line
	for _, name := range p.names {
		a := p.accounts[name]
		c, zone, lease := a.daily(now)
		if c == nil {
			continue
		}
		line := Line{
			Bucket: name, Kind: a.budget.Kind, Date: c.date, Spent: c.spent,
			EndsAt: midnight(now, zone), Leased: lease > 0 && p.limits.Saved,
		}
		if m, ok := a.store.(*money); ok && !line.Leased {
			// Where nothing is limited nobody needs an upper bound: what is still under way is
			// counted once it is known.
			line.Spent -= m.open
		}
		lines = append(lines, line)
	}
	return lines
}

// Due says that the ledger is to be saved before the lease ends.
func (p *Purse) Due(now time.Time) bool {
	for _, name := range p.names {
		if c, _, lease := p.accounts[name].daily(now); c != nil && lease > 0 && p.limits.Saved && c.due(lease) {
			return true
		}
	}
	return false
}

// Saved takes note that lines are saved: the lease begins anew.
func (p *Purse) Saved(lines []Line, now time.Time) {
	for _, l := range lines {
		if a, ok := p.accounts[l.Bucket]; ok {
			if c, _, _ := a.daily(now); c != nil && c.date == l.Date {
				c.saved = max(c.saved, l.Spent)
			}
		}
	}
}

// Restore goes on where an earlier process ended. Where that did not end properly
// (exact is false) a lease counts as spent as well. Lines of earlier days are
// history: nothing is spent of a day before its first line is saved.
func (p *Purse) Restore(lines []Line, exact bool, now time.Time) {
	for _, l := range lines {
		a, ok := p.accounts[l.Bucket]
		if !ok || a.budget.Kind != l.Kind {
			continue
		}
		c, _, lease := a.daily(now)
		if c == nil || c.date != l.Date {
			continue
		}
		if exact {
			lease = 0
		}
		c.spent += l.Spent + lease
		if m, ok := a.store.(*money); ok {
			m.credit = l.Spent
		}
	}
}

// Exhausted says which bucket's day is used up for a request until midnight; false
// if none is.
func (p *Purse) Exhausted(r Request, now time.Time) (bucket string, kind platform.BudgetKind, exhausted bool) {
	for _, l := range p.lines(r, now) {
		c, zone, _ := l.a.daily(now)
		if c != nil && l.units > 0 && l.a.wait(now, l.claim) == midnight(now, zone).Sub(now) {
			return l.a.budget.Bucket, l.a.budget.Kind, true
		}
	}
	return "", "", false
}

// Unpaid is how many items of a request have yet to be paid for today.
func (p *Purse) Unpaid(r Request, now time.Time) int {
	for _, c := range r.Charges {
		if a, ok := p.accounts[c.Bucket]; ok && c.Once {
			if m, ok := a.store.(*money); ok {
				return int(m.unpaid(r.Items, int64(c.PerItem), now))
			}
		}
	}
	return 0
}
