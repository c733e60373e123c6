package platformconnection

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
)

// partOf is what a shard shows of a connection, by what its engine tells.
func partOf(f facts) part {
	con := newConnection()
	pass(con, f, today)
	return part{UID: con.UID, Used: f.report.Accounts > 0, Status: con.Status}
}

func TestTheWorstOfAllPartsIsSaid(t *testing.T) {
	empty := facts{reported: true, report: observe.Report{Feasible: true}}
	tight := working()
	tight.report.Feasible, tight.report.Advice = false, "needs 90 of 29 requests per 15 minutes"
	missing := facts{reported: true, obstacle: secretMissing("spec.appSecretRef: Secret a/b does not exist")}
	for _, c := range []struct {
		name                 string
		parts                []facts
		available, freshness string
		ready, stalled       string
		message              string
	}{
		{"all work", []facts{working(), working(), working()}, "True/Reachable", "True/WithinBudget", "True/Reconciled", "", "the platform answers"},
		{"one has no accounts", []facts{working(), empty, working()}, "True/Reachable", "True/WithinBudget", "True/Reconciled", "", "the platform answers"},
		{"nobody has accounts", []facts{empty, empty}, "Unknown/NotYetCalled", "Unknown/NothingToPlan", "Unknown/NotYetCalled", "", "no account has been looked at yet"},
		{"one has not called", []facts{working(), newProcess()}, "Unknown/NotYetCalled", "True/WithinBudget", "Unknown/NotYetCalled", "", "no account has been looked at yet"},
		{"one is throttled", []facts{working(), inLane(observe.LaneThrottled), working()}, "False/Throttled", "True/WithinBudget", "False/Throttled", "", "lane Throttled"},
		{"one is refused", []facts{inLane(observe.LaneThrottled), inLane(observe.LaneUnauthorized)}, "False/AppUnauthorized", "True/WithinBudget", "False/AppUnauthorized", "", "lane Unauthorized"},
		{"one cannot keep its promise", []facts{working(), tight}, "True/Reachable", "False/BudgetTooSmall", "True/Reconciled", "", "the platform answers"},
		{"an obstacle is everybody's", []facts{missing, missing}, "", "Unknown/NothingToPlan", "False/AppSecretMissing", "True/AppSecretMissing", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			con, parts := newConnection(), []part{}
			for _, f := range c.parts {
				parts = append(parts, partOf(f))
			}
			next, _ := together(con, parts, budgeted, today)
			for kind, want := range map[string]string{v1alpha1.ConditionAvailable: c.available, v1alpha1.ConditionFreshnessFeasible: c.freshness, v1alpha1.ConditionReady: c.ready, v1alpha1.ConditionStalled: c.stalled} {
				got := ""
				is := meta.FindStatusCondition(next.Conditions, kind)
				if is != nil {
					got = string(is.Status) + "/" + is.Reason
				}
				if got != want && (kind != v1alpha1.ConditionAvailable || want != "") {
					t.Errorf("%s is %s, want %s", kind, got, want)
				}
				if kind == v1alpha1.ConditionAvailable && c.message != "" && is.Message != c.message {
					t.Errorf("got %q", is.Message)
				}
			}
		})
	}
}

// Where parts say the same in other words, it is said whose words they are.
func TestWhoseWordsTheyAre(t *testing.T) {
	a, b := inLane(observe.LaneThrottled), inLane(observe.LaneThrottled)
	b.report.State.Message = "until 13:00"
	next, events := together(newConnection(), []part{partOf(a), partOf(b)}, budgeted, today)
	if m := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionAvailable).Message; m != "of shard 0 of 2: lane Throttled" {
		t.Errorf("got %q", m)
	}
	expectEvents(t, events)
}

func TestFiguresAddUp(t *testing.T) {
	a, b := spending(100, 1_000_000, true), spending(30, 500_000, true)
	b.report.Sweep = observe.Sweep{Accounts: 50, Requests: 2, StartedAt: today.Add(-time.Minute), CompletedAt: today.Add(2 * time.Minute), OldestObservation: today.Add(-time.Minute)}
	b.report.Freshness = []observe.TierFreshness{{Tier: "school", Promised: 48 * time.Hour, Achieved: 30 * time.Hour}}
	next, _ := together(newConnection(), []part{partOf(a), partOf(b), partOf(facts{reported: true})}, budgeted, today)
	if s := next.Sweep; *s.Accounts != 300 || *s.Requests != 5 || !s.StartedAt.Time.Equal(today.Add(-time.Minute)) || !s.CompletedAt.Time.Equal(today.Add(2*time.Minute)) {
		t.Errorf("the round is %+v", s)
	}
	if len(next.Budget) != 1 || spentOf(next.Budget[0]) != 130 {
		t.Errorf("spent %+v", next.Budget)
	}
	if next.Spend == nil || *next.Spend != (v1alpha1.Spend{Day: "2026-11-23", USD: "1.50"}) || !ptr.Deref(next.Counting, false) {
		t.Errorf("spent %+v, counting %v", next.Spend, next.Counting)
	}
	for _, f := range next.Freshness {
		if f.Tier == "school" && (f.Promised.Duration != 48*time.Hour || f.Achieved.Duration != 30*time.Hour) {
			t.Errorf("got %+v", f)
		}
	}
	later := partOf(spending(7, 0, true))
	later.Status.Budget[0].ResetsAt = &metav1.Time{Time: dayEnds.Add(24 * time.Hour)}
	if next, _ := together(newConnection(), []part{partOf(a), later}, budgeted, today); spentOf(next.Budget[0]) != 7 {
		t.Errorf("of yesterday and today: %+v", next.Budget)
	}
}

// However often the number of processes changes within a day, and whether or not they
// end well, nobody begins with less spent than was spent.
func TestNoReignForgetsWhatTheDayHasCost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const limit = 10_000
		var con v1alpha1.PlatformConnectionStatus
		reigns := map[reign][]part{}
		actual := int64(0)
		for epoch := range rapid.IntRange(1, 5).Draw(rt, "reigns") {
			n := rapid.IntRange(1, 4).Draw(rt, "processes")
			was := carry(budgeted, saved(budgeted, &con, false), reigns)
			carried := int64(0)
			if i := lineOf(was.Lines, "units"); i >= 0 {
				carried = was.Lines[i].Spent
			}
			exact := rapid.Bool().Draw(rt, "ends well")
			parts := []part{}
			for i := range n {
				share := budget.Part{Index: i, Of: n}
				lease := int64(0)
				if !was.Exact {
					lease = max(share.Divide(limit)/10, 1)
				}
				mine := share.Divide(carried) + lease
				spent := rapid.Int64Range(0, 500).Draw(rt, "spent")
				saved := spent
				if !exact {
					saved -= rapid.Int64Range(0, min(spent, share.Divide(limit)/10)).Draw(rt, "not saved")
				}
				actual += spent
				status := partOf(working()).Status
				status.Budget = []v1alpha1.BucketStatus{{
					Bucket: "units", Limit: ptr.To(int64(limit)), Remaining: ptr.To(limit - mine - saved), ResetsAt: &metav1.Time{Time: dayEnds},
				}}
				if !exact {
					status.Counting = ptr.To(true)
				}
				parts = append(parts, part{Epoch: int64(epoch), Status: status})
			}
			if n == 1 {
				con = parts[0].Status
			} else {
				reigns[reign{n, int64(epoch)}] = parts
				if rapid.Bool().Draw(rt, "the status was written") {
					con, _ = together(newConnection(), parts, budgeted, today)
				}
			}
			now := carry(budgeted, saved(budgeted, &con, false), reigns)
			known := now.Lines[lineOf(now.Lines, "units")].Spent
			if !now.Exact {
				known += limit / 10 // the least lease of all parts together
			}
			if known < actual {
				rt.Fatalf("reign %d of %d begins with %d of %d spent (exact %v; %s)", epoch+1, n, known, actual, now.Exact, describe(reigns))
			}
		}
	})
}

func spentIn(parts []part) int64 {
	sum := int64(0)
	for i := range parts {
		sum += spentOf(parts[i].Status.Budget[0])
	}
	return sum
}

func describe(reigns map[reign][]part) string {
	var out []string
	for r, parts := range reigns {
		out = append(out, fmt.Sprintf("%+v: %d", r, spentIn(parts)))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestTheKindOfABudgetDecidesHowItAddsUp(t *testing.T) {
	window := platform.Adapter{Budgets: []platform.Budget{{Bucket: "GET /2/users", Kind: platform.BudgetWindow, Limit: 300}}}
	a, b := working(), working()
	b.report.Buckets = []platform.Usage{{Bucket: "GET /2/users", Limit: 300, Remaining: 290, ResetsAt: today.Add(time.Minute)}}
	next, _ := together(newConnection(), []part{partOf(a), partOf(b)}, window, today)
	if got := *next.Budget[0].Remaining; got != 290 {
		t.Errorf("of a window %d is left, want the least that anybody was told, 290", got)
	}
}
