package text

import (
	"unicode"
	"unicode/utf8"
)

// Unsafe finds the first character that hides or reorders what people see, or that
// cannot be seen: bidirectional embeddings, overrides and isolates; zero-width
// characters and fillers; control and tag characters; variation selectors without a
// base; line separators; invalid UTF-8 (as U+FFFD). offset is in bytes.
//
// What writing needs is safe: tabs and line breaks; ZWNJ between two letters of a
// script that joins them (Persian, Indic); ZWJ after such a letter, and inside an
// emoji; variation selectors and tags after an emoji; LRM, RLM and ALM beside
// anything but a letter, where alone they matter.
func Unsafe(s string) (r rune, offset int, unsafe bool) {
	prev := rune(-1)
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7F {
			prev = rune(c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		if i+size == len(s) {
			next = -1
		}
		if r == utf8.RuneError && size == 1 || isUnsafe(prev, r, next) {
			return r, i, true
		}
		prev = r
		i += size
	}
	return 0, 0, false
}

// isUnsafe judges a character by its neighbours, -1 at the ends.
func isUnsafe(prev, r, next rune) bool {
	switch r {
	case '\n', '\t', '\r':
		return false
	case zwnj:
		return !joins(prev) || !joins(next)
	case zwj:
		return !joins(prev) && (!isEmojiPart(prev) || !isEmoji(next))
	case brailleBlank, '\u2028', '\u2029':
		return true
	}
	return isUnsafeMark(prev, r, next)
}

// isUnsafeMark judges what is neither space nor joiner.
func isUnsafeMark(prev, r, next rune) bool {
	switch {
	case isVariation(r):
		return !variesHere(prev)
	case isTag(r):
		return prev != blackFlag && !isTag(prev)
	case isDirection(r):
		return isLetterOrMark(prev) && isLetterOrMark(next) || isDirection(prev)
	default:
		return unicode.IsControl(r) || isInvisible(r) || isNoncharacter(r)
	}
}

// variesHere says that a variation selector changes how r looks.
func variesHere(r rune) bool { return isEmojiPart(r) || unicode.Is(unicode.Han, r) || isKeycap(r) }

const (
	brailleBlank = 0x2800
	blackFlag    = 0x1F3F4
)

// joins says that a letter changes by what stands beside it.
func joins(r rune) bool {
	return isLetterOrMark(r) && unicode.In(r, unicode.Arabic, unicode.Inherited, unicode.Devanagari, unicode.Bengali,
		unicode.Gujarati, unicode.Gurmukhi, unicode.Kannada, unicode.Malayalam, unicode.Oriya, unicode.Sinhala,
		unicode.Tamil, unicode.Telugu, unicode.Syriac, unicode.Mongolian, unicode.Khmer)
}

func isLetterOrMark(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) && !isVariation(r) }

// isEmoji says that r may be a picture: symbols beyond Latin-1.
func isEmoji(r rune) bool { return r > 0xFF && unicode.In(r, unicode.So, unicode.Sm, unicode.Sk) }

// isEmojiPart says that r may end a picture; © and ® are two.
func isEmojiPart(r rune) bool {
	return isEmoji(r) || r == 0xFE0F || r == '©' || r == '®' || r == '‼' || r == '⁉'
}

// isKeycap says that r begins a keycap: 1️⃣.
func isKeycap(r rune) bool { return r == '#' || r == '*' || r >= '0' && r <= '9' }

func isVariation(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

func isTag(r rune) bool { return r >= 0xE0020 && r <= 0xE007F }

// isDirection says that r only lends a direction to its neighbours: LRM, RLM, ALM.
func isDirection(r rune) bool { return r == 0x200E || r == 0x200F || r == 0x61C }

func isNoncharacter(r rune) bool { return r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF }
