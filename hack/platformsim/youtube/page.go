package youtube

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// answer is the envelope of a list. Items is nil where the key has to be absent.
type answer struct {
	Kind          string   `json:"kind"`
	Etag          string   `json:"etag"`
	NextPageToken string   `json:"nextPageToken,omitempty"`
	PrevPageToken string   `json:"prevPageToken,omitempty"`
	PageInfo      pageInfo `json:"pageInfo"`
	Items         any      `json:"items,omitempty"`
}

type pageInfo struct {
	TotalResults   int `json:"totalResults"`
	ResultsPerPage int `json:"resultsPerPage"`
}

// page is a window over a list of total entries. Tokens count entries, as
// YouTube's do: what is published between two pages moves an entry to the next.
type page struct {
	from, to, total, size int
	of                    string
}

// pageOf reads the page token; one made for another list is invalid.
func pageOf(a *ask, of string, total, size int) (page, *fault) {
	p := page{total: total, size: size, of: of}
	if token := a.get("pageToken"); token != "" {
		from, ok := readToken(token, of)
		if !ok {
			return page{}, badRequest("invalidPageToken", "pageToken", "The request specifies an invalid page token.")
		}
		p.from = min(from, total)
	}
	p.to = min(p.from+size, total)
	return p, nil
}

func pageToken(of string, at int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%x:PT:%d", hash(of), at))
}

func readToken(token, of string) (int, bool) {
	plain, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, false
	}
	rest, ok := strings.CutPrefix(string(plain), fmt.Sprintf("%x:PT:", hash(of)))
	at, err := strconv.Atoi(rest)
	return at, ok && err == nil && at >= 0
}

func (p page) answer(kind string, items any) answer {
	out := answer{Kind: kind, PageInfo: pageInfo{p.total, p.size}, Items: items}
	if p.to < p.total {
		out.NextPageToken = pageToken(p.of, p.to)
	}
	if p.from > 0 {
		out.PrevPageToken = pageToken(p.of, max(p.from-p.size, 0))
	}
	return out
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// etag changes with the content it stands for.
func etag(parts ...string) string {
	sum := hash(parts...)
	return base64.RawURLEncoding.EncodeToString([]byte{
		byte(sum >> 56), byte(sum >> 48), byte(sum >> 40), byte(sum >> 32), byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum),
	})
}
