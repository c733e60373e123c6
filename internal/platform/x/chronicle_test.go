package x_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
)

// Act gives posts, replies and reposts in turn.
func (f *fixture) Act(stream platform.Stream, account platform.AccountRef, i int) platform.Act {
	id := account.ID + strconv.Itoa(100+i)
	switch stream {
	case platform.StreamFollows:
		target := f.Account(500 + i)
		return platform.Act{ID: target.ID, Action: platform.Follow, URL: "https://x.com/" + target.Handle, Target: target, TargetKnown: true}
	case platform.StreamLikes:
		return platform.Act{
			ID: id, Action: platform.Like, Text: "liked", URL: "https://x.com/i/web/status/" + id,
			Target: platform.AccountRef{ID: "77"}, TargetKnown: true,
		}
	}
	a := platform.Act{
		ID: id, At: platformtest.Now.Add(time.Duration(i)*time.Minute - 24*time.Hour), Text: "إعلان رقم " + id, Language: "ar",
		URL: "https://x.com/" + account.Handle + "/status/" + id, Links: []string{"https://edu.example/" + id},
	}
	switch i % 3 {
	case 0:
		a.Action = platform.Publish
	case 1:
		a.Action, a.Target, a.TargetKnown = platform.Reply, platform.AccountRef{ID: "99"}, true
	case 2:
		a.Action, a.EditedAt = platform.Repost, a.At
	}
	return a
}

// wire is an act as X writes it, in one of the two spellings by turns.
func wire(a platform.Act, author string) map[string]any {
	p := map[string]any{
		"id": a.ID, "text": a.Text, "author_id": author, "created_at": a.At.Format("2006-01-02T15:04:05.000Z07:00"), "lang": a.Language,
		"entities": map[string]any{"urls": []any{}},
	}
	var urls []any
	for _, l := range a.Links {
		urls = append(urls, map[string]any{"start": 0, "end": 23, "url": "https://t.co/a", "expanded_url": l})
	}
	p["entities"] = map[string]any{"urls": urls}
	spell := func(name string) string {
		if strings.HasSuffix(a.ID, "1") || strings.HasSuffix(a.ID, "2") {
			return strings.ReplaceAll(name, "tweet", "post")
		}
		return name
	}
	p[spell("edit_history_tweet_ids")] = []string{a.ID}
	switch a.Action {
	case platform.Reply:
		p["in_reply_to_user_id"] = a.Target.ID
		p[spell("referenced_tweets")] = []any{map[string]any{"type": "quoted", "id": "1"}, map[string]any{"type": "replied_to", "id": "2"}}
	case platform.Repost:
		p[spell("referenced_tweets")] = []any{map[string]any{"type": "retweeted", "id": "3"}}
	case platform.Like:
		p["author_id"] = a.Target.ID
	}
	if !a.EditedAt.IsZero() {
		p[spell("edit_history_tweet_ids")] = []string{"1", a.ID}
	}
	return p
}

func (f *fixture) Play(w http.ResponseWriter, r *http.Request, stream platform.Stream, acts func(string) []platform.Act) error {
	name, path, err := f.requests.Check(r)
	if err != nil {
		return err
	}
	if got := r.Header.Get("Authorization"); got != "Bearer CANARY-token" {
		return fmt.Errorf("the credential is %q", got)
	}
	query := r.URL.Query()
	size, _ := strconv.Atoi(query.Get("max_results"))
	var data []map[string]any
	for _, a := range acts(path["id"]) {
		if since := query.Get("since_id"); since != "" && a.ID <= since || query.Has("until_id") && a.ID >= query.Get("until_id") {
			continue
		}
		if start, err := time.Parse(time.RFC3339, query.Get("start_time")); err == nil && a.At.Before(start) {
			continue
		}
		if stream == platform.StreamFollows {
			data = append(data, map[string]any{"id": a.Target.ID, "name": "n", "username": a.Target.Handle})
			continue
		}
		data = append(data, wire(a, path["id"]))
	}
	want := map[platform.Stream]string{
		platform.StreamPosts: "/tweets", platform.StreamFollows: "/following", platform.StreamLikes: "/liked_tweets",
	}[stream]
	if !strings.HasSuffix(name, want) {
		return fmt.Errorf("%s for %s", name, stream)
	}
	at, _ := strconv.Atoi(strings.TrimPrefix(query.Get("pagination_token"), "0000000000000000"))
	at = min(at, len(data))
	end := min(at+size, len(data))
	meta := map[string]any{"result_count": end - at}
	if end < len(data) {
		meta["next_token"] = "0000000000000000" + strconv.Itoa(end)
	}
	answer := map[string]any{"meta": meta}
	if end > at {
		answer["data"] = data[at:end]
	}
	return json.NewEncoder(w).Encode(answer)
}

func (f *fixture) PlayPosts(w http.ResponseWriter, r *http.Request, post func(string) (platform.Act, bool)) error {
	if _, _, err := f.requests.Check(r); err != nil {
		return err
	}
	answer := map[string][]any{}
	for _, id := range strings.Split(r.URL.Query().Get("ids"), ",") {
		if a, ok := post(id); ok {
			answer["data"] = append(answer["data"], wire(a, f.Account(0).ID))
			continue
		}
		answer["errors"] = append(answer["errors"], map[string]any{
			"value": id, "resource_id": id, "parameter": "ids", "resource_type": "tweet", "title": "Not Found Error",
			"detail": "Could not find tweet with ids: [" + id + "].", "type": "https://api.twitter.com/2/problems/resource-not-found",
		})
	}
	return json.NewEncoder(w).Encode(answer)
}
