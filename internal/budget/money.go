package budget

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// money counts what reads cost, in micro-dollars a day. What was read is paid for
// once a day.
type money struct {
	count
	zone  *time.Location
	limit int64
	save  bool
	paid  map[string]struct{}
	// credit is what an earlier process has paid today, and for whom nobody remembers
	// one by one: it covers as many of those that the caller remembers.
	credit int64
	// open is what is counted for items whose id is not known, of requests that are under
	// way: who is not shown costs nothing.
	open int64
}

func newMoney(b platform.Budget, limits Limits) *money {
	return &money{zone: zoneOf(b), limit: limits.DailyMicroUSD, save: limits.Saved, paid: map[string]struct{}{}, count: count{saved: -1}}
}

func (m *money) usable() int64 { return m.limit }

func (m *money) span() time.Duration { return 24 * time.Hour }

func (m *money) lease() int64 { return max(m.limit/10, 1) }

func (m *money) roll(now time.Time) {
	if m.count.roll(now, m.zone) {
		clear(m.paid)
		m.credit, m.open = 0, 0
	}
}

// unnamed is how much of a request is for items whose id is not known.
func unnamed(items []Item, price int64) int64 {
	n := int64(0)
	for _, item := range items {
		if item.ID == "" {
			n++
		}
	}
	return n * price
}

// opened notes that a request is under way, and closed that it is not any more.
func (m *money) opened(items []Item, price int64, now time.Time) {
	m.roll(now)
	m.open += unnamed(items, price)
}

func (m *money) closed(r *Receipt, price int64, now time.Time) {
	m.roll(now)
	if m.date == r.at.In(m.zone).Format(time.DateOnly) {
		m.open -= unnamed(r.request.Items, price)
	}
}

func (m *money) wait(now time.Time, c claim) time.Duration {
	m.roll(now)
	switch {
	case m.limit == 0:
		return 0
	case m.spent+c.units > m.limit-c.keep:
		return midnight(now, m.zone).Sub(now)
	case m.save && m.leased(m.lease()) < c.units:
		return never
	}
	return 0
}

// fraction of no limit is nothing.
func (m *money) fraction(units int64) float64 {
	if m.limit == 0 {
		return 0
	}
	return float64(units) / float64(m.limit)
}

func (m *money) spend(now time.Time, c claim) {
	m.roll(now)
	m.spent += c.units
}

// unpaid is how many items have yet to be paid for today, at a price each.
func (m *money) unpaid(items []Item, price int64, now time.Time) int64 {
	m.roll(now)
	n, credit := int64(0), m.credit
	for _, item := range items {
		_, paid := m.paid[item.ID]
		switch {
		case paid:
		case item.Remembered && item.ID != "" && credit >= price:
			credit -= price
		default:
			n++
		}
	}
	return n
}

// pay notes that items are paid for.
func (m *money) pay(items []Item, price int64, now time.Time) {
	m.roll(now)
	for _, item := range items {
		if item.ID == "" {
			continue
		}
		if _, paid := m.paid[item.ID]; !paid && item.Remembered && m.credit >= price {
			m.credit -= price
		}
		m.paid[item.ID] = struct{}{}
	}
}

// settle corrects what was charged for items whose id was not known: those that
// were read are paid for once a day, and those that were not shown cost nothing.
func (m *money) settle(r *Receipt, price int64, read []string, now time.Time) {
	m.roll(now)
	if m.date != r.at.In(m.zone).Format(time.DateOnly) {
		// It went before midnight; the platform may count it after.
		m.spent += m.unpaid(r.request.Items, price, now) * price
		m.pay(r.request.Items, price, now)
		return
	}
	rest := unnamed(r.request.Items, price)
	for _, id := range read {
		if _, paid := m.paid[id]; !paid && rest > 0 {
			m.paid[id] = struct{}{}
			rest -= price
		}
	}
	m.spent -= rest
}

func (m *money) done(int64) {}

func (m *money) usage(platform.Usage, time.Time) {}

// state is none: what was spent is in the ledger.
func (m *money) state(time.Time) (platform.Usage, bool) { return platform.Usage{}, false }
