package platform

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxLinks bounds the links that are read out of a text.
const maxLinks = 50

// CapText cuts text at MaxText code points and replaces invalid UTF-8.
func CapText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= MaxText {
		return text
	}
	n := 0
	for i := range text {
		if n == MaxText {
			return text[:i]
		}
		n++
	}
	return text
}

// LinksIn are the http and https links in a text, in order, each once, at most 50:
// for platforms that do not list the links of a post themselves.
func LinksIn(text string) []string {
	var links []string
	seen := make(map[string]bool)
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"'()[]{}«»،؛", r) }) {
		word = strings.TrimRight(word, ".,;:!?؟")
		at := max(strings.Index(word, "http://"), strings.Index(word, "https://"))
		if at < 0 {
			continue
		}
		word = word[at:]
		if !IsWebLink(word) || seen[word] {
			continue
		}
		seen[word] = true
		if links = append(links, word); len(links) == maxLinks {
			break
		}
	}
	return links
}

// IsWebLink reports whether link is an http or https URL with a host, of at most
// MaxURL code points.
func IsWebLink(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") &&
		utf8.RuneCountInString(link) <= MaxURL
}
