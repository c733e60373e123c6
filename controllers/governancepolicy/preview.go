package governancepolicy

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/status"
)

// ruleTier is the rule that a preview counts accounts of a tier under that an edition
// does not list.
const ruleTier = "tiers/permitted"

// The caps of a preview's lists, as in the schema.
const (
	maxExamples = 20
	maxTiers    = 64
)

// fleet is what a preview rests on. Nothing of it is changed.
type fleet struct {
	accounts iter.Seq[*v1alpha1.SocialAccount]
	// namespaces are the labels of namespaces.
	namespaces map[string]map[string]string
	// inForce are the policies of modes Audit and Enforce, with when they came into
	// force.
	inForce []*governance.Policy
	since   map[string]time.Time
	// readable are the facts that each platform exposes.
	readable map[v1alpha1.PlatformName]governance.Facts
	// accountsOf counts a person's accounts, where accounts are not the whole fleet.
	accountsOf func(person string) int
}

// compare counts what the accounts that candidate selects would gain and lose if it
// stood in the place of what is in force for them. candidate is compiled as enforced.
func compare(candidate *governance.Policy, f *fleet, now time.Time) *previewPart {
	accountsOf := f.accountsOf
	if accountsOf == nil {
		counts := people(f.accounts)
		accountsOf = func(person string) int { return counts[person] }
	}
	c := comparison{fleet: f, candidate: candidate, now: now, accountsOf: accountsOf, tiers: map[v1alpha1.TierName]*difference{}, rules: map[string]*difference{}}
	for acc := range f.accounts {
		if candidate.Selects(acc, f.namespaces[acc.Namespace]) {
			c.account(acc)
		}
	}
	return c.part()
}

// difference counts accounts.
type difference struct{ Violating, Clean, Unknown int }

func (d *difference) add(other *difference) {
	d.Violating += other.Violating
	d.Clean += other.Clean
	d.Unknown += other.Unknown
}

type comparison struct {
	fleet     *fleet
	candidate *governance.Policy
	now       time.Time
	// accountsOf counts a person's accounts over the whole fleet.
	accountsOf func(person string) int

	accounts int
	all      difference
	tiers    map[v1alpha1.TierName]*difference
	rules    map[string]*difference
	worse    []string
	better   []string
}

// people counts the accounts that each person answers for or works on.
func people(accounts iter.Seq[*v1alpha1.SocialAccount]) map[string]int {
	counts := map[string]int{}
	var keys []string
	for acc := range accounts {
		spec := &acc.Spec
		keys = append(keys[:0], governance.PersonKey(spec.Owner.Accountable))
		for j := range spec.Team {
			if key := governance.PersonKey(spec.Team[j].Person); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		for _, key := range keys {
			counts[key]++
		}
	}
	return counts
}

// verdicts are those of one account, by rule; of several policies the worst counts.
type verdicts map[string]governance.Verdict

func (c *comparison) account(acc *v1alpha1.SocialAccount) {
	var inForce []*governance.Policy
	for _, p := range c.fleet.inForce {
		if p.Name() != c.candidate.Name() && p.Selects(acc, c.fleet.namespaces[acc.Namespace]) {
			inForce = append(inForce, p)
		}
	}
	before, after := c.judge(acc, inForce), c.judge(acc, []*governance.Policy{c.candidate})
	c.accounts++
	worse, better := before.any(governance.Violated) == 0 && after.any(governance.Violated) > 0, before.cleared(after)
	tier := entry(c.tiers, acc.Spec.Tier)
	for _, d := range []*difference{&c.all, tier} {
		d.Violating += count(worse)
		d.Clean += count(better)
		d.Unknown += count(after.any(governance.Violated) == 0 && after.any(governance.Unknown) > 0)
	}
	if worse {
		c.worse = append(c.worse, acc.Namespace+"/"+acc.Name)
	}
	if better {
		c.better = append(c.better, acc.Namespace+"/"+acc.Name)
	}
	c.byRule(before, after)
}

func (c *comparison) byRule(before, after verdicts) {
	for rule, verdict := range after {
		d := entry(c.rules, rule)
		d.Violating += count(verdict == governance.Violated && before[rule] != governance.Violated)
		d.Unknown += count(verdict == governance.Unknown)
	}
	for rule, verdict := range before {
		if verdict == governance.Violated && after[rule] != governance.Violated && after[rule] != governance.Unknown {
			entry(c.rules, rule).Clean++
		}
	}
}

func entry[K comparable](m map[K]*difference, key K) *difference {
	d, ok := m[key]
	if !ok {
		d = &difference{}
		m[key] = d
	}
	return d
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (v verdicts) any(want governance.Verdict) int {
	n := 0
	for _, verdict := range v {
		n += count(verdict == want)
	}
	return n
}

// cleared says that an account stops violating: what it violates is met, excepted or
// asked no longer. What is merely not known any more is not met.
func (v verdicts) cleared(after verdicts) bool {
	if v.any(governance.Violated) == 0 || after.any(governance.Violated) > 0 {
		return false
	}
	for rule, verdict := range v {
		if verdict == governance.Violated && after[rule] == governance.Unknown {
			return false
		}
	}
	return true
}

// judge evaluates the rules that count against Compliant, and the tier.
func (c *comparison) judge(acc *v1alpha1.SocialAccount, policies []*governance.Policy) verdicts {
	in := governance.Input{
		Account: acc, Policies: policies, Now: c.now, Activity: governance.Restore(acc),
		AccountsOf: c.accountsOf, EditionSince: c.since,
	}
	in.Live, in.LiveMissing = recorded(acc, c.fleet.readable[acc.Spec.Platform])
	v := verdicts{}
	for _, r := range governance.Evaluate(in).Rules {
		if r.Mode == v1alpha1.FindingEnforce {
			v[r.Rule] = worst(v[r.Rule], r.Verdict)
		}
	}
	if ok, _ := governance.TierPermitted(policies, acc.Spec.Tier); !ok {
		v[ruleTier] = governance.Violated
	}
	return v
}

// since: the candidate would come into force now.
func (c *comparison) since(policy string) time.Time {
	if policy == c.candidate.Name() {
		return c.now
	}
	return c.fleet.since[policy]
}

func worst(a, b governance.Verdict) governance.Verdict {
	for _, v := range []governance.Verdict{governance.Violated, governance.Unknown, governance.Excepted} {
		if a == v || b == v {
			return v
		}
	}
	return governance.Pass
}

// recorded is what the status remembers of the live profile.
func recorded(acc *v1alpha1.SocialAccount, readable governance.Facts) (*governance.Live, string) {
	p := acc.Status.Profile
	if p == nil {
		return nil, "no observation of the account is recorded"
	}
	switch p.State {
	case v1alpha1.StateActive, v1alpha1.StateProtected:
		return &governance.Live{Profile: p, Readable: readable}, ""
	default:
		return nil, "the account was not readable when it was last looked at"
	}
}

// inOrder are the keys with the most differences first, then by name; those without
// any are left out.
func inOrder[K cmp.Ordered](m map[K]*difference, limit int) []K {
	keys := slices.Sorted(maps.Keys(m))
	keys = slices.DeleteFunc(keys, func(k K) bool { return *m[k] == difference{} })
	slices.SortStableFunc(keys, func(a, b K) int {
		return cmp.Or(m[b].Violating-m[a].Violating, m[b].Clean-m[a].Clean, m[b].Unknown-m[a].Unknown)
	})
	return keys[:min(len(keys), limit)]
}

// isAboutActs says that a rule judges what accounts do, of which only what was found
// under the policies in force is remembered.
func isAboutActs(rule string) bool {
	section, _, _ := strings.Cut(rule, "/")
	return slices.Contains([]string{"activity", "content", "sources", "languages", "performance"}, section)
}

// previewOf keeps the time of the last change.
func previewOf(before, now *v1alpha1.PolicyPreview, at time.Time) *v1alpha1.PolicyPreview {
	if before != nil {
		now.ComputedAt = before.ComputedAt
		if status.Same(*before, *now) {
			return now
		}
	}
	now.ComputedAt = ptr.To(status.Time(at))
	return now
}
