package governance

import (
	"slices"
	"strconv"
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

// provide adds a rule that the policy words itself.
func (c *compiler) provide(name, path string, p v1alpha1.Provision, judge func(*subject) outcome) {
	if p.Message != nil {
		c.safe(name, path+".message.ar", p.Message.AR)
		c.safe(name, path+".message.en", p.Message.EN)
	}
	c.add(rule{
		name:       name,
		severity:   p.Severity,
		control:    p.Control,
		legalBasis: p.LegalBasis,
		message:    p.Message,
		judge:      judge,
	})
}

func (c *compiler) credentials() {
	if r := c.spec.Credentials; r != nil && r.MaxAgeDays > 0 {
		c.add(rule{name: ruleMaxAge, judge: credentialAge{limit: days(r.MaxAgeDays), days: int(r.MaxAgeDays)}.judge})
	}
}

// credentialAge: the account's credential is renewed often enough.
type credentialAge struct {
	limit time.Duration
	days  int
}

func (r credentialAge) judge(s *subject) outcome {
	if s.account.Spec.Credentials == nil {
		return outcome{}
	}
	held := s.account.Status.Credentials
	if held == nil || held.IssuedAt == nil {
		return unknown("cannot be judged: when the account's credential was issued is not known")
	}
	end := held.IssuedAt.Add(r.limit)
	if s.in.Now.Before(end) {
		return outcome{verdict: Pass, next: end}
	}
	return violated("the credential was issued on " + stamp(held.IssuedAt.Time) + "; it may be used for " + strconv.Itoa(r.days) + " days")
}
