package governance

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// The longest texts, in code points.
const (
	maxMessage  = 512 // Finding.message
	maxDrift    = 256 // Drift.want and Drift.got
	maxQuote    = 80  // a value inside a message
	maxFragment = 40  // a part of a pattern inside a problem
	maxNamed    = 3   // people or values that a message lists
)

// PersonKey is what all spellings of one person share: people are named by
// e-mail address, and no mailbox in use tells upper from lower case.
func PersonKey[T ~string](person T) string { return strings.ToLower(string(person)) }

// clean makes text fit for a message: one line, at most limit code points, and
// nothing that reorders or hides what follows.
func clean(s string, limit int) string {
	if fit(s, limit) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if hides(r) && !unicode.IsSpace(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	return shorten(strings.Join(strings.Fields(s), " "), limit)
}

// fit says that clean has nothing to do: printable ASCII, single spaces inside.
func fit(s string, limit int) bool {
	if len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= utf8.RuneSelf-1 {
			return false
		}
	}
	return true
}

// hides says that r acts on the text around it. The joiners and the three marks
// that only lend a direction to their neighbours are part of writing.
func hides(r rune) bool {
	if r >= 0x200C && r <= 0x200F || r == 0x061C {
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// shorten cuts a text to limit code points; an ellipsis marks the cut.
func shorten(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return s[:i] + "…"
		}
	}
	return s
}

func quote(s string, limit int) string { return `"` + clean(s, limit) + `"` }

// list joins values for a message: the first few, then how many more.
func list(values []string) string {
	more := ""
	if len(values) > maxNamed {
		more = " and " + strconv.Itoa(len(values)-maxNamed) + " more"
		values = values[:maxNamed]
	}
	cleaned := make([]string, len(values))
	for i, v := range values {
		cleaned[i] = clean(v, maxQuote)
	}
	return strings.Join(cleaned, ", ") + more
}

// plain makes text comparable: canonical composition, whitespace as one space.
func plain(s string) string {
	if norm.NFC.IsNormalString(s) && spacedOnce(s) {
		return s
	}
	return strings.Join(strings.Fields(norm.NFC.String(s)), " ")
}

// spacedOnce says that all white space is single spaces between words.
func spacedOnce(s string) bool {
	space := true // before the first word
	for _, r := range s {
		if !unicode.IsSpace(r) {
			space = false
			continue
		}
		if space || r != ' ' {
			return false
		}
		space = true
	}
	return !space || s == ""
}

// sameText compares what people see: canonically equivalent characters are one
// text, and white space at the ends does not show.
func sameText(a, b string) bool {
	return a == b || norm.NFC.String(strings.TrimSpace(a)) == norm.NFC.String(strings.TrimSpace(b))
}

// asciiDomain is a DNS name as policies write it; "" if s is none.
func asciiDomain(s string) string {
	s = strings.TrimSuffix(s, ".")
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			s, err := idna.Lookup.ToASCII(s)
			if err != nil {
				return ""
			}
			return s
		}
	}
	return strings.ToLower(s)
}

// within says that host is one of the domains or below one. All are ASCII and in
// lower case.
func within(host string, domains []string) bool {
	for _, d := range domains {
		if rest, ok := strings.CutSuffix(host, d); ok && (rest == "" || rest[len(rest)-1] == '.') {
			return host != ""
		}
	}
	return false
}

// webHost is the host of a web address, "" if s is none. A scheme may be missing.
func webHost(s string) string {
	if host, ok := plainHost(s); ok {
		return host
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return asciiDomain(u.Hostname())
}

// plainHost is the host of the common web address, which needs no parser.
func plainHost(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		return "", false
	}
	host, _, ok := strings.Cut(rest, "/")
	if !ok || host == "" || host[len(host)-1] == '.' {
		return "", false
	}
	return host, strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// sameLink compares links: scheme and host without case, and without a slash at
// the end.
func sameLink(a, b string) bool { return a == b || canonicalLink(a) == canonicalLink(b) }

func canonicalLink(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	return strings.ToLower(scheme) + "://" + strings.ToLower(host) + strings.TrimSuffix(path, "/")
}
