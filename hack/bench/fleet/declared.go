package fleet

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/manual"
)

// PolicyName is the policy that selects everybody.
const PolicyName = "moe-manual"

// Rules is how many rules apply to every account.
const Rules = 30

// controls are the facts that people confirm.
var controls = []v1alpha1.RuleName{"two-factor-enabled", "recovery-address-ours", "shared-devices-none"}

// marker is in the purpose of those whose verdict an edit of the policy turns.
const marker = "تجربة"

// Policy is the manual of hack/manual, changed so that all of its 30 rules can be
// judged by a profile and by what is declared: reading posts costs up to a request an
// account and belongs to another measurement. In place of the eight rules about posts
// and of the one about credentials there are nine expressions more. every is the interval between two looks.
func Policy(every time.Duration) *v1alpha1.GovernancePolicy {
	spec := *manual.Spec()
	spec.Activity, spec.Content, spec.Sources, spec.Languages, spec.Performance, spec.Credentials = nil, nil, nil, nil, nil, nil
	spec.Mode = v1alpha1.ModeEnforce
	spec.Tiers = nil
	for _, tier := range []v1alpha1.TierName{tierMinistry, tierDirectorate, tierSchool} {
		spec.Tiers = append(spec.Tiers, v1alpha1.Tier{Name: tier, MinPeople: 2, Observation: observation(every)})
	}
	spec.Attestations = nil
	for _, control := range controls {
		spec.Attestations = append(spec.Attestations, v1alpha1.AttestationRule{Control: control, EveryDays: 365})
	}
	spec.Identity.HandlePattern = `^(moe|edu)[._][a-z0-9._]+$`
	spec.Identity.DisplayNamePattern = `^(مدرسة|إدارة التعليم|وزارة التعليم)( |$)`
	spec.Rules = []v1alpha1.CustomRule{
		{Name: "handle-is-ours", Expression: `live.handle.startsWith('edu') || live.handle.startsWith('moe')`},
		{Name: "unit-said", Expression: `account.unit.startsWith('edu') || account.unit == 'moe'`},
		{Name: "contact-differs", Expression: `account.contact != account.accountable`},
		{Name: "somebody-approves", Expression: `team.exists(m, 'Approver' in m.roles)`},
		{Name: "purpose-said", Expression: `has(account.purpose) && account.purpose.size() >= 10`},
		{Name: "known-in-arabic", Expression: `live.displayName.contains('التعليم') || live.displayName.contains('مدرسة')`},
		{Name: "body-is-labelled", Expression: `'body' in account.labels`},
		{Name: "arabic-leads", Expression: `account.language == 'ar'`},
		{Name: "handle-as-declared", Expression: `live.handle == account.handle`},
		{Name: "name-as-approved", Expression: `live.displayName == account.profile.displayName`},
		{Name: "unit-is-no-path", Expression: `!account.unit.endsWith('/')`},
		{Name: "somebody-publishes", Expression: `team.exists(m, 'Publisher' in m.roles)`},
		{Name: "nobody-does-both", Expression: `team.all(m, !('Approver' in m.roles && 'Publisher' in m.roles))`},
		{Name: "contact-is-ours", Expression: `account.contact.endsWith('@edu.example')`},
		{Name: "purpose-is-lasting", Expression: `!account.purpose.contains('حملة')`},
	}
	return &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: PolicyName}, Spec: spec}
}

func observation(every time.Duration) *v1alpha1.ObservationIntervals {
	return &v1alpha1.ObservationIntervals{ProfileEvery: &metav1.Duration{Duration: every}, StaleAfter: &metav1.Duration{Duration: StaleAfter(every)}}
}

// StaleAfter is how old the knowledge of an account may be that is looked at every so
// often.
func StaleAfter(every time.Duration) time.Duration { return 10 * every }

// HandsOver lets a change of the accountable person start a handover, with both
// credentials alive for a moment only. Without the limit of accounts a person, whoever
// follows on many would break it.
func HandsOver(policy *v1alpha1.GovernancePolicy) {
	policy.Spec.Credentials = &v1alpha1.CredentialRules{
		RotateOn: []v1alpha1.RotateOn{v1alpha1.RotateOnAccountableChanged}, Overlap: &metav1.Duration{Duration: time.Second},
	}
	policy.Spec.Ownership.MaxAccountsPerPerson = 100_000
}

// Every changes how often everybody is looked at, and no rule.
func Every(policy *v1alpha1.GovernancePolicy, every time.Duration) {
	for i := range policy.Spec.Tiers {
		policy.Spec.Tiers[i].Observation = observation(every)
	}
}

// Flip changes the last expression so that whoever Flips begins to break it.
func Flip(policy *v1alpha1.GovernancePolicy) {
	last := &policy.Spec.Rules[len(policy.Spec.Rules)-1]
	last.Expression = v1alpha1.Expression(fmt.Sprintf(`!account.purpose.contains('%s')`, marker))
}

// FlippedRule is the rule that Flip changes.
const FlippedRule = "rules/purpose-is-lasting"

// Declared is the account as its body declares it.
func (a Account) Declared(now time.Time) *v1alpha1.SocialAccount {
	day := func(n int) metav1.Time { return metav1.NewTime(now.AddDate(0, 0, -n).UTC().Truncate(time.Second)) }
	people := []v1alpha1.PersonName{
		v1alpha1.PersonName(fmt.Sprintf("head-%06d@edu.example", a.Body)), v1alpha1.PersonName(fmt.Sprintf("press-%06d@edu.example", a.Body)),
		v1alpha1.PersonName(fmt.Sprintf("deputy-%06d@edu.example", a.Body)),
	}
	acc := &v1alpha1.SocialAccount{
		ObjectMeta: metav1.ObjectMeta{Name: a.Name, Namespace: a.Namespace, Labels: map[string]string{"body": fmt.Sprint(a.Body), "tier": a.tier}},
		Spec: v1alpha1.SocialAccountSpec{
			Platform: a.Platform, Handle: a.Handle, AccountID: a.ID, Class: v1alpha1.ClassOfficial, Tier: v1alpha1.TierName(a.tier), Language: "ar",
			Purpose: a.purpose(), ConnectionRef: &v1alpha1.LocalReference{Name: v1alpha1.ObjectName(a.Connection)},
			Owner: v1alpha1.Owner{Unit: a.unit, Accountable: people[0], Contact: "media@edu.example"},
			Team: []v1alpha1.TeamMember{
				{Person: people[1], Roles: []v1alpha1.Role{v1alpha1.RolePublisher}}, {Person: people[2], Roles: []v1alpha1.Role{v1alpha1.RoleApprover}},
			},
			Profile: &v1alpha1.ApprovedProfile{DisplayName: a.displayName(), Website: website},
		},
	}
	for _, control := range controls {
		acc.Spec.Attestations = append(acc.Spec.Attestations, v1alpha1.Attestation{Control: control, By: people[0], At: day(100)})
	}
	for _, p := range people {
		acc.Spec.Acknowledgements = append(acc.Spec.Acknowledgements, v1alpha1.Acknowledgement{Person: p, Policy: PolicyName, Version: "1.0", At: day(50)})
	}
	return acc
}

func (a Account) purpose() string {
	if a.Flips() {
		return "أخبار المدرسة وأنشطتها، " + marker
	}
	return "أخبار المدرسة وأنشطتها"
}

const website = "https://edu.example/schools"

func (a Account) displayName() string { return fmt.Sprintf("%s %d", a.title, a.Body) }

// Connections are the ways to the platforms, at these addresses by platform in lower
// case.
func (f *Fleet) Connections(addresses map[string]string) ([]*v1alpha1.PlatformConnection, error) {
	var out []*v1alpha1.PlatformConnection
	for _, p := range platforms {
		address, ok := addresses[lower(p)]
		if !ok {
			return nil, fmt.Errorf("the simulator serves no %s", p)
		}
		for n := range f.connectionsOf(p) {
			c := &v1alpha1.PlatformConnection{
				ObjectMeta: metav1.ObjectMeta{Name: connectionName(p, n)},
				Spec: v1alpha1.PlatformConnectionSpec{
					Platform: p, Default: ptr.To(n == 0), Endpoint: address, AppSecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName(lower(p) + "-moe-app")},
				},
			}
			if p == v1alpha1.PlatformX && f.hands {
				c.Spec.AlternateAppSecretRef = &v1alpha1.LocalReference{Name: XSecond}
			}
			if p == v1alpha1.PlatformYouTube {
				c.Spec.Options = &v1alpha1.PlatformOptions{YouTube: &v1alpha1.YouTubeOptions{DailyUnits: YouTubeUnits}}
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// YouTubeUnits is what the benchmark's project is granted a day, 1000 times Google's
// default: a sweep every 90 seconds is not what a budget is made for.
const YouTubeUnits = 10_000_000

// connectionsOf is how many connections serve a platform. Mithaq sends Meta at most
// two requests a second through one, of which a share is used, so that a large fleet
// has several.
func (f *Fleet) connectionsOf(p v1alpha1.PlatformName) int {
	if p != v1alpha1.PlatformFacebook && p != v1alpha1.PlatformInstagram {
		return 1
	}
	return (f.OfPlatform(p) + f.perConnection - 1) / f.perConnection
}

func (f *Fleet) connection(p v1alpha1.PlatformName, body int) string {
	return connectionName(p, body%f.connectionsOf(p))
}

func connectionName(p v1alpha1.PlatformName, n int) string {
	return fmt.Sprintf("%s-moe-%d", lower(p), n+1)
}

// BatchSize is how many accounts one request to a platform can show, from the
// platforms' documents: X 100 ids, Snapchat 1000 a page of which Mithaq takes 100,
// YouTube 50 ids, Meta 50 requests a batch.
func BatchSize(p v1alpha1.PlatformName) int {
	if p == v1alpha1.PlatformX || p == v1alpha1.PlatformSnapchat {
		return 100
	}
	return 50
}

// Loads is how many accounts each connection of a platform serves.
func (f *Fleet) Loads(p v1alpha1.PlatformName) []int {
	loads := make([]int, f.connectionsOf(p))
	for body := range f.OfPlatform(p) {
		loads[body%len(loads)]++
	}
	return loads
}
