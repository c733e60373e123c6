package governance

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"edu_riyadh", "edu_riyadh"},
		{" two\n lines ", "two lines"},
		{"12345678901", "123456789…"},
		{"إدارة تعليم الرياض", "إدارة تعل…"},
		{"a\u202eb\u2066c", "a\ufffdb\ufffdc"},
		{"a\x00b\x7f", "a\ufffdb\ufffd"},
		{"\u200eم\u200cن\u061c", "\u200eم\u200cن\u061c"},
		{"\ufeffa\u00adb", "\ufffda\ufffdb"},
		{"a\xffb", "a\ufffdb"},
		{"", ""},
	} {
		if got := clean(tc.in, 10); got != tc.want {
			t.Errorf("clean(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestCleanIsBoundedAndIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "text"), rapid.IntRange(1, 30).Draw(t, "limit")
		once := clean(s, limit)
		if n := utf8.RuneCountInString(once); n > limit || !utf8.ValidString(once) || strings.ContainsAny(once, "\n\t\u202e") {
			t.Fatalf("clean(%q, %d) = %q", s, limit, once)
		}
		if twice := clean(once, limit); twice != once {
			t.Fatalf("clean(%q, %d) = %q, and then %q", s, limit, once, twice)
		}
	})
}

func TestWithin(t *testing.T) {
	domains := []string{"edu.example", "spa.example"}
	for host, want := range map[string]bool{
		"edu.example": true, "a.edu.example": true, "a.b.spa.example": true,
		"": false, "example": false, "xedu.example": false, "edu.example.test": false, "du.example": false,
	} {
		if within(host, domains) != want {
			t.Errorf("within(%q) = %v", host, !want)
		}
	}
	if within("", []string{""}) || within("a.example", nil) {
		t.Error("nothing is within nothing")
	}
}

func TestPersonKey(t *testing.T) {
	if PersonKey("A.Alqahtani@EDU.example") != PersonKey("a.alqahtani@edu.example") || PersonKey("a@x") == PersonKey("b@x") {
		t.Error("a key stands for all spellings of one person")
	}
}
