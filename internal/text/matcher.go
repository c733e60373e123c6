package text

import (
	"fmt"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Folding says how text and terms are made comparable.
type Folding uint8

const (
	// Arabic folds as Fold does, and what Arabic attaches to a word does not hide it.
	Arabic Folding = iota
	// None compares characters as they are; words keep their boundaries.
	None
)

// maxTermWord is the longest word of a term, in folded letters.
const maxTermWord = 48

// Match is where a term stands.
type Match struct {
	// Term is the index of the term.
	Term int
	// Start and End are byte offsets: from the first word that matches to the end of
	// the last, with what is attached to them.
	Start, End int
}

// Matcher finds terms in texts. It never changes and is safe for concurrent use. It
// takes about 24 bytes for each letter of its terms and 150 for each word, and 8 KiB.
//
// A term is one word or several. A word is a run of letters, digits and marks of one
// script; digits after Arabic letters are words of their own, and so is each
// character of scripts that are written without spaces. Between the words of a term
// the text may have white space, hyphens, apostrophes, # and _, or nothing where the
// script changes; other punctuation ends a phrase, unless it stands between two Latin
// letters or digits (U.S., AT&T). Mentions (@name) and links (scheme://…, www.…) are
// not words.
type Matcher struct {
	folding Folding
	symbols map[rune]symbol
	// table is what characters up to U+07FF are.
	table [0x800]entry
	words *trie
	forms []form
	// first is the state after a first word, by form; steps are all further ones.
	first  []int32
	steps  map[step]int32
	states []state
}

// entry packs what the scanner needs to know of a character.
type entry struct {
	sym   symbol
	kind  kind
	flags flags
}

// kindSlow: the character decomposes or is a mark.
const kindSlow kind = 255

type step struct{ state, form int32 }

// state is a beginning of terms.
type state struct {
	// terms end here.
	terms []int
	// more: terms go on.
	more bool
}

// NewMatcher prepares to find terms. An error names the first term that cannot be
// found: it has no letter, digit or symbol, or a word of more than 48 letters.
func NewMatcher(terms []string, fold Folding) (*Matcher, error) {
	m := &Matcher{folding: fold, symbols: map[rune]symbol{}, steps: map[step]int32{}, states: make([]state, 1)}
	for _, r := range arabicSymbols {
		m.symbols[r] = fixedSymbol(r)
	}
	for i, term := range terms {
		if err := m.learn(term); err != nil {
			return nil, fmt.Errorf("term %d: %w", i, err)
		}
	}
	m.fillTable()
	g := grower{m: m, words: newBuilder(), known: map[string]int32{}}
	for i, term := range terms {
		if err := g.add(i, term); err != nil {
			return nil, fmt.Errorf("term %d: %w", i, err)
		}
	}
	m.words = g.words.build()
	return m, nil
}

// learn gives symbols to the letters of a term.
func (m *Matcher) learn(term string) error {
	for i, r := range term {
		for _, g := range m.glyphs(term[i:], r) {
			if _, known := m.symbols[g.r]; !known && isWordly(g) {
				if len(m.symbols) == 1<<16-1 {
					return fmt.Errorf("the terms have more than %d different letters", 1<<16-1)
				}
				m.symbols[g.r] = symbol(len(m.symbols) + 1)
			}
		}
	}
	return nil
}

// isWordly says that a term may be made of the character: a letter, mark or symbol.
func isWordly(g glyph) bool {
	switch g.kind {
	case kindLetter, kindArabic, kindSingle, kindMark:
		return true
	case kindBreak:
		return unicode.In(g.r, unicode.So, unicode.Sc)
	default:
		return false
	}
}

// glyphs are what the character r at the beginning of s folds to.
func (m *Matcher) glyphs(s string, r rune) []glyph {
	if m.folding == None {
		return []glyph{exactRune(r)}
	}
	if r < utf8.RuneSelf || isArabicBlock(r) {
		return []glyph{foldRune(r)}
	}
	decomposed := decompose(s)
	if decomposed == nil {
		return []glyph{foldRune(r)}
	}
	var gs []glyph
	for _, part := range string(decomposed) {
		gs = append(gs, foldRune(part))
	}
	return gs
}

// plane is what the characters up to U+07FF fold to; slow ones need the scanner's
// whole attention.
type plane [0x800]struct {
	glyph
	slow bool
}

// planes are those of each Folding, worked out once.
var planes = [...]func() *plane{
	Arabic: sync.OnceValue(func() *plane { return planeOf(Arabic) }),
	None:   sync.OnceValue(func() *plane { return planeOf(None) }),
}

func planeOf(fold Folding) *plane {
	var p plane
	m := Matcher{folding: fold}
	for r := range rune(len(p)) {
		gs := m.glyphs(string(r), r)
		p[r].glyph = gs[0]
		p[r].slow = len(gs) != 1 || gs[0].kind == kindMark || gs[0].kind == kindHamza || gs[0].flags&flagDouble != 0
	}
	return &p
}

func (m *Matcher) fillTable() {
	for r, of := range planes[m.folding]() {
		m.table[r] = entry{kind: kindSlow}
		if !of.slow {
			m.table[r] = m.entry(of.glyph)
		}
	}
}

// entry looks a character up. A symbol that a term has is a word of its own.
func (m *Matcher) entry(g glyph) entry {
	e := entry{sym: m.symbols[g.r], kind: g.kind, flags: g.flags}
	if e.kind == kindBreak && e.sym != 0 {
		e.kind = kindSingle
	}
	return e
}

// grower adds terms to a matcher.
type grower struct {
	m     *Matcher
	words *builder
	known map[string]int32
}

func (g *grower) add(i int, term string) error {
	words := g.m.split(term)
	if len(words) == 0 {
		return fmt.Errorf("there is no letter, digit or symbol in it")
	}
	at := int32(0)
	for _, w := range words {
		if w.tooLong || w.n > maxTermWord {
			return fmt.Errorf("a word of it has more than %d letters", maxTermWord)
		}
		at = g.state(at, g.form(w, len(words) > 1))
	}
	g.m.states[at].terms = append(g.m.states[at].terms, i)
	return nil
}

// form finds or adds the form of a word.
func (g *grower) form(w *word, phrase bool) int32 {
	syms, f := w.form(phrase)
	if g.m.folding == None {
		syms, f = w.sym[:w.n], form{class: classExact, letters: uint8(w.n)}
	}
	key := fmt.Sprint(syms, f)
	id, ok := g.known[key]
	if !ok {
		id = int32(len(g.m.forms))
		g.known[key] = id
		g.m.forms = append(g.m.forms, f)
		g.m.first = append(g.m.first, 0)
		g.words.add(syms, id)
	}
	return id
}

// state finds or adds the state after one more form.
func (g *grower) state(at, form int32) int32 {
	next := g.m.after(at, form)
	if next != 0 {
		return next
	}
	next = int32(len(g.m.states))
	g.m.states = append(g.m.states, state{})
	if at == 0 {
		g.m.first[form] = next
	} else {
		g.m.steps[step{at, form}] = next
		g.m.states[at].more = true
	}
	return next
}

// after is the state after one more form; 0: there is none.
func (m *Matcher) after(at, form int32) int32 {
	if at == 0 {
		return m.first[form]
	}
	return m.steps[step{at, form}]
}
