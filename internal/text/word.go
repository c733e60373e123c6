package text

// maxWord is the longest word that can match, in folded letters; longer ones are
// passed over. The longest Arabic words have about 15 letters.
const maxWord = 64

// word is a word of a text, folded.
type word struct {
	sym [maxWord]symbol
	n   int
	// kind is kindArabic, kindSingle or, with digits, kindLetter.
	kind kind
	// start and end are byte offsets in the text.
	start, end int
	// What letters were before folding, by position.
	hamza, teh, maqsura uint64
	// tooLong: the word has more letters than fit.
	tooLong bool
	marks   marks
}

// marks are the marks at the end of a word, in canonical order.
type marks struct {
	class    [maxWord]uint8
	from, to int
}

func (w *word) reset(k kind, start int) {
	w.n, w.kind, w.start = 0, k, start
	w.hamza, w.teh, w.maqsura, w.tooLong = 0, 0, 0, false
	w.marks.from, w.marks.to = 0, 0
}

// push appends a letter.
func (w *word) push(sym symbol, f flags) {
	if w.n == maxWord {
		w.tooLong = true
		return
	}
	w.sym[w.n] = sym
	if f != 0 {
		w.flag(f, uint64(1)<<w.n)
	}
	w.n++
}

func (w *word) flag(f flags, bit uint64) {
	if f&flagHamza != 0 {
		w.hamza |= bit
	}
	if f&flagTeh != 0 {
		w.teh |= bit
	}
	if f&flagMaqsura != 0 {
		w.maqsura |= bit
	}
}

// mark puts a mark where canonical order has it.
func (w *word) mark(sym symbol, class uint8) {
	if w.n == maxWord {
		w.tooLong = true
		return
	}
	m := &w.marks
	if m.to != w.n || class == 0 {
		m.from = w.n
	}
	i := w.n
	for ; class != 0 && i > m.from && m.class[i-1] > class; i-- {
		w.sym[i], m.class[i] = w.sym[i-1], m.class[i-1]
	}
	w.sym[i], m.class[i] = sym, class
	w.n++
	m.to = w.n
	if class == 0 {
		m.from = w.n
	}
}

// addHamza puts a combining madda or hamza onto the last letter, as folder.hamza.
func (w *word) addHamza(r rune) {
	last := w.n - 1
	for w.marks.to == w.n && last >= w.marks.from && lets(w.marks.class[last]) {
		last--
	}
	if last < 0 {
		return
	}
	switch sym := w.sym[last]; {
	case sym == symAlef:
		w.hamza |= 1 << last
	case r == hamzaAbove && (sym == symWaw || sym == symYeh):
		w.sym[last] = symHamza
		w.maqsura &^= 1 << last
	}
}
