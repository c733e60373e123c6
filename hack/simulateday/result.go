package main

import (
	"fmt"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/observe"
)

// day is what a day came to: the content of the file of figures.
type day struct {
	Platforms []result    `json:"platforms"`
	Tiers     []tierWorst `json:"tiers"`
}

// result is one platform's day.
type result struct {
	Platform string `json:"platform"`
	Accounts int    `json:"accounts"`
	// Sweeps are the rounds in which every account was looked at.
	Sweeps int `json:"sweeps"`
	// Requests are all that reached the platform, Minimum the fewest that the first round
	// and the rounds of each tier at its interval can be had for.
	Requests int `json:"requests"`
	Minimum  int `json:"minimum"`
	// FirstSweep is what the first round cost, SweepMinimum the fewest that one can.
	FirstSweep   int `json:"firstSweepRequests"`
	SweepMinimum int `json:"sweepMinimum"`
	// BudgetExceeded is what the simulator counted beyond a limit.
	BudgetExceeded int         `json:"budgetExceeded"`
	SpendUSD       float64     `json:"spendUSD"`
	DailyUSD       float64     `json:"dailySpendUSD,omitempty"`
	Feasible       bool        `json:"feasible"`
	Advice         string      `json:"advice"`
	Tiers          []tierWorst `json:"tiers"`
}

// tierWorst compares a tier's promise with the worst age that was measured.
type tierWorst struct {
	Platform string `json:"platform"`
	Tier     string `json:"tier"`
	Accounts int    `json:"accounts"`
	Promised int    `json:"promisedSeconds"`
	Planned  int    `json:"plannedSeconds"`
	Worst    int    `json:"worstSeconds"`
	Feasible bool   `json:"feasible"`
}

func (g *stage) result(accounts int, length time.Duration) *result {
	ledger := g.world.Ledger()
	name := world.Platform(g.adapter.Name)
	report, _ := g.engine.Report(connection)
	r := &result{
		Platform: string(g.adapter.Name), Accounts: accounts, Sweeps: len(g.sweeps),
		Requests: ledger.Asked(name, ""), SweepMinimum: ceil(accounts, g.batch),
		BudgetExceeded: exceeded(ledger, name), SpendUSD: float64(ledger.Cost(name)) / 1e6, DailyUSD: float64(g.dailyUSD) / 1e6,
		Feasible: report.Feasible, Advice: report.Advice,
	}
	if len(g.sweeps) > 0 {
		r.FirstSweep = g.sweeps[0].Requests
	}
	planned := map[string]observe.TierFreshness{}
	for _, f := range report.Freshness {
		planned[f.Tier] = f
	}
	r.Minimum = r.SweepMinimum
	left := accounts
	for _, t := range g.tiers {
		n := t.accounts
		if n == 0 || n > left {
			n = left
		}
		left -= n
		f := planned[t.name]
		if !g.pages {
			r.Minimum += ceil(n, g.batch) * int(length/t.every)
		}
		r.Tiers = append(r.Tiers, tierWorst{
			Platform: r.Platform, Tier: t.name, Accounts: n, Promised: int(t.staleAfter.Seconds()),
			Planned: int(f.Achieved.Seconds()), Worst: int(g.worst[t.name].Seconds()), Feasible: f.Achieved <= t.staleAfter,
		})
	}
	if g.pages {
		r.Minimum += g.leastPages(accounts, length)
	}
	return r
}

// leastPages is the fewest requests of a day on a platform that shows pages of
// everybody, or one account: the walk as often as some tier wants it, and the tiers that
// want it more often one by one.
func (g *stage) leastPages(accounts int, length time.Duration) int {
	fewest := 0
	for _, walk := range g.tiers {
		cost := ceil(accounts, g.batch) * int(length/walk.every)
		for _, t := range g.tiers {
			if t.every < walk.every {
				cost += t.accounts * int(length/t.every)
			}
		}
		if fewest == 0 || cost < fewest {
			fewest = cost
		}
	}
	return fewest
}

func ceil(n, batch int) int { return (n + batch - 1) / batch }

// gather lists the tiers of all platforms.
func (d *day) gather() {
	for _, p := range d.Platforms {
		d.Tiers = append(d.Tiers, p.Tiers...)
	}
}

// verdict fails where a limit was exceeded, more was spent than allowed, or a promise
// broke that was said to be feasible.
func (d *day) verdict() error {
	var wrong []string
	for _, p := range d.Platforms {
		if p.BudgetExceeded > 0 {
			wrong = append(wrong, fmt.Sprintf("%s counted %d beyond a limit", p.Platform, p.BudgetExceeded))
		}
		if p.DailyUSD > 0 && p.SpendUSD > p.DailyUSD {
			wrong = append(wrong, fmt.Sprintf("%s cost %.2f USD of %.2f", p.Platform, p.SpendUSD, p.DailyUSD))
		}
		for _, t := range p.Tiers {
			if t.Feasible && t.Worst > t.Promised {
				wrong = append(wrong, fmt.Sprintf("%s/%s was %d s old, promised were %d", p.Platform, t.Tier, t.Worst, t.Promised))
			}
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the day went wrong: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// table shows the figures.
func (d *day) table() string {
	var b strings.Builder
	b.WriteString("| platform | accounts | sweeps | first sweep (fewest possible) | requests | by interval | beyond a limit | spent, of USD |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, p := range d.Platforms {
		spent := "–"
		if p.DailyUSD > 0 {
			spent = fmt.Sprintf("%.2f of %.2f", p.SpendUSD, p.DailyUSD)
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d (%d) | %d | %d | %d | %s |\n",
			p.Platform, p.Accounts, p.Sweeps, p.FirstSweep, p.SweepMinimum, p.Requests, p.Minimum, p.BudgetExceeded, spent)
	}
	b.WriteString("\n| platform | tier | accounts | promised | planned | worst measured | feasible |\n|---|---|---:|---:|---:|---:|---|\n")
	span := func(seconds int) time.Duration { return time.Duration(seconds) * time.Second }
	for _, t := range d.Tiers {
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %s | %t |\n", t.Platform, t.Tier, t.Accounts, span(t.Promised), span(t.Planned), span(t.Worst), t.Feasible)
	}
	return b.String()
}

// markdown is the page.
func (d *day) markdown() string {
	var b strings.Builder
	b.WriteString("<!-- Written by make simulate-day. -->\n# A simulated day\n\n")
	b.WriteString("The real engine and the real adapters, on a clock that is stepped, against the\nsimulators' handlers. The simulators' ledger counts requests, money and what went\nbeyond a limit. The day begins with nobody known. Ages are measured once a minute;\nbefore the first look, an account is as old as the day.\n\n")
	b.WriteString("\"By interval\" is the number of requests of a first round over everybody and of the\nrounds of each tier at its interval, with full batches.\n\n")
	b.WriteString(d.table())
	b.WriteString("\nWhat the connections say of their freshness:\n\n")
	for _, p := range d.Platforms {
		fmt.Fprintf(&b, "- %s: %s\n", p.Platform, p.Advice)
	}
	return b.String()
}
