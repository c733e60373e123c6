package governance

import (
	"regexp"
	"regexp/syntax"
	"testing"
)

func TestNeedle(t *testing.T) {
	for _, tc := range []struct{ pattern, without, with string }{
		{`\b1\d{9}\b`, "صباح الخير 234", "1"},
		{`[0-9]+ ?%`, "40", "%"},
		{`(?i)\bSA\d{22}\b`, "x123", "s1"},
		{`رقم ?(الهوية|الجوال)`, "الهوية", "رقم"},
		{`cat|dog`, "frog", "d"},
		{`(a|b)+x?`, "x", "b"},
		{`[a-c][x-z]{2,}`, "y", "b"},
	} {
		f := newSearch(regexp.MustCompile(tc.pattern))
		if !f.needle.missing(tc.without) || f.needle.missing(tc.with) {
			t.Errorf("%s demands %q or one of %q", tc.pattern, f.needle.literal, string(f.needle.class))
		}
	}
	for _, pattern := range []string{`.*`, `a*`, `a|b*`, `\x{FFFD}`, `[^a]`, `(?:)`, `^$`} {
		if n := newSearch(regexp.MustCompile(pattern)).needle; n.missing("") && pattern != `[^a]` && pattern != `\x{FFFD}` || n.missing("\xff") {
			t.Errorf("%s demands %q or one of %q", pattern, n.literal, string(n.class))
		}
	}
}

func FuzzNeedle(f *testing.F) {
	f.Add(`(?i)k+|[^a]x`, "\u212a")
	f.Add(`\x{FFFD}`, "\xff")
	f.Add(`(ab|a)c{1,3}`, "abcc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil || patternSize(tree) > 1000 {
			return
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return
		}
		if want, got := re.FindStringIndex(s), newSearch(re).find(s); (want == nil) != (got < 0) || want != nil && want[0] != got {
			t.Fatalf("%q in %q: found at %d, want %v", pattern, s, got, want)
		}
	})
}
