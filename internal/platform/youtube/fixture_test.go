package youtube_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
	"mithaq.dev/mithaq/internal/platform/youtube"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const goodKey = "AIza-good-key"

func app() platform.Secret {
	return platform.Secret{
		youtube.KeyAPIKey: []byte(goodKey + "\n"), platform.KeyClientID: []byte("the-client"), platform.KeyClientSecret: []byte("the-client-secret"),
	}
}

func TestConformance(t *testing.T) {
	platformtest.Run(t, platformtest.Subject{Adapter: youtube.Adapter(), App: app(), Fixture: newFixture(t)})
}

// fixture speaks YouTube's wire format out of the recorded examples.
type fixture struct {
	requests platformtest.Spec
	channel  string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return &fixture{requests: platformtest.ReadSpec(t, "testdata/requests.json"), channel: file(t, "channels.json")}
}

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (f *fixture) Account(i int) platform.AccountRef {
	return platform.AccountRef{ID: fmt.Sprintf("UC%022d", i), Handle: fmt.Sprintf("Account.%d", i)}
}

func (f *fixture) Parse(r *http.Request) (platform.Lookup, []string, error) {
	name, _, err := f.requests.Check(r)
	if err != nil {
		return "", nil, err
	}
	query := r.URL.Query()
	if name != "GET /youtube/v3/channels" || query.Get("key") != goodKey || r.Header.Get("Authorization") != "" || query.Get("maxResults") != "50" {
		return "", nil, fmt.Errorf("%s with another credential or size", name)
	}
	if query.Has("forHandle") {
		return platform.ByHandle, []string{strings.TrimPrefix(query.Get("forHandle"), "@")}, nil
	}
	return platform.ByID, strings.Split(query.Get("id"), ","), nil
}

func (f *fixture) Aux(http.ResponseWriter, *http.Request) bool { return false }

func (f *fixture) Silent() {}

// Sees: suspended and missing look alike.
func (f *fixture) Sees(_ platform.Lookup, o platform.Outcome) platform.Outcome {
	if o == platform.Suspended {
		return platform.NotFound
	}
	return o
}

func (f *fixture) Answer(_ platform.Lookup, said []platformtest.Said) []byte {
	var items []any
	for _, s := range said {
		if s.Outcome == platform.Found {
			items = append(items, f.item(s.Ref))
		}
	}
	return listOf("youtube#channelListResponse", items, len(items), "")
}

func (f *fixture) item(ref platform.AccountRef) map[string]any {
	var example struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(f.channel), &example); err != nil {
		panic(err)
	}
	c := example.Items[0]
	c["id"] = ref.ID
	c["snippet"].(map[string]any)["customUrl"] = "@" + ref.Handle
	return c
}

func listOf(kind string, items []any, total int, next string) []byte {
	answer := map[string]any{"kind": kind, "pageInfo": map[string]any{"totalResults": total, "resultsPerPage": 50}}
	if len(items) > 0 {
		answer["items"] = items
	}
	if next != "" {
		answer["nextPageToken"] = next
	}
	b, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return b
}

// Limits: no header tells any.
func (f *fixture) Limits(http.Header, platform.Usage) {}

func (f *fixture) Act(stream platform.Stream, account platform.AccountRef, i int) platform.Act {
	id := fmt.Sprintf("v%s_%d", account.ID[20:], i)
	at := platformtest.Now.Add(time.Duration(i)*time.Minute - 24*time.Hour)
	switch stream {
	case platform.StreamFollows:
		target := f.Account(500 + i).ID
		return platform.Act{
			ID: target, Action: platform.Follow, At: at, URL: "https://www.youtube.com/channel/" + target,
			Target: platform.AccountRef{ID: target}, TargetKnown: true,
		}
	case platform.StreamLikes:
		return platform.Act{
			ID: id, Action: platform.Like, Text: "Liked", URL: "https://www.youtube.com/watch?v=" + id,
			Target: platform.AccountRef{ID: f.Account(7).ID}, TargetKnown: true,
		}
	}
	return platform.Act{
		ID: id, Action: platform.Publish, At: at, Text: "إعلان\nSee https://edu.example/" + id, URL: "https://www.youtube.com/watch?v=" + id,
		Links: []string{"https://edu.example/" + id},
	}
}

func (f *fixture) Play(w http.ResponseWriter, r *http.Request, stream platform.Stream, acts func(string) []platform.Act) error {
	name, _, err := f.requests.Check(r)
	if err != nil {
		return err
	}
	if r.Header.Get("Authorization") != "Bearer CANARY-token" || r.URL.Query().Has("key") {
		return fmt.Errorf("%s is not sent as the channel", name)
	}
	query := r.URL.Query()
	var items []any
	kind := ""
	switch stream {
	case platform.StreamPosts:
		kind = "youtube#playlistItemListResponse"
		channel := "UC" + strings.TrimPrefix(query.Get("playlistId"), "UU")
		for _, a := range acts(channel) {
			title, description, _ := strings.Cut(a.Text, "\n")
			items = append(items, map[string]any{
				"snippet":        map[string]any{"publishedAt": a.At.Format(time.RFC3339), "channelId": channel, "title": title, "description": description},
				"contentDetails": map[string]any{"videoId": a.ID, "videoPublishedAt": a.At.Format(time.RFC3339)},
			})
		}
	case platform.StreamFollows:
		kind = "youtube#subscriptionListResponse"
		for _, a := range acts(query.Get("channelId")) {
			items = append(items, map[string]any{"snippet": map[string]any{
				"publishedAt": a.At.Format(time.RFC3339), "channelId": query.Get("channelId"),
				"resourceId": map[string]any{"kind": "youtube#channel", "channelId": a.ID},
			}})
		}
	case platform.StreamLikes:
		kind = "youtube#videoListResponse"
		if query.Get("myRating") != "like" {
			return fmt.Errorf("%s is not about likes", name)
		}
		for _, a := range acts(f.Account(0).ID) {
			items = append(items, video(a, a.Target.ID))
		}
	}
	at, _ := strconv.Atoi(query.Get("pageToken"))
	at = min(at, len(items))
	end, next := min(at+3, len(items)), "" // shorter pages than asked for are allowed
	if end < len(items) {
		next = strconv.Itoa(end)
	}
	_, err = w.Write(listOf(kind, items[at:end], len(items), next))
	return err
}

func video(a platform.Act, channel string) map[string]any {
	title, description, _ := strings.Cut(a.Text, "\n")
	return map[string]any{"id": a.ID, "snippet": map[string]any{
		"publishedAt": a.At.Format(time.RFC3339), "channelId": channel, "title": title, "description": description,
	}, "status": map[string]any{"privacyStatus": "public", "uploadStatus": "processed"}}
}

func (f *fixture) PlayPosts(w http.ResponseWriter, r *http.Request, post func(string) (platform.Act, bool)) error {
	if _, _, err := f.requests.Check(r); err != nil {
		return err
	}
	var items []any
	for _, id := range strings.Split(r.URL.Query().Get("id"), ",") {
		if a, ok := post(id); ok {
			items = append(items, video(a, f.Account(0).ID))
		}
	}
	_, err := w.Write(listOf("youtube#videoListResponse", items, len(items), ""))
	return err
}
