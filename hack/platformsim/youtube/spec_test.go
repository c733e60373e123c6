package youtube_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

// parameter is one of the discovery document.
type parameter struct {
	Type     string   `json:"type"`
	Enum     []string `json:"enum"`
	Maximum  string   `json:"maximum"`
	Repeated bool     `json:"repeated"`
	Required bool     `json:"required"`
}

// valid is a value that the document allows.
func (p parameter) valid() string {
	switch {
	case len(p.Enum) > 0:
		return p.Enum[0]
	case p.Type == "boolean":
		return "false"
	case p.Maximum != "":
		return p.Maximum
	case p.Type == "integer":
		return "1"
	}
	return "x"
}

func TestEveryDocumentedParameterIsKnownAndNoOther(t *testing.T) {
	data, err := os.ReadFile("testdata/parameters.json")
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Parameters map[string]parameter            `json:"parameters"`
		Methods    map[string]map[string]parameter `json:"methods"`
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	s := newSim(t, youtube.Options{DailySearches: 1000}, some()...)
	for path, own := range spec.Methods {
		for _, set := range []map[string]parameter{spec.Parameters, own} {
			for name, p := range set {
				q := url.Values{"part": {"id"}, "key": {"k"}}
				if name != "part" && name != "key" && name != "access_token" && name != "oauth_token" {
					q.Set(name, p.valid())
				}
				at := "/" + strings.TrimPrefix(path, "/") + "?" + q.Encode()
				if r := s.get(at); r.reason() == "unexpectedParameter" || r.reason() == "badRequest" {
					t.Errorf("%s: %d %v %v", at, r.status, r.reason(), r.at("error.message"))
				}
			}
		}
		if r := s.get(path + "?part=id&key=k&" + "idd=1"); r.reason() != "unexpectedParameter" {
			t.Errorf("%s takes idd: %v", path, r.reason())
		}
	}
}

func TestPartialResponses(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	list := "/youtube/v3/channels?key=k&part=id,snippet,statistics&maxResults=50&id=" + id(1)
	for fields, want := range map[string]map[string]any{
		"items/id":                      {"items": []any{map[string]any{"id": id(1)}}},
		"items(id,snippet(title)),kind": {"kind": "youtube#channelListResponse", "items": []any{map[string]any{"id": id(1), "snippet": map[string]any{"title": "Edu 1"}}}},
		"pageInfo/*":                    {"pageInfo": map[string]any{"totalResults": 1.0, "resultsPerPage": 50.0}},
	} {
		if diff := cmp.Diff(want, s.get(list+"&fields="+url.QueryEscape(fields)).body); diff != "" {
			t.Errorf("%s: %s", fields, diff)
		}
	}
	for _, bad := range []string{"items(id", "items)", "a,,b", "/id"} {
		if r := s.get(list + "&fields=" + url.QueryEscape(bad)); r.status != 400 || r.reason() != "invalidParameter" {
			t.Errorf("%s: %d %v", bad, r.status, r.reason())
		}
	}
}
