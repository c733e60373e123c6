package platform

import "time"

// Field is one fact of a profile.
type Field uint16

// FieldSet is a set of fields.
type FieldSet uint16

// The fields of a profile.
const (
	FieldHandle Field = 1 << iota
	FieldDisplayName
	FieldBio
	FieldWebsite
	FieldAvatar
	FieldBanner
	FieldVerified
	FieldProtected
	FieldFollowers
	FieldPosts
	FieldLastPost // LastPostID; LastPostAt can be unknown all the same
	FieldLocation
)

// Fields builds a set.
func Fields(fields ...Field) FieldSet {
	var set FieldSet
	for _, f := range fields {
		set |= FieldSet(f)
	}
	return set
}

// Has reports whether f is in the set.
func (s FieldSet) Has(f Field) bool { return s&FieldSet(f) != 0 }

// Without is the set less the fields of other.
func (s FieldSet) Without(other FieldSet) FieldSet { return s &^ other }

// Profile is an account's public profile as the platform shows it. Text is
// already made safe to show (see Visible) and capped. A value that is empty is
// unset if its field is in the adapter's Readable and not in Unread; otherwise it
// is unknown.
type Profile struct {
	ID          string
	Handle      string
	DisplayName string
	Bio         string
	// Website is the target of the profile's link, not a shortener's URL.
	Website   string
	Location  string
	AvatarURL string
	BannerURL string
	Verified  bool
	// Protected accounts show their profile but not their posts.
	Protected bool
	Followers int64
	Posts     int64
	// LastPostID is the platform's id of the newest post, where it tells.
	LastPostID string
	// LastPostAt is the zero time where the platform does not tell.
	LastPostAt time.Time
	// Unread are the fields that the platform can tell but this answer did not, or
	// told in a form that cannot be used.
	Unread FieldSet
}

// The caps of a profile's text, in code points.
const (
	MaxDisplayName = 200
	MaxBio         = 2000
	MaxURL         = 2048
	MaxHandle      = 100
)
