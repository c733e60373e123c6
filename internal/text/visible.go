package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible makes text from a platform safe to show: invalid UTF-8 becomes U+FFFD,
// control characters (line feed apart) and the characters that reorder or hide
// text (see hidden) are spelled out as ⟨U+202E⟩, and text of more than limit code
// points is cut and ends with an ellipsis, never in the middle of a spelled-out
// character. A limit of zero or less leaves nothing.
// Visible(Visible(s, n), n) == Visible(s, n).
func Visible(s string, limit int) string {
	if limit <= 0 {
		return ""
	}
	if isPlain(s) && utf8.RuneCountInString(s) <= limit {
		return s
	}
	var b strings.Builder
	n, whole := 0, 0 // whole: bytes that leave room for the ellipsis
	for _, r := range s {
		out := string(r)
		if hidden(r) {
			out = fmt.Sprintf("⟨U+%04X⟩", r)
		}
		n += utf8.RuneCountInString(out)
		if n > limit {
			return b.String()[:whole] + "…"
		}
		b.WriteString(out)
		if n < limit {
			whole = b.Len()
		}
	}
	return b.String()
}

func isPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, hidden)
}

// hidden reports whether r acts on the text around it or takes no room of its
// own: controls, line and paragraph separator, the format characters (bidi
// embeddings, overrides and isolates of UAX #9, zero-width space, soft hyphen,
// word joiner, byte order mark, tags) and the fillers. What writing needs stays:
// zero-width joiner and non-joiner (Persian, emoji), the left-to-right,
// right-to-left and Arabic letter marks, the Arabic number signs, and variation
// selectors.
func hidden(r rune) bool {
	if r < 0x7F {
		return r < 0x20 && r != '\n'
	}
	switch r {
	case 0x200C, 0x200D, 0x200E, 0x200F, 0x061C:
		return false
	case 0x2028, 0x2029:
		return true
	}
	return unicode.IsControl(r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}
