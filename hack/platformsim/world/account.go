package world

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Platform names a social network.
type Platform string

// Platforms a world can hold; which of them is served is up to the process.
const (
	X         Platform = "X"
	Instagram Platform = "Instagram"
	Facebook  Platform = "Facebook"
	YouTube   Platform = "YouTube"
	Snapchat  Platform = "Snapchat"
)

// ParsePlatform reads a platform's name in any case; others fail with ErrInvalid.
func ParsePlatform(name string) (Platform, error) {
	for p := range rules {
		if strings.EqualFold(name, string(p)) {
			return p, nil
		}
	}
	return "", fmt.Errorf("platform %q: %w: want X, Instagram, Facebook, YouTube or Snapchat", name, ErrInvalid)
}

// State is what has become of an account.
type State string

// States of an account. A Deleted one no longer holds its handle.
const (
	Active      State = "Active"
	Suspended   State = "Suspended"
	Deactivated State = "Deactivated"
	Deleted     State = "Deleted"
)

// Account is one profile. ID and Platform never change; an empty text field is
// unset. Image and Banner are names known to Image. Counts are not negative.
type Account struct {
	Platform     Platform  `json:"platform"`
	ID           string    `json:"id"`
	Handle       string    `json:"handle,omitempty"`
	DisplayName  string    `json:"displayName,omitempty"`
	Bio          string    `json:"bio,omitempty"`
	Location     string    `json:"location,omitempty"`
	Website      string    `json:"website,omitempty"`
	Image        string    `json:"image,omitempty"`
	Banner       string    `json:"banner,omitempty"`
	Verified     bool      `json:"verified"`
	VerifiedType string    `json:"verifiedType,omitempty"`
	Protected    bool      `json:"protected"`
	State        State     `json:"state"`
	Followers    int64     `json:"followers"`
	Following    int64     `json:"following"`
	Posts        int64     `json:"posts"`
	Listed       int64     `json:"listed"`
	Likes        int64     `json:"likes"`
	CreatedAt    time.Time `json:"createdAt,omitzero"`
	LastPostID   string    `json:"lastPostID,omitempty"`
	PinnedPostID string    `json:"pinnedPostID,omitempty"`
	// Owner is the id of the portfolio, organisation or domain that holds the
	// account; empty is none.
	Owner string `json:"owner,omitempty"`
	// Linked is the id of the account on the sister platform (a Page's Instagram
	// account and the other way round).
	Linked string `json:"linked,omitempty"`
	// Engaged counts the people engaged with the account in 24 hours, or its
	// impressions, for limits that depend on it; 0 leaves it to the simulator.
	Engaged int64 `json:"engaged,omitempty"`
	// Unpublished: its holders took it off the net, and still see it.
	Unpublished bool `json:"unpublished,omitempty"`
}

// rule is what a platform demands of the names of an account.
type rule struct{ id, handle, post *regexp.Regexp }

var (
	anyName = regexp.MustCompile(`^[^\s/@][^\s/]{0,127}$`)
	// The OpenAPI of X, schemas UserId, UserName and TweetId.
	xNumber = regexp.MustCompile(`^[0-9]{1,19}$`)
	xHandle = regexp.MustCompile(`^[A-Za-z0-9_]{1,15}$`)
)

var rules = map[Platform]rule{
	X:         {xNumber, xHandle, xNumber},
	Instagram: {anyName, anyName, anyName},
	Facebook:  {anyName, regexp.MustCompile(`^([^\s/@][^\s/]{0,127})?$`), anyName},
	YouTube:   {anyName, anyName, anyName},
	Snapchat:  {anyName, anyName, anyName},
}

// normalise fills in what a platform fills in by itself.
func (a *Account) normalise() {
	if a.State == "" {
		a.State = Active
	}
	if a.DisplayName == "" {
		a.DisplayName = a.Handle
	}
}

func (a *Account) validate() error {
	for _, check := range []func(*Account) error{checkNames, checkEnums, checkPosts, checkCounts, checkLinks} {
		if err := check(a); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return nil
}

func checkNames(a *Account) error {
	r, ok := rules[a.Platform]
	switch {
	case !ok:
		return fmt.Errorf("unknown platform %q", a.Platform)
	case !r.id.MatchString(a.ID):
		return fmt.Errorf("id %q does not match %s", a.ID, r.id)
	case !r.handle.MatchString(a.Handle):
		return fmt.Errorf("handle %q does not match %s", a.Handle, r.handle)
	}
	return nil
}

func checkEnums(a *Account) error {
	switch a.State {
	case Active, Suspended, Deactivated, Deleted:
	default:
		return fmt.Errorf("state %q is not Active, Suspended, Deactivated or Deleted", a.State)
	}
	switch a.VerifiedType {
	case "", "none", "blue", "business", "government":
		return nil
	}
	return fmt.Errorf("verifiedType %q is not blue, business, government or none", a.VerifiedType)
}

func checkPosts(a *Account) error {
	for name, id := range map[string]string{"lastPostID": a.LastPostID, "pinnedPostID": a.PinnedPostID} {
		if id != "" && !rules[a.Platform].post.MatchString(id) {
			return fmt.Errorf("%s %q does not match %s", name, id, rules[a.Platform].post)
		}
	}
	return nil
}

func checkCounts(a *Account) error {
	if min(a.Followers, a.Following, a.Posts, a.Listed, a.Likes, a.Engaged) < 0 {
		return fmt.Errorf("a count is negative")
	}
	return nil
}

func checkLinks(a *Account) error {
	for _, name := range []string{a.Image, a.Banner} {
		if _, _, err := parseImage(name); name != "" && err != nil {
			return err
		}
	}
	if a.Website == "" {
		return nil
	}
	u, err := url.Parse(a.Website)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("website %q is not an absolute http(s) URL", a.Website)
	}
	return nil
}
