package socialaccount

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/observe"
)

func rivalled(f *facts) {
	f.rival = &types.NamespacedName{Namespace: "old", Name: "first"}
	f.view, f.watched = observe.View{}, false
}

func paused(f *facts) {
	f.paused, f.watched = true, false
	f.account.Spec.Suspend = &v1alpha1.Suspension{Until: metav1.NewTime(today.Add(time.Hour)), Reason: "migration"}
	f.view = observe.View{Snapshot: seen(), Restored: true}
}

func unobservable(f *facts) {
	f.observable, f.readable, f.watched, f.view = false, 0, false, observe.View{}
	f.account.Spec.Platform = v1alpha1.PlatformSnapchat
}

func unconnected(f *facts) {
	f.connection, f.noConnection = "", "spec.connectionRef: PlatformConnection x-none does not exist"
	f.watched, f.view = false, observe.View{Snapshot: seen(), Restored: true}
}

func lane(reason observe.LaneReason) func(*facts) {
	return func(f *facts) { f.view.Lane = observe.LaneState{Reason: reason, Message: "lane " + string(reason)} }
}

func says(o observe.Outcome) func(*facts) {
	return func(f *facts) { f.view.Snapshot = outcome(o) }
}

func unseen(f *facts)   { f.view.Snapshot = nil }
func untold(f *facts)   { f.view.Untold = true }
func stale(f *facts)    { f.view.Stale = true }
func restored(f *facts) { f.view.Restored = true }

// decided makes an earlier process have decided Observed.
func decided(s v1alpha1.State, message string) func(*facts) {
	return func(f *facts) {
		f.account.Status.Conditions = []metav1.Condition{{
			Type: s.Type(), Status: s.Status(), Reason: s.Reason(), Message: message, LastTransitionTime: metav1.NewTime(created),
		}}
	}
}

func TestObserved(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  []func(*facts)
		want    v1alpha1.State
		message string
	}{
		{"seen", nil, v1alpha1.ObservedFresh, "seen as edu_riyadh, account 42"},
		{"suspended", []func(*facts){says(observe.Suspended)}, v1alpha1.ObservedSuspended, "X suspended account 42"},
		{"not found", []func(*facts){says(observe.NotFound)}, v1alpha1.ObservedNotFound, "X has no account 42"},
		{"never found", []func(*facts){func(f *facts) { f.view.Snapshot = &observe.Snapshot{Outcome: observe.NotFound, At: today} }}, v1alpha1.ObservedNotFound, "X has no handle edu_riyadh"},
		{"deactivated", []func(*facts){says(observe.Deactivated)}, v1alpha1.ObservedDeactivated, "X says that account 42 was deactivated"},
		{"handle reassigned", []func(*facts){says(observe.HandleReassigned), func(f *facts) { f.view.Snapshot.HolderID = "666" }}, v1alpha1.ObservedHandleReassigned, "handle edu_riyadh belongs to account 666 now, not to 42"},
		{"not asked yet", []func(*facts){unseen}, v1alpha1.ObservedAwaiting, "the platform has not been asked yet"},
		{"asked, and not told", []func(*facts){unseen, untold}, v1alpha1.ObservedAwaiting, "X was asked and says nothing of this account: the credential of PlatformConnection x-moe may not be permitted to read it"},
		{"asked, and not told, in an outage", []func(*facts){unseen, untold, lane(observe.LanePlatformUnavailable)}, v1alpha1.ObservedPlatformUnavailable, "lane PlatformUnavailable"},
		{"connection not open yet", []func(*facts){unseen, lane(observe.LaneConnectionMissing)}, v1alpha1.ObservedAwaiting, "the platform has not been asked yet"},
		{"stale", []func(*facts){stale}, v1alpha1.ObservedStale, "not seen for more than 6h0m0s"},
		{"platform unavailable", []func(*facts){lane(observe.LanePlatformUnavailable)}, v1alpha1.ObservedPlatformUnavailable, "lane PlatformUnavailable"},
		{"throttled", []func(*facts){lane(observe.LaneThrottled)}, v1alpha1.ObservedThrottled, "lane Throttled"},
		{"budget exhausted", []func(*facts){lane(observe.LaneBudgetExhausted)}, v1alpha1.ObservedBudgetExhausted, "lane BudgetExhausted"},
		{"unauthorized", []func(*facts){lane(observe.LaneUnauthorized)}, v1alpha1.ObservedUnauthorized, "lane Unauthorized"},
		{"lane without such a read", []func(*facts){lane(observe.LaneNotObservable)}, v1alpha1.ObservedNotObservable, "lane NotObservable"},
		{"no adapter", []func(*facts){unobservable}, v1alpha1.ObservedNotObservable, "this version has no adapter for Snapchat"},
		{"no connection", []func(*facts){unconnected}, v1alpha1.ObservedAwaiting, "spec.connectionRef: PlatformConnection x-none does not exist"},
		{"paused", []func(*facts){paused}, v1alpha1.ObservedPaused, "suspended until 2026-11-23T13:00:00Z: migration"},
		{"duplicate claim", []func(*facts){rivalled}, v1alpha1.ObservedDuplicateClaim, "declared by the older SocialAccount old/first"},

		{"restart keeps what was decided", []func(*facts){restored, says(observe.Suspended), decided(v1alpha1.ObservedSuspended, "as before")}, v1alpha1.ObservedSuspended, "as before"},
		{"restart during an outage keeps it", []func(*facts){restored, decided(v1alpha1.ObservedPlatformUnavailable, "as before")}, v1alpha1.ObservedPlatformUnavailable, "as before"},
		{"restart before the connection is open keeps it", []func(*facts){restored, lane(observe.LaneConnectionMissing), decided(v1alpha1.ObservedFresh, "as before")}, v1alpha1.ObservedFresh, "as before"},
		{"a pause that ended is not kept", []func(*facts){restored, decided(v1alpha1.ObservedPaused, "as before")}, v1alpha1.ObservedAwaiting, "the platform has not been asked yet"},
		{"a duplicate that ended is not kept", []func(*facts){restored, decided(v1alpha1.ObservedDuplicateClaim, "as before")}, v1alpha1.ObservedAwaiting, "the platform has not been asked yet"},
		{"an unknown reason of another version is not kept", []func(*facts){restored, decided(v1alpha1.GovernedMatched, "")}, v1alpha1.ObservedAwaiting, "the platform has not been asked yet"},

		{"rival beats pause", []func(*facts){paused, rivalled}, v1alpha1.ObservedDuplicateClaim, ""},
		{"pause beats no adapter", []func(*facts){unobservable, paused, func(f *facts) { f.observable = false }}, v1alpha1.ObservedPaused, ""},
		{"no adapter beats no connection", []func(*facts){unconnected, unobservable}, v1alpha1.ObservedNotObservable, ""},
		{"no connection beats the lane", []func(*facts){lane(observe.LaneUnauthorized), func(f *facts) { f.connection, f.noConnection = "", "none" }}, v1alpha1.ObservedAwaiting, "none"},
		{"lane beats awaiting", []func(*facts){unseen, lane(observe.LanePlatformUnavailable)}, v1alpha1.ObservedPlatformUnavailable, ""},
		{"lane beats stale", []func(*facts){stale, lane(observe.LanePlatformUnavailable)}, v1alpha1.ObservedPlatformUnavailable, ""},
		{"lane beats what was said", []func(*facts){says(observe.Suspended), lane(observe.LaneThrottled)}, v1alpha1.ObservedThrottled, ""},
		{"stale beats restored", []func(*facts){stale, restored, decided(v1alpha1.ObservedFresh, "")}, v1alpha1.ObservedStale, ""},
		{"stale beats what was said", []func(*facts){stale, says(observe.NotFound)}, v1alpha1.ObservedStale, ""},
		{"restored beats what was said", []func(*facts){restored, says(observe.NotFound), decided(v1alpha1.ObservedFresh, "")}, v1alpha1.ObservedFresh, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			for _, change := range c.change {
				change(&f)
			}
			got := condition(t, decide(f, today), v1alpha1.ConditionObserved)
			if got.Status != c.want.Status() || got.Reason != c.want.Reason() {
				t.Fatalf("%s/%s %q, want %s/%s", got.Status, got.Reason, got.Message, c.want.Status(), c.want.Reason())
			}
			if c.message != "" && got.Message != c.message {
				t.Errorf("message %q, want %q", got.Message, c.message)
			}
		})
	}
}

func TestEveryLaneReasonHasAState(t *testing.T) {
	for _, reason := range []observe.LaneReason{
		observe.LanePlatformUnavailable, observe.LaneThrottled, observe.LaneBudgetExhausted, observe.LaneUnauthorized, observe.LaneNotObservable,
	} {
		if s := laneState(reason); s.IsZero() || s.Status() != metav1.ConditionUnknown {
			t.Errorf("%s becomes %s/%s", reason, s.Status(), s.Reason())
		}
	}
	for _, reason := range []observe.LaneReason{"", observe.LaneConnectionMissing} {
		if s := laneState(reason); !s.IsZero() {
			t.Errorf("%q stands in the way as %s", reason, s.Reason())
		}
	}
}

func TestAnOutageChangesNothingButObserved(t *testing.T) {
	for _, problem := range []struct {
		name   string
		before func(*facts)
	}{
		{"in order", func(*facts) {}},
		{"defaced", func(f *facts) { f.view.Snapshot.Profile.DisplayName = "Hacked"; f.view.Snapshot.Profile.Bio = "" }},
		{"suspended", says(observe.Suspended)},
		{"not found", says(observe.NotFound)},
		{"reassigned", says(observe.HandleReassigned)},
	} {
		for _, obstacle := range []func(*facts){
			lane(observe.LanePlatformUnavailable), lane(observe.LaneThrottled), lane(observe.LaneBudgetExhausted), lane(observe.LaneUnauthorized), stale,
		} {
			f := inOrder(t)
			problem.before(&f)
			pass(&f, today)
			before := pass(&f, today)
			view := f.view
			obstacle(&f)
			during := pass(&f, today.Add(time.Hour))
			got := condition(t, during, v1alpha1.ConditionObserved)
			t.Run(problem.name+"/"+got.Reason, func(t *testing.T) {
				if got.Status != metav1.ConditionUnknown {
					t.Errorf("Observed is %s", got.Status)
				}
				expectEvents(t, during)
				expectSame(t, before, during)
				f.view = view
				after := pass(&f, today.Add(2*time.Hour))
				expectEvents(t, after)
				expectSame(t, before, after)
				if got := condition(t, after, v1alpha1.ConditionObserved); got.Reason != condition(t, before, v1alpha1.ConditionObserved).Reason {
					t.Errorf("afterwards Observed is %s/%s", got.Status, got.Reason)
				}
			})
		}
	}
}

func TestTimeAloneIsWatchedWhileAPauseLasts(t *testing.T) {
	f := inOrder(t)
	paused(&f)
	if d := decide(f, today); !d.next.Equal(f.account.Spec.Suspend.Until.Time) {
		t.Errorf("the next look at the clock is %v", d.next)
	}
}

func TestReadySumsUp(t *testing.T) {
	for _, c := range []struct {
		name            string
		change          func(*facts)
		status          metav1.ConditionStatus
		reason, message string
	}{
		{"in order", func(*facts) {}, "True", "Reconciled", ""},
		{"a bad name does not block a deployment", func(f *facts) { f.view.Snapshot.Profile.Bio = "x" }, "True", "Reconciled", ""},
		{"suspended", says(observe.Suspended), "False", "Suspended", "Observed: X suspended account 42"},
		{"not governed", func(f *facts) { f.policies = nil }, "False", "NoPolicyMatched", "Governed: no policy selects the account"},
		{"outage and not governed", func(f *facts) { lane(observe.LaneThrottled)(f); f.policies = nil }, "False", "NoPolicyMatched", "Governed: no policy selects the account"},
		{"outage", lane(observe.LaneThrottled), "Unknown", "Throttled", "Observed: lane Throttled"},
		{"credentials that this version does not try", func(f *facts) { f.account.Spec.Credentials = &v1alpha1.AccountCredentials{} }, "Unknown", "NotYetVerified", "the credential has not been tried yet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			c.change(&f)
			got := condition(t, decide(f, today), v1alpha1.ConditionReady)
			if got.Status != c.status || got.Reason != c.reason || got.Message != c.message {
				t.Errorf("Ready is %s/%s %q, want %s/%s %q", got.Status, got.Reason, got.Message, c.status, c.reason, c.message)
			}
		})
	}
}

func TestReconcilingAndStalledAppearOnlyWhileTrue(t *testing.T) {
	for _, c := range []struct {
		name        string
		change      func(*facts)
		reconciling bool
		stalled     bool
	}{
		{"in order", func(*facts) {}, false, false},
		{"awaiting", unseen, true, false},
		{"no connection", unconnected, false, true},
		{"no connection, but a rival", func(f *facts) { unconnected(f); rivalled(f) }, false, false},
		{"no connection, but paused", func(f *facts) { paused(f); f.connection = "" }, false, false},
		{"no adapter", unobservable, false, false},
		{"outage", lane(observe.LanePlatformUnavailable), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			c.change(&f)
			d := decide(f, today)
			got := map[string]bool{}
			for _, one := range d.status.Conditions {
				got[one.Type] = true
				if _, ok := v1alpha1.FindState(v1alpha1.KindSocialAccount, one); !ok {
					t.Errorf("%s=%s/%s is not in the catalogue", one.Type, one.Status, one.Reason)
				}
				if one.ObservedGeneration != 3 {
					t.Errorf("%s judges generation %d", one.Type, one.ObservedGeneration)
				}
			}
			for _, always := range []string{"Observed", "Governed", "Compliant", "CredentialsHealthy", "HandoverComplete", "Ready"} {
				if !got[always] {
					t.Errorf("there is no condition %s", always)
				}
			}
			if got["Reconciling"] != c.reconciling || got["Stalled"] != c.stalled {
				t.Errorf("Reconciling %v, Stalled %v", got["Reconciling"], got["Stalled"])
			}
		})
	}
}
