package socialaccount

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
)

// decision is the outcome of one pass.
type decision struct {
	status v1alpha1.SocialAccountStatus
	// unchanged says that the status says what it said before.
	unchanged bool
	events    []occurrence
	// policies and rules are what the account contributes to the fleet's counts.
	policies []string
	rules    []governance.RuleResult
	// connection is the one that was asked.
	connection string
	// next is when time alone may change the outcome; zero: never.
	next time.Time
}

// decide maps facts to a status. It is pure: the same facts at the same moment
// give the same status.
func decide(f facts, now time.Time) decision {
	before := &f.account.Status
	f.live = liveOf(f)
	result := evaluate(f, now)
	conditions := status.Begin(before.Conditions, f.account.Generation, now)
	conditions.Put(observed(f))
	conditions.Put(governed(f))
	conditions.Put(compliant(f, result))
	handed := hands(f.account, conditions)
	summarise(f, conditions)

	next := v1alpha1.SocialAccountStatus{
		ObservedGeneration: f.account.Generation,
		AccountID:          accountID(f),
		Profile:            f.live.Profile,
		Drift:              drift(f, before.Drift, now),
		Findings:           findings(f, result, now),
		Evaluation:         evaluation(result),
		Activity:           activity(f, now),
		Conditions:         conditions.List(),
		Transitions:        status.Remember(before.Transitions, append(conditions.Changes(), handed...), now),
		// Owned by the handover; carried over, never decided here.
		Credentials: before.Credentials, Handover: before.Handover, Custody: before.Custody,
	}
	unchanged := settle(before, &next)
	d := decision{status: next, unchanged: unchanged, connection: f.connection, rules: result.Rules, next: result.NextChange, events: occurrences(f, &next, conditions.Changes())}
	for _, p := range f.policies {
		d.policies = append(d.policies, p.Name())
	}
	if f.paused {
		d.next = earliest(d.next, f.account.Spec.Suspend.Until.Time)
	}
	return d
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// evaluate judges the account on the newest snapshot, whatever stands between us
// and the platform now.
func evaluate(f facts, now time.Time) governance.Result {
	in := governance.Input{
		Account: f.account, Policies: f.policies, AccountsOf: f.accountsOf, Now: now,
		LiveMissing: missing(f), Activity: f.record,
		EditionSince: f.since.of,
	}
	if in.LiveMissing == "" {
		in.Live = f.live
	}
	return governance.Evaluate(in)
}

func liveOf(f facts) *governance.Live {
	return &governance.Live{Profile: live(f.view.Snapshot, f.readable), Readable: f.readable}
}

func evaluation(r governance.Result) *v1alpha1.Evaluation {
	return &v1alpha1.Evaluation{
		Digest: v1alpha1.HexSHA256(r.Digest), Rules: ptr.To(int32(len(r.Rules))),
		Passed: ptr.To(int32(r.Passed)), Violated: ptr.To(int32(r.Violated)),
		Unknown: ptr.To(int32(r.Unknown)), Excepted: ptr.To(int32(r.Excepted)),
	}
}

// accountID pins the id once: a later answer never moves it.
func accountID(f facts) string {
	if f.account.Status.AccountID != "" && f.account.Spec.AccountID == "" {
		return f.account.Status.AccountID
	}
	if f.account.Spec.AccountID != "" {
		return f.account.Spec.AccountID
	}
	if f.view.Snapshot != nil {
		return f.view.Snapshot.Profile.ID
	}
	return ""
}

// governed decides Governed.
func governed(f facts) (v1alpha1.State, string) {
	tier := f.account.Spec.Tier
	if ok, by := governance.TierPermitted(f.policies, tier); !ok {
		return v1alpha1.GovernedTier, fmt.Sprintf("spec.tier: policy %s does not permit tier %s", by, tier)
	}
	if len(f.invalid) > 0 {
		return v1alpha1.GovernedPolicyInvalid, "no edition was ever accepted of policy " + strings.Join(f.invalid, ", ")
	}
	if len(f.policies) == 0 {
		return v1alpha1.GovernedNoPolicy, "no policy selects the account"
	}
	names := make([]string, len(f.policies))
	for i, p := range f.policies {
		names[i] = p.Name()
	}
	return v1alpha1.GovernedMatched, "governed by " + strings.Join(names, ", ")
}

// compliant decides Compliant: False beats Unknown beats True, and no evidence is
// never a pass.
func compliant(f facts, r governance.Result) (v1alpha1.State, string) {
	violated := failing(r.Rules, governance.Violated)
	if len(violated) > 0 {
		return v1alpha1.CompliantViolated, fmt.Sprintf("violated: %s", brief(violated))
	}
	if len(r.Rules) == 0 {
		return v1alpha1.CompliantEvidenceMissing, "no rule applies to the account"
	}
	unknown := failing(r.Rules, governance.Unknown)
	if len(unknown) == 0 {
		return v1alpha1.CompliantAllPass, allPass(r)
	}
	if f.watched && f.view.Snapshot == nil {
		return v1alpha1.CompliantAwaiting, "the account has not been seen yet"
	}
	return v1alpha1.CompliantEvidenceMissing, fmt.Sprintf("not known: %s", brief(unknown))
}

// allPass leaves out how many rules there are: an edition with one more that everybody
// meets changes no verdict, and writes nobody.
func allPass(r governance.Result) string {
	if r.Excepted > 0 {
		return fmt.Sprintf("every enforced rule passes, %d excepted", r.Excepted)
	}
	return "every enforced rule passes"
}

// failing lists the enforced rules of a verdict.
func failing(rules []governance.RuleResult, verdict governance.Verdict) []string {
	var names []string
	for _, r := range rules {
		if r.Verdict == verdict && r.Mode == v1alpha1.FindingEnforce {
			names = append(names, r.Rule)
		}
	}
	return names
}

// brief names at most five.
func brief(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}

// summarise puts Ready and the kstatus conditions.
func summarise(f facts, c *status.Conditions) {
	decisive, message := c.Summarise(v1alpha1.ConditionObserved, v1alpha1.ConditionGoverned,
		v1alpha1.ConditionCredentialsHealthy, v1alpha1.ConditionHandoverComplete)
	if decisive.Status == metav1.ConditionUnknown && decisive.Reason == "" {
		message = "the credential has not been tried yet"
	}
	c.Put(v1alpha1.ReadyFrom(stateOfCondition(c, decisive)), message)
	if f.observable && f.rival == nil && !f.paused && f.connection == "" {
		c.Put(v1alpha1.AccountConnectionMissing, f.noConnection)
		return
	}
	if o := meta.FindStatusCondition(c.List(), v1alpha1.ConditionObserved); o.Reason == v1alpha1.ReasonAwaitingObservation {
		c.Put(v1alpha1.AccountReconciling, "the account is about to be looked at")
	}
}
