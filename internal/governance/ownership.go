package governance

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func (c *compiler) ownership() {
	if slices.ContainsFunc(c.spec.Tiers, func(t v1alpha1.Tier) bool { return t.MinPeople > 0 }) {
		c.add(rule{name: ruleMinPeople, judge: c.policy.judgeMinPeople})
	}
	o := c.spec.Ownership
	if o == nil {
		return
	}
	if len(o.IncompatibleRoles) > 0 {
		c.add(rule{name: ruleIncompatibleRoles, judge: incompatibleRoles(o.IncompatibleRoles)})
	}
	if o.MaxAccountsPerPerson > 0 {
		c.add(rule{name: ruleMaxAccounts, judge: maxAccounts(int(o.MaxAccountsPerPerson))})
	}
	if len(o.AllowedDomains) > 0 {
		c.add(rule{name: ruleAllowedDomains, judge: allowedDomains(c.domains(o.AllowedDomains))})
	}
	if o.Acknowledgement != nil {
		a := &acknowledgement{
			policy:  v1alpha1.ObjectName(c.policy.name),
			version: c.spec.Version,
			within:  days(o.Acknowledgement.WithinDays),
			renew:   days(o.Acknowledgement.RenewEveryDays),
		}
		c.add(rule{name: ruleAcknowledgement, judge: a.judge})
	}
}

func (p *Policy) judgeMinPeople(s *subject) outcome {
	tier, listed, _ := p.Tier(s.account.Spec.Tier)
	if !listed || tier.MinPeople == 0 {
		return outcome{}
	}
	if have := len(s.people()); have < int(tier.MinPeople) {
		return violated("tier " + string(tier.Name) + " needs at least " + strconv.Itoa(int(tier.MinPeople)) +
			" different people on the account; it names " + strconv.Itoa(have))
	}
	return pass()
}

// roleSet is a set of roles.
type roleSet uint8

var roles = [...]v1alpha1.Role{v1alpha1.RoleManager, v1alpha1.RolePublisher, v1alpha1.RoleApprover, v1alpha1.RoleAnalyst}

func rolesOf(names []v1alpha1.Role) roleSet {
	var set roleSet
	for _, name := range names {
		if i := slices.Index(roles[:], name); i >= 0 {
			set |= 1 << i
		}
	}
	return set
}

func (set roleSet) String() string {
	var names []string
	for i, name := range roles {
		if set&(1<<i) != 0 {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, " and ")
}

// incompatibleRoles: the roles of a set exclude each other, so any two of them
// are too many for one person.
func incompatibleRoles(sets []v1alpha1.RoleSet) func(*subject) outcome {
	masks := make([]roleSet, len(sets))
	for i, set := range sets {
		masks[i] = rolesOf(set)
	}
	return func(s *subject) outcome {
		var found []string
		for _, p := range s.people() {
			var clash roleSet
			for _, mask := range masks {
				if both := p.roles & mask; bits.OnesCount8(uint8(both)) > 1 {
					clash |= both
				}
			}
			if clash != 0 {
				found = append(found, p.name+" ("+clash.String()+")")
			}
		}
		if len(found) == 0 {
			return pass()
		}
		return violated("one person may not hold these roles together on one account: " + list(found))
	}
}

// maxAccounts leaves the number that a person has out of its message: it moves
// with the fleet, and every account of the person would be written each time.
func maxAccounts(limit int) func(*subject) outcome {
	return func(s *subject) outcome {
		if s.in.AccountsOf == nil {
			return unknown("cannot be judged: the other accounts of the fleet are not known")
		}
		var found []string
		for _, p := range s.people() {
			if s.in.AccountsOf(p.key) > limit {
				found = append(found, p.name)
			}
		}
		if len(found) == 0 {
			return pass()
		}
		return violated("one person may be on at most " + strconv.Itoa(limit) + " accounts; on more: " + list(found))
	}
}

func allowedDomains(domains []string) func(*subject) outcome {
	return func(s *subject) outcome {
		var found []string
		for _, p := range s.people() {
			if !atDomain(p.key, domains) {
				found = append(found, p.name)
			}
		}
		contact := s.account.Spec.Owner.Contact
		named := func(name string) bool { return PersonKey(name) == PersonKey(contact) }
		if strings.Contains(contact, "@") && !atDomain(contact, domains) && !slices.ContainsFunc(found, named) {
			found = append(found, contact)
		}
		if len(found) == 0 {
			return pass()
		}
		return violated("not an address at " + list(domains) + " or below: " + list(found))
	}
}

func atDomain(address string, domains []string) bool {
	at := strings.LastIndexByte(address, '@')
	return at > 0 && within(asciiDomain(address[at+1:]), domains)
}

func days(n int32) time.Duration { return time.Duration(n) * 24 * time.Hour }

// acknowledgement: everybody on the account has read the edition.
type acknowledgement struct {
	policy  v1alpha1.ObjectName
	version v1alpha1.EditionVersion
	within  time.Duration
	renew   time.Duration // 0: once is enough
}

func (a *acknowledgement) judge(s *subject) outcome {
	var missing, lapsed []string
	out := outcome{verdict: Pass, next: a.announced(s)}
	due := a.start(s).Add(a.within)
	for _, p := range s.people() {
		at := a.latest(s, p.key)
		if !at.IsZero() && a.renew == 0 {
			continue
		}
		until := due
		if renewal := at.Add(a.renew); !at.IsZero() && renewal.After(due) {
			until = renewal
		}
		switch {
		case s.in.Now.Before(until):
			out.next = sooner(out.next, until)
		case at.IsZero():
			missing = append(missing, p.name)
		default:
			lapsed = append(lapsed, p.name)
		}
	}
	if missing == nil && lapsed == nil {
		return out
	}
	out.verdict, out.message = Violated, a.message(missing, lapsed)
	return out
}

func (a *acknowledgement) message(missing, lapsed []string) string {
	edition := "edition " + string(a.version) + " of " + string(a.policy)
	var parts []string
	if missing != nil {
		parts = append(parts, edition+" is not acknowledged by "+list(missing))
	}
	if lapsed != nil {
		parts = append(parts, "the acknowledgement of "+edition+" must be renewed by "+list(lapsed))
	}
	return strings.Join(parts, "; ")
}

// start is when the people's time began: when the account and the edition both
// were there. If nobody tells when the edition appeared, the oldest
// acknowledgement of it on the account shows that it was there by then.
func (a *acknowledgement) start(s *subject) time.Time {
	var edition time.Time
	if s.in.EditionSince != nil {
		edition = s.in.EditionSince(string(a.policy))
	}
	if edition.IsZero() {
		edition = a.oldest(s)
	}
	if created := s.account.CreationTimestamp.Time; created.After(edition) {
		return created
	}
	return edition
}

func (a *acknowledgement) oldest(s *subject) time.Time {
	var oldest time.Time
	for i := range s.account.Spec.Acknowledgements {
		if k := &s.account.Spec.Acknowledgements[i]; a.about(k) && !k.At.After(s.in.Now) {
			oldest = sooner(oldest, k.At.Time)
		}
	}
	return oldest
}

// latest is the person's newest acknowledgement of the edition. One from the
// future is not believed.
func (a *acknowledgement) latest(s *subject, key string) time.Time {
	var latest time.Time
	for i := range s.account.Spec.Acknowledgements {
		k := &s.account.Spec.Acknowledgements[i]
		if a.about(k) && !k.At.After(s.in.Now) && k.At.After(latest) && PersonKey(k.Person) == key {
			latest = k.At.Time
		}
	}
	return latest
}

// announced is when the next acknowledgement from the future will be believed.
func (a *acknowledgement) announced(s *subject) time.Time {
	var next time.Time
	for i := range s.account.Spec.Acknowledgements {
		if k := &s.account.Spec.Acknowledgements[i]; a.about(k) && k.At.After(s.in.Now) {
			next = sooner(next, k.At.Time)
		}
	}
	return next
}

func (a *acknowledgement) about(k *v1alpha1.Acknowledgement) bool {
	return k.Policy == a.policy && k.Version == a.version
}
