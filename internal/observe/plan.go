package observe

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Report says how a connection does; false if the engine never heard of it.
func (e *Engine) Report(name string) (Report, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.conns[name]
	if !ok {
		return Report{}, false
	}
	now := e.cfg.Clock.Now()
	r := Report{State: c.state, Answered: c.answered, Accounts: c.targets, Sweep: c.sweep.last, Feasible: true}
	if r.State.Reason == "" {
		r.State = c.short
	}
	if change := c.mass.change; change != nil {
		told := *change
		r.MassChange = &told
	}
	if c.purse == nil {
		return r, true
	}
	r.Buckets, r.Ledger, r.Save = c.purse.States(now), c.purse.Ledger(now), c.purse.Due(now)
	p := c.plan()
	r.Feasible, r.Advice, r.Freshness = p.feasible, p.advice(c), p.freshness()
	measured := e.measured(c, now)
	for i, t := range r.Freshness {
		r.Freshness[i].Measured = measured[t.Tier]
	}
	return r, true
}

// measured is the worst age of what is known now, by tier.
func (e *Engine) measured(c *conn, now time.Time) map[string]time.Duration {
	worst := map[string]time.Duration{}
	for _, t := range e.targets {
		if t.conn == c && t.known != "" {
			worst[t.tier] = max(worst[t.tier], now.Sub(e.knownSince(t)))
		}
	}
	return worst
}

// round is what one ring asks for: requests, and accounts to be paid for.
type round struct {
	every, bound time.Duration
	groups       []group
	// load is the units of its bucket that a lap costs, items the accounts that are
	// paid for once a day, price what each costs.
	load  float64
	items int
	price int64
	// age is the worst age of what is known of its accounts, as planned.
	age time.Duration
}

// plan is what the budgets of a connection allow.
type plan struct {
	rounds   []round
	feasible bool
	// bucket is the one that is shortest; rate and demand are what it allows and what
	// all rounds at their pace need, in units a second.
	bucket       platform.Budget
	rate, demand float64
	// money is what may be spent in a day, in micro-dollars; below 0: there is no limit.
	money int64
}

// plan computes the worst age of knowledge per round. While the budgets allow all
// rounds at their pace, it is the interval. Where they do not, the rounds slow down
// so that each promise has the same time to spare; and where that cannot be, the
// shorter promises are kept first (see risesEvery).
func (c *conn) plan() *plan {
	p := &plan{money: -1}
	if daily, limited := c.purse.Money(); limited {
		p.money = daily
	}
	needs := map[string]float64{}
	for _, key := range slices.SortedFunc(maps.Keys(c.rings), compareKeys) {
		r := c.rings[key]
		one := c.round(key, r)
		for bucket, units := range c.units(key, r) {
			needs[bucket] += units / r.every.Seconds()
		}
		p.rounds = append(p.rounds, one)
	}
	for _, bucket := range slices.Sorted(maps.Keys(needs)) {
		rate := c.purse.Rate(bucket)
		if rate > 0 && (p.rate == 0 || needs[bucket]/rate > p.demand/p.rate) {
			p.bucket, p.rate, p.demand = c.purse.Budget(bucket), rate, needs[bucket]
		}
	}
	for i, key := range slices.SortedFunc(maps.Keys(c.rings), compareKeys) {
		p.rounds[i].load = c.units(key, c.rings[key])[p.bucket.Bucket]
	}
	p.schedule(p.rate, p.money)
	p.feasible = p.kept()
	return p
}

func compareKeys(a, b ringKey) int {
	return cmp.Or(cmp.Compare(a.by, b.by), cmp.Compare(a.every, b.every))
}

func (c *conn) round(key ringKey, r *ring) round {
	one := round{every: r.every, bound: r.bound(), groups: r.tiers(), items: r.size}
	for _, charge := range c.Adapter.Profiles[key.by].Charges {
		if c.purse.Budget(charge.Bucket).Kind == platform.BudgetMoney {
			one.price += int64(charge.PerItem)
		}
	}
	return one
}

// units are what a lap of a ring costs of each bucket but money.
func (c *conn) units(key ringKey, r *ring) map[string]float64 {
	units := map[string]float64{}
	for _, charge := range c.Adapter.Profiles[key.by].Charges {
		if b := c.purse.Budget(charge.Bucket); b.Kind != platform.BudgetMoney && b.Bucket != "" {
			units[charge.Bucket] += float64(charge.PerRequest*r.chunks() + charge.PerItem*r.size)
		}
	}
	return units
}

// schedule sets the ages that a rate and a day's money allow.
func (p *plan) schedule(rate float64, money int64) {
	order := make([]*round, len(p.rounds))
	for i := range p.rounds {
		order[i] = &p.rounds[i]
		order[i].age = order[i].every
	}
	slices.SortStableFunc(order, func(a, b *round) int { return cmp.Compare(a.bound, b.bound) })
	if rate > 0 && p.demand > rate*(1+rounding) {
		if spare, ok := even(order, rate); ok {
			for _, r := range order {
				r.age = max(r.every, r.bound-spare)
			}
		} else {
			byRank(order, rate)
		}
		for _, r := range order {
			r.age += p.idle(rate)
		}
	}
	pay(order, money)
}

// idle is how long a window is idle once its requests are spent. The units of a day
// are paced, and a bucket is refilled all the time.
func (p *plan) idle(rate float64) time.Duration {
	if p.bucket.Kind != platform.BudgetWindow {
		return 0
	}
	return time.Duration(float64(p.bucket.Window) * (1 - rate/p.demand)).Round(time.Second)
}

// even is the time that each promise can have to spare, in whole seconds, if all can
// be kept.
func even(order []*round, rate float64) (time.Duration, bool) {
	fits := func(spare time.Duration) bool {
		sum := 0.0
		for _, r := range order {
			left := r.bound - spare
			if left <= 0 {
				return false
			}
			sum += r.load / max(r.every, left).Seconds()
		}
		return sum <= rate*(1+rounding)
	}
	if !fits(0) {
		return 0, false
	}
	low, high := int64(0), int64(order[0].bound/time.Second)
	for low < high {
		middle := (low + high + 1) / 2
		if fits(time.Duration(middle) * time.Second) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return time.Duration(low) * time.Second, true
}

// byRank gives each round what it needs, in the order of their promises, and keeps
// what rises for the others.
func byRank(order []*round, rate float64) {
	for i, r := range order {
		give := rate
		if i < len(order)-1 {
			give -= rate / risesEvery
		}
		need := r.load / r.every.Seconds()
		if need > give && give > 0 {
			r.age = seconds(r.load / give)
		}
		rate -= min(need, give)
	}
}

// pay lets rounds wait whose accounts cannot all be paid for in a day.
func pay(order []*round, money int64) {
	if money < 0 {
		return
	}
	for i, r := range order {
		cost := int64(r.items) * r.price
		give := money
		if i < len(order)-1 {
			give -= money / risesEvery
		}
		if cost > give {
			days := float64(cost) / float64(max(give, 1))
			r.age = max(r.age, seconds(days*86400)+24*time.Hour)
		}
		money -= min(cost, give)
	}
}

// seconds is a duration in whole seconds, at most ten years.
func seconds(s float64) time.Duration {
	const most = 10 * 365 * 24 * 3600
	return time.Duration(math.Ceil(min(s, most)-rounding)) * time.Second
}

// rounding hides what floating point adds to a whole number.
const rounding = 1e-6

// kept says that every promise is kept.
func (p *plan) kept() bool {
	for _, t := range p.freshness() {
		if t.Promised > 0 && t.Achieved > t.Promised {
			return false
		}
	}
	return true
}

// freshness is the plan by tier, in the order of their names.
func (p *plan) freshness() []TierFreshness {
	tiers := map[string]*TierFreshness{}
	for _, r := range p.rounds {
		for _, g := range r.groups {
			tier, ok := tiers[g.tier]
			if !ok {
				tier = &TierFreshness{Tier: g.tier, Promised: g.promised}
				tiers[g.tier] = tier
			}
			tier.Promised = min(tier.Promised, g.promised)
			tier.Achieved = max(tier.Achieved, r.age)
		}
	}
	var all []TierFreshness
	for _, name := range slices.Sorted(maps.Keys(tiers)) {
		all = append(all, *tiers[name])
	}
	return all
}
