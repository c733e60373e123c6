package governancepolicy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/tally"
)

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// edit puts a pattern into a policy as a new generation, and returns what is
// known of it. last is what was in force before.
func edit(p *v1alpha1.GovernancePolicy, pattern string, last edition.Edition) edition.Edition {
	p.Name = "moe-manual"
	p.Generation++
	p.Spec.Version = v1alpha1.EditionVersion(fmt.Sprint(p.Generation, ".0"))
	p.Spec.Identity = &v1alpha1.IdentityRules{HandlePattern: v1alpha1.RegularExpression(pattern)}
	compiled, problems := governance.Compile(p.Name, &p.Spec)
	if len(problems) > 0 {
		return edition.Edition{InForce: last.InForce, Generation: last.Generation, Problems: problems}
	}
	return edition.Edition{InForce: compiled, Generation: p.Generation}
}

func pass(p *v1alpha1.GovernancePolicy, f facts, now time.Time) []occurrence {
	next, events := decide(p, f, now)
	p.Status = *next.DeepCopy()
	return events
}

func expect(t *testing.T, p *v1alpha1.GovernancePolicy, conditionType string, want v1alpha1.State, message string) {
	t.Helper()
	got := meta.FindStatusCondition(p.Status.Conditions, conditionType)
	if want.IsZero() {
		if got != nil {
			t.Errorf("%s is %s/%s %q", conditionType, got.Status, got.Reason, got.Message)
		}
		return
	}
	if got == nil {
		t.Fatalf("there is no condition %s", conditionType)
	}
	if got.Status != want.Status() || got.Reason != want.Reason() || got.Message != message || got.ObservedGeneration != p.Generation {
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

func TestAPreviewIsInForceForNobody(t *testing.T) {
	p := &v1alpha1.GovernancePolicy{Spec: v1alpha1.GovernancePolicySpec{Mode: v1alpha1.ModePreview}}
	first := edit(p, "^edu_", edition.Edition{})
	expectEvents(t, pass(p, facts{edition: first}, today), v1alpha1.EventPolicyAccepted)
	expect(t, p, "Accepted", v1alpha1.PolicyAccepted, "edition 1.0 is previewed and in force for nobody")
}

func TestASoundEditionComesIntoForceOnce(t *testing.T) {
	p := &v1alpha1.GovernancePolicy{}
	first := edit(p, "^edu_", edition.Edition{})
	expectEvents(t, pass(p, facts{edition: first}, today), v1alpha1.EventPolicyAccepted)
	expect(t, p, "Accepted", v1alpha1.PolicyAccepted, "edition 1.0 is in force")
	expect(t, p, "Ready", v1alpha1.PolicyReady, "")
	expect(t, p, "Stalled", v1alpha1.State{}, "")
	if in := p.Status.InForce; in.Generation != 1 || in.Version != "1.0" || string(in.Digest) != first.InForce.Digest() || !in.Since.Time.Equal(today) {
		t.Errorf("in force: %+v", in)
	}
	before := p.Status.DeepCopy()
	expectEvents(t, pass(p, facts{edition: first}, today.Add(48*time.Hour)))
	if diff := cmp.Diff(*before, p.Status); diff != "" {
		t.Errorf("a second pass changed (-before +after):\n%s", diff)
	}
	second := edit(p, "^moe_", first)
	expectEvents(t, pass(p, facts{edition: second}, today.Add(72*time.Hour)), v1alpha1.EventPolicyAccepted)
	if in := p.Status.InForce; in.Generation != 2 || !in.Since.Time.Equal(today.Add(72*time.Hour)) {
		t.Errorf("in force: %+v", in)
	}
}

func TestARejectedEditLeavesTheLastAcceptedEditionInForce(t *testing.T) {
	p := &v1alpha1.GovernancePolicy{}
	first := edit(p, "^edu_", edition.Edition{})
	pass(p, facts{edition: first}, today)
	since := p.Status.InForce.Since

	bad := edit(p, "^edu_(", first)
	expectEvents(t, pass(p, facts{edition: bad}, today.Add(time.Hour)), v1alpha1.EventPolicyRejected)
	message := `identity/handle-pattern: spec.identity.handlePattern, position 5: missing closing ): "("; edition 1.0 of generation 1 stays in force`
	expect(t, p, "Accepted", v1alpha1.PolicyInvalidExpression, message)
	expect(t, p, "Ready", v1alpha1.PolicyNotReadyExpression, message)
	expect(t, p, "Stalled", v1alpha1.PolicyStalledExpression, message)
	if in := p.Status.InForce; in.Generation != 1 || in.Version != "1.0" || !in.Since.Equal(since) {
		t.Errorf("in force: %+v", in)
	}
	expectEvents(t, pass(p, facts{edition: bad}, today.Add(2*time.Hour)))

	worse := edit(p, "^edu_[", first)
	expectEvents(t, pass(p, facts{edition: worse}, today.Add(3*time.Hour)), v1alpha1.EventPolicyRejected)

	good := edit(p, "^(edu|moe)_", first)
	expectEvents(t, pass(p, facts{edition: good}, today.Add(4*time.Hour)), v1alpha1.EventPolicyAccepted)
	expect(t, p, "Accepted", v1alpha1.PolicyAccepted, "edition 4.0 is in force")
	expect(t, p, "Stalled", v1alpha1.State{}, "")
}

func TestAPolicyThatWasNeverSoundHasNothingInForce(t *testing.T) {
	p := &v1alpha1.GovernancePolicy{}
	expectEvents(t, pass(p, facts{edition: edit(p, "^edu_(", edition.Edition{})}, today), v1alpha1.EventPolicyRejected)
	expect(t, p, "Accepted", v1alpha1.PolicyInvalidExpression, `identity/handle-pattern: spec.identity.handlePattern, position 5: missing closing ): "("; no edition was accepted before`)
	if p.Status.InForce != nil {
		t.Errorf("in force: %+v", p.Status.InForce)
	}
}

func TestAMalformedSelectorIsSaidToBeOne(t *testing.T) {
	p := &v1alpha1.GovernancePolicy{}
	p.Spec.Selector = &v1alpha1.PolicySelector{AccountSelector: &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "region", Operator: "Near"}},
	}}
	e := edit(p, "^edu_", edition.Edition{})
	pass(p, facts{edition: e}, today)
	message := e.Problems[0].String() + "; no edition was accepted before"
	expect(t, p, "Accepted", v1alpha1.PolicyInvalidSelector, message)
	expect(t, p, "Ready", v1alpha1.PolicyNotReadySelector, message)
	expect(t, p, "Stalled", v1alpha1.PolicyStalledSelector, message)
	pass(p, facts{edition: edit(p, "^edu_(", edition.Edition{})}, today)
	if got := meta.FindStatusCondition(p.Status.Conditions, "Accepted"); got.Reason != "InvalidExpression" {
		t.Errorf("with an expression that does not compile beside it: %s", got.Reason)
	}
}

func TestAtMostFiveProblemsAreNamed(t *testing.T) {
	var e edition.Edition
	for i := range 7 {
		e.Problems = append(e.Problems, governance.Problem{Rule: fmt.Sprint("content/r", i), Path: "p", Position: i, Text: "bad"})
	}
	want := "content/r0: p, position 0: bad; content/r1: p, position 1: bad; content/r2: p, position 2: bad; content/r3: p, position 3: bad; content/r4: p, position 4: bad; and 2 more; no edition was accepted before"
	if got := describe(facts{edition: e}); got != want {
		t.Errorf("got %q", got)
	}
}

func TestCountsAreWrittenOnlyOfAFleetThatIsJudgedWhole(t *testing.T) {
	p := &v1alpha1.GovernancePolicy{}
	e := edit(p, "^edu_", edition.Edition{})
	counts := tally.Policy{Selected: 3, Compliant: 1, Violating: 1, Unknown: 1, Rules: []tally.RuleCount{{Rule: "identity/handle-pattern", Violated: 1, Unknown: 1}}}
	pass(p, facts{edition: e, counts: tally.Policy{Selected: 1, Compliant: 1}}, today)
	if p.Status.Accounts != nil || p.Status.Rules != nil {
		t.Errorf("counts of a part of the fleet: %+v", p.Status)
	}
	pass(p, facts{edition: e, counts: counts, complete: true}, today)
	a := p.Status.Accounts
	if *a.Selected != 3 || *a.Compliant != 1 || *a.Violating != 1 || *a.Unknown != 1 || len(p.Status.Rules) != 1 || *p.Status.Rules[0].Violated != 1 {
		t.Errorf("got %+v %+v", a, p.Status.Rules)
	}
	before := p.Status.DeepCopy()
	expectEvents(t, pass(p, facts{edition: e}, today.Add(time.Hour)))
	if diff := cmp.Diff(*before, p.Status); diff != "" {
		t.Errorf("a restart changed (-before +after):\n%s", diff)
	}
}

func TestRuleCountsAreCapped(t *testing.T) {
	p := &v1alpha1.GovernancePolicy{}
	f := facts{edition: edit(p, "^edu_", edition.Edition{}), complete: true}
	for i := range 80 {
		f.counts.Rules = append(f.counts.Rules, tally.RuleCount{Rule: fmt.Sprint("content/r", i), Violated: 100 - i})
	}
	pass(p, f, today)
	if n := len(p.Status.Rules); n != 64 || p.Status.Rules[0].Rule != "content/r0" {
		t.Errorf("%d rules, first %+v", n, p.Status.Rules[0])
	}
}
