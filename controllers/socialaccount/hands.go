package socialaccount

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/status"
)

// handoverConditions are the conditions that the handover decides of accounts that declare
// credentials. Of the others this controller says that there is nothing to decide,
// so that they cost one write.
var handoverConditions = []string{v1alpha1.ConditionCredentialsHealthy, v1alpha1.ConditionHandoverComplete}

// hands puts or keeps the two conditions. It returns their changes since the last
// transition that was recorded of them: whoever decides, the account's transitions
// have one writer.
func hands(acc *v1alpha1.SocialAccount, c *status.Conditions) []status.Change {
	if acc.Spec.Credentials == nil {
		c.Put(v1alpha1.CredentialsNotRequired, "the account declares no credentials")
		c.Put(v1alpha1.HandoverSettled, "no handover is pending")
		return nil
	}
	c.Keep(handoverConditions...)
	var changes []status.Change
	for _, t := range handoverConditions {
		is := meta.FindStatusCondition(acc.Status.Conditions, t)
		if is == nil {
			continue
		}
		from, was := lastTransition(acc.Status.Transitions, t)
		if was != is.Reason && (was != "" || is.Status == metav1.ConditionFalse) {
			changes = append(changes, status.Change{Condition: t, From: from, To: is.Status, Was: was, Reason: is.Reason})
		}
	}
	return changes
}

// lastTransition is what was recorded last of a condition; no reason: nothing was.
func lastTransition(all []v1alpha1.Transition, condition string) (metav1.ConditionStatus, string) {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Condition == condition {
			return all[i].To, all[i].Reason
		}
	}
	return metav1.ConditionUnknown, ""
}

// ours leaves out the conditions that the handover writes.
func ours(acc *v1alpha1.SocialAccount, all []metav1.Condition) []metav1.Condition {
	if acc.Spec.Credentials == nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(c metav1.Condition) bool { return slices.Contains(handoverConditions, c.Type) })
}

// handsChanged says that the handover decided something new.
func handsChanged(before, after *v1alpha1.SocialAccountStatus) bool {
	for _, t := range handoverConditions {
		was, is := meta.FindStatusCondition(before.Conditions, t), meta.FindStatusCondition(after.Conditions, t)
		if (was == nil) != (is == nil) || was != nil && (was.Status != is.Status || was.Reason != is.Reason) {
			return true
		}
	}
	return false
}

// stateOfCondition is the state of a condition that was put or kept. One that is
// not there yet is a credential that nobody has tried.
func stateOfCondition(c *status.Conditions, of metav1.Condition) v1alpha1.State {
	if s := c.State(of.Type); s != (v1alpha1.State{}) {
		return s
	}
	if s, ok := v1alpha1.FindState(v1alpha1.KindSocialAccount, of); ok {
		return s
	}
	return v1alpha1.CredentialsNotYetVerified
}
