package tally_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/tally"
)

// judged is what an account contributed last.
type judged struct {
	policies []string
	results  []governance.RuleResult
}

// recount counts the naive way.
func recount(fleet map[types.NamespacedName]judged, policy string) tally.Policy {
	var p tally.Policy
	rules := map[string]*tally.RuleCount{}
	for _, acc := range fleet {
		if !slices.Contains(acc.policies, policy) {
			continue
		}
		p.Selected++
		violated, unknown := false, false
		for _, r := range acc.results {
			if r.Policy != policy || r.Verdict != governance.Violated && r.Verdict != governance.Unknown {
				continue
			}
			if rules[r.Rule] == nil {
				rules[r.Rule] = &tally.RuleCount{Rule: r.Rule}
			}
			if r.Verdict == governance.Violated {
				violated = true
				rules[r.Rule].Violated++
			} else {
				unknown = true
				rules[r.Rule].Unknown++
			}
		}
		switch {
		case violated:
			p.Violating++
		case unknown:
			p.Unknown++
		default:
			p.Compliant++
		}
	}
	for _, r := range rules {
		p.Rules = append(p.Rules, *r)
	}
	slices.SortFunc(p.Rules, func(a, b tally.RuleCount) int {
		return cmp.Or(b.Violated-a.Violated, b.Unknown-a.Unknown, cmp.Compare(a.Rule, b.Rule))
	})
	return p
}

var names = []string{"p0", "p1", "p2"}

func drawJudged(t *rapid.T) judged {
	var j judged
	for _, policy := range names {
		if !rapid.Bool().Draw(t, "selected by "+policy) {
			continue
		}
		j.policies = append(j.policies, policy)
		for _, rule := range []string{"identity/verified", "identity/bio", "ownership/min-people"} {
			verdict := rapid.SampledFrom([]governance.Verdict{governance.Pass, governance.Violated, governance.Unknown, governance.Excepted}).Draw(t, policy+" "+rule)
			j.results = append(j.results, governance.RuleResult{Policy: policy, Rule: rule, Verdict: verdict, Mode: v1alpha1.FindingEnforce})
		}
	}
	return j
}

func TestCountsEqualARecountAfterAnySequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		told := map[string]bool{}
		counts := tally.New(func(policy string) { told[policy] = true })
		fleet := map[types.NamespacedName]judged{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			key := types.NamespacedName{Namespace: "n", Name: fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "account"))}
			before := map[string]tally.Policy{}
			for _, policy := range names {
				before[policy] = counts.Policy(policy)
			}
			clear(told)
			if rapid.IntRange(0, 3).Draw(t, "drop") == 0 {
				counts.Drop(key)
				delete(fleet, key)
			} else {
				j := drawJudged(t)
				counts.Set(key, j.policies, j.results)
				fleet[key] = j
			}
			if counts.Accounts() != len(fleet) {
				t.Fatalf("%d accounts, want %d", counts.Accounts(), len(fleet))
			}
			for _, policy := range names {
				got := counts.Policy(policy)
				if d := diff.Diff(recount(fleet, policy), got); d != "" {
					t.Fatalf("policy %s (-want +got):\n%s", policy, d)
				}
				if !told[policy] && !diff.Equal(before[policy], got) {
					t.Fatalf("the counts of %s changed and nobody was told", policy)
				}
			}
		}
	})
}

func TestTheSameVerdictsAgainTellNobody(t *testing.T) {
	told := 0
	counts := tally.New(func(string) { told++ })
	key := types.NamespacedName{Name: "a"}
	results := []governance.RuleResult{
		{Policy: "p", Rule: "identity/verified", Verdict: governance.Violated},
		{Policy: "p", Rule: "identity/bio", Verdict: governance.Pass},
	}
	counts.Set(key, []string{"p"}, results)
	if told != 1 {
		t.Fatalf("told %d times of something new", told)
	}
	counts.Set(key, []string{"p"}, results)
	results[1].Verdict = governance.Excepted // no less a pass for the counts
	counts.Set(key, []string{"p"}, results)
	counts.Drop(types.NamespacedName{Name: "never seen"})
	if told != 1 {
		t.Errorf("told %d times of nothing new", told-1)
	}
	counts.Drop(key)
	if told != 2 || counts.Accounts() != 0 {
		t.Errorf("told %d times; %d accounts are left", told, counts.Accounts())
	}
}

func TestAnAccountUnderNoPolicyCountsAsJudged(t *testing.T) {
	counts := tally.New(func(string) {})
	counts.Set(types.NamespacedName{Name: "a"}, nil, nil)
	if counts.Accounts() != 1 {
		t.Error("it is not counted")
	}
}
