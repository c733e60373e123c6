package x

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"mithaq.dev/mithaq/internal/platform"
)

// profileOf is the profile of a user with more members than the minimal ones.
func profileOf(t *testing.T, more string) platform.Profile {
	t.Helper()
	got, err := readBody(platform.ByID, http.StatusOK, `{"data":[{`+minimal+more+`}]}`, id("7"))
	if err != nil || got[0].Outcome != platform.Found {
		t.Fatalf("got %+v, %v", got, err)
	}
	return *got[0].Profile
}

func TestWebsite(t *testing.T) {
	entities := func(url, expanded string) string {
		return `,"entities":{"url":{"urls":[{"url":"` + url + `","expanded_url":"` + expanded + `"}]}}`
	}
	const short = `,"url":"https://t.co/a"`
	tests := map[string]struct {
		more, want string
		unread     bool
	}{
		"none":                   {"", "", false},
		"expanded":               {short + entities("https://t.co/a", "https://mithaq.dev/"), "https://mithaq.dev/", false},
		"expanded, no url":       {entities("https://t.co/a", "https://mithaq.dev/"), "https://mithaq.dev/", false},
		"no expansion":           {short, "https://t.co/a", false},
		"expansion of another":   {short + entities("https://t.co/b", "https://mithaq.dev/"), "https://t.co/a", false},
		"expansion is no link":   {short + entities("https://t.co/a", "javascript:alert(1)"), "https://t.co/a", false},
		"expansion has no host":  {short + entities("https://t.co/a", "https:///x"), "https://t.co/a", false},
		"plain http":             {`,"url":"http://example.org"`, "http://example.org", false},
		"no link at all":         {`,"url":"javascript:alert(1)"`, "", true},
		"another scheme":         {`,"url":"ftp://example.org"`, "", true},
		"longer than the cap":    {`,"url":"https://example.org/` + strings.Repeat("x", platform.MaxURL) + `"`, "", true},
		"text that turns around": {`,"url":"https://example.org/\u202Egpj.exe"`, "https://example.org/⟨U+202E⟩gpj.exe", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := profileOf(t, tc.more)
			if p.Website != tc.want || p.Unread.Has(platform.FieldWebsite) != tc.unread {
				t.Errorf("got %q, unread %v; want %q, %v", p.Website, p.Unread.Has(platform.FieldWebsite), tc.want, tc.unread)
			}
		})
	}
}

func TestProfileText(t *testing.T) {
	p := profileOf(t, `,"description":"a\u202Eb\u0000c","location":"`+strings.Repeat("ق", platform.MaxBio+1)+`"`)
	if want := "a⟨U+202E⟩b⟨U+0000⟩c"; p.Bio != want {
		t.Errorf("bio %q, want %q", p.Bio, want)
	}
	if n := utf8.RuneCountInString(p.Location); n != platform.MaxBio || !strings.HasSuffix(p.Location, "…") {
		t.Errorf("the location has %d code points, want %d with an ellipsis", n, platform.MaxBio)
	}
}

func TestUnread(t *testing.T) {
	always := platform.Fields(platform.FieldVerified, platform.FieldProtected, platform.FieldFollowers, platform.FieldPosts)
	tests := map[string]struct {
		more string
		want platform.FieldSet
	}{
		"nothing told": {"", always},
		"all told": {
			`,"verified":false,"protected":false,"public_metrics":{"followers_count":0,"tweet_count":0}`, 0,
		},
		"a count below zero": {
			`,"verified":true,"protected":true,"public_metrics":{"followers_count":-1,"tweet_count":3}`,
			platform.Fields(platform.FieldFollowers),
		},
		"an odd post id": {`,"most_recent_tweet_id":"newest"`, always | platform.Fields(platform.FieldLastPost)},
		"an odd avatar":  {`,"profile_image_url":"data:x"`, always | platform.Fields(platform.FieldAvatar)},
		"an odd banner":  {`,"profile_banner_url":"x"`, always | platform.Fields(platform.FieldBanner)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := profileOf(t, tc.more).Unread; got != tc.want {
				t.Errorf("got %b, want %b", got, tc.want)
			}
		})
	}
}

// Every field that the adapter calls readable comes from what is always told or
// from a wanted user.field; without that one it is unread.
func TestReadableFieldsAreAskedFor(t *testing.T) {
	told := platform.Fields(platform.FieldHandle, platform.FieldDisplayName) | unasked(nil)
	if got := Adapter().Readable; got != told {
		t.Errorf("readable %b, asked for %b", got, told)
	}
}
