package governance

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// search is a pattern with what every match must hold. Most posts lack it, and to see
// that is some hundred times faster than to run the pattern.
type search struct {
	re     *regexp.Regexp
	needle needle
}

// needle is a text, or else a character of a class, that every match holds; the zero
// value demands nothing.
type needle struct {
	literal string
	class   []rune // pairs of first and last, as in syntax.Regexp
}

func newSearch(re *regexp.Regexp) search {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil { // it was compiled before
		return search{re: re}
	}
	return search{re, needleOf(tree)}
}

// find tells where the pattern matches; -1: nowhere.
func (f search) find(s string) int {
	if f.needle.missing(s) {
		return -1
	}
	if at := f.re.FindStringIndex(s); at != nil {
		return at[0]
	}
	return -1
}

func (n needle) missing(s string) bool {
	switch {
	case n.literal != "":
		return !strings.Contains(s, n.literal)
	case n.class != nil:
		return !strings.ContainsFunc(s, n.holds)
	}
	return false
}

func (n needle) holds(r rune) bool {
	for i := 0; i < len(n.class); i += 2 {
		if r < n.class[i] {
			return false // in order
		}
		if r <= n.class[i+1] {
			return true
		}
	}
	return false
}

// needleOf works out what every match of a pattern must hold.
func needleOf(re *syntax.Regexp) needle {
	switch re.Op {
	case syntax.OpLiteral:
		return literalNeedle(re)
	case syntax.OpCharClass:
		if len(re.Rune) == 0 || len(re.Rune) > maxNeedleClass {
			return needle{}
		}
		return needle{class: re.Rune}
	case syntax.OpCapture, syntax.OpPlus:
		return needleOf(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needleOf(re.Sub[0])
		}
	case syntax.OpConcat:
		return bestNeedle(re.Sub)
	case syntax.OpAlternate:
		return anyNeedle(re.Sub)
	default:
	}
	return needle{}
}

// maxNeedleClass bounds a class: in a large one every text has something.
const maxNeedleClass = 32

// literalNeedle is the text; without regard to case, any form of its first letter.
// U+FFFD also matches bytes that are no text, so it demands nothing.
func literalNeedle(re *syntax.Regexp) needle {
	if slices.Contains(re.Rune, utf8.RuneError) {
		return needle{}
	}
	if re.Flags&syntax.FoldCase == 0 {
		return needle{literal: string(re.Rune)}
	}
	first := re.Rune[0]
	forms := []rune{first}
	for r := unicode.SimpleFold(first); r != first; r = unicode.SimpleFold(r) {
		forms = append(forms, r)
	}
	slices.Sort(forms)
	var class []rune
	for _, r := range forms {
		class = append(class, r, r)
	}
	return needle{class: class}
}

// bestNeedle picks, of what must all be there, the longest text or else the smallest
// class.
func bestNeedle(parts []*syntax.Regexp) needle {
	var best needle
	for _, part := range parts {
		n := needleOf(part)
		switch {
		case len(n.literal) > len(best.literal):
			best = n
		case best.literal == "" && n.class != nil && (best.class == nil || width(n.class) < width(best.class)):
			best = n
		}
	}
	return best
}

// width is the number of characters in a class.
func width(class []rune) int {
	n := 0
	for i := 0; i < len(class); i += 2 {
		n += int(class[i+1]-class[i]) + 1
	}
	return n
}

// anyNeedle joins what alternatives demand: the first character of one's text, or one's
// class.
func anyNeedle(parts []*syntax.Regexp) needle {
	var ranges [][2]rune
	for _, part := range parts {
		n := needleOf(part)
		if n.literal != "" {
			r, _ := utf8.DecodeRuneInString(n.literal)
			n.class = []rune{r, r}
		}
		if n.class == nil {
			return needle{}
		}
		for i := 0; i < len(n.class); i += 2 {
			ranges = append(ranges, [2]rune{n.class[i], n.class[i+1]})
		}
	}
	slices.SortFunc(ranges, func(a, b [2]rune) int { return int(a[0]) - int(b[0]) })
	if 2*len(ranges) > maxNeedleClass {
		return needle{}
	}
	var class []rune
	for _, r := range ranges {
		class = append(class, r[0], r[1])
	}
	return needle{class: class}
}
