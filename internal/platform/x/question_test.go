package x

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
)

var testNow = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func answerOf(status int, body string) *platform.Answer {
	return &platform.Answer{Status: status, Header: http.Header{}, Body: []byte(body)}
}

// readBody is what an answer says of refs when everything was asked for.
func readBody(
	by platform.Lookup, status int, body string, refs ...platform.AccountRef,
) ([]platform.Observation, error) {
	q := newQuestion(lookups[by], refs)
	return q.read(answerOf(status, body), new(fields).ask(), testNow)
}

func id(id string) platform.AccountRef { return platform.AccountRef{ID: id} }

func handle(handle string) platform.AccountRef { return platform.AccountRef{Handle: handle} }

func testdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestContractExample(t *testing.T) {
	got, err := readBody(platform.ByID, http.StatusOK, testdata(t, "users.json"),
		id("481186914"), id("1234567890"), id("2244994945"))
	if err != nil {
		t.Fatal(err)
	}
	want := []platform.Observation{
		{Ref: id("481186914"), Outcome: platform.Suspended},
		{Ref: id("1234567890"), Outcome: platform.NotFound},
		{Ref: id("2244994945"), Outcome: platform.Found, Profile: &platform.Profile{
			ID: "2244994945", Handle: "XDevelopers", DisplayName: "X Developers",
			Bio:       "The voice of the developer platform",
			Website:   "https://developer.x.com",
			Location:  "127.0.0.1",
			AvatarURL: "https://pbs.twimg.com/profile_images/1/x_normal.jpg",
			BannerURL: "https://pbs.twimg.com/profile_banners/2244994945/1600000000",
			Verified:  true, Followers: 583423, Posts: 14052, LastPostID: "2080761390344937796",
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPostSpelling(t *testing.T) {
	body := strings.NewReplacer("tweet_count", "post_count", "most_recent_tweet_id", "most_recent_post_id").
		Replace(testdata(t, "users.json"))
	got, err := readBody(platform.ByID, http.StatusOK, body, id("2244994945"))
	if err != nil || got[0].Outcome != platform.Found {
		t.Fatalf("got %+v, %v", got, err)
	}
	if p := got[0].Profile; p.Posts != 14052 || p.LastPostID != "2080761390344937796" || p.Unread != 0 {
		t.Errorf("posts %d, newest %q, unread %b", p.Posts, p.LastPostID, p.Unread)
	}
}

const (
	minimal   = `"id":"7","name":"Seven","username":"Seven"`
	missing   = `{"value":"7","resource_type":"user","parameter":"ids","title":"Not Found Error","detail":"Could not find user with ids: [7].","type":"https://api.x.com/2/problems/resource-not-found"}`
	suspended = `{"value":"7","title":"Forbidden","detail":"User has been suspended: [7].","type":"https://api.twitter.com/2/problems/resource-not-found"}`
)

// edit changes one part of a problem.
func edit(problem, from, to string) string {
	if !strings.Contains(problem, from) {
		panic(from)
	}
	return strings.Replace(problem, from, to, 1)
}

func TestOutcomes(t *testing.T) {
	errorsOf := func(problems ...string) string { return `{"errors":[` + strings.Join(problems, ",") + `]}` }
	data := func(users ...string) string { return `{"data":[` + strings.Join(users, ",") + `]}` }
	tests := map[string]struct {
		body string
		want platform.Outcome
	}{
		"missing":               {errorsOf(missing), platform.NotFound},
		"missing by resource":   {errorsOf(edit(missing, `"value"`, `"resource_id"`)), platform.NotFound},
		"missing, another host": {errorsOf(edit(missing, "api.x.com", "api.twitter.com")), platform.NotFound},
		"missing, relative":     {errorsOf(edit(missing, "https://api.x.com/2/problems/", "")), platform.NotFound},
		"suspended":             {errorsOf(suspended), platform.Suspended},

		"another title":          {errorsOf(edit(missing, "Not Found Error", "Sorry")), platform.Unanswered},
		"another detail":         {errorsOf(edit(missing, "Could not find", "Will not find")), platform.Unanswered},
		"titles crossed":         {errorsOf(edit(missing, "Not Found Error", "Forbidden")), platform.Unanswered},
		"titles crossed again":   {errorsOf(edit(suspended, "Forbidden", "Not Found Error")), platform.Unanswered},
		"no detail":              {errorsOf(edit(suspended, `"detail"`, `"derail"`)), platform.Unanswered},
		"another type":           {errorsOf(edit(missing, "resource-not-found", "resource-unavailable")), platform.Unanswered},
		"type as a prefix":       {errorsOf(edit(missing, "resource-not-found", "resource-not-found/x")), platform.Unanswered},
		"missing and unknown":    {errorsOf(missing, edit(missing, "resource-not-found", "odd")), platform.Unanswered},
		"another account's":      {errorsOf(edit(missing, `"value":"7"`, `"value":"8"`)), platform.Unanswered},
		"of a tweet":             {errorsOf(edit(missing, `"user"`, `"tweet"`)), platform.Unanswered},
		"of another parameter":   {errorsOf(edit(missing, `"ids"`, `"pinned_tweet_id"`)), platform.Unanswered},
		"value is a number":      {errorsOf(edit(missing, `"value":"7"`, `"value":7`)), platform.Unanswered},
		"entry is no object":     {errorsOf(`"missing"`, `7`, `null`), platform.Unanswered},
		"found":                  {data(`{` + minimal + `}`), platform.Found},
		"found, no errors":       {`{"data":[{` + minimal + `}],"errors":null}`, platform.Found},
		"found twice":            {data(`{`+minimal+`}`, `{`+minimal+`}`), platform.Found},
		"found twice, different": {data(`{`+minimal+`}`, `{`+minimal+`,"location":"Doha"}`), platform.Unanswered},
		"found and missing":      {`{"data":[{` + minimal + `}],"errors":[` + missing + `]}`, platform.Unanswered},
		"id is a number":         {data(`{"id":7,"name":"Seven","username":"Seven"}`), platform.Unanswered},
		"no name":                {data(`{"id":"7","username":"Seven"}`), platform.Unanswered},
		"no username":            {data(`{"id":"7","name":"Seven"}`), platform.Unanswered},
		"bio is a number":        {data(`{` + minimal + `,"description":1}`), platform.Unanswered},
		"count is a text":        {data(`{` + minimal + `,"public_metrics":{"followers_count":"1"}}`), platform.Unanswered},
		"user is no object":      {data(`7`, `null`, `[]`), platform.Unanswered},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readBody(platform.ByID, http.StatusOK, tc.body, id("7"))
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Outcome != tc.want {
				t.Errorf("got %s (%v), want %s", got[0].Outcome, got[0].Err, tc.want)
			}
		})
	}
}

// A malformed user costs its own account the answer, not the batch.
func TestMalformedUserAmongOthers(t *testing.T) {
	body := `{"data":[{"id":"8","name":"Eight","username":"Eight","protected":"no"},{` + minimal + `}]}`
	got, err := readBody(platform.ByID, http.StatusOK, body, id("8"), id("7"))
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Outcome != platform.Unanswered || got[1].Outcome != platform.Found {
		t.Errorf("got %s and %s", got[0].Outcome, got[1].Outcome)
	}
}

func TestHandleLookup(t *testing.T) {
	answer := func(id, username string) string {
		return fmt.Sprintf(`{"data":[{"id":%q,"name":"n","username":%q}]}`, id, username)
	}
	tests := map[string]struct {
		ref, body string
		want      platform.Outcome
	}{
		"same":              {"Kelvin", answer("7", "Kelvin"), platform.Found},
		"other case":        {"KELVIN", answer("7", "kelvin"), platform.Found},
		"look-alike":        {"Kelvin", answer("7", "\u212Aelvin"), platform.Unanswered},
		"another":           {"Kelvin", answer("7", "Celsius"), platform.Unanswered},
		"id malformed":      {"Kelvin", answer("7a", "Kelvin"), platform.Unanswered},
		"id too long":       {"Kelvin", answer("12345678901234567890", "Kelvin"), platform.Unanswered},
		"missing":           {"Kelvin", `{"errors":[` + edit(edit(missing, `"value":"7"`, `"value":"kelvin"`), `"ids"`, `"usernames"`) + `]}`, platform.NotFound},
		"ref is look-alike": {"\u212Aelvin", answer("7", "kelvin"), platform.Unanswered},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readBody(platform.ByHandle, http.StatusOK, tc.body, handle(tc.ref))
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Outcome != tc.want {
				t.Errorf("got %s (%v), want %s", got[0].Outcome, got[0].Err, tc.want)
			}
		})
	}
}

func TestNotFoundStatus(t *testing.T) {
	tests := map[string]struct {
		body string
		want platform.Outcome // "" for an error of KindUnavailable
	}{
		"the problem itself":  {missing, platform.NotFound},
		"suspended":           {suspended, platform.Suspended},
		"errors":              {`{"errors":[` + missing + `]}`, platform.NotFound},
		"of another account":  {edit(missing, `"value":"7"`, `"value":"8"`), ""},
		"of nobody":           {edit(missing, `"value":"7",`, ``), ""},
		"no such path":        {`{"title":"Not Found","type":"about:blank","status":404}`, ""},
		"HTML":                {`<html>404</html>`, ""},
		"nothing":             {``, ""},
		"an unknown problem":  {edit(missing, "resource-not-found", "odd"), ""},
		"found all the same":  {`{"data":[{` + minimal + `}]}`, platform.Found},
		"a text":              {`"not found"`, ""},
		"errors of a request": {`{"errors":[{"code":34,"message":"Sorry, that page does not exist."}]}`, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readBody(platform.ByID, http.StatusNotFound, tc.body, id("7"))
			if tc.want == "" {
				if err == nil || platform.KindOf(err) != platform.KindUnavailable {
					t.Errorf("got %+v, %v; want KindUnavailable", got, err)
				}
				return
			}
			if err != nil || got[0].Outcome != tc.want {
				t.Errorf("got %+v, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func TestWholeAnswerMalformed(t *testing.T) {
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `7`, `"data"`, `{"data":[]}`, `{"data":null,"errors":[]}`, `{"data":{}}`, `{"data":"x"}`,
		`{"errors":{}}`, `{"data":[{` + minimal + `}]`, `{"data":[{` + minimal + `}]}]`, `<html>`, "\x00",
		`{"title":"Service Unavailable","type":"about:blank","status":503}`,
	} {
		got, err := readBody(platform.ByID, http.StatusOK, body, id("7"))
		if err == nil || platform.KindOf(err) != platform.KindUnavailable || got != nil {
			t.Errorf("%q: got %+v, %v; want KindUnavailable", body, got, err)
		}
	}
}
