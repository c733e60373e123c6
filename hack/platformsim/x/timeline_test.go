package x_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

// act adds a post a minute after the last.
func (s sim) act(t testing.TB, p world.Post) {
	t.Helper()
	p.Platform = world.X
	s.clock.Step(time.Minute)
	if err := s.world.PutPost(p); err != nil {
		t.Fatal(err)
	}
}

// busy has posts 100 to 106 of account 1, which follows and likes, and others'.
func busy(t testing.TB, opts x.Options) sim {
	t.Helper()
	private := account("6", "private", world.Active)
	private.Protected = true
	s := newOAuthSim(t, opts, append(some(), account("5", "five", world.Active), private)...)
	s.act(t, world.Post{Account: "5", ID: "90", Action: world.Publish, Text: "five's"})
	s.act(t, world.Post{Account: "6", ID: "91", Action: world.Publish, Text: "private"})
	s.act(t, world.Post{Account: "2", ID: "92", Action: world.Publish, Text: "suspended"})
	s.act(t, world.Post{Account: "1", ID: "100", Action: world.Publish, Text: "first", Links: []string{"https://edu.test/a"}})
	s.act(t, world.Post{Account: "1", ID: "101", Action: world.Reply, Target: "90", Text: "answer"})
	s.act(t, world.Post{Account: "1", ID: "102", Action: world.Repost, Target: "90", Text: "RT"})
	s.act(t, world.Post{Account: "1", ID: "103", Action: world.Publish, Target: "90", Text: "quote"})
	for i := range 3 {
		s.act(t, world.Post{Account: "1", ID: fmt.Sprint(104 + i), Action: world.Publish, Text: "more"})
	}
	s.act(t, world.Post{Account: "1", ID: "201", Action: world.Like, Target: "90"})
	s.act(t, world.Post{Account: "1", ID: "202", Action: world.Like, Target: "100"})
	s.act(t, world.Post{Account: "1", ID: "203", Action: world.Follow, Target: "5"})
	s.act(t, world.Post{Account: "1", ID: "204", Action: world.Follow, Target: "2"})
	return s
}

// idsOf lists the ids of an answer's data.
func idsOf(r reply) string {
	var out []string
	list, _ := r.body["data"].([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		out = append(out, fmt.Sprint(m["id"]))
	}
	return strings.Join(out, " ")
}

func meta(r reply, name string) any {
	m, _ := r.body["meta"].(map[string]any)
	return m[name]
}

func TestATimelineIsPagedNewestFirst(t *testing.T) {
	s := busy(t, x.Options{})
	r := s.get(t, "/2/users/1/tweets?max_results=5")
	token, _ := meta(r, "next_token").(string)
	if idsOf(r) != "106 105 104 103 102" || meta(r, "newest_id") != "106" || meta(r, "oldest_id") != "102" || meta(r, "result_count") != 5.0 || token == "" {
		t.Fatalf("%s", r.raw)
	}
	if r := s.get(t, "/2/users/1/tweets?max_results=5&pagination_token="+token); idsOf(r) != "101 100" || meta(r, "next_token") != nil {
		t.Errorf("second page: %s", r.raw)
	}
	for query, want := range map[string]string{
		"since_id=104": "106 105", "since_id=106": "", "until_id=102": "101 100", "exclude=replies,retweets": "106 105 104 103 100",
		"exclude=retweets": "106 105 104 103 101 100", "start_time=2026-11-23T12:09:00Z": "106 105", "end_time=2026-11-23T12:05:00Z": "100",
	} {
		if r := s.get(t, "/2/users/1/tweets?"+query); r.status != 200 || idsOf(r) != want {
			t.Errorf("%s: %d %q, want %q", query, r.status, idsOf(r), want)
		}
	}
	if r := s.get(t, "/2/users/1/tweets?since_id=106"); r.raw != `{"meta":{"result_count":0}}`+"\n" {
		t.Errorf("nothing new: %q", r.raw)
	}
}

func TestAPostIsShownAsDocumented(t *testing.T) {
	s := busy(t, x.Options{})
	fields := "&tweet.fields=author_id,created_at,conversation_id,referenced_tweets,in_reply_to_user_id,public_metrics,entities"
	r := s.get(t, "/2/tweets?ids=101"+fields)
	want := map[string]any{
		"id": "101", "text": "answer", "edit_history_tweet_ids": []any{"101"}, "author_id": "1", "created_at": "2026-11-23T12:05:00.000Z",
		"conversation_id": "90", "in_reply_to_user_id": "5", "referenced_tweets": []any{map[string]any{"type": "replied_to", "id": "90"}},
		"public_metrics": map[string]any{"retweet_count": 0.0, "reply_count": 0.0, "like_count": 0.0, "quote_count": 0.0, "bookmark_count": 0.0, "impression_count": 0.0},
	}
	list, _ := r.body["data"].([]any)
	if len(list) != 1 {
		t.Fatal(r.raw)
	}
	if diff := cmp.Diff(want, list[0]); diff != "" {
		t.Error(diff)
	}
	for id, part := range map[string]string{
		"102": `"type":"retweeted"`, "103": `"type":"quoted"`, "100": `"expanded_url":"https://edu.test/a"`, "90": `{"retweet_count":1,"reply_count":1,"like_count":1,"quote_count":1,`,
	} {
		if r := s.get(t, "/2/tweets/"+id+"?"+fields[1:]); !strings.Contains(r.raw, part) {
			t.Errorf("%s without %s: %s", id, part, r.raw)
		}
	}
	if r := s.get(t, "/2/tweets/100"); r.raw != `{"data":{"id":"100","text":"first","edit_history_tweet_ids":["100"]}}`+"\n" {
		t.Errorf("members not asked for: %s", r.raw)
	}
	s = busy(t, x.Options{Spelling: x.SpellingPost})
	r = s.get(t, "/2/tweets/101?expansions=referenced_posts,author_id&post.fields=created_at")
	for _, part := range []string{`"referenced_posts":[{"type":"replied_to","id":"90"}]`, `"edit_history_post_ids":["101"]`, `"author_id":"1"`} {
		if !strings.Contains(r.raw, part) {
			t.Errorf("post spelling without %s: %s", part, r.raw)
		}
	}
	if r := s.get(t, "/2/tweets/101?tweet.fields=created_at"); r.status != 400 {
		t.Errorf("old names: %d", r.status)
	}
}

func TestPostsThatCannotBeRead(t *testing.T) {
	s := busy(t, x.Options{})
	if err := s.world.DeletePost(world.X, "104"); err != nil {
		t.Fatal(err)
	}
	r := s.get(t, "/2/tweets?ids=100,104,91,92,999,201")
	list, _ := r.body["errors"].([]any)
	if r.status != 200 || idsOf(r) != "100" || len(list) != 5 || !strings.Contains(r.raw, "not-authorized-for-resource") {
		t.Errorf("%d %s", r.status, r.raw)
	}
	for id, part := range map[string]string{"2": "User has been suspended: [2].", "3": "Could not find user with id: [3].", "77": "Not Found Error", "6": "not-authorized-for-resource"} {
		if r := s.get(t, "/2/users/"+id+"/tweets"); r.status != 200 || r.body["data"] != nil || !strings.Contains(r.raw, part) {
			t.Errorf("%s: %d %s", id, r.status, r.raw)
		}
	}
	own, _ := s.consented(t, "6")
	if r := s.getAs(t, "/2/users/6/tweets", "Bearer "+own); idsOf(r) != "91" {
		t.Errorf("own: %s", r.raw)
	}
}

func TestListRequestsThatAreRefused(t *testing.T) {
	s := busy(t, x.Options{})
	access, _ := s.consented(t, "1")
	many := strings.Repeat("1,", 100) + "1"
	for _, path := range []string{
		"/2/users/1/tweets?max_results=4", "/2/users/1/tweets?max_results=101", "/2/users/1/tweets?since=1", "/2/users/1/tweets?since_id=x",
		"/2/users/1/tweets?exclude=quotes", "/2/users/1/tweets?pagination_token=!", "/2/users/1/tweets?start_time=now", "/2/users/1/tweets?tweet.fields=nope",
		"/2/tweets?ids=" + many, "/2/tweets", "/2/tweets?ids=x", "/2/users/1/liked_tweets?max_results=4", "/2/users/1/following?max_results=1001",
		"/2/users/1/following?pagination_token=abc", "/2/users/search", "/2/users/search?query=" + strings.Repeat("a", 51), "/2/users/search?query=%D8%A7",
		"/2/tweets/search/recent?query=cats", "/2/tweets/search/recent", "/2/tweets/search/recent?query=from:five&max_results=9",
		"/2/tweets/search/recent?query=" + strings.Repeat("from:five+OR+", 50) + "from:five", "/2/users/me?max_results=5",
	} {
		if r := s.getAs(t, path, "Bearer "+access); r.status != 400 || r.body["title"] != "Invalid Request" {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
	if r := s.get(t, "/2/usage/tweets?days=91"); r.status != 400 {
		t.Errorf("days: %d", r.status)
	}
}

func TestLikesAreForTheirOwnTokenOnly(t *testing.T) {
	s := busy(t, x.Options{})
	access, _ := s.consented(t, "1")
	other, _ := s.consented(t, "5")
	if r := s.getAs(t, "/2/users/1/liked_tweets", "Bearer "+access); idsOf(r) != "100 90" || meta(r, "result_count") != 2.0 {
		t.Errorf("%s", r.raw)
	}
	if r := s.getAs(t, "/2/users/1/liked_tweets", "Bearer "+other); r.status != 403 {
		t.Errorf("other: %d", r.status)
	}
	if r := s.get(t, "/2/users/1/liked_tweets"); r.status != 403 || r.body["title"] != "Unsupported Authentication" {
		t.Errorf("app: %d %s", r.status, r.raw)
	}
}

func TestFollowingIsPaged(t *testing.T) {
	s := busy(t, x.Options{})
	s.act(t, world.Post{Account: "1", ID: "205", Action: world.Follow, Target: "6"})
	r := s.get(t, "/2/users/1/following?max_results=1&user.fields=public_metrics")
	token, _ := meta(r, "next_token").(string)
	if idsOf(r) != "6" || len(token) < 16 || !strings.Contains(r.raw, "followers_count") {
		t.Fatalf("%s", r.raw)
	}
	if r := s.get(t, "/2/users/1/following?max_results=1&pagination_token="+token); idsOf(r) != "5" || meta(r, "next_token") != nil {
		t.Errorf("second page: %s", r.raw)
	}
}

func TestUserSearchNeedsAUser(t *testing.T) {
	s := busy(t, x.Options{})
	access, _ := s.consented(t, "1")
	if r := s.getAs(t, "/2/users/search?query=FIVE", "Bearer "+access); idsOf(r) != "5" {
		t.Errorf("%s", r.raw)
	}
	r := s.getAs(t, "/2/users/search?query=name&max_results=2", "Bearer "+access)
	token, _ := meta(r, "next_token").(string)
	if idsOf(r) != "1 5" || token == "" {
		t.Fatalf("first page: %s", r.raw)
	}
	if r := s.getAs(t, "/2/users/search?query=name&max_results=2&next_token="+token, "Bearer "+access); idsOf(r) != "6" {
		t.Errorf("second page: %s", r.raw)
	}
}

func TestRecentSearchReadsManyAccountsOfAWeek(t *testing.T) {
	s := busy(t, x.Options{})
	path := "/2/tweets/search/recent?max_results=100&query="
	if r := s.get(t, path+"(from:five+OR+from:Active_1+OR+from:private)+-is:retweet"); idsOf(r) != "106 105 104 103 101 100 90" {
		t.Errorf("%s", r.raw)
	}
	if r := s.get(t, path+"from:Active_1+-is:reply&since_id=104"); idsOf(r) != "106 105" {
		t.Errorf("since: %s", r.raw)
	}
	r := s.get(t, "/2/tweets/search/recent?max_results=10&query=from:Active_1+-is:reply&since_id=103")
	if idsOf(r) != "106 105 104" || meta(r, "next_token") != nil {
		t.Errorf("short: %s", r.raw)
	}
	s.clock.Step(8 * 24 * time.Hour)
	if r := s.get(t, path+"from:five"); idsOf(r) != "" {
		t.Errorf("after a week: %s", r.raw)
	}
}

func TestPostsFollowsAndLikesAreBilledOncePerDay(t *testing.T) {
	s := busy(t, x.Options{})
	access, _ := s.consented(t, "1")
	cost := func() int64 { return s.world.Ledger().Cost(world.X) }
	s.get(t, "/2/users/1/tweets?max_results=5")
	if got := cost(); got != 5*5000 {
		t.Errorf("five posts: %d", got)
	}
	s.get(t, "/2/users/1/tweets?max_results=6")
	if got := cost(); got != 6*5000 {
		t.Errorf("one more: %d", got)
	}
	s.get(t, "/2/users/1/following")
	if got := cost(); got != 6*5000+10_000 {
		t.Errorf("a follow: %d", got)
	}
	s.getAs(t, "/2/users/1/liked_tweets", "Bearer "+access)
	s.me(t, access)
	if got := cost(); got != 6*5000+10_000+2*1000+10_000 {
		t.Errorf("two likes and oneself: %d", got)
	}
	r := s.get(t, "/2/usage/tweets?days=1")
	if !strings.Contains(r.raw, `"project_usage":6`) || !strings.Contains(r.raw, `{"date":"2026-11-23T00:00:00.000Z","usage":6}`) {
		t.Errorf("usage: %s", r.raw)
	}
	s.clock.Step(24 * time.Hour)
	s.get(t, "/2/users/1/tweets?max_results=5")
	if got := cost(); got != 11*5000+10_000+2*1000+10_000 {
		t.Errorf("next day: %d", got)
	}
	if err := s.world.SetCredits(world.X, "k y", "0.001"); err != nil {
		t.Fatal(err)
	}
	s.clock.Step(24 * time.Hour)
	if r := s.get(t, "/2/users/1/tweets"); r.status != 402 {
		t.Errorf("out of credits: %d", r.status)
	}
}

func TestLiesAboutPosts(t *testing.T) {
	s := busy(t, x.Options{})
	access, _ := s.consented(t, "1")
	lie := func(kind world.FaultKind, path string) reply {
		if err := s.world.SetFaults(world.X, world.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		return s.getAs(t, path, "Bearer "+access)
	}
	if r := lie(world.FaultShuffleForeign, "/2/users/1/tweets?since_id=105&tweet.fields=author_id"); idsOf(r) == "106" || idsOf(r) == "" || strings.Contains(r.raw, `"author_id":"1"`) {
		t.Errorf("shuffle: %s", r.raw)
	}
	if r := lie(world.FaultExtraForeign, "/2/tweets?ids=100"); len(strings.Fields(idsOf(r))) != 2 {
		t.Errorf("extra: %s", r.raw)
	}
	if r := lie(world.FaultAllNotFound, "/2/users/1/tweets"); !strings.Contains(r.raw, "Not Found Error") || r.status != 200 {
		t.Errorf("not found: %s", r.raw)
	}
	if r := lie(world.FaultShuffleForeign, "/2/users/me"); r.status != 200 || strings.Contains(r.raw, `"id":"1"`) {
		t.Errorf("me: %s", r.raw)
	}
	if r := lie(world.FaultAllSuspended, "/2/users/me"); r.status != 403 {
		t.Errorf("me suspended: %d", r.status)
	}
	if r := lie(world.FaultAllSuspended, "/2/tweets/search/recent?query=from:five"); idsOf(r) != "" {
		t.Errorf("recent: %s", r.raw)
	}
}
