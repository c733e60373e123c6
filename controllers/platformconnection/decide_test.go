package platformconnection

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/status"
)

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newConnection() *v1alpha1.PlatformConnection {
	c := &v1alpha1.PlatformConnection{}
	c.Name, c.Generation = "x-moe", 2
	c.Spec.Platform = v1alpha1.PlatformX
	return c
}

// working is what the engine tells of a connection that works.
func working() facts {
	return facts{reported: true, report: observe.Report{
		Answered: true, Accounts: 250, Feasible: true, Advice: "needs 3 of 240 requests per 15 minutes",
		Buckets:   []platform.Usage{{Bucket: "GET /2/users", Limit: 300, Remaining: 297, ResetsAt: today.Add(time.Minute)}},
		Sweep:     observe.Sweep{Accounts: 250, Requests: 3, StartedAt: today, CompletedAt: today.Add(time.Minute), OldestObservation: today},
		Freshness: []observe.TierFreshness{{Tier: "school", Promised: 72 * time.Hour, Achieved: 24 * time.Hour}, {Tier: "directorate", Promised: time.Hour, Achieved: time.Minute}},
	}}
}

// inLane is a connection that something keeps from asking.
func inLane(reason observe.LaneReason) facts {
	f := working()
	f.report.State = observe.LaneState{Reason: reason, Message: "lane " + string(reason)}
	return f
}

// newProcess is what an engine tells that has not called yet.
func newProcess() facts {
	return facts{reported: true, report: observe.Report{Accounts: 250, Feasible: true}}
}

func pass(c *v1alpha1.PlatformConnection, f facts, now time.Time) []occurrence {
	next, events := decide(c, f, now)
	c.Status = *next.DeepCopy()
	return events
}

func expect(t *testing.T, c *v1alpha1.PlatformConnection, conditionType string, want v1alpha1.State, message string) {
	t.Helper()
	got := meta.FindStatusCondition(c.Status.Conditions, conditionType)
	if want.IsZero() {
		if got != nil {
			t.Errorf("%s is %s/%s %q", conditionType, got.Status, got.Reason, got.Message)
		}
		return
	}
	if got == nil {
		t.Fatalf("there is no condition %s", conditionType)
	}
	if got.Status != want.Status() || got.Reason != want.Reason() || got.Message != message {
		t.Errorf("%s is %s/%s %q, want %s/%s %q", conditionType, got.Status, got.Reason, got.Message, want.Status(), want.Reason(), message)
	}
}

func expectEvents(t *testing.T, got []occurrence, want ...v1alpha1.EventReason) {
	t.Helper()
	var reasons []v1alpha1.EventReason
	for _, o := range got {
		reasons = append(reasons, o.reason)
	}
	if !slices.Equal(reasons, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestEachObstacleStallsAndNamesItself(t *testing.T) {
	for _, c := range []struct {
		name                      string
		obstacle                  *obstacle
		message                   string
		ready, stalled, available v1alpha1.State
	}{
		{
			"unsupported platform", notSupported("Snapchat"), "this version has no adapter for Snapchat",
			v1alpha1.ConnectionPlatformNotSupported, v1alpha1.StalledPlatformNotSupported, v1alpha1.AvailableNotYetCalled,
		},
		{
			"duplicate default", duplicateDefault("x-other"), "spec.default: PlatformConnection x-other is marked default too",
			v1alpha1.ConnectionDuplicateDefault, v1alpha1.StalledDuplicateDefault, v1alpha1.AvailableNotYetCalled,
		},
		{
			"endpoint", endpointNotAllowed("spec.endpoint: host evil.test"), "spec.endpoint: host evil.test",
			v1alpha1.ConnectionEndpointNotAllowed, v1alpha1.StalledEndpointNotAllowed, v1alpha1.AvailableNotYetCalled,
		},
		{
			"missing Secret", secretMissing("spec.appSecretRef: Secret a/b does not exist"), "spec.appSecretRef: Secret a/b does not exist",
			v1alpha1.ConnectionSecretMissing, v1alpha1.StalledSecretMissing, v1alpha1.AvailableUnauthorized,
		},
		{
			"malformed Secret", secretMalformed("spec.appSecretRef: Secret a/b: no appToken"), "spec.appSecretRef: Secret a/b: no appToken",
			v1alpha1.ConnectionSecretMalformed, v1alpha1.StalledSecretMalformed, v1alpha1.AvailableUnauthorized,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			con := newConnection()
			expectEvents(t, pass(con, facts{obstacle: c.obstacle, reported: true}, today))
			expect(t, con, "Ready", c.ready, c.message)
			expect(t, con, "Stalled", c.stalled, c.message)
			expect(t, con, "Available", c.available, c.message)
			expect(t, con, "FreshnessFeasible", v1alpha1.FreshnessNothing, c.message)

			expectEvents(t, pass(con, newProcess(), today))
			expect(t, con, "Ready", v1alpha1.ConnectionNotYetCalled, "no account has been looked at yet")
			expect(t, con, "Stalled", v1alpha1.State{}, "")
			expectEvents(t, pass(con, working(), today))
			expect(t, con, "Ready", v1alpha1.ConnectionReady, "")
			expect(t, con, "FreshnessFeasible", v1alpha1.FreshnessWithinBudget, "needs 3 of 240 requests per 15 minutes")
		})
	}
}

func TestAnObstacleThatIsGoneLeavesNoTrace(t *testing.T) {
	con := newConnection()
	pass(con, facts{obstacle: secretMissing("spec.appSecretRef: Secret a/b does not exist")}, today)
	idle := facts{reported: true, report: observe.Report{Feasible: true}}
	pass(con, idle, today)
	expect(t, con, "FreshnessFeasible", v1alpha1.FreshnessNothing, "no account is observed through this connection")
	expect(t, con, "Available", v1alpha1.AvailableNotYetCalled, "no account has been looked at yet")
}

func TestEachLaneState(t *testing.T) {
	for _, c := range []struct {
		reason           observe.LaneReason
		available, ready v1alpha1.State
		event            []v1alpha1.EventReason
	}{
		{observe.LanePlatformUnavailable, v1alpha1.AvailableUnavailable, v1alpha1.ConnectionUnavailable, []v1alpha1.EventReason{"PlatformUnavailable"}},
		{observe.LaneThrottled, v1alpha1.AvailableThrottled, v1alpha1.ConnectionThrottled, nil},
		{observe.LaneBudgetExhausted, v1alpha1.AvailableBudgetExhausted, v1alpha1.ConnectionBudgetExhausted, []v1alpha1.EventReason{"BudgetExhausted"}},
		{observe.LaneUnauthorized, v1alpha1.AvailableUnauthorized, v1alpha1.ConnectionUnauthorized, nil},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			con := newConnection()
			pass(con, working(), today)
			before := con.Status.DeepCopy()
			expectEvents(t, pass(con, inLane(c.reason), today.Add(time.Hour)), c.event...)
			expect(t, con, "Available", c.available, "lane "+string(c.reason))
			expect(t, con, "Ready", c.ready, "lane "+string(c.reason))
			expect(t, con, "Stalled", v1alpha1.State{}, "")
			if con.Status.Sweep == nil || con.Status.Freshness == nil {
				t.Error("the figures are lost")
			}
			expectEvents(t, pass(con, inLane(c.reason), today.Add(2*time.Hour)))

			// A new process keeps what the old one found, until it has called.
			was := con.Status.DeepCopy()
			expectEvents(t, pass(con, newProcess(), today.Add(3*time.Hour)))
			if diff := cmp.Diff(*was, con.Status); diff != "" {
				t.Errorf("a restart changed (-old +new):\n%s", diff)
			}
			expectEvents(t, pass(con, inLane(c.reason), today.Add(3*time.Hour)))

			expectEvents(t, pass(con, working(), today.Add(4*time.Hour)), v1alpha1.EventPlatformRecovered)
			expect(t, con, "Available", v1alpha1.AvailableReachable, "the platform answers")
			if !status.Same(before.Sweep, con.Status.Sweep) {
				t.Error("figures moved without need")
			}
		})
	}
}

func TestARestartKeepsWhatWorks(t *testing.T) {
	con := newConnection()
	expectEvents(t, pass(con, newProcess(), today))
	expect(t, con, "Available", v1alpha1.AvailableNotYetCalled, "no account has been looked at yet")
	expectEvents(t, pass(con, working(), today))
	before := con.Status.DeepCopy()
	for _, f := range []facts{{}, newProcess(), inStart()} {
		expectEvents(t, pass(con, f, today.Add(time.Hour)))
		if diff := cmp.Diff(*before, con.Status); diff != "" {
			t.Errorf("a restart changed (-old +new):\n%s", diff)
		}
	}
}

// inStart is an engine that answered once and has not seen everybody.
func inStart() facts {
	f := working()
	f.report.Sweep, f.report.Accounts, f.report.Feasible, f.report.Advice = observe.Sweep{}, 12, false, "accounts are joining"
	return f
}

func TestFreshness(t *testing.T) {
	tooSmall := working()
	tooSmall.report.Feasible, tooSmall.report.Advice = false, "feasible with intervals 2.0 times as long"
	nobody := working()
	nobody.report.Accounts, nobody.report.Freshness = 0, nil
	for _, c := range []struct {
		name    string
		facts   facts
		want    v1alpha1.State
		message string
	}{
		{"feasible", working(), v1alpha1.FreshnessWithinBudget, "needs 3 of 240 requests per 15 minutes"},
		{"too small", tooSmall, v1alpha1.FreshnessTooSmall, "feasible with intervals 2.0 times as long"},
		{"nobody", nobody, v1alpha1.FreshnessNothing, "no account is observed through this connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			con := newConnection()
			pass(con, c.facts, today)
			expect(t, con, "FreshnessFeasible", c.want, c.message)
			if c.want.Status() != metav1.ConditionTrue && !meta.IsStatusConditionTrue(con.Status.Conditions, "Ready") {
				t.Error("a promise that cannot be kept makes the connection unusable")
			}
		})
	}
}

func TestFiguresAloneWriteNothing(t *testing.T) {
	con := newConnection()
	pass(con, working(), today)
	before := con.Status.DeepCopy()
	later := working()
	later.report.Buckets[0].Remaining = 3
	later.report.Sweep.CompletedAt = today.Add(3 * time.Hour)
	pass(con, later, today.Add(3*time.Hour))
	if !status.Same(*before, con.Status) {
		t.Error("a budget that moves causes a write")
	}
	later.report.Sweep.Accounts = 251
	pass(con, later, today.Add(3*time.Hour))
	if *con.Status.Sweep.Accounts != 251 || *con.Status.Budget[0].Remaining != 3 {
		t.Errorf("another number of accounts is not written: %+v", con.Status.Sweep)
	}
	later.report.Sweep.CompletedAt = today.Add(30 * time.Hour)
	pass(con, later, today.Add(30*time.Hour))
	if got := con.Status.Sweep.CompletedAt; !got.Time.Equal(today.Add(30 * time.Hour)) {
		t.Errorf("the heartbeat did not write: %v", got)
	}
}

func TestTheReportIsSortedByTier(t *testing.T) {
	con := newConnection()
	pass(con, working(), today)
	f := con.Status.Freshness
	if len(f) != 2 || f[0].Tier != "directorate" || f[1].Tier != "school" || f[1].Promised.Duration != 72*time.Hour {
		t.Errorf("got %+v", f)
	}
	for _, one := range con.Status.Conditions {
		if _, ok := v1alpha1.FindState(v1alpha1.KindPlatformConnection, one); !ok {
			t.Errorf("%s=%s/%s is not in the catalogue", one.Type, one.Status, one.Reason)
		}
	}
}

// What many accounts seem to have in common is told once, and is no outage.
func TestAMassChangeIsToldOnce(t *testing.T) {
	con := newConnection()
	pass(con, working(), today)
	f := working()
	f.report.MassChange = &observe.MassChange{Since: today, What: "displayName", Accounts: 60, Share: 30}
	message := "60 accounts (30% of those looked at) changed together: displayName; held back since 2026-11-23T12:00:00Z until a further look confirms it"
	expectEvents(t, pass(con, f, today), v1alpha1.EventMassChange)
	expect(t, con, "Available", v1alpha1.AvailableMassChange, message)
	expect(t, con, "Ready", v1alpha1.ConnectionMassChange, message)
	before := con.Status.DeepCopy()
	expectEvents(t, pass(con, f, today.Add(time.Minute)))
	if !status.Same(*before, con.Status) {
		t.Error("it is written again")
	}
	expectEvents(t, pass(con, working(), today.Add(time.Hour)), v1alpha1.EventPlatformRecovered)
	expect(t, con, "Available", v1alpha1.AvailableReachable, "the platform answers")
}
