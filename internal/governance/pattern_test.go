package governance

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestBrokenPatternsAreReportedWhereTheyBreak(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		at      int
		text    string
	}{
		{`[abc`, 0, `missing closing ]: "[abc"`},
		{`إدارة[abc`, 5, `missing closing ]: "[abc"`},
		{`ok[a]إدارة[`, 10, `missing closing ]: "["`},
		{`(?<a>x)(?<a`, 7, `invalid named capture: "(?<a"`},
		{`\p{L}\p{L`, 5, `invalid character class range: "\\p{L"`},
		{`a(b`, 1, `missing closing ): "(b"`},
		{`تعليم (الرياض`, 6, `missing closing ): "(الرياض"`},
		{`(a)(b(c)`, 3, `missing closing ): "(b(c)"`},
		{`\((a[(]`, 2, `missing closing ): "(a[(]"`},
		{`\Q((\E(`, 6, `missing closing ): "("`},
		{`(\Q)`, 0, `missing closing ): "(\\Q)"`},
		{`([^])]`, 0, `missing closing ): "([^])]"`},
		{`a([^])]`, 1, `missing closing ): "([^])]"`},
		{`[[:](`, 4, `missing closing ): "("`},
		{`([]])(`, 5, `missing closing ): "("`},
		{`([[:alpha:])(]`, 0, `missing closing ): "([[:alpha:])(]"`},
		{`(?i:a`, 0, `missing closing ): "(?i:a"`},
		{`a)b`, 1, `unexpected ): ")b"`},
		{`(وزارة))`, 7, `unexpected ): ")"`},
		{`a**`, 1, "invalid nested repetition operator: \"**\""},
		{`\***`, 2, "invalid nested repetition operator: \"**\""},
		{`[**]a**`, 5, "invalid nested repetition operator: \"**\""},
		{`\*\*وزارة+*`, 9, "invalid nested repetition operator: \"+*\""},
		{`*a`, 0, `missing argument to repetition operator: "*"`},
		{`مدرسة|*`, 6, `missing argument to repetition operator: "*"`},
		{`a{1001}`, 1, `invalid repeat count: "{1001}"`},
		{`[{2,1}]ب{2,1}`, 8, `invalid repeat count: "{2,1}"`},
		{`(a{500}){3}`, 8, `invalid repeat count: "{3}"`},
		{`\8`, 0, `invalid escape sequence: "\\8"`},
		{`\\8مم\8`, 5, `invalid escape sequence: "\\8"`},
		{`[ا-ي\8]`, 4, `invalid escape sequence: "\\8"`},
		{`\x{110000}`, 0, `invalid escape sequence: "\\x{110000"`},
		{`نص\`, 2, `trailing backslash at end of expression`},
		{`[z-a]`, 1, `invalid character class range: "z-a"`},
		{`z-a[ي-ا]`, 4, `invalid character class range: "ي-ا"`},
		{`م\p{Arabi}`, 1, `invalid character class range: "\\p{Arabi}"`},
		{`م\p{Arabic`, 1, `invalid character class range: "\\p{Arabic"`},
		{`[[:alef:]]`, 1, `invalid character class range: "[:alef:]"`},
		{`ب(?=a)`, 1, `invalid or unsupported Perl syntax: "(?="`},
		{`(?:a)(?<!b)`, 5, `invalid named capture: "(?<!b)"`},
		{`(?P<اسم>a)`, 0, `invalid named capture: "(?P<اسم>"`},
		{"نص\xff", 2, "invalid UTF-8"},
		{"\ufffd[\xff", 2, "invalid UTF-8"},
		{strings.Repeat("(", 1001) + strings.Repeat(")", 1001), 0, "expression nests too deeply"},
		{strings.Repeat("(?:ab?){1000}", 6), 0, "the pattern is too large: its repetitions multiply"},
	} {
		t.Run(tc.pattern[:min(20, len(tc.pattern))], func(t *testing.T) {
			text := strings.ReplaceAll(tc.text, `\\`, `\`)
			_, fault := compilePattern(tc.pattern)
			if fault == nil {
				t.Fatalf("%q compiles", tc.pattern)
			}
			if fault.at != tc.at || fault.text != text {
				t.Errorf("%q: %d %s, want %d %s", tc.pattern, fault.at, fault.text, tc.at, text)
			}
		})
	}
}

func TestOrdinaryPatternsCompile(t *testing.T) {
	for _, p := range []string{
		`^(moe|edu)_[a-z0-9_]+$`, `\b1\d{9}\b`, `[0-9٠-٩]+ ?[%٪]`, `^إدارة تعليم \p{Arabic}+$`, `(?i)crypto`, `[()]\(\Q)\E`, `.{1,1000}`, ``,
	} {
		if _, fault := compilePattern(p); fault != nil {
			t.Errorf("%q: %v", p, *fault)
		}
	}
}

// The parser's fragment is a part of the pattern's own memory, so where it lies is
// where the parser stood.
func TestFragmentsAreFoundWhereTheParserStood(t *testing.T) {
	pieces := []string{"[", "]", "(", ")", "*", "+?", "{2,1}", "{2}", "a", "ب", "-", "^", "|", ":", "[:", ":]", `\`, `\p{`, "}", "L", `\Q`, `\E`, `\8`, "(?", "(?<", "(?P<", ">", "[:x:]", "\xff", "[z-a]"}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 12).Draw(t, "pieces"), "")
		_, err := syntax.Parse(pattern, syntax.Perl)
		var bad *syntax.Error
		if !errors.As(err, &bad) || bad.Expr == "" || bad.Expr == pattern {
			return
		}
		want := int(uintptr(unsafe.Pointer(unsafe.StringData(bad.Expr))) - uintptr(unsafe.Pointer(unsafe.StringData(pattern))))
		if got := faultOffset(pattern, bad); got != want {
			t.Fatalf("%q: %v is at %d, found at %d", pattern, bad, want, got)
		}
		found++
	})
	if found == 0 {
		t.Error("no pattern had a fragment")
	}
}

// Closing a parenthesis that is said to be open, or dropping one that is said to
// close nothing, mends that fault.
func TestParenthesesAreFoundWhereTheyAreUnbalanced(t *testing.T) {
	pieces := []string{"(", "(", ")", ")", "a", "ب", "[(]", "[)]", "[^)]", "[])]", `\(`, `\)`, `\Q(\E`, `\Q)\E`, "[[:alpha:])]", `[\])]`, "|"}
	rapid.Check(t, func(t *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 12).Draw(t, "pieces"), "")
		for n := 0; ; n++ {
			_, err := syntax.Parse(pattern, syntax.Perl)
			var bad *syntax.Error
			if !errors.As(err, &bad) {
				return
			}
			if n > 12 {
				t.Fatalf("does not come to an end: %q %v", pattern, err)
			}
			at := faultOffset(pattern, bad)
			switch {
			case bad.Code == syntax.ErrMissingParen && pattern[at] == '(', bad.Code == syntax.ErrUnexpectedParen && pattern[at] == ')':
				pattern = pattern[:at] + pattern[at+1:]
			default:
				t.Fatalf("%q: %v at %d", pattern, err, at)
			}
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, p := range []string{`^(moe|edu)_`, `إدارة[`, `a)`, `(a`, `\Q(`, `[^]`, `a**`, "\xff(", `\p{`, `(?i`, `x{9,1}`, `[[:x:]`, `\`, `[\`, `([[:`} {
		f.Add(p, "نص edu_riyadh 123")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		s := &v1alpha1.GovernancePolicySpec{Version: "1", Identity: &v1alpha1.IdentityRules{HandlePattern: v1alpha1.RegularExpression(pattern)}}
		p, problems := Compile("fuzz", s)
		_, err := regexp.Compile(pattern)
		if pattern == "" || err == nil && len(problems) == 0 {
			live := newLive()
			live.Profile.Handle = text
			res := Evaluate(Input{Account: newAccount(), Policies: []*Policy{p}, Live: live, Now: today})
			if pattern != "" && (regexp.MustCompile(pattern).MatchString(strings.ToLower(text)) != (res.Passed == 1) || len(res.Rules) != 1) {
				t.Fatalf("%q on %q: %+v", pattern, text, res.Rules)
			}
			return
		}
		if p != nil || len(problems) != 1 {
			t.Fatalf("%q (%v) yields policy %v and problems %v", pattern, err, p, problems)
		}
		if err == nil && !strings.Contains(problems[0].Text, "too large") {
			t.Fatalf("%q compiles, and is refused: %v", pattern, problems[0])
		}
		checkProblem(t, problems[0], pattern)
	})
}

func checkProblem(t *testing.T, got Problem, pattern string) {
	t.Helper()
	if got.Rule != ruleHandle || got.Path != "spec.identity.handlePattern" || got.Text == "" || got.Selector {
		t.Errorf("problem of %q: %+v", pattern, got)
	}
	if got.Position < 0 || got.Position >= utf8.RuneCountInString(pattern) {
		t.Errorf("position %d is outside %q", got.Position, pattern)
	}
	if !utf8.ValidString(got.String()) {
		t.Errorf("problem of %q is not text: %q", pattern, got.String())
	}
}
