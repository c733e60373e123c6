package handover

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/rotation"
)

// occurrence is one event to be told once the status is saved.
type occurrence struct {
	reason v1alpha1.EventReason
	note   string
}

// occurrences compare what the status says with what it said. Each carries the
// rotation's id, so that a consumer can tell a repetition after a crash.
func occurrences(acc *v1alpha1.SocialAccount, s *shown, v *rotation.Vault, f *facts, now time.Time) []occurrence {
	var out []occurrence
	add := func(reason v1alpha1.EventReason, format string, args ...any) {
		out = append(out, occurrence{reason, fmt.Sprintf(format, args...)})
	}
	moved(acc, s, v, add)
	for _, c := range s.conditions.Changes() {
		changed(c.Condition, c.Reason, s, add)
	}
	if ends, soon := v.Expiring(&f.Facts, now); soon && !told(acc, s) {
		add(v1alpha1.EventCredentialsExpiring, "the credential ends at %s and only a person can renew it", ends.UTC().Format(time.RFC3339))
	}
	return out
}

// moved tells of a rotation that began, went on, or ended.
func moved(acc *v1alpha1.SocialAccount, s *shown, v *rotation.Vault, add func(v1alpha1.EventReason, string, ...any)) {
	was, is := acc.Status.Handover, s.handover
	switch {
	case is == nil:
		if was != nil && v.Journal.Rotations > rotations(acc) {
			add(v1alpha1.EventHandoverCompleted, "rotation %s: settled", was.ID)
		}
	case was == nil || was.ID != is.ID:
		add(v1alpha1.EventHandoverStarted, "rotation %s: %s, to %s", is.ID, is.Trigger, is.To)
	case was.Phase != is.Phase:
		add(v1alpha1.EventHandoverStepDone, "rotation %s: %s is done", is.ID, was.Phase)
	}
}

// told says that the condition said so before, of the same end.
func told(acc *v1alpha1.SocialAccount, s *shown) bool {
	was := meta.FindStatusCondition(acc.Status.Conditions, v1alpha1.ConditionCredentialsHealthy)
	is := meta.FindStatusCondition(s.conditions.List(), v1alpha1.ConditionCredentialsHealthy)
	return was != nil && is != nil && was.Message == is.Message
}

func rotations(acc *v1alpha1.SocialAccount) int64 {
	if acc.Status.Credentials == nil || acc.Status.Credentials.RotationsTotal == nil {
		return 0
	}
	return *acc.Status.Credentials.RotationsTotal
}

// changed tells of a condition that changed its reason.
func changed(condition, reason string, s *shown, add func(v1alpha1.EventReason, string, ...any)) {
	id := ""
	if s.handover != nil {
		id = s.handover.ID
	}
	switch {
	case condition == v1alpha1.ConditionHandoverComplete && reason == v1alpha1.ReasonAwaitingHuman:
		add(v1alpha1.EventHandoverAwaitingHuman, "rotation %s waits for a person", id)
	case condition == v1alpha1.ConditionHandoverComplete && reason == v1alpha1.ReasonRotationFailed:
		add(v1alpha1.EventRotationFailed, "rotation %s failed", id)
	case condition == v1alpha1.ConditionHandoverComplete && reason == v1alpha1.ReasonRevocationUnproven:
		add(v1alpha1.EventRevocationUnproven, "rotation %s: the former credential may still live", id)
	case condition == v1alpha1.ConditionCredentialsHealthy && reason == v1alpha1.ReasonRevoked:
		add(v1alpha1.EventCredentialsRevoked, "the platform no longer accepts the credential")
	}
}
