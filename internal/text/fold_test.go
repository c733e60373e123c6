package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFoldMakesSpellingsOne(t *testing.T) {
	for _, tc := range []struct{ name, a, b string }{
		{"alef", "أإآٱ", "اااا"},
		{"seat of hamza", "مسؤول", "مسئول"},
		{"hamza written apart", "مسو\u0654ول", "مسؤول"},
		{"hamza after a vowel sign", "مسو\u064e\u0654ول", "مسؤَول"},
		{"hamza after a mark below", "و\u0325\u0654", "ؤ\u0325"},
		{"hamza on alef", "\u0627\u0654", "أ"},
		{"teh marbuta", "مدرسة", "مدرسه"},
		{"alef maqsura", "مستشفى", "مستشفي"},
		{"tatweel", "الـــرياض", "الرياض"},
		{"vowel signs", "مُحَمَّدٌ", "محمد"},
		{"superscript alef and Quranic marks", "ٱلرَّحۡمَٰنِ", "الرحمن"},
		{"Arabic-Indic digits", "٢٠٣٠", "2030"},
		{"Persian digits", "۲۰۳۰", "2030"},
		{"per cent", "٥٠٪", "50%"},
		{"Persian letters", "کتاب یک", "كتاب يك"},
		{"Urdu letters", "ہے", "هي"},
		{"Kurdish heh", "ەوە", "هوه"},
		{"presentation forms", "ﻭﺯﺍﺭﺓ", "وزارة"},
		{"ligature lam alef", "ﻹدارة", "لإدارة"},
		{"ligature of a name", "ﷲ", "الله"},
		{"ligature of a sentence", "ﷺ", "صلى الله عليه وسلم"},
		{"vowel signs that stand alone", "م\ufe76حمد", "محمد"},
		{"joiners and direction marks", "ر\u200cق\u200dم\u200f\u061c", "رقم"},
		{"soft hyphen and selectors", "co\u00adop\ufe0f", "coop"},
		{"full width", "ＥＤＵ２０３０", "edu2030"},
		{"case", "ÉCOLE ΣΑΣ Straße", "école σας STRASSE"},
		{"composition", "e\u0301", "é"},
		{"order of marks", "a\u0323\u0301", "a\u0301\u0323"},
		{"mathematical letters", "𝐌𝐨𝐄", "moe"},
	} {
		if a, b := Fold(tc.a), Fold(tc.b); a != b {
			t.Errorf("%s: %q and %q fold to %q and %q", tc.name, tc.a, tc.b, a, b)
		}
	}
}

func TestFoldKeepsWhatDiffers(t *testing.T) {
	for _, tc := range [][2]string{{"é", "e"}, {"ق", "ف"}, {"گ", "ك"}, {"ڤ", "ف"}, {"و", "ؤ"}, {"ي", "ئ"}, {"ا", "ء"}, {"a b", "ab"}, {"1", "١0"}, {"ß", "s"}} {
		if Fold(tc[0]) == Fold(tc[1]) {
			t.Errorf("%q and %q both fold to %q", tc[0], tc[1], Fold(tc[0]))
		}
	}
}

// checkFold holds what Fold promises of any text.
func checkFold(t *testing.T, s string) {
	t.Helper()
	f := Fold(s)
	if again := Fold(f); again != f {
		t.Errorf("%q folds to %q, which folds to %q", s, f, again)
	}
	if len(f) > 11*len(s) {
		t.Errorf("%d bytes fold to %d", len(s), len(f))
	}
	if !utf8.ValidString(f) {
		t.Errorf("%q folds to %q", s, f)
	}
	if composed, decomposed := Fold(norm.NFC.String(s)), Fold(norm.NFD.String(s)); utf8.ValidString(s) && isStreamSafe(s) && (composed != f || decomposed != f) {
		t.Errorf("%q folds to %q, composed to %q, decomposed to %q", s, f, composed, decomposed)
	}
}

// isStreamSafe says that no letter bears so many marks that normalisation adds a
// joiner.
func isStreamSafe(s string) bool {
	marks := 0
	for _, r := range norm.NFKD.String(s) {
		if marks++; combiningClass(r) == 0 && r != '\u034f' {
			marks = 0
		}
		if marks > 20 {
			return false
		}
	}
	return true
}

func TestEveryCharacterFoldsOnce(t *testing.T) {
	for r := rune(0); r < 0xE1000; r++ {
		if r == 0x30000 {
			r = 0xE0000 // nothing is assigned in between but ideographs
		}
		checkFold(t, string(r))
		checkFold(t, "و"+string(r)+"\u0654")
		if t.Failed() {
			t.Fatalf("U+%04X", r)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "مَدْرَسَةٌ", "ﷺ", "Straße", "e\u0301\u0323", "\xff\xd8", strings.Repeat("\u0301", 64), "و\u0654", "ي\u0325\u0654", "\u200c"} {
		f.Add(s)
	}
	f.Fuzz(checkFold)
}

func BenchmarkFold(b *testing.B) {
	for _, bc := range []struct{ name, text string }{{"Arabic", arabicText}, {"English", englishText}, {"Mixed", arabicText + englishText}} {
		b.Run(bc.name, func(b *testing.B) {
			b.SetBytes(int64(len(bc.text)))
			b.ReportAllocs()
			for b.Loop() {
				Fold(bc.text)
			}
		})
	}
}
