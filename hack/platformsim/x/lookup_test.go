package x_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

// recordedFields and recordedAnswer are the request and the answer that X's
// documentation and public code show (docs.x.com, users lookup). Picture and
// t.co addresses are the simulator's own and are put in by the test.
const recordedFields = "created_at,description,entities,location,url,profile_image_url,profile_banner_url,protected,verified," +
	"verified_type,public_metrics,affiliation,pinned_tweet_id,most_recent_tweet_id,parody,withheld"

const recordedAnswer = `{"data":[{"id":"2244994945","name":"X Developers","username":"XDevelopers","created_at":"2013-12-14T04:35:55.000Z",
  "description":"…bio…","location":"127.0.0.1","url":"TCO",
  "entities":{"url":{"urls":[{"start":0,"end":23,"url":"TCO","expanded_url":"https://developer.x.com","display_url":"developer.x.com"}]}},
  "profile_image_url":"IMAGE","profile_banner_url":"BANNER",
  "protected":false,"verified":true,"verified_type":"business","most_recent_tweet_id":"2080761390344937796","pinned_tweet_id":"1234567890",
  "public_metrics":{"followers_count":583423,"following_count":2048,"tweet_count":14052,"listed_count":1672,"like_count":1234}}],
 "errors":[
  {"resource_id":"1234567890","value":"1234567890","parameter":"ids","resource_type":"user","title":"Not Found Error",
   "detail":"Could not find user with ids: [1234567890].","type":"https://api.twitter.com/2/problems/resource-not-found"},
  {"resource_id":"481186914","value":"481186914","parameter":"ids","resource_type":"user","title":"Forbidden",
   "detail":"User has been suspended: [481186914].","type":"https://api.twitter.com/2/problems/resource-not-found"}]}`

func developers() world.Account {
	return world.Account{
		Platform: world.X, ID: "2244994945", Handle: "XDevelopers", DisplayName: "X Developers", Bio: "…bio…",
		Location: "127.0.0.1", Website: "https://developer.x.com", Image: "emblem", Banner: "banner",
		Verified: true, VerifiedType: "business", Followers: 583423, Following: 2048, Posts: 14052, Listed: 1672,
		Likes: 1234, CreatedAt: time.Date(2013, 12, 14, 7, 35, 55, 0, time.FixedZone("AST", 3*3600)),
		LastPostID: "2080761390344937796", PinnedPostID: "1234567890",
	}
}

func TestAnswerIsTheRecordedOne(t *testing.T) {
	s := newSim(t, x.Options{}, developers(), account("481186914", "bad", world.Suspended))
	got := s.get(t, "/2/users?ids=2244994945,1234567890,481186914&user.fields="+recordedFields)
	if got.status != 200 || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("%d %s", got.status, got.header.Get("Content-Type"))
	}
	user := got.body["data"].([]any)[0].(map[string]any)
	want := recordedAnswer
	for mark, c := range map[string]struct{ member, pattern string }{
		"TCO":    {"url", `^https://t\.co/[0-9a-zA-Z]{10}$`},
		"IMAGE":  {"profile_image_url", "^" + s.url + `/profile_images/[0-9]+/emblem_normal\.png$`},
		"BANNER": {"profile_banner_url", "^" + s.url + `/profile_banners/2244994945/[0-9]+$`},
	} {
		value, _ := user[c.member].(string)
		if !regexp.MustCompile(c.pattern).MatchString(value) {
			t.Errorf("%s %q does not match %s", c.member, value, c.pattern)
		}
		want = strings.ReplaceAll(want, mark, value)
	}
	ignoreOrder(got.body)
	wanted := decoded(t, want)
	ignoreOrder(wanted)
	if diff := cmp.Diff(wanted, got.body); diff != "" {
		t.Errorf("(-recorded +got) %s", diff)
	}
}

func ignoreOrder(body map[string]any) {
	slices.SortFunc(body["errors"].([]any), func(a, b any) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
}

func problem(param, value, title, detail string) string {
	return fmt.Sprintf(`{"resource_id":%q,"value":%q,"parameter":%q,"resource_type":"user","title":%q,"detail":%q,"type":"https://api.twitter.com/2/problems/resource-not-found"`,
		value, value, param, title, detail)
}

func missing(param, value string) string {
	return problem(param, value, "Not Found Error", "Could not find user with "+param+": ["+value+"].")
}

func TestEachStateByEachEndpoint(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	handles := map[string]string{"1": "Active_1", "2": "suspended_2", "3": "deactivated_3", "4": "deleted_4", "5": "nobody_5"}
	for _, e := range []struct {
		path, param string
		handle      bool
		single      bool
	}{
		{"/2/users?ids=", "ids", false, false},
		{"/2/users/by?usernames=", "usernames", true, false},
		{"/2/users/", "id", false, true},
		{"/2/users/by/username/", "username", true, true},
	} {
		for id, handle := range handles {
			value := id
			if e.handle {
				value = handle
			}
			t.Run(e.param+" "+value, func(t *testing.T) {
				want := `{"errors":[` + missing(e.param, value) + "}]}"
				switch {
				case id == "1" && e.single:
					want = `{"data":{"id":"1","name":"Name 1","username":"Active_1"}}`
				case id == "1":
					want = `{"data":[{"id":"1","name":"Name 1","username":"Active_1"}]}`
				case id == "2":
					want = `{"errors":[` + problem(e.param, value, "Forbidden", "User has been suspended: ["+value+"].") + "}]}"
				}
				s.get(t, e.path+value).want(t, 200, want)
			})
		}
	}
}

func TestSingleLookupOfNobodyCanBe404(t *testing.T) {
	s := newSim(t, x.Options{SingleNotFound404: true}, some()...)
	s.get(t, "/2/users/5").want(t, 404, missing("id", "5")+`,"status":404}`)
	s.get(t, "/2/users?ids=5").want(t, 200, `{"errors":[`+missing("ids", "5")+"}]}")
	if r := s.get(t, "/2/users/1"); r.status != 200 {
		t.Errorf("present user: %d", r.status)
	}
}

func TestProtectedAccountShowsItsProfile(t *testing.T) {
	a := account("1", "a", world.Active)
	a.Protected = true
	s := newSim(t, x.Options{}, a)
	s.get(t, "/2/users/1?user.fields=protected,verified_type").
		want(t, 200, `{"data":{"id":"1","name":"Name 1","username":"a","protected":true,"verified_type":"none"}}`)
}

func TestOnlyAskedFieldsAppearAndUnsetOnesDoNot(t *testing.T) {
	s := newSim(t, x.Options{}, developers(), account("1", "bare", world.Active))
	s.get(t, "/2/users/2244994945?user.fields=location").
		want(t, 200, `{"data":{"id":"2244994945","name":"X Developers","username":"XDevelopers","location":"127.0.0.1"}}`)
	s.get(t, "/2/users/1?user.fields="+recordedFields).want(t, 200, `{"data":{"id":"1","name":"Name 1","username":"bare",
		"protected":false,"verified":false,"verified_type":"none",
		"public_metrics":{"followers_count":0,"following_count":0,"tweet_count":0,"listed_count":0,"like_count":0}}}`)
}

func TestSpellings(t *testing.T) {
	const metrics = `"public_metrics":{"followers_count":583423,"following_count":2048,"%s_count":14052,"listed_count":1672,"like_count":1234}`
	const tweet = `{"data":{"id":"2244994945","name":"X Developers","username":"XDevelopers","most_recent_tweet_id":"2080761390344937796","pinned_tweet_id":"1234567890",` + metrics + `}}`
	const post = `{"data":{"id":"2244994945","name":"X Developers","username":"XDevelopers","most_recent_post_id":"2080761390344937796","pinned_post_id":"1234567890",` + metrics + `}}`
	const asTweet = "user.fields=public_metrics,most_recent_tweet_id,pinned_tweet_id&tweet.fields=note_tweet"
	const asExpansion = "user.fields=public_metrics&expansions=most_recent_tweet_id,pinned_tweet_id"
	const asPost = "user.fields=public_metrics&expansions=most_recent_post_id,pinned_post_id&post.fields=note_post"
	for name, c := range map[string]struct {
		spelling x.Spelling
		query    string
		status   int
		want     string
	}{
		"default":           {"", asTweet, 200, fmt.Sprintf(tweet, "tweet")},
		"tweet, expanded":   {x.SpellingTweet, asExpansion, 200, fmt.Sprintf(tweet, "tweet")},
		"tweet, new names":  {x.SpellingTweet, asPost, 400, ""},
		"post":              {x.SpellingPost, asPost, 200, fmt.Sprintf(post, "post")},
		"post, old names":   {x.SpellingPost, asTweet, 400, ""},
		"post, affiliation": {x.SpellingPost, "user.fields=affiliation", 400, ""},
		"mixed, old names":  {x.SpellingMixed, asTweet, 200, fmt.Sprintf(post, "post")},
		"mixed, new names":  {x.SpellingMixed, asPost, 200, fmt.Sprintf(post, "post")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, x.Options{Spelling: c.spelling}, developers())
			r := s.get(t, "/2/users/2244994945?"+c.query)
			if c.status == 200 {
				r.want(t, c.status, c.want)
			} else if r.status != c.status {
				t.Errorf("status %d, want %d", r.status, c.status)
			}
		})
	}
}

func sequence(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(1000 + i)
	}
	return out
}

func TestOrderIsNeverTheOneAskedButAlwaysTheSame(t *testing.T) {
	s := newSim(t, x.Options{})
	ask := sequence(20)
	for _, id := range ask {
		if err := s.world.Put(account(id, "h"+id, world.Active)); err != nil {
			t.Fatal(err)
		}
	}
	order := func(ids []string) (out []string) {
		for _, u := range s.get(t, "/2/users?ids="+strings.Join(ids, ",")).body["data"].([]any) {
			out = append(out, u.(map[string]any)["id"].(string))
		}
		return out
	}
	for from := range ask[:18] {
		for _, n := range []int{2, 3, 20 - from} {
			asked := ask[from : from+n]
			first := order(asked)
			// Asking in the order just seen must not give that order either.
			if slices.Equal(first, asked) || slices.Equal(first, order(first)) {
				t.Errorf("%v comes in the order asked for", asked)
			}
			if !slices.Equal(first, order(asked)) {
				t.Errorf("%v comes in another order the second time", asked)
			}
			slices.Sort(first)
			if !slices.Equal(first, asked) {
				t.Errorf("asked for %v, got %v", asked, first)
			}
		}
	}
}

func TestDuplicatesAreAnsweredOnce(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	one := `{"data":[{"id":"1","name":"Name 1","username":"Active_1"}]}`
	s.get(t, "/2/users?ids=1,1,1").want(t, 200, one)
	s.get(t, "/2/users/by?usernames=active_1,ACTIVE_1").want(t, 200, one)
	s.get(t, "/2/users?ids=5,5").want(t, 200, `{"errors":[`+missing("ids", "5")+"}]}")
}

func TestWebsiteIsShownShortenedAndCut(t *testing.T) {
	a := account("1", "a", world.Active)
	a.Website = "https://moe.example.gov.sa/تعليم/a/very/long/path/indeed?x=1"
	s := newSim(t, x.Options{}, a)
	user := s.get(t, "/2/users/1?user.fields=entities,url").body["data"].(map[string]any)
	entity := user["entities"].(map[string]any)["url"].(map[string]any)["urls"].([]any)[0].(map[string]any)
	if entity["expanded_url"] != a.Website || entity["url"] != user["url"] {
		t.Errorf("got %v and %v", entity, user["url"])
	}
	shown := []rune(entity["display_url"].(string))
	if len(shown) != 30 || shown[29] != '…' || !strings.HasPrefix(string(shown), "moe.example.gov.sa/") {
		t.Errorf("display_url %q", string(shown))
	}
	if _, err := url.Parse(user["url"].(string)); err != nil {
		t.Error(err)
	}
}
