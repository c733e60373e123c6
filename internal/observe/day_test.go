package observe

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// priced is an adapter whose reads cost a cent per account and day.
func priced(batch int) platform.Adapter {
	a := limits(batch, 1_000_000)
	a.Budgets = append(a.Budgets, platform.Budget{Bucket: "usd", Kind: platform.BudgetMoney, Zone: "UTC"})
	for by, read := range a.Profiles {
		read.Charges = append(read.Charges, platform.Charge{Bucket: "usd", PerItem: 10_000, Once: true})
		a.Profiles[by] = read
	}
	return a
}

// tiered wants a tier of accounts.
func (r *rig) tiered(tier string, from, n int, every, stale time.Duration) {
	for i := from; i < from+n; i++ {
		r.platform.set(id(i), handle(i))
		w := restored(i)
		w.Tier, w.Every, w.StaleAfter = tier, every, stale
		w.Restored.At = epoch.Add(-48 * time.Hour)
		r.engine.Want(w)
	}
}

// Money for a part of the fleet keeps the tier with the shortest promise fresh, and
// goes round among the others. Nobody is paid for twice a day.
func TestShortMoneyKeepsTheShortestPromise(t *testing.T) {
	r := newRigWith(t, priced(10))
	c := r.connection("x")
	c.DailyMicroUSD = 1_000_000 // a hundred accounts a day, of 450
	r.engine.DropConnection("x")
	r.engine.SetConnection(c)
	r.tiered("ministry", 0, 50, 15*time.Minute, time.Hour)
	r.tiered("school", 50, 400, 12*time.Hour, 72*time.Hour)
	r.run(24 * time.Hour)
	report, _ := r.engine.Report("x")
	if report.Feasible || report.Freshness[0].Achieved > time.Hour || report.Freshness[1].Achieved < 72*time.Hour {
		t.Errorf("planned %+v: %s", report.Freshness, report.Advice)
	}
	bills := map[string]map[string]bool{}
	seen := map[string]bool{}
	for day := range 12 {
		r.platform.take()
		for range 24 * 4 {
			r.run(15 * time.Minute)
			for i := range 50 {
				if day > 0 && r.clock.Since(r.peek(i).At) > time.Hour {
					t.Fatalf("a ministry is %s old on day %d", r.clock.Since(r.peek(i).At), day)
				}
			}
		}
		for _, q := range r.platform.take() {
			date := q.at.UTC().Format(time.DateOnly)
			if bills[date] == nil {
				bills[date] = map[string]bool{}
			}
			for _, ref := range q.refs {
				bills[date][ref.ID] = true
				seen[ref.ID] = true
			}
		}
	}
	for date, ids := range bills {
		if len(ids) > 100 {
			t.Errorf("%d accounts were paid for on %s, of 100", len(ids), date)
		}
	}
	if len(seen) != 450 {
		t.Errorf("%d of 450 accounts were looked at in 12 days", len(seen))
	}
	if state := r.view(449).Lane; r.view(449).Stale && state.Reason != LaneBudgetExhausted {
		t.Errorf("the lane of a school past its bound is %+v", state)
	}
	if state := r.view(0).Lane; state.Reason != "" {
		t.Errorf("the lane of a ministry is %+v", state)
	}
}

// Nothing is spent of a day before its line is saved, and not more than a lease
// between two savings.
func TestNothingIsSpentBeyondTheLease(t *testing.T) {
	r := newRigWith(t, priced(10))
	c := r.connection("x")
	c.DailyMicroUSD, c.Persist, c.Saved = 10_000_000, true, Saved{Exact: true}
	r.engine.DropConnection("x")
	r.engine.SetConnection(c)
	r.fleet(1000)
	r.run(time.Hour)
	if got := len(r.platform.take()); got != 0 {
		t.Fatalf("%d requests before anything was saved", got)
	}
	paid := map[string]bool{}
	for range 12 {
		report, _ := r.engine.Report("x")
		r.engine.Saved("x", report.Ledger)
		r.run(time.Minute)
		before := len(paid)
		for _, q := range r.platform.take() {
			for _, ref := range q.refs {
				paid[ref.ID] = true
			}
		}
		if got := len(paid) - before; got > 100 {
			t.Fatalf("%d accounts for a cent each between two savings of a dollar", got)
		}
	}
	// The first looks of many leave the reserve alone.
	if got := r.ledger(); got > 9_500_000 || got < 9_000_000 {
		t.Errorf("%d micro-dollars are spent, of 9,500,000", got)
	}
	// A process that ended otherwise counts a lease.
	saved := Saved{Lines: []budget.Line{{Bucket: "usd", Kind: platform.BudgetMoney, Date: epoch.Format(time.DateOnly), Spent: 4_000_000}}}
	for exact, want := range map[bool]int64{true: 4_000_000, false: 5_000_000} {
		r.restart()
		c.Saved = Saved{Lines: saved.Lines, Exact: exact}
		r.engine.DropConnection("x")
		r.engine.purses = map[string]*budget.Purse{}
		r.engine.SetConnection(c)
		if got := r.ledger(); got != want {
			t.Errorf("exact %t: %d micro-dollars are restored, want %d", exact, got, want)
		}
	}
	// Nothing has to be saved first where the saved line stands.
	for _, c.Saved.Standing = range []bool{false, true} {
		c.Saved.Exact = true
		r.engine.DropConnection("x")
		r.engine.purses = map[string]*budget.Purse{}
		r.engine.SetConnection(c)
		if report, _ := r.engine.Report("x"); report.Save == c.Saved.Standing || report.Ledger[0].Spent != 4_000_000 {
			t.Errorf("standing %t: saving is asked for: %t, of %+v", c.Saved.Standing, report.Save, report.Ledger)
		}
	}
}

func (r *rig) ledger() int64 {
	report, _ := r.engine.Report("x")
	for _, l := range report.Ledger {
		if l.Kind == platform.BudgetMoney {
			return l.Spent
		}
	}
	return -1
}

// A picture that a hundred accounts show is fetched once, and a signature that
// changes makes no other picture of it.
func TestOnePictureIsFetchedOnce(t *testing.T) {
	r := newRig(t)
	signed := func(i, turn int) string {
		return fmt.Sprintf("https://scontent-%d.xx.fbcdn.net/v/t39/emblem.jpg?oh=%d&oe=%d", i%3, i, turn)
	}
	for i := range 100 {
		r.platform.set(id(i), handle(i))
		r.platform.change(id(i), func(p *platform.Profile) { p.AvatarURL = signed(i, 0) })
		r.engine.Want(wanted(i))
	}
	r.run(time.Minute)
	if got := r.media.take(); len(got) != 1 {
		t.Errorf("fetched %d times", len(got))
	}
	hash := r.peek(7).AvatarSHA256
	if hash == "" {
		t.Fatal("the hash is not known")
	}
	r.forgetAll()
	for i := range 100 {
		r.platform.change(id(i), func(p *platform.Profile) { p.AvatarURL = signed(i, 1) })
	}
	r.run(2 * testEvery)
	if got := r.media.take(); len(got) != 0 {
		t.Errorf("a new signature was fetched %d times", len(got))
	}
	if woken := r.accounts.take(); len(woken) != 0 || r.peek(7).AvatarSHA256 != hash || r.massChange() != nil {
		t.Errorf("a new signature is news to %d", len(woken))
	}
	r.platform.change(id(7), func(p *platform.Profile) { p.AvatarURL = "https://scontent.xx.fbcdn.net/v/t39/other.jpg?oh=1" })
	r.run(2 * testEvery)
	if got := r.media.take(); len(got) != 1 || r.peek(7).AvatarSHA256 == hash {
		t.Errorf("another picture was fetched %v", got)
	}
}

// pages lists the accounts of the fake platform, a page at a time.
type pages struct {
	p      *fakePlatform
	n      int
	hidden map[string]bool
	asked  int
	fail   error
}

func (l *pages) List(_ context.Context, cursor platform.Cursor) (platform.Listing, error) {
	l.asked++
	if l.fail != nil {
		return platform.Listing{}, l.fail
	}
	first := 0
	if cursor != "" {
		if _, err := fmt.Sscan(string(cursor), &first); err != nil {
			return platform.Listing{}, err
		}
	}
	page := platform.Listing{Cursor: platform.Cursor(fmt.Sprint(first + 100)), More: first+100 < l.n}
	for i := first; i < min(first+100, l.n); i++ {
		if a := l.p.answers(platform.ByID, []platform.AccountRef{{ID: id(i)}})[0]; a.Outcome == platform.Found && !l.hidden[id(i)] {
			page.Observations = append(page.Observations, a)
		}
	}
	return page, nil
}

// listing is a rig on a platform that names one account a request, or lists a
// hundred.
func listing(t *testing.T, n int) (*rig, *pages) {
	a := limits(1, 1_000_000)
	a.Listing = platform.Read{Batch: 100, Charges: a.Profiles[platform.ByID].Charges}
	r := newRigWith(t, a)
	l := &pages{p: r.platform, n: n, hidden: map[string]bool{}}
	c := r.connection("x")
	c.Client.List = l
	r.engine.SetConnection(c)
	return r, l
}

func TestPagesStandForSingleLooks(t *testing.T) {
	r, l := listing(t, 1000)
	l.hidden[id(3)] = true
	r.fleet(1000)
	r.run(time.Minute)
	if singles := len(r.platform.take()); l.asked != 10 || singles != 1 {
		t.Errorf("the first walk took %d pages and %d single looks", l.asked, singles)
	}
	for i := range 1000 {
		r.expect(i, Found)
	}
	r.platform.suspend(id(5))
	r.run(testEvery)
	l.asked = 0
	r.platform.take()
	r.run(4 * testEvery)
	if singles := len(r.platform.take()); l.asked < 36 || l.asked > 44 || singles > 16 {
		t.Errorf("four laps took %d pages and %d single looks", l.asked, singles)
	}
	r.expect(5, Suspended)
	report, _ := r.engine.Report("x")
	if report.Freshness[0].Measured > testEvery+2*time.Minute {
		t.Errorf("the oldest knowledge is %s old", report.Freshness[0].Measured)
	}
}

// The loop turns for pages and for those whom they do not show, not for everybody's
// moment in the lap.
func TestTheLoopIsNotWokenForThoseWhomPagesShow(t *testing.T) {
	r, _ := listing(t, 1000)
	r.fleet(1000)
	r.run(2 * testEvery)
	r.turns = 0
	r.run(4 * testEvery)
	if r.turns > 1000 {
		t.Errorf("four laps of 1000 accounts on 10 pages took %d turns", r.turns)
	}
	t.Log(r.turns, "turns")
}

// After a start a fleet joins one by one. Its first walk waits for it: whoever joined
// behind the walk would cost a request.
func TestAFirstWalkWaitsForThoseWhoAreJoining(t *testing.T) {
	r, l := listing(t, 1000)
	for i := range 1000 {
		r.platform.set(id(i), handle(i))
		r.engine.Want(wanted(i))
		r.run(5 * time.Millisecond)
	}
	if asked := len(r.platform.take()); l.asked != 0 || asked != 0 {
		t.Errorf("%d pages and %d single looks while they join", l.asked, asked)
	}
	r.run(10 * time.Second)
	if singles := len(r.platform.take()); l.asked != 10 || singles != 0 {
		t.Errorf("the first walk took %d pages and %d single looks", l.asked, singles)
	}
	for i := range 1000 {
		r.expect(i, Found)
	}
}

// TestNobodyWaitsForEverForTheOthers: a fleet that never stops growing is looked at.
func TestNobodyWaitsForEverForTheOthers(t *testing.T) {
	r, l := listing(t, 1000)
	for i := range 400 {
		r.platform.set(id(i), handle(i))
		r.engine.Want(wanted(i))
		r.run(500 * time.Millisecond)
	}
	if l.asked == 0 {
		t.Error("no page was read in 200 seconds")
	}
	r.run(time.Minute)
	for i := range 400 {
		r.expect(i, Found)
	}
}

// Where the list is closed to us, accounts are looked up one by one.
func TestAListThatIsRefusedIsNoOutage(t *testing.T) {
	r, l := listing(t, 300)
	l.fail = &platform.Error{Kind: platform.KindUnauthorized, Op: "list"}
	r.fleet(300)
	r.run(testEvery)
	for i := range 300 {
		r.expect(i, Found)
	}
	if state := r.view(0).Lane; state.Reason != "" || l.asked > 2 {
		t.Errorf("the lane is %+v after %d pages", state, l.asked)
	}
}

// A new day asks to be saved by itself: nobody is asked anything before that, so no
// answer could remind of it.
func TestANewDayAsksToBeSaved(t *testing.T) {
	r := newRigWith(t, priced(10))
	c := r.connection("x")
	c.DailyMicroUSD, c.Persist, c.Saved = 10_000_000, true, Saved{Exact: true}
	r.engine.DropConnection("x")
	r.engine.SetConnection(c)
	r.fleet(50)
	for range 3 * 24 * 60 {
		r.run(time.Minute)
		if r.conns.take()[types.NamespacedName{Name: "x"}] > 0 {
			report, _ := r.engine.Report("x")
			r.engine.Saved("x", report.Ledger)
		}
		if now := r.clock.Now(); now.Sub(epoch) > time.Hour {
			for i := range 50 {
				if age := now.Sub(r.peek(i).At); age > testEvery+time.Minute {
					t.Fatalf("account %d is %s old at %s", i, age, now)
				}
			}
		}
	}
}
