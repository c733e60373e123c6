package observe

import (
	"maps"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

func TestReport(t *testing.T) {
	r := newRig(t)
	if _, ok := r.engine.Report("nobody knows"); ok {
		t.Error("a connection that nobody opened is reported")
	}
	r.fleet(250)
	report, _ := r.engine.Report("x")
	if report.Answered || report.Accounts != 250 || !report.Sweep.CompletedAt.IsZero() {
		t.Errorf("before the first answer: %+v", report)
	}
	r.run(2 * time.Second)
	report, _ = r.engine.Report("x")
	if s := report.Sweep; !report.Answered || s.Accounts != 250 || s.Requests != 3 || s.CompletedAt.Sub(s.StartedAt) > 2*time.Second || s.OldestObservation.Before(epoch) {
		t.Errorf("after everybody was looked at: %+v", report)
	}
	r.run(2 * testEvery)
	for range 3 {
		r.conns.take()
		r.run(testEvery)
		report, _ = r.engine.Report("x")
		s := report.Sweep
		if s.Accounts != 250 || s.Requests != 3 || s.CompletedAt.Sub(s.StartedAt) != testEvery || s.OldestObservation.Before(s.StartedAt) {
			t.Errorf("a lap later: %+v", s)
		}
		if got := r.conns.take()[types.NamespacedName{Name: "x"}]; got != 1 {
			t.Errorf("the connection was woken %d times in a lap", got)
		}
	}
	if report.State != (LaneState{}) || !report.Feasible || report.Advice != "needs 3 of 950000 requests per 15 minutes" {
		t.Errorf("got %+v", report)
	}
	want := TierFreshness{Tier: "school", Promised: testStale, Achieved: testEvery}
	if len(report.Freshness) != 1 || report.Freshness[0].Measured > testEvery+time.Second {
		t.Fatalf("got %+v", report.Freshness)
	}
	report.Freshness[0].Measured = 0
	if report.Freshness[0] != want {
		t.Errorf("got %+v, want %+v", report.Freshness[0], want)
	}
}

// A sweep ends even if the one account that is missing in it leaves.
func TestSweepEndsWhenTheMissingLeave(t *testing.T) {
	r := newRig(t)
	r.fleet(3)
	r.run(testEvery)
	r.engine.mu.Lock()
	missing := -1
	for i := range 3 {
		if r.engine.targets[nameOf(key(i))].swept != r.engine.conns["x"].sweep.number {
			missing = i
		}
	}
	r.engine.mu.Unlock()
	for missing < 0 { // whoever is looked at begins the next sweep
		w := wanted(0)
		w.Urgent = true
		r.engine.Want(w)
		r.run(time.Second)
		missing = 1
	}
	for i := range 3 {
		r.engine.mu.Lock()
		gone := r.engine.targets[nameOf(key(i))].swept != r.engine.conns["x"].sweep.number
		r.engine.mu.Unlock()
		if gone {
			r.engine.Forget(key(i))
		}
	}
	r.run(testEvery) // whose chunk loses its first is looked at up to a chunk later
	for range 3 {
		r.run(testEvery)
		report, _ := r.engine.Report("x")
		if report.Sweep.Accounts != 1 || report.Sweep.Requests != 1 {
			t.Errorf("the last sweep was %+v", report.Sweep)
		}
		if age := r.clock.Since(report.Sweep.CompletedAt); age > testEvery+time.Second {
			t.Errorf("the last sweep was %s ago: %+v", age, report)
		}
	}
}

// A budget that is too small slows all rounds down, and says by how much.
func TestInfeasibleBudget(t *testing.T) {
	r := newRigWith(t, limits(1, 60))
	c := r.connection("x")
	c.Share = 50
	r.engine.SetConnection(c)
	for i := range 120 {
		r.platform.set(id(i), handle(i))
		w := wanted(i)
		if i >= 60 {
			w.Tier, w.Every, w.StaleAfter = "ministry", 30*time.Minute, 2*time.Hour
		}
		r.engine.Want(w)
	}
	r.run(6 * time.Hour)
	r.platform.take()
	r.run(15 * time.Minute)
	if got := len(r.platform.take()); got > 30 || got < 29 {
		t.Errorf("15 minutes cost %d requests", got)
	}
	report, _ := r.engine.Report("x")
	// 60 per 15 minutes and 60 per 30 minutes: 90 of 29, since a request is kept for
	// what is urgent. Both promises have the same time to spare, less 10:10 that a
	// window is idle: 60/44:12 and 60/104:12 minutes make 29/15.
	if len(report.Freshness) != 2 || report.Freshness[0].Tier != "ministry" || report.Freshness[0].Achieved != 114*time.Minute+22*time.Second || report.Freshness[1].Achieved != 54*time.Minute+22*time.Second {
		t.Errorf("got %+v", report.Freshness)
	}
	if !report.Feasible || report.Advice != "needs 90 of 29 requests per 15 minutes; looks come further apart than the intervals ask, and within what is promised" {
		t.Errorf("the promises can still be kept: %+v", report)
	}
	for _, f := range report.Freshness {
		if f.Measured > f.Achieved {
			t.Errorf("%s is %s old, the plan says %s", f.Tier, f.Measured, f.Achieved)
		}
	}
	w := wanted(0)
	w.StaleAfter = 30 * time.Minute
	r.engine.Want(w)
	report, _ = r.engine.Report("x")
	if report.Feasible || !strings.Contains(report.Advice, "; feasible with promises 2.7 times as long, or with a share of 82 percent") || report.Freshness[1].Promised != 30*time.Minute {
		t.Errorf("a promise cannot be kept: %+v", report)
	}
}

// X's own numbers: 26,520 accounts are 266 requests, of 300.
func TestFleetFitsIntoTheBudgetOfX(t *testing.T) {
	t.Parallel()
	for share, feasible := range map[int]bool{100: true, 93: true, 92: false, 80: false} {
		r := newRigWith(t, limits(100, 300))
		c := r.connection("x")
		c.Share = share
		r.engine.SetConnection(c)
		for i := range 26520 {
			w := restored(i)
			w.StaleAfter = w.Every
			r.engine.Want(w)
		}
		report, _ := r.engine.Report("x")
		if report.Feasible != feasible {
			t.Errorf("with %d%%: %+v", share, report)
		}
		if want := "needs 266 of 285 requests per 15 minutes"; share == 100 && report.Advice != want {
			t.Errorf("got %q, want %q", report.Advice, want)
		}
		for range 20 {
			if again, _ := r.engine.Report("x"); again.Advice != report.Advice {
				t.Errorf("the advice is not always the same: %q, %q", report.Advice, again.Advice)
			}
		}
	}
}

// scrape reads the gauges whose name begins with a prefix, and counts all series.
func scrape(t *testing.T, r *rig) (gauges map[string]float64, series map[string]int) {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	gauges, series = map[string]float64{}, map[string]int{}
	for _, family := range families {
		series[family.GetName()] = len(family.GetMetric())
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			if m.GetGauge() != nil && name != "mithaq_observe_age_seconds X school" {
				gauges[name] = m.GetGauge().GetValue()
			}
		}
	}
	return gauges, series
}

// Metrics describe the present: what is gone leaves no series behind.
func TestMetrics(t *testing.T) {
	r := newRig(t)
	expect := func(ages int, want map[string]float64) {
		t.Helper()
		gauges, series := scrape(t, r)
		if !maps.Equal(gauges, want) {
			t.Errorf("got %v, want %v", gauges, want)
		}
		if got := series["mithaq_observe_age_seconds"]; got != ages {
			t.Errorf("%d series of ages, want %d", got, ages)
		}
	}
	r.fleet(3)
	r.platform.suspend(id(2))
	r.engine.Want(unresolved(5)) // nobody has that handle
	r.engine.Usage("x", platform.Usage{Bucket: bucketID, Limit: 300, Remaining: 299, ResetsAt: epoch.Add(time.Hour)})
	r.run(time.Minute)
	expect(1, map[string]float64{
		"mithaq_observe_accounts handle X": 1, "mithaq_observe_accounts id X": 3,
		"mithaq_budget_remaining_requests users X": 299, "mithaq_observe_outage X": 0,
		"mithaq_budget_handover_waiting X": 0,
	})
	for _, i := range []int{0, 1, 2, 5} {
		r.engine.Forget(key(i))
	}
	r.engine.DropConnection("x")
	r.run(ageEvery)
	expect(0, map[string]float64{})
	r.engine.SetConnection(r.connection("x"))
	r.fleet(1)
	r.run(time.Minute)
	r.platform.kind(platform.KindUnavailable, 0)
	r.run(2 * testEvery)
	expect(1, map[string]float64{"mithaq_observe_accounts id X": 1, "mithaq_observe_outage X": 1, "mithaq_budget_handover_waiting X": 0})
	if _, series := scrape(t, r); series["mithaq_observe_batches_total"] != 2 { // answered by id, unavailable: what was before the drop is gone
		t.Errorf("got %v", series)
	}
}

// The worst age is walked for once in ageEvery, and grows with the clock in between.
func TestTheWorstAgeIsWalkedForOnceInAWhile(t *testing.T) {
	r := newRig(t)
	r.fleet(3 * ageStride)
	r.run(2 * testEvery)
	key := [2]string{"X", "school"}
	first := r.engine.age()[key]
	if first <= 0 || first > testEvery {
		t.Fatalf("the oldest look is %s old, looks are %s apart", first, testEvery)
	}
	walked := r.engine.ages.walked
	r.clock.SetTime(r.clock.Now().Add(ageEvery - 1))
	if got, want := r.engine.age()[key], first+ageEvery-1; got != want || r.engine.ages.walked != walked {
		t.Errorf("%s, walked at %s; want %s, of the walk at %s", got, r.engine.ages.walked, want, walked)
	}
	r.clock.SetTime(r.clock.Now().Add(1))
	if r.engine.age(); r.engine.ages.walked == walked {
		t.Error("it did not walk again")
	}
}
