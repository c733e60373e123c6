package observe

import (
	"fmt"
	"math"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// advice says what the rounds need, and where promises cannot be kept, what it would
// take. It holds nothing that moves by itself: it is written into a status.
func (p *plan) advice(c *conn) string {
	parts := []string{p.needs()}
	if p.money >= 0 {
		parts = append(parts, fmt.Sprintf("reading everybody once costs %s USD, a day's limit less its reserve is %s USD", dollars(p.whole()), dollars(p.money)))
	}
	if p.feasible && p.rate > 0 && p.demand > p.rate {
		parts = append(parts, "looks come further apart than the intervals ask, and within what is promised")
	}
	if !p.feasible {
		parts = append(parts, "feasible with "+strings.Join(p.remedies(c.Share), ", or with "))
	}
	return strings.Join(parts, "; ")
}

// needs compares demand and budget over a span that people know.
func (p *plan) needs() string {
	if p.rate <= 0 {
		return "the platform tells no number of requests"
	}
	span, what := 15*time.Minute, "requests per 15 minutes"
	switch p.bucket.Kind {
	case platform.BudgetDay:
		span, what = 24*time.Hour, "units a day"
	case platform.BudgetBucket:
		span, what = time.Minute, "requests a minute"
	case platform.BudgetWindow, platform.BudgetGauge, platform.BudgetMoney:
	}
	return fmt.Sprintf("needs %d of %d %s", int(math.Ceil(p.demand*span.Seconds()-rounding)), int(p.rate*span.Seconds()+rounding), what)
}

// whole is what reading every account once costs.
func (p *plan) whole() int64 {
	sum := int64(0)
	for _, r := range p.rounds {
		sum += int64(r.items) * r.price
	}
	return sum
}

// remedies are what would make the plan feasible, each by itself as far as one thing
// can.
func (p *plan) remedies(share int) []string {
	longer := 1.0
	for _, t := range p.freshness() {
		if t.Promised > 0 {
			longer = max(longer, float64(t.Achieved)/float64(t.Promised))
		}
	}
	all := []string{fmt.Sprintf("promises %.1f times as long", math.Ceil(longer*10-rounding)/10)}
	if more, enough := p.enough(func(k float64, trial *plan) { trial.schedule(p.rate*k, -1) }); enough && more > 1 {
		if need := int(math.Ceil(float64(share) * more)); need <= 100 {
			all = append(all, fmt.Sprintf("a share of %d percent", need))
		} else {
			all = append(all, fmt.Sprintf("a limit %.1f times as high and a share of 100 percent", math.Ceil(more*float64(share)/10-rounding)/10))
		}
	}
	if p.money < 0 {
		return all
	}
	if more, enough := p.enough(func(k float64, trial *plan) { trial.schedule(0, int64(float64(p.money)*k)) }); enough && more > 1 {
		// The limit includes the reserve, which the plan leaves alone.
		limit := math.Ceil(float64(p.money)*more*100/(100-budget.Reserved)/10_000) * 10_000
		all = append(all, fmt.Sprintf("a dailySpendUSD of %s", dollars(int64(limit))))
	}
	return all
}

// enough is the smallest factor, in hundredths and up to a thousand, with which a
// trial keeps every promise; false if none does.
func (p *plan) enough(try func(k float64, trial *plan)) (float64, bool) {
	fits := func(hundredths int) bool {
		trial := *p
		trial.rounds = append([]round(nil), p.rounds...)
		try(float64(hundredths)/100, &trial)
		return trial.kept()
	}
	low, high := 100, 100_000
	if !fits(high) {
		return 0, false
	}
	for low < high {
		if middle := (low + high) / 2; fits(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return float64(low) / 100, true
}

// dollars shows micro-dollars with two decimals, rounded up.
func dollars(micro int64) string {
	cents := (micro + 9_999) / 10_000
	return fmt.Sprintf("%d.%02d", cents/100, cents%100)
}
