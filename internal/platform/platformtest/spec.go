package platformtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Spec is what a platform's machine-readable specification says of some requests: by
// method and path, such as "GET /2/users/:id", whose :names stand for one segment.
type Spec map[string]Operation

// Operation is one request.
type Operation struct {
	Required   []string             `json:"required"`
	Parameters map[string]Parameter `json:"parameters"`
}

// Parameter is a parameter of the query, or of the path where its name is in it.
type Parameter struct {
	// Type is string, integer, boolean or array (of strings, parted by commas).
	Type    string   `json:"type"`
	Pattern string   `json:"pattern"`
	Enum    []string `json:"enum"`
	// Min and Max bound an integer, or the number of an array's items; nil: unbounded.
	Min    *int `json:"min"`
	Max    *int `json:"max"`
	Unique bool `json:"unique"`
}

// ReadSpec reads a Spec of a test's data.
func ReadSpec(t testing.TB, path string) Spec {
	t.Helper()
	b, err := os.ReadFile(path) // #nosec G304 -- a test's own data
	if err != nil {
		t.Fatal(err)
	}
	var s Spec
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return s
}

// Check compares a request with the specification. It returns the operation's name
// and the values of its path.
func (s Spec) Check(r *http.Request) (name string, path map[string]string, err error) {
	for _, name := range slices.Backward(s.names()) {
		method, template, _ := strings.Cut(name, " ")
		values, ok := match(template, r.URL.Path)
		if !ok || method != r.Method {
			continue
		}
		return name, values, s[name].check(r, values)
	}
	return "", nil, fmt.Errorf("no operation %s %s", r.Method, r.URL.Path)
}

// names are sorted so that a template comes before what it matches word by word:
// ':' sorts before letters.
func (s Spec) names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func match(template, path string) (map[string]string, bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	values := make(map[string]string)
	for i := range want {
		name, variable := strings.CutPrefix(want[i], ":")
		switch {
		case variable:
			values[name] = got[i]
		case want[i] != got[i]:
			return nil, false
		}
	}
	return values, true
}

func (op Operation) check(r *http.Request, path map[string]string) error {
	query := r.URL.Query()
	for _, name := range op.Required {
		if _, inPath := path[name]; !inPath && !query.Has(name) {
			return fmt.Errorf("%s is missing", name)
		}
	}
	for name, value := range path {
		if err := op.Parameters[name].check(value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, values := range query {
		p, ok := op.Parameters[name]
		if !ok || len(values) != 1 {
			return fmt.Errorf("%s is unknown, or is given %d times", name, len(values))
		}
		if err := p.check(values[0]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (p Parameter) check(value string) error {
	switch p.Type {
	case "integer":
		n, err := strconv.Atoi(value)
		if err != nil || p.outside(n) {
			return fmt.Errorf("%q is no such number", value)
		}
		return nil
	case "boolean":
		_, err := strconv.ParseBool(value)
		return err
	case "array":
		items := strings.Split(value, ",")
		if p.outside(len(items)) {
			return fmt.Errorf("%d values", len(items))
		}
		for i, item := range items {
			if err := p.word(item); err != nil {
				return err
			}
			if p.Unique && slices.Contains(items[:i], item) {
				return fmt.Errorf("%q is there twice", item)
			}
		}
		return nil
	}
	return p.word(value)
}

func (p Parameter) outside(n int) bool {
	return p.Min != nil && n < *p.Min || p.Max != nil && n > *p.Max
}

func (p Parameter) word(s string) error {
	if s == "" || p.Pattern != "" && !regexp.MustCompile(p.Pattern).MatchString(s) ||
		len(p.Enum) > 0 && !slices.Contains(p.Enum, s) {
		return fmt.Errorf("%q is not allowed", s)
	}
	return nil
}
