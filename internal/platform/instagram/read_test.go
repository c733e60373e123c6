package instagram

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

func recorded(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func anyUser(*user) bool { return true }

func TestContractExample(t *testing.T) {
	got, err := read([]byte(recorded(t, "user.json")), 0, anyUser)
	want := &platform.Profile{
		ID: "17841405822304914", Handle: "moexamples", DisplayName: "Ministry of Examples", Bio: "The ministry", Website: "https://example.gov",
		AvatarURL: "https://scontent-fra5-1.cdninstagram.com/v/a.jpg?oh=1&oe=2", Followers: 13000, Posts: 912,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestAvatarIsUnsetOnlyIfToldSo(t *testing.T) {
	for body, unread := range map[string]platform.FieldSet{
		`{"id":"1","username":"a","followers_count":1,"media_count":1,"has_profile_pic":false}`:                             0,
		`{"id":"1","username":"a","followers_count":1,"media_count":1,"has_profile_pic":true}`:                              platform.Fields(platform.FieldAvatar),
		`{"id":"1","username":"a","followers_count":1,"media_count":1}`:                                                     platform.Fields(platform.FieldAvatar),
		`{"id":"1","username":"a","followers_count":1,"media_count":-1,"profile_picture_url":"https://x.example/a"}`:        platform.Fields(platform.FieldPosts),
		`{"id":"1","username":"a","followers_count":1,"media_count":1,"profile_picture_url":"data:x","website":"no place"}`: platform.Fields(platform.FieldAvatar, platform.FieldWebsite),
	} {
		if p, err := read([]byte(body), 0, anyUser); err != nil || p.Unread != unread {
			t.Errorf("%s: %+v, %v; want %b", body, p, err, unread)
		}
	}
}

// Without an account of our own nobody is asked.
func TestByHandleNeedsOneOfOurs(t *testing.T) {
	cfg := platform.Config{
		Endpoint: graph.Endpoint, App: platform.Secret{graph.KeySystemUserToken: []byte("EAA")},
		HTTP: platform.NewHTTPClient(platform.TransportConfig{Endpoint: "http://127.0.0.1:1"}), Now: time.Time{}.UTC, Usage: func(platform.Usage) {},
	}
	c, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Observe.Observe(context.Background(), platform.ByHandle, []platform.AccountRef{{Handle: "a"}, {Handle: "b"}})
	if err != nil || len(got) != 2 || got[1].Outcome != platform.Unanswered || platform.KindOf(got[1].Err) != platform.KindInvalid {
		t.Errorf("%+v, %v", got, err)
	}
	if c.Issue != nil || c.People != nil || c.Custody == nil {
		t.Error("without an app there are no grants, without a portfolio no people")
	}
}

func TestOpenRefusesAnUnknownLogin(t *testing.T) {
	for login, ok := range map[string]bool{"": true, "facebook": true, "instagram": true, "x": false} {
		_, err := open(platform.Config{
			Endpoint: graph.Endpoint, HTTP: platform.NewHTTPClient(platform.TransportConfig{Endpoint: graph.Endpoint}),
			Now: time.Time{}.UTC, Usage: func(platform.Usage) {},
			App: platform.Secret{KeyLogin: []byte(login), platform.KeyClientID: []byte("1"), platform.KeyClientSecret: []byte("s")},
		})
		if (err == nil) != ok {
			t.Errorf("%q: %v", login, err)
		}
	}
}

// Stories that are older than a page of media belong to the next page.
func TestStoriesJoinTheMediaOfTheirTime(t *testing.T) {
	list := func(next string, minutes ...string) graph.Place {
		var rows []string
		for _, m := range minutes {
			rows = append(rows, `{"id":"`+m+`","timestamp":"2026-11-20T17:`+m+`:00+0000"}`)
		}
		return graph.Place{Body: []byte(`{"data":[` + strings.Join(rows, ",") + `],"paging":{"next":"` + next + `"}}`)}
	}
	ask := platform.ActivityAsk{Ref: platform.AccountRef{ID: "1"}, Limit: 9}
	for next, want := range map[string]int{"": 4, "https://x": 3} {
		acts, more, e := readFeed(ask, []graph.Place{list(next, "50", "40"), list("", "45", "30")})
		if e != nil || len(acts) != want || more != (next != "") {
			t.Errorf("%d acts, more %v, %v; want %d", len(acts), more, e, want)
		}
	}
	refused := graph.Place{Err: &platform.Error{Kind: platform.KindUnauthorized, Op: "op"}}
	if acts, _, e := readFeed(ask, []graph.Place{list("", "50"), refused}); e == nil || acts != nil {
		t.Errorf("half of the activity passes for all of it: %v", acts)
	}
}

func TestRefusedFieldIsToldFromMissingAccounts(t *testing.T) {
	var got []platform.Observation
	if refused(got) {
		t.Error("nothing is refused")
	}
	got = append(got, platform.Observation{Outcome: platform.Unanswered, Err: &platform.Error{Kind: platform.KindInvalid, Err: errors.New("another")}})
	if refused(got) {
		t.Error("another reason is no refused field")
	}
}

func TestSelectionsGoDown(t *testing.T) {
	var f fields
	for by, all := range selections {
		for level := range all {
			if f.level(by) != level {
				t.Errorf("%s: level %d, want %d", by, f.level(by), level)
			}
			if more := f.drop(by, level); more != (level+1 < len(all)) {
				t.Errorf("%s: more after level %d: %v", by, level, more)
			}
		}
	}
}

func FuzzUser(f *testing.F) {
	f.Add([]byte(recorded(f, "user.json")), "17841405822304914")
	f.Add([]byte(`{"ID":"1","username":"a","website":7}`), "1")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		p, err := read(body, 0, func(u *user) bool { return u.ID == id })
		if (err == nil) != (p != nil) || p != nil && (p.ID != id || !graph.IsID(p.ID) || p.Handle == "") {
			t.Errorf("%+v, %v for %q", p, err, id)
		}
	})
}

func FuzzMedia(f *testing.F) {
	f.Add([]byte(`{"data":[`+recorded(f, "media.json")+`]}`), []byte(`{"data":[]}`))
	f.Add([]byte(`{"data":[null,7,{"id":"1","timestamp":"2026-11-20T17:00:12+0000"}],"paging":{"next":"x"}}`), []byte(`{"data":null}`))
	f.Fuzz(func(t *testing.T, media, stories []byte) {
		ask := platform.ActivityAsk{Ref: platform.AccountRef{ID: "1"}, Limit: 1}
		acts, _, e := readFeed(ask, []graph.Place{{Body: media}, {Body: stories}})
		if e != nil && acts != nil {
			t.Errorf("%d acts beside %v", len(acts), e)
		}
		for _, a := range acts {
			if !graph.IsID(a.ID) || a.At.IsZero() || a.URL != "" && !platform.IsWebLink(a.URL) {
				t.Errorf("%+v", a)
			}
		}
		var one struct {
			ID graph.ID `json:"id"`
		}
		if json.Unmarshal(media, &one) == nil && one.ID != "" && !graph.IsID(string(one.ID)) {
			t.Errorf("id %q", one.ID)
		}
	})
}
