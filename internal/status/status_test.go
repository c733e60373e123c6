package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/status"
)

var (
	monday  = time.Date(2026, 11, 23, 12, 0, 0, 999, time.UTC)
	tuesday = monday.Add(24 * time.Hour)
)

func begin(before []metav1.Condition, now time.Time) *status.Conditions {
	return status.Begin(before, 7, now)
}

func TestPutKeepsTheTimeOfATransitionWhileTheStatusIsTheSame(t *testing.T) {
	first := begin(nil, monday)
	first.Put(v1alpha1.ObservedPlatformUnavailable, "X does not answer")
	second := begin(first.List(), tuesday)
	second.Put(v1alpha1.ObservedThrottled, "X refuses")
	third := begin(second.List(), tuesday)
	third.Put(v1alpha1.ObservedFresh, "seen")

	want := metav1.Condition{
		Type: "Observed", Status: metav1.ConditionUnknown, Reason: "Throttled", Message: "X refuses",
		ObservedGeneration: 7, LastTransitionTime: metav1.NewTime(monday.Truncate(time.Second)),
	}
	if diff := cmp.Diff([]metav1.Condition{want}, second.List()); diff != "" {
		t.Errorf("another reason of the same status (-want +got):\n%s", diff)
	}
	if got := third.List()[0]; !got.LastTransitionTime.Equal(ptr(metav1.NewTime(tuesday.Truncate(time.Second)))) {
		t.Errorf("another status, but the transition is of %v", got.LastTransitionTime)
	}
}

func ptr[T any](v T) *T { return &v }

func TestPutTwiceCountsOnceAndKeepsThePlace(t *testing.T) {
	c := begin(nil, monday)
	c.Put(v1alpha1.ObservedFresh, "seen")
	c.Put(v1alpha1.GovernedMatched, "governed")
	c.Put(v1alpha1.ObservedStale, "not seen")
	if got := c.List(); len(got) != 2 || got[0].Reason != "Stale" || got[1].Type != "Governed" {
		t.Errorf("got %+v", got)
	}
	if got := c.State("Observed"); got != v1alpha1.ObservedStale {
		t.Errorf("state %v", got)
	}
	if got := c.State("Compliant"); !got.IsZero() {
		t.Errorf("a condition that nobody put is in state %v", got)
	}
}

func TestPutCutsAMessageThatTheServerWouldRefuse(t *testing.T) {
	c := begin(nil, monday)
	c.Put(v1alpha1.ObservedFresh, strings.Repeat("x", 40000))
	if n := len(c.List()[0].Message); n != 32768 {
		t.Errorf("the message has %d bytes", n)
	}
}

func TestKeepCarriesOverWhatAnotherControllerDecides(t *testing.T) {
	before := begin(nil, monday)
	before.Put(v1alpha1.HandoverInProgress, "the handover runs")
	c := status.Begin(before.List(), 8, tuesday)
	c.Keep("HandoverComplete", "CredentialsHealthy")
	if diff := cmp.Diff(before.List(), c.List()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if changes := c.Changes(); len(changes) != 0 {
		t.Errorf("what is kept changed: %v", changes)
	}
}

func TestChangesNameWhatDiffers(t *testing.T) {
	before := begin(nil, monday)
	before.Put(v1alpha1.ObservedFresh, "seen")
	before.Put(v1alpha1.GovernedMatched, "governed by a")
	c := begin(before.List(), tuesday)
	c.Put(v1alpha1.ObservedSuspended, "suspended")
	c.Put(v1alpha1.GovernedMatched, "governed by a, b")
	c.Put(v1alpha1.CompliantAllPass, "3 of 3")
	want := []status.Change{
		{Condition: "Observed", From: "True", To: "False", Was: "Fresh", Reason: "Suspended"},
		{Condition: "Compliant", From: "Unknown", To: "True", Was: "", Reason: "AllRulesPass"},
	}
	if diff := cmp.Diff(want, c.Changes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSummarise(t *testing.T) {
	fresh, suspended, stale := v1alpha1.ObservedFresh, v1alpha1.ObservedSuspended, v1alpha1.ObservedStale
	governed, ungoverned, invalid := v1alpha1.GovernedMatched, v1alpha1.GovernedNoPolicy, v1alpha1.GovernedPolicyInvalid
	verified, missing, untried := v1alpha1.CredentialsVerified, v1alpha1.CredentialsSecretMissing, v1alpha1.CredentialsNotYetVerified
	settled, failed := v1alpha1.HandoverSettled, v1alpha1.HandoverFailed
	for _, c := range []struct {
		name, typ, message string
		status             metav1.ConditionStatus
		states             []v1alpha1.State
	}{
		{"all true", "Observed", "", "True", []v1alpha1.State{fresh, governed, verified, settled}},
		{"unknown beats true", "Observed", "Observed: Stale", "Unknown", []v1alpha1.State{stale, governed, verified, settled}},
		{"false beats unknown that comes first", "Governed", "Governed: NoPolicyMatched", "False", []v1alpha1.State{stale, ungoverned, verified, settled}},
		{"the first of several false", "Observed", "Observed: Suspended; CredentialsHealthy: SecretMissing", "False", []v1alpha1.State{suspended, invalid, missing, settled}},
		{"order of the types, not of putting", "Observed", "Observed: Suspended; Governed: NoPolicyMatched", "False", []v1alpha1.State{ungoverned, suspended, verified, settled}},
		{"three messages at most", "Observed", "Observed: Suspended; Governed: NoPolicyMatched; CredentialsHealthy: SecretMissing", "False", []v1alpha1.State{suspended, ungoverned, missing, failed}},
		{"missing counts as unknown", "HandoverComplete", "HandoverComplete: ", "Unknown", []v1alpha1.State{fresh, governed, verified}},
		{"missing does not beat false", "Governed", "Governed: NoPolicyMatched", "False", []v1alpha1.State{ungoverned}},
		{"all unknown", "Observed", "Observed: Stale; Governed: PolicyInvalid; CredentialsHealthy: NotYetVerified", "Unknown", []v1alpha1.State{stale, invalid, untried}},
		{"nothing put at all", "Observed", "Observed: ; Governed: ; CredentialsHealthy: ", "Unknown", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			conditions := begin(nil, monday)
			for _, s := range c.states {
				conditions.Put(s, s.Reason())
			}
			got, message := conditions.Summarise("Observed", "Governed", "CredentialsHealthy", "HandoverComplete")
			if got.Type != c.typ || got.Status != c.status || message != c.message {
				t.Errorf("%s=%s %q, want %s=%s %q", got.Type, got.Status, message, c.typ, c.status, c.message)
			}
		})
	}
}

func TestRememberLeavesOutWhereAnAccountStartsAndWhatRepeatsOthers(t *testing.T) {
	changes := []status.Change{
		{Condition: "Observed", From: "Unknown", To: "True", Was: "", Reason: "Fresh"},
		{Condition: "Compliant", From: "Unknown", To: "Unknown", Was: "", Reason: "EvidenceMissing"},
		{Condition: "Governed", From: "Unknown", To: "False", Was: "", Reason: "NoPolicyMatched"},
		{Condition: "Ready", From: "True", To: "False", Was: "Reconciled", Reason: "NoPolicyMatched"},
		{Condition: "Reconciling", From: "Unknown", To: "True", Was: "", Reason: "AwaitingObservation"},
		{Condition: "Stalled", From: "Unknown", To: "True", Was: "", Reason: "ConnectionMissing"},
		{Condition: "HandoverComplete", From: "True", To: "False", Was: "Settled", Reason: "RotationInProgress"},
	}
	want := []v1alpha1.Transition{
		{Sequence: 1, At: status.Time(monday), Condition: "Governed", From: "Unknown", To: "False", Reason: "NoPolicyMatched"},
		{Sequence: 2, At: status.Time(monday), Condition: "HandoverComplete", From: "True", To: "False", Reason: "RotationInProgress"},
	}
	if diff := cmp.Diff(want, status.Remember(nil, changes, monday)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRememberNeverSkipsANumberAndKeepsTheLastTen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []v1alpha1.Transition
		total := int64(0)
		for range rapid.IntRange(1, 8).Draw(t, "passes") {
			var changes []status.Change
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				to := rapid.SampledFrom([]metav1.ConditionStatus{"True", "False", "Unknown"}).Draw(t, "to")
				changes = append(changes, status.Change{Condition: "Observed", From: "True", To: to, Was: "Fresh", Reason: "R"})
			}
			was := append([]v1alpha1.Transition(nil), all...)
			all = status.Remember(all, changes, monday)
			total += int64(len(changes))
			for i, kept := range was[max(0, len(was)-len(all)+len(changes)):] {
				if all[i] != kept {
					t.Fatalf("transition %d was rewritten: %v", i, all[i])
				}
			}
		}
		if len(all) != int(min(total, 10)) {
			t.Fatalf("%d of %d transitions are kept", len(all), total)
		}
		for i, one := range all {
			if one.Sequence != total-int64(len(all)-1-i) {
				t.Fatalf("sequence %d at place %d of %d", one.Sequence, i, len(all))
			}
		}
	})
}

func TestRememberDoesNotChangeWhatItWasGiven(t *testing.T) {
	before := make([]v1alpha1.Transition, 1, 20)
	before[0].Sequence = 41
	change := status.Change{Condition: "Observed", From: "True", To: "False", Was: "Fresh", Reason: "NotFound"}
	first := status.Remember(before, []status.Change{change}, monday)
	change.Reason = "Suspended"
	status.Remember(before, []status.Change{change}, monday)
	if first[1].Sequence != 42 || first[1].Reason != "NotFound" {
		t.Errorf("got %+v", first)
	}
}

func TestTimeIsWhatTheServerStores(t *testing.T) {
	local := time.FixedZone("Riyadh", 3*3600)
	if got := status.Time(monday.In(local)); got.Nanosecond() != 0 || got.Location() != time.UTC || !got.Time.Equal(monday.Truncate(time.Second)) {
		t.Errorf("got %v", got)
	}
}
