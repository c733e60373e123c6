package governance

import (
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// restored is what a status held when the operator started.
type restored struct {
	// at is when activity had last been read.
	at time.Time
	// read are the actions that had been read, and until when.
	read map[v1alpha1.ActivityAction]time.Time
	// violated and unknown are rules without an act, with their messages.
	violated, unknown map[ruleID]string
	// truncated: the status did not have room for every finding.
	truncated bool
	// figures: the number of posts was known.
	figures bool
}

// standing is the verdict that the status held of a rule about these actions, where
// the record goes on from there.
func (s *subject) standing(id ruleID, set actionSet) (outcome, bool) {
	base := s.in.Activity.base
	if base == nil || !s.continues(set) {
		return outcome{}, false
	}
	if why, ok := base.violated[id]; ok {
		return violated(why), true
	}
	if why, ok := base.unknown[id]; ok {
		return unknown(why), true
	}
	if base.truncated {
		return unknown("what was found before the operator started is not all remembered"), true
	}
	if s.rule.suspendedAt(s, base.at) {
		return unknown("the rule was suspended when the account's activity was last judged"), true
	}
	return pass(), true
}

// continues says that the record goes on from what was judged before a restart.
func (s *subject) continues(set actionSet) bool {
	for i, action := range actions {
		if set&(1<<i) != 0 && s.readBefore(action) {
			return true
		}
	}
	return false
}

// readBefore says that an action had been read before a restart, and that what was
// found then stands in the status.
func (s *subject) readBefore(action v1alpha1.ActivityAction) bool {
	base := s.in.Activity.base
	return base != nil && !base.read[action].IsZero()
}

// suspendedAt says that an exception covered the subject at a moment.
func (r *rule) suspendedAt(s *subject, at time.Time) bool {
	for i := range r.exceptions {
		if e := &r.exceptions[i]; at.Before(e.until) && matches(e.accounts, s.account.Labels) {
			return true
		}
	}
	return false
}

// unfinished says that what the status held is not enough to go on from: acts waited
// to be judged anew, or the figures that a policy asks for are not in it.
func (r *Record) unfinished(policies []*Policy) bool {
	if r.base == nil || r.base.read[v1alpha1.ActionPublish].IsZero() {
		return false
	}
	stale := slices.ContainsFunc(r.matches, func(m match) bool { return m.stale })
	return stale || !r.base.figures && slices.ContainsFunc(policies, (*Policy).counts)
}

// doubts says that single acts may have been why a rule had no evidence. Figures are
// known again by themselves, and other sections need no acts.
func (b *restored) doubts() bool {
	for id := range b.unknown {
		switch section, _, _ := strings.Cut(id.rule, "/"); section {
		case "activity", "content", "sources", "languages":
			return true
		}
	}
	return false
}

// opened says that an action can be read now that could not before the restart, while
// the status does not tell whether that was the only reason of a doubt.
func (r *Record) opened() bool {
	if r.base == nil || len(r.base.read) == 0 || !r.base.doubts() {
		return false
	}
	for action, c := range r.Coverage {
		if c.Missing == "" && r.counts(c) && r.base.read[action].IsZero() {
			return true
		}
	}
	return false
}

// counts says that the policy has rules about all posts together.
func (p *Policy) counts() bool {
	l, f := p.spec.Languages, p.spec.Performance
	return l != nil && l.Primary == v1alpha1.PrimaryFromAccount || f != nil && f.MinPostsPer30Days > 0
}

// outgrow ends the time in which the status stands in for what was judged before a
// restart: a whole window has passed since. It reports that a rule is left without
// evidence.
func (r *Record) outgrow(now time.Time) (lost bool) {
	if r.base == nil || now.Sub(r.base.at) <= window {
		return false
	}
	lost = len(r.base.read) > 0 && (r.base.truncated || r.base.doubts())
	r.Restored, r.base = false, nil
	return lost
}
