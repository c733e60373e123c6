package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestVisible(t *testing.T) {
	tests := map[string]struct {
		in    string
		limit int
		want  string
	}{
		"plain":                     {"Ministry of Health", 100, "Ministry of Health"},
		"Arabic with marks":         {"وزارة الصحة\u200F \u061C", 100, "وزارة الصحة\u200F \u061C"},
		"Persian with non-joiner":   {"می\u200Cخواهم", 100, "می\u200Cخواهم"},
		"emoji with joiner":         {"👩\u200D⚕\uFE0F", 100, "👩\u200D⚕\uFE0F"},
		"Arabic number sign":        {"\u0600١", 100, "\u0600١"},
		"line feed":                 {"a\nb", 100, "a\nb"},
		"carriage return":           {"a\rb", 100, "a⟨U+000D⟩b"},
		"override":                  {"a\u202Eb", 100, "a⟨U+202E⟩b"},
		"isolate":                   {"\u2067", 100, "⟨U+2067⟩"},
		"zero-width space":          {"a\u200Bb", 100, "a⟨U+200B⟩b"},
		"byte order mark":           {"\uFEFFa", 100, "⟨U+FEFF⟩a"},
		"paragraph separator":       {"a\u2029b", 100, "a⟨U+2029⟩b"},
		"next line":                 {"a\u0085b", 100, "a⟨U+0085⟩b"},
		"delete":                    {"a\x7Fb", 100, "a⟨U+007F⟩b"},
		"tag":                       {"a\U000E0041", 100, "a⟨U+E0041⟩"},
		"filler":                    {"\u3164", 100, "⟨U+3164⟩"},
		"soft hyphen":               {"a\u00ADb", 100, "a⟨U+00AD⟩b"},
		"invisible plus":            {"a\u2064b", 100, "a⟨U+2064⟩b"},
		"invalid UTF-8":             {"a\xFFb", 100, "a\uFFFDb"},
		"as long as the limit":      {"abcd", 4, "abcd"},
		"longer than the limit":     {"abcde", 4, "abc…"},
		"escape at the limit":       {"ab\u202E", 10, "ab⟨U+202E⟩"},
		"escape beyond the limit":   {"ab\u202E", 9, "ab…"},
		"escape, then too much":     {"ab\u202Ecd", 10, "ab…"},
		"limit of one":              {"abc", 1, "…"},
		"limit of zero":             {"abc", 0, ""},
		"limit below zero":          {"abc", -1, ""},
		"empty":                     {"", 0, ""},
		"hidden, limit of one":      {"\u202E", 1, "…"},
		"invalid at the limit":      {"abc\xFF", 3, "ab…"},
		"code points are not bytes": {"قققق", 4, "قققق"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Visible(tc.in, tc.limit); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// checkVisible checks what holds for any text. It names the characters in its own
// way: those that must never stay, and those that must.
func checkVisible(t interface{ Errorf(string, ...any) }, s string, limit int) {
	got := Visible(s, limit)
	if again := Visible(got, limit); again != got {
		t.Errorf("Visible(%q, %d) = %q, and of that %q", s, limit, got, again)
	}
	if !utf8.ValidString(got) {
		t.Errorf("Visible(%q, %d) = %q is not UTF-8", s, limit, got)
	}
	if n := utf8.RuneCountInString(got); n > max(limit, 0) {
		t.Errorf("Visible(%q, %d) has %d code points", s, limit, n)
	}
	for _, r := range got {
		if unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) && !strings.ContainsRune("\u200E\u200F\u061C", r) ||
			unicode.Is(unicode.Cc, r) && r != '\n' || strings.ContainsRune("\u200B\u2060\uFEFF\u00AD\u3164", r) {
			t.Errorf("Visible(%q, %d) holds U+%04X", s, limit, r)
		}
	}
	harmless := !strings.ContainsFunc(s, func(r rune) bool {
		return r == utf8.RuneError || !unicode.IsPrint(r) && !strings.ContainsRune("\n\u200C\u200D\u200E\u200F\u061C", r) || hidden(r)
	})
	if harmless && utf8.RuneCountInString(s) <= limit && got != s {
		t.Errorf("Visible(%q, %d) = %q: it was fine as it was", s, limit, got)
	}
}

func FuzzVisible(f *testing.F) {
	for _, s := range []string{
		"", "abc", "a\u202Eb", "\u2066\u2069\u200B\u2060\uFEFF", "\x00\x1F\x7F\u0085", "\xFF\xC0", "⟨U+202E⟩", "می\u200Cخواهم",
		"\U000E0041\u3164\u00AD", "…", strings.Repeat("\u202E", 5),
	} {
		for _, limit := range []int{-1, 0, 1, 7, 8, 9, 100} {
			f.Add(s, limit)
		}
	}
	f.Fuzz(func(t *testing.T, s string, limit int) { checkVisible(t, s, limit) })
}

// Random text rarely ends near the limit; text made of few characters does.
func TestVisibleNearTheLimit(t *testing.T) {
	few := rapid.StringOfN(rapid.SampledFrom([]rune{'a', 'ق', '\n', 0x202E, 0xE0041, 0, utf8.RuneError, '…', '⟨'}), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) { checkVisible(t, few.Draw(t, "s"), rapid.IntRange(-1, 40).Draw(t, "limit")) })
}
