package text

import "unicode"

// kind is what a character is to the words of a text.
type kind uint8

const (
	// kindBreak ends a word and a phrase: punctuation, symbols.
	kindBreak kind = iota
	// kindSpace ends a word, not a phrase: white space, hyphens, apostrophes, # and _.
	kindSpace
	// kindLetter are letters and digits, and what else makes words, Arabic apart.
	kindLetter
	// kindArabic are letters of the Arabic script.
	kindArabic
	// kindSingle is a word of its own: scripts that are written without spaces.
	kindSingle
	// kindMark belongs to the letter before it.
	kindMark
	// kindHamza changes the Arabic letter before it.
	kindHamza
	// kindDrop is not there.
	kindDrop
)

// flags say of a letter what folding forgets and words need.
type flags uint8

const (
	// flagHamza: the alef is written with a hamza, madda or wasla, so that it does
	// not begin an article.
	flagHamza flags = 1 << iota
	// flagTeh: the heh is a teh marbuta, so it is no pronoun.
	flagTeh
	// flagMaqsura: the yeh is an alef maqsura.
	flagMaqsura
	// flagDouble: the letter stands for two of it: ß.
	flagDouble
)

// glyph is a folded character.
type glyph struct {
	r     rune
	kind  kind
	flags flags
}

// foldRune folds a character of a compatibility decomposition, or one of the
// Arabic block.
func foldRune(r rune) glyph {
	if r < 0x80 {
		return glyph{foldCase(r), asciiKind(r), 0}
	}
	if isArabicBlock(r) {
		return arabicBlock[r-0x600]
	}
	k := kindOf(r)
	switch k { //nolint:exhaustive // the others need nothing
	case kindDrop, kindHamza, kindBreak, kindMark:
		return glyph{r, k, 0}
	}
	if r == 'ß' || r == 'ẞ' {
		return glyph{'s', k, flagDouble}
	}
	return glyph{foldCase(r), k, 0}
}

// exactRune leaves a character as it is.
func exactRune(r rune) glyph {
	k := asciiKind(r)
	if r >= 0x80 {
		k = kindOf(r)
	}
	switch {
	case k == kindHamza, k == kindDrop && unicode.Is(unicode.Mn, r), r == tatweel, r == zwnj, r == zwj:
		k = kindMark
	case k == kindDrop:
		k = kindSpace
	}
	return glyph{r, k, 0}
}

func asciiKind(r rune) kind {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return kindLetter
	case r == ' ', r >= '\t' && r <= '\r', r == '_', r == '-', r == '#', r == '\'':
		return kindSpace
	default:
		return kindBreak
	}
}

// kindOf sorts a character beyond ASCII.
func kindOf(r rune) kind {
	switch {
	case isInvisible(r):
		return kindDrop
	case r >= 0x653 && r <= 0x655:
		return kindHamza
	case unicode.Is(unicode.M, r):
		return markKind(r)
	case unicode.IsLetter(r):
		return letterKind(r)
	case unicode.IsNumber(r):
		return kindLetter
	case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), r == '’', r == 'ʼ', r == '·':
		return kindSpace
	default:
		return kindBreak
	}
}

func markKind(r rune) kind {
	switch {
	case r >= 0x64B && r <= 0x65F, r == 0x670, unicode.Is(unicode.Arabic, r):
		return kindDrop
	case unicode.In(r, spaceless...):
		return kindSingle
	default:
		return kindMark
	}
}

func letterKind(r rune) kind {
	switch {
	case r == tatweel, r == smallWaw, r == smallYeh, isSpacingSign(r):
		return kindDrop
	case unicode.Is(unicode.Arabic, r):
		return kindArabic
	case unicode.In(r, spaceless...):
		return kindSingle
	default:
		return kindLetter
	}
}

// spaceless are the scripts that put no spaces between words. Each character
// counts as a word, so that a term matches wherever its characters stand in a row.
var spaceless = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

// isInvisible says that a character shows nothing: Unicode's format characters but
// for the Arabic number signs, and what else is ignorable by default.
func isInvisible(r rune) bool {
	if unicode.Is(unicode.Cf, r) {
		return !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	}
	return unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
