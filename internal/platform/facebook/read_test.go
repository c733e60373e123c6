package facebook

import (
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

// edit changes one part of an example.
func edit(t *testing.T, example, from, to string) string {
	t.Helper()
	if !strings.Contains(example, from) {
		t.Fatalf("the example has no %s", from)
	}
	return strings.Replace(example, from, to, 1)
}

func anyPage(*page) bool { return true }

func TestContractExample(t *testing.T) {
	got, err := read([]byte(recorded(t, "page.json")), anyPage)
	want := &platform.Profile{
		ID: "20531316728", Handle: "moexamples", DisplayName: "Ministry of Examples", Bio: "The ministry", Website: "https://example.gov",
		AvatarURL: "https://scontent.xx.fbcdn.net/v/a.jpg?oh=1&oe=2", BannerURL: "https://scontent.xx.fbcdn.net/v/b.jpg",
		Verified: true, Followers: 1100,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestProfileDetails(t *testing.T) {
	example := recorded(t, "page.json")
	tests := map[string]struct {
		from, to string
		check    func(*platform.Profile) bool
	}{
		"website without a scheme": {`"https://example.gov"`, `"example.gov/a"`, func(p *platform.Profile) bool { return p.Website == "http://example.gov/a" && p.Unread == 0 }},
		"website is no link": {`"https://example.gov"`, `"see below"`, func(p *platform.Profile) bool {
			return p.Website == "" && p.Unread == platform.Fields(platform.FieldWebsite)
		}},
		"website is a script": {`"https://example.gov"`, `"javascript:alert(1)"`, func(p *platform.Profile) bool {
			return p.Website == "" && p.Unread == platform.Fields(platform.FieldWebsite)
		}},
		"no image": {`"is_silhouette":false`, `"is_silhouette":true`, func(p *platform.Profile) bool { return p.AvatarURL == "" && p.Unread == 0 }},
		"image not told": {`"picture"`, `"pic"`, func(p *platform.Profile) bool {
			return p.AvatarURL == "" && p.Unread == platform.Fields(platform.FieldAvatar)
		}},
		"no cover": {`"cover"`, `"recover"`, func(p *platform.Profile) bool { return p.BannerURL == "" && p.Unread == 0 }},
		"verified twice over": {`"blue_verified"`, `"not_verified"`, func(p *platform.Profile) bool {
			return !p.Verified && p.Unread == platform.Fields(platform.FieldVerified)
		}},
		"verified, unknown status": {`"blue_verified"`, `"green"`, func(p *platform.Profile) bool { return p.Verified && p.Unread == 0 }},
		"no followers":             {`1100`, `-1`, func(p *platform.Profile) bool { return p.Unread == platform.Fields(platform.FieldFollowers) }},
		"unpublished":              {`"is_published":true`, `"is_published":false`, func(p *platform.Profile) bool { return p == nil }},
		"no username":              {`"username"`, `"surname"`, func(p *platform.Profile) bool { return p.Handle == "" && p.Unread == 0 }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := read([]byte(edit(t, example, tc.from, tc.to)), anyPage)
			if err != nil || !tc.check(got) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for name, tc := range map[string]struct{ from, to string }{
		"name is a number": {`"Ministry of Examples"`, `7`},
		"no name":          {`"name"`, `"game"`},
		"id is a number":   {`"20531316728"`, `20531316728`},
		"id is no number":  {`"20531316728"`, `"abc"`},
	} {
		if got, err := read([]byte(edit(t, example, tc.from, tc.to)), anyPage); !errors.Is(err, graph.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestPosts(t *testing.T) {
	example := recorded(t, "post.json")
	act := func(body string) (platform.Act, error) {
		var p post
		_ = json.Unmarshal([]byte(body), &p)
		return p.act("20531316728")
	}
	got, err := act(example)
	want := platform.Act{
		ID: "20531316728_10154", Action: platform.Publish, At: time.Date(2026, 11, 20, 17, 0, 12, 0, time.UTC), Text: "A post",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	shared, err := act(edit(t, example, "mobile_status_update", "shared_story"))
	if err != nil || shared.Action != platform.Repost || shared.TargetKnown {
		t.Errorf("%+v, %v", shared, err)
	}
	for name, body := range map[string]string{
		"another's":        edit(t, example, `"from":{"id":"20531316728"`, `"from":{"id":"1"`),
		"no time":          edit(t, example, "created_time", "time"),
		"id is a path":     edit(t, example, "20531316728_10154", "../1"),
		"message a number": edit(t, example, `"A post"`, "7"),
	} {
		if got, err := act(body); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestHandles(t *testing.T) {
	for handle, want := range map[string]bool{
		"moexamples": true, "Mo.Examples1": true, "mo_ex-1": true, "": false, "12345": false, "1.2": false, "..": false, ".a": false,
		"a/b": false, "a?b": false, "a\u212a": false, strings.Repeat("a", 101): false,
	} {
		if isHandle(handle) != want {
			t.Errorf("%q: %v", handle, !want)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(recorded(f, "page.json")), "20531316728")
	f.Add([]byte(`{"ID":"1","name":"a","picture":null}`), "1")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		p, err := read(body, func(pg *page) bool { return pg.ID == id })
		if err == nil && p != nil && (p.ID != id || !graph.IsID(p.ID) || p.DisplayName == "") {
			t.Errorf("%+v for %q", p, id)
		}
		if err != nil && p != nil {
			t.Errorf("%+v beside %v", p, err)
		}
	})
}

func FuzzPosts(f *testing.F) {
	f.Add([]byte(`{"data":[` + recorded(f, "post.json") + `],"paging":{"next":"https://x"}}`))
	f.Add([]byte(`{"data":[null,7,{"id":"1_2","created_time":"2026-11-20T17:00:12+0000"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ask := platform.ActivityAsk{Ref: platform.AccountRef{ID: "20531316728"}, Limit: 1}
		acts, _, e := readPosts(ask, []graph.Place{{Body: body}})
		for _, a := range acts {
			if e != nil || !isPost(a.ID) || a.At.IsZero() || a.By != "" && !graph.IsID(a.By) || a.URL != "" && !platform.IsWebLink(a.URL) {
				t.Errorf("%+v beside %v", a, e)
			}
		}
		var l liking
		answer := platform.ActivityAnswer{Ref: ask.Ref}
		if more := l.take(&answer, 3, graph.Place{Body: body}); len(answer.Acts) > 3 || answer.Err != nil && (more || len(answer.Acts) > 0) {
			t.Errorf("%+v", answer)
		}
	})
}
