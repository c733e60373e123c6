package governance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestEveryProblemIsNamedWithItsPlace(t *testing.T) {
	bad := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "region", Operator: "Near"}}}
	re := func(patterns ...v1alpha1.RegularExpression) v1alpha1.TextMatch {
		return v1alpha1.TextMatch{Patterns: patterns}
	}
	s := &spec{
		Version:  "1.0",
		Selector: &v1alpha1.PolicySelector{NamespaceSelector: bad, AccountSelector: bad},
		Identity: &v1alpha1.IdentityRules{
			HandlePattern: "(", DisplayNamePattern: "ا[", BioMustContain: []string{"x", " \n"},
			Avatars: []v1alpha1.AvatarRule{{Name: "emblem", PerceptualHash: "zz"}},
		},
		Content: []v1alpha1.ContentRule{{Name: "one", AnyOf: re("a")}, {Name: "no-personal-data", AnyOf: re("a", "b", "اسم)")}},
		Sources: []v1alpha1.SourceRule{{Name: "cite", When: re("*")}},
		Exceptions: []v1alpha1.Exception{
			{Name: "fine", Rules: []string{"content/one", "performance/max-silence"}}, {Name: "eid", AccountSelector: bad},
			{Name: "typo", Rules: []string{"content/no-personal-data", "content/no-personnel-data", "identity/hanlde"}},
		},
	}
	p, problems := Compile("moe-manual", s)
	if p != nil {
		t.Error("a policy with problems is usable")
	}
	var got []string
	selectors := 0
	for _, problem := range problems {
		got = append(got, problem.String())
		if problem.Selector {
			selectors++
		}
	}
	want := []string{
		`selector: spec.selector.namespaceSelector: "Near" is not a valid label selector operator`,
		`selector: spec.selector.accountSelector: "Near" is not a valid label selector operator`,
		`identity/handle-pattern: spec.identity.handlePattern, position 0: missing closing ): "("`,
		`identity/display-name-pattern: spec.identity.displayNamePattern, position 1: missing closing ]: "["`,
		`identity/bio-must-contain: spec.identity.bioMustContain[1], position 0: the text is nothing but white space`,
		`identity/avatar: spec.identity.avatars[0].perceptualHash, position 0: a perceptual hash has 16 hexadecimal digits`,
		`content/no-personal-data: spec.content[1].anyOf.patterns[2], position 3: unexpected ): ")"`,
		`sources/cite: spec.sources[0].when.patterns[0], position 0: missing argument to repetition operator: "*"`,
		`exceptions/eid: spec.exceptions[1].accountSelector: "Near" is not a valid label selector operator`,
		`exceptions/typo: spec.exceptions[2].rules[1], position 0: there is no rule "content/no-personnel-data"`,
		`exceptions/typo: spec.exceptions[2].rules[2], position 0: there is no rule "identity/hanlde"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if selectors != 3 {
		t.Errorf("%d problems of selectors, want 3", selectors)
	}
}

func TestThePolicyIsIndependentOfTheSpecItCameFrom(t *testing.T) {
	s := everything()
	p := compile(t, "moe-manual", &s)
	digest := p.Digest()
	s.Version, s.Tiers[0].MinPeople, s.Identity.BioMustContain[0] = "2.0", 40, "something else"
	if p.Version() != "1.0" || p.Mode() != v1alpha1.ModeEnforce || p.Name() != "moe-manual" || p.Digest() != digest {
		t.Errorf("policy %s %s %s changed with its spec", p.Name(), p.Version(), p.Mode())
	}
	if tier, _, _ := p.Tier("directorate"); tier.MinPeople != 2 {
		t.Errorf("tier changed with the spec: %+v", tier)
	}
	if s.Mode != "" {
		t.Errorf("Compile wrote mode %q into the spec it was given", s.Mode)
	}
}

func TestDigestCoversEverythingThatAnEditionSays(t *testing.T) {
	digest := func(name string, change func(*spec)) string {
		s := everything()
		change(&s)
		return compile(t, name, &s).Digest()
	}
	same := func(*spec) {}
	base := digest("moe-manual", same)
	if len(base) != 64 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Errorf("digest %q is not a SHA-256 in hex", base)
	}
	if again := digest("moe-manual", func(s *spec) { s.Mode = v1alpha1.ModeEnforce; s.Content[0].AnyOf.Terms = []string{} }); again != base {
		t.Error("the same edition has another digest: mode Enforce is the default, an empty list is none")
	}
	seen := map[string]string{base: "nothing"}
	for what, change := range map[string]func(*spec){
		"version": func(s *spec) { s.Version = "1.1" },
		"mode":    func(s *spec) { s.Mode = v1alpha1.ModeAudit },
		"tier":    func(s *spec) { s.Tiers[0].MinPeople = 3 },
		"terms":   func(s *spec) { s.Content[0].AnyOf.Terms = []string{"x"} },
		"selector": func(s *spec) {
			s.Selector = &v1alpha1.PolicySelector{AccountSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}}
		},
		"exception": func(s *spec) { s.Exceptions = []v1alpha1.Exception{{Name: "e", Until: day(1)}} },
		"hash":      func(s *spec) { s.Identity.Avatars[0].MaxDistance = ptr(int32(0)) },
	} {
		d := digest("moe-manual", change)
		if other, ok := seen[d]; ok {
			t.Errorf("a change of %s is not told from %s", what, other)
		}
		seen[d] = what
	}
	if d := digest("other", same); seen[d] != "" {
		t.Error("the name is not part of the digest")
	}
}

func TestTextThatHidesSomethingIsRefusedWithItsPlace(t *testing.T) {
	hidden := &v1alpha1.Bilingual{AR: "نص\u202e", EN: "a\u2066b"}
	with := v1alpha1.Provision{Message: hidden}
	s := &spec{
		Version:  "1.0",
		Identity: &v1alpha1.IdentityRules{HandlePattern: "^edu\u200b_", BioMustContain: []string{"الحساب\u202e"}},
		Activity: []v1alpha1.ActivityRule{{
			Name: "follow", Effect: v1alpha1.EffectDeny, Actions: []v1alpha1.ActivityAction{v1alpha1.ActionFollow},
			Targets: &v1alpha1.ActivityTargets{ExceptHandles: []string{"X:ok", "X:s\u2060pa"}},
		}},
		Content:   []v1alpha1.ContentRule{{Name: "one", AnyOf: v1alpha1.TextMatch{Terms: []string{"رقم", "رقم\u202d الهوية", "!"}, Patterns: []v1alpha1.RegularExpression{"a\u200b"}, Expression: "post.text == '\u202e'"}, Provision: with}},
		Languages: &v1alpha1.LanguageRules{Allowed: []string{"ar", "x_!"}},
		Rules:     []v1alpha1.CustomRule{{Name: "geo", Expression: "tr\u200bue"}},
	}
	_, problems := Compile("moe-manual", s)
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	const hides = ", a character that hides or reorders what people read"
	want := []string{
		`identity/handle-pattern: spec.identity.handlePattern, position 4: the text holds U+200B` + hides,
		`identity/bio-must-contain: spec.identity.bioMustContain[0], position 6: the text holds U+202E` + hides,
		`activity/follow: spec.activity[0].targets.exceptHandles[1], position 3: the text holds U+2060` + hides,
		`content/one: spec.content[0].anyOf.terms[1], position 3: the text holds U+202D` + hides,
		`content/one: spec.content[0].anyOf.terms[2], position 0: the term cannot be found in any text: there is no letter, digit or symbol in it`,
		`content/one: spec.content[0].anyOf.patterns[0], position 1: the text holds U+200B` + hides,
		`content/one: spec.content[0].anyOf.expression, position 14: the text holds U+202E` + hides,
		`content/one: spec.content[0].message.ar, position 2: the text holds U+202E` + hides,
		`content/one: spec.content[0].message.en, position 1: the text holds U+2066` + hides,
		`languages/allowed: spec.languages.allowed[1], position 0: "x_!" is no BCP 47 language tag`,
		`rules/geo: spec.rules[0].expression, position 2: the text holds U+200B` + hides,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
