// Package manual holds the policy with which the benchmarks judge: as long as a
// ministry's manual of 30 rules.
package manual

import (
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Emblem is the difference hash of the picture "emblem" of hack/platformsim.
const Emblem = "0f173371332b0f0f"

// Spec is a policy of 30 rules, 6 of them in CEL.
func Spec() *v1alpha1.GovernancePolicySpec {
	return &v1alpha1.GovernancePolicySpec{
		Version: "1.0",
		Tiers:   []v1alpha1.Tier{{Name: "school", MinPeople: 2}},
		Ownership: &v1alpha1.OwnershipRules{
			IncompatibleRoles:    []v1alpha1.RoleSet{{v1alpha1.RolePublisher, v1alpha1.RoleApprover}},
			MaxAccountsPerPerson: 10, AllowedDomains: []v1alpha1.DomainName{"edu.example"},
			Acknowledgement: &v1alpha1.AcknowledgementRule{WithinDays: 30, RenewEveryDays: 365},
		},
		Identity: &v1alpha1.IdentityRules{
			HandlePattern: `^(moe|edu)_[a-z0-9_]+$`, DisplayNamePattern: `^(مدرسة|إدارة) `, BioMustContain: []string{"الحساب الرسمي"},
			WebsiteDomains: []v1alpha1.DomainName{"edu.example"}, Verified: v1alpha1.VerifiedRequired,
			Avatars: []v1alpha1.AvatarRule{{Name: "emblem", PerceptualHash: Emblem}},
		},
		Credentials: &v1alpha1.CredentialRules{MaxAgeDays: 90},
		Attestations: []v1alpha1.AttestationRule{
			{Control: "two-factor-enabled", EveryDays: 365}, {Control: "recovery-address-ours", EveryDays: 365}, {Control: "shared-devices-none", EveryDays: 365},
		},
		Activity: []v1alpha1.ActivityRule{
			{Name: "repost-official-only", Effect: v1alpha1.EffectDeny, Actions: []v1alpha1.ActivityAction{v1alpha1.ActionRepost}, Targets: &v1alpha1.ActivityTargets{Governed: ptr.To(false)}},
			{Name: "no-replies", Effect: v1alpha1.EffectDeny, Actions: []v1alpha1.ActivityAction{v1alpha1.ActionReply}},
		},
		Content: []v1alpha1.ContentRule{{Name: "no-personal-data", AnyOf: v1alpha1.TextMatch{
			Terms: []string{"رقم الهوية", "iban"}, Patterns: []v1alpha1.RegularExpression{`\b1\d{9}\b`},
		}}},
		Sources: []v1alpha1.SourceRule{{
			Name: "figures-cite-source", When: v1alpha1.TextMatch{Patterns: []v1alpha1.RegularExpression{`[0-9]+ ?%`}}, LinkDomains: []v1alpha1.DomainName{"edu.example"},
		}},
		Languages:   &v1alpha1.LanguageRules{Allowed: []string{"ar", "en"}, Primary: v1alpha1.PrimaryFromAccount},
		Performance: &v1alpha1.PerformanceRules{MaxSilenceDays: 30, MinPostsPer30Days: 2},
		Rules: []v1alpha1.CustomRule{
			{Name: "geo-off", Expression: `!has(live.location) || live.location == ''`},
			{Name: "school-unit", Expression: `account.unit.startsWith('riyadh/')`},
			{Name: "contact-differs", Expression: `account.contact != account.accountable`},
			{Name: "somebody-approves", Expression: `team.exists(m, 'Approver' in m.roles)`},
			{Name: "purpose-said", Expression: `has(account.purpose) && account.purpose.size() >= 10`},
			{Name: "known-in-arabic", Expression: `live.displayName.contains('مدرسة') || live.displayName.contains('إدارة')`},
		},
	}
}
