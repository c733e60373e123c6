package platformconnection

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/status"
)

// facts is everything that a decision about a connection rests on.
type facts struct {
	obstacle *obstacle
	report   observe.Report
	reported bool
	// final: the engine has ended, so the figures are exact.
	final bool
	// unmarked: the status is to say that nobody counts any more.
	unmarked bool
}

// saves says that the figures of the budgets are written: whenever the engine needs them
// saved, and where it never does, with those of a sweep. A lease covers what is spent
// between two savings, so that a sweep of a day's units alone causes no write.
func (f facts) saves() bool {
	leased := slices.ContainsFunc(f.report.Ledger, func(l budget.Line) bool { return l.Leased })
	return f.obstacle == nil && f.reported && (f.report.Save || f.final || f.swept() && !leased)
}

// swept says that this process has seen every account once.
func (f facts) swept() bool { return f.reported && !f.report.Sweep.CompletedAt.IsZero() }

// obstacle is what keeps a connection from being used at all. Somebody has to
// change an object before anything moves.
type obstacle struct {
	message        string
	ready, stalled v1alpha1.State
	// unauthorized: there are no app credentials to be accepted.
	unauthorized bool
}

func notSupported(p v1alpha1.PlatformName) *obstacle {
	return &obstacle{fmt.Sprintf("this version has no adapter for %s", p), v1alpha1.ConnectionPlatformNotSupported, v1alpha1.StalledPlatformNotSupported, false}
}

func duplicateDefault(other string) *obstacle {
	return &obstacle{"spec.default: PlatformConnection " + other + " is marked default too", v1alpha1.ConnectionDuplicateDefault, v1alpha1.StalledDuplicateDefault, false}
}

func endpointNotAllowed(message string) *obstacle {
	return &obstacle{message, v1alpha1.ConnectionEndpointNotAllowed, v1alpha1.StalledEndpointNotAllowed, false}
}

func secretMissing(message string) *obstacle {
	return &obstacle{message, v1alpha1.ConnectionSecretMissing, v1alpha1.StalledSecretMissing, true}
}

func secretMalformed(message string) *obstacle {
	return &obstacle{message, v1alpha1.ConnectionSecretMalformed, v1alpha1.StalledSecretMalformed, true}
}

// occurrence is one event to be told once the status is saved.
type occurrence struct {
	reason v1alpha1.EventReason
	note   string
}

// decide maps facts to a status. It is pure.
func decide(connection *v1alpha1.PlatformConnection, f facts, now time.Time) (v1alpha1.PlatformConnectionStatus, []occurrence) {
	before := &connection.Status
	c := status.Begin(before.Conditions, connection.Generation, now)
	available, message := availability(before, f)
	c.Put(available, message)
	c.Put(freshness(before, f))
	ready(c, f, available, message)
	next := v1alpha1.PlatformConnectionStatus{
		ObservedGeneration: connection.Generation,
		Conditions:         c.List(),
		Spend:              before.Spend, Counting: before.Counting,
		Budget: before.Budget, Sweep: before.Sweep, Freshness: before.Freshness,
	}
	if f.obstacle == nil && f.swept() {
		report(&next, f.report)
	}
	if f.saves() {
		save(&next, f)
	}
	settle(before, &next, f, now)
	return next, occurrences(before.Conditions, next.Conditions)
}

// availability decides Available. An engine that has not called yet keeps what an
// earlier process found: a restart is no evidence.
func availability(before *v1alpha1.PlatformConnectionStatus, f facts) (v1alpha1.State, string) {
	if f.obstacle != nil {
		if f.obstacle.unauthorized {
			return v1alpha1.AvailableUnauthorized, f.obstacle.message
		}
		return v1alpha1.AvailableNotYetCalled, f.obstacle.message
	}
	if s, ok := obstructions[f.report.State.Reason]; ok {
		return s, f.report.State.Message
	}
	if change := f.report.MassChange; change != nil {
		return v1alpha1.AvailableMassChange, massChange(change)
	}
	if f.report.Answered {
		return v1alpha1.AvailableReachable, "the platform answers"
	}
	if was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionAvailable); found(before) {
		if s, ok := v1alpha1.FindState(v1alpha1.KindPlatformConnection, *was); ok {
			return s, was.Message
		}
	}
	return v1alpha1.AvailableNotYetCalled, "no account has been looked at yet"
}

// massChange says what is held back. Its figures are those of when it was noticed,
// so that the message does not move.
func massChange(c *observe.MassChange) string {
	return fmt.Sprintf("%d accounts (%d%% of those looked at) changed together: %s; held back since %s until a further look confirms it",
		c.Accounts, c.Share, c.What, c.Since.UTC().Format(time.RFC3339))
}

// found says that the status holds what an answer of the platform showed, and
// not what kept the connection from being used.
func found(before *v1alpha1.PlatformConnectionStatus) bool {
	was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionAvailable)
	stalled := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionStalled)
	return was != nil && was.Reason != v1alpha1.ReasonNotYetCalled && stalled == nil
}

// obstructions maps what keeps the engine from asking. A connection that the
// engine does not hold (yet) is none of it: nothing was found out.
var obstructions = map[observe.LaneReason]v1alpha1.State{
	observe.LanePlatformUnavailable: v1alpha1.AvailableUnavailable,
	observe.LaneThrottled:           v1alpha1.AvailableThrottled,
	observe.LaneBudgetExhausted:     v1alpha1.AvailableBudgetExhausted,
	observe.LaneUnauthorized:        v1alpha1.AvailableUnauthorized,
}

// freshness decides FreshnessFeasible. Until this process has seen every account
// once, it keeps what an earlier one planned: accounts are still joining.
func freshness(before *v1alpha1.PlatformConnectionStatus, f facts) (v1alpha1.State, string) {
	was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionFreshnessFeasible)
	if was != nil && found(before) && f.obstacle == nil && !f.swept() {
		if s, ok := v1alpha1.FindState(v1alpha1.KindPlatformConnection, *was); ok {
			return s, was.Message
		}
	}
	switch {
	case f.obstacle != nil:
		return v1alpha1.FreshnessNothing, f.obstacle.message
	case f.report.Accounts == 0 || len(f.report.Freshness) == 0:
		return v1alpha1.FreshnessNothing, "no account is observed through this connection"
	case f.report.Feasible:
		return v1alpha1.FreshnessWithinBudget, f.report.Advice
	}
	return v1alpha1.FreshnessTooSmall, f.report.Advice
}

// ready puts Ready and Stalled.
func ready(c *status.Conditions, f facts, available v1alpha1.State, message string) {
	if f.obstacle != nil {
		c.Put(f.obstacle.ready, f.obstacle.message)
		c.Put(f.obstacle.stalled, f.obstacle.message)
		return
	}
	switch available {
	case v1alpha1.AvailableReachable:
		c.Put(v1alpha1.ConnectionReady, "")
	case v1alpha1.AvailableUnavailable:
		c.Put(v1alpha1.ConnectionUnavailable, message)
	case v1alpha1.AvailableThrottled:
		c.Put(v1alpha1.ConnectionThrottled, message)
	case v1alpha1.AvailableBudgetExhausted:
		c.Put(v1alpha1.ConnectionBudgetExhausted, message)
	case v1alpha1.AvailableUnauthorized:
		c.Put(v1alpha1.ConnectionUnauthorized, message)
	case v1alpha1.AvailableMassChange:
		c.Put(v1alpha1.ConnectionMassChange, message)
	default:
		c.Put(v1alpha1.ConnectionNotYetCalled, message)
	}
}

// report carries the figures of a complete sweep into the status.
func report(next *v1alpha1.PlatformConnectionStatus, r observe.Report) {
	next.Sweep = &v1alpha1.Sweep{
		Accounts: ptr.To(int32(r.Sweep.Accounts)), Requests: ptr.To(int64(r.Sweep.Requests)),
		StartedAt: moment(r.Sweep.StartedAt), CompletedAt: moment(r.Sweep.CompletedAt),
		OldestObservation: moment(r.Sweep.OldestObservation),
	}
	next.Freshness = nil
	for _, t := range r.Freshness {
		next.Freshness = append(next.Freshness, v1alpha1.TierFreshness{
			Tier: v1alpha1.TierName(t.Tier), Promised: metav1.Duration{Duration: t.Promised}, Achieved: metav1.Duration{Duration: t.Achieved},
		})
	}
	slices.SortFunc(next.Freshness, func(a, b v1alpha1.TierFreshness) int { return strings.Compare(string(a.Tier), string(b.Tier)) })
}

func moment(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return ptr.To(status.Time(t))
}

// settle keeps the figures of before where only figures changed and the last
// write is less than a heartbeat old: a budget that moves causes no write.
func settle(before, next *v1alpha1.PlatformConnectionStatus, f facts, now time.Time) {
	if before.Sweep == nil || before.Sweep.CompletedAt == nil || next.Sweep == nil {
		return
	}
	if now.Sub(before.Sweep.CompletedAt.Time) >= heartbeat || *before.Sweep.Accounts != *next.Sweep.Accounts {
		return
	}
	if f.saves() && !sameSpent(before, next, f) {
		return // what must survive a restart is written
	}
	same := next.DeepCopy()
	same.Budget, same.Sweep = before.Budget, before.Sweep
	if status.Same(before, same) {
		*next = *same
	}
}

// occurrences tells of a platform that stopped or resumed answering, once.
func occurrences(before, after []metav1.Condition) []occurrence {
	is := meta.FindStatusCondition(after, v1alpha1.ConditionAvailable)
	was := meta.FindStatusCondition(before, v1alpha1.ConditionAvailable)
	reason := ""
	if was != nil {
		reason = was.Reason
	}
	if is.Reason == reason {
		return nil
	}
	switch is.Reason {
	case v1alpha1.ReasonUnavailable:
		return []occurrence{{v1alpha1.EventPlatformUnavailable, is.Message}}
	case v1alpha1.ReasonBudgetExhausted:
		return []occurrence{{v1alpha1.EventBudgetExhausted, is.Message}}
	case v1alpha1.ReasonMassChange:
		return []occurrence{{v1alpha1.EventMassChange, is.Message}}
	case v1alpha1.ReasonReachable:
		if reason != "" && reason != v1alpha1.ReasonNotYetCalled {
			return []occurrence{{v1alpha1.EventPlatformRecovered, is.Message}}
		}
	}
	return nil
}
