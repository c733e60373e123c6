package text

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// reference finds terms in the way that the documentation tells it: word by word, by
// comparing each with everything that may be attached to each word of each term.
type reference struct {
	fold  Folding
	terms [][]refWord
	// pictures are the symbols that terms have.
	pictures string
}

type refWord struct {
	// letters as folded, and as they were.
	folded, raw []rune
	kind        kind
	start, end  int
	// soft: what stands before ends no phrase.
	soft bool
}

func newReference(fold Folding, terms []string) *reference {
	ref := &reference{fold: fold}
	if strings.Contains(strings.Join(terms, ""), "🍎") {
		ref.pictures = "🍎"
	}
	for _, term := range terms {
		ref.terms = append(ref.terms, ref.words(term))
	}
	return ref
}

// words splits a text without mentions and links.
func (ref *reference) words(s string) []refWord {
	var words []refWord
	open, soft := false, false
	for i, r := range s {
		size := utf8.RuneLen(r)
		for _, g := range ref.glyphs(s[i:], r) {
			var last *refWord
			if open {
				last = &words[len(words)-1]
			}
			switch g.kind {
			case kindSpace:
				open = false
			case kindBreak:
				joined := open && last.kind == kindLetter && size == 1 && startsLatin(s[i+1:])
				open, soft = false, soft && joined
				if joined {
					soft = true
				}
			case kindDrop, kindHamza:
				if !open {
					break
				}
				last.end = i + size
				if g.kind == kindHamza {
					last.hamza(g.r)
				}
			case kindMark:
				if !open {
					words = append(words, refWord{kind: kindLetter, start: i, soft: soft})
					open, soft = true, true
					last = &words[len(words)-1]
				}
				last.end = i + size
				last.mark(g.r)
			default:
				if !open || last.kind != g.kind || g.kind == kindSingle {
					words = append(words, refWord{kind: g.kind, start: i, soft: soft})
					open, soft = true, true
					last = &words[len(words)-1]
				}
				last.folded, last.raw, last.end = append(last.folded, g.r), append(last.raw, r), i+size
			}
		}
	}
	return words
}

// mark puts a mark where canonical order has it.
func (w *refWord) mark(r rune) {
	w.folded, w.raw = append(w.folded, r), append(w.raw, r)
	for i := len(w.folded) - 1; i > 0 && combiningClass(w.folded[i-1]) > combiningClass(r); i-- {
		w.folded[i], w.folded[i-1] = w.folded[i-1], w.folded[i]
		w.raw[i], w.raw[i-1] = w.raw[i-1], w.raw[i]
	}
}

func (w *refWord) hamza(r rune) {
	n := len(w.folded) - 1
	for n > 0 && lets(combiningClass(w.folded[n])) {
		n--
	}
	if w.folded[n] == 'ا' {
		w.raw[n] = 'أ'
	} else if r == hamzaAbove && (w.folded[n] == 'و' || w.folded[n] == 'ي') {
		w.folded[n], w.raw[n] = 'ء', 'ء'
	}
}

func (ref *reference) glyphs(s string, r rune) []glyph {
	m := Matcher{folding: ref.fold}
	var gs []glyph
	for _, g := range m.glyphs(s, r) {
		if g.kind == kindBreak && strings.ContainsRune(ref.pictures, g.r) {
			g.kind = kindSingle
		}
		gs = append(gs, g)
		if g.flags&flagDouble != 0 {
			gs = append(gs, g)
		}
	}
	return gs
}

// find returns all matches, sorted.
func (ref *reference) find(s string) []Match {
	words := ref.words(s)
	var matches []Match
	for term, forms := range ref.terms {
		for i := range words {
			if last := i + len(forms); last <= len(words) && ref.stands(forms, words[i:last]) {
				matches = append(matches, Match{Term: term, Start: words[i].start, End: words[last-1].end})
			}
		}
	}
	sortMatches(matches)
	return slices.Compact(matches)
}

func sortMatches(matches []Match) {
	slices.SortFunc(matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.Term, b.Term), cmp.Compare(a.Start, b.Start))
	})
}

func (ref *reference) stands(term, words []refWord) bool {
	for i := range term {
		if i > 0 && !words[i].soft || !ref.is(&term[i], &words[i], len(term) > 1) {
			return false
		}
	}
	return true
}

// is says that a word of a text is a word of a term.
func (ref *reference) is(term, word *refWord, phrase bool) bool {
	if term.kind != kindArabic || ref.fold == None {
		return term.kind == word.kind && slices.Equal(term.folded, word.folded)
	}
	if word.kind != kindArabic {
		return false
	}
	stem, raw := string(term.folded), term.raw
	needsArticle := false
	if len(raw) >= 5 && strings.HasPrefix(stem, "ال") && (raw[0] == 'ا' || raw[0] == 'ٱ') {
		stem, raw, needsArticle = strings.TrimPrefix(stem, "ال"), raw[2:], !phrase
	}
	for _, before := range befores(word.raw) {
		if needsArticle && !before.article || len(raw) < before.letters || !strings.HasPrefix(string(word.folded), before.text) {
			continue
		}
		rest := strings.TrimPrefix(string(word.folded), before.text)
		if before.verb && !strings.ContainsAny(rest[:min(2, len(rest))], "يتنا") {
			continue
		}
		for _, form := range inflections(stem, raw, before.article, word.raw[len(word.raw)-1] == 'ة') {
			if rest == form {
				return true
			}
		}
	}
	return false
}

type before struct {
	text          string
	letters       int
	article, verb bool
}

// befores are what may stand before a word that is written like raw.
func befores(raw []rune) []before {
	bare := func(i int) bool { return i < len(raw) && (raw[i] == 'ا' || raw[i] == 'ٱ') }
	list := []before{{letters: 1}}
	if len(raw) < 3 {
		return list
	}
	if slices.Contains([]rune("أإآ"), raw[0]) {
		list = append(list, before{text: "ا", letters: 5})
	}
	for _, conjunction := range []string{"", "و", "ف"} {
		n := utf8.RuneCountInString(conjunction)
		if conjunction != "" {
			list = append(list, before{text: conjunction, letters: 3})
		}
		for _, preposition := range []string{"ب", "ك", "ل"} {
			list = append(list, before{text: conjunction + preposition, letters: 3})
		}
		list = append(list, before{text: conjunction + "س", letters: 3, verb: true}, before{text: conjunction + "لل", letters: 2, article: true})
		if bare(n) {
			list = append(list, before{text: conjunction + "ال", letters: 2, article: true})
		}
		if bare(n + 1) {
			list = append(list, before{text: conjunction + "بال", letters: 2, article: true}, before{text: conjunction + "كال", letters: 2, article: true})
		}
	}
	return list
}

// inflections are the forms of a word of a term.
func inflections(stem string, raw []rune, article, teh bool) []string {
	own := []string{"ه", "ها", "هم", "هن", "هما", "ك", "كم", "كن", "كما", "ي", "نا"}
	with := func(bases ...string) (forms []string) {
		for _, base := range bases {
			for _, p := range own {
				forms = append(forms, base+p)
			}
		}
		return forms
	}
	if len(raw) < 3 {
		return []string{stem}
	}
	base := strings.TrimSuffix(strings.TrimSuffix(stem, "ه"), "ي")
	switch raw[len(raw)-1] {
	case 'ة':
		base = strings.TrimSuffix(stem, "ه")
		forms := []string{base + "ه", base + "تان", base + "تين", base + "ات"}
		if !article {
			forms = append(append(forms, base+"تا"), with(base+"ت", base+"ات", base+"تي", base+"تا")...)
		}
		return forms
	case 'ى':
		forms := []string{base + "ي", base + "يات", base + "يان", base + "يين"}
		if !article {
			forms = append(forms, with(base+"ا", base+"يات")...)
		}
		return forms
	}
	forms := []string{stem, stem + "ون", stem + "ين", stem + "ان", stem + "ات"}
	if !article && !teh {
		forms = append(append(forms, stem+"و", stem+"ا"), with(stem, stem+"ات", stem+"و", stem+"ي", stem+"ا")...)
	} else if !article {
		forms = append(forms, stem+"و", stem+"ا")
	}
	return forms
}

// isListed says that a word holds one of the lists of look-alikes.
func isListed(word string) bool {
	for _, listed := range strings.Fields(notBegun + notEnded) {
		if base := strings.TrimSuffix(Fold(listed), "ه"); strings.Contains(word, base) {
			return true
		}
	}
	return false
}

var (
	termWords = []string{"رقم", "هوية", "الهوية", "مدرسة", "مستشفى", "القاعدة", "الله", "سم", "يكتب", "مسؤول", "ة", "edu", "Edu2030", "2030", "ß", "é", "بر", "ال", "لل", "學", "🍎"}
	pieces    = []string{
		"و", "ف", "ب", "ك", "ل", "ال", "لل", "س", "أ", "ا", "ه", "ها", "هم", "ك", "كم", "ي", "نا", "ون", "ين", "ان", "ات", "ة", "ت", "تان", "يات",
		"رقم", "هوي", "مدرس", "مستشف", "قاعد", "سم", "يكتب", "مسؤول", "مسئول", "edu", "EDU", "2030", "٢٠٣٠", "ss", "e\u0301", "É", "學", "🍎", "لله",
		"\u064e", "\u0651", "\u0654", "\u0655", "ـ", "\u200c", "\u200f", "\u00ad", "\u0301", "\u0323", "ﻻ", "ﷲ", "ﷺ", "\ufe70",
	}
	gaps = []string{"", "", "", " ", " ", " ", "_", "-", "#", "\n", "\u00a0", "،", ".", "!", "'", "&", "؟"}
)

func drawText(t *rapid.T) string {
	var s strings.Builder
	for range rapid.IntRange(0, 24).Draw(t, "pieces") {
		s.WriteString(rapid.SampledFrom(pieces).Draw(t, "piece"))
		s.WriteString(rapid.SampledFrom(gaps).Draw(t, "gap"))
	}
	return s.String()
}

func drawTerms(t *rapid.T) []string {
	var terms []string
	for range rapid.IntRange(1, 8).Draw(t, "terms") {
		words := rapid.SliceOfN(rapid.SampledFrom(termWords), 1, 3).Draw(t, "words")
		terms = append(terms, strings.Join(words, rapid.SampledFrom([]string{" ", "_", "-", "  "}).Draw(t, "between")))
	}
	return terms
}

// What is found is what the rules say, read word by word.
func TestFindAgreesWithTheRulesReadWordByWord(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		fold := rapid.SampledFrom([]Folding{Arabic, Arabic, None}).Draw(t, "fold")
		terms, s := drawTerms(t), drawText(t)
		ref := newReference(fold, terms)
		want := ref.find(s)
		m, err := NewMatcher(terms, fold)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Find(s, 0)
		for i := range got[min(1, len(got)):] {
			if got[i].End > got[i+1].End {
				t.Fatalf("matches are out of order: %v", got)
			}
		}
		sortMatches(got)
		// The lists of look-alikes may remove a match, and nothing else may.
		listed := func(match Match) bool {
			return fold == Arabic && slices.ContainsFunc(ref.words(s[match.Start:match.End]), func(w refWord) bool { return isListed(string(w.folded)) })
		}
		for _, match := range got {
			if !slices.Contains(want, match) {
				t.Fatalf("%q: found %q as %q, against the rules", s, s[match.Start:match.End], terms[match.Term])
			}
		}
		for _, match := range want {
			if !slices.Contains(got, match) && !listed(match) {
				t.Fatalf("%q: %q at %d is %q and was not found", s, s[match.Start:match.End], match.Start, terms[match.Term])
			}
		}
		compared += len(got)
	})
	if compared == 0 {
		t.Error("no match was ever compared")
	}
}
