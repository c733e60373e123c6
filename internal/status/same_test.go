package status_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/randfill"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/status"
)

// agrees compares values of few values, which are alike in most fields, with what the
// API's own comparison says of them.
func agrees[S any](t *testing.T) {
	t.Helper()
	fill := randfill.NewWithSeed(11).NilChance(0.4).NumElements(0, 2).Funcs(
		func(s *string, c randfill.Continue) { *s = fmt.Sprint(c.Intn(2)) },
		func(n *int64, c randfill.Continue) { *n = c.Int63n(2) },
		func(n *int32, c randfill.Continue) { *n = c.Int31n(2) },
		func(at *metav1.Time, c randfill.Continue) {
			at.Time = time.Unix(c.Int63n(2), 0)
			if c.Bool() {
				at.Time = at.UTC()
			}
		},
	)
	alike := 0
	for i := range 3000 {
		var a, b S
		fill.Fill(&a)
		if fill.Fill(&b); i%2 == 0 { // what the API server makes of it
			b = stored(t, a)
		}
		want := equality.Semantic.DeepEqual(a, b)
		if got := status.Same(a, b); got != want {
			t.Fatalf("same is %t, want %t:\n%+v\n%+v", got, want, a, b)
		}
		if !status.Same(a, a) {
			t.Fatalf("it is not the same as itself: %+v", a)
		}
		if want {
			alike++
		}
	}
	if alike < 500 {
		t.Errorf("%d pairs of 3000 are alike, too few", alike)
	}
}

func stored[S any](t *testing.T, s S) (out S) {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSameAgreesWithTheAPIsOwnComparison(t *testing.T) {
	t.Run("account", agrees[v1alpha1.SocialAccountStatus])
	t.Run("connection", agrees[v1alpha1.PlatformConnectionStatus])
	t.Run("policy", agrees[v1alpha1.GovernancePolicyStatus])
	t.Run("condition", agrees[metav1.Condition])
	t.Run("finding", agrees[v1alpha1.Finding])
	t.Run("drift", agrees[[]v1alpha1.Drift])
	t.Run("window", agrees[*v1alpha1.LiveProfile])
}

func TestSameLooksAtEveryField(t *testing.T) {
	at := metav1.NewTime(monday)
	full := v1alpha1.SocialAccountStatus{
		ObservedGeneration: 1, AccountID: "1", Conditions: []metav1.Condition{{Type: "Ready", LastTransitionTime: at}},
		Profile: &v1alpha1.LiveProfile{Handle: "a"}, Findings: []v1alpha1.Finding{{Rule: "r"}}, Transitions: []v1alpha1.Transition{{Sequence: 1}},
	}
	for what, change := range map[string]func(*v1alpha1.SocialAccountStatus){
		"generation": func(s *v1alpha1.SocialAccountStatus) { s.ObservedGeneration = 2 }, "handle": func(s *v1alpha1.SocialAccountStatus) { s.Profile.Handle = "b" },
		"moment": func(s *v1alpha1.SocialAccountStatus) {
			s.Conditions[0].LastTransitionTime = metav1.NewTime(monday.Add(time.Second))
		}, "finding": func(s *v1alpha1.SocialAccountStatus) { s.Findings = append(s.Findings, v1alpha1.Finding{}) },
		"no profile": func(s *v1alpha1.SocialAccountStatus) { s.Profile = nil }, "sequence": func(s *v1alpha1.SocialAccountStatus) { s.Transitions[0].Sequence = 2 },
	} {
		other := full.DeepCopy()
		if !status.Same(full, *other) {
			t.Errorf("a copy is another")
		}
		if change(other); status.Same(full, *other) {
			t.Errorf("%s: the change is not seen", what)
		}
	}
	zoned := full.DeepCopy()
	zoned.Conditions[0].LastTransitionTime, zoned.Drift = metav1.NewTime(monday.In(time.FixedZone("", 3*3600))), []v1alpha1.Drift{}
	if !status.Same(full, *zoned) {
		t.Error("another zone, or an empty list, is taken for news")
	}
}

func BenchmarkSame(b *testing.B) {
	one := v1alpha1.SocialAccountStatus{
		Conditions: make([]metav1.Condition, 6), Profile: &v1alpha1.LiveProfile{Handle: "a", Bio: "official"}, Findings: make([]v1alpha1.Finding, 3),
		Evaluation: &v1alpha1.Evaluation{Digest: "a"}, Transitions: make([]v1alpha1.Transition, 4),
	}
	two := one.DeepCopy()
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			status.Same(&one, two)
		}
	})
	b.Run("reflected", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			equality.Semantic.DeepEqual(&one, two)
		}
	})
}
