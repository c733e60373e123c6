package youtube

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// kind is the type of a parameter in the discovery document.
type kind int

const (
	text kind = iota
	list
	boolean
	number
	enum
)

type param struct {
	kind     kind
	min, max int
	values   []string
}

var (
	aText = param{kind: text}
	aList = param{kind: list}
	aBool = param{kind: boolean}
)

func aNumber(low, high int) param { return param{kind: number, min: low, max: high} }

func oneOf(values ...string) param { return param{kind: enum, values: values} }

// standard are the parameters of every method.
var standard = map[string]param{
	"$.xgafv": oneOf("1", "2"), "access_token": aText, "alt": oneOf("json"), "callback": aText, "fields": aText, "key": aText, "oauth_token": aText,
	"prettyPrint": aBool, "quotaUser": aText, "uploadType": aText, "upload_protocol": aText,
}

// ask is a valid query.
type ask struct {
	values url.Values
	parts  map[string]bool
}

// parse validates a query as strictly as the discovery document.
func (m *method) parse(query string) (ask, *fault) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return ask{}, badRequest("badRequest", "", "The query string cannot be parsed.")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p, known := m.params[name]
		if !known {
			p, known = standard[name]
		}
		if !known {
			return ask{}, badRequest("unexpectedParameter", name, fmt.Sprintf(
				"Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. Field '%s' could not be found in request message.", name, name))
		}
		if f := p.check(name, values[name]); f != nil {
			return ask{}, f
		}
	}
	a := ask{values: values, parts: map[string]bool{}}
	return a, a.takeParts(m.parts)
}

func (p param) check(name string, given []string) *fault {
	if len(given) > 1 && p.kind != list {
		return badRequest("badRequest", name, "Parameter '"+name+"' is given more than once.")
	}
	if !p.takes(given[0]) {
		return badRequest("badRequest", name, fmt.Sprintf("Invalid value at '%s': %q", name, given[0]))
	}
	return nil
}

func (p param) takes(value string) bool {
	switch p.kind {
	case boolean:
		return value == "true" || value == "false"
	case number:
		n, err := strconv.Atoi(value)
		return err == nil && n >= p.min && n <= p.max
	case enum:
		return slices.Contains(p.values, value)
	case text, list:
	}
	return true
}

func (a *ask) takeParts(allowed []string) *fault {
	parts := a.list("part")
	if len(parts) == 0 {
		return badRequest("missingRequiredParameter", "part", "No part selected.")
	}
	for _, part := range parts {
		if !slices.Contains(allowed, part) {
			return badRequest("unknownPart", "part", "'"+part+"'")
		}
		a.parts[part] = true
	}
	return nil
}

// list is a repeated parameter, whose values may be lists with commas as well,
// each once.
func (a *ask) list(name string) []string {
	var out []string
	seen := map[string]bool{}
	for _, value := range a.values[name] {
		for v := range strings.SplitSeq(value, ",") {
			if v = strings.TrimSpace(v); v != "" && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

func (a *ask) get(name string) string { return a.values.Get(name) }

// number is a checked number or the default.
func (a *ask) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(a.values.Get(name)); err == nil {
		return n
	}
	return otherwise
}

// filter is the one filter that is given of those a method has.
func (a *ask) filter(filters ...string) (string, *fault) {
	var given []string
	for _, f := range filters {
		if a.values.Has(f) && a.values.Get(f) != "false" {
			given = append(given, f)
		}
	}
	switch len(given) {
	case 0:
		return "", badRequest("missingRequiredParameter", "parameters.", "No filter selected. Expected one of: "+strings.Join(filters, ", "))
	case 1:
		return given[0], nil
	}
	return "", badRequest("incompatibleParameters", "parameters.", "Incompatible parameters specified in the request: "+strings.Join(given, ", "))
}

// maxIDs is the most ids of one request (maxResults in the discovery document;
// above it the answer is unverified).
const maxIDs = 50

func (s *server) ids(a *ask) ([]string, *fault) {
	ids := a.list("id")
	switch {
	case len(ids) == 0:
		return nil, badRequest("missingRequiredParameter", "id", "The request is missing a value for 'id'.")
	case len(ids) > maxIDs && s.opts.TruncateIDs:
		return ids[:maxIDs], nil
	case len(ids) > maxIDs:
		return nil, badRequest("invalidFilters", "id", "The request specifies an invalid filter parameter.")
	}
	return ids, nil
}
