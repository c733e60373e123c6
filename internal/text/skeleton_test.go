package text

import (
	"strings"
	"testing"
)

func TestNamesThatLookAlikeHaveOneSkeleton(t *testing.T) {
	for _, tc := range []struct{ name, a, b string }{
		{"Cyrillic letters", "edu_riyadh", "еdu_riуаdh"},
		{"Cyrillic capitals", "MOE", "МОЕ"},
		{"Greek letters", "moe_news", "mοe_newѕ"},
		{"l for I", "RIYADH", "RlYADH"},
		{"1 for i", "riyadh", "r1yadh"},
		{"0 for o", "moe", "m0e"},
		{"rn for m", "moe_sa", "rnoe_sa"},
		{"separators", "moe_sa", "moe.sa-"},
		{"full width", "edu", "ｅｄｕ"},
		{"mathematical letters", "edu", "𝖾𝖽𝗎"},
		{"accents", "edu", "édù"},
		{"small capitals", "voice", "ᴠoiᴄe"},
		{"zero-width", "edu", "e\u200bdu"},
		{"Arabic spelling", "إدارة تعليم الرياض", "اداره تعلیم الریاض"},
		{"Arabic presentation forms", "وزارة التعليم", "ﻭﺯﺍﺭﺓ ﺍﻟﺘﻌﻠﯿﻢ"},
		{"Arabic with tatweel and signs", "وزارة التعليم", "وزارةُ التـعليم"},
		{"Arabic-Indic digits", "تعليم ١٠", "تعليم 10"},
	} {
		if a, b := Skeleton(tc.a), Skeleton(tc.b); a != b || Similarity(tc.a, tc.b) != 100 {
			t.Errorf("%s: %q and %q have skeletons %q and %q, similarity %d", tc.name, tc.a, tc.b, a, b, Similarity(tc.a, tc.b))
		}
	}
}

func TestSimilarityFallsWithEveryChange(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"edu_riyadh", "edu_riyadh", 100}, {"edu_riyadh", "edu_riyad", 88}, {"edu_riyadh", "edu_riaydh", 88}, {"edu_riyadh", "edu_riyadhh", 90},
		{"edu_riyadh", "edu_jeddah", 55}, {"وزارة التعليم", "وزارة التعلييم", 92}, {"وزارة التعليم", "وزارة الصحة", 58},
		{"abc", "xyz", 0}, {"", "", 0}, {"edu", "", 0}, {"...", "___", 0}, {strings.Repeat("a", 300), strings.Repeat("a", 256), 100},
	} {
		if a, b := Similarity(tc.a, tc.b), Similarity(tc.b, tc.a); a != tc.want || a != b {
			t.Errorf("%q and %q: %d and %d, want %d", tc.a, tc.b, a, b, tc.want)
		}
		if got := Similarity(Skeleton(tc.a), Skeleton(tc.b)); got != tc.want {
			t.Errorf("skeletons of %q and %q: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func checkSkeleton(t *testing.T, s string) {
	t.Helper()
	sk := Skeleton(s)
	if again := Skeleton(sk); again != sk {
		t.Errorf("%q has skeleton %q, which has %q", s, sk, again)
	}
	if passed := skeletonPass(sk); passed != sk {
		t.Errorf("%q needs more than %d passes: %q becomes %q", s, maxPasses, sk, passed)
	}
}

func TestEveryCharacterHasASkeleton(t *testing.T) {
	for r := rune(0); r < 0x30000 && !t.Failed(); r++ {
		checkSkeleton(t, string(r))
	}
}

func FuzzSkeleton(f *testing.F) {
	for _, s := range []string{"", "MОE", "m̄", "I\u0307", "ﷺ", "\xff", "١٢", "ö"} {
		f.Add(s, "moe")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		checkSkeleton(t, a)
		x, y := Similarity(a, b), Similarity(b, a)
		if x < 0 || x > 100 || x != y {
			t.Errorf("%q and %q: %d and %d", a, b, x, y)
		}
		if Skeleton(a) != "" && Similarity(a, a) != 100 {
			t.Errorf("%q is %d like itself", a, Similarity(a, a))
		}
	})
}

func BenchmarkSimilarity(b *testing.B) {
	b.Run("Names", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Similarity("إدارة تعليم الرياض", "اداره تعليم الرياظ")
		}
	})
	b.Run("Skeletons", func(b *testing.B) {
		x, y := Skeleton("إدارة تعليم الرياض"), Skeleton("اداره تعليم الرياظ")
		b.ReportAllocs()
		for b.Loop() {
			Similarity(x, y)
		}
	})
}
