package status_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	apply "mithaq.dev/mithaq/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"mithaq.dev/mithaq/internal/status"
)

func fullStatus() v1alpha1.SocialAccountStatus {
	c := begin(nil, monday)
	c.Put(v1alpha1.ObservedSuspended, "X suspended account 42")
	c.Put(v1alpha1.CompliantViolated, "violated: identity/verified")
	at := status.Time(monday)
	return v1alpha1.SocialAccountStatus{
		ObservedGeneration: 3, AccountID: "42", Conditions: c.List(),
		Profile: &v1alpha1.LiveProfile{
			Handle: "edu_riyadh", DisplayName: "تعليم الرياض", Verified: ptr(false), Followers: ptr(int64(0)),
			State: v1alpha1.StateSuspended, ObservedAt: &at,
		},
		Drift: []v1alpha1.Drift{{Field: "bio", Want: "a", Since: at}},
		Findings: []v1alpha1.Finding{{
			Rule: "identity/verified", Policy: "moe-manual", PolicyVersion: "1.0", Severity: "Medium", Verdict: "Violated",
			Mode: "Enforce", Evidence: "Observed", Responsible: "a@edu.example", Since: at, Message: "no badge",
		}},
		Evaluation:  &v1alpha1.Evaluation{Digest: "d", Rules: ptr(int32(1)), Passed: ptr(int32(0)), Violated: ptr(int32(1)), Unknown: ptr(int32(0)), Excepted: ptr(int32(0))},
		Transitions: []v1alpha1.Transition{{Sequence: 1, At: at, Condition: "Observed", From: "Unknown", To: "False", Reason: "Suspended"}},
	}
}

func TestAsLosesNothing(t *testing.T) {
	want := fullStatus()
	ac, err := status.As[apply.SocialAccountStatusApplyConfiguration](want)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(ac)
	if err != nil {
		t.Fatal(err)
	}
	var got v1alpha1.SocialAccountStatus
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	utc := cmp.Transformer("utc", func(t metav1.Time) time.Time { return t.UTC() })
	if diff := cmp.Diff(want, got, utc); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !status.Same(want, got) {
		t.Error("a status that was read back is not the same")
	}
}

func TestAsLeavesOutWhatIsEmptySoThatApplyRemovesIt(t *testing.T) {
	ac, err := status.As[apply.SocialAccountStatusApplyConfiguration](v1alpha1.SocialAccountStatus{AccountID: "42"})
	if err != nil {
		t.Fatal(err)
	}
	if ac.Profile != nil || ac.Drift != nil || ac.Findings != nil || ac.Credentials != nil || ac.ObservedGeneration != nil {
		t.Errorf("got %+v", ac)
	}
}

func TestSameTellsWhatDiffers(t *testing.T) {
	a, b := fullStatus(), fullStatus()
	b.Drift = nil
	if status.Same(a, b) {
		t.Error("a status without drift equals one with drift")
	}
	b = fullStatus()
	b.Custody = []v1alpha1.Custody{}
	if !status.Same(a, b) {
		t.Error("nil and empty differ")
	}
}
