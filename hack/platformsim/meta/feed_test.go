package meta_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

func (s sim) post(posts ...world.Post) {
	s.t.Helper()
	for _, p := range posts {
		if p.Action == "" {
			p.Action = world.Publish
		}
		if err := s.world.PutPost(p); err != nil {
			s.t.Fatal(err)
		}
	}
}

// many are n posts a minute apart, the newest n.
func many(p world.Platform, account string, n int) (out []world.Post) {
	for i := 1; i <= n; i++ {
		out = append(out, world.Post{Platform: p, Account: account, ID: fmt.Sprintf("%s_%d", account, i), Text: fmt.Sprint("post ", i), Created: start.Add(time.Duration(i-n) * time.Minute)})
	}
	return out
}

// walk follows paging.next to the end and returns the ids and how many pages.
func (s sim) walk(path, token string) (ids []string, pages int) {
	s.t.Helper()
	next := "/v26.0" + path
	for next != "" && pages < 50 {
		r := s.call("GET", next, token, "")
		r.accepted(s.t, next)
		data, _ := r.in("data").([]any)
		for _, one := range data {
			id, _ := dig(one, "id").(string)
			ids = append(ids, id)
		}
		pages++
		full, _ := r.in("paging", "next").(string)
		if strings.Contains(full, token) {
			s.t.Errorf("the token is in %s", full)
		}
		next = strings.TrimPrefix(full, s.url)
	}
	return ids, pages
}

func (s sim) pageToken(id string) string {
	s.t.Helper()
	token, _ := s.get("/"+id+"?fields=access_token", "sys").in("access_token").(string)
	if token == "" {
		s.t.Fatal("no page token")
	}
	return token
}

func TestFeedIsPagedWithCursors(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	s.post(many(world.Facebook, "1", 23)...)
	s.post(many(world.Instagram, "2", 23)...)
	for path, token := range map[string]string{"/1/published_posts?limit=10&fields=id": s.pageToken("1"), "/2/media?limit=10&fields=id": "sys"} {
		ids, pages := s.walk(path, token)
		if len(ids) != 23 || pages != 3 || !strings.HasSuffix(ids[0], "_23") || !strings.HasSuffix(ids[22], "_1") {
			t.Errorf("%s: %d pages: %v", path, pages, ids)
		}
	}
	first := s.get("/2/media?limit=10", "sys")
	after, _ := first.in("paging", "cursors", "after").(string)
	if err := s.world.DeletePost(world.Instagram, "2_14"); err != nil {
		t.Fatal(err)
	}
	second := s.get("/2/media?limit=10&after="+after, "sys")
	if second.in("data", 0, "id") != "2_13" {
		t.Errorf("after a deletion: %s", second.raw)
	}
	before, _ := second.in("paging", "cursors", "before").(string)
	if back := s.get("/2/media?limit=5&before="+before, "sys"); back.in("data", 4, "id") != "2_15" {
		t.Errorf("back: %s", back.raw)
	}
}

func TestShortPageIsNotTheLast(t *testing.T) {
	s := newSim(t, meta.Options{}, insta("2"))
	posts := many(world.Instagram, "2", 6)
	posts[4].Hidden, posts[5].Hidden = true, true
	s.post(posts...)
	r := s.get("/2/media?limit=2", "sys")
	if data, _ := r.in("data").([]any); len(data) != 0 || r.in("paging", "next") == nil {
		t.Errorf("a page of hidden posts: %s", r.raw)
	}
	if ids, _ := s.walk("/2/media?limit=2", "sys"); len(ids) != 4 {
		t.Errorf("got %v", ids)
	}
}

func TestSinceAndUntil(t *testing.T) {
	s := newSim(t, meta.Options{}, insta("2"))
	s.post(many(world.Instagram, "2", 5)...)
	at := func(minutes int) string { return fmt.Sprint(start.Add(time.Duration(minutes) * time.Minute).Unix()) }
	for query, want := range map[string][]string{
		"since=" + at(-1): {"2_5", "2_4"}, "until=" + at(-3): {"2_2", "2_1"},
		"since=" + at(-3) + "&until=" + at(-2):                 {"2_3", "2_2"},
		"since=" + url.QueryEscape("2026-11-23T12:00:00+0000"): {"2_5"},
	} {
		ids, _ := s.walk("/2/media?"+query, "sys")
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestPostHasTheDocumentedShape(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), page("9"))
	s.post(
		world.Post{Platform: world.Facebook, Account: "1", ID: "1_1", Text: "hello", Links: []string{"https://a.example/x"}, By: "902", App: "1000", Edited: start.Add(time.Minute)},
		world.Post{Platform: world.Facebook, Account: "1", ID: "1_2", Action: world.Repost, Target: "9_1", Created: start.Add(-time.Hour)},
		world.Post{Platform: world.Facebook, Account: "9", ID: "9_2", Target: "1", Text: "a visitor", Created: start.Add(-2 * time.Hour)},
		world.Post{Platform: world.Facebook, Account: "9", ID: "9_3", Action: world.Reply, Target: "1_1", Text: "a comment"},
		world.Post{Platform: world.Facebook, Account: "1", ID: "1_4", Action: world.Follow, Target: "9"},
	)
	own := s.pageToken("1")
	r := s.get("/1/published_posts?fields=id,created_time,updated_time,message,permalink_url,status_type,is_published,is_hidden,from,admin_creator,application,parent_id,attachments{media_type,url},shares", own)
	want := map[string]any{
		"id": "1_1", "created_time": "2026-11-23T12:00:00+0000", "updated_time": "2026-11-23T12:01:00+0000", "message": "hello",
		"permalink_url": "https://www.facebook.com/1_1", "status_type": "mobile_status_update", "is_published": true, "is_hidden": false,
		"from":          map[string]any{"id": "1", "name": `Ministry of "Examples" 1`},
		"admin_creator": map[string]any{"id": "902", "name": "Clerk"}, "application": map[string]any{"id": "1000", "name": "Mithaq"},
		"attachments": map[string]any{"data": []any{map[string]any{"media_type": "link", "url": "https://a.example/x"}}},
	}
	if diff := cmp.Diff(want, r.in("data", 0)); diff != "" {
		t.Error(diff)
	}
	if r.in("data", 1, "status_type") != "shared_story" || r.in("data", 1, "parent_id") != "9_1" {
		t.Errorf("repost: %v", r.in("data", 1))
	}
	for path, want := range map[string][]string{
		"/1/feed": {"1_1", "1_2", "9_2"}, "/1/visitor_posts": {"9_2"}, "/1/likes": {"9"}, "/1_1/comments": {"9_3"}, "/1/videos": nil,
	} {
		if ids, _ := s.walk(path, own); cmp.Diff(want, ids) != "" {
			t.Errorf("%s: %v, want %v", path, ids, want)
		}
	}
	s.call("DELETE", "/v26.0/9_3", own, "").accepted(t, "deleting a comment")
	s.call("DELETE", "/v26.0/1_1", own, "").accepted(t, "deleting a post")
	s.get("/1_1", own).refused(t, "deleted post", "400 100/33")
	if a, _ := s.world.Account(world.Facebook, "1"); a.Posts != 0 || a.LastPostID != "" {
		t.Errorf("%d posts left", a.Posts)
	}
}

func TestMediaAndStories(t *testing.T) {
	s := newSim(t, meta.Options{}, insta("2"), insta("3"))
	s.post(
		world.Post{Platform: world.Instagram, Account: "2", ID: "21", Text: "caption", Image: "emblem"},
		world.Post{Platform: world.Instagram, Account: "2", ID: "22", Kind: "story", Created: start.Add(-time.Hour)},
		world.Post{Platform: world.Instagram, Account: "2", ID: "23", Kind: "story", Created: start.Add(-25 * time.Hour)},
		world.Post{Platform: world.Instagram, Account: "2", ID: "24", Kind: "reel", Created: start.Add(-time.Minute)},
		world.Post{Platform: world.Instagram, Account: "3", ID: "25", Action: world.Reply, Target: "21", Text: "nice"},
	)
	r := s.get("/2/media?since=0&limit=100&fields=id,caption,media_type,media_product_type,media_url,permalink,shortcode,timestamp,username,like_count,comments_count,is_shared_to_feed,owner", "sys")
	for name, want := range map[string]any{"id": "21", "caption": "caption", "media_type": "IMAGE", "media_product_type": "FEED", "timestamp": "2026-11-23T12:00:00+0000", "username": "ig2", "comments_count": 1.0} {
		if got := r.in("data", 0, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if r.in("data", 1, "media_product_type") != "REELS" {
		t.Errorf("reel: %s", r.raw)
	}
	if ids, _ := s.walk("/2/stories", "sys"); cmp.Diff([]string{"22"}, ids) != "" {
		t.Errorf("stories: %v", ids)
	}
	r = s.get("/21/comments?fields=id,text,timestamp,username,from,hidden,parent_id,like_count", "sys")
	if r.in("data", 0, "username") != "ig3" || r.in("data", 0, "from", "id") != "3" {
		t.Errorf("comments: %s", r.raw)
	}
	s.get("/22?fields=id", "sys").accepted(t, "one medium")
	s.call("DELETE", "/v26.0/21", "sys", "").refused(t, "deleting a medium", "400 3/<nil>")
	s.call("DELETE", "/v26.0/25", "sys", "").accepted(t, "deleting a comment")
	s.get("/25", "sys").refused(t, "deleted comment", "400 24/2207006")
	s = newSim(t, meta.Options{DeleteMedia: true}, insta("2"))
	s.post(world.Post{Platform: world.Instagram, Account: "2", ID: "21"})
	s.call("DELETE", "/v26.0/21", "sys", "").accepted(t, "deleting a medium, switched on")
}

func TestBusinessDiscovery(t *testing.T) {
	gone, personal := insta("4"), insta("5")
	gone.State, personal.Protected = world.Suspended, true
	s := newSim(t, meta.Options{}, insta("2"), insta("3"), gone, personal)
	s.post(many(world.Instagram, "3", 3)...)
	ask := func(handle, sub string) string {
		return "/2?fields=" + url.QueryEscape("business_discovery.username("+handle+"){"+sub+"}")
	}
	r := s.get(ask("IG3", "id,ig_id,username,name,media_count,media.limit(2){id,caption}"), "sys")
	r.accepted(t, "discovery")
	if r.in("id") != "2" || r.in("business_discovery", "id") != "3" || r.in("business_discovery", "media", "data", 1, "id") != "3_2" || r.in("business_discovery", "media", "paging", "next") != nil {
		t.Errorf("discovery: %s", r.raw)
	}
	after, _ := r.in("business_discovery", "media", "paging", "cursors", "after").(string)
	if r = s.get(ask("ig3", "media.after("+after+"){id}"), "sys"); r.in("business_discovery", "media", "data", 0, "id") != "3_1" {
		t.Errorf("next page: %s", r.raw)
	}
	if usage := r.header.Get("X-App-Usage"); !strings.Contains(usage, `"call_count":`) || r.header.Get("X-Business-Use-Case-Usage") != "" {
		t.Errorf("usage %v", r.header)
	}
	for what, handle := range map[string]string{"nobody": "zzz", "suspended": "ig4", "personal": "ig5"} {
		r := s.get(ask(handle, "id"), "sys")
		r.refused(t, what, "400 110/2207013")
		if r.in("error", "error_user_msg") != "The user with username "+handle+" cannot be found." || r.in("error", "is_transient") != false {
			t.Errorf("%s: %s", what, r.raw)
		}
	}
	s.get(ask("ig3", "id,colour"), "sys").refused(t, "unknown field", "400 100/<nil>")
	s.get("/2?fields=business_discovery{id}", "sys").refused(t, "no handle", "400 100/<nil>")
	s = newSim(t, meta.Options{DiscoveryHides: true}, insta("2"), insta("3"))
	if r = s.get(ask("ig3", "id,name,username"), "sys"); r.in("business_discovery", "name") != nil || r.in("business_discovery", "username") != "ig3" {
		t.Errorf("members without the mark: %s", r.raw)
	}
}

func TestSearchFindsPagesByName(t *testing.T) {
	hidden := page("4")
	hidden.Unpublished = true
	s := newSim(t, meta.Options{PublicContentAccess: true}, page("1"), page("2"), page("3"), hidden)
	ids, pages := s.walk("/pages/search?q=examples&fields=id,name,link,verification_status&limit=2", "human")
	if diff := cmp.Diff([]string{"1", "2", "3"}, ids); diff != "" || pages != 2 {
		t.Errorf("%d pages %s", pages, diff)
	}
	s.get("/pages/search?q=examples", "1000|hush").accepted(t, "app token with the feature")
	s.get("/pages/search?q=", "human").refused(t, "nothing asked", "400 100/<nil>")
	s.get("/pages/search?q=a&fields=fan_count", "human").refused(t, "field", "400 100/<nil>")
	s = newSim(t, meta.Options{}, page("1"))
	s.get("/pages/search?q=examples", "1000|hush").refused(t, "app token without it", "400 10/<nil>")
}
