package x

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// user is X's user object; members that were not asked for or are unset are absent.
type user struct {
	ID                string    `json:"id"`
	Name              string    `json:"name"`
	Username          string    `json:"username"`
	CreatedAt         string    `json:"created_at,omitempty"`
	Description       string    `json:"description,omitempty"`
	Location          string    `json:"location,omitempty"`
	URL               string    `json:"url,omitempty"`
	Entities          *entities `json:"entities,omitempty"`
	ProfileImageURL   string    `json:"profile_image_url,omitempty"`
	ProfileBannerURL  string    `json:"profile_banner_url,omitempty"`
	Protected         *bool     `json:"protected,omitempty"`
	Verified          *bool     `json:"verified,omitempty"`
	VerifiedType      string    `json:"verified_type,omitempty"`
	MostRecentTweetID string    `json:"most_recent_tweet_id,omitempty"`
	MostRecentPostID  string    `json:"most_recent_post_id,omitempty"`
	PinnedTweetID     string    `json:"pinned_tweet_id,omitempty"`
	PinnedPostID      string    `json:"pinned_post_id,omitempty"`
	PublicMetrics     *metrics  `json:"public_metrics,omitempty"`
}

type metrics struct {
	Followers int64  `json:"followers_count"`
	Following int64  `json:"following_count"`
	Tweets    *int64 `json:"tweet_count,omitempty"`
	Posts     *int64 `json:"post_count,omitempty"`
	Listed    int64  `json:"listed_count"`
	Likes     int64  `json:"like_count"`
}

type entities struct {
	URL urlEntities `json:"url"`
}

type urlEntities struct {
	URLs []urlEntity `json:"urls"`
}

type urlEntity struct {
	Start       int    `json:"start"`
	End         int    `json:"end"`
	URL         string `json:"url"`
	ExpandedURL string `json:"expanded_url"`
	DisplayURL  string `json:"display_url"`
}

// renderer shows accounts as one request wants them.
type renderer struct {
	baseURL  string
	fields   map[string]bool
	newNames bool
}

// setters fill in one member each. Fields of the enums that are not here are
// about the reader or about things a world does not hold, and stay absent.
var setters = map[string]func(r renderer, u *user, a *world.Account){
	"created_at": func(_ renderer, u *user, a *world.Account) {
		if !a.CreatedAt.IsZero() {
			u.CreatedAt = a.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z")
		}
	},
	"description":          func(_ renderer, u *user, a *world.Account) { u.Description = a.Bio },
	"location":             func(_ renderer, u *user, a *world.Account) { u.Location = a.Location },
	"url":                  func(_ renderer, u *user, a *world.Account) { u.URL = shorten(a.Website) },
	"entities":             func(_ renderer, u *user, a *world.Account) { u.Entities = entitiesOf(a) },
	"profile_image_url":    func(r renderer, u *user, a *world.Account) { u.ProfileImageURL = imageURL(r.baseURL, a) },
	"profile_banner_url":   func(r renderer, u *user, a *world.Account) { u.ProfileBannerURL = bannerURL(r.baseURL, a) },
	"protected":            func(_ renderer, u *user, a *world.Account) { u.Protected = &a.Protected },
	"verified":             func(_ renderer, u *user, a *world.Account) { u.Verified = &a.Verified },
	"verified_type":        func(_ renderer, u *user, a *world.Account) { u.VerifiedType = verifiedType(a) },
	"public_metrics":       func(r renderer, u *user, a *world.Account) { u.PublicMetrics = r.metrics(a) },
	"most_recent_tweet_id": renderer.mostRecent,
	"most_recent_post_id":  renderer.mostRecent,
	"pinned_tweet_id":      renderer.pinned,
	"pinned_post_id":       renderer.pinned,
}

func (r renderer) user(a *world.Account) *user {
	u := &user{ID: a.ID, Name: a.DisplayName, Username: a.Handle}
	for field := range r.fields {
		if set, ok := setters[field]; ok {
			set(r, u, a)
		}
	}
	return u
}

func (r renderer) mostRecent(u *user, a *world.Account) {
	if r.newNames {
		u.MostRecentPostID = a.LastPostID
		return
	}
	u.MostRecentTweetID = a.LastPostID
}

func (r renderer) pinned(u *user, a *world.Account) {
	if r.newNames {
		u.PinnedPostID = a.PinnedPostID
		return
	}
	u.PinnedTweetID = a.PinnedPostID
}

func (r renderer) metrics(a *world.Account) *metrics {
	m := &metrics{Followers: a.Followers, Following: a.Following, Listed: a.Listed, Likes: a.Likes}
	if r.newNames {
		m.Posts = &a.Posts
	} else {
		m.Tweets = &a.Posts
	}
	return m
}

func verifiedType(a *world.Account) string {
	if a.VerifiedType == "" {
		return "none"
	}
	return a.VerifiedType
}

func entitiesOf(a *world.Account) *entities {
	if a.Website == "" {
		return nil
	}
	short := shorten(a.Website)
	return &entities{urlEntities{[]urlEntity{{
		End: len(short), URL: short, ExpandedURL: a.Website, DisplayURL: display(a.Website),
	}}}}
}

// shorten makes a t.co link: X shows no website by its own address.
func shorten(website string) string {
	if website == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(website))
	return "https://t.co/" + hex.EncodeToString(sum[:5])
}

// display is the address without scheme, cut as X's clients do.
func display(website string) string {
	_, rest, _ := strings.Cut(website, "://")
	shown := []rune(strings.TrimSuffix(rest, "/"))
	if len(shown) > 30 {
		return string(shown[:29]) + "…"
	}
	return string(shown)
}
