package compact

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/randfill"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// account is as a decoder makes it: each string by itself.
func account(t testing.TB, n int) *v1alpha1.SocialAccount {
	t.Helper()
	raw := fmt.Sprintf(`{
		"metadata": {"name": "a%[1]d", "namespace": "edu-riyadh", "uid": "0b1d-%[1]d", "resourceVersion": "%[1]d", "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z",
			"labels": {"tier": "school", "body": "%[1]d"}, "annotations": {"mithaq.dev/check-requested": "1"}},
		"spec": {"platform": "X", "handle": "edu_%[1]d", "tier": "school", "purpose": "news", "connectionRef": {"name": "x-moe"},
			"owner": {"unit": "riyadh", "accountable": "p%[1]d@edu.example", "contact": "media@edu.example"}, "profile": {"displayName": "مدرسة %[1]d", "website": "https://edu.example"},
			"team": [{"person": "p%[1]d@edu.example", "roles": ["Publisher"]}], "attestations": [{"control": "two-factor", "by": "p%[1]d@edu.example", "at": "2026-01-01T00:00:00Z"}],
			"acknowledgements": [{"person": "p%[1]d@edu.example", "policy": "manual", "version": "1.0", "at": "2026-01-01T00:00:00Z"}]},
		"status": {"conditions": [{"type": "Observed", "status": "True", "reason": "Fresh", "message": "seen as edu_%[1]d", "lastTransitionTime": "2026-01-01T00:00:00Z"}, {"type": "Governed", "status": "True", "reason": "PolicyMatched", "message": "governed by manual", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
			"profile": {"handle": "edu_%[1]d", "bio": "official", "avatarURL": "https://cdn.example/%[1]d", "state": "Active", "observedAt": "2026-01-01T00:00:00Z"}, "evaluation": {"digest": "7eb91e18d29b9e6ec593b5e52196a329d44e58d952dbeb7312b0d5f6996bd956"},
			"findings": [{"rule": "rules/one", "policy": "manual", "policyVersion": "1.0", "message": "broken", "verdict": "Violated"}],
			"transitions": [{"sequence": 1, "at": "2026-01-01T00:00:00Z", "condition": "Compliant", "from": "True", "to": "False", "reason": "Violated"}]}}`, n)
	acc := &v1alpha1.SocialAccount{}
	if err := json.Unmarshal([]byte(raw), acc); err != nil {
		t.Fatal(err)
	}
	return acc
}

func pack(t testing.TB, p *packer, o any) *packed {
	t.Helper()
	out, err := p.pack(o)
	if err != nil {
		t.Fatal(err)
	}
	is, ok := out.(*packed)
	if !ok {
		t.Fatalf("got %T", out)
	}
	return is
}

func TestAPackedAccountSaysTheSame(t *testing.T) {
	p := newPacker()
	for n := range 40 { // some before and some after what they share is known
		is := pack(t, p, account(t, n))
		if diff := cmp.Diff(account(t, n), is.account()); diff != "" {
			t.Fatal(diff)
		}
		if m := is.GetObjectMeta(); m.GetName() != fmt.Sprint("a", n) || m.GetNamespace() != "edu-riyadh" || m.GetResourceVersion() != fmt.Sprint(n) || m.GetUID() == "" {
			t.Fatalf("metadata became %v", m)
		}
	}
}

// Every field of the type, whatever it holds, and whatever else was packed before.
func TestEveryFieldIsKept(t *testing.T) {
	fill := randfill.NewWithSeed(7).NilChance(0.3).NumElements(0, 4).MaxDepth(20).Funcs(
		func(s *string, c randfill.Continue) { *s = strings.Repeat(fmt.Sprint(c.Intn(40)), c.Intn(90)) },
		func(at *metav1.Time, c randfill.Continue) {
			if c.Intn(4) > 0 {
				at.Time = time.Unix(c.Int63n(1<<33)-1<<32, c.Int63n(2)*c.Int63n(1e9))
			}
		},
		func(m *[]metav1.ManagedFieldsEntry, _ randfill.Continue) { *m = nil },
	)
	p := newPacker()
	for range 2000 {
		want := &v1alpha1.SocialAccount{}
		fill.Fill(want)
		if got := pack(t, p, want.DeepCopy()).account(); !reflect.DeepEqual(want, got) {
			t.Fatal(cmp.Diff(want, got))
		}
	}
}

func TestWhatNobodyReadsIsDropped(t *testing.T) {
	acc := account(t, 1)
	acc.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	acc.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
	acc = pack(t, newPacker(), acc).account()
	if acc.ManagedFields != nil || len(acc.Annotations) != 1 || acc.Annotations["mithaq.dev/check-requested"] != "1" {
		t.Errorf("got %v, %v", acc.ManagedFields, acc.Annotations)
	}
}

func TestATombstoneHoldsWhatWasPacked(t *testing.T) {
	p := newPacker()
	gone := cache.DeletedFinalStateUnknown{Key: "edu-riyadh/a1", Obj: pack(t, p, account(t, 1))}
	if got, err := p.pack(gone); err != nil || got != any(gone) {
		t.Errorf("a tombstone became %v, %v", got, err)
	}
	shown, ok := unpacked(gone).(cache.DeletedFinalStateUnknown)
	if !ok || shown.Key != gone.Key || !reflect.DeepEqual(shown.Obj, any(account(t, 1))) {
		t.Errorf("it is shown as %v", shown)
	}
}

func TestTornBytesAreNoAccount(t *testing.T) {
	is := pack(t, newPacker(), account(t, 1))
	for n := range len(is.in) {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d bytes of %d are taken for an account", n, len(is.in))
				}
			}()
			(&packed{in: is.in[:n], table: is.table}).account()
		}()
	}
}

func TestWhatCannotBePackedIsRefused(t *testing.T) {
	for what, of := range map[string]reflect.Type{
		"an interface": reflect.TypeFor[struct{ A any }](), "a hidden field": reflect.TypeFor[struct{ a int }](), "a map of numbers": reflect.TypeFor[map[string]int](),
	} {
		if _, err := newCodec(of); err == nil {
			t.Errorf("%s can be packed", what)
		}
	}
}

func TestNobodyMakesTheTableGrowForEver(t *testing.T) {
	table := newTable()
	for i := range 2 * counters {
		if n, ok := table.number(fmt.Sprint("only once ", i)); ok {
			t.Fatalf("a string that came once has number %d", n)
		}
	}
	for i := range maxStrings + 100 {
		s := fmt.Sprint("often ", i)
		for range often {
			table.number(s)
		}
	}
	if !table.full() {
		t.Errorf("%d strings are held", len(table.numbers))
	}
	long := strings.Repeat("x", maxLength+1)
	for range 2 * often {
		if _, ok := table.number(long); ok {
			t.Fatal("a long string is held")
		}
	}
}

// What was packed with a table that is full by now can still be read.
func TestAFullTableIsFollowedByAnother(t *testing.T) {
	p := newPacker()
	for n := range 2 * often {
		pack(t, p, account(t, n))
	}
	old := pack(t, p, account(t, 1))
	for i := 0; !p.table.full(); i++ {
		for range often {
			p.table.number(fmt.Sprint("s", i))
		}
	}
	if next := pack(t, p, account(t, 2)); next.table == old.table {
		t.Error("a full table is used on")
	}
	if diff := cmp.Diff(account(t, 1), old.account()); diff != "" {
		t.Error(diff)
	}
}
