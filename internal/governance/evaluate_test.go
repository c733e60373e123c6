package governance

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestExceptions(t *testing.T) {
	riyadh := &metav1.LabelSelector{MatchLabels: map[string]string{"region": "riyadh"}}
	jeddah := &metav1.LabelSelector{MatchLabels: map[string]string{"region": "jeddah"}}
	rules := func(exceptions ...v1alpha1.Exception) spec {
		s := identity(func(id *v1alpha1.IdentityRules) { id.HandlePattern, id.Verified = "^moe_", v1alpha1.VerifiedRequired })
		s.Exceptions = exceptions
		return s
	}
	grant := func(until metav1.Time, selector *metav1.LabelSelector, rules ...string) v1alpha1.Exception {
		return v1alpha1.Exception{Name: "eid", Rules: rules, AccountSelector: selector, Until: until}
	}
	const r, message = ruleHandle, `the handle "Edu_Riyadh" does not match the pattern ^moe_`
	runScenes(t, []scene{
		{name: "excepted until the end", rule: r, policy: rules(grant(day(3), nil, r)), want: Excepted, next: day(3).Time},
		{name: "excepted by label", rule: r, policy: rules(grant(day(3), riyadh, r)), want: Excepted, next: day(3).Time},
		{name: "every account, by an empty selector", rule: r, policy: rules(grant(day(3), &metav1.LabelSelector{}, r)), want: Excepted, next: day(3).Time},
		{name: "the last of several ends it", rule: r, policy: rules(grant(day(9), nil, r), grant(day(3), nil, r), grant(day(99), jeddah, r)), want: Excepted, next: day(9).Time},
		{name: "without evidence too", rule: r, policy: rules(grant(day(3), nil, r)), noLive: true, want: Excepted, next: day(3).Time},
		{name: "a passing rule is suspended too", rule: ruleVerified, policy: rules(grant(day(3), nil, "identity/verified")), want: Excepted, next: day(3).Time},
		{name: "ended at this moment", rule: r, policy: rules(grant(day(0), nil, r)), want: Violated, message: message},
		{name: "another account", rule: r, policy: rules(grant(day(3), jeddah, r)), want: Violated, message: message},
		{name: "another rule", rule: r, policy: rules(grant(day(3), nil, "identity/bio-must-contain")), want: Violated, message: message},
		{name: "a rule that does not apply stays away", rule: ruleApprovedProfile, policy: rules(grant(day(3), nil, ruleApprovedProfile))},
	})
}

func TestAnExceptionHoldsForItsOwnPolicyOnly(t *testing.T) {
	strict := identity(func(id *v1alpha1.IdentityRules) { id.HandlePattern = "^moe_" })
	lenient := *strict.DeepCopy()
	lenient.Exceptions = []v1alpha1.Exception{{Name: "e", Rules: []string{ruleHandle}, Until: day(1)}}
	res := Evaluate(Input{Account: newAccount(), Live: newLive(), Now: today, Policies: []*Policy{compile(t, "a", &lenient), compile(t, "b", &strict)}})
	if len(res.Findings) != 1 || res.Findings[0].Policy != "b" || res.Excepted != 1 || res.Violated != 1 {
		t.Errorf("%+v", res)
	}
}

func TestPreviewTouchesNoAccount(t *testing.T) {
	s := everything()
	enforced := compile(t, "a", &s)
	s.Mode = v1alpha1.ModePreview
	in := Input{Account: newAccount(), Live: newLive(), Now: today, Policies: []*Policy{enforced}}
	want := Evaluate(in)
	in.Policies = []*Policy{compile(t, "b", &s), enforced, nil}
	if diff := cmp.Diff(want, Evaluate(in)); diff != "" {
		t.Errorf("a preview changes the judgement:\n%s", diff)
	}
	if len(in.Policies) != 3 || in.Policies[1] != enforced {
		t.Error("Evaluate changed its caller's list")
	}
}

func TestFindingsComeWorstFirst(t *testing.T) {
	attest := func(severities ...v1alpha1.Severity) spec {
		s := spec{Tiers: []v1alpha1.Tier{{Name: "directorate", MinPeople: 9}}}
		for _, sev := range severities {
			s.Attestations = append(s.Attestations, v1alpha1.AttestationRule{Control: v1alpha1.RuleName(strings.ToLower(string(sev))), EveryDays: 1, Severity: sev})
		}
		return s
	}
	audit, enforce := attest("Critical"), attest("Low", "Critical", "Medium", "High")
	audit.Mode = v1alpha1.ModeAudit
	enforce.Identity = &v1alpha1.IdentityRules{Verified: v1alpha1.VerifiedRequired, HandlePattern: "^moe"}
	second := *enforce.DeepCopy()
	second.Attestations = nil
	live := newLive()
	live.Profile.Verified = ptr(false)
	res := Evaluate(Input{
		Account: newAccount(), Live: live, Now: today,
		Policies: []*Policy{compile(t, "c", &second), compile(t, "b", &enforce), compile(t, "a", &audit)},
	})
	var got []string
	for _, f := range res.Findings {
		got = append(got, string(f.Mode)+" "+string(f.Verdict)+" "+string(f.Severity)+" "+f.Rule+" "+string(f.Policy))
	}
	want := []string{
		"Enforce Violated High identity/handle-pattern b", "Enforce Violated High identity/handle-pattern c",
		"Enforce Violated High ownership/min-people b", "Enforce Violated High ownership/min-people c",
		"Enforce Violated Medium identity/verified b", "Enforce Violated Medium identity/verified c",
		"Enforce Unknown Critical attestations/critical b", "Enforce Unknown High attestations/high b",
		"Enforce Unknown Medium attestations/medium b", "Enforce Unknown Low attestations/low b",
		"Audit Violated High ownership/min-people a", "Audit Unknown Critical attestations/critical a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestNoTwoFindingsAreEquallyBad(t *testing.T) {
	a, b := v1alpha1.Finding{Rule: "x/y", Policy: "a"}, v1alpha1.Finding{Rule: "x/y", Policy: "b"}
	if worstFirst(a, b) >= 0 || worstFirst(b, a) <= 0 || worstFirst(a, a) != 0 {
		t.Error("findings of two policies have no order")
	}
}

func TestDigestOfAJudgement(t *testing.T) {
	one, two := spec{}, spec{Version: "2.0"}
	a, b, a2 := compile(t, "a", &one), compile(t, "b", &one), compile(t, "a", &two)
	digest := func(policies ...*Policy) string {
		return Evaluate(Input{Account: newAccount(), Now: today, Policies: policies}).Digest
	}
	if digest(a, b) != digest(b, a) {
		t.Error("the order of policies changes the digest")
	}
	seen := map[string]bool{}
	for _, d := range []string{digest(), digest(a), digest(b), digest(a2), digest(a, b), digest(a2, b)} {
		if len(d) != 64 || seen[d] {
			t.Errorf("digest %q is malformed, or stands for two sets of policies", d)
		}
		seen[d] = true
	}
}

func TestTheEarliestChangeIsTold(t *testing.T) {
	s := everything()
	s.Exceptions = []v1alpha1.Exception{{Name: "e", Rules: []string{ruleHandle}, Until: day(20)}}
	in := Input{Account: newAccount(), Live: newLive(), Now: today, Policies: []*Policy{compile(t, "moe-manual", &s)}}
	next := func() time.Time { return Evaluate(in).NextChange }
	if got, want := next(), created.AddDate(0, 0, 90); !got.Equal(want) {
		t.Errorf("acknowledgement is due %v, told %v", want, got)
	}
	in.Account.CreationTimestamp = day(-1)
	if got := next(); !got.Equal(day(20).Time) {
		t.Errorf("the exception ends %v, told %v", day(20), got)
	}
	in.Account.Spec.Attestations = []v1alpha1.Attestation{{Control: "two-factor-enabled", At: day(-1), ValidUntil: ptr(day(5))}}
	if got := next(); !got.Equal(day(5).Time) {
		t.Errorf("the attestation lapses %v, told %v", day(5), got)
	}
}

func TestMessagesFitTheirField(t *testing.T) {
	long := strings.Repeat("ب", 250)
	s := everything()
	s.Identity.HandlePattern, s.Identity.BioMustContain = v1alpha1.RegularExpression(strings.Repeat("ب", 1000)), []string{long, long + "1", long + "2"}
	s.Ownership.AllowedDomains = nil
	for _, p := range []string{"a", "b", "c", "d"} {
		s.Ownership.AllowedDomains = append(s.Ownership.AllowedDomains, v1alpha1.DomainName(strings.Repeat(p+".", 120)+"example"))
	}
	acc := newAccount()
	for i := range acc.Spec.Team {
		acc.Spec.Team[i].Person = v1alpha1.PersonName(strings.Repeat("é", 250) + string(rune('0'+i)))
	}
	res := Evaluate(Input{Account: acc, Live: newLive(), LiveMissing: long, Now: today.AddDate(2, 0, 0), Policies: []*Policy{compile(t, strings.Repeat("p", 253), &s)}})
	blind := Evaluate(Input{Account: acc, LiveMissing: strings.Repeat(long, 3), Now: today, Policies: []*Policy{compile(t, "p", &s)}})
	for _, f := range append(res.Findings, blind.Findings...) {
		if n := utf8.RuneCountInString(f.Message); n == 0 || n > maxMessage {
			t.Errorf("%s: message of %d characters: %s", f.Rule, n, f.Message)
		}
	}
	if len(res.Findings) < 10 {
		t.Errorf("only %d findings", len(res.Findings))
	}
}

func TestVerdictsHaveNames(t *testing.T) {
	for v, want := range map[Verdict]string{Pass: "Pass", Violated: "Violated", Unknown: "Unknown", Excepted: "Excepted", 0: "None", 99: "None"} {
		if v.String() != want {
			t.Errorf("%d is %s, want %s", v, v, want)
		}
	}
}
