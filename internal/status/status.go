// Package status is the only writer of conditions. A condition can only be set
// to a State of the catalogue in api/v1alpha1, keeps its lastTransitionTime
// while its status does, and is remembered as a transition when it changes.
package status

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// maxMessage is the longest message of a condition, in bytes (the CRD schema of
// metav1.Condition).
const maxMessage = 32768

// Conditions collects the conditions of one object in one pass.
type Conditions struct {
	before     []metav1.Condition
	generation int64
	now        metav1.Time
	states     []v1alpha1.State
	next       []metav1.Condition
}

// Begin starts from what the object's status holds. generation is the one that
// the pass judges; now is cut to whole seconds, as the API server stores times.
func Begin(before []metav1.Condition, generation int64, now time.Time) *Conditions {
	// Most passes end with the conditions that there were, some with one or two more.
	room := len(before) + 2
	return &Conditions{
		before: before, generation: generation, now: Time(now),
		states: make([]v1alpha1.State, 0, room), next: make([]metav1.Condition, 0, room),
	}
}

// Time cuts t to what the API server stores, so that a status that was read back
// equals the one that was written.
func Time(t time.Time) metav1.Time { return metav1.NewTime(t.UTC().Truncate(time.Second)) }

// Put sets a condition. The message must be deterministic: no time that moves,
// no request id, no random name.
func (c *Conditions) Put(state v1alpha1.State, message string) {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	next := metav1.Condition{
		Type: state.Type(), Status: state.Status(), Reason: state.Reason(), Message: message,
		ObservedGeneration: c.generation, LastTransitionTime: c.now,
	}
	if was := meta.FindStatusCondition(c.before, next.Type); was != nil && was.Status == next.Status {
		next.LastTransitionTime = was.LastTransitionTime
	}
	if i := slices.IndexFunc(c.next, func(o metav1.Condition) bool { return o.Type == next.Type }); i >= 0 {
		c.next[i], c.states[i] = next, state
		return
	}
	c.next = append(c.next, next)
	c.states = append(c.states, state)
}

// Keep carries the conditions of these types over as they were. It is how a
// controller leaves alone what another one decides.
func (c *Conditions) Keep(types ...string) {
	for _, t := range types {
		if was := meta.FindStatusCondition(c.before, t); was != nil {
			c.next = append(c.next, *was)
			c.states = append(c.states, v1alpha1.State{})
		}
	}
}

// State is the state that a condition was put into in this pass.
func (c *Conditions) State(conditionType string) v1alpha1.State {
	for i, cond := range c.next {
		if cond.Type == conditionType {
			return c.states[i]
		}
	}
	return v1alpha1.State{}
}

// List returns the conditions in the order in which they were put.
func (c *Conditions) List() []metav1.Condition { return c.next }

// Change is a condition whose status or reason differs from before.
type Change struct {
	Condition string
	From, To  metav1.ConditionStatus
	Was       string
	Reason    string
}

// Changes lists what differs from before, in the order in which it was put. A
// condition that was not there before counts as Unknown without a reason.
func (c *Conditions) Changes() []Change {
	var changes []Change
	for _, next := range c.next {
		from, reason := metav1.ConditionUnknown, ""
		if was := meta.FindStatusCondition(c.before, next.Type); was != nil {
			from, reason = was.Status, was.Reason
		}
		if from != next.Status || reason != next.Reason {
			changes = append(changes, Change{next.Type, from, next.Status, reason, next.Reason})
		}
	}
	return changes
}

// maxTransitions is how many transitions a status keeps.
const maxTransitions = 10

// Remember appends changes to an account's transitions. The first appearance of
// a condition that is True is no transition: it is where the account starts.
func Remember(before []v1alpha1.Transition, changes []Change, now time.Time) []v1alpha1.Transition {
	next := slices.Clone(before)
	for _, change := range changes {
		if derived(change.Condition) || change.Was == "" && change.To != metav1.ConditionFalse {
			continue
		}
		sequence := int64(1)
		if len(next) > 0 {
			sequence = next[len(next)-1].Sequence + 1
		}
		next = append(next, v1alpha1.Transition{
			Sequence: sequence, At: Time(now), Condition: change.Condition,
			From: change.From, To: change.To, Reason: change.Reason,
		})
	}
	return next[max(0, len(next)-maxTransitions):]
}

// derived conditions only repeat others.
func derived(conditionType string) bool {
	switch conditionType {
	case v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
		return true
	}
	return false
}

// Summarise picks the state that decides a summary: False beats Unknown beats
// True, the first in the given order wins. A type that was not put counts as
// Unknown. The message joins at most three of the same status.
func (c *Conditions) Summarise(types ...string) (decisive metav1.Condition, message string) {
	decisive = metav1.Condition{Status: metav1.ConditionTrue}
	for _, t := range types {
		if cond := c.find(t); decisive.Type == "" || rank(cond.Status) < rank(decisive.Status) {
			decisive = cond
		}
	}
	if decisive.Status == metav1.ConditionTrue {
		return decisive, ""
	}
	var messages []string
	for _, t := range types {
		if cond := c.find(t); cond.Status == decisive.Status && len(messages) < 3 {
			messages = append(messages, t+": "+cond.Message)
		}
	}
	return decisive, strings.Join(messages, "; ")
}

// find is a condition as it was put in this pass; Unknown if it was not.
func (c *Conditions) find(conditionType string) metav1.Condition {
	if found := meta.FindStatusCondition(c.next, conditionType); found != nil {
		return *found
	}
	return metav1.Condition{Type: conditionType, Status: metav1.ConditionUnknown}
}

func rank(status metav1.ConditionStatus) int {
	switch status {
	case metav1.ConditionFalse:
		return 0
	case metav1.ConditionUnknown:
		return 1
	default:
		return 2
	}
}
