package youtube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
)

var testNow = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func testdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func id(id string) platform.AccountRef { return platform.AccountRef{ID: id} }

// readBody is what an answer with 200 says of refs.
func readBody(body string, by platform.Lookup, refs ...platform.AccountRef) ([]platform.Observation, error) {
	all, err := decodeChannels([]byte(body))
	if err != nil {
		return nil, err
	}
	q := newQuestion(by, refs)
	q.hear(all)
	return q.observations(), nil
}

const example = "UC_x5XG1OV2P6uZZ5FSM9Ttw"

func TestContractExample(t *testing.T) {
	got, err := readBody(testdata(t, "channels.json"), platform.ByID, id("UCabsent"), id(example))
	if err != nil {
		t.Fatal(err)
	}
	want := []platform.Observation{
		{Ref: id("UCabsent"), Outcome: platform.NotFound},
		{Ref: id(example), Outcome: platform.Found, Profile: &platform.Profile{
			ID: example, Handle: "googledevelopers", DisplayName: "Google for Developers", Bio: "Learn, build, share",
			AvatarURL: "https://yt3.ggpht.com/a=s800-c-k-c0x00ffffff-no-rj", BannerURL: "https://yt3.googleusercontent.com/b",
			Followers: 2360000, Posts: 5800,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An absence is believed only where the answer accounts for itself.
func TestAbsence(t *testing.T) {
	channel := func(id string) string { return `{"id":"` + id + `","snippet":{"title":"t","customUrl":"@h"}}` }
	answer := func(page string, items ...string) string {
		return `{"kind":"` + kindChannels + `",` + page + `"items":[` + strings.Join(items, ",") + `]}`
	}
	total := func(n int) string { return fmt.Sprintf(`"pageInfo":{"totalResults":%d},`, n) }
	tests := map[string]struct {
		body string
		want platform.Outcome
	}{
		"all absent, no items":    {`{"kind":"` + kindChannels + `","pageInfo":{"totalResults":0}}`, platform.NotFound},
		"another asked for found": {answer(total(1), channel("UCother")), platform.NotFound},
		"counts more":             {answer(total(2), channel("UCother")), platform.Unanswered},
		"counts less":             {answer(total(0), channel("UCother")), platform.Unanswered},
		"does not count":          {answer("", channel("UCother")), platform.Unanswered},
		"a count without a total": {answer(`"pageInfo":{},`), platform.Unanswered},
		"another page":            {answer(`"nextPageToken":"x",` + total(0)), platform.Unanswered},
		"somebody else":           {answer(total(1), channel("UCnobody")), platform.Unanswered},
		"an item that is none":    {answer(total(1), `7`), platform.Unanswered},
		"malformed itself":        {answer(total(1), `{"id":"UCseven","snippet":{"title":7}}`), platform.Unanswered},
		"no handle":               {answer(total(1), `{"id":"UCseven","snippet":{"title":"t"}}`), platform.Unanswered},
		"found":                   {answer(total(1), channel("UCseven")), platform.Found},
		"found twice, different":  {answer(total(2), channel("UCseven"), strings.Replace(channel("UCseven"), `"t"`, `"u"`, 1)), platform.Unanswered},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readBody(tc.body, platform.ByID, id("UCseven"), id("UCother"))
			if err != nil || got[0].Outcome != tc.want {
				t.Errorf("got %+v, %v; want %s", got[0], err, tc.want)
			}
		})
	}
}

func TestUnread(t *testing.T) {
	profile := func(more string) platform.Profile {
		got, err := readBody(`{"kind":"`+kindChannels+`","items":[{"id":"UC7","snippet":{"title":"t","customUrl":"@h"}`+more+`}]}`, platform.ByID, id("UC7"))
		if err != nil || got[0].Profile == nil {
			t.Fatalf("got %+v, %v", got, err)
		}
		return *got[0].Profile
	}
	nothing := platform.Fields(platform.FieldAvatar, platform.FieldBanner, platform.FieldFollowers, platform.FieldPosts)
	if got := profile("").Unread; got != nothing {
		t.Errorf("nothing told: %b, want %b", got, nothing)
	}
	p := profile(`,"brandingSettings":{},"statistics":{"videoCount":"0","subscriberCount":"5","hiddenSubscriberCount":true}`)
	if want := platform.Fields(platform.FieldAvatar, platform.FieldFollowers); p.Unread != want || p.Posts != 0 || p.Followers != 0 {
		t.Errorf("hidden subscribers: %b, want %b", p.Unread, want)
	}
}

func TestReasons(t *testing.T) {
	envelope := func(reason string) string {
		return `{"error":{"code":403,"message":"BODY","errors":[{"message":"BODY","domain":"youtube","reason":"` + reason + `"}]}}`
	}
	untilMidnight := 20 * time.Hour // it is 04:00 in Los Angeles
	tests := map[string]struct {
		status int
		body   string
		want   platform.Kind
		after  time.Duration
	}{
		"quota":               {403, envelope("quotaExceeded"), platform.KindBudgetExhausted, untilMidnight},
		"day":                 {403, envelope("dailyLimitExceeded"), platform.KindBudgetExhausted, untilMidnight},
		"too fast":            {403, envelope("userRateLimitExceeded"), platform.KindRateLimited, retryUnknown},
		"429":                 {429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`, platform.KindRateLimited, retryUnknown},
		"private":             {403, envelope("subscriptionForbidden"), platform.KindUnauthorized, 0},
		"suspended itself":    {403, envelope("authenticatedUserAccountSuspended"), platform.KindUnauthorized, 0},
		"401":                 {401, `{}`, platform.KindUnauthorized, 0},
		"playlist":            {404, envelope("playlistNotFound"), platform.KindNotFound, 0},
		"bad page":            {400, envelope(reasonPage), platform.KindInvalid, 0},
		"key":                 {400, `{"error":{"code":400,"errors":[{"reason":"badRequest"}],"details":[{"reason":"API_KEY_INVALID"}]}}`, platform.KindUnauthorized, 0},
		"404 of a proxy":      {404, `<html>BODY`, platform.KindUnavailable, 0},
		"403 of a proxy":      {403, `<html>BODY`, platform.KindUnavailable, 0},
		"unknown reason":      {403, envelope("surprise"), platform.KindUnavailable, 0},
		"500 with a reason":   {500, envelope("channelNotFound"), platform.KindUnavailable, 0},
		"204":                 {204, ``, platform.KindUnavailable, 0},
		"another kind of 200": {200, `{"kind":"youtube#videoListResponse"}`, platform.KindUnavailable, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			})
			_, err := c.Observe.Observe(t.Context(), platform.ByID, []platform.AccountRef{id("UC7")})
			e, ok := err.(*platform.Error) //nolint:errorlint // the contract says that it is one itself
			if !ok || e.Kind != tc.want || e.RetryAfter != tc.after || strings.Contains(err.Error(), "BODY") {
				t.Errorf("got %+v, want %s after %s", err, tc.want, tc.after)
			}
		})
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
		App: platform.Secret{KeyAPIKey: []byte("k3y"), platform.KeyClientID: []byte("c"), platform.KeyClientSecret: []byte("s3cret")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpenChecksTheSecret(t *testing.T) {
	for name, tc := range map[string]struct {
		app  platform.Secret
		lack string
	}{
		"nothing":        {nil, KeyAPIKey},
		"no secret":      {platform.Secret{KeyAPIKey: []byte("k"), platform.KeyClientID: []byte("c")}, platform.KeyClientSecret},
		"no client":      {platform.Secret{KeyAPIKey: []byte("k"), platform.KeyClientSecret: []byte("c")}, platform.KeyClientID},
		"only workspace": {platform.Secret{KeyAPIKey: []byte("k"), KeyWorkspaceToken: []byte("c")}, platform.KeyClientID},
		"malformed":      {platform.Secret{KeyAPIKey: []byte("a b")}, KeyAPIKey},
		"key alone":      {platform.Secret{KeyAPIKey: []byte("k")}, ""},
	} {
		_, err := keysOf(tc.app)
		if (err == nil) != (tc.lack == "") || err != nil && !strings.Contains(err.Error(), tc.lack) {
			t.Errorf("%s: got %v, want %q", name, err, tc.lack)
		}
	}
}

// The day of the quota begins at midnight in Los Angeles, in summer and in winter.
func TestUntilMidnight(t *testing.T) {
	for now, want := range map[time.Time]time.Duration{
		testNow: 20 * time.Hour,
		time.Date(2026, time.July, 1, 6, 59, 0, 0, time.UTC):       time.Minute,
		time.Date(2026, time.November, 1, 8, 0, 0, 0, time.UTC):    24 * time.Hour, // 01:00 PDT, 25 hours long
		time.Date(2026, time.March, 8, 8, 0, 0, 0, time.UTC):       23 * time.Hour,
		time.Date(2026, time.November, 24, 7, 59, 59, 0, time.UTC): time.Second,
	} {
		r := &reader{cfg: platform.Config{Now: func() time.Time { return now }}}
		if got := r.untilMidnight(); got != want {
			t.Errorf("%s: got %s, want %s", now, got, want)
		}
	}
}

func TestUploadsExample(t *testing.T) {
	var l list
	if err := json.Unmarshal([]byte(testdata(t, "uploads.json")), &l); err != nil {
		t.Fatal(err)
	}
	got, err := upload(l.Items[0], example)
	want := platform.Act{
		ID: "abc123DEF45", Action: platform.Publish, At: time.Date(2026, time.November, 20, 17, 0, 12, 0, time.UTC),
		Text: "New\nSee https://developer.example/x.", URL: watch + "abc123DEF45", Links: []string{"https://developer.example/x"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := upload(l.Items[0], "UCanother"); err == nil {
		t.Error("another channel's upload was believed")
	}
}

// A page token that the platform refuses begins the reading anew, telling nothing.
func TestRefusedPageToken(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Has("pageToken") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":{"code":400,"errors":[{"reason":"invalidPageToken"}]}}`))
			return
		}
		_, _ = w.Write([]byte(testdata(t, "uploads.json")))
	})
	ask := platform.ActivityAsk{Ref: id(example), Limit: 10}
	for round, want := range []int{1, 0, 0} {
		got, err := c.Activity.Activity(context.Background(), platform.StreamPosts, []platform.ActivityAsk{ask})
		if err != nil || got[0].Err != nil || len(got[0].Acts) != want || !got[0].More {
			t.Fatalf("round %d: %+v, %v", round, got, err)
		}
		ask.Cursor = got[0].Cursor
	}
}

func FuzzDecodeChannels(f *testing.F) {
	f.Add([]byte(testdata(f, "channels.json")), example+" UC7")
	f.Add([]byte(`{"kind":"youtube#channelListResponse","pageInfo":{"totalResults":1},"items":[null,7,{"id":"UC7"}]}`), "UC7")
	f.Fuzz(func(t *testing.T, body []byte, names string) {
		var refs []platform.AccountRef
		for _, n := range strings.Split(names, " ") {
			refs = append(refs, id(n))
		}
		got, err := readBody(string(body), platform.ByID, refs...)
		if err != nil {
			return
		}
		for i, o := range got {
			if o.Ref != refs[i] || (o.Profile != nil) != (o.Outcome == platform.Found) || (o.Err != nil) != (o.Outcome == platform.Unanswered) ||
				o.Profile != nil && o.Profile.ID != o.Ref.ID || o.Outcome == platform.Suspended {
				t.Fatalf("%+v", o)
			}
		}
	})
}

func FuzzDecodeActivity(f *testing.F) {
	f.Add([]byte(testdata(f, "uploads.json")))
	f.Add([]byte(`{"items":[{"snippet":{"resourceId":{"channelId":"UC7"}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var l list
		if json.Unmarshal(body, &l) != nil {
			return
		}
		for _, raw := range l.Items {
			if a, err := upload(raw, example); err == nil && (!isVideo(a.ID) || a.At.IsZero() && a.Text == "") {
				t.Errorf("%+v", a)
			}
			if a, err := subscription(raw, example); err == nil && (!isChannel(a.ID) || a.Target.ID != a.ID) {
				t.Errorf("%+v", a)
			}
			if v, ok := decodeVideo(raw); ok && !isVideo(v.Id) {
				t.Errorf("%+v", v)
			}
		}
	})
}
