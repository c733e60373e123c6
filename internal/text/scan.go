package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Find returns where terms stand in s, by the end of the match, at most limit of them;
// 0 or less: all. Terms may overlap. It reads s once and allocates only for matches.
func (m *Matcher) Find(s string, limit int) []Match {
	sc := scanner{m: m, s: s, limit: limit}
	sc.active, sc.next = sc.room[0][:0], sc.room[1][:0]
	sc.run()
	return sc.matches
}

// split lists the words of a term.
func (m *Matcher) split(term string) []*word {
	sc := scanner{m: m, s: term, gather: true}
	sc.run()
	return sc.words
}

// scanner reads one text.
type scanner struct {
	m       *Matcher
	s       string
	limit   int
	word    word
	matches []Match
	// active are the beginnings of terms that the next word may continue.
	active, next []thread
	room         [2][8]thread
	// gather, in place of matching, keeps the words.
	gather bool
	words  []*word
}

// thread is a beginning of terms in the text.
type thread struct {
	state int32
	start int
}

func (sc *scanner) done() bool { return sc.limit > 0 && len(sc.matches) >= sc.limit }

func (sc *scanner) run() {
	w, table, s := &sc.word, &sc.m.table, sc.s
	for i := 0; i < len(s) && !sc.done(); {
		c, size := rune(s[i]), 1
		if c >= utf8.RuneSelf {
			if c, size = twoBytes(s[i:]); size == 0 {
				i = sc.slow(i)
				continue
			}
		}
		e := table[c]
		if e.kind == w.kind && w.n > 0 && w.n < maxWord && e.flags == 0 {
			w.sym[w.n] = e.sym
			w.n++
			i += size
			w.end = i
			continue
		}
		i = sc.other(e, i, size)
	}
	if !sc.done() {
		sc.flush(true)
	}
}

// twoBytes decodes a character of two bytes, as Arabic letters are; 0 if s begins with
// another.
func twoBytes(s string) (rune, int) {
	if len(s) < 2 || s[0] < 0xC2 || s[0] >= 0xE0 || s[1]&0xC0 != 0x80 {
		return 0, 0
	}
	return rune(s[0])&0x1F<<6 | rune(s[1]&0x3F), 2
}

// other handles what is no further letter of the word.
func (sc *scanner) other(e entry, i, size int) int {
	switch e.kind {
	case kindSlow:
		return sc.slow(i)
	case kindBreak:
		return sc.punctuation(i, size)
	default:
		sc.letter(e, i, i+size)
		return i + size
	}
}

// slow handles the character at i by its decomposition.
func (sc *scanner) slow(i int) int {
	r, size := utf8.DecodeRuneInString(sc.s[i:])
	end := i + size
	if sc.m.folding == None {
		sc.glyph(exactRune(r), i, end)
		return end
	}
	decomposed := []byte(nil)
	if !isArabicBlock(r) {
		decomposed = decompose(sc.s[i:])
	}
	if decomposed == nil {
		sc.glyph(foldRune(r), i, end)
		return end
	}
	for len(decomposed) > 0 {
		part, n := utf8.DecodeRune(decomposed)
		sc.glyph(foldRune(part), i, end)
		decomposed = decomposed[n:]
	}
	return end
}

func (sc *scanner) glyph(g glyph, i, end int) {
	w := &sc.word
	switch g.kind {
	case kindHamza:
		if w.n > 0 {
			w.addHamza(g.r)
			w.end = end
		}
	case kindMark:
		if w.n == 0 {
			w.reset(kindLetter, i)
		}
		w.mark(sc.m.symbols[g.r], combiningClass(g.r))
		w.end = end
	default:
		e := sc.m.entry(g)
		sc.letter(e, i, end)
		if g.flags&flagDouble != 0 {
			w.push(e.sym, 0)
		}
	}
}

// letter handles a letter, a space, punctuation, or what is not there.
func (sc *scanner) letter(e entry, i, end int) {
	w := &sc.word
	switch e.kind { //nolint:exhaustive // the others need nothing
	case kindDrop:
		if w.n > 0 {
			w.end = end
		}
		return
	case kindSpace:
		sc.flush(false)
		return
	case kindBreak:
		sc.flush(true)
		return
	}
	if w.n > 0 && (e.kind != w.kind || e.kind == kindSingle) {
		sc.flush(false)
	}
	if w.n == 0 {
		w.reset(e.kind, i)
	}
	w.push(e.sym, e.flags)
	w.end = end
}

// punctuation ends a phrase, or passes over a mention or link that begins here.
func (sc *scanner) punctuation(i, size int) int {
	w, rest := &sc.word, sc.s[i:]
	switch {
	case rest[0] == '@':
		sc.flush(true)
		return i + 1 + mentionLength(rest[1:])
	case w.n > 0 && w.kind == kindLetter && isLink(sc.s[w.start:i], rest):
		w.n = 0
		sc.flush(true)
		return i + linkLength(rest)
	}
	sc.flush(w.n == 0 || w.kind != kindLetter || size > 1 || !startsLatin(rest[1:]))
	return i + size
}

// startsLatin says that s begins with an ASCII letter or digit.
func startsLatin(s string) bool {
	return s != "" && s[0] < utf8.RuneSelf && asciiKind(rune(s[0])) == kindLetter
}

// isLink says that a link begins with a word and what follows it.
func isLink(word, rest string) bool {
	return strings.HasPrefix(rest, "://") || len(word) == 3 && rest[0] == '.' && strings.EqualFold(word, "www")
}

// linkLength is how far a link reaches: to white space or a quotation mark.
func linkLength(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>"«»“”،؛`, r) })
	if end < 0 {
		return len(s)
	}
	return end
}

// mentionLength is how far a handle reaches; YouTube's may be Arabic.
func mentionLength(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '.' && r != '-' && r != '·' && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	if end < 0 {
		return len(s)
	}
	return end
}

// flush ends the word, and phrases too after punctuation.
func (sc *scanner) flush(phrase bool) {
	w := &sc.word
	switch {
	case w.n == 0:
	case sc.gather:
		kept := *w
		sc.words = append(sc.words, &kept)
	case w.tooLong:
		sc.active = sc.active[:0]
	default:
		sc.match()
	}
	w.n = 0
	if phrase {
		sc.active = sc.active[:0]
	}
}
