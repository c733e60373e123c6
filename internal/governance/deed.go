package governance

import (
	"slices"
	"strings"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// conduct is what a policy says of acts.
type conduct struct {
	// digest changes when an act may be judged otherwise than before.
	digest     string
	procedures []procedure
	texts      []textRule
	// terms are those of all texts, by folding.
	terms [2]termSet
	// allowed are base languages; nil: the policy says nothing.
	allowed []string
	// tellApart: the languages of acts are remembered.
	tellApart bool
}

// deed is a rule about acts, as Evaluate sees it: what Judge has found is in the
// record.
type deed struct {
	id ruleID
	// must are the actions without which nobody can judge; may are those that are
	// judged wherever the platform shows them at all.
	must, may actionSet
}

// judge turns what the record holds into a verdict.
func (d deed) judge(s *subject) outcome {
	if out := s.notJudged(); out.verdict != 0 {
		return out.withActs()
	}
	if s.found(d.id, func(m *match) bool { return m.verdict == Violated && !m.stale }) != nil {
		return violated("").withActs()
	}
	if s.found(d.id, func(m *match) bool { return m.stale }) != nil {
		return unknown(judgedAnew).withActs()
	}
	if why := s.unread(d.must, d.may); why != "" {
		return unknown("cannot be judged: " + why)
	}
	if out, ok := s.standing(d.id, d.must|d.may); ok && out.verdict != Pass {
		return out
	}
	if m := s.found(d.id, func(m *match) bool { return m.verdict == Unknown }); m != nil {
		return unknown("not everything can be judged: " + m.detail)
	}
	return pass()
}

const (
	judgedAnew = "what the account did is being judged anew, since the rules have changed"
	notReadYet = "what the account does has not been read"
)

// notJudged is the outcome of a rule about acts while there is no record that counts.
func (s *subject) notJudged() outcome {
	switch rec := s.in.Activity; {
	case rec == nil:
		return unknown("cannot be judged: " + notReadYet)
	case !s.recordHolds:
		return unknown(judgedAnew)
	default:
		return outcome{}
	}
}

// found is the match of a rule that meets a condition; of several of one kind the one
// whose detail comes first, so that a new one does not reword a finding.
func (s *subject) found(id ruleID, meets func(*match) bool) *match {
	var first *match
	all := s.in.Activity.matches
	for i := range all {
		m := &all[i]
		if m.ruleID == id && meets(m) && (first == nil || m.detail < first.detail) {
			first = m
		}
	}
	return first
}

// gaps are the actions that could not be read, worked out once for all rules.
type gaps struct {
	missing, never, unread actionSet
}

func gapsOf(r *Record) gaps {
	var g gaps
	for i, action := range actions {
		c, bit := r.Coverage[action], actionSet(1<<i)
		switch {
		case c.Missing != "":
			g.missing |= bit
			if c.Unobservable {
				g.never |= bit
			}
		case !r.counts(c) && (r.base == nil || r.base.read[action].IsZero()):
			g.unread |= bit
		}
	}
	return g
}

// unread says which actions have not been read, and why; "" if all have.
func (s *subject) unread(must, may actionSet) string {
	if (must|may)&(s.gaps.missing|s.gaps.unread) == 0 {
		return ""
	}
	parts := s.unreadable(must, may)
	for i, action := range actions {
		if (must|may)&s.gaps.unread&(1<<i) != 0 {
			parts = append(parts, pluralOf(action)+" have not been read yet")
		}
	}
	return strings.Join(parts, "; ")
}

// unreadable says why actions cannot be read. What a platform never shows is left out
// of may.
func (s *subject) unreadable(must, may actionSet) []string {
	set := (must | may&^s.gaps.never) & s.gaps.missing
	if set == 0 {
		return nil
	}
	var parts []string
	for i, action := range actions {
		if set&(1<<i) == 0 {
			continue
		}
		if why := clean(s.in.Activity.Coverage[action].Missing, 2*maxQuote); !slices.Contains(parts, why) {
			parts = append(parts, why)
		}
	}
	return parts
}

// withActs: each act that was found gives a finding of its own.
func (o outcome) withActs() outcome {
	o.acts = true
	return o
}

var plurals = map[v1alpha1.ActivityAction]string{
	v1alpha1.ActionPublish: "posts", v1alpha1.ActionReply: "replies", v1alpha1.ActionRepost: "reposts",
	v1alpha1.ActionLike: "likes", v1alpha1.ActionFollow: "follows",
}

func pluralOf(a v1alpha1.ActivityAction) string { return plurals[a] }

// findActs adds one finding for each act that was found, or one for the rule where
// there is none.
func (res *Result) findActs(p *Policy, r *rule, out outcome, s *subject) {
	told := false
	for i := range s.matches() {
		m := &s.in.Activity.matches[i]
		if m.reference == nil || m.rule != r.name || m.policy != p.name {
			continue
		}
		f := finding(p, r, out, v1alpha1.VerdictViolated, r.evidence)
		f.Reference = m.reference
		f.Message = r.say(s, m.detail)
		if m.stale || !s.recordHolds {
			f.Verdict, f.Evidence, f.Message = v1alpha1.VerdictUnknown, unobservable, judgedAnew
		}
		res.find(f)
		told = true
	}
	if !told {
		res.find(finding(p, r, out, v1alpha1.VerdictUnknown, unobservable))
	}
}

func (s *subject) matches() []match {
	if s.in.Activity == nil {
		return nil
	}
	return s.in.Activity.matches
}

// say is the policy's own message in the account's language, else in Arabic, else in
// English; detail where the policy has none.
func (r *rule) say(s *subject, detail string) string {
	m := r.message
	if m == nil {
		return shorten(detail, maxMessage)
	}
	first, second := m.AR, m.EN
	if baseLanguage(s.account.Spec.Language) == "en" {
		first, second = m.EN, m.AR
	}
	if first == "" {
		first = second
	}
	if first == "" {
		first = detail
	}
	return shorten(first, maxMessage)
}

// baseLanguage is the first part of a BCP 47 tag, in lower case.
func baseLanguage(tag string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return strings.ToLower(base)
}
