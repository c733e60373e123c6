package facebook_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/facebook"
	"mithaq.dev/mithaq/internal/platform/graph"
	"mithaq.dev/mithaq/internal/platform/graph/graphtest"
	"mithaq.dev/mithaq/internal/platform/platformtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appID     = "1234509876"
	appSecret = "the-app-secret"
	sysToken  = "EAAsystem"
)

func app() platform.Secret {
	return platform.Secret{
		platform.KeyClientID: []byte(appID), platform.KeyClientSecret: []byte(appSecret + "\n"),
		graph.KeySystemUserToken: []byte(sysToken), graph.KeySystemUserID: []byte("777000111"), graph.KeyBusinessID: []byte("555000111"),
	}
}

func TestConformance(t *testing.T) {
	personal := app()
	delete(personal, graph.KeySystemUserID)
	for name, app := range map[string]platform.Secret{"system user": app(), "person": personal} {
		t.Run(name, func(t *testing.T) {
			platformtest.Run(t, platformtest.Subject{Adapter: facebook.Adapter(), App: app, Fixture: newFixture(t)})
		})
	}
}

// fixture speaks the Graph API's wire format out of the recorded examples.
type fixture struct {
	page, post map[string]any
	invisible  string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{invisible: string(file(t, "invisible.json"))}
	for name, into := range map[string]*map[string]any{"page.json": &f.page, "post.json": &f.post} {
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
	return platform.AccountRef{ID: strconv.Itoa(20531316728 + i), Handle: fmt.Sprintf("MoExamples.%d", i)}
}

func (f *fixture) Parse(r *http.Request) (platform.Lookup, []string, error) {
	items, err := graphtest.Parse(r, appSecret, sysToken)
	if err != nil {
		return "", nil, err
	}
	by, keys := platform.ByHandle, []string{}
	for _, item := range items {
		if graph.IsID(item.Path) {
			by = platform.ByID
		}
		keys = append(keys, item.Path)
		nested := map[string]string{"picture": "Picture", "cover": "CoverPhoto"}
		if err := graphtest.CheckFields("Page", item.Query.Get("fields"), nested); err != nil {
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
			p := maps.Clone(f.page)
			p["id"], p["username"] = s.Ref.ID, s.Ref.Handle
			places[i] = graphtest.OK(p)
		case by == platform.ByHandle:
			places[i] = graphtest.Refused(803, 0)
		default:
			places[i] = &graphtest.Place{Code: http.StatusBadRequest, Body: f.invisible}
		}
	}
	return graphtest.Encode(places)
}

func (*fixture) Limits(h http.Header, u platform.Usage) { graphtest.Limits(h, u, platformtest.Now) }

func (*fixture) Act(stream platform.Stream, account platform.AccountRef, i int) platform.Act {
	if stream == platform.StreamFollows {
		ref := platform.AccountRef{ID: strconv.Itoa(9_000_000 + i), Handle: fmt.Sprintf("Liked.%d", i)}
		return platform.Act{ID: ref.ID, Action: platform.Follow, Target: ref, TargetKnown: true}
	}
	act := platform.Act{
		ID: fmt.Sprintf("%s_%d", account.ID, 10154+i), Action: platform.Publish, By: "424242",
		At:   platformtest.Now.Add(-24*time.Hour + time.Duration(i)*time.Minute),
		Text: fmt.Sprintf("Post %d https://example.gov/%d", i, i), URL: fmt.Sprintf("https://www.facebook.com/%d", i),
		Links: []string{fmt.Sprintf("https://example.gov/%d", i)},
	}
	if i%2 == 1 {
		act.Action, act.Target, act.TargetKnown = platform.Repost, platform.AccountRef{ID: "31337"}, true
	}
	return act
}

func (f *fixture) wire(account string, a platform.Act) any {
	if a.Action == platform.Follow {
		return map[string]any{"id": a.ID, "name": "Liked", "username": a.Target.Handle}
	}
	p := maps.Clone(f.post)
	p["id"], p["message"], p["permalink_url"], p["created_time"] = a.ID, a.Text, a.URL, graphtest.Time(a.At)
	p["from"], p["admin_creator"] = map[string]any{"id": account, "name": "x"}, map[string]any{"id": a.By, "name": "y"}
	if a.Action == platform.Repost {
		p["status_type"], p["parent_id"] = "shared_story", a.Target.ID+"_1"
	}
	return p
}

func (f *fixture) Play(
	w http.ResponseWriter, r *http.Request, stream platform.Stream, acts func(id string) []platform.Act,
) error {
	items, err := graphtest.Parse(r, appSecret, sysToken, "CANARY-token")
	if err != nil {
		return err
	}
	object, edge, nested := "PagePost", "published_posts", map[string]string{"attachments": "Attachment"}
	if stream == platform.StreamFollows {
		object, edge, nested = "Page", "likes", nil
	}
	places := make([]*graphtest.Place, len(items))
	for i, item := range items {
		if item.Edge() != edge {
			return fmt.Errorf("the edge is %q", item.Edge())
		}
		if err := graphtest.CheckEdge("Page", http.MethodGet, edge, item.Query); err != nil {
			return err
		}
		if err := graphtest.CheckFields(object, item.Query.Get("fields"), nested); err != nil {
			return err
		}
		in, more, err := graphtest.Window(item.Query, acts(item.ID()))
		if err != nil {
			return err
		}
		var data []any
		for _, a := range in {
			data = append(data, f.wire(item.ID(), a))
		}
		places[i] = graphtest.OK(graphtest.Page(data, more))
	}
	_, err = w.Write(graphtest.Encode(places))
	return err
}

func (f *fixture) PlayPosts(w http.ResponseWriter, r *http.Request, post func(id string) (platform.Act, bool)) error {
	items, err := graphtest.Parse(r, appSecret, sysToken)
	if err != nil {
		return err
	}
	places := make([]*graphtest.Place, len(items))
	for i, item := range items {
		if err := graphtest.CheckFields("PagePost", item.Query.Get("fields"), map[string]string{"attachments": "Attachment"}); err != nil {
			return err
		}
		places[i] = &graphtest.Place{Code: http.StatusBadRequest, Body: f.invisible}
		if a, ok := post(item.Path); ok {
			places[i] = graphtest.OK(f.wire(f.Account(0).ID, a))
		}
	}
	_, err = w.Write(graphtest.Encode(places))
	return err
}
