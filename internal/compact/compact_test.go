package compact

import (
	"encoding/json"
	"fmt"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// account is as a decoder makes it: each string by itself.
func account(t testing.TB, n int) *v1alpha1.SocialAccount {
	t.Helper()
	raw := fmt.Sprintf(`{
		"metadata": {"name": "a%[1]d", "namespace": "edu-riyadh", "labels": {"tier": "school", "body": "%[1]d"}, "annotations": {"mithaq.dev/check-requested": "1"}},
		"spec": {"platform": "X", "handle": "edu_%[1]d", "tier": "school", "purpose": "news", "connectionRef": {"name": "x-moe"},
			"owner": {"unit": "riyadh", "accountable": "p%[1]d@edu.example", "contact": "media@edu.example"}, "profile": {"displayName": "N%[1]d", "website": "https://edu.example"},
			"team": [{"person": "p%[1]d@edu.example", "roles": ["Publisher"]}], "attestations": [{"control": "two-factor", "by": "p%[1]d@edu.example", "at": "2026-01-01T00:00:00Z"}],
			"acknowledgements": [{"person": "p%[1]d@edu.example", "policy": "manual", "version": "1.0", "at": "2026-01-01T00:00:00Z"}]},
		"status": {"conditions": [{"type": "Observed", "status": "True", "reason": "Fresh", "message": "seen as edu_%[1]d"}, {"type": "Governed", "status": "True", "reason": "PolicyMatched", "message": "governed by manual"}],
			"profile": {"handle": "edu_%[1]d", "bio": "official", "avatarURL": "https://cdn.example/%[1]d", "state": "Active"}, "evaluation": {"digest": "aa"},
			"findings": [{"rule": "rules/one", "policy": "manual", "policyVersion": "1.0", "message": "broken", "verdict": "Violated"}],
			"transitions": [{"sequence": 1, "at": "2026-01-01T00:00:00Z", "condition": "Compliant", "from": "True", "to": "False", "reason": "Violated"}]}}`, n)
	acc := &v1alpha1.SocialAccount{}
	if err := json.Unmarshal([]byte(raw), acc); err != nil {
		t.Fatal(err)
	}
	return acc
}

func transformed(t *testing.T, transform func(any) (any, error), o any) *v1alpha1.SocialAccount {
	t.Helper()
	out, err := transform(o)
	if err != nil {
		t.Fatal(err)
	}
	acc, ok := out.(*v1alpha1.SocialAccount)
	if !ok {
		t.Fatalf("got %T", out)
	}
	return acc
}

func same(a, b string) bool { return a == b && unsafe.StringData(a) == unsafe.StringData(b) }

func TestEqualStringsAreHeldOnceAndNothingElseChanges(t *testing.T) {
	transform := Account()
	a, b := transformed(t, transform, account(t, 1)), transformed(t, transform, account(t, 2))
	for n, acc := range []*v1alpha1.SocialAccount{a, b} {
		if diff := cmp.Diff(account(t, n+1), acc); diff != "" {
			t.Error(diff)
		}
	}
	for what, pair := range map[string][2]string{
		"namespace": {a.Namespace, b.Namespace}, "tier": {string(a.Spec.Tier), string(b.Spec.Tier)}, "role": {string(a.Spec.Team[0].Roles[0]), string(b.Spec.Team[0].Roles[0])},
		"policy": {string(a.Spec.Acknowledgements[0].Policy), string(b.Status.Findings[0].Policy)}, "reason": {a.Status.Conditions[1].Reason, b.Status.Conditions[1].Reason},
		"message": {a.Status.Conditions[1].Message, b.Status.Conditions[1].Message}, "bio": {a.Status.Profile.Bio, b.Status.Profile.Bio},
		"person": {string(a.Spec.Owner.Accountable), string(a.Spec.Attestations[0].By)},
	} {
		if !same(pair[0], pair[1]) {
			t.Errorf("%s: %q is held twice", what, pair[0])
		}
	}
}

func TestWhatNobodyReadsIsDropped(t *testing.T) {
	acc := account(t, 1)
	acc.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	acc.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
	acc = transformed(t, Account(), acc)
	if acc.ManagedFields != nil || len(acc.Annotations) != 1 || acc.Annotations["mithaq.dev/check-requested"] != "1" {
		t.Errorf("got %v, %v", acc.ManagedFields, acc.Annotations)
	}
	gone := cache.DeletedFinalStateUnknown{Key: "edu/a"}
	if got, err := Account()(gone); err != nil || got != any(gone) {
		t.Errorf("a tombstone became %v, %v", got, err)
	}
}

func TestNobodyMakesTheTableGrowForEver(t *testing.T) {
	table := newTable()
	for i := range 3 * maxStrings {
		s := fmt.Sprint(i)
		share(table, &s)
		if s != fmt.Sprint(i) {
			t.Fatalf("%d became %s", i, s)
		}
	}
	long := string(make([]byte, maxLength+1))
	share(table, &long)
	if _, held := table.strings[long]; held || len(table.strings) > maxStrings {
		t.Errorf("%d strings are held", len(table.strings))
	}
}
