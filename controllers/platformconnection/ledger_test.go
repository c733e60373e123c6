package platformconnection

import (
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/status"
)

var dayEnds = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) // midnight in Los Angeles

var budgeted = platform.Adapter{
	Budgets: []platform.Budget{
		{Bucket: "units", Kind: platform.BudgetDay, Limit: 10_000, Zone: "America/Los_Angeles"},
		{Bucket: "usd", Kind: platform.BudgetMoney, Zone: "UTC"},
		{Bucket: "search", Kind: platform.BudgetDay, Limit: 100, Zone: "America/Los_Angeles"},
	},
	Profiles: map[platform.Lookup]platform.Read{platform.ByID: {Batch: 50, Charges: []platform.Charge{{Bucket: "units", PerRequest: 1}}}},
}

// spending is an engine that has spent units and micro-dollars today.
func spending(units, micro int64, due bool) facts {
	f := working()
	f.report.Save = due
	f.report.Buckets = []platform.Usage{{Bucket: "units", Limit: 10_000, Remaining: 10_000 - int(units), ResetsAt: dayEnds}}
	f.report.Ledger = []budget.Line{
		{Bucket: "units", Kind: platform.BudgetDay, Date: "2026-11-23", Spent: units, EndsAt: dayEnds, Leased: true},
		{Bucket: "usd", Kind: platform.BudgetMoney, Date: "2026-11-23", Spent: micro, Leased: true},
	}
	return f
}

func TestWhatWasSpentIsSavedAndRestored(t *testing.T) {
	con := newConnection()
	f := spending(531, 265_200_000, true)
	f.report.Sweep.CompletedAt = time.Time{} // nobody has been looked at yet
	pass(con, f, today)
	if con.Status.Spend == nil || *con.Status.Spend != (v1alpha1.Spend{Day: "2026-11-23", USD: "265.20"}) || !ptr.Deref(con.Status.Counting, false) {
		t.Fatalf("got %+v, counting %v", con.Status.Spend, con.Status.Counting)
	}
	was := saved(budgeted, &con.Status, false)
	if was.Exact || was.Swept || len(was.Lines) != 2 || was.Lines[0].Spent != 531 || was.Lines[0].Date != "2026-11-23" || was.Lines[1].Spent != 265_200_000 {
		t.Errorf("restored %+v", was)
	}
	f = spending(532, 265_200_001, false)
	f.final, f.unmarked = true, true
	pass(con, f, today.Add(time.Minute))
	if was := saved(budgeted, &con.Status, false); !was.Exact || !was.Swept || was.Lines[0].Spent != 532 || was.Lines[1].Spent != 265_200_100 {
		t.Errorf("after a proper end: %+v, counting %v", was, con.Status.Counting)
	}
}

// What was spent is written when the engine needs it saved: until then a lease covers
// it. Figures that nobody has to remember are not written.
func TestOnlyWhatMustSurviveIsWritten(t *testing.T) {
	con := newConnection()
	pass(con, spending(10, 0, true), today)
	before := con.Status.DeepCopy()
	later := spending(10, 0, false)
	later.report.Sweep.CompletedAt = today.Add(time.Hour)
	pass(con, later, today.Add(time.Hour))
	if !status.Same(*before, con.Status) {
		t.Error("a sweep that cost nothing of a day is written")
	}
	later = spending(11, 0, false)
	later.report.Sweep.CompletedAt = today.Add(time.Hour)
	pass(con, later, today.Add(time.Hour))
	if !status.Same(*before, con.Status) || later.saves() {
		t.Errorf("a sweep is written that the lease covers, or told as saved: %+v", con.Status.Budget)
	}
	later.report.Save = true
	pass(con, later, today.Add(time.Hour))
	if status.Same(*before, con.Status) || spentOf(con.Status.Budget[0]) != 11 {
		t.Errorf("what was spent is not written: %+v", con.Status.Budget)
	}
}

func TestLimitsOfTheSpec(t *testing.T) {
	con := newConnection()
	if micro, units := limits(con, budgeted); micro != 0 || units != nil {
		t.Errorf("without a budget: %d, %v", micro, units)
	}
	for usd, want := range map[string]int64{"25.00": 25_000_000, "0.5": 500_000, "0": 1, "99999999.99": 99_999_999_990_000} {
		con.Spec.Budget = &v1alpha1.Budget{DailySpendUSD: usd}
		if micro, _ := limits(con, budgeted); micro != want {
			t.Errorf("%s USD are %d, want %d", usd, micro, want)
		}
	}
	con.Spec.Options = &v1alpha1.PlatformOptions{YouTube: &v1alpha1.YouTubeOptions{DailyUnits: 50_000}}
	if _, units := limits(con, budgeted); len(units) != 1 || units["units"] != 50_000 {
		t.Errorf("got %v: the units of searches are others", units)
	}
}

// With books in the lease the mark stays: then the next process knows from the lease
// whether the figures are exact, and writes nothing before it goes on.
func TestAMarkedStatusIsExactOnlyAfterAnOrderlyEnd(t *testing.T) {
	con := newConnection()
	pass(con, spending(531, 265_200_000, true), today)
	f := spending(532, 265_200_001, false)
	f.final = true
	pass(con, f, today.Add(time.Minute))
	if !ptr.Deref(con.Status.Counting, false) || spentOf(con.Status.Budget[0]) != 532 {
		t.Fatalf("after an end with books: %+v, counting %v", con.Status.Budget, con.Status.Counting)
	}
	if was := saved(budgeted, &con.Status, false); was.Exact || was.Standing {
		t.Errorf("after a crash: %+v", was)
	}
	if was := saved(budgeted, &con.Status, true); !was.Exact || !was.Standing || was.Lines[0].Spent != 532 {
		t.Errorf("after an orderly end: %+v", was)
	}
	con.Status.Counting = nil
	if was := saved(budgeted, &con.Status, true); !was.Exact || was.Standing {
		t.Errorf("without a mark a crash would not be seen, so it has to be written first: %+v", was)
	}
}
