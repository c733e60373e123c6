package text

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFindTellsTermAndPlace(t *testing.T) {
	terms := []string{"رقم الهوية", "الهوية", "edu", "رقم", "EDU"}
	s := "أرسل رقم هويتك، ورقمَ الهويّة: EDU"
	var got []string
	for _, m := range matcher(t, Arabic, terms...).Find(s, 0) {
		got = append(got, fmt.Sprintf("%d %s", m.Term, s[m.Start:m.End]))
	}
	want := []string{"3 رقم", "0 رقم هويتك", "3 ورقمَ", "0 ورقمَ الهويّة", "1 الهويّة", "2 EDU", "4 EDU"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestFindStopsAtTheLimit(t *testing.T) {
	m := matcher(t, Arabic, "رقم")
	s := strings.Repeat("رقم ", 10)
	for limit, want := range map[int]int{0: 10, -1: 10, 1: 1, 3: 3, 20: 10} {
		if got := len(m.Find(s, limit)); got != want {
			t.Errorf("limit %d: %d matches, want %d", limit, got, want)
		}
	}
}

func TestNoneComparesCharactersAsTheyAre(t *testing.T) {
	for _, tc := range []struct {
		term, text string
		want       bool
	}{
		{"رقم", "هذا رقم", true}, {"رقم", "الرقم", false}, {"رقم", "رقمه", false}, {"رقم", "رَقم", false},
		{"مدرسة", "مدرسه", false}, {"EDU", "EDU", true}, {"EDU", "edu", false}, {"رقم الهوية", "رقم  الهوية", true},
		{"2030", "٢٠٣٠", false}, {"رقم", "ر\u200cقم", false}, {"é", "e\u0301", false}, {"edu", "https://edu.example", false},
	} {
		if got := len(matcher(t, None, tc.term).Find(tc.text, 0)) > 0; got != tc.want {
			t.Errorf("%q in %q: %v", tc.term, tc.text, got)
		}
	}
}

func TestScriptsAndSymbols(t *testing.T) {
	for _, tc := range []struct {
		term, text string
		want       bool
	}{
		{"U.S.", "in the U.S. and", true}, {"AT&T", "at&t", true}, {"don't", "DON’T", true}, {"e-mail", "e mail", true},
		{"a b", "a. b", false}, {"a b", "a! b", false}, {"covid", "covid19", false}, {"covid19", "COVID19", true},
		{"школа", "ШКОЛА", true}, {"школа", "школами", false}, {"ΟΔΟΣ", "οδος", true},
		{"教育", "沙特教育部", true}, {"教部", "教育部", false}, {"โรงเรียน", "ที่โรงเรียนไทย", true}, {"がく", "大がくせい", true},
		{"🍎", "I🍎u", true}, {"🍎 رقم", "🍎رقمك", true}, {"🍎", "🍏", false}, {"$", "5$", true}, {"straße", "STRASSE", true},
		{"école", "É\u200bCOLE", true}, {"ecole", "école", false}, {"الـ iPhone", "iPhone", false},
	} {
		if got := len(matcher(t, Arabic, tc.term).Find(tc.text, 0)) > 0; got != tc.want {
			t.Errorf("%q in %q: %v", tc.term, tc.text, got)
		}
	}
}

func TestTermsThatCannotBeFoundAreRefused(t *testing.T) {
	for _, tc := range []struct{ term, want string }{
		{"", "term 1: there is no letter, digit or symbol in it"},
		{" .،-_#", "term 1: there is no letter, digit or symbol in it"},
		{"@edu", "term 1: there is no letter, digit or symbol in it"},
		{strings.Repeat("س", 49), "term 1: a word of it has more than 48 letters"},
		{"edu " + strings.Repeat("a", 70), "term 1: a word of it has more than 48 letters"},
	} {
		if _, err := NewMatcher([]string{"رقم", tc.term}, Arabic); err == nil || err.Error() != tc.want {
			t.Errorf("%q: %v, want %s", tc.term, err, tc.want)
		}
	}
	matcher(t, Arabic, strings.Repeat("س", 48))
}

func TestAWordTooLongMatchesNothingAndHidesNothing(t *testing.T) {
	m := matcher(t, Arabic, "رقم", "رقم رقم")
	s := "رقم " + strings.Repeat("رقم", 100) + " رقم"
	if got := m.Find(s, 0); len(got) != 2 || got[0].End != 6 || got[1].Start != len(s)-6 {
		t.Errorf("got %v", got)
	}
}

// A term with many words that begin alike keeps many beginnings alive, each once.
func TestRepeatedWordsStayCheap(t *testing.T) {
	var terms []string
	for n := 1; n <= 32; n++ {
		terms = append(terms, strings.TrimSpace(strings.Repeat("رقم ", n)))
	}
	m := matcher(t, Arabic, terms...)
	if got := len(m.Find(strings.Repeat("رقم ", 100), 0)); got != 32*100-31*32/2 {
		t.Errorf("%d matches", got)
	}
}

// Time that grew with the square of the text would be 256 times as long, and this is
// far from what a busy machine adds.
func TestFindIsLinear(t *testing.T) {
	m := matcher(t, Arabic, benchmarkTerms(1000)...)
	for _, unit := range []string{"وبالرقم ", "ووووو", "\u0301", "لللل", "@", "http://", "a.", "ﷺ", "و\u0654", "www."} {
		small, large := timeOf(m, strings.Repeat(unit, 2_000)), timeOf(m, strings.Repeat(unit, 32_000))
		if large > 200*small+1e7 {
			t.Errorf("%q: sixteen times the text takes %v ns instead of %v", unit, large, small)
		}
	}
}

func timeOf(m *Matcher, s string) int64 {
	return testing.Benchmark(func(b *testing.B) {
		for range b.N {
			m.Find(s, 1<<30)
			if b.N > 1 {
				break
			}
		}
	}).T.Nanoseconds()
}

func FuzzFind(f *testing.F) {
	f.Add("رقم الهوية", "وبرقمِ هويّتكم", false)
	f.Add("a b", "A-b", true)
	f.Add("🍎", "x🍎\ufe0f", false)
	f.Add("ß\u0301", "ss\u0301", false)
	f.Fuzz(func(t *testing.T, term, s string, none bool) {
		fold := Arabic
		if none {
			fold = None
		}
		m, err := NewMatcher([]string{term, "رقم"}, fold)
		if err != nil {
			return
		}
		last := 0
		for _, match := range m.Find(s, 0) {
			if match.Start < 0 || match.Start >= match.End || match.End > len(s) || match.End < last || match.Term < 0 || match.Term > 1 {
				t.Fatalf("%+v in %d bytes", match, len(s))
			}
			last = match.End
		}
		if fold == Arabic && utf8.ValidString(term) && len(m.split(term)) == len(strings.Fields(term)) && !slices.ContainsFunc(m.Find(term, 0), func(match Match) bool { return match.Term == 0 }) {
			t.Errorf("%q is not found in itself", term)
		}
	})
}

const (
	arabicText  = "أعلنت وزارة التعليم بمنطقة الرياض عن فتح باب التقديم على برامج التدريب للمعلمين والمعلمات خلال الفصل الدراسي الثاني لعام ١٤٤٨، وذلك عبر البوابة الإلكترونية للوزارة؛ ويستمر التسجيل حتى نهاية الأسبوع القادم. #تعليم_الرياض\n"
	englishText = "The Ministry of Education in the Riyadh region announced that registration for the second term's training programmes is open on the ministry's portal until the end of next week. #Education2030\n"
)

// benchmarkTerms are n terms of one to three words like those of real texts: letters
// as often as Arabic has them, so that most texts share their beginnings.
func benchmarkTerms(n int) []string {
	letters := []rune("اااااااللللليييييممممووووننننرررتتتتبببععددسسفففههقكحجشصطخضذثزغظ")
	r := rand.New(rand.NewPCG(1448, 223))
	terms := make([]string, n)
	for i := range terms {
		var words []string
		for range 1 + r.IntN(3) {
			word := make([]rune, 3+r.IntN(5))
			for j := range word {
				word[j] = letters[r.IntN(len(letters))]
			}
			words = append(words, string(word))
		}
		terms[i] = strings.Join(words, " ")
	}
	return terms
}

func BenchmarkFind(b *testing.B) {
	m := matcher(b, Arabic, benchmarkTerms(10_000)...)
	for _, bc := range []struct{ name, text string }{{"Arabic", arabicText}, {"English", englishText}, {"Mixed", arabicText + englishText}} {
		b.Run(bc.name, func(b *testing.B) {
			text := strings.Repeat(bc.text, 100)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				m.Find(text, 0)
			}
		})
	}
}

// A post as it comes, with terms that are in it.
func BenchmarkFindPost(b *testing.B) {
	m := matcher(b, Arabic, append(benchmarkTerms(10_000), "برامج التدريب", "المعلمين", "البوابة الإلكترونية")...)
	b.SetBytes(int64(len(arabicText)))
	b.ReportAllocs()
	for b.Loop() {
		if len(m.Find(arabicText, 0)) < 3 {
			b.Fatal("the terms are not found")
		}
	}
}

func BenchmarkNewMatcher(b *testing.B) {
	terms := benchmarkTerms(10_000)
	b.ReportAllocs()
	for b.Loop() {
		matcher(b, Arabic, terms...)
	}
}
