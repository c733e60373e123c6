package governance

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

const medSev = v1alpha1.SeverityMedium

func withTeam(members ...v1alpha1.TeamMember) func(*account) {
	return func(a *account) { a.Spec.Team = members }
}

func member(person string, roles ...v1alpha1.Role) v1alpha1.TeamMember {
	return v1alpha1.TeamMember{Person: v1alpha1.PersonName(person), Roles: roles}
}

func TestMinPeople(t *testing.T) {
	needs := func(n int32) spec {
		return spec{Tiers: []v1alpha1.Tier{{Name: "school"}, {Name: "directorate", MinPeople: n}}}
	}
	runScenes(t, []scene{
		{name: "exactly enough", rule: ruleMinPeople, policy: needs(3), want: Pass},
		{
			name: "one too few", rule: ruleMinPeople, policy: needs(4), want: Violated,
			message: "tier directorate needs at least 4 different people on the account; it names 3",
		},
		{
			name: "one person under three spellings counts once", rule: ruleMinPeople, policy: needs(2), want: Violated,
			account: withTeam(member("A@edu.example", v1alpha1.RoleManager), member("a@EDU.example", v1alpha1.RoleAnalyst)),
			message: "tier directorate needs at least 2 different people on the account; it names 1",
		},
		{name: "judged without live data", rule: ruleMinPeople, policy: needs(3), noLive: true, want: Pass},
		{name: "tier without a number", rule: ruleMinPeople, policy: needs(2), account: func(a *account) { a.Spec.Tier = "school" }},
		{name: "tier that the policy does not list", rule: ruleMinPeople, policy: needs(2), account: func(a *account) { a.Spec.Tier = "club" }},
		{
			name: "personal account", rule: ruleMinPeople, policy: needs(9), want: Violated,
			account: func(a *account) { a.Spec.Class = v1alpha1.ClassPersonal },
			message: "tier directorate needs at least 9 different people on the account; it names 3",
		},
		{
			name: "audit", rule: ruleMinPeople, want: Violated, mode: v1alpha1.FindingAudit,
			policy:  spec{Mode: v1alpha1.ModeAudit, Tiers: needs(4).Tiers},
			message: "tier directorate needs at least 4 different people on the account; it names 3",
		},
	})
}

func TestIncompatibleRoles(t *testing.T) {
	const prefix = "one person may not hold these roles together on one account: "
	pair := v1alpha1.RoleSet{v1alpha1.RolePublisher, v1alpha1.RoleApprover}
	triple := v1alpha1.RoleSet{v1alpha1.RoleAnalyst, v1alpha1.RolePublisher, v1alpha1.RoleManager}
	rules := func(sets ...v1alpha1.RoleSet) spec {
		return spec{Ownership: &v1alpha1.OwnershipRules{IncompatibleRoles: sets}}
	}
	both := member("x@edu.example", v1alpha1.RoleApprover, v1alpha1.RolePublisher)
	runScenes(t, []scene{
		{name: "kept apart", rule: ruleIncompatibleRoles, policy: rules(pair), want: Pass},
		{
			name: "both in one hand", rule: ruleIncompatibleRoles, policy: rules(pair), account: withTeam(both), want: Violated,
			message: prefix + "x@edu.example (Publisher and Approver)",
		},
		{
			name: "any two of a larger set", rule: ruleIncompatibleRoles, policy: rules(triple), want: Violated,
			account: withTeam(member("x", v1alpha1.RoleManager, v1alpha1.RoleAnalyst)),
			message: prefix + "x (Manager and Analyst)",
		},
		{
			name: "one role of each of two sets", rule: ruleIncompatibleRoles, want: Pass,
			policy:  rules(pair, v1alpha1.RoleSet{v1alpha1.RoleManager, v1alpha1.RoleAnalyst}),
			account: withTeam(member("x", v1alpha1.RolePublisher, v1alpha1.RoleManager)),
		},
		{
			name: "spread over two spellings of one person", rule: ruleIncompatibleRoles, policy: rules(pair), want: Violated,
			account: withTeam(member("x", v1alpha1.RolePublisher), member("X", v1alpha1.RoleApprover)),
			message: prefix + "x (Publisher and Approver)",
		},
		{
			name: "people by name, the first three", rule: ruleIncompatibleRoles, policy: rules(pair), want: Violated,
			account: withTeam(member("e", both.Roles...), member("d", both.Roles...), member("f", both.Roles...), member("g", both.Roles...), member("h", both.Roles...)),
			message: prefix + "d (Publisher and Approver), e (Publisher and Approver), f (Publisher and Approver) and 2 more",
		},
		{name: "no sets, no rule", rule: ruleIncompatibleRoles, policy: rules()},
	})
}

func TestMaxAccountsPerPerson(t *testing.T) {
	rules := spec{Ownership: &v1alpha1.OwnershipRules{MaxAccountsPerPerson: 10}}
	runScenes(t, []scene{
		{name: "at the limit", rule: ruleMaxAccounts, policy: rules, fleet: map[string]int{"a@edu.example": 10}, want: Pass},
		{
			name: "above it", rule: ruleMaxAccounts, policy: rules, want: Violated,
			fleet:   map[string]int{"c@edu.example": 11, "a@edu.example": 99, "nobody@edu.example": 1000},
			message: "one person may be on at most 10 accounts; on more: a@edu.example, c@edu.example",
		},
		{
			name: "asks for the key, shows the name", rule: ruleMaxAccounts, policy: rules, want: Violated,
			account: func(a *account) { a.Spec.Owner.Accountable = "Boss@Edu.example" },
			fleet:   map[string]int{"boss@edu.example": 11},
			message: "one person may be on at most 10 accounts; on more: Boss@Edu.example",
		},
		{
			name: "fleet not known", rule: ruleMaxAccounts, policy: rules, want: Unknown,
			message: "cannot be judged: the other accounts of the fleet are not known",
		},
	})
}

func TestAllowedDomains(t *testing.T) {
	rules := func(domains ...v1alpha1.DomainName) spec {
		return spec{Ownership: &v1alpha1.OwnershipRules{AllowedDomains: domains}}
	}
	accountable := func(person v1alpha1.PersonName) func(*account) {
		return func(a *account) { a.Spec.Owner.Accountable = person }
	}
	const prefix = "not an address at edu.example or below: "
	runScenes(t, []scene{
		{name: "all at the domain", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Pass},
		{name: "subdomain", rule: ruleAllowedDomains, policy: rules("edu.example"), account: accountable("a@mail.EDU.example"), want: Pass},
		{name: "second domain", rule: ruleAllowedDomains, policy: rules("edu.example", "spa.example"), account: accountable("a@spa.example"), want: Pass},
		{
			name: "another domain with the same ending", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: accountable("a@myedu.example"), message: prefix + "a@myedu.example",
		},
		{
			name: "domain as a prefix", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: accountable("a@edu.example.evil.test"), message: prefix + "a@edu.example.evil.test",
		},
		{
			name: "last at-sign counts", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: accountable("a@edu.example@evil.test"), message: prefix + "a@edu.example@evil.test",
		},
		{name: "at-sign in the name", rule: ruleAllowedDomains, policy: rules("edu.example"), account: accountable(`"a@b"@edu.example`), want: Pass},
		{
			name: "person without an address", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: accountable("director"), message: prefix + "director",
		},
		{
			name: "nobody before the at-sign", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: accountable("@edu.example"), message: prefix + "@edu.example",
		},
		{
			name: "team and contact too", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: func(a *account) {
				a.Spec.Team[0].Person, a.Spec.Owner.Contact = "b@gmail.test", "media@gmail.test"
			},
			message: prefix + "b@gmail.test, media@gmail.test",
		},
		{
			name: "contact that is a person already named", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: func(a *account) { a.Spec.Owner.Accountable, a.Spec.Owner.Contact = "x@gmail.test", "X@gmail.test" },
			message: prefix + "x@gmail.test",
		},
		{name: "no contact", rule: ruleAllowedDomains, policy: rules("edu.example"), account: func(a *account) { a.Spec.Owner.Contact = "" }, want: Pass},
		{name: "Arabic domain", rule: ruleAllowedDomains, policy: rules("xn--pgb4a7aey.example", "edu.example"), account: accountable("a@تعليم.example"), want: Pass},
		{
			name: "look-alike domain in Cyrillic", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: accountable("a@еdu.example"), message: prefix + "a@еdu.example",
		},
		{
			name: "characters that reorder text are not repeated", rule: ruleAllowedDomains, policy: rules("edu.example"), want: Violated,
			account: accountable("a\u202e@gmail.test"), message: prefix + "a\ufffd@gmail.test",
		},
	})
}

func acks(list ...v1alpha1.Acknowledgement) func(*account) {
	return func(a *account) { a.Spec.Acknowledgements = list }
}

func ack(person string, at metav1.Time) v1alpha1.Acknowledgement {
	return v1alpha1.Acknowledgement{Person: v1alpha1.PersonName(person), Policy: "moe-manual", Version: "1.0", At: at}
}

func TestAcknowledgement(t *testing.T) {
	rules := func(within, renew int32) spec {
		return spec{Ownership: &v1alpha1.OwnershipRules{Acknowledgement: &v1alpha1.AcknowledgementRule{WithinDays: within, RenewEveryDays: renew}}}
	}
	all := func(at metav1.Time) func(*account) {
		return acks(ack("A@edu.example", at), ack("b@edu.example", at), ack("c@edu.example", at))
	}
	other := func(k v1alpha1.Acknowledgement, policy v1alpha1.ObjectName, version v1alpha1.EditionVersion) v1alpha1.Acknowledgement {
		k.Policy, k.Version = policy, version
		return k
	}
	const r = ruleAcknowledgement
	const missing = "edition 1.0 of moe-manual is not acknowledged by "
	sev, att := medSev, v1alpha1.EvidenceAttested
	within := func(d int) time.Time { return created.AddDate(0, 0, d) }
	runScenes(t, []scene{
		{name: "everybody has, once is enough", rule: r, policy: rules(30, 0), account: all(day(-400)), want: Pass},
		{name: "everybody has, until it must be renewed", rule: r, policy: rules(30, 365), account: all(day(-10)), want: Pass, next: day(355).Time},
		{name: "nobody has, and it is not due", rule: r, policy: rules(90, 0), want: Pass, next: within(90)},
		{
			name: "nobody has, and it was due", rule: r, policy: rules(30, 0), want: Violated, severity: sev, evidence: att,
			message: missing + "a@edu.example, b@edu.example, c@edu.example",
		},
		{
			name: "at the very moment it is due", rule: r, policy: rules(30, 0), want: Violated, severity: sev, evidence: att,
			account: func(a *account) { a.CreationTimestamp = day(-30) },
			message: missing + "a@edu.example, b@edu.example, c@edu.example",
		},
		{
			name: "another edition or policy does not help", rule: r, policy: rules(30, 0), want: Violated, severity: sev, evidence: att,
			account: acks(other(ack("a@edu.example", day(-1)), "moe-manual", "0.9"), other(ack("b@edu.example", day(-1)), "moc-manual", "1.0"), ack("c@edu.example", day(-40))),
			message: missing + "a@edu.example, b@edu.example",
		},
		{
			name: "lapsed", rule: r, policy: rules(30, 365), account: all(day(-365)), want: Violated, severity: sev, evidence: att,
			message: "the acknowledgement of edition 1.0 of moe-manual must be renewed by a@edu.example, b@edu.example, c@edu.example",
		},
		{
			name: "one missing, one lapsed, one still good", rule: r, policy: rules(30, 365), want: Violated, severity: sev, evidence: att,
			account: acks(ack("b@edu.example", day(-400)), ack("c@edu.example", day(-364))), next: day(1).Time,
			message: missing + "a@edu.example; the acknowledgement of edition 1.0 of moe-manual must be renewed by b@edu.example",
		},
		{
			name: "from the future it is not believed", rule: r, policy: rules(30, 0), want: Violated, severity: sev, evidence: att,
			account: acks(ack("a@edu.example", day(5)), ack("b@edu.example", day(-50)), ack("c@edu.example", day(-50))), next: day(5).Time,
			message: missing + "a@edu.example",
		},
		{
			name: "an announcement gives no time", rule: r, policy: rules(30, 0), want: Violated, severity: sev, evidence: att,
			account: acks(ack("gone@edu.example", day(5))), next: day(5).Time,
			message: missing + "a@edu.example, b@edu.example, c@edu.example",
		},
		{name: "lapsed before it was due is not due yet", rule: r, policy: rules(90, 1), edition: created, account: all(day(-50)), want: Pass, next: within(90)},
		{name: "a young edition leaves time", rule: r, policy: rules(30, 0), edition: day(-10).Time, want: Pass, next: day(20).Time},
		{
			name: "an old edition on an older account does not", rule: r, policy: rules(30, 0), edition: day(-31).Time, want: Violated,
			severity: sev, evidence: att, message: missing + "a@edu.example, b@edu.example, c@edu.example",
		},
		{
			name: "age of the edition not known: it was there when first acknowledged", rule: r, policy: rules(30, 0), want: Pass,
			account: acks(ack("b@edu.example", day(-10)), ack("c@edu.example", day(-5))), next: day(20).Time,
		},
		{name: "judged without live data", rule: r, policy: rules(90, 0), noLive: true, want: Pass, next: within(90)},
	})
}
