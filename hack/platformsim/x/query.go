package x

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxValues is the most users one request may ask for (OpenAPI, maxItems).
const maxValues = 100

// ask is a valid request for users: what to look up and which members to show.
type ask struct {
	values []string
	// fields are the members of users and the expansions, posts those of posts.
	fields, posts map[string]bool
}

func newAsk() ask {
	return ask{fields: map[string]bool{"id": true, "name": true, "username": true}, posts: map[string]bool{}}
}

// invalid is a refused parameter. It is not an error of the simulator, so it
// carries what X's answer needs.
type invalid struct {
	param   string
	values  []string
	message string
}

func refuse(param, message string, values ...string) *invalid {
	return &invalid{param: param, values: values, message: message}
}

// parse validates the query as strictly as the OpenAPI description.
func (s *server) parse(l *lookup, r *http.Request) (ask, *invalid) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return ask{}, refuse("query", "The query string can not be parsed", r.URL.RawQuery)
	}
	own := []string{l.param}
	if l.single {
		own = nil
	}
	a, bad := chooseAll(query, s.names.enums, own)
	if bad != nil {
		return ask{}, bad
	}
	values, bad := l.parseValues(r, query)
	a.values = values
	return a, bad
}

// chooseAll reads the list parameters of a query that may have these and own ones.
func chooseAll(query url.Values, enums map[string][]string, own []string) (ask, *invalid) {
	if bad := checkNames(query, append(slices.Collect(maps.Keys(enums)), own...)); bad != nil {
		return ask{}, bad
	}
	a := newAsk()
	for _, param := range slices.Sorted(maps.Keys(enums)) {
		if bad := a.choose(param, enums[param], query); bad != nil {
			return ask{}, bad
		}
	}
	return a, nil
}

func checkNames(query url.Values, allowed []string) *invalid {
	slices.Sort(allowed)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case !slices.Contains(allowed, name):
			return refuse(name, fmt.Sprintf("The query parameter [%s] is not one of [%s]", name, strings.Join(allowed, ",")), query[name]...)
		case len(query[name]) > 1:
			return refuse(name, fmt.Sprintf("Duplicate parameters are not allowed: the `%s` query parameter", name), query[name]...)
		}
	}
	return nil
}

// choose reads a list of enum values that must be unique. Only the user's own
// members matter for the answer; fields of posts are just checked.
func (a *ask) choose(param string, enum []string, query url.Values) *invalid {
	if !query.Has(param) {
		return nil
	}
	seen := map[string]bool{}
	for value := range strings.SplitSeq(query.Get(param), ",") {
		if !slices.Contains(enum, value) {
			return refuse(param, fmt.Sprintf("The `%s` query parameter value [%s] is not one of [%s]", param, value, strings.Join(enum, ",")), value)
		}
		if seen[value] {
			return refuse(param, fmt.Sprintf("The `%s` query parameter value [%s] is given twice", param, value), value)
		}
		seen[value] = true
		switch param {
		case paramUserFields, paramExpansions:
			a.fields[value] = true
		case paramTweetFields, paramPostFields:
			a.posts[value] = true
		}
	}
	return nil
}

// parseValues returns the ids or usernames, each once.
func (l *lookup) parseValues(r *http.Request, query url.Values) ([]string, *invalid) {
	values := []string{r.PathValue(l.param)}
	if !l.single {
		if query.Get(l.param) == "" {
			return nil, refuse(l.param, fmt.Sprintf("The `%s` query parameter can not be empty", l.param), "")
		}
		values = strings.Split(query.Get(l.param), ",")
	}
	if len(values) > maxValues {
		return nil, refuse(l.param, fmt.Sprintf("The number of values in the `%s` query parameter list [%d] is not between 1 and %d", l.param, len(values), maxValues), query.Get(l.param))
	}
	once := make([]string, 0, len(values))
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		if !l.pattern.MatchString(v) {
			return nil, refuse(l.param, fmt.Sprintf("The `%s` query parameter value [%s] does not match %s", l.param, v, l.pattern), v)
		}
		if key := strings.ToLower(v); !seen[key] {
			seen[key] = true
			once = append(once, v)
		}
	}
	return once, nil
}

// invalidRequest writes a 400 in the form of the spelling's OpenAPI version.
func (s *server) invalidRequest(w http.ResponseWriter, bad *invalid) {
	p := problem{
		Title: "Invalid Request", Type: s.errors.base + "invalid-request",
		Detail: "One or more parameters to your request was invalid.",
	}
	if s.names.flatProblem {
		p.Status, p.Parameter, p.Value = http.StatusBadRequest, bad.param, strings.Join(bad.values, ",")
		p.Detail = bad.message
	} else {
		p.Errors = []invalidParam{{Parameters: map[string][]string{bad.param: bad.values}, Message: bad.message}}
	}
	s.errors.write(w, http.StatusBadRequest, p)
}
