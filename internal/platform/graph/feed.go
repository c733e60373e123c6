package graph

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// timeLayout is how the Graph API writes a time: +0000, not Z.
const timeLayout = "2006-01-02T15:04:05-0700"

// Time reads a time, or the zero time.
func Time(s string) time.Time {
	for _, layout := range []string{timeLayout, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Decode reads a place into a value, and is the error of either.
func Decode(op string, p Place, into any) *platform.Error {
	if p.Err != nil {
		return p.Err
	}
	if len(p.Body) == 0 || p.Body[0] != '{' || json.Unmarshal(p.Body, into) != nil {
		return &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: http.StatusOK, Err: platform.ErrNotJSON}
	}
	return nil
}

// Link is the first of the links that is one of the web, safe to show; a name
// without a scheme counts as http, as browsers take it. It reports false if there
// were links and none is usable.
func Link(links ...string) (string, bool) {
	unset := true
	for _, l := range links {
		if l == "" {
			continue
		}
		unset = false
		if !strings.Contains(l, ":") && strings.Contains(l, ".") {
			l = "http://" + l
		}
		if platform.IsWebLink(l) {
			return platform.Visible(l, platform.MaxURL), true
		}
	}
	return "", unset
}

// Count is a number of an answer, told only if it is there and not below zero.
func Count(n *int64) (int64, bool) {
	if n == nil || *n < 0 {
		return 0, false
	}
	return *n, true
}

func fieldsOf(fields string) url.Values { return url.Values{"fields": {fields}} }

// Fields is a query for fields, and a limit if it is more than 0; until and since
// are Unix seconds, 0: unbounded.
func Fields(fields string, limit int, until, since int64) url.Values {
	q := fieldsOf(fields)
	for name, n := range map[string]int64{"limit": int64(limit), "until": until, "since": since} {
		if n > 0 {
			q.Set(name, strconv.FormatInt(n, 10))
		}
	}
	return q
}
