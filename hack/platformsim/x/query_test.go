package x_test

import (
	"fmt"
	"strings"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

func TestInvalidRequests(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	many := strings.Join(sequence(101), ",")
	for name, c := range map[string]struct{ path, param, value, message string }{
		"no ids":             {"/2/users", "ids", "", "The `ids` query parameter can not be empty"},
		"empty ids":          {"/2/users?ids=", "ids", "", "The `ids` query parameter can not be empty"},
		"no usernames":       {"/2/users/by", "usernames", "", "The `usernames` query parameter can not be empty"},
		"too many":           {"/2/users?ids=" + many, "ids", many, "The number of values in the `ids` query parameter list [101] is not between 1 and 100"},
		"letters in id":      {"/2/users?ids=1,a", "ids", "a", "The `ids` query parameter value [a] does not match ^[0-9]{1,19}$"},
		"empty id":           {"/2/users?ids=1,", "ids", "", "The `ids` query parameter value [] does not match ^[0-9]{1,19}$"},
		"long id":            {"/2/users/12345678901234567890", "id", "12345678901234567890", "The `id` query parameter value [12345678901234567890] does not match ^[0-9]{1,19}$"},
		"space after comma":  {"/2/users?ids=1,+2", "ids", " 2", "The `ids` query parameter value [ 2] does not match ^[0-9]{1,19}$"},
		"at in username":     {"/2/users/by?usernames=@a", "usernames", "@a", "The `usernames` query parameter value [@a] does not match ^[A-Za-z0-9_]{1,15}$"},
		"long username":      {"/2/users/by/username/sixteen_letters_", "username", "sixteen_letters_", "The `username` query parameter value [sixteen_letters_] does not match ^[A-Za-z0-9_]{1,15}$"},
		"unknown parameter":  {"/2/users?ids=1&count=5", "count", "5", "The query parameter [count] is not one of [expansions,ids,tweet.fields,user.fields]"},
		"other's parameter":  {"/2/users?usernames=a", "usernames", "a", "The query parameter [usernames] is not one of [expansions,ids,tweet.fields,user.fields]"},
		"ids for one":        {"/2/users/1?ids=1", "ids", "1", "The query parameter [ids] is not one of [expansions,tweet.fields,user.fields]"},
		"duplicate fields":   {"/2/users?ids=1&user.fields=url,url", "user.fields", "url", "The `user.fields` query parameter value [url] is given twice"},
		"unknown expansion":  {"/2/users?ids=1&expansions=x", "expansions", "x", "The `expansions` query parameter value [x] is not one of [affiliation.user_id,most_recent_tweet_id,pinned_tweet_id]"},
		"bad percent escape": {"/2/users?ids=%zz", "query", "ids=%zz", "The query string can not be parsed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.get(t, c.path)
			r.want(t, 400, fmt.Sprintf(`{"errors":[{"parameters":{%q:[%q]},"message":%q}],"title":"Invalid Request",
				"detail":"One or more parameters to your request was invalid.","type":"https://api.twitter.com/2/problems/invalid-request"}`,
				c.param, c.value, c.message))
			if r.header.Get("Content-Type") != "application/problem+json" || r.header.Get("x-rate-limit-remaining") == "" {
				t.Errorf("header %v", r.header)
			}
		})
	}
	if cost := s.world.Ledger().Cost(world.X); cost != 0 {
		t.Errorf("invalid requests cost %d", cost)
	}
}

func TestUnknownFieldIsNamed(t *testing.T) {
	for spelling, param := range map[x.Spelling]string{x.SpellingTweet: "tweet.fields", x.SpellingPost: "post.fields"} {
		s := newSim(t, x.Options{Spelling: spelling}, some()...)
		for _, p := range []string{"user.fields", param} {
			r := s.get(t, "/2/users?ids=1&"+p+"=id,shoe_size")
			if r.status != 400 || !strings.Contains(r.raw, p) || !strings.Contains(r.raw, "[shoe_size] is not one of [") {
				t.Errorf("%s: %d %s", p, r.status, r.raw)
			}
		}
	}
	s := newSim(t, x.Options{}, some()...)
	if r := s.get(t, "/2/users?ids=1&user.fields="); r.status != 400 {
		t.Errorf("empty list: %d", r.status)
	}
	if r := s.get(t, "/2/users?ids=1&ids=2"); r.status != 400 || !strings.Contains(r.raw, "Duplicate parameters are not allowed") {
		t.Errorf("ids twice: %d %s", r.status, r.raw)
	}
}

func TestNewProblemsNameTheParameterFlatly(t *testing.T) {
	s := newSim(t, x.Options{Spelling: x.SpellingPost}, some()...)
	s.get(t, "/2/users?ids=1,a").want(t, 400, `{"title":"Invalid Request","status":400,"parameter":"ids","value":"a",
		"detail":"The `+"`ids`"+` query parameter value [a] does not match ^[0-9]{1,19}$","type":"https://api.x.com/2/problems/invalid-request"}`)
	r := s.get(t, "/2/users?ids=5")
	if got := r.body["errors"].([]any)[0].(map[string]any)["type"]; got != "https://api.x.com/2/problems/resource-not-found" {
		t.Errorf("type %v", got)
	}
}

func TestAllDocumentedFieldsAreAccepted(t *testing.T) {
	s := newSim(t, x.Options{}, developers())
	if r := s.get(t, "/2/users/2244994945?user.fields=confirmed_email,connection_status,is_identity_verified,receives_your_dm,"+
		"subscription,subscription_type,verified_followers_count,id,name,username,"+recordedFields+
		"&expansions=affiliation.user_id,most_recent_tweet_id,pinned_tweet_id&tweet.fields=text,created_at"); r.status != 200 {
		t.Errorf("%d %s", r.status, r.raw)
	}
}
