package text

// What Arabic attaches to a word. The sets are closed.
//
// Before a word may stand, in this order: و or ف (and, so); ب ك ل (by, as, for) with
// or without the article ال, which after ل is written لل; or the article alone; or س
// (will); or أ (is it that), alone.
//
// After it: a pronoun (ه ها هم هن هما ك كم كن كما ي نا); or number (ون ين ان ات), also
// in the form that precedes a noun or pronoun (و ي ا); the alef of tanwin. A word
// with teh marbuta changes it to ت before a pronoun and drops it before ات.
//
// Without a dictionary some attachments would be guesses. These rules keep longer,
// unrelated words out:
//
//   - a single letter before the word, and anything after it, need a word of three
//     letters or more; the article needs two; أ needs five, as three or four letters
//     after أ are most often one word of the pattern أفعل;
//   - a word with the article bears no pronoun: الرقمي is "the digital", not "my number";
//   - س needs what a verb begins with: ي ت ن ا;
//   - teh marbuta is not the pronoun ه, and is never added to a word: مكتبة is no مكتب;
//   - ية and other endings that make new words are not in the set;
//   - a word in the list of words that only look like it (lexicon.go) is that word:
//     لجنة is a committee, not "to paradise".

// prefix is what stands before a word.
type prefix uint8

const (
	prefixNone prefix = iota
	prefixLetters
	prefixArticle
	prefixFuture
	prefixQuestion
)

// shortest is how many letters a word must have to bear the prefix.
var shortest = [...]uint8{prefixNone: 1, prefixLetters: 3, prefixArticle: 2, prefixFuture: 3, prefixQuestion: 5}

// split is a place where the word may begin.
type split struct {
	at     uint8
	prefix prefix
}

// Symbols of the letters that rules speak of; every matcher numbers them alike.
// They are below 32, so that an ending of up to six letters is one number.
const arabicSymbols = "ابتثجحخدذرزسشصضطظعغفقكلمنهويء"

const (
	symAlef  = 1
	symBeh   = 2
	symTeh   = 3
	symSeen  = 12
	symFeh   = 20
	symKaf   = 22
	symLam   = 23
	symNoon  = 25
	symWaw   = 27
	symYeh   = 28
	symHamza = 29
)

// splits lists the places where a word may begin, at most maxSplits.
func (w *word) splits(room []split) []split {
	room = append(room, split{0, prefixNone})
	if w.n < 3 {
		return room
	}
	room = w.splitsAt(room, 0)
	switch w.sym[0] {
	case symWaw, symFeh:
		room = append(room, split{1, prefixLetters})
		room = w.splitsAt(room, 1)
	case symAlef:
		if w.hamza&1 != 0 {
			room = append(room, split{1, prefixQuestion})
		}
	}
	return room
}

// splitsAt lists the places behind preposition, article or future at i.
func (w *word) splitsAt(room []split, i int) []split {
	switch w.sym[i] {
	case symAlef:
		if w.article(i) {
			room = append(room, split{uint8(i + 2), prefixArticle})
		}
	case symBeh, symKaf:
		room = append(room, split{uint8(i + 1), prefixLetters})
		if w.article(i + 1) {
			room = append(room, split{uint8(i + 3), prefixArticle})
		}
	case symLam:
		room = append(room, split{uint8(i + 1), prefixLetters})
		if i+1 < w.n && w.sym[i+1] == symLam {
			room = append(room, split{uint8(i + 2), prefixArticle})
		}
	case symSeen:
		room = append(room, split{uint8(i + 1), prefixFuture})
	}
	return room
}

// article says that ال stands at i, with an alef that bears nothing.
func (w *word) article(i int) bool {
	return i+1 < w.n && w.sym[i] == symAlef && w.sym[i+1] == symLam && w.hamza>>i&1 == 0
}

// class says how a word changes before an ending.
type class uint8

const (
	classPlain class = iota
	// classTeh ends in teh marbuta, which the form leaves out.
	classTeh
	// classMaqsura ends in alef maqsura, which the form leaves out.
	classMaqsura
	// classExact bears nothing.
	classExact
)

// ending is what stands after a word.
type ending uint8

const (
	// endingBare is the word as it is.
	endingBare ending = 1 << iota
	// endingNumber goes with an article.
	endingNumber
	// endingPronoun goes without one.
	endingPronoun
)

// endings are the endings of each class, by endingKey.
var endings = [...]map[uint32]ending{classPlain: plainEndings(), classTeh: tehEndings(), classMaqsura: maqsuraEndings(), classExact: {0: endingBare}}

var pronouns = []string{"ه", "ها", "هم", "هن", "هما", "ك", "كم", "كن", "كما", "ي", "نا"}

func plainEndings() map[uint32]ending {
	m := map[uint32]ending{0: endingBare}
	put(m, endingNumber, "", "ون", "ين", "ان", "ات")
	put(m, endingPronoun, "", pronouns...)
	put(m, endingPronoun, "", "و", "ا")
	for _, number := range []string{"ات", "و", "ي", "ا"} {
		put(m, endingPronoun, number, pronouns...)
	}
	return m
}

func tehEndings() map[uint32]ending {
	m := map[uint32]ending{}
	put(m, endingBare, "", "ه")
	put(m, endingNumber, "", "تان", "تين", "ات")
	put(m, endingPronoun, "", "تا")
	for _, before := range []string{"ت", "ات", "تي", "تا"} {
		put(m, endingPronoun, before, pronouns...)
	}
	return m
}

func maqsuraEndings() map[uint32]ending {
	m := map[uint32]ending{}
	put(m, endingBare, "", "ي")
	put(m, endingNumber, "", "يات", "يان", "يين")
	put(m, endingPronoun, "ا", pronouns...)
	put(m, endingPronoun, "يات", pronouns...)
	return m
}

func put(m map[uint32]ending, e ending, before string, after ...string) {
	for _, a := range after {
		m[keyOf(arabicWord(before+a))] = e
	}
}

// keyOf is an ending as a number, noEnding if it is longer than any or has other
// letters.
func keyOf(syms []symbol) uint32 {
	if len(syms) > maxEnding {
		return noEnding
	}
	key := uint32(0)
	for _, sym := range syms {
		if sym == 0 || sym >= 32 {
			return noEnding
		}
		key = key<<5 | uint32(sym)
	}
	return key
}

const (
	maxEnding = 6
	noEnding  = ^uint32(0)
)

// arabicWord is a word of letters of arabicSymbols.
func arabicWord(s string) []symbol {
	var syms []symbol
	for _, r := range s {
		syms = append(syms, fixedSymbol(r))
	}
	return syms
}

// fixedSymbol is the symbol of a letter that every matcher numbers alike, 0 for
// another.
func fixedSymbol(r rune) symbol {
	n := symbol(0)
	for _, known := range arabicSymbols {
		if n++; known == r {
			return n
		}
	}
	return 0
}
