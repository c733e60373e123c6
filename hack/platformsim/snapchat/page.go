package snapchat

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

type pageAsk struct {
	limit int
	after string
}

// page reads limit and cursor; why is empty if they are good. Unknown parameters
// are ignored, as the pages do not say otherwise.
func (s *server) page(r *http.Request, otherwise int) (ask pageAsk, why string) {
	q := r.URL.Query()
	ask.limit = otherwise
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		switch {
		case err != nil || n < 1:
			return ask, "limit is not a positive number"
		case n > s.opts.MaxLimit && !s.opts.CapLimit:
			return ask, fmt.Sprintf("limit is above %d", s.opts.MaxLimit)
		}
		ask.limit = min(n, s.opts.MaxLimit)
	}
	if c := q.Get("cursor"); c != "" {
		plain, err := base64.RawURLEncoding.DecodeString(c)
		after, ok := strings.CutPrefix(string(plain), "after:")
		if err != nil || !ok {
			return ask, "cursor is invalid"
		}
		ask.after = after
	}
	return ask, ""
}

func cursor(after string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("after:" + after))
}

func (s *server) paging(r *http.Request, next string, limit int) *paging {
	q := r.URL.Query()
	q.Set("cursor", next)
	q.Set("limit", strconv.Itoa(limit))
	return &paging{NextPageID: next, NextLink: s.baseURL(r) + r.URL.Path + "?" + q.Encode()}
}
