package youtube_test

import (
	"fmt"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

// act adds a post of a channel, one minute after the last.
func (s sim) act(p world.Post) {
	s.t.Helper()
	p.Platform = world.YouTube
	s.clock.Step(time.Minute)
	if err := s.world.PutPost(p); err != nil {
		s.t.Fatal(err)
	}
}

func uploads(s sim, n int) {
	for i := range n {
		s.act(world.Post{Account: id(1), ID: fmt.Sprintf("video%06d", i), Action: world.Publish, Text: fmt.Sprintf("Title %d\nand more", i)})
	}
}

func TestUploadsArePagedNewestFirst(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	uploads(s, 5)
	s.act(world.Post{Account: id(1), ID: "secret", Action: world.Publish, Hidden: true})
	path := "/youtube/v3/playlistItems?key=k&part=contentDetails,snippet,status&maxResults=2&playlistId=UU" + id(1)[2:]
	var seen []string
	page := path
	for range 5 {
		r := s.get(page)
		for i := range r.items() {
			video, _ := r.at(fmt.Sprintf("items.%d.contentDetails.videoId", i)).(string)
			seen = append(seen, video)
		}
		token, more := r.at("nextPageToken").(string)
		if !more {
			break
		}
		page = path + "&pageToken=" + token
	}
	if want := "[video000004 video000003 video000002 video000001 video000000]"; fmt.Sprint(seen) != want {
		t.Errorf("saw %v", seen)
	}
	r := s.get(path)
	for at, want := range map[string]any{
		"pageInfo.totalResults": 5.0, "items.0.snippet.title": "Title 4", "items.0.snippet.description": "and more",
		"items.0.snippet.channelId": id(1), "items.0.snippet.position": 0.0, "items.1.snippet.position": 1.0,
		"items.0.snippet.resourceId.videoId": "video000004", "items.0.contentDetails.videoPublishedAt": "2026-11-23T12:05:00Z",
		"items.0.status.privacyStatus": "public",
	} {
		if got := r.at(at); got != want {
			t.Errorf("%s = %v, want %v", at, got, want)
		}
	}
	if r := s.get(path + "&pageToken=" + "abc"); r.reason() != "invalidPageToken" {
		t.Errorf("token: %v", r.reason())
	}
}

func TestPlaylistsOfTheGoneAreNotFound(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	for _, n := range []int{2, 3, 4, 9} {
		r := s.get("/youtube/v3/playlistItems?key=k&part=id&playlistId=UU" + id(n)[2:])
		if r.status != 404 || r.reason() != "playlistNotFound" {
			t.Errorf("%d: %d %v", n, r.status, r.reason())
		}
	}
	if r := s.get("/youtube/v3/playlistItems?key=k&part=id"); r.reason() != "missingRequiredParameter" {
		t.Errorf("no playlist: %v", r.reason())
	}
	if r := s.get("/youtube/v3/playlistItems?key=k&part=id&playlistId=UU" + id(1)[2:]); r.status != 200 || r.body["items"] == nil {
		t.Errorf("empty: %d %s", r.status, r.raw)
	}
}

func TestVideos(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	uploads(s, 2)
	s.act(world.Post{Account: id(1), ID: "hidden", Action: world.Publish, Hidden: true})
	s.act(world.Post{Account: id(5), ID: "like1", Action: world.Like, Target: "video000001"})
	s.act(world.Post{Account: id(5), ID: "comment1", Action: world.Reply, Target: "video000001", Text: "Nice"})
	list := "/youtube/v3/videos?part=snippet,status,statistics&id=video000001,hidden,nothing"
	r := s.get(list + "&key=k")
	if len(r.items()) != 1 || r.at("items.0.snippet.channelTitle") != "Edu 1" || r.at("items.0.statistics.likeCount") != "1" || r.at("items.0.status.uploadStatus") != "processed" {
		t.Errorf("%s", r.raw)
	}
	if r := s.as(s.mint("1001", id(1), readonly), list); len(r.items()) != 2 {
		t.Errorf("the owner sees %s", r.raw)
	}
	if r := s.as(s.mint("1001", id(5), readonly), "/youtube/v3/videos?part=id&myRating=like"); r.at("items.0.id") != "video000001" {
		t.Errorf("liked: %s", r.raw)
	}
	if r := s.get("/youtube/v3/videos?key=k&part=id&myRating=like"); r.status != 401 {
		t.Errorf("liked with a key: %d", r.status)
	}
	thread := "/youtube/v3/commentThreads?part=snippet&allThreadsRelatedToChannelId=" + id(1)
	if r := s.as(s.mint("1001", id(1), base+"youtube.force-ssl"), thread); r.at("items.0.snippet.topLevelComment.snippet.authorChannelId.value") != id(5) || r.at("items.0.snippet.videoId") != "video000001" {
		t.Errorf("comments: %s", r.raw)
	}
	if r := s.get("/youtube/v3/commentThreads?key=k&part=snippet&videoId=video000001"); len(r.items()) != 1 {
		t.Errorf("comments with a key: %s", r.raw)
	}
	if r := s.as(s.mint("1001", id(1), readonly), thread); r.reason() != "insufficientPermissions" {
		t.Errorf("comments with another scope: %v", r.reason())
	}
}

func TestSubscriptionsArePublicOnlyIfTheOwnerAllows(t *testing.T) {
	private := channel(5, world.Active)
	private.Protected = true
	all := append(some()[:4], private)
	s := newSim(t, youtube.Options{}, all...)
	s.act(world.Post{Account: id(1), ID: "sub1", Action: world.Follow, Target: id(5)})
	s.act(world.Post{Account: id(1), ID: "sub2", Action: world.Follow, Target: id(2)})
	s.act(world.Post{Account: id(5), ID: "sub3", Action: world.Follow, Target: id(1)})
	list := "/youtube/v3/subscriptions?part=snippet&channelId="
	if r := s.get(list + id(1) + "&key=k"); len(r.items()) != 1 || r.at("items.0.snippet.resourceId.channelId") != id(5) || r.at("items.0.snippet.channelId") != id(1) {
		t.Errorf("%s", r.raw)
	}
	if r := s.get(list + id(5) + "&key=k"); r.status != 403 || r.reason() != "subscriptionForbidden" {
		t.Errorf("private: %d %v", r.status, r.reason())
	}
	own := s.mint("1001", id(5), readonly)
	for _, path := range []string{list + id(5), "/youtube/v3/subscriptions?part=snippet&mine=true"} {
		if r := s.as(own, path); len(r.items()) != 1 {
			t.Errorf("%s: %s", path, r.raw)
		}
	}
	if r := s.get(list + id(2) + "&key=k"); r.status != 404 || r.reason() != "subscriberNotFound" {
		t.Errorf("suspended: %d %v", r.status, r.reason())
	}
	s = newSim(t, youtube.Options{ProbeTells: true}, all...)
	for n, want := range map[int]string{2: "accountSuspended", 3: "accountClosed", 9: "subscriberNotFound"} {
		if r := s.get(list + id(n) + "&key=k"); r.reason() != want {
			t.Errorf("telling %d: %v, want %s", n, r.reason(), want)
		}
	}
}

func TestSearchFindsChannelsByAllWords(t *testing.T) {
	big := channel(7, world.Active)
	big.DisplayName, big.Followers = "تعليم الرياض", 5_000_000
	s := newSim(t, youtube.Options{}, append(some(), big)...)
	if r := s.get("/youtube/v3/search?key=k&part=snippet&type=channel&q=EDU+1"); len(r.items()) != 1 || r.at("items.0.id.channelId") != id(1) {
		t.Errorf("%s", r.raw)
	}
	if r := s.get("/youtube/v3/search?key=k&part=snippet&type=channel&q=edu&maxResults=1"); r.at("items.0.id.channelId") != id(7) || r.at("pageInfo.totalResults") != 3.0 {
		t.Errorf("most subscribers first: %s", r.raw)
	}
	if r := s.get("/youtube/v3/search?key=k&part=snippet&type=video&q=edu"); len(r.items()) != 0 {
		t.Errorf("videos: %s", r.raw)
	}
	if n := s.world.Ledger().BudgetUnits(world.YouTube, youtube.BucketSearches); n != 3 {
		t.Errorf("%d searches", n)
	}
}
