package governance

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// maxPatternSize bounds a compiled pattern, in instructions: matching costs at
// most that many steps for each character of a text.
const maxPatternSize = 10_000

// fault is what is wrong with a pattern and where, in code points from 0.
type fault struct {
	at   int
	text string
}

// compilePattern compiles an RE2 pattern.
func compilePattern(pattern string) (*regexp.Regexp, *fault) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, patternFault(pattern, err)
	}
	if patternSize(tree) > maxPatternSize {
		return nil, &fault{text: "the pattern is too large: its repetitions multiply"}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, patternFault(pattern, err)
	}
	return re, nil
}

func patternFault(pattern string, err error) *fault {
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return &fault{text: clean(err.Error(), maxQuote)}
	}
	f := &fault{text: bad.Code.String()}
	at := faultOffset(pattern, bad)
	f.at = utf8.RuneCountInString(pattern[:at])
	switch bad.Code {
	case syntax.ErrInvalidUTF8, syntax.ErrLarge, syntax.ErrNestingDepth, syntax.ErrTrailingBackslash:
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		f.text += ": " + quote(pattern[at:], maxFragment)
	default:
		f.text += ": " + quote(bad.Expr, maxFragment)
	}
	return f
}

// faultOffset finds the byte at which the fault begins. The parser tells the
// fragment that it could not read, but not where it stood.
func faultOffset(pattern string, bad *syntax.Error) int {
	switch bad.Code {
	case syntax.ErrTrailingBackslash:
		return len(pattern) - 1
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return unbalanced(pattern)
	case syntax.ErrInvalidUTF8:
		return invalidUTF8(pattern)
	case syntax.ErrLarge, syntax.ErrNestingDepth:
		return 0
	default:
		return fragmentOffset(pattern, bad)
	}
}

// fragmentOffset finds the occurrence of the fragment at which the parser gave
// up. An earlier occurrence may be harmless, as the stars in [**]a**.
func fragmentOffset(pattern string, bad *syntax.Error) int {
	for from := 0; from <= len(pattern)-len(bad.Expr); from++ {
		i := strings.Index(pattern[from:], bad.Expr)
		if i < 0 {
			break
		}
		from += i
		if end := from + len(bad.Expr); fails(pattern[:end], bad) && fails(pattern[:nextRune(pattern, end)], bad) {
			return from
		}
	}
	return max(0, len(pattern)-len(bad.Expr))
}

// fails says that the beginning of a pattern fails like the whole. A beginning
// that fails only because it ends does not pass the test with one more character:
// [ in [a]b[.
func fails(beginning string, bad *syntax.Error) bool {
	_, err := syntax.Parse(beginning, syntax.Perl)
	var same *syntax.Error
	return errors.As(err, &same) && *same == *bad
}

// nextRune is the end of the character that begins at i.
func nextRune(s string, i int) int {
	_, size := utf8.DecodeRuneInString(s[i:])
	return i + size
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
			return i
		}
	}
	return 0
}

// unbalanced finds the first parenthesis that closes nothing, or else the last
// one that is never closed.
func unbalanced(pattern string) int {
	var open []int
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i += escapeLen(pattern[i:]) - 1
		case '[':
			i += classLen(pattern[i:]) - 1
		case '(':
			open = append(open, i)
		case ')':
			if len(open) == 0 {
				return i
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return 0
	}
	return open[len(open)-1]
}

// escapeLen is the length of the escape at the beginning of s; \Q reaches to \E.
func escapeLen(s string) int {
	if !strings.HasPrefix(s, `\Q`) {
		return 2
	}
	if end := strings.Index(s, `\E`); end >= 0 {
		return end + 2
	}
	return len(s)
}

// classLen is the length of the character class at the beginning of s.
func classLen(s string) int {
	i := 1
	if strings.HasPrefix(s, "[^") {
		i++
	}
	for first := true; i < len(s) && (s[i] != ']' || first); first = false {
		switch end := strings.Index(s[i:], ":]"); {
		case s[i] == '\\':
			i += 2
		case strings.HasPrefix(s[i:], "[:") && end >= 2:
			i += end + 2
		default:
			i++
		}
	}
	return min(i+1, len(s))
}

// patternSize estimates the compiled size, up to a little above the limit.
func patternSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)*boolInt(re.Op == syntax.OpLiteral)
	for _, sub := range re.Sub {
		if size += patternSize(sub); size > maxPatternSize {
			return size
		}
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return size
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
