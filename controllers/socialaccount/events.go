package socialaccount

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/status"
)

// occurrence is one event to be told once the status is saved.
type occurrence struct {
	reason v1alpha1.EventReason
	note   string
	// policy names the policy that the event is about, if it is about one.
	policy v1alpha1.ObjectName
}

// related is the object that an event names beside the account: the policy that
// was judged, or the connection that was asked. It is nil if there is none.
func (o occurrence) related(connection string) runtime.Object {
	kind, _ := status.EventKind(o.reason)
	switch {
	case o.policy != "":
		return &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: string(o.policy)}}
	case kind.Action == v1alpha1.EventActionObserve && connection != "":
		return &v1alpha1.PlatformConnection{ObjectMeta: metav1.ObjectMeta{Name: connection}}
	}
	return nil
}

// occurrences are the events of a change of status, at most one of each reason.
func occurrences(f facts, next *v1alpha1.SocialAccountStatus, changes []status.Change) []occurrence {
	acc := f.account
	var out []occurrence
	add := func(reason v1alpha1.EventReason, format string, args ...any) {
		out = append(out, occurrence{reason: reason, note: fmt.Sprintf(format, args...)})
	}
	claimChanged(changes, add)
	stateChanged(acc, next, add)
	handleChanged(acc, next, add)
	driftChanged(acc.Status.Drift, next.Drift, add)
	return append(out, findingsChanged(f, next)...)
}

type adder func(reason v1alpha1.EventReason, format string, args ...any)

func claimChanged(changes []status.Change, add adder) {
	for _, c := range changes {
		switch {
		case c.Condition != v1alpha1.ConditionObserved:
		case c.Reason == v1alpha1.ReasonDuplicateClaim && c.Was != v1alpha1.ReasonDuplicateClaim:
			add(v1alpha1.EventDuplicateClaim, "an older SocialAccount declares the same account; this one is not observed")
		case c.Was == v1alpha1.ReasonDuplicateClaim && c.Reason != v1alpha1.ReasonDuplicateClaim:
			add(v1alpha1.EventAccountRestored, "no older SocialAccount declares the same account any more")
		}
	}
}

// stateChanged compares what the platform said last with what it said before,
// however long it was silent in between.
func stateChanged(acc *v1alpha1.SocialAccount, next *v1alpha1.SocialAccountStatus, add adder) {
	if next.Profile == nil {
		return
	}
	was, is := stateOf(acc.Status.Profile), next.Profile.State
	if is == was {
		return
	}
	switch is {
	case v1alpha1.StateSuspended:
		add(v1alpha1.EventAccountSuspended, "%s suspended %s", acc.Spec.Platform, acc.Spec.Handle)
	case v1alpha1.StateNotFound, v1alpha1.StateDeactivated:
		add(v1alpha1.EventAccountMissing, "%s no longer shows %s", acc.Spec.Platform, acc.Spec.Handle)
	case v1alpha1.StateHandleReassigned:
		add(v1alpha1.EventHandleReassigned, "handle %s belongs to another account now", acc.Spec.Handle)
	case v1alpha1.StateActive, v1alpha1.StateProtected:
		if !present(was) {
			add(v1alpha1.EventAccountRestored, "%s shows %s again", acc.Spec.Platform, next.Profile.Handle)
		}
	}
}

func stateOf(p *v1alpha1.LiveProfile) v1alpha1.LiveState {
	if p == nil {
		return ""
	}
	return p.State
}

// present says that an account in this state was no trouble; one that was never
// seen was none either.
func present(s v1alpha1.LiveState) bool {
	return s == "" || s == v1alpha1.StateActive || s == v1alpha1.StateProtected
}

func handleChanged(acc *v1alpha1.SocialAccount, next *v1alpha1.SocialAccountStatus, add adder) {
	if next.Profile == nil || next.Profile.Handle == "" {
		return
	}
	was := acc.Spec.Handle
	if acc.Status.Profile != nil && acc.Status.Profile.Handle != "" {
		was = acc.Status.Profile.Handle
	}
	if !strings.EqualFold(was, next.Profile.Handle) {
		add(v1alpha1.EventHandleChanged, "account %s bears handle %s, before: %s", next.AccountID, next.Profile.Handle, was)
	}
}

// driftChanged tells of new differences and of the end of the last one. A handle
// that changed is told as that.
func driftChanged(before, after []v1alpha1.Drift, add adder) {
	key := func(all []v1alpha1.Drift) map[string]string {
		out := map[string]string{}
		for _, d := range all {
			if d.Field != "handle" {
				out[d.Field] = d.Got
			}
		}
		return out
	}
	was, is := key(before), key(after)
	var fresh []string
	for field, got := range is {
		if old, ok := was[field]; !ok || old != got {
			fresh = append(fresh, field)
		}
	}
	slices.Sort(fresh)
	switch {
	case len(fresh) > 0:
		add(v1alpha1.EventProfileDrifted, "the live profile differs from the declared one: %s", strings.Join(fresh, ", "))
	case len(was) > 0 && len(is) == 0:
		add(v1alpha1.EventProfileSettled, "the live profile is as declared")
	}
}

// acknowledgementRule is told of in its own way.
const acknowledgementRule = "ownership/acknowledgement"

func findingsChanged(facts facts, after *v1alpha1.SocialAccountStatus) []occurrence {
	before := &facts.account.Status
	var found, due []v1alpha1.Finding
	for _, f := range newlyViolated(before, after) {
		if f.Rule == acknowledgementRule {
			due = append(due, f)
			continue
		}
		found = append(found, f)
	}
	var out []occurrence
	add := func(reason v1alpha1.EventReason, what string, findings []v1alpha1.Finding, name func(*v1alpha1.Finding) string) {
		if len(findings) > 0 {
			out = append(out, occurrence{reason: reason, note: what + ": " + brief(texts(findings, name)), policy: findings[0].Policy})
		}
	}
	add(v1alpha1.EventViolationFound, "violated", found, foundAs)
	add(v1alpha1.EventAcknowledgementDue, "to be read", due, foundAs)
	add(v1alpha1.EventViolationCleared, "no longer violated", noLongerViolated(before, after), facts.clearedAs)
	return out
}

// texts are the findings for people, each text once.
func texts(findings []v1alpha1.Finding, name func(*v1alpha1.Finding) string) []string {
	var names []string
	for i := range findings {
		if text := name(&findings[i]); !slices.Contains(names, text) {
			names = append(names, text)
		}
	}
	return names
}

func foundAs(f *v1alpha1.Finding) string {
	if f.Rule == acknowledgementRule {
		return string(f.Policy) + " " + string(f.PolicyVersion)
	}
	return f.Rule
}

// clearedAs names a finding that is no more, and why it is none.
func (f facts) clearedAs(was *v1alpha1.Finding) string {
	return foundAs(was) + f.whyCleared(was)
}

func (f facts) whyCleared(was *v1alpha1.Finding) string {
	i := slices.IndexFunc(f.policies, func(p *governance.Policy) bool { return p.Name() == string(was.Policy) })
	became, known := f.changed[referenceID(was)]
	switch {
	case i < 0:
		return fmt.Sprintf(" (policy %s no longer selects the account)", was.Policy)
	case was.Reference == nil:
		return ""
	case known:
		return " (" + became.String() + ")"
	}
	return " (the policy changed)"
}

func newlyViolated(before, after *v1alpha1.SocialAccountStatus) []v1alpha1.Finding {
	var out []v1alpha1.Finding
	for _, f := range after.Findings {
		if f.Verdict == v1alpha1.VerdictViolated && same(before.Findings, f) == nil {
			out = append(out, f)
		}
	}
	return out
}

// noLongerViolated lists rules that were violated and are no finding any more. A
// full list may have dropped some, so it proves nothing.
func noLongerViolated(before, after *v1alpha1.SocialAccountStatus) []v1alpha1.Finding {
	var out []v1alpha1.Finding
	for _, f := range before.Findings {
		if wasViolated(&f) && !mentions(after.Findings, f) && len(after.Findings) < maxFindings {
			out = append(out, f)
		}
	}
	return out
}

// mentions says whether a finding is still there in any verdict: one that turned
// unknown is not cleared.
func mentions(all []v1alpha1.Finding, f v1alpha1.Finding) bool {
	return slices.ContainsFunc(all, func(o v1alpha1.Finding) bool {
		return o.Rule == f.Rule && o.Policy == f.Policy && referenceID(&o) == referenceID(&f)
	})
}
