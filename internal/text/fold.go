package text

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold makes text comparable. Two texts that differ only in the following fold to
// the same:
//
//   - Arabic: forms of alef (أ إ آ ٱ), the seat of hamza (ؤ ئ ء), teh marbuta and heh,
//     alef maqsura and yeh, tatweel, vowel signs and Quranic marks, Persian and Urdu
//     forms of kaf, yeh, heh and noon, Arabic-Indic and Persian digits, ٪ ٫ and ٬;
//   - everywhere: compatibility variants (NFKC: presentation forms, ligatures, full
//     width), case, and characters that are invisible (joiners, bidi controls, soft
//     hyphens, variation selectors).
//
// Latin accents are kept. The result is in NFC, at most 11 times as long as s (one
// ligature stands for four words), and folds to itself. Invalid UTF-8 becomes
// U+FFFD. Time and memory are linear in s.
func Fold(s string) string {
	if isFolded(s) {
		return s
	}
	f := folder{out: make([]byte, 0, len(s)+utf8.UTFMax), fold: foldRune}
	f.all(s)
	return f.String()
}

// isFolded says that s is ASCII without capitals.
func isFolded(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return true
}

// folder gathers folded text.
type folder struct {
	out  []byte
	fold func(rune) glyph
	// normalise: marks may have to be put in order and letters composed.
	normalise bool
}

func (f *folder) all(s string) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r < utf8.RuneSelf || isArabicBlock(r) {
			f.add(f.fold(r))
			i += size
			continue
		}
		f.normalise = true
		if decomposed := decompose(s[i:]); decomposed != nil {
			f.parts(decomposed)
		} else {
			f.add(f.fold(r))
		}
		i += size
	}
}

func (f *folder) parts(decomposed []byte) {
	for len(decomposed) > 0 {
		r, n := utf8.DecodeRune(decomposed)
		f.add(f.fold(r))
		decomposed = decomposed[n:]
	}
}

// String is the text so far.
func (f *folder) String() string {
	if f.normalise {
		return string(norm.NFC.Bytes(f.out))
	}
	return string(f.out)
}

// decompose is the full compatibility decomposition of the first character of s,
// nil if it is its own. Signs that only show a vowel sign are their own: they would
// decompose to a space.
func decompose(s string) []byte {
	if r, _ := utf8.DecodeRuneInString(s); isSpacingSign(r) {
		return nil
	}
	return norm.NFKD.PropertiesString(s).Decomposition()
}

func (f *folder) add(g glyph) {
	switch g.kind {
	case kindDrop:
	case kindHamza:
		if g.r == hamzaAbove {
			f.hamza()
		}
	default:
		f.out = utf8.AppendRune(f.out, g.r)
		if g.flags&flagDouble != 0 {
			f.out = utf8.AppendRune(f.out, g.r)
		}
	}
}

// hamza puts a hamza onto the letter before. On waw and yeh it makes a hamza, which
// is written without its seat; elsewhere it is dropped. Marks of another combining
// class may stand in between: canonical order tells no first among them.
func (f *folder) hamza() {
	end := len(f.out)
	for range maxMarks {
		r, size := utf8.DecodeLastRune(f.out[:end])
		if r == waw || r == yeh {
			// Waw, yeh and hamza are of two bytes each.
			utf8.AppendRune(f.out[:end-size], hamza)
			return
		}
		if !lets(combiningClass(r)) {
			return
		}
		end -= size
	}
}

// maxMarks is how many marks on one letter are looked at: UAX #15 calls text with
// more of them not stream-safe.
const maxMarks = 30

// lets says that a hamza above reaches past the mark.
func lets(class uint8) bool { return class != 0 && class != hamzaClass }

// hamzaClass is the canonical combining class of a hamza above, "above".
const hamzaClass = 230

func combiningClass(r rune) uint8 {
	if r < 0x300 {
		return 0
	}
	var b [utf8.UTFMax]byte
	return norm.NFD.Properties(utf8.AppendRune(b[:0], r)).CCC()
}

// foldCase is what all cases of a letter share.
func foldCase(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least == combiningIota {
		return 'ι'
	}
	return unicode.ToLower(least)
}

// combiningIota is the least of the forms of iota, and a mark.
const combiningIota = 0x345
