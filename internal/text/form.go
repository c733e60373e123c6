package text

// form is a word of a term.
type form struct {
	class class
	// article: the word must bear the article in the text too.
	article bool
	// letters is how many the whole word has.
	letters uint8
}

// form is the word as one of a term: its letters without article and without what
// changes before an ending. A phrase needs the article of its words no longer: رقم
// الهوية is also رقم هويتي. A term of a single word keeps it: القاعدة is not قاعدة.
func (w *word) form(phrase bool) ([]symbol, form) {
	syms := w.sym[:w.n]
	if w.kind != kindArabic {
		return syms, form{class: classExact, letters: uint8(w.n)}
	}
	var f form
	if w.article(0) && w.n >= 5 {
		syms = syms[2:]
		f.article = !phrase
	}
	f.letters = uint8(len(syms))
	switch last := uint64(1) << (w.n - 1); {
	case f.letters < 3:
	case w.teh&last != 0:
		f.class, syms = classTeh, syms[:f.letters-1]
	case w.maqsura&last != 0:
		f.class, syms = classMaqsura, syms[:f.letters-1]
	}
	return syms, f
}

// fits says that the form stands in the word from a split to end, with nothing
// around it but what may be attached.
func (f *form) fits(w *word, at split, end int) bool {
	if f.class == classExact {
		return at.at == 0 && end == w.n
	}
	if !f.takes(w, at) {
		return false
	}
	switch endings[f.class][keyOf(w.sym[end:w.n])] {
	case endingBare:
		return true
	case endingNumber:
		return f.letters >= 3
	case endingPronoun:
		return f.letters >= 3 && at.prefix != prefixArticle && (f.class != classPlain || w.teh>>(w.n-1)&1 == 0)
	default:
		return false
	}
}

// takes says that what stands before the form may be attached to it.
func (f *form) takes(w *word, at split) bool {
	if f.article && at.prefix != prefixArticle || f.letters < shortest[at.prefix] {
		return false
	}
	return at.prefix != prefixFuture || isVerbal(w.sym[at.at])
}

// isVerbal says that verbs in the imperfect begin with the letter.
func isVerbal(sym symbol) bool {
	return sym == symYeh || sym == symTeh || sym == symNoon || sym == symAlef
}

// isBare says that nothing is attached.
func (f *form) isBare(w *word, at split, end int) bool {
	return f.class == classExact || at.at == 0 && endings[f.class][keyOf(w.sym[end:w.n])] == endingBare
}
