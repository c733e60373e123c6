package governancepolicy

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/tally"
)

// shipped is a part as another shard reads it.
func shipped(t *testing.T, p *part) *part {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var out part
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// However the fleet is divided, the parts are the whole.
func TestPartsAddUpToTheWhole(t *testing.T) {
	manual := compiled(t, "manual", v1alpha1.GovernancePolicySpec{Identity: handles("^edu_")})
	candidate := compiled(t, "next", v1alpha1.GovernancePolicySpec{Mode: v1alpha1.ModePreview, Tiers: tiers("directorate"), Identity: handles("^old_")}).Enforced()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(rt, "shards")
		whole, shards := tally.New(func(string) {}), make([]*tally.Tally, n)
		readable := map[v1alpha1.PlatformName]governance.Facts{v1alpha1.PlatformX: allFacts}
		all := &fleet{inForce: []*governance.Policy{manual}, readable: readable}
		parts, fleets := make([]*fleet, n), make([][]v1alpha1.SocialAccount, n+1)
		everybody := map[string]int{}
		for i := range parts {
			shards[i] = tally.New(func(string) {})
			parts[i] = &fleet{inForce: all.inForce, readable: readable, accountsOf: func(person string) int { return everybody[person] }}
		}
		for i := range rapid.IntRange(0, 60).Draw(rt, "accounts") {
			acc := seen(fmt.Sprintf("a%02d", i), rapid.SampledFrom([]v1alpha1.TierName{"school", "directorate"}).Draw(rt, "tier"), rapid.SampledFrom([]string{"edu_a", "old_a"}).Draw(rt, "handle"))
			if rapid.IntRange(0, 4).Draw(rt, "unseen") == 0 {
				acc.Status.Profile = nil
			}
			shard := rapid.IntRange(0, n-1).Draw(rt, "shard")
			fleets[n], fleets[shard] = append(fleets[n], acc), append(fleets[shard], acc)
			key := types.NamespacedName{Name: acc.Name}
			rule := governance.RuleResult{Policy: "next", Rule: rapid.SampledFrom([]string{"r1", "r2"}).Draw(rt, "rule"), Verdict: rapid.SampledFrom([]governance.Verdict{governance.Pass, governance.Violated, governance.Unknown}).Draw(rt, "verdict")}
			whole.Set(key, []string{"next"}, []governance.RuleResult{rule})
			shards[shard].Set(key, []string{"next"}, []governance.RuleResult{rule})
		}
		for i := range parts {
			parts[i].accounts = these(fleets[i]...)
		}
		all.accounts = these(fleets[n]...)
		for person, count := range people(all.accounts) {
			everybody[person] = count
		}
		var shown []*part
		for i := range parts {
			shown = append(shown, shipped(t, &part{UID: "u", Counts: shards[i].Policy("next"), Preview: compare(candidate, parts[i], today)}))
		}
		sum, ok := add("u", shown)
		if !ok {
			rt.Fatal("the parts are not of one policy")
		}
		want := whole.Policy("next")
		if len(want.Rules) == 0 {
			want.Rules = sum.Counts.Rules // nil or empty
		}
		if diff := cmp.Diff(want, sum.Counts); diff != "" {
			rt.Fatalf("counts -want +got:\n%s", diff)
		}
		if diff := cmp.Diff(compare(candidate, all, today).result(), sum.Preview.result()); diff != "" {
			rt.Fatalf("preview -want +got:\n%s", diff)
		}
	})
}

// Before all shards count under the same policy and preview the same edition, nothing
// is said of the whole.
func TestPartsOfDifferentEditionsAreNoWhole(t *testing.T) {
	if _, ok := add("new", []*part{{UID: "new"}, {UID: "old"}}); ok {
		t.Error("a policy that was deleted is counted")
	}
	if _, ok := add("u", []*part{{UID: "u", Epoch: 2}, {UID: "u", Epoch: 1}}); ok {
		t.Error("what was counted before a single process acted is counted")
	}
	sum, ok := add("u", []*part{{UID: "u", Preview: &previewPart{Digest: "1"}}, {UID: "u", Preview: &previewPart{Digest: "2"}}})
	if !ok || sum.Preview != nil {
		t.Errorf("previews of two editions make %+v", sum)
	}
	sum, ok = add("u", []*part{{UID: "u", Preview: &previewPart{Digest: "1"}}, {UID: "u"}})
	if !ok || sum.Preview != nil {
		t.Errorf("a preview of one of two shards makes %+v", sum)
	}
}
