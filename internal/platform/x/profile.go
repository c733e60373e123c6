package x

import (
	"cmp"
	"encoding/json"
	"net/url"
	"unicode/utf8"

	"mithaq.dev/mithaq/internal/platform"
)

// users is the body of a lookup.
type users struct {
	Data   []user           `json:"data"`
	Errors []accountProblem `json:"errors"`
}

// user is the schema User, in both spellings.
type user struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Username    string `json:"username"`
	Description string `json:"description"`
	Location    string `json:"location"`
	URL         string `json:"url"`
	Entities    struct {
		URL struct {
			URLs []link `json:"urls"`
		} `json:"url"`
	} `json:"entities"`
	ImageURL        string  `json:"profile_image_url"`
	BannerURL       string  `json:"profile_banner_url"`
	Protected       *bool   `json:"protected"`
	Verified        *bool   `json:"verified"`
	Metrics         metrics `json:"public_metrics"`
	MostRecentTweet string  `json:"most_recent_tweet_id"`
	MostRecentPost  string  `json:"most_recent_post_id"`
	malformed       bool
}

type link struct {
	URL         string `json:"url"`
	ExpandedURL string `json:"expanded_url"`
	UnwoundURL  string `json:"unwound_url"`
}

type metrics struct {
	Followers *int64 `json:"followers_count"`
	Tweets    *int64 `json:"tweet_count"`
	Posts     *int64 `json:"post_count"`
}

// plainUser is a user that does not mark itself.
type plainUser user

// read reads the body of a lookup. In one pass, if nothing in it is malformed: else
// each user is read by itself.
func (u *users) read(op string, answer *platform.Answer) error {
	var plain struct {
		Data   []plainUser      `json:"data"`
		Errors []accountProblem `json:"errors"`
	}
	if json.Unmarshal(answer.Body, &plain) != nil {
		return answer.DecodeJSON(op, u)
	}
	u.Data, u.Errors = make([]user, len(plain.Data)), plain.Errors
	for i := range plain.Data {
		u.Data[i] = user(plain.Data[i])
	}
	return nil
}

// UnmarshalJSON marks a user whose types are wrong instead of failing, so that
// it costs its own account the answer and not the whole batch.
func (u *user) UnmarshalJSON(b []byte) error {
	u.malformed = json.Unmarshal(b, (*plainUser)(u)) != nil
	return nil
}

// profile makes the text safe. Unread holds what was not asked for, what was not
// told though it always is (flags and counts), and what cannot be used (a link
// that is not http or https, a number below zero). LastPostAt stays zero: the
// contract has no field for it.
func (u *user) profile(unread platform.FieldSet) platform.Profile {
	p := platform.Profile{
		ID:          u.ID,
		Handle:      platform.Visible(u.Username, platform.MaxHandle),
		DisplayName: platform.Visible(u.Name, platform.MaxDisplayName),
		Bio:         platform.Visible(u.Description, platform.MaxBio),
		Location:    platform.Visible(u.Location, platform.MaxBio),
		LastPostID:  cmp.Or(u.MostRecentTweet, u.MostRecentPost),
		Unread:      unread,
	}
	unless := func(told bool, f platform.Field) {
		if !told {
			p.Unread |= platform.Fields(f)
		}
	}
	var told bool
	p.Website, told = usable(u.target(), u.URL)
	unless(told, platform.FieldWebsite)
	p.AvatarURL, told = usable(u.ImageURL)
	unless(told, platform.FieldAvatar)
	p.BannerURL, told = usable(u.BannerURL)
	unless(told, platform.FieldBanner)
	p.Verified, told = value(u.Verified)
	unless(told, platform.FieldVerified)
	p.Protected, told = value(u.Protected)
	unless(told, platform.FieldProtected)
	p.Followers, told = count(u.Metrics.Followers)
	unless(told, platform.FieldFollowers)
	p.Posts, told = count(cmp.Or(u.Metrics.Tweets, u.Metrics.Posts))
	unless(told, platform.FieldPosts)
	if p.LastPostID != "" && !isID(p.LastPostID) {
		p.LastPostID = ""
		unless(false, platform.FieldLastPost)
	}
	return p
}

// target is where the profile's shortened link leads, or "" if that is not told.
func (u *user) target() string {
	for _, l := range u.Entities.URL.URLs {
		if l.URL == u.URL || u.URL == "" {
			return l.ExpandedURL
		}
	}
	return ""
}

// usable is the first of the links that is one of the web, safe to show. It
// reports false if there were links and none is: the field is then not unset.
func usable(links ...string) (string, bool) {
	unset := true
	for _, l := range links {
		if l == "" {
			continue
		}
		unset = false
		u, err := url.Parse(l)
		if err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") &&
			utf8.RuneCountInString(l) <= platform.MaxURL {
			return platform.Visible(l, platform.MaxURL), true
		}
	}
	return "", unset
}

func value(flag *bool) (value, told bool) { return flag != nil && *flag, flag != nil }

func count(n *int64) (int64, bool) {
	if n == nil || *n < 0 {
		return 0, false
	}
	return *n, true
}
