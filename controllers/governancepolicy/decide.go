package governancepolicy

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/status"
	"mithaq.dev/mithaq/internal/tally"
)

// maxRules is how many rules a policy's status counts.
const maxRules = 64

// occurrence is one event to be told once the status is saved.
type occurrence struct {
	reason v1alpha1.EventReason
	note   string
}

// decide maps facts to a status. It is pure.
func decide(policy *v1alpha1.GovernancePolicy, f facts, now time.Time) (v1alpha1.GovernancePolicyStatus, []occurrence) {
	before := &policy.Status
	c := status.Begin(before.Conditions, policy.Generation, now)
	message := judge(c, policy, f)
	next := v1alpha1.GovernancePolicyStatus{
		ObservedGeneration: policy.Generation,
		Conditions:         c.List(),
		Accounts:           before.Accounts, Rules: before.Rules,
	}
	if f.edition.InForce != nil {
		next.InForce = &v1alpha1.EditionInForce{
			Generation: f.edition.Generation, Version: f.edition.InForce.Version(),
			Digest: v1alpha1.HexSHA256(f.edition.InForce.Digest()), Since: ptr.To(status.Time(now)),
		}
		if digest(before) == next.InForce.Digest && before.InForce.Since != nil {
			next.InForce.Since = before.InForce.Since
		}
	}
	switch {
	case f.partial:
		next.Preview = before.Preview
	case f.preview != nil:
		next.Preview = previewOf(before.Preview, f.preview.result(), now)
	}
	if f.complete {
		next.Accounts, next.Rules = accounts(f.counts), rules(f.counts)
	}
	return next, occurrences(before, &next, message)
}

// judge puts the conditions and returns the message of Accepted.
func judge(c *status.Conditions, policy *v1alpha1.GovernancePolicy, f facts) string {
	if len(f.edition.Problems) == 0 {
		message := fmt.Sprintf("edition %s is in force", policy.Spec.Version)
		if policy.Spec.Mode == v1alpha1.ModePreview {
			message = fmt.Sprintf("edition %s is previewed and in force for nobody", policy.Spec.Version)
		}
		c.Put(v1alpha1.PolicyAccepted, message)
		c.Put(v1alpha1.PolicyReady, "")
		return message
	}
	message := describe(f)
	if selectorOnly(f.edition.Problems) {
		c.Put(v1alpha1.PolicyInvalidSelector, message)
		c.Put(v1alpha1.PolicyNotReadySelector, message)
		c.Put(v1alpha1.PolicyStalledSelector, message)
		return message
	}
	c.Put(v1alpha1.PolicyInvalidExpression, message)
	c.Put(v1alpha1.PolicyNotReadyExpression, message)
	c.Put(v1alpha1.PolicyStalledExpression, message)
	return message
}

// describe names at most five problems and what stays in force.
func describe(f facts) string {
	var parts []string
	for i, p := range f.edition.Problems {
		if i == 5 {
			parts = append(parts, fmt.Sprintf("and %d more", len(f.edition.Problems)-i))
			break
		}
		parts = append(parts, p.String())
	}
	inForce := "no edition was accepted before"
	if f.edition.InForce != nil {
		inForce = fmt.Sprintf("edition %s of generation %d stays in force", f.edition.InForce.Version(), f.edition.Generation)
	}
	return strings.Join(parts, "; ") + "; " + inForce
}

func selectorOnly(problems []governance.Problem) bool {
	for _, p := range problems {
		if !p.Selector {
			return false
		}
	}
	return true
}

func accounts(p tally.Policy) *v1alpha1.PolicyAccounts {
	return &v1alpha1.PolicyAccounts{
		Selected: ptr.To(int32(p.Selected)), Compliant: ptr.To(int32(p.Compliant)),
		Violating: ptr.To(int32(p.Violating)), Unknown: ptr.To(int32(p.Unknown)),
	}
}

func rules(p tally.Policy) []v1alpha1.RuleCount {
	var out []v1alpha1.RuleCount
	for _, r := range p.Rules[:min(len(p.Rules), maxRules)] {
		out = append(out, v1alpha1.RuleCount{Rule: r.Rule, Violated: ptr.To(int32(r.Violated)), Unknown: ptr.To(int32(r.Unknown))})
	}
	return out
}

// occurrences tells of an edition that came into force or was rejected, once.
func occurrences(before, after *v1alpha1.GovernancePolicyStatus, message string) []occurrence {
	was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionAccepted)
	is := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionAccepted)
	switch {
	case is.Status == metav1.ConditionTrue && digest(before) != digest(after):
		return []occurrence{{v1alpha1.EventPolicyAccepted, message}}
	case is.Status == metav1.ConditionFalse && (was == nil || was.Status != is.Status || was.Message != is.Message):
		return []occurrence{{v1alpha1.EventPolicyRejected, message}}
	}
	return nil
}

func digest(s *v1alpha1.GovernancePolicyStatus) v1alpha1.HexSHA256 {
	if s.InForce == nil {
		return ""
	}
	return s.InForce.Digest
}
