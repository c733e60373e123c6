package budget

import (
	"math/rand/v2"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Pause stops the buckets of charges that count requests after a refusal: for as
// long as the platform said, else longer each time, with jitter.
func (p *Purse) Pause(charges []platform.Charge, said time.Duration, now time.Time) time.Time {
	latest := now
	for _, c := range charges {
		a, ok := p.accounts[c.Bucket]
		if !ok || a.budget.Kind == platform.BudgetMoney {
			continue
		}
		pause := said
		if said <= 0 {
			pause = a.backoff()
		}
		if until := now.Add(pause); until.After(a.until) {
			a.until = until
		}
		if a.until.After(latest) {
			latest = a.until
		}
	}
	return latest
}

// backoff is the pause after a refusal that said no time. Snapchat's contract has
// 1 s to 60 s; X's resets within the window; Meta lengthens the block of who
// goes on asking, so that is asked in minutes.
func (a *account) backoff() time.Duration {
	first, longest := time.Second, time.Minute
	switch a.budget.Kind {
	case platform.BudgetWindow:
		first = time.Minute
	case platform.BudgetGauge:
		first, longest = time.Minute, time.Hour
	case platform.BudgetBucket, platform.BudgetDay, platform.BudgetMoney:
	}
	pause := min(first<<min(a.refusals, 10), longest)
	a.refusals++
	return pause + time.Duration(rand.Int64N(int64(pause)/5+1)) //nolint:gosec // spreads load, guards nothing
}

// PausedUntil is the end of the last pause of any bucket.
func (p *Purse) PausedUntil() time.Time {
	var latest time.Time
	for _, name := range p.names {
		if a := p.accounts[name]; a.until.After(latest) {
			latest = a.until
		}
	}
	return latest
}
