package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func contentRule(match v1alpha1.TextMatch, fold v1alpha1.Fold) spec {
	return spec{Content: []v1alpha1.ContentRule{{Name: "no-personal-data", AnyOf: match, Fold: fold}}}
}

func TestContent(t *testing.T) {
	const r = "content/no-personal-data"
	terms := contentRule(v1alpha1.TextMatch{Terms: []string{"رقم الهوية", "iban"}}, v1alpha1.FoldArabic)
	number := contentRule(v1alpha1.TextMatch{Patterns: []v1alpha1.RegularExpression{`passport`, `\b1\d{9}\b`}}, "")
	exact := contentRule(v1alpha1.TextMatch{Terms: []string{"رقم الهوية"}, Patterns: []v1alpha1.RegularExpression{`\b1\d{9}\b`}}, v1alpha1.FoldNone)
	const said = "نرجو إرسال رقمِ الهويّة إلى المكتب"
	const found = `the post contains the term "رقم الهوية"`
	ref := func(text string) *v1alpha1.FindingReference {
		return &v1alpha1.FindingReference{Action: v1alpha1.ActionPublish, ID: "1", URL: "https://x.example/edu_riyadh/status/1", SHA256: "cd8efe5aa0fa4b0b5e6de94a1c3ffa5cb4ec0ca1ca9a9e5b8ddb55cd5e3ee5bb", Excerpt: text}
	}
	wanted := ref(said)
	wanted.SHA256 = sha256Of(said)
	reply, repost, like := post("2", 1, said), post("3", 1, said), post("4", 1, said)
	reply.Action, repost.Action, like.Action = v1alpha1.ActionReply, v1alpha1.ActionRepost, v1alpha1.ActionLike
	gap := func(a v1alpha1.ActivityAction, never bool) map[v1alpha1.ActivityAction]Coverage {
		return except(a, Coverage{Missing: "the platform does not show them", Unobservable: never})
	}
	runScenes(t, []scene{
		{name: "a term, folded", rule: r, policy: terms, acts: []Act{post("1", 1, said)}, coverage: everythingRead(), want: Violated, severity: medSev, message: found, reference: wanted},
		{name: "a term with what Arabic attaches", rule: r, policy: contentRule(v1alpha1.TextMatch{Terms: []string{"هوية"}}, ""), acts: []Act{post("1", 1, "أرسل صورة هويتك")}, coverage: everythingRead(), want: Violated, severity: medSev, message: `the post contains the term "هوية"`},
		{name: "a term inside a longer word", rule: r, policy: terms, acts: []Act{post("1", 1, "ibanez guitars")}, coverage: everythingRead(), want: Pass},
		{name: "a pattern", rule: r, policy: number, acts: []Act{post("1", 1, "رقمي 1234567890")}, coverage: everythingRead(), want: Violated, severity: medSev, message: "the post matches pattern 2 of the rule"},
		{name: "a pattern, in other digits", rule: r, policy: number, acts: []Act{post("1", 1, "رقمي ١٢٣٤٥٦٧٨٩٠")}, coverage: everythingRead(), want: Violated, severity: medSev, message: "the post matches pattern 2 of the rule"},
		{name: "a pattern in capitals that folding would hide", rule: r, policy: contentRule(v1alpha1.TextMatch{Patterns: []v1alpha1.RegularExpression{`SA\d{4}`}}, ""), acts: []Act{post("1", 1, "SA1234")}, coverage: everythingRead(), want: Violated, severity: medSev, message: "the post matches pattern 1 of the rule"},
		{name: "without folding digits differ", rule: r, policy: exact, acts: []Act{post("1", 1, "رقمي ١٢٣٤٥٦٧٨٩٠")}, coverage: everythingRead(), want: Pass},
		{name: "without folding marks differ", rule: r, policy: exact, acts: []Act{post("1", 1, said)}, coverage: everythingRead(), want: Pass},
		{name: "nothing matches", rule: r, policy: terms, acts: []Act{post("1", 1, "صباح الخير")}, coverage: everythingRead(), want: Pass},
		{name: "a reply", rule: r, policy: terms, acts: []Act{reply}, coverage: everythingRead(), want: Violated, severity: medSev, message: `the reply contains the term "رقم الهوية"`},
		{name: "a repost", rule: r, policy: terms, acts: []Act{repost}, coverage: everythingRead(), want: Violated, severity: medSev, message: `the repost contains the term "رقم الهوية"`},
		{name: "a like, where it is readable", rule: r, policy: terms, acts: []Act{like}, coverage: everythingRead(), want: Violated, severity: medSev, message: `the like contains the term "رقم الهوية"`},
		{name: "likes need not be readable", rule: r, policy: terms, coverage: gap(v1alpha1.ActionLike, false), want: Pass},
		{name: "a platform without reposts", rule: r, policy: terms, coverage: gap(v1alpha1.ActionRepost, true), want: Pass},
		{name: "reposts that could be read", rule: r, policy: terms, coverage: gap(v1alpha1.ActionRepost, false), want: Unknown, severity: medSev, message: "cannot be judged: the platform does not show them"},
		{name: "a platform that never shows posts", rule: r, policy: terms, coverage: gap(v1alpha1.ActionPublish, true), want: Unknown, severity: medSev, message: "cannot be judged: the platform does not show them"},
		{name: "nothing was read", rule: r, policy: terms, want: Unknown, severity: medSev, message: "cannot be judged: what the account does has not been read"},
		{name: "posts were not read yet", rule: r, policy: terms, coverage: except(v1alpha1.ActionPublish, Coverage{At: today}), want: Unknown, severity: medSev, message: "cannot be judged: posts have not been read yet"},
		{name: "a match beside what cannot be read", rule: r, policy: terms, acts: []Act{post("1", 1, said)}, coverage: gap(v1alpha1.ActionRepost, false), want: Violated, severity: medSev, message: found},
	})
}

func TestTheExcerptOfAnOfficialsOwnAccountIsNeverKept(t *testing.T) {
	sc := scene{
		rule: "content/no-personal-data", policy: contentRule(v1alpha1.TextMatch{Terms: []string{"iban"}}, ""), want: Violated, severity: medSev,
		account: func(a *account) { a.Spec.Class = v1alpha1.ClassPersonal },
		acts:    []Act{post("1", 1, "my IBAN")}, coverage: everythingRead(), message: `the post contains the term "iban"`,
	}
	res := Evaluate(sc.input(t))
	sc.check(t, res)
	for _, f := range res.Findings {
		if f.Reference == nil || f.Reference.Excerpt != "" || f.Reference.SHA256 != sha256Of("my IBAN") {
			t.Errorf("reference %+v", f.Reference)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("كلمة ", 100)
	for _, tc := range []struct {
		name, text string
		near       int
		want       string
	}{
		{"a short text as it is", "صباح الخير", 0, "صباح الخير"},
		{"line breaks are spaces", "a\n\nb\tc", 0, "a b c"},
		{"what reorders text is spelled out", "a\u202eb", 0, "a⟨U+202E⟩b"},
		{"long numbers are masked", "id 1234567890, ١٢٣٤٥٦٧, year 2026", 0, "id ••••••••••, •••••••, year 2026"},
		{"invalid bytes", "a\xffb", 0, "a\ufffdb"},
		{"nothing to show", " \n ", 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := excerpt(tc.text, tc.near); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	t.Run("a long text around the place", func(t *testing.T) {
		text := long + "هنا " + long
		got := excerpt(text, strings.Index(text, "هنا"))
		if n := utf8.RuneCountInString(got); n != maxExcerpt || !strings.Contains(got, "هنا") || !strings.HasPrefix(got, "…") || !strings.HasSuffix(got, "…") {
			t.Errorf("%d code points: %q", n, got)
		}
	})
}

func TestSources(t *testing.T) {
	const r = "sources/figures-cite-source"
	rules := spec{Sources: []v1alpha1.SourceRule{{
		Name: "figures-cite-source", When: v1alpha1.TextMatch{Patterns: []v1alpha1.RegularExpression{`[0-9]+ ?%`}}, LinkDomains: []v1alpha1.DomainName{"spa.example", "edu.example"},
	}}}
	with := func(act Act, links ...string) []Act { act.Links = links; return []Act{act} }
	figure := post("1", 1, "ارتفعت النسبة إلى ٤٠٪")
	repost := towards(v1alpha1.ActionRepost, "2", "9", "someone")
	repost.Text = "النسبة 40%"
	liked := figure
	liked.Action = v1alpha1.ActionLike
	blind := repost
	blind.Target.Known = false
	const found = "the post matches pattern 1 of the rule and links to none of edu.example, spa.example"
	runScenes(t, []scene{
		{name: "no link", rule: r, policy: rules, acts: []Act{figure}, coverage: everythingRead(), want: Violated, severity: medSev, message: found},
		{name: "a link elsewhere", rule: r, policy: rules, acts: with(figure, "https://blog.example/edu.example"), coverage: everythingRead(), want: Violated, severity: medSev, message: found},
		{name: "a link to a name that only ends alike", rule: r, policy: rules, acts: with(figure, "https://notedu.example/"), coverage: everythingRead(), want: Violated, severity: medSev, message: found},
		{name: "a link to the authority", rule: r, policy: rules, acts: with(figure, "https://blog.example", "https://stats.edu.example/2026"), coverage: everythingRead(), want: Pass},
		{name: "a link in the text", rule: r, policy: rules, acts: []Act{post("1", 1, "40% (https://spa.example/n1).")}, coverage: everythingRead(), want: Pass},
		{name: "who likes informs nobody", rule: r, policy: rules, acts: []Act{towards(v1alpha1.ActionLike, "1", "9", "someone"), liked}, coverage: everythingRead(), want: Pass},
		{name: "nothing that must cite", rule: r, policy: rules, acts: []Act{post("1", 1, "صباح الخير")}, coverage: everythingRead(), want: Pass},
		{name: "a shortened link that nobody resolved", rule: r, policy: rules, acts: with(figure, "https://bit.ly/x"), coverage: everythingRead(), want: Unknown, severity: medSev, message: "not everything can be judged: where the information comes from cannot be told: a shortened link does not show where it leads"},
		{name: "a repost from a governed account", rule: r, policy: rules, acts: []Act{repost}, coverage: everythingRead(), governed: governedIDs("9"), want: Pass},
		{name: "a repost that links to the authority", rule: r, policy: rules, acts: with(repost, "https://edu.example/x"), coverage: everythingRead(), governed: governedIDs(), want: Pass},
		{name: "a repost from somebody else", rule: r, policy: rules, acts: []Act{repost}, coverage: everythingRead(), governed: governedIDs(), want: Violated, severity: medSev, message: `the repost from "someone" matches pattern 1 of the rule and links to none of edu.example, spa.example`},
		{name: "a repost of which the source is not told", rule: r, policy: rules, acts: []Act{blind}, coverage: everythingRead(), governed: governedIDs("9"), want: Unknown, severity: medSev, message: "not everything can be judged: where the information comes from cannot be told: the platform does not tell from whom the repost is"},
		{name: "a repost while the fleet is not known", rule: r, policy: rules, acts: []Act{repost}, coverage: everythingRead(), want: Unknown, severity: medSev, message: "not everything can be judged: where the information comes from cannot be told: which accounts are governed is not known"},
		{name: "nothing was read", rule: r, policy: rules, want: Unknown, severity: medSev, message: "cannot be judged: what the account does has not been read"},
	})
}

func TestAllowedLanguages(t *testing.T) {
	const r = ruleAllowedLanguages
	rules := spec{Languages: &v1alpha1.LanguageRules{Allowed: []string{"ar-SA", "en"}}}
	arabic := post("1", 1, "تعلن إدارة التعليم عن بدء التسجيل في المدارس هذا الأسبوع وعلى الراغبين التقديم")
	french := post("2", 1, "Le ministère annonce que les inscriptions sont ouvertes pour tous les élèves dans les écoles de la ville")
	reposted := french
	reposted.Action = v1alpha1.ActionRepost
	runScenes(t, []scene{
		{name: "the language of the account", rule: r, policy: rules, acts: []Act{arabic}, coverage: everythingRead(), want: Pass},
		{name: "a language that is not allowed", rule: r, policy: rules, acts: []Act{arabic, french}, coverage: everythingRead(), want: Violated, severity: medSev, message: "the post is in language fr; allowed: ar, en"},
		{name: "words of others", rule: r, policy: rules, acts: []Act{reposted}, coverage: everythingRead(), want: Pass},
		{name: "no words at all", rule: r, policy: rules, acts: []Act{post("1", 1, "https://edu.example @edu #تعليم 2026 🎉")}, coverage: everythingRead(), want: Pass},
		{name: "too few words to tell", rule: r, policy: rules, acts: []Act{post("1", 1, "Qatar Riyadh Jeddah")}, coverage: everythingRead(), want: Unknown, severity: medSev, message: "not everything can be judged: the language of the post cannot be told with confidence"},
		{name: "nothing was read", rule: r, policy: rules, want: Unknown, severity: medSev, message: "cannot be judged: what the account does has not been read"},
	})
}

func TestPrimaryLanguage(t *testing.T) {
	const r = rulePrimaryLanguage
	rules := spec{Languages: &v1alpha1.LanguageRules{Primary: v1alpha1.PrimaryFromAccount}}
	arabic := func(id string) Act {
		return post(id, 1, "تعلن إدارة التعليم عن بدء التسجيل في المدارس هذا الأسبوع وعلى الراغبين التقديم")
	}
	english := func(id string) Act {
		return post(id, 1, "The ministry has announced that the schools will be open for all of the students in the city")
	}
	vague := func(id string) Act { return post(id, 1, "Qatar Riyadh Jeddah") }
	speaks := func(tag string) func(*account) { return func(a *account) { a.Spec.Language = tag } }
	runScenes(t, []scene{
		{name: "the declared language leads", rule: r, policy: rules, account: speaks("ar-SA"), acts: []Act{arabic("1"), arabic("2"), english("3")}, coverage: everythingRead(), want: Pass},
		{name: "another one leads", rule: r, policy: rules, account: speaks("ar"), acts: []Act{arabic("1"), english("2"), english("3")}, coverage: everythingRead(), want: Violated, severity: medSev, message: "the account declares language ar, but publishes more in another"},
		{name: "nothing was said", rule: r, policy: rules, account: speaks("ar"), coverage: everythingRead(), want: Pass},
		{name: "too much is not clear", rule: r, policy: rules, account: speaks("ar"), acts: []Act{arabic("1"), english("2"), vague("3")}, coverage: everythingRead(), want: Unknown, severity: medSev, message: "whether language ar leads cannot be told: the language of too many posts is not clear"},
		{name: "no language is declared", rule: r, policy: rules, acts: []Act{arabic("1")}, coverage: everythingRead(), want: Unknown, severity: medSev, message: "cannot be judged: spec.language declares no language"},
		{name: "nothing was read", rule: r, policy: rules, account: speaks("ar"), want: Unknown, severity: medSev, message: "cannot be judged: what the account does has not been read"},
	})
}

func TestMessagesSpeakTheLanguageOfTheAccount(t *testing.T) {
	for _, tc := range []struct {
		name, language string
		message        *v1alpha1.Bilingual
		want           string
	}{
		{"Arabic", "ar-SA", &v1alpha1.Bilingual{AR: "عربي", EN: "English"}, "عربي"},
		{"English", "en_GB", &v1alpha1.Bilingual{AR: "عربي", EN: "English"}, "English"},
		{"another language gets Arabic first", "fr", &v1alpha1.Bilingual{AR: "عربي", EN: "English"}, "عربي"},
		{"no language gets Arabic first", "", &v1alpha1.Bilingual{AR: "عربي", EN: "English"}, "عربي"},
		{"what there is", "en", &v1alpha1.Bilingual{AR: "عربي"}, "عربي"},
		{"only English", "ar", &v1alpha1.Bilingual{EN: "English"}, "English"},
		{"none", "ar", nil, `the post contains the term "iban"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := contentRule(v1alpha1.TextMatch{Terms: []string{"iban"}}, "")
			s.Content[0].Provision = v1alpha1.Provision{Control: "OSMACC-2-2-1", LegalBasis: "art. 6", Message: tc.message}
			sc := scene{
				rule: "content/no-personal-data", policy: s, account: func(a *account) { a.Spec.Language = tc.language },
				acts: []Act{post("1", 1, "IBAN")}, coverage: everythingRead(), want: Violated, severity: medSev, message: tc.want,
			}
			res := Evaluate(sc.input(t))
			sc.check(t, res)
			if f := res.Findings[0]; f.Control != "OSMACC-2-2-1" || f.LegalBasis != "art. 6" {
				t.Errorf("the finding does not say what it implements: %+v", f)
			}
		})
	}
}

func sha256Of(text string) v1alpha1.HexSHA256 {
	sum := sha256.Sum256([]byte(text))
	return v1alpha1.HexSHA256(hex.EncodeToString(sum[:]))
}
