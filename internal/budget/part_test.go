package budget

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/internal/platform"
)

func TestPartsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, units := rapid.IntRange(1, 64).Draw(rt, "parts"), rapid.Int64Range(0, 1_000_000).Draw(rt, "units")
		sum := int64(0)
		for i := range n {
			part := Part{i, n}.Divide(units)
			if part < units/int64(n) || part > units/int64(n)+1 {
				rt.Fatalf("part %d of %d has %d of %d", i, n, part, units)
			}
			sum += part
		}
		if sum != units {
			rt.Fatalf("%d parts of %d are %d", n, units, sum)
		}
	})
	if got := (Part{}).Divide(7); got != 7 {
		t.Errorf("who is alone has %d of 7", got)
	}
}

// Several processes share a connection. Together they never spend more than one alone
// would, whoever of them is restarted or asks for most.
func TestPartsTogetherNeverSpendMoreThanOneAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(rt, "parts")
		limit, share := rapid.IntRange(1, 200).Draw(rt, "limit"), rapid.IntRange(10, 100).Draw(rt, "share")
		money := rapid.Int64Range(int64(n), 2000).Draw(rt, "money")
		const window = 15 * time.Minute
		budgets := []platform.Budget{
			{Bucket: "window", Kind: platform.BudgetWindow, Limit: limit, Window: window},
			{Bucket: "units", Kind: platform.BudgetDay, Limit: limit, Zone: "UTC"},
			{Bucket: "usd", Kind: platform.BudgetMoney, Zone: "UTC"},
		}
		open := func(i int) *Purse {
			return New(budgets, Limits{Share: share, DailyMicroUSD: money, Part: Part{i, n}, Saved: true}, nil)
		}
		purses, saved := make([]*Purse, n), make([][]Line, n)
		for i := range purses {
			purses[i] = open(i)
		}
		now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
		began := now
		units, cost, counted, probes := int64(0), int64(0), int64(0), int64(0)
		for range rapid.IntRange(50, 300).Draw(rt, "steps") {
			i := rapid.IntRange(0, n-1).Draw(rt, "who")
			p := purses[i]
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0: // its holder is killed, and another takes over
				purses[i] = open(i)
				purses[i].Restore(saved[i], false, now)
				probes++ // whoever begins asks once, to see the headers
				continue
			case 1:
				if pause := time.Duration(rapid.IntRange(1, 300).Draw(rt, "seconds")) * time.Second; now.Add(pause).Day() == now.Day() {
					now = now.Add(pause)
				}
			}
			saved[i] = p.Ledger(now)
			p.Saved(saved[i], now)
			if now.Sub(began) >= window {
				began, counted, probes = began.Add(now.Sub(began).Truncate(window)), 0, 0
			}
			bucket := rapid.SampledFrom([]string{"window", "units", "usd"}).Draw(rt, "bucket")
			r := Request{Charges: one(bucket), Urgent: rapid.Bool().Draw(rt, "urgent")}
			if p.Wait(r, now) > 0 {
				continue
			}
			receipt := p.Spend(r, now)
			switch bucket {
			case "window":
				counted++
				p.Usage(platform.Usage{Bucket: bucket, Limit: limit, Remaining: limit - int(counted), ResetsAt: began.Add(window)}, now)
			case "units":
				units++
			case "usd":
				cost++
			}
			receipt.Done(nil, true, now)
			if most := int64(limit * share / 100); counted > most+probes || units > most || cost > money {
				rt.Fatalf("%d parts spent %d in a window and %d in a day of %d, and %d of %d", n, counted, units, most, cost, money)
			}
		}
	})
}

// A part of few units may be none: nothing is asked then, and nothing hangs.
func TestAPartOfNothingAsksForNothing(t *testing.T) {
	for _, kind := range []platform.BudgetKind{platform.BudgetWindow, platform.BudgetDay} {
		asked := 0
		for i := range 3 {
			p := New([]platform.Budget{{Bucket: "b", Kind: kind, Limit: 1, Window: time.Minute, Zone: "UTC"}}, Limits{Share: 100, Part: Part{i, 3}}, nil)
			if r := (Request{Charges: one("b"), Urgent: true}); p.Wait(r, morning) == 0 {
				p.Spend(r, morning).Done(nil, true, morning)
				asked++
			}
		}
		if asked != 1 {
			t.Errorf("%v: three parts of one request asked %d times", kind, asked)
		}
	}
}

// Every process sees one gauge, and each raises it: between two headers it is reckoned
// that the others do as this one does.
func TestAGaugeIsReckonedForAllParts(t *testing.T) {
	spend := func(part Part) (n int) {
		p := New([]platform.Budget{{Bucket: "app", Kind: platform.BudgetGauge, Limit: 100, Window: time.Hour}}, Limits{Share: 80, Part: part}, nil)
		now, r := morning, Request{Charges: one("app"), Urgent: true}
		for told := range 2 {
			p.Spend(r, now).Done(nil, true, now)
			p.Usage(platform.Usage{Bucket: "app", Limit: 100, Remaining: 100 - told}, now)
			now = now.Add(time.Second)
		}
		for p.Wait(r, now) == 0 {
			p.Spend(r, now)
			n++
		}
		return n
	}
	alone, shared := spend(Part{}), spend(Part{1, 3})
	if alone == 0 || shared > alone/3+1 {
		t.Errorf("alone %d requests go without a word of the platform, as one of three %d", alone, shared)
	}
}

// A system user's connection hears of no gauge. A batch of one that follows batches of
// fifty is no bigger than they are.
func TestASmallBatchDoesNotWaitForAGaugeThatNobodyTells(t *testing.T) {
	for _, part := range []Part{{}, {0, 3}, {7, 8}} {
		p := New([]platform.Budget{{Bucket: "app", Kind: platform.BudgetGauge, Limit: 100, Window: time.Hour}}, Limits{Share: 80, Part: part}, nil)
		now, asked := morning, 0
		for asked < 40 {
			charges := one("app")
			if asked%4 != 3 {
				charges[0].PerRequest = 50
			}
			r := Request{Charges: charges}
			if wait := p.Wait(r, now); wait > 0 {
				break
			}
			p.Spend(r, now).Done(nil, true, now)
			now, asked = now.Add(time.Second), asked+1
		}
		if asked < 40 {
			t.Errorf("part %+v: after %d requests it waits", part, asked)
		}
	}
}
