package text

import "strings"

// Letters and signs of which the rules speak.
const (
	alef       = 'ا'
	waw        = 'و'
	yeh        = 'ي'
	heh        = 'ه'
	hamza      = 'ء'
	tatweel    = 'ـ'
	smallWaw   = 0x6E5
	smallYeh   = 0x6E6
	highHamza  = 0x674
	hamzaAbove = 0x654
	zwnj       = 0x200C
	zwj        = 0x200D
)

// isArabicBlock: U+0600 to U+06FF, whose characters fold without being decomposed.
func isArabicBlock(r rune) bool { return r >= 0x600 && r <= 0x6FF }

// isSpacingSign says that a presentation form is nothing but vowel signs.
func isSpacingSign(r rune) bool {
	return r >= 0xFE70 && r <= 0xFE7F && r != 0xFE73 || r >= 0xFC5E && r <= 0xFC63 || r >= 0xFCF2 && r <= 0xFCF4
}

// letterForms maps variants of letters to the letter, each row to its first.
var letterForms = []string{
	"ا" + "أإآٱٲٳٵ",
	"ء" + "ؤئٶٸۓ",
	"ه" + "ةۀۂۃەہھۿ",
	"ي" + "ىیېۍێےؠ",
	"ك" + "کڪ",
	"ن" + "ں",
}

// arabicBlock is what U+0600 to U+06FF fold to.
var arabicBlock = foldArabicBlock()

func foldArabicBlock() (table [256]glyph) {
	for i := range table {
		table[i] = foldArabic(rune(0x600 + i))
	}
	return table
}

// arabicSigns are the signs of numbers, and the hamza that stands alone.
var arabicSigns = map[rune]glyph{
	'٪': {'%', kindBreak, 0}, '٫': {'.', kindBreak, 0}, '٬': {',', kindBreak, 0}, highHamza: {hamzaAbove, kindHamza, 0},
}

func foldArabic(r rune) glyph {
	switch {
	case r >= '٠' && r <= '٩':
		return glyph{r - '٠' + '0', kindLetter, 0}
	case r >= '۰' && r <= '۹':
		return glyph{r - '۰' + '0', kindLetter, 0}
	}
	if sign, ok := arabicSigns[r]; ok {
		return sign
	}
	for _, row := range letterForms {
		if strings.ContainsRune(row, r) {
			return glyph{firstRune(row), kindArabic, flagsOf(r)}
		}
	}
	return glyph{r, kindOf(r), 0}
}

func flagsOf(r rune) flags {
	switch r {
	case 'أ', 'إ', 'آ', 'ٲ', 'ٳ', 'ٵ':
		return flagHamza
	case 'ة', 'ۃ':
		return flagTeh
	case 'ى':
		return flagMaqsura
	default:
		return 0
	}
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
