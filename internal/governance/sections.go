package governance

import (
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func (c *compiler) attestations() {
	for _, r := range c.spec.Attestations {
		a := &attestation{control: r.Control, every: days(r.EveryDays)}
		c.add(rule{
			name:       "attestations/" + string(r.Control),
			severity:   r.Severity,
			legalBasis: r.LegalBasis,
			judge:      a.judge,
		})
	}
}

// attestation: a person confirmed a fact that no platform shows. Without a
// person's word that still holds the fact is unknown, not false.
type attestation struct {
	control v1alpha1.RuleName
	every   time.Duration
}

func (a *attestation) judge(s *subject) outcome {
	all := s.account.Spec.Attestations
	i := slices.IndexFunc(all, func(t v1alpha1.Attestation) bool { return t.Control == a.control })
	if i < 0 {
		return unknown("nobody has attested " + string(a.control))
	}
	at := all[i].At.Time
	if at.After(s.in.Now) {
		out := unknown("the attestation of " + string(a.control) + " is dated in the future, " + stamp(at) + ", and not believed before")
		out.next = at
		return out
	}
	end := at.Add(a.every)
	if until := all[i].ValidUntil; until != nil && until.Time.Before(end) {
		end = until.Time
	}
	if !s.in.Now.Before(end) {
		return unknown("the attestation of " + string(a.control) + " lapsed on " + stamp(end))
	}
	return outcome{verdict: Pass, next: end}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// The sections that follow are checked when a policy is accepted, and not
// evaluated yet. Their rules are Unknown, so that nobody takes silence for a pass.

// pending adds a rule that this version does not evaluate.
func (c *compiler) pending(name string, p v1alpha1.Provision) {
	c.add(rule{
		name:       name,
		severity:   p.Severity,
		control:    p.Control,
		legalBasis: p.LegalBasis,
		judge:      notEvaluated(name),
	})
}

// provide adds a rule that the policy words itself.
func (c *compiler) provide(name string, p v1alpha1.Provision, judge func(*subject) outcome) {
	c.add(rule{
		name:       name,
		severity:   p.Severity,
		control:    p.Control,
		legalBasis: p.LegalBasis,
		message:    p.Message,
		judge:      judge,
	})
}

func notEvaluated(name string) func(*subject) outcome {
	section, _, _ := strings.Cut(name, "/")
	if section == "rules" {
		section = "custom"
	}
	out := unknown("this version does not evaluate " + section + " rules yet")
	return func(*subject) outcome { return out }
}

func (c *compiler) credentials() {
	if r := c.spec.Credentials; r == nil || r.MaxAgeDays == 0 {
		return
	}
	judge := notEvaluated(ruleMaxAge)
	c.add(rule{name: ruleMaxAge, judge: func(s *subject) outcome {
		if s.account.Spec.Credentials == nil {
			return outcome{}
		}
		return judge(s)
	}})
}

func (c *compiler) content() {
	for i, r := range c.spec.Content {
		name := "content/" + string(r.Name)
		c.patterns(name, "spec.content"+index(i)+".anyOf.patterns", r.AnyOf.Patterns)
		c.pending(name, r.Provision)
	}
	for i, r := range c.spec.Sources {
		name := "sources/" + string(r.Name)
		c.patterns(name, "spec.sources"+index(i)+".when.patterns", r.When.Patterns)
		c.pending(name, r.Provision)
	}
}

func (c *compiler) patterns(rule, path string, patterns []v1alpha1.RegularExpression) {
	for i, p := range patterns {
		c.pattern(rule, path+index(i), p)
	}
}

func (c *compiler) languages() {
	l := c.spec.Languages
	if l == nil {
		return
	}
	if len(l.Allowed) > 0 {
		c.pending(ruleAllowedLanguages, v1alpha1.Provision{})
	}
	if l.Primary == v1alpha1.PrimaryFromAccount {
		c.pending(rulePrimaryLanguage, v1alpha1.Provision{})
	}
}

func (c *compiler) performance() {
	p := c.spec.Performance
	if p == nil {
		return
	}
	if p.MaxSilenceDays > 0 {
		c.pending(ruleMaxSilence, v1alpha1.Provision{})
	}
	if p.MinPostsPer30Days > 0 {
		c.pending(ruleMinPosts, v1alpha1.Provision{})
	}
}

func (c *compiler) custom() {
	for _, r := range c.spec.Rules {
		c.pending("rules/"+string(r.Name), r.Provision)
	}
}
