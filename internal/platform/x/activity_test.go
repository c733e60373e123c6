package x

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
)

func TestTimelineExample(t *testing.T) {
	for _, spell := range []func(string) string{
		func(s string) string { return s },
		strings.NewReplacer("referenced_tweets", "referenced_posts", "edit_history_tweet_ids", "edit_history_post_ids").Replace,
	} {
		var body posts
		if err := json.Unmarshal([]byte(spell(testdata(t, "timeline.json"))), &body); err != nil {
			t.Fatal(err)
		}
		want := platform.Act{
			ID: "2080761390344937796", Action: platform.Reply, At: time.Date(2026, time.July, 24, 21, 5, 48, 0, time.UTC),
			Text: "Hello", URL: "https://x.com/XDevelopers/status/2080761390344937796",
		}
		if diff := cmp.Diff(want, body.Data[0].act("XDevelopers")); diff != "" || body.Meta.NextToken != "7140dibdnow9c7btw" {
			t.Error(diff)
		}
	}
}

func TestPostParts(t *testing.T) {
	var p post
	err := json.Unmarshal([]byte(`{"id":"7","text":"short","created_at":"2026-07-24T21:05:48Z","lang":"qme","edit_history_tweet_ids":["6","7"],
		"entities":{"urls":[{"url":"https://t.co/a","expanded_url":"https://bit.ly/x","unwound_url":"https://a.example/"},{"url":"https://t.co/b","expanded_url":"https://a.example/"},{"url":"javascript:x"}]},
		"note_tweet":{"text":"the whole","entities":{"urls":[{"url":"https://t.co/c"}]}},"referenced_tweets":[{"type":"quoted","id":"1"}]}`), &p)
	if err != nil || p.malformed {
		t.Fatal(err)
	}
	a := p.act("not a handle!")
	if a.Text != "the whole" || a.Language != "" || a.Action != platform.Publish || !a.EditedAt.Equal(a.At) ||
		a.URL != "https://x.com/i/web/status/7" || !slices.Equal(a.Links, []string{"https://a.example/", "https://t.co/c"}) {
		t.Errorf("%+v", a)
	}
}

func clientOf(t *testing.T, h http.HandlerFunc) *platform.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	client := platform.NewHTTPClient(platform.TransportConfig{Endpoint: srv.URL})
	t.Cleanup(client.CloseIdleConnections)
	c, err := Adapter().Open(platform.Config{
		Endpoint: srv.URL, HTTP: client, Now: func() time.Time { return testNow }, Usage: func(platform.Usage) {},
		App: platform.Secret{KeyAppToken: []byte("b3arer"), platform.KeyClientID: []byte("client")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What an answer says of something else than the account's own acts moves no cursor.
func TestActivityIsDoubted(t *testing.T) {
	const at = `"created_at":"2026-07-24T21:05:48Z"`
	problem := func(kind string) string {
		return `{"errors":[{"resource_type":"user","title":"Authorization Error","type":"https://api.twitter.com/2/problems/` + kind + `"}]}`
	}
	tests := map[string]struct {
		stream platform.Stream
		status int
		body   string
		want   platform.Kind
	}{
		"another author":      {platform.StreamPosts, 200, `{"data":[{"id":"1","author_id":"8",` + at + `}],"meta":{"result_count":1}}`, platform.KindUnavailable},
		"no author":           {platform.StreamPosts, 200, `{"data":[{"id":"1",` + at + `}],"meta":{"result_count":1}}`, platform.KindUnavailable},
		"no time":             {platform.StreamPosts, 200, `{"data":[{"id":"1","author_id":"7"}],"meta":{"result_count":1}}`, platform.KindUnavailable},
		"malformed":           {platform.StreamPosts, 200, `{"data":[{"id":1,"author_id":"7",` + at + `}],"meta":{"result_count":1}}`, platform.KindUnavailable},
		"protected":           {platform.StreamPosts, 200, problem("not-authorized-for-resource"), platform.KindUnauthorized},
		"missing":             {platform.StreamPosts, 200, problem("resource-not-found"), platform.KindNotFound},
		"an unknown problem":  {platform.StreamPosts, 200, problem("odd"), platform.KindUnavailable},
		"404 of X":            {platform.StreamPosts, 404, `{"type":"https://api.twitter.com/2/problems/resource-not-found"}`, platform.KindNotFound},
		"404 of a proxy":      {platform.StreamPosts, 404, `<html>`, platform.KindUnavailable},
		"429":                 {platform.StreamPosts, 429, ``, platform.KindRateLimited},
		"402":                 {platform.StreamFollows, 402, `{}`, platform.KindBudgetExhausted},
		"one follow left out": {platform.StreamFollows, 200, `{"data":[{"id":"1","name":"n","username":"u"}],"meta":{"result_count":2}}`, platform.KindUnavailable},
		"a malformed follow":  {platform.StreamFollows, 200, `{"data":[{"id":"x","name":"n","username":"u"}],"meta":{"result_count":1}}`, platform.KindUnavailable},
		"a token too long":    {platform.StreamFollows, 200, `{"meta":{"result_count":0,"next_token":"` + strings.Repeat("x", 300) + `"}}`, platform.KindUnavailable},
		"likes without token": {platform.StreamLikes, 200, `{}`, platform.KindUnauthorized},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			})
			got, err := c.Activity.Activity(t.Context(), tc.stream, []platform.ActivityAsk{{Ref: id("7"), Limit: 5}})
			if err != nil || got[0].Err == nil || platform.KindOf(got[0].Err) != tc.want || len(got[0].Acts) > 0 || got[0].Cursor != "" {
				t.Errorf("got %+v, %v; want %s", got, err, tc.want)
			}
		})
	}
}

// The order of an answer, acts twice and acts beyond what was asked for do not matter.
func TestPlaceTurn(t *testing.T) {
	acts := func(ids ...string) (out []platform.Act) {
		for _, id := range ids {
			out = append(out, platform.Act{ID: id})
		}
		return out
	}
	ids := func(acts []platform.Act) (out []string) {
		for _, a := range acts {
			out = append(out, a.ID)
		}
		return out
	}
	p := place{since: "100"}
	told, next, more := p.turn(acts("103", "99", "1001", "100", "103"), true, 1)
	if !slices.Equal(ids(told), []string{"1001"}) || !more || next != (place{since: "100", newest: "1001", until: "1001"}) {
		t.Errorf("told %v, more %v, %+v", ids(told), more, next)
	}
	told, next, more = next.turn(acts("1001", "103"), false, 5)
	if !slices.Equal(ids(told), []string{"103"}) || more || next != (place{since: "1001"}) {
		t.Errorf("told %v, more %v, %+v", ids(told), more, next)
	}
	if told, again, more := next.turn(acts("5"), true, 5); len(told) > 0 || more || again != next {
		t.Errorf("an answer that ignores since_id: told %v, more %v", ids(told), more)
	}
	first, err := parsePlace("", testNow)
	if err != nil || first.query().Get("start_time") != "2026-11-23T12:00:00Z" || first.cursor() != "" {
		t.Errorf("a first reading: %+v, %v", first, err)
	}
}

func TestReread(t *testing.T) {
	const there = `{"id":"1","author_id":"7","created_at":"2026-07-24T21:05:48Z"}`
	gone := `{"value":"1","resource_type":"tweet","parameter":"ids","title":"Not Found Error","detail":"Could not find tweet with ids: [1].","type":"https://api.x.com/2/problems/resource-not-found"}`
	tests := map[string]struct {
		body string
		want platform.Outcome
	}{
		"there":             {`{"data":[` + there + `]}`, platform.Found},
		"gone":              {`{"errors":[` + gone + `]}`, platform.NotFound},
		"both":              {`{"data":[` + there + `],"errors":[` + gone + `]}`, platform.Unanswered},
		"another author":    {`{"data":[` + strings.Replace(there, `"7"`, `"8"`, 1) + `]}`, platform.Unanswered},
		"another post":      {`{"data":[` + strings.Replace(there, `"1"`, `"2"`, 1) + `]}`, platform.Unanswered},
		"of a user":         {`{"errors":[` + strings.Replace(gone, `"tweet"`, `"user"`, 1) + `]}`, platform.Unanswered},
		"not for us":        {`{"errors":[` + strings.Replace(gone, "resource-not-found", "not-authorized-for-resource", 1) + `]}`, platform.Unanswered},
		"the title differs": {`{"errors":[` + strings.Replace(gone, "Not Found Error", "Forbidden", 1) + `]}`, platform.Unanswered},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(tc.body)) })
			got, err := c.Reread.Reread(t.Context(), []platform.PostRef{{Account: id("7"), ID: "1"}, {Account: id("7"), ID: "a b"}})
			if err != nil || got[0].Outcome != tc.want || platform.KindOf(got[1].Err) != platform.KindInvalid {
				t.Errorf("got %+v, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func FuzzDecodePosts(f *testing.F) {
	f.Add([]byte(testdata(f, "timeline.json")))
	f.Add([]byte(`{"data":[null,{"id":"1","referenced_posts":[{"type":"retweeted"}]}],"errors":[7]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var p posts
		if json.Unmarshal(body, &p) != nil {
			return
		}
		said := map[string]*postVerdict{"1": {}}
		r := &reader{sender: &sender{cfg: platform.Config{Now: func() time.Time { return testNow }}}}
		if r.hear(&platform.Answer{Status: http.StatusOK, Body: body}, said) == nil {
			s := stateOf(platform.PostRef{ID: "1"}, said["1"])
			if (s.Act != nil) != (s.Outcome == platform.Found) || (s.Err != nil) != (s.Outcome == platform.Unanswered) || s.Act != nil && s.Act.ID != "1" {
				t.Errorf("%+v", s)
			}
		}
		for i := range p.Data {
			if a := p.Data[i].act("h"); !p.Data[i].malformed && (!isID(a.ID) || a.Action == "") {
				t.Errorf("%+v", a)
			}
		}
	})
}

func FuzzPlace(f *testing.F) {
	f.Add("x1.1.2.3.0")
	f.Add("x1....5")
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := parsePlace(platform.Cursor(cursor), time.Time{})
		if err != nil || p.cursor() == "" {
			return
		}
		if again, err := parsePlace(p.cursor(), testNow); err != nil || again != p || len(p.cursor()) > 256 {
			t.Errorf("%q became %+v: %v", cursor, again, err)
		}
	})
}
