package text

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Skeleton is what all names share that look alike: UTS #39 prototypes over folded
// text. Beyond UTS #39, as names of accounts are told apart by less than identifiers:
// case and marks do not count, neither do spaces, dots, hyphens and underscores, and
// i, j without dot, l, 1 and | are one. It is for comparison, not for reading, and is
// its own skeleton.
//
// Scope: characters whose prototype is made of Latin, Cyrillic, Greek or Arabic
// letters, ASCII digits or punctuation, in the version of confusables.txt that
// confusables.go names. Time is linear in s.
func Skeleton(s string) string {
	for range maxPasses {
		next := skeletonPass(s)
		if next == s {
			return s
		}
		s = next
	}
	return s
}

// maxPasses: a prototype in capitals has one of its own once it is folded, and
// nothing needs more than two passes and one that finds nothing to do.
const maxPasses = 4

func skeletonPass(s string) string {
	out := make([]byte, 0, len(s)+utf8.UTFMax)
	shape := folder{out: make([]byte, 0, len(s)+utf8.UTFMax), fold: shapeRune}
	shape.all(s)
	for _, r := range string(shape.out) {
		if prototype, ok := prototypes()[r]; ok {
			out = append(out, prototype...)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return norm.NFC.String(letters(Fold(string(out))))
}

// shapeRune folds all but case, which changes what a character looks like.
func shapeRune(r rune) glyph {
	g := foldRune(r)
	if g.kind == kindLetter && !unicode.IsNumber(r) {
		g.r, g.flags = r, 0
	}
	return g
}

// letters drops marks and what separates, and makes one of what differs by a dot.
func letters(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == 'i', r == 'ı', r == '1', r == '|', r == 'ȷ':
			out = append(out, 'l')
		case r == '0':
			out = append(out, 'o')
		case r == '.', r == '_', r == '-', r == '·', unicode.IsSpace(r), unicode.IsMark(r):
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
}

// prototypes maps characters to what they look like.
var prototypes = sync.OnceValue(func() map[rune]string {
	m := make(map[rune]string, 4096)
	for _, row := range confusables {
		for _, r := range row.characters {
			m[r] = row.prototype
		}
	}
	return m
})

// maxName is how much of a name is compared, in code points.
const maxName = 256

// Similarity says how alike two names look, in percent: 100 for equal skeletons, and
// one hundredth less for each hundredth of the longer one that must be changed:
// inserted, removed, replaced, or swapped with its neighbour. A name without a
// skeleton is like nothing. Skeletons may be given in place of names. It compares the
// first 256 code points of each, in time that grows with the product of the lengths.
func Similarity(a, b string) int {
	x, y := nameOf(a), nameOf(b)
	longest := max(len(x), len(y))
	if min(len(x), len(y)) == 0 {
		return 0
	}
	return 100 - (100*distance(x, y)+longest-1)/longest
}

func nameOf(s string) []rune {
	name := []rune(Skeleton(s))
	return name[:min(len(name), maxName)]
}

// distance is the optimal string alignment distance.
func distance(a, b []rune) int {
	var rows [3][maxName + 1]uint16
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = uint16(j)
	}
	for i := 1; i <= len(a); i++ {
		now[0] = uint16(i)
		for j := 1; j <= len(b); j++ {
			cost := uint16(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			now[j] = d
		}
		before, last, now = last, now, before
	}
	return int(last[len(b)])
}
