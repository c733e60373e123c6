package governance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func pick[T any](t *rapid.T, what string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, what)
}

// some keeps each value or not.
func some[T any](t *rapid.T, what string, values ...T) []T {
	var kept []T
	for i, v := range values {
		if rapid.Bool().Draw(t, fmt.Sprintf("%s %d", what, i)) {
			kept = append(kept, v)
		}
	}
	return kept
}

func drawDay(t *rapid.T, what string) metav1.Time {
	return day(rapid.IntRange(-40, 40).Draw(t, what))
}

func drawPolicy(t *rapid.T, name string) *Policy {
	s := everything()
	s.Version = pick(t, "version", v1alpha1.EditionVersion("1.0"), "1.1")
	s.Mode = pick(t, "mode", v1alpha1.ModeAudit, v1alpha1.ModeEnforce)
	s.Tiers[0].MinPeople = rapid.Int32Range(0, 4).Draw(t, "minPeople")
	s.Ownership.MaxAccountsPerPerson = rapid.Int32Range(0, 3).Draw(t, "maxAccounts")
	s.Ownership.AllowedDomains = some(t, "domain", v1alpha1.DomainName("edu.example"), "gmail.test")
	s.Ownership.Acknowledgement = &v1alpha1.AcknowledgementRule{WithinDays: rapid.Int32Range(1, 40).Draw(t, "within"), RenewEveryDays: rapid.Int32Range(0, 40).Draw(t, "renew")}
	s.Identity.HandlePattern = pick(t, "handlePattern", v1alpha1.RegularExpression(""), "^edu_", "^moe_")
	s.Identity.Verified = pick(t, "verified", v1alpha1.VerifiedRequired, v1alpha1.VerifiedPreferred, v1alpha1.VerifiedIgnored)
	s.Identity.WebsiteDomains = some(t, "site", v1alpha1.DomainName("edu.example"), "spa.example")
	s.Activity = some(t, "procedure", s.Activity...)
	s.Content[0].AnyOf.Terms = some(t, "term", "رقم الهوية", "iban", "المدرسة")
	s.Languages.Allowed = some(t, "language", "ar", "en")
	s.Performance = &v1alpha1.PerformanceRules{MaxSilenceDays: rapid.Int32Range(0, 40).Draw(t, "silence"), MinPostsPer30Days: rapid.Int32Range(0, 4).Draw(t, "least")}
	s.Attestations[0].EveryDays = rapid.Int32Range(1, 60).Draw(t, "every")
	for i, rules := range some(t, "exception", []string{ruleHandle, ruleAcknowledgement}, []string{ruleVerified, "content/no-personal-data", ruleHandle}) {
		s.Exceptions = append(s.Exceptions, v1alpha1.Exception{
			Name: v1alpha1.RuleName(fmt.Sprint("e", i)), Rules: rules, Until: drawDay(t, "until"),
			AccountSelector: pick(t, "selector", nil, &metav1.LabelSelector{MatchLabels: map[string]string{"region": "riyadh"}}, &metav1.LabelSelector{MatchLabels: map[string]string{"region": "x"}}),
		})
	}
	p, problems := Compile(name, &s)
	if problems != nil {
		t.Fatalf("policy does not compile: %v", problems)
	}
	return p
}

func drawAccount(t *rapid.T) *account {
	acc := newAccount()
	acc.CreationTimestamp = drawDay(t, "created")
	acc.Spec.Class = pick(t, "class", v1alpha1.ClassOfficial, v1alpha1.ClassPersonal)
	acc.Spec.Team = some(t, "team", member("b@edu.example", v1alpha1.RolePublisher, v1alpha1.RoleApprover), member("c@gmail.test", v1alpha1.RoleManager), member("A@edu.example", v1alpha1.RoleAnalyst))
	for _, who := range some(t, "acknowledged", "a@edu.example", "b@edu.example", "c@gmail.test", "gone@edu.example") {
		k := ack(who, drawDay(t, "acknowledged on"))
		k.Policy = pick(t, "of", v1alpha1.ObjectName("p0"), "p1", "p2")
		acc.Spec.Acknowledgements = append(acc.Spec.Acknowledgements, k)
	}
	acc.Spec.Language = pick(t, "speaks", "ar", "en")
	if rapid.Bool().Draw(t, "holds a credential") {
		acc.Spec.Credentials, acc.Status.Credentials = &v1alpha1.AccountCredentials{}, &v1alpha1.CredentialStatus{IssuedAt: ptr(drawDay(t, "issued"))}
	}
	for range some(t, "attested", 1) {
		acc.Spec.Attestations = []v1alpha1.Attestation{{Control: "two-factor-enabled", At: drawDay(t, "attested on"), ValidUntil: pick(t, "validUntil", nil, ptr(day(7)))}}
	}
	if rapid.Bool().Draw(t, "approved") {
		approved(v1alpha1.ApprovedProfile{Bio: pick(t, "approvedBio", "الحساب الرسمي", ""), Website: "https://edu.example", Avatar: &v1alpha1.ApprovedAvatar{PerceptualHash: moeHash}})(acc)
	}
	return acc
}

func drawLive(t *rapid.T) *Live {
	return &Live{
		Readable: Facts(rapid.Uint16().Draw(t, "readable") | rapid.Uint16().Draw(t, "readable too")),
		Profile: &profile{
			Handle: pick(t, "handle", "", "edu_riyadh", "moe_x"), DisplayName: pick(t, "name", "", "إدارة", "x"),
			Bio: pick(t, "bio", "", "الحساب الرسمي"), Website: pick(t, "website", "", "https://edu.example/", "https://evil.test"),
			AvatarURL: pick(t, "avatar", "", "https://a.example"), AvatarPerceptualHash: pick(t, "hash", "", v1alpha1.HexPerceptualHash(moeHash), "0000000000000000"),
			Verified: pick(t, "badge", nil, ptr(true), ptr(false)),
		},
	}
}

// drawn is an account with what it did.
type drawn struct {
	Input
	acts     []Act
	coverage map[v1alpha1.ActivityAction]Coverage
	governed func(v1alpha1.PlatformName, string, string) bool
}

// judged has the acts judged under the policies, as after reading the window again.
func (d drawn) judged() Input {
	d.Activity = Judge(nil, JudgeInput{
		Account: d.Account, Policies: d.Policies, Live: d.Live, Acts: d.acts, Coverage: d.coverage, Governed: d.governed, Now: d.Now,
	})
	return d.Input
}

func drawAct(t *rapid.T, id string) Act {
	act := Act{
		ID: id, At: drawDay(t, "done").Time, Action: pick(t, "action", actions[:]...),
		Text:   pick(t, "text", "", "صباح الخير", "أرسل رقم الهوية 1234567890", "ارتفعت النسبة إلى ٤٠٪", "IBAN", english, "Le ministère annonce que les inscriptions sont ouvertes pour tous les élèves"),
		Links:  some(t, "link", "https://edu.example/x", "https://bit.ly/y"),
		Target: pick(t, "target", Target{}, Target{ID: "8", Handle: "edu_jazan", Known: true}, Target{ID: "9", Known: true}, Target{Handle: "sparegions", Known: true}),
	}
	if act.At.After(today) {
		act.At = today
	}
	return act
}

// drawCoverage: what was read is read up to now, as far back as every act.
func drawCoverage(t *rapid.T) map[v1alpha1.ActivityAction]Coverage {
	read := everythingRead()
	for a := range read {
		if rapid.IntRange(0, 5).Draw(t, "hidden") == 0 {
			read[a] = pick(t, "gap", Coverage{}, Coverage{Missing: "no token"}, Coverage{Missing: "not shown", Unobservable: true})
		}
	}
	return read
}

func drawDrawn(t *rapid.T) drawn {
	d := drawn{Input: drawBare(t), coverage: drawCoverage(t), governed: pick(t, "governed", nil, governedIDs("8"))}
	for i := range rapid.IntRange(0, 5).Draw(t, "acts") {
		act := drawAct(t, fmt.Sprint(i))
		if d.coverage[act.Action].Missing == "" && !d.coverage[act.Action].Since.IsZero() {
			d.acts = append(d.acts, act)
		}
	}
	return d
}

func drawInput(t *rapid.T) Input { return drawDrawn(t).judged() }

func drawBare(t *rapid.T) Input {
	in := Input{Account: drawAccount(t), Live: drawLive(t), Now: today}
	for i := range rapid.IntRange(0, 3).Draw(t, "policies") {
		in.Policies = append(in.Policies, drawPolicy(t, fmt.Sprint("p", i)))
	}
	n := rapid.IntRange(0, 4).Draw(t, "accounts of each")
	in.AccountsOf = pick(t, "fleet", nil, func(string) int { return n })
	since := pick(t, "edition since", time.Time{}, day(-10).Time)
	in.EditionSince = func(string) time.Time { return since }
	return in
}

type ruleKey struct{ policy, rule string }

func verdicts(res Result) map[ruleKey]Verdict {
	got := map[ruleKey]Verdict{}
	for _, r := range res.Rules {
		got[ruleKey{r.Policy, r.Rule}] = r.Verdict
	}
	return got
}

func TestTheOrderOfPoliciesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDrawn(t)
		in := d.judged()
		want := Evaluate(in)
		in.Policies = rapid.Permutation(in.Policies).Draw(t, "order")
		if diff := cmp.Diff(want, Evaluate(in)); diff != "" {
			t.Fatalf("another order, another judgement:\n%s", diff)
		}
		d.Policies, d.acts = in.Policies, rapid.Permutation(d.acts).Draw(t, "order of acts")
		if diff := cmp.Diff(want, Evaluate(d.judged())); diff != "" {
			t.Fatalf("judged in another order, another judgement:\n%s", diff)
		}
	})
}

func TestJudgingInPartsIsJudgingAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDrawn(t)
		in := d.judged()
		want := Evaluate(in)
		cut := rapid.IntRange(0, len(d.acts)).Draw(t, "cut")
		again := rapid.IntRange(0, cut).Draw(t, "again")
		ask := JudgeInput{Account: d.Account, Policies: d.Policies, Live: d.Live, Acts: d.acts[:cut], Coverage: d.coverage, Governed: d.governed, Now: d.Now}
		in.Activity = Judge(nil, ask)
		ask.Acts = d.acts[again:]
		in.Activity = Judge(in.Activity, ask)
		if diff := cmp.Diff(want, Evaluate(in)); diff != "" {
			t.Fatalf("judged in parts, judged otherwise:\n%s", diff)
		}
	})
}

func TestAddingAPolicyRemovesNoFinding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDrawn(t)
		before := Evaluate(d.judged())
		d.Policies = append(d.Policies, drawPolicy(t, "added"))
		after := Evaluate(d.judged())
		for _, f := range before.Findings {
			if !slices.ContainsFunc(after.Findings, func(g v1alpha1.Finding) bool { return cmp.Equal(f, g) }) {
				t.Fatalf("%+v is gone", f)
			}
		}
		if before.Digest == after.Digest {
			t.Fatal("the digest does not tell that a policy was added")
		}
	})
}

func TestMissingEvidenceTurnsNothingIntoAPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDrawn(t)
		in := d.judged()
		full := verdicts(Evaluate(in))
		switch pick(t, "missing", "observation", "facts", "hash", "badge", "fleet", "attestations", "record", "edition", "coverage", "governed", "targets", "links", "languages", "issue") {
		case "record":
			in.Activity = nil
		case "edition":
			in.Activity = Judge(in.Activity, JudgeInput{Account: in.Account, Policies: append(slices.Clone(in.Policies), drawPolicy(t, "other")), Coverage: d.coverage, Now: in.Now})
		case "coverage":
			d.coverage[pick(t, "hidden action", actions[:]...)] = pick(t, "how", Coverage{}, Coverage{Missing: "no token"})
			in = d.judged()
		case "governed":
			d.governed = nil
			in = d.judged()
		case "targets":
			for i := range d.acts {
				d.acts[i].Target = Target{}
			}
			in = d.judged()
		case "links":
			for i := range d.acts {
				if len(d.acts[i].Links) > 0 {
					d.acts[i].Links = []string{"https://bit.ly/unresolved"}
				}
			}
			in = d.judged()
		case "languages":
			in.Account.Spec.Language = ""
		case "issue":
			in.Account.Status.Credentials = nil
		case "observation":
			in.Live = nil
		case "facts":
			in.Live.Readable &= Facts(rapid.Uint16().Draw(t, "left"))
		case "hash":
			in.Live.Profile.AvatarPerceptualHash = ""
		case "badge":
			in.Live.Profile.Verified = nil
		case "fleet":
			in.AccountsOf = nil
		case "attestations":
			in.Account.Spec.Attestations = nil
		}
		less := verdicts(Evaluate(in))
		if len(less) != len(full) {
			t.Fatalf("%d rules with evidence, %d without", len(full), len(less))
		}
		for key, v := range less {
			if v != full[key] && v != Unknown {
				t.Fatalf("%v: %v with evidence, %v without", key, full[key], v)
			}
		}
	})
}

func TestCountsAndFindingsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		res := Evaluate(in)
		rules := map[ruleKey]bool{}
		for _, f := range res.Findings {
			rules[ruleKey{string(f.Policy), f.Rule}] = true
		}
		if res.Passed+res.Violated+res.Unknown+res.Excepted != len(res.Rules) || res.Violated+res.Unknown != len(rules) {
			t.Fatalf("counts do not add up: %+v", res)
		}
		if !slices.IsSortedFunc(res.Findings, worstFirst) {
			t.Fatalf("findings are not sorted: %+v", res.Findings)
		}
		byKey := verdicts(res)
		for _, f := range res.Findings {
			if v := byKey[ruleKey{string(f.Policy), f.Rule}]; v.String() != string(f.Verdict) {
				t.Fatalf("finding %+v of a rule that is %v", f, v)
			}
			if (f.Verdict == v1alpha1.VerdictUnknown) != (f.Evidence == v1alpha1.EvidenceUnobservable) || f.Message == "" || !f.Since.IsZero() || f.Responsible != "" {
				t.Fatalf("finding %+v", f)
			}
		}
		if diff := cmp.Diff(res, Evaluate(in)); diff != "" {
			t.Fatalf("a second judgement differs:\n%s", diff)
		}
	})
}

func TestNothingChangesBeforeTheTimeThatIsTold(t *testing.T) {
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		res := Evaluate(in)
		if !res.NextChange.IsZero() && !res.NextChange.After(in.Now) {
			t.Fatalf("next change at %v is past", res.NextChange)
		}
		in.Now = in.Now.Add(time.Duration(rapid.IntRange(1, 90*24).Draw(t, "hours")) * time.Hour)
		if !res.NextChange.IsZero() && !in.Now.Before(res.NextChange) {
			in.Now = res.NextChange.Add(-time.Nanosecond)
		}
		later := Evaluate(in)
		if diff := cmp.Diff(res, later); diff != "" {
			t.Fatalf("changed before %v:\n%s", res.NextChange, diff)
		}
		if in.Now = res.NextChange; !in.Now.IsZero() && !cmp.Equal(res.Rules, Evaluate(in).Rules) {
			moved++
		}
	})
	if moved == 0 {
		t.Error("no verdict ever changed at the time that was told")
	}
}

func TestDriftAndApprovedProfileAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Policies = []*Policy{drawPolicy(t, "p")}
		drift := Drift(in.Account, in.Live)
		got, judged := verdicts(Evaluate(in))[ruleKey{"p", ruleApprovedProfile}]
		if judged != (in.Account.Spec.Profile != nil) || judged && (got == Violated) != (len(drift) > 0) {
			t.Fatalf("verdict %v with drift %v", got, drift)
		}
	})
}
