package instagram_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
	"mithaq.dev/mithaq/internal/platform/graph/graphtest"
	"mithaq.dev/mithaq/internal/platform/instagram"
	"mithaq.dev/mithaq/internal/platform/platformtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appID     = "1234509876"
	appSecret = "the-app-secret"
	sysToken  = "EAAsystem"
	eye       = "17841400000000001"
)

func app() platform.Secret {
	return platform.Secret{
		platform.KeyClientID: []byte(appID), platform.KeyClientSecret: []byte(appSecret + "\n"),
		graph.KeySystemUserToken: []byte(sysToken), graph.KeySystemUserID: []byte("777000111"), graph.KeyBusinessID: []byte("555000111"),
		graph.KeyIGUserID: []byte(eye),
	}
}

func TestConformance(t *testing.T) {
	personal, own := app(), app()
	delete(personal, graph.KeySystemUserID)
	own[instagram.KeyLogin] = []byte("instagram")
	for name, app := range map[string]platform.Secret{"system user": app(), "person": personal, "instagram login": own} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			if string(app[instagram.KeyLogin]) != "" {
				f.secret = ""
			}
			platformtest.Run(t, platformtest.Subject{Adapter: instagram.Adapter(), App: app, Fixture: f})
		})
	}
}

// fixture speaks the Graph API's wire format out of the recorded examples.
type fixture struct {
	user, media       map[string]any
	invisible, absent string
	// secret proves tokens; empty: the app has none for the Graph API of Facebook.
	secret string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{secret: appSecret, invisible: string(file(t, "invisible.json")), absent: string(file(t, "absent.json"))}
	for name, into := range map[string]*map[string]any{"user.json": &f.user, "media.json": &f.media} {
		if err := json.Unmarshal(file(t, name), into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return f
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (*fixture) Positional() {}

// Sees: missing and hidden are one by id; an unknown alias is nobody's.
func (*fixture) Sees(by platform.Lookup, o platform.Outcome) platform.Outcome {
	switch {
	case o == platform.Found:
		return o
	case by == platform.ByHandle:
		return platform.NotFound
	}
	return platform.Unanswered
}

func (*fixture) Account(i int) platform.AccountRef {
	return platform.AccountRef{ID: strconv.Itoa(17841405822304914 + i), Handle: fmt.Sprintf("Mo_Examples.%d", i)}
}

func (f *fixture) Parse(r *http.Request) (platform.Lookup, []string, error) {
	items, err := graphtest.Parse(r, f.secret, sysToken)
	if err != nil {
		return "", nil, err
	}
	by, keys := platform.ByID, []string{}
	for _, item := range items {
		key, fields := item.Path, item.Query.Get("fields")
		if inner, ok := strings.CutPrefix(fields, "business_discovery.username("); ok {
			by = platform.ByHandle
			if item.Path != eye {
				return "", nil, fmt.Errorf("discovery through %s", item.Path)
			}
			key, fields, _ = strings.Cut(inner, "){")
			fields = strings.TrimSuffix(fields, "}")
		}
		keys = append(keys, key)
		if err := graphtest.CheckFields("IGUser", fields, nil); err != nil {
			return "", nil, err
		}
	}
	return by, keys, nil
}

func (*fixture) Aux(http.ResponseWriter, *http.Request) bool { return false }

func (f *fixture) Answer(by platform.Lookup, said []platformtest.Said) []byte {
	places := make([]*graphtest.Place, len(said))
	for i, s := range said {
		switch {
		case s.Outcome == "":
		case s.Outcome == platform.Found:
			u := maps.Clone(f.user)
			u["id"], u["username"] = s.Ref.ID, s.Ref.Handle
			if by == platform.ByHandle {
				u = map[string]any{"business_discovery": u, "id": eye}
			}
			places[i] = graphtest.OK(u)
		case by == platform.ByHandle:
			places[i] = &graphtest.Place{Code: http.StatusBadRequest, Body: f.absent}
		default:
			places[i] = &graphtest.Place{Code: http.StatusBadRequest, Body: f.invisible}
		}
	}
	return graphtest.Encode(places)
}

func (*fixture) Limits(h http.Header, u platform.Usage) { graphtest.Limits(h, u, platformtest.Now) }

// Act is a story for every second i.
func (*fixture) Act(_ platform.Stream, account platform.AccountRef, i int) platform.Act {
	last := account.ID[len(account.ID)-3:]
	return platform.Act{
		ID: fmt.Sprintf("178956%s%d", last, 10154+i), Action: platform.Publish,
		At:   platformtest.Now.Add(-24*time.Hour + time.Duration(i)*time.Minute),
		Text: fmt.Sprintf("Post %d https://example.gov/%d", i, i), URL: fmt.Sprintf("https://www.instagram.com/p/%d/", i),
		Links: []string{fmt.Sprintf("https://example.gov/%d", i)},
	}
}

func (f *fixture) wire(a platform.Act) any {
	m := maps.Clone(f.media)
	m["id"], m["caption"], m["permalink"], m["timestamp"] = a.ID, a.Text, a.URL, graphtest.Time(a.At)
	return m
}

func (f *fixture) Play(
	w http.ResponseWriter, r *http.Request, _ platform.Stream, acts func(id string) []platform.Act,
) error {
	items, err := graphtest.Parse(r, f.secret, sysToken, "CANARY-token")
	if err != nil {
		return err
	}
	places := make([]*graphtest.Place, len(items))
	for i, item := range items {
		query := item.Query
		if item.Edge() == "stories" {
			query = url.Values{"fields": query["fields"], "limit": {"100"}}
		}
		if err := graphtest.CheckEdge("IGUser", http.MethodGet, item.Edge(), item.Query); err != nil {
			return err
		}
		if err := graphtest.CheckFields("IGMedia", item.Query.Get("fields"), nil); err != nil {
			return err
		}
		in, more, err := graphtest.Window(query, acts(item.ID()))
		if err != nil {
			return err
		}
		var data []any
		for _, a := range in {
			if (int(a.At.Unix())/60%2 == 1) == (item.Edge() == "stories") {
				data = append(data, f.wire(a))
			}
		}
		places[i] = graphtest.OK(graphtest.Page(data, more))
	}
	_, err = w.Write(graphtest.Encode(places))
	return err
}

func (f *fixture) PlayPosts(w http.ResponseWriter, r *http.Request, post func(id string) (platform.Act, bool)) error {
	items, err := graphtest.Parse(r, f.secret, sysToken)
	if err != nil {
		return err
	}
	places := make([]*graphtest.Place, len(items))
	for i, item := range items {
		if err := graphtest.CheckFields("IGMedia", item.Query.Get("fields"), nil); err != nil {
			return err
		}
		places[i] = &graphtest.Place{Code: http.StatusBadRequest, Body: f.invisible}
		if a, ok := post(item.Path); ok {
			places[i] = graphtest.OK(f.wire(a))
		}
	}
	_, err = w.Write(graphtest.Encode(places))
	return err
}
