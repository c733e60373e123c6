package socialaccount

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/roster"
)

// observed decides Observed. What the cluster says comes first (a rival claim, a
// pause, no adapter, no connection), then what stands between us and the
// platform, then how old the knowledge is, then what the platform said.
func observed(f facts) (v1alpha1.State, string) {
	if s, message := declared(f); !s.IsZero() {
		return s, message
	}
	if s := laneState(f.view.Lane.Reason); !s.IsZero() {
		return s, f.view.Lane.Message
	}
	if f.view.Untold {
		return v1alpha1.ObservedAwaiting, fmt.Sprintf("%s was asked and says nothing of this account: the credential of PlatformConnection %s may not be permitted to read it",
			f.account.Spec.Platform, f.connection)
	}
	if f.view.Snapshot == nil {
		return v1alpha1.ObservedAwaiting, "the platform has not been asked yet"
	}
	if f.view.Stale {
		return v1alpha1.ObservedStale, fmt.Sprintf("not seen for more than %s", f.cadence.StaleAfter)
	}
	if f.view.Restored {
		return kept(f)
	}
	return said(f)
}

// declared is the state that the cluster's own objects decide.
func declared(f facts) (v1alpha1.State, string) {
	acc := f.account
	switch {
	case f.rival != nil:
		return v1alpha1.ObservedDuplicateClaim, fmt.Sprintf("declared by the older SocialAccount %s/%s", f.rival.Namespace, f.rival.Name)
	case f.paused:
		return v1alpha1.ObservedPaused, fmt.Sprintf("suspended until %s: %s", acc.Spec.Suspend.Until.UTC().Format("2006-01-02T15:04:05Z"), acc.Spec.Suspend.Reason)
	case !f.observable:
		return v1alpha1.ObservedNotObservable, fmt.Sprintf("this version has no adapter for %s", acc.Spec.Platform)
	case f.connection == "":
		return v1alpha1.ObservedAwaiting, f.noConnection
	}
	return v1alpha1.State{}, ""
}

// laneState maps what keeps the engine from asking. A connection that the engine
// does not hold yet is none of it: the cluster has it, so it will come.
func laneState(reason observe.LaneReason) v1alpha1.State {
	switch reason {
	case observe.LanePlatformUnavailable:
		return v1alpha1.ObservedPlatformUnavailable
	case observe.LaneThrottled:
		return v1alpha1.ObservedThrottled
	case observe.LaneBudgetExhausted:
		return v1alpha1.ObservedBudgetExhausted
	case observe.LaneUnauthorized:
		return v1alpha1.ObservedUnauthorized
	case observe.LaneNotObservable:
		return v1alpha1.ObservedNotObservable
	case observe.LaneConnectionMissing:
	}
	return v1alpha1.State{}
}

// kept repeats what an earlier process decided, until this one has looked: a
// restart is no evidence of anything.
func kept(f facts) (v1alpha1.State, string) {
	before := meta.FindStatusCondition(f.account.Status.Conditions, v1alpha1.ConditionObserved)
	if before != nil {
		if s, ok := v1alpha1.FindState(v1alpha1.KindSocialAccount, *before); ok && s != v1alpha1.ObservedPaused && s != v1alpha1.ObservedDuplicateClaim {
			return s, before.Message
		}
	}
	return v1alpha1.ObservedAwaiting, "the platform has not been asked yet"
}

// said maps what the platform said.
func said(f facts) (v1alpha1.State, string) {
	s, acc := f.view.Snapshot, f.account
	id := roster.PinnedID(acc)
	if id == "" {
		id = s.Profile.ID
	}
	who := "handle " + acc.Spec.Handle
	if id != "" {
		who = "account " + id
	}
	switch s.Outcome {
	case observe.Found:
		return v1alpha1.ObservedFresh, fmt.Sprintf("seen as %s, %s", s.Profile.Handle, who)
	case observe.Suspended:
		return v1alpha1.ObservedSuspended, fmt.Sprintf("%s suspended %s", acc.Spec.Platform, who)
	case observe.Deactivated:
		return v1alpha1.ObservedDeactivated, fmt.Sprintf("%s says that %s was deactivated", acc.Spec.Platform, who)
	case observe.HandleReassigned:
		return v1alpha1.ObservedHandleReassigned, fmt.Sprintf("handle %s belongs to account %s now, not to %s", acc.Spec.Handle, s.HolderID, id)
	case observe.NotFound:
	}
	return v1alpha1.ObservedNotFound, fmt.Sprintf("%s has no %s", acc.Spec.Platform, who)
}

// missing says, for the messages of rules, why the account cannot be read; empty
// if it can.
func missing(f facts) string {
	if f.view.Snapshot == nil {
		if s, message := declared(f); !s.IsZero() {
			return message
		}
		return "the account has not been seen yet"
	}
	switch f.view.Snapshot.Outcome {
	case observe.Suspended:
		return "the account is suspended"
	case observe.NotFound:
		return "the account does not exist"
	case observe.Deactivated:
		return "the account is deactivated"
	case observe.HandleReassigned:
		return "the handle belongs to another account"
	case observe.Found:
	}
	return ""
}
