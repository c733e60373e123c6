package graphtest

import (
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed testdata/meta.json
var specification []byte

// spec is the list of an object.
type spec struct {
	Fields []string            `json:"fields"`
	Edges  map[string][]string `json:"edges"`
}

// elsewhere are names that Meta documents outside of its lists.
var elsewhere = map[string][]string{
	"Page":         {"picture"},
	"AssignedUser": {"tasks"},
	"User":         {"tasks", "access_token"},
	"Picture":      {"url", "is_silhouette"},
	"Attachment":   {"media_type", "url"},
	"PagePost":     {"attachments"},
	"IGUser":       {},
}

// listParameters go with every list.
var listParameters = []string{"fields", "limit", "after", "since", "until", "access_token", "appsecret_proof"}

// CheckFields checks that an object has all the fields of a list, those in braces
// by the object that they belong to.
func CheckFields(object, fields string, nested map[string]string) error {
	var specs map[string]spec
	if err := json.Unmarshal(specification, &specs); err != nil {
		return err
	}
	names, inner := Split(fields)
	for _, name := range names {
		if !slices.Contains(specs[object].Fields, name) && !slices.Contains(elsewhere[object], name) {
			return fmt.Errorf("%s has no field %q", object, name)
		}
		if inner[name] == "" {
			continue
		}
		if nested[name] == "" {
			return fmt.Errorf("%s has braces", name)
		}
		if err := CheckFields(nested[name], inner[name], nested); err != nil {
			return err
		}
	}
	return nil
}

// CheckEdge checks that an object has an edge, and that its parameters are the
// edge's or those of any list.
func CheckEdge(object, method, edge string, query url.Values) error {
	var specs map[string]spec
	if err := json.Unmarshal(specification, &specs); err != nil {
		return err
	}
	parameters, ok := specs[object].Edges[method+" "+edge]
	if !ok {
		return fmt.Errorf("%s has no edge %s %s", object, method, edge)
	}
	for name := range query {
		if !slices.Contains(parameters, name) && !slices.Contains(listParameters, name) {
			return fmt.Errorf("%s %s has no parameter %s", method, edge, name)
		}
	}
	return nil
}

// Split parts a list of fields at its commas, outside of braces, and gives what
// stands in the braces of each name. Arguments such as .type(large) are dropped.
func Split(fields string) (names []string, inner map[string]string) {
	inner = make(map[string]string)
	depth, start := 0, 0
	add := func(part string) {
		name, braces, _ := strings.Cut(part, "{")
		name, _, _ = strings.Cut(name, ".")
		names = append(names, name)
		inner[name] = strings.TrimSuffix(braces, "}")
	}
	for i, c := range fields {
		switch {
		case c == '{' || c == '(':
			depth++
		case c == '}' || c == ')':
			depth--
		case c == ',' && depth == 0:
			add(fields[start:i])
			start = i + 1
		}
	}
	add(fields[start:])
	return names, inner
}

// Item is one read of a batch.
type Item struct {
	Path  string
	Query url.Values
}

// ID is the first part of the path, Edge the second or "".
func (i Item) ID() string { id, _, _ := strings.Cut(i.Path, "/"); return id }

// Edge is the list of the node that is read, or "".
func (i Item) Edge() string { _, edge, _ := strings.Cut(i.Path, "/"); return edge }

// Parse reads a batch post, which must have a token that is one of tokens, with the
// right proof by secret, and at most 50 items.
func Parse(r *http.Request, secret string, tokens ...string) ([]Item, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/v26.0/" || r.URL.RawQuery != "" {
		return nil, fmt.Errorf("%s %s is no batch", r.Method, r.URL.Path)
	}
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	if err := proven(r.PostForm, secret, tokens, true); err != nil {
		return nil, err
	}
	return parseItems(r, secret, tokens)
}

func parseItems(r *http.Request, secret string, tokens []string) ([]Item, error) {
	var wire []struct {
		Method string `json:"method"`
		URL    string `json:"relative_url"`
	}
	if err := json.Unmarshal([]byte(r.PostForm.Get("batch")), &wire); err != nil {
		return nil, err
	}
	if len(wire) == 0 || len(wire) > 50 {
		return nil, fmt.Errorf("%d items", len(wire))
	}
	items := make([]Item, len(wire))
	for i, w := range wire {
		u, err := url.Parse(w.URL)
		if err != nil || w.Method != http.MethodGet || u.Host != "" || strings.HasPrefix(w.URL, "/") {
			return nil, fmt.Errorf("item %d is no read", i)
		}
		items[i] = Item{Path: u.Path, Query: u.Query()}
		if err := proven(u.Query(), secret, tokens, false); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func proven(q url.Values, secret string, tokens []string, needed bool) error {
	token := q.Get("access_token")
	if token == "" && !needed {
		return nil
	}
	if !slices.Contains(tokens, token) {
		return fmt.Errorf("the token is none of those known")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(token))
	if secret != "" && q.Get("appsecret_proof") != hex.EncodeToString(mac.Sum(nil)) {
		return fmt.Errorf("the proof of the secret is wrong")
	}
	return nil
}

// Place is one place of an answer; nil is an empty one.
type Place struct {
	Code int    `json:"code"`
	Body string `json:"body"`
}

// OK is a place with an object in it.
func OK(object any) *Place {
	return &Place{Code: http.StatusOK, Body: string(Encode(object))}
}

// Refused is a place with an error in it.
func Refused(code, subcode int) *Place {
	return &Place{Code: http.StatusBadRequest, Body: string(Encode(map[string]any{"error": map[string]any{
		"message": "(#" + fmt.Sprint(code) + ") refused", "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "A1",
	}}))}
}

// Encode is json.Marshal for what can always be encoded.
func Encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
