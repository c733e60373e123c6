package text

import (
	"math"
	"testing"
	"unicode/utf8"
)

func TestDetectNamesTheLanguage(t *testing.T) {
	all := rows(t, "testdata/languages.tsv", 2)
	right, lowest, atHalf := 0, 1.0, 0
	for _, row := range all {
		got, confidence := Detect(row[1])
		if got != row[0] {
			t.Errorf("%s: taken for %q (%.2f): %s", row[0], got, confidence, row[1])
			continue
		}
		right++
		lowest = min(lowest, confidence)
		if confidence >= 0.5 {
			atHalf++
		}
	}
	t.Logf("%d of %d right, lowest confidence %.2f, %d at 0.5 or more", right, len(all), lowest, atHalf)
}

func TestDetectIsUnsureWithoutEvidence(t *testing.T) {
	for _, tc := range []struct {
		text, language string
		most           float64
	}{
		{"", "", 0}, {"2030 🎉 !!!", "", 0}, {"https://moe.example/the-and-of @the", "", 0}, {"Riyadh Jeddah Dammam", "", 0},
		{"de", "es", 0.5}, {"yang dan di", "id", 0.5},
		{"تعليم الرياض The Ministry of Education announces", "en", 0.8},
	} {
		if got, confidence := Detect(tc.text); got != tc.language || confidence > tc.most {
			t.Errorf("%q: %q with %.2f", tc.text, got, confidence)
		}
	}
}

func TestMoreEvidenceMakesSurer(t *testing.T) {
	_, one := Detect("the school")
	_, five := Detect("the school of the year is on the hill and it was the best")
	_, mixed := Detect("the school of the year is on the hill تعليم الرياض وزارة التعليم")
	if one >= five || mixed >= five {
		t.Errorf("one word %.2f, five %.2f, mixed scripts %.2f", one, five, mixed)
	}
}

func FuzzDetect(f *testing.F) {
	for _, s := range []string{"", "تعليم", "the", "\xff", "@", "ㅎ", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		language, confidence := Detect(s)
		if math.IsNaN(confidence) || confidence < 0 || confidence > 1 || (language == "") != (confidence == 0) || !utf8.ValidString(language) {
			t.Errorf("%q: %q with %v", s, language, confidence)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	b.SetBytes(int64(len(arabicText)))
	b.ReportAllocs()
	for b.Loop() {
		Detect(arabicText)
	}
}
