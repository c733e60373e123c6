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
		Content:    []v1alpha1.ContentRule{{Name: "one", AnyOf: re("a")}, {Name: "no-personal-data", AnyOf: re("a", "b", "اسم)")}},
		Sources:    []v1alpha1.SourceRule{{Name: "cite", When: re("*")}},
		Exceptions: []v1alpha1.Exception{{Name: "fine"}, {Name: "eid", AccountSelector: bad}},
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
