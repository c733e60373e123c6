package x

import (
	"cmp"
	"encoding/base32"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listRules are the parameters of an endpoint that answers with pages, beside the
// lists of members. Zero parts are parameters it does not have.
type listRules struct {
	enums         map[string][]string
	min, max      int
	pageParam     string
	extra         []string
	otherwise     int
	pageByID      bool
	requiredQuery *regexp.Regexp
}

// listAsk is a valid request for a page.
type listAsk struct {
	ask

	limit int
	// after is the id before which the page begins, or the offset at which.
	after        string
	offset       int
	since, until string
	start, end   time.Time
	exclude      []string
	query        string
	days         int
}

func (s *server) parseList(r *http.Request, rules listRules) (listAsk, *invalid) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return listAsk{}, refuse("query", "The query string can not be parsed", r.URL.RawQuery)
	}
	own := slices.Clone(rules.extra)
	if rules.max > 0 {
		own = append(own, "max_results", rules.pageParam)
	}
	members, bad := chooseAll(query, rules.enums, own)
	if bad != nil {
		return listAsk{}, bad
	}
	out := listAsk{ask: members, limit: rules.otherwise, query: query.Get("query"), days: 7}
	for _, read := range []func(url.Values, listRules) *invalid{out.readPage, out.readBounds, out.readTimes, out.readRest} {
		if bad := read(query, rules); bad != nil {
			return listAsk{}, bad
		}
	}
	return out, nil
}

func number(query url.Values, param string, low, high, otherwise int) (int, *invalid) {
	if !query.Has(param) {
		return otherwise, nil
	}
	n, err := strconv.Atoi(query.Get(param))
	if err != nil || n < low || n > high {
		return 0, refuse(param, fmt.Sprintf("The `%s` query parameter value [%s] is not between %d and %d", param, query.Get(param), low, high), query.Get(param))
	}
	return n, nil
}

func (a *listAsk) readPage(query url.Values, rules listRules) (bad *invalid) {
	if a.limit, bad = number(query, "max_results", rules.min, rules.max, rules.otherwise); bad != nil {
		return bad
	}
	if token := query.Get(rules.pageParam); query.Has(rules.pageParam) {
		ok := false
		if rules.pageByID {
			a.after, ok = readIDToken(token)
		} else {
			a.offset, ok = readOffsetToken(token)
		}
		if !ok {
			return refuse(rules.pageParam, fmt.Sprintf("The `%s` query parameter value [%s] is not valid", rules.pageParam, token), token)
		}
	}
	return nil
}

func (a *listAsk) readBounds(query url.Values, _ listRules) *invalid {
	for param, into := range map[string]*string{"since_id": &a.since, "until_id": &a.until} {
		if !query.Has(param) {
			continue
		}
		if *into = query.Get(param); !idPattern.MatchString(*into) {
			return refuse(param, fmt.Sprintf("The `%s` query parameter value [%s] does not match %s", param, *into, idPattern), *into)
		}
	}
	return nil
}

func (a *listAsk) readTimes(query url.Values, _ listRules) *invalid {
	for param, into := range map[string]*time.Time{"start_time": &a.start, "end_time": &a.end} {
		if !query.Has(param) {
			continue
		}
		t, err := time.Parse(time.RFC3339, query.Get(param))
		if err != nil {
			return refuse(param, fmt.Sprintf("The `%s` query parameter value [%s] is not a date-time", param, query.Get(param)), query.Get(param))
		}
		*into = t
	}
	return nil
}

func (a *listAsk) readRest(query url.Values, rules listRules) (bad *invalid) {
	if query.Has("exclude") {
		a.exclude = strings.Split(query.Get("exclude"), ",")
		for i, v := range a.exclude {
			if v != "replies" && v != "retweets" || slices.Contains(a.exclude[:i], v) {
				return refuse("exclude", fmt.Sprintf("The `exclude` query parameter value [%s] is not one of [replies,retweets]", v), v)
			}
		}
	}
	if rules.requiredQuery != nil && !rules.requiredQuery.MatchString(a.query) {
		return refuse("query", fmt.Sprintf("The `query` query parameter value [%s] does not match %s", a.query, rules.requiredQuery), a.query)
	}
	a.days, bad = number(query, "days", 1, 90, a.days)
	return bad
}

// Page tokens of posts are the last id shown, in base 36; those of users are
// offsets in base 32 (OpenAPI, PaginationToken36 and PaginationToken32).
func idToken(id string) string {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatUint(n, 36)
}

func readIDToken(token string) (string, bool) {
	n, err := strconv.ParseUint(token, 36, 63)
	return strconv.FormatUint(n, 10), err == nil
}

func offsetToken(at int) string {
	return base32.StdEncoding.EncodeToString(fmt.Appendf(nil, "%010d", at))
}

func readOffsetToken(token string) (int, bool) {
	plain, err := base32.StdEncoding.DecodeString(token)
	if err != nil || len(plain) != 10 {
		return 0, false
	}
	at, err := strconv.Atoi(string(plain))
	return at, err == nil && at > 0
}

// compareIDs orders decimal ids by value.
func compareIDs(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

type listMeta struct {
	ResultCount int    `json:"result_count"`
	NewestID    string `json:"newest_id,omitempty"`
	OldestID    string `json:"oldest_id,omitempty"`
	NextToken   string `json:"next_token,omitempty"`
}

type listAnswer struct {
	Data   any       `json:"data,omitempty"`
	Errors []problem `json:"errors,omitempty"`
	Meta   *listMeta `json:"meta,omitempty"`
}
