package budget

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/internal/platform"
)

var morning = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

const pacific = "America/Los_Angeles"

// spending is what went, and when.
type spending struct {
	at    time.Time
	units int64
}

// most is the most that went within any span.
func most(all []spending, span time.Duration) int64 {
	worst, sum, first := int64(0), int64(0), 0
	for _, s := range all {
		sum += s.units
		for s.at.Sub(all[first].at) >= span {
			sum -= all[first].units
			first++
		}
		worst = max(worst, sum)
	}
	return worst
}

func one(bucket string) []platform.Charge {
	return []platform.Charge{{Bucket: bucket, PerRequest: 1}}
}

// Whatever is asked for, urgent or not: the average never exceeds our share by more
// than the burst, also over restarts.
func TestABucketNeverLetsMoreThroughThanItsShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limit, burst := rapid.IntRange(2, 50).Draw(rt, "limit"), rapid.IntRange(1, 5).Draw(rt, "burst")
		share := rapid.IntRange(10, 100).Draw(rt, "share")
		budgets := []platform.Budget{{Bucket: "b", Kind: platform.BudgetBucket, Limit: limit, Window: time.Second, Burst: burst}}
		p := New(budgets, Limits{Share: share}, nil)
		now := morning
		var all []spending
		for range rapid.IntRange(10, 300).Draw(rt, "steps") {
			r := Request{Charges: one("b"), Urgent: rapid.Bool().Draw(rt, "urgent")}
			if wait := p.Wait(r, now); wait > 0 {
				now = now.Add(wait)
				if again := p.Wait(r, now); again > time.Microsecond {
					rt.Fatalf("after waiting %s it is %s more", wait, again)
				}
				continue
			}
			p.Spend(r, now).Done(nil, true, now)
			all = append(all, spending{now, 1})
			if rapid.IntRange(0, 20).Draw(rt, "restart") == 0 {
				p = New(budgets, Limits{Share: share}, nil)
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "pause")) * time.Millisecond)
		}
		for _, span := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
			allowed := float64(limit)*float64(share)/100*span.Seconds() + float64(burst)
			if got := most(all, span); float64(got) > allowed+1e-6 {
				rt.Fatalf("%d requests in %s, %f are allowed", got, span, allowed)
			}
		}
	})
}

// A day's units and a day's money survive restarts of every kind: what the platform
// counted never exceeds what is allowed, and no more than a lease is lost.
func TestADayNeverHoldsMoreThanItsBudgetAcrossRestarts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(20, 2000).Draw(rt, "limit")
		share := rapid.IntRange(10, 100).Draw(rt, "share")
		money := rapid.Int64Range(100, 100_000).Draw(rt, "money")
		budgets := []platform.Budget{
			{Bucket: "units", Kind: platform.BudgetDay, Limit: limit, Zone: pacific},
			{Bucket: "usd", Kind: platform.BudgetMoney, Zone: "UTC"},
		}
		charges := []platform.Charge{{Bucket: "units", PerRequest: 1}, {Bucket: "usd", PerItem: 10, Once: true}}
		limits := Limits{Share: share, DailyMicroUSD: money, Saved: true}
		p := New(budgets, limits, nil)
		zone := zoneOf(budgets[0])
		now := morning
		units, cost, paid := map[string]int64{}, map[string]int64{}, map[string]bool{}
		var saved []Line
		exact := true
		for range rapid.IntRange(50, 400).Draw(rt, "steps") {
			day := now.Format(time.DateOnly)
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0: // the process ends, properly or not
				if rapid.Bool().Draw(rt, "properly") {
					saved, exact = p.Ledger(now), true
				}
				p = New(budgets, limits, nil)
				p.Restore(saved, exact, now)
			case 1, 2, 3:
				lines := p.Ledger(now)
				saved, exact = lines, false
				p.Saved(lines, now)
			case 4:
				now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(rt, "minutes")) * time.Minute)
			default:
				var items []Item
				for range rapid.IntRange(1, 8).Draw(rt, "items") {
					id := rapid.StringMatching("[a-z]").Draw(rt, "id")
					items = append(items, Item{ID: id, Remembered: paid[day+id]})
				}
				r := Request{Charges: charges, Items: items, Urgent: rapid.Bool().Draw(rt, "urgent")}
				if p.Wait(r, now) > 0 {
					continue
				}
				receipt := p.Spend(r, now)
				units[now.In(zone).Format(time.DateOnly)]++
				for _, item := range items {
					if !paid[day+item.ID] {
						paid[day+item.ID] = true
						cost[day] += 10
					}
				}
				receipt.Done(nil, rapid.Bool().Draw(rt, "answered"), now)
			}
		}
		for date, n := range units {
			if n > max(int64(limit*share/100), 1) {
				rt.Fatalf("%d units on %s, of %d at %d%%", n, date, limit, share)
			}
		}
		for date, n := range cost {
			if n > money {
				rt.Fatalf("%d micro-dollars on %s, of %d", n, date, money)
			}
		}
	})
}

// A gauge tells a percentage of a secret, and not in every answer. It is never used
// up, and hardly above the share.
func TestAGaugeIsNotUsedAboveItsShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.IntRange(2000, 200_000).Draw(rt, "secret")
		share := rapid.IntRange(20, 100).Draw(rt, "share")
		every := rapid.IntRange(1, 10).Draw(rt, "header every")
		budgets := []platform.Budget{{Bucket: "app", Kind: platform.BudgetGauge, Limit: 100, Window: time.Hour}}
		charges := []platform.Charge{{Bucket: "app", PerItem: 1}}
		p := New(budgets, Limits{Share: share}, nil)
		now := morning
		var all []spending
		worst := int64(0)
		for i := range 600 {
			r := Request{Charges: charges, Items: make([]Item, 50)}
			if wait := p.Wait(r, now); wait > 0 {
				now = now.Add(wait)
				continue
			}
			receipt := p.Spend(r, now)
			all = append(all, spending{now, 50})
			used := int64(0)
			for _, s := range all {
				if now.Sub(s.at) < time.Hour {
					used += s.units
				}
			}
			worst = max(worst, used)
			receipt.Done(nil, true, now)
			if i%every == 0 {
				p.Usage(platform.Usage{Bucket: "app", Limit: 100, Remaining: 100 - int(used*100/int64(secret))}, now)
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "pause")) * time.Millisecond)
		}
		// A probe an interval of a minute may go above, to learn what is free again.
		allowed := float64(secret)*float64(min(share, full))/100 + 2*50*float64(every)
		if float64(worst) > allowed {
			rt.Fatalf("%d calls in an hour, of a secret %d at %d%%", worst, secret, share)
		}
	})
}

func TestTheReserveIsForWhatIsUrgent(t *testing.T) {
	budgets := []platform.Budget{{Bucket: "day", Kind: platform.BudgetDay, Limit: 1000, Zone: pacific}}
	p := New(budgets, Limits{Share: 80}, nil)
	now := midnight(morning, zoneOf(budgets[0])).Add(-time.Minute) // the pace allows nearly all
	sweep, urgent := Request{Charges: one("day")}, Request{Charges: one("day"), Urgent: true}
	spend := func(r Request) (n int) {
		for p.Wait(r, now) == 0 {
			p.Spend(r, now).Done(nil, true, now)
			n++
		}
		return n
	}
	if got := spend(sweep); got != 759 && got != 760 {
		t.Errorf("the sweep used %d of 760", got)
	}
	if got := spend(urgent); got < 40 || got > 41 {
		t.Errorf("what is urgent used %d of the reserve of 40", got)
	}
	if got := p.Wait(urgent, now); got != time.Minute {
		t.Errorf("it waits %s, and midnight is in a minute", got)
	}
	if _, kind, gone := p.Exhausted(urgent, now); !gone || kind != platform.BudgetDay {
		t.Errorf("the day is not said to be used up: %v, %v", kind, gone)
	}
	now = now.Add(time.Minute)
	if p.Wait(urgent, now) != 0 || p.States(now)[0].Remaining != 1000 {
		t.Errorf("a new day has begun: %v", p.States(now))
	}
}

// Days begin at midnight in the platform's zone, 23 and 25 hours apart when clocks
// change.
func TestMidnightWhereClocksChange(t *testing.T) {
	zone := zoneOf(platform.Budget{Zone: pacific})
	for at, want := range map[time.Time]time.Duration{
		time.Date(2026, 3, 8, 8, 0, 0, 0, time.UTC):  23 * time.Hour,
		time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC): 25 * time.Hour,
		time.Date(2026, 7, 1, 7, 0, 0, 0, time.UTC):  24 * time.Hour,
	} {
		if got := midnight(at, zone).Sub(at); got != want {
			t.Errorf("the day that begins at %s lasts %s, want %s", at, got, want)
		}
	}
}

func TestPauseAfterARefusalThatSaysNoTime(t *testing.T) {
	p := New([]platform.Budget{{Bucket: "b", Kind: platform.BudgetBucket, Limit: 10, Window: time.Second}}, Limits{Share: 80}, nil)
	now := morning
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		got := p.Pause(one("b"), 0, now).Sub(now)
		if low := want * time.Second; got < low || got > low*6/5+1 {
			t.Errorf("refusal %d pauses for %s, want %s and a fifth at most", i+1, got, low)
		}
		now = now.Add(got)
	}
	p.Spend(Request{Charges: one("b")}, now).Done(nil, true, now)
	if got := p.Pause(one("b"), 0, now).Sub(now); got > 2*time.Second {
		t.Errorf("after an answer a refusal pauses for %s", got)
	}
	now = now.Add(time.Hour)
	if got := p.Pause(one("b"), time.Minute, now).Sub(now); got != time.Minute {
		t.Errorf("the platform said a minute, the pause is %s", got)
	}
}

// An account is paid for once a day, however it is asked for.
func TestMoneyIsPaidOncePerAccountAndDay(t *testing.T) {
	p := New([]platform.Budget{{Bucket: "usd", Kind: platform.BudgetMoney, Zone: "UTC"}}, Limits{Share: 80, DailyMicroUSD: 100}, nil)
	charges := []platform.Charge{{Bucket: "usd", PerItem: 10, Once: true}}
	now := morning
	ask := func(read []string, ids ...string) int64 {
		r := Request{Charges: charges, Urgent: true}
		for _, id := range ids {
			r.Items = append(r.Items, Item{ID: id})
		}
		if p.Wait(r, now) > 0 {
			return -1
		}
		before := p.Ledger(now)[0].Spent
		p.Spend(r, now).Done(read, true, now)
		return p.Ledger(now)[0].Spent - before
	}
	for i, c := range []struct {
		read []string
		ids  []string
		want int64
	}{
		{[]string{"a", "b"}, []string{"a", "b"}, 20},
		{[]string{"a", "b"}, []string{"a", "b"}, 0},
		{[]string{"c"}, []string{"", ""}, 10}, // by handle: one was shown
		{[]string{"c"}, []string{""}, 0},      // and is paid for
		{[]string{"c"}, []string{"c"}, 0},
		{nil, []string{"d", "e", "f", "g", "h", "i", "j", "k"}, -1}, // 80 of the 70 that are left
		{nil, []string{"a", "b", "c"}, 0},
	} {
		if got := ask(c.read, c.ids...); got != c.want {
			t.Errorf("read %d cost %d, want %d", i, got, c.want)
		}
	}
	now = now.Add(24 * time.Hour)
	if got := ask([]string{"a"}, "a"); got != 10 {
		t.Errorf("on the next day it cost %d", got)
	}
}

// A look by handle may show nobody and then costs nothing. Where no limit has to be
// kept it is told as spent only once it is known; under a limit it is, until then.
func TestWhatIsUnderWayIsToldAsSpentOnlyUnderALimit(t *testing.T) {
	money := []platform.Budget{{Bucket: "usd", Kind: platform.BudgetMoney, Zone: "UTC"}}
	request := Request{Charges: []platform.Charge{{Bucket: "usd", PerItem: 10, Once: true}}, Items: []Item{{ID: "a"}, {}, {}}}
	for name, c := range map[string]struct {
		daily    int64
		read     []string
		answered bool
		end      time.Time
		underWay int64
		then     int64
	}{
		"no limit, one is shown":        {0, []string{"b"}, true, morning, 10, 20},
		"no limit, nobody is shown":     {0, nil, true, morning, 10, 10},
		"no limit, nobody answers":      {0, nil, false, morning, 10, 30},
		"no limit, answered at another": {0, nil, true, morning.Add(24 * time.Hour), 10, 30},
		"a limit, nobody is shown":      {1000, nil, true, morning, 30, 10},
	} {
		p := New(money, Limits{Share: 100, DailyMicroUSD: c.daily, Saved: true}, nil)
		p.Saved(p.Ledger(morning), morning)
		receipt := p.Spend(request, morning)
		if got := p.Ledger(morning)[0].Spent; got != c.underWay {
			t.Errorf("%s: %d are told under way, want %d", name, got, c.underWay)
		}
		receipt.Done(c.read, c.answered, c.end)
		if got := p.Ledger(c.end)[0].Spent; got != c.then {
			t.Errorf("%s: %d are told then, want %d", name, got, c.then)
		}
	}
}

// A gauge that nobody tells of lets small requests through beside large ones: until some
// told, each counts as a percent, whatever it asks for.
func TestAnUntoldGaugeCountsRequests(t *testing.T) {
	t.Parallel()
	p := New([]platform.Budget{{Bucket: "app", Kind: platform.BudgetGauge, Limit: 100, Window: time.Hour}}, Limits{Share: 80}, nil)
	now := morning
	for range 4 {
		r := p.Spend(Request{Charges: []platform.Charge{{Bucket: "app", PerItem: 1}}, Items: make([]Item, 50)}, now)
		r.Done(nil, true, now)
	}
	one := Request{Charges: []platform.Charge{{Bucket: "app", PerRequest: 1}}, Handover: true}
	for range 100 {
		if wait := p.Wait(one, now); wait > 0 {
			t.Fatalf("it waits for %s", wait)
		}
		p.Spend(one, now).Done(nil, true, now)
	}
}

// Small calls that hear of the gauge do not stop large ones that never do: what a percent
// is rounded up by is no cost of theirs.
func TestAGaugeThatStaysEmptyStopsNobody(t *testing.T) {
	budgets := []platform.Budget{{Bucket: "app", Kind: platform.BudgetGauge, Limit: 100, Window: time.Hour}}
	p, now := New(budgets, Limits{Share: 80}, nil), morning
	batch := Request{Charges: []platform.Charge{{Bucket: "app", PerItem: 1}}, Items: make([]Item, 50)}
	call := Request{Charges: []platform.Charge{{Bucket: "app", PerRequest: 1}}, Items: make([]Item, 1), Handover: true}
	send := func(r Request, heard bool) {
		t.Helper()
		if wait := p.Wait(r, now); wait > 0 {
			t.Fatalf("at %s a request waits %s", now.Sub(morning), wait)
		}
		receipt := p.Spend(r, now)
		if heard {
			p.Usage(platform.Usage{Bucket: "app", Limit: 100, Remaining: 100}, now)
		}
		receipt.Done(nil, true, now)
		now = now.Add(time.Second)
	}
	for range 20 {
		for range 5 {
			send(batch, false)
		}
		for range 3 {
			send(call, true)
		}
	}
}

// The time in a header is to be waited for only where the gauge is full.
func TestAGaugeThatIsNotFullIsAsked(t *testing.T) {
	t.Parallel()
	r := Request{Charges: []platform.Charge{{Bucket: "app", PerRequest: 1}}}
	for left, want := range map[int]time.Duration{100: 0, 60: 0, 0: 5 * time.Minute} {
		p := New([]platform.Budget{{Bucket: "app", Kind: platform.BudgetGauge, Limit: 100, Window: time.Hour}}, Limits{Share: 80}, nil)
		p.Usage(platform.Usage{Bucket: "app", Limit: 100, Remaining: left, ResetsAt: morning.Add(5 * time.Minute)}, morning)
		if got := p.Wait(r, morning); got != want {
			t.Errorf("%d left: it waits for %s, want %s", left, got, want)
		}
	}
}

// However many handovers there are, every kind of budget leaves the others three
// quarters; and a budget of their own is theirs.
func TestHandoversTakeAQuarterAtMost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		budget platform.Budget
		within time.Duration
		want   int
	}{
		"window":         {platform.Budget{Kind: platform.BudgetWindow, Limit: 100, Window: 15 * time.Minute}, 15 * time.Minute, 25},
		"day":            {platform.Budget{Kind: platform.BudgetDay, Limit: 100, Zone: "UTC"}, 12 * time.Hour, 25},
		"bucket":         {platform.Budget{Kind: platform.BudgetBucket, Limit: 100, Window: time.Minute, Burst: 100}, 10 * time.Minute, 250},
		"its own":        {platform.Budget{Kind: platform.BudgetBucket, Limit: 100, Window: time.Minute, Burst: 100, Handed: 100}, 10 * time.Minute, 1000},
		"money":          {platform.Budget{Kind: platform.BudgetMoney, Zone: "UTC"}, 12 * time.Hour, 25},
		"told of nobody": {platform.Budget{Kind: platform.BudgetGauge, Limit: 100, Window: time.Hour}, time.Minute, 60},
	} {
		c.budget.Bucket = "b"
		p := New([]platform.Budget{c.budget}, Limits{Share: 100, DailyMicroUSD: 100}, nil)
		r := Request{Charges: []platform.Charge{{Bucket: "b", PerRequest: 1}}, Handover: true}
		n := 0
		for now := morning; now.Before(morning.Add(c.within)); {
			wait := p.Wait(r, now)
			if wait == 0 {
				n++
				p.Spend(r, now).Done(nil, true, now)
				wait = time.Second / 10
				if c.budget.Kind == platform.BudgetGauge {
					wait = time.Second
				}
			}
			now = now.Add(wait)
		}
		if n < c.want-2 || n > c.want+1 {
			t.Errorf("%s: %d went, want %d", name, n, c.want)
		}
	}
}
