package text

import (
	"testing"
	"unicode/utf8"
)

func TestUnsafeCharactersAreNamedWhereTheyStand(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		r          rune
		at         int
	}{
		{"override", "edu\u202egpj", 0x202E, 3},
		{"embedding", "\u202bتعليم", 0x202B, 0},
		{"isolate", "تعليم\u2067", 0x2067, 10},
		{"pop", "a\u202c", 0x202C, 1},
		{"zero-width space", "e\u200bdu", 0x200B, 1},
		{"byte order mark", "\ufeffedu", 0xFEFF, 0},
		{"word joiner", "ر\u2060قم", 0x2060, 2},
		{"soft hyphen", "co\u00adop", 0xAD, 2},
		{"grapheme joiner", "e\u034fu", 0x34F, 1},
		{"non-joiner between Latin letters", "e\u200cdu", 0x200C, 1},
		{"non-joiner at the end", "تعليم\u200c", 0x200C, 10},
		{"joiner between Latin letters", "e\u200ddu", 0x200D, 1},
		{"joiner after a picture that nothing follows", "👩\u200d ", 0x200D, 4},
		{"direction mark inside a word", "رق\u200fم", 0x200F, 4},
		{"two direction marks", "a \u200f\u200f b", 0x200F, 5},
		{"variation selector after a letter", "e\ufe0fdu", 0xFE0F, 1},
		{"tag without a flag", "e\U000e0061", 0xE0061, 1},
		{"Hangul filler", "\u3164", 0x3164, 0},
		{"blank Braille", "\u2800", 0x2800, 0},
		{"control", "a\x00b", 0, 1},
		{"delete", "a\x7f", 0x7F, 1},
		{"C1 control", "a\u0085", 0x85, 1},
		{"line separator", "a\u2028b", 0x2028, 1},
		{"noncharacter", "a\uffff", 0xFFFF, 1},
		{"invalid UTF-8", "a\xff", utf8.RuneError, 1},
		{"invisible operator", "2\u2062x", 0x2062, 1},
	} {
		if r, at, unsafe := Unsafe(tc.text); !unsafe || r != tc.r || at != tc.at {
			t.Errorf("%s: %U at %d, %v", tc.name, r, at, unsafe)
		}
	}
}

func TestWhatWritingNeedsIsSafe(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                      "Edu 2030: a-b_c!",
		"Arabic with signs":          "وِزارةُ التَّعليمِ ١٤٤٨ هـ",
		"lines":                      "a\r\n\tb\n",
		"Persian":                    "دانش\u200cآموزان می\u200cشود",
		"letter form of heh":         "١٤٤٨ ه\u200d",
		"Hindi":                      "क्\u200dष क्\u200cष",
		"family":                     "👨\u200d👩\u200d👧",
		"flag":                       "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f 🇸🇦",
		"heart, copyright and keys":  "❤\ufe0f ©\ufe0f 1\ufe0f⃣",
		"rainbow":                    "🏳\ufe0f\u200d🌈",
		"mark after an exclamation":  "مرحبا!\u200f",
		"mark between the scripts":   "تعليم (edu)\u200f العربية",
		"Arabic letter mark":         "\u061c١٠-٢٠",
		"number sign":                "\u0600١٤",
		"ideograph with a selector":  "葛\U000e0100",
		"replacement character":      "a\ufffd",
		"private use":                "\ue000",
		"basmala and other phrases ": "﷽ ﷺ",
	} {
		if r, at, unsafe := Unsafe(text); unsafe {
			t.Errorf("%s: %U at %d", name, r, at)
		}
	}
}

func FuzzUnsafe(f *testing.F) {
	f.Add("e\u200bdu")
	f.Add("👨\u200d👩")
	f.Fuzz(func(t *testing.T, s string) {
		r, at, unsafe := Unsafe(s)
		if !unsafe {
			return
		}
		if got, _ := utf8.DecodeRuneInString(s[at:]); got != r {
			t.Errorf("%q: %U at %d is %U", s, r, at, got)
		}
		if _, _, before := Unsafe(s[:at] + "x"); before {
			if _, first, _ := Unsafe(s[:at] + "x"); first < at-utf8.UTFMax {
				t.Errorf("%q: %d is not the first", s, at)
			}
		}
	})
}
