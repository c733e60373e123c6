package governance

import (
	"fmt"
	"strings"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestCustomRules(t *testing.T) {
	const r = "rules/geo-off"
	rule := func(source v1alpha1.Expression) spec {
		return spec{Rules: []v1alpha1.CustomRule{{Name: "geo-off", Expression: source}}}
	}
	geo := rule("!has(live.location) || live.location == ''")
	const notMet = "the account does not meet the rule's expression"
	runScenes(t, []scene{
		{name: "met", rule: r, policy: geo, want: Pass},
		{name: "not met", rule: r, policy: geo, live: func(l *Live) { l.Profile.Location = "الرياض" }, want: Violated, severity: medSev, message: notMet},
		{name: "what is not told is not empty", rule: r, policy: geo, live: func(l *Live) { l.Readable &^= FactLocation }, want: Unknown, severity: medSev, message: "cannot be judged: the platform does not tell live.location"},
		{name: "the account cannot be read", rule: r, policy: geo, noLive: true, missing: "the account is suspended", want: Unknown, severity: medSev, message: "cannot be judged: the account is suspended"},
		{name: "the account alone needs no live data", rule: r, policy: rule("account.tier == 'directorate'"), noLive: true, want: Pass},
		{name: "the team", rule: r, policy: rule("team.exists(m, 'Approver' in m.roles)"), want: Pass},
		{name: "now", rule: r, policy: rule("now < timestamp('2026-01-01T00:00:00Z')"), want: Violated, severity: medSev, message: notMet},
		{name: "an operation without result", rule: r, policy: rule("1 / size(account.purpose) > 0"), want: Unknown, severity: medSev, message: "cannot be judged: an operation of the expression has no result, at position 2"},
		{name: "the policy's own words", rule: r, policy: spec{Rules: []v1alpha1.CustomRule{{Name: "geo-off", Expression: "false", Provision: v1alpha1.Provision{Message: &v1alpha1.Bilingual{AR: "أوقف الموقع"}}}}}, want: Violated, severity: medSev, message: "أوقف الموقع"},
		{name: "the policy's own words do not hide what is missing", rule: r, policy: spec{Rules: []v1alpha1.CustomRule{{Name: "geo-off", Expression: geo.Rules[0].Expression, Provision: v1alpha1.Provision{Message: &v1alpha1.Bilingual{AR: "أوقف الموقع"}}}}}, live: func(l *Live) { l.Readable = 0 }, want: Unknown, severity: medSev, message: "cannot be judged: the platform does not tell live.location"},
	})
}

func TestContentByExpression(t *testing.T) {
	const r = "content/no-personal-data"
	rule := func(source v1alpha1.Expression) spec { return contentRule(v1alpha1.TextMatch{Expression: source}, "") }
	long := rule("post.text.size() > 10 && post.action == 'Publish'")
	stranger := rule("has(post.target) && !post.target.governed")
	reply := towards(v1alpha1.ActionReply, "1", "7", "stranger")
	runScenes(t, []scene{
		{name: "met", rule: r, policy: long, acts: []Act{post("1", 1, "صباح الخير للجميع")}, coverage: everythingRead(), want: Violated, severity: medSev, message: "the post meets the rule's expression"},
		{name: "not met", rule: r, policy: long, acts: []Act{post("1", 1, "صباح")}, coverage: everythingRead(), want: Pass},
		{name: "a target", rule: r, policy: stranger, acts: []Act{reply}, coverage: everythingRead(), governed: governedIDs(), want: Violated, severity: medSev, message: `the reply to "stranger" meets the rule's expression`},
		{name: "no target", rule: r, policy: stranger, acts: []Act{post("1", 1, "نص")}, coverage: everythingRead(), governed: governedIDs(), want: Pass},
		{name: "a fleet that is not known", rule: r, policy: stranger, acts: []Act{reply}, coverage: everythingRead(), want: Unknown, severity: medSev, message: "not everything can be judged: the platform does not tell post.target.governed"},
		{name: "live data that is not there", rule: r, policy: rule("live.verified"), noLive: true, acts: []Act{post("1", 1, "نص")}, coverage: everythingRead(), want: Unknown, severity: medSev, message: "not everything can be judged: the platform does not tell live.verified"},
		{name: "beside terms", rule: r, policy: contentRule(v1alpha1.TextMatch{Terms: []string{"نص"}, Expression: "live.verified"}, ""), noLive: true, acts: []Act{post("1", 1, "نص")}, coverage: everythingRead(), want: Violated, severity: medSev, message: `the post contains the term "نص"`},
	})
}

func TestExpressionsThatDoNotCompileAreNamedWithTheirPlace(t *testing.T) {
	s := &spec{
		Version: "1",
		Content: []v1alpha1.ContentRule{{Name: "a", AnyOf: v1alpha1.TextMatch{Patterns: []v1alpha1.RegularExpression{"("}, Expression: "post.txt == ''"}}},
		Sources: []v1alpha1.SourceRule{{Name: "b", When: v1alpha1.TextMatch{Expression: "1 + 1"}, LinkDomains: []v1alpha1.DomainName{"edu.example"}}},
		Rules:   []v1alpha1.CustomRule{{Name: "c", Expression: "'إدارة' == post.text"}, {Name: "d", Expression: "true"}, {Name: "e", Expression: "live.bio +"}},
	}
	_, problems := Compile("p", s)
	type place struct {
		rule, path string
		position   int
	}
	want := []place{
		{"content/a", "spec.content[0].anyOf.patterns[0]", 0}, {"content/a", "spec.content[0].anyOf.expression", 4},
		{"sources/b", "spec.sources[0].when.expression", 0}, {"rules/c", "spec.rules[0].expression", 11}, {"rules/e", "spec.rules[2].expression", 10},
	}
	if len(problems) != len(want) {
		t.Fatalf("problems %v", problems)
	}
	for i, p := range problems {
		if (place{p.Rule, p.Path, p.Position}) != want[i] || p.Text == "" {
			t.Errorf("%+v, want %+v", p, want[i])
		}
	}
}

// An expression costs at most so much, whatever the post: then it is Unknown.
func TestEvaluationEndsWithinItsBounds(t *testing.T) {
	s := contentRule(v1alpha1.TextMatch{Expression: "post.text.split('').exists(a, post.text.split('').exists(b, a + b == 'zz' && post.text.contains(a + b)))"}, "")
	s.Content[0].AnyOf.Terms, s.Content[0].AnyOf.Patterns = []string{"ا ا ب", "بب"}, []v1alpha1.RegularExpression{`(a*)*z`, `(ا|ا)*ز`}
	for _, unit := range []string{"ا ", "\xff"} {
		sc := scene{
			rule: "content/no-personal-data", policy: s, acts: []Act{post("1", 1, strings.Repeat(unit, 1500))}, coverage: everythingRead(),
			want: Unknown, severity: medSev, message: "not everything can be judged: the expression costs too much to evaluate",
		}
		t.Run(fmt.Sprintf("%q", unit), func(t *testing.T) { sc.check(t, Evaluate(sc.input(t))) })
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add("رقم الهوية", `\b1\d{9}\b`, "post.text.size() > 0", "رقم الهويّة ١٢٣٤٥٦٧٨٩٠ https://edu.example")
	f.Add("iban", "(?i)x", "has(post.target)", "\u202eIBAN\xff")
	f.Fuzz(func(t *testing.T, term, pattern, source, said string) {
		s := contentRule(v1alpha1.TextMatch{Terms: []string{term}, Patterns: []v1alpha1.RegularExpression{v1alpha1.RegularExpression(pattern)}, Expression: v1alpha1.Expression(source)}, "")
		s.Version = "1"
		p, problems := Compile("p", &s)
		for _, problem := range problems {
			if problem.Position < 0 || problem.Path == "" || problem.Text != clean(problem.Text, 2*maxMessage) {
				t.Fatalf("%+v", problem)
			}
		}
		if p == nil {
			return
		}
		record := Judge(nil, JudgeInput{Account: newAccount(), Policies: []*Policy{p}, Acts: []Act{post("1", 1, said)}, Coverage: everythingRead(), Now: today})
		for _, finding := range Evaluate(Input{Account: newAccount(), Policies: []*Policy{p}, Activity: record, Now: today}).Findings {
			if finding.Message == "" || finding.Reference != nil && !fits(finding.Reference.Excerpt, maxExcerpt) {
				t.Fatalf("%+v %+v", finding, finding.Reference)
			}
		}
	})
}
