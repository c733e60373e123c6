package governance

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Policy is a compiled edition. It never changes and is safe for concurrent use.
type Policy struct {
	name       string
	digest     string
	alone      string // digest of this policy and no other
	spec       *v1alpha1.GovernancePolicySpec
	namespaces labels.Selector // nil selects all
	accounts   labels.Selector // nil selects all
	rules      []rule
	acts       conduct
}

// rule is one compiled rule.
type rule struct {
	name       string
	severity   v1alpha1.Severity
	mode       v1alpha1.FindingMode
	evidence   v1alpha1.Evidence
	control    string
	legalBasis string
	// message is the policy's own; nil: the rule's.
	message *v1alpha1.Bilingual
	// needs is the live fact without which nobody can judge; 0 for a rule that
	// needs none, or sees to it itself.
	needs      Facts
	judge      func(*subject) outcome
	exceptions []exception
}

// exception suspends a rule.
type exception struct {
	accounts labels.Selector // nil covers all
	until    time.Time
}

// Name is the policy's name.
func (p *Policy) Name() string { return p.name }

// Version is the edition.
func (p *Policy) Version() v1alpha1.EditionVersion { return p.spec.Version }

// Mode says what the policy's findings do.
func (p *Policy) Mode() v1alpha1.PolicyMode { return p.spec.Mode }

// Enforced is the same edition as if it was enforced, for judging what a preview would
// change. It is nil only if the edition does not compile, and then it was no policy.
func (p *Policy) Enforced() *Policy {
	spec := p.spec.DeepCopy()
	spec.Mode = v1alpha1.ModeEnforce
	enforced, _ := Compile(p.name, spec)
	return enforced
}

// MaxAccountsPerPerson is the most accounts that the policy allows a person; 0: it
// says nothing.
func (p *Policy) MaxAccountsPerPerson() int {
	if p.spec.Ownership == nil {
		return 0
	}
	return int(p.spec.Ownership.MaxAccountsPerPerson)
}

// Digest is the SHA-256, in hex, of the name and the whole edition.
func (p *Policy) Digest() string { return p.digest }

// Selects says whether the policy is about the account.
func (p *Policy) Selects(acc *v1alpha1.SocialAccount, namespaceLabels map[string]string) bool {
	if s := p.spec.Selector; s != nil {
		if len(s.Platforms) > 0 && !slices.Contains(s.Platforms, acc.Spec.Platform) {
			return false
		}
		if len(s.Classes) > 0 && !slices.Contains(s.Classes, classOf(acc)) {
			return false
		}
	}
	return matches(p.namespaces, namespaceLabels) && matches(p.accounts, acc.Labels)
}

func matches(selector labels.Selector, set map[string]string) bool {
	return selector == nil || selector.Matches(labels.Set(set))
}

// classOf is the account's class, with the default of the schema.
func classOf(acc *v1alpha1.SocialAccount) v1alpha1.AccountClass {
	if acc.Spec.Class == "" {
		return v1alpha1.ClassOfficial
	}
	return acc.Spec.Class
}

// Tier finds a tier. hasTiers is false for a policy that says nothing about
// tiers. The tier belongs to the policy: do not change it.
func (p *Policy) Tier(name v1alpha1.TierName) (tier *v1alpha1.Tier, listed, hasTiers bool) {
	for i := range p.spec.Tiers {
		if p.spec.Tiers[i].Name == name {
			return &p.spec.Tiers[i], true, true
		}
	}
	return nil, false, len(p.spec.Tiers) > 0
}

// inForce says whether the policy touches accounts.
func (p *Policy) inForce() bool { return p != nil && p.spec.Mode != v1alpha1.ModePreview }

// TierPermitted says whether every policy that lists tiers lists this one; if
// not, by is the first policy, by name, that does not. Mode Preview refuses
// nothing.
func TierPermitted(policies []*Policy, tier v1alpha1.TierName) (ok bool, by string) {
	ok = true
	for _, p := range policies {
		if !p.inForce() {
			continue
		}
		_, listed, hasTiers := p.Tier(tier)
		if hasTiers && !listed && (ok || p.name < by) {
			ok, by = false, p.name
		}
	}
	return ok, by
}

// Cadence says how often an account is looked at.
type Cadence struct {
	ProfileEvery  time.Duration
	ActivityEvery time.Duration
	StaleAfter    time.Duration
}

// Intervals is the shortest of each interval that the policies of modes Audit and
// Enforce ask for at a tier; defaults hold where none says anything. The result
// can be kept: an account is looked at before its knowledge is stale.
func Intervals(policies []*Policy, tier v1alpha1.TierName, defaults Cadence) Cadence {
	var asked Cadence
	for _, p := range policies {
		if !p.inForce() {
			continue
		}
		t, listed, _ := p.Tier(tier)
		if !listed || t.Observation == nil {
			continue
		}
		asked.tighten(t.Observation)
	}
	return asked.or(defaults)
}

func (c *Cadence) tighten(o *v1alpha1.ObservationIntervals) {
	if o.ProfileEvery != nil {
		c.ProfileEvery = shorter(c.ProfileEvery, o.ProfileEvery.Duration)
	}
	if o.ActivityEvery != nil {
		c.ActivityEvery = shorter(c.ActivityEvery, o.ActivityEvery.Duration)
	}
	if o.StaleAfter != nil {
		c.StaleAfter = shorter(c.StaleAfter, o.StaleAfter.Duration)
	}
}

// shorter is the shorter of two intervals; 0 as the first says nothing.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

// or fills what nobody asked for. One policy may ask for a bound that is shorter
// than another's interval: the bound is a promise, so the interval gives way. A
// default bound promises nothing: it gives way to the interval, with room for one
// look that fails.
func (c Cadence) or(defaults Cadence) Cadence {
	bound := c.StaleAfter
	if c.ProfileEvery == 0 {
		c.ProfileEvery = defaults.ProfileEvery
	}
	if c.ActivityEvery == 0 {
		c.ActivityEvery = defaults.ActivityEvery
	}
	if bound == 0 {
		c.StaleAfter = max(defaults.StaleAfter, 2*c.ProfileEvery)
		return c
	}
	c.ProfileEvery = min(c.ProfileEvery, bound)
	return c
}

// CredentialRules are what the policy says of credentials; nil: nothing.
func (p *Policy) CredentialRules() *v1alpha1.CredentialRules { return p.spec.Credentials }
