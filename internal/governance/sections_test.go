package governance

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestAttestations(t *testing.T) {
	const r, what = "attestations/two-factor-enabled", "the attestation of two-factor-enabled "
	rules := spec{Attestations: []v1alpha1.AttestationRule{{Control: "two-factor-enabled", EveryDays: 365, Severity: v1alpha1.SeverityCritical}}}
	mild := spec{Attestations: []v1alpha1.AttestationRule{{Control: "two-factor-enabled", EveryDays: 365}}}
	said := func(at metav1.Time, until *metav1.Time) func(*account) {
		return func(a *account) {
			a.Spec.Attestations = []v1alpha1.Attestation{
				{Control: "recovery-mail", At: day(-1)},
				{Control: "two-factor-enabled", By: "b@edu.example", At: at, ValidUntil: until},
			}
		}
	}
	const critical = v1alpha1.SeverityCritical
	runScenes(t, []scene{
		{name: "attested, for the policy's period", rule: r, policy: rules, account: said(day(-5), nil), want: Pass, next: day(360).Time},
		{name: "attested, for a shorter time", rule: r, policy: rules, account: said(day(-5), ptr(day(10))), want: Pass, next: day(10).Time},
		{name: "attested, for longer than the policy believes", rule: r, policy: rules, account: said(day(-5), ptr(day(999))), want: Pass, next: day(360).Time},
		{name: "judged without live data", rule: r, policy: rules, account: said(day(-5), nil), noLive: true, want: Pass, next: day(360).Time},
		{name: "missing", rule: r, policy: rules, want: Unknown, severity: critical, message: "nobody has attested two-factor-enabled"},
		{name: "missing, severity not given", rule: r, policy: mild, want: Unknown, severity: medSev, message: "nobody has attested two-factor-enabled"},
		{name: "lapsed by the policy's period", rule: r, policy: rules, account: said(day(-365), nil), want: Unknown, severity: critical, message: what + "lapsed on 2026-11-23T12:00:00Z"},
		{name: "lapsed by its own end", rule: r, policy: rules, account: said(day(-5), ptr(day(-1))), want: Unknown, severity: critical, message: what + "lapsed on 2026-11-22T12:00:00Z"},
		{
			name: "dated in the future", rule: r, policy: rules, account: said(day(1), nil), want: Unknown, severity: critical, next: day(1).Time,
			message: what + "is dated in the future, 2026-11-24T12:00:00Z, and not believed before",
		},
		{name: "attested at this moment", rule: r, policy: rules, account: said(day(0), nil), want: Pass, next: day(365).Time},
	})
}

// everything declares every section.
func everything() spec {
	p := v1alpha1.Provision{Severity: v1alpha1.SeverityHigh, Control: "OSMACC-2-2-1", LegalBasis: "art. 6"}
	return spec{
		Tiers: []v1alpha1.Tier{{Name: "directorate", MinPeople: 2}},
		Ownership: &v1alpha1.OwnershipRules{
			IncompatibleRoles:    []v1alpha1.RoleSet{{v1alpha1.RolePublisher, v1alpha1.RoleApprover}},
			MaxAccountsPerPerson: 10, AllowedDomains: []v1alpha1.DomainName{"edu.example"},
			Acknowledgement: &v1alpha1.AcknowledgementRule{WithinDays: 90},
		},
		Identity: &v1alpha1.IdentityRules{
			HandlePattern: "^(moe|edu)_[a-z0-9_]+$", DisplayNamePattern: "إدارة", BioMustContain: []string{"الحساب الرسمي"},
			WebsiteDomains: []v1alpha1.DomainName{"edu.example"}, Verified: v1alpha1.VerifiedRequired,
			Avatars: []v1alpha1.AvatarRule{{Name: "emblem", PerceptualHash: moeHash}},
		},
		Credentials:  &v1alpha1.CredentialRules{MaxAgeDays: 90},
		Attestations: []v1alpha1.AttestationRule{{Control: "two-factor-enabled", EveryDays: 365}},
		Activity: []v1alpha1.ActivityRule{
			{Name: "follow-partners", Effect: v1alpha1.EffectAllow, Actions: []v1alpha1.ActivityAction{v1alpha1.ActionFollow}, Targets: &v1alpha1.ActivityTargets{Governed: ptr(true)}},
			{Name: "follow-official-only", Effect: v1alpha1.EffectDeny, Actions: []v1alpha1.ActivityAction{v1alpha1.ActionFollow}},
		},
		Content:     []v1alpha1.ContentRule{{Name: "no-personal-data", AnyOf: v1alpha1.TextMatch{Patterns: []v1alpha1.RegularExpression{`\b1\d{9}\b`}}, Provision: p}},
		Sources:     []v1alpha1.SourceRule{{Name: "figures-cite-source", When: v1alpha1.TextMatch{Patterns: []v1alpha1.RegularExpression{`[0-9٠-٩]+ ?[%٪]`}}}},
		Languages:   &v1alpha1.LanguageRules{Allowed: []string{"ar"}, Primary: v1alpha1.PrimaryFromAccount},
		Performance: &v1alpha1.PerformanceRules{MaxSilenceDays: 30, MinPostsPer30Days: 4},
		Rules:       []v1alpha1.CustomRule{{Name: "geo-off", Expression: "true", Provision: p}},
	}
}

func TestRulesThatDoNotExistHaveNoVerdict(t *testing.T) {
	bare := spec{
		Credentials: &v1alpha1.CredentialRules{}, Languages: &v1alpha1.LanguageRules{Primary: v1alpha1.PrimaryAny}, Performance: &v1alpha1.PerformanceRules{},
		Ownership: &v1alpha1.OwnershipRules{}, Activity: everything().Activity[:1],
	}
	in := (&scene{policy: bare}).input(t)
	in.Account.Spec.Credentials = &v1alpha1.AccountCredentials{}
	if res := Evaluate(in); len(res.Rules) != 0 {
		t.Errorf("empty sections yield %v", res.Rules)
	}
	in = (&scene{policy: everything()}).input(t)
	res := Evaluate(in)
	for _, r := range res.Rules {
		if r.Rule == ruleMaxAge || r.Rule == ruleApprovedProfile {
			t.Errorf("%s is judged on an account that declares nothing for it", r.Rule)
		}
	}
}

func TestEveryRuleIsRegistered(t *testing.T) {
	in := (&scene{policy: everything()}).input(t)
	in.Account.Spec.Credentials = &v1alpha1.AccountCredentials{}
	in.Account.Spec.Profile = &v1alpha1.ApprovedProfile{Bio: "x"}
	seen := map[string]bool{}
	for _, r := range Evaluate(in).Rules {
		doc := docOf(r.Rule)
		if doc == nil {
			t.Errorf("rule %s is not in the registry", r.Rule)
			continue
		}
		seen[doc.Name] = true
	}
	for _, doc := range Rules() {
		if !seen[doc.Name] {
			t.Errorf("registered rule %s is never judged", doc.Name)
		}
	}
	for _, stray := range []string{"ownership/other", "identity/", "content", "content/", "nothing/at-all", ""} {
		if doc := docOf(stray); doc != nil {
			t.Errorf("%q counts as %s", stray, doc.Name)
		}
	}
}

// What the registry says about needs and acts is what Evaluate does.
func TestRegistryTellsTheTruth(t *testing.T) {
	in := (&scene{policy: everything()}).input(t)
	in.Account.Spec.Credentials, in.Account.Spec.Language = &v1alpha1.AccountCredentials{}, "ar"
	in.Account.Status.Credentials = &v1alpha1.CredentialStatus{IssuedAt: ptr(day(-1))}
	in.Account.Spec.Profile = &v1alpha1.ApprovedProfile{DisplayName: "d", Bio: "b", Website: "https://w.example", Avatar: &v1alpha1.ApprovedAvatar{PerceptualHash: moeHash}}
	in.Account.Spec.Attestations = []v1alpha1.Attestation{{Control: "two-factor-enabled", At: day(-1)}}
	in.AccountsOf = func(string) int { return 1 }
	in.Live.Profile.Handle = in.Account.Spec.Handle
	judged := func(coverage map[v1alpha1.ActivityAction]Coverage) Input {
		in.Activity = Judge(nil, JudgeInput{Account: in.Account, Policies: in.Policies, Coverage: coverage, Governed: governedIDs(), Now: today})
		return in
	}
	verdicts := func(in Input) map[string]Verdict {
		got := map[string]Verdict{}
		for _, r := range Evaluate(in).Rules {
			got[docOf(r.Rule).Name] = r.Verdict
		}
		return got
	}
	full := verdicts(judged(everythingRead()))
	blind := in
	blind.Live = nil
	unseen := verdicts(blind)
	for _, doc := range Rules() {
		if full[doc.Name] == Unknown {
			t.Errorf("%s: evidence %s, but the verdict is Unknown with everything known", doc.Name, doc.Evidence)
		}
		if got := unseen[doc.Name] == Unknown; got != (doc.Needs != 0) {
			t.Errorf("%s: needs %b, verdict %v without live data", doc.Name, doc.Needs, unseen[doc.Name])
		}
		if doc.Meaning == "" || doc.Severity == "" || !strings.HasPrefix(doc.Name, doc.Section+"/") {
			t.Errorf("registry entry %+v is not complete", doc)
		}
		must, may := Acts(doc.Name)
		for _, action := range actions {
			got := verdicts(judged(except(action, Coverage{Missing: "not shown", Unobservable: true})))[doc.Name]
			if want := slices.Contains(must, action) && (doc.Section != "activity" || action == v1alpha1.ActionFollow); (got == Unknown) != want {
				t.Errorf("%s: must see %v, verdict %v without %s", doc.Name, must, got, action)
			}
			got = verdicts(judged(except(action, Coverage{Missing: "no token"})))[doc.Name]
			needed := slices.Contains(append(must, may...), action) && action != v1alpha1.ActionLike && (doc.Section != "activity" || action == v1alpha1.ActionFollow)
			if (got == Unknown) != needed {
				t.Errorf("%s: may see %v, verdict %v without a token for %s", doc.Name, may, got, action)
			}
		}
	}
}

func TestRulesIsACopy(t *testing.T) {
	Rules()[0].Name = "changed"
	if slices.ContainsFunc(Rules(), func(d RuleDoc) bool { return d.Name == "changed" }) {
		t.Error("a caller can change the registry")
	}
}
