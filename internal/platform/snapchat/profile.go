package snapchat

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

// profiles is the body of a page, of a search and of a single lookup.
type profiles struct {
	envelope
	Profiles []profileItem `json:"public_profiles"`
}

// profileItem is one profile and its own status, the third level.
type profileItem struct {
	item
	Profile *profile `json:"public_profile"`
}

// profile is the schema PublicProfile, as far as it is read.
type profile struct {
	ID           string `json:"id"`
	Organization string `json:"organization_id"`
	DisplayName  string `json:"display_name"`
	Description  string `json:"description"`
	UserName     string `json:"snap_user_name"`
	Website      string `json:"website"`
	Locality     string `json:"locality"`
	Logos        struct {
		Original string `json:"original_logo_url"`
	} `json:"logo_urls"`
	Tier        string          `json:"profile_tier"`
	Subscribers json.RawMessage `json:"subscriber_count"`
	malformed   bool
}

// plainProfile is a profile that does not mark itself.
type plainProfile profile

// read reads an answer with profiles. In one pass, if nothing in it is malformed: else
// each profile is read by itself.
func (p *profiles) read(op string, answer *platform.Answer) error {
	var plain struct {
		envelope
		Profiles []struct {
			item
			Profile *plainProfile `json:"public_profile"`
		} `json:"public_profiles"`
	}
	if answer.Status != http.StatusOK || json.Unmarshal(answer.Body, &plain) != nil {
		return decode(op, answer, p, &p.Status)
	}
	p.envelope, p.Profiles = plain.envelope, make([]profileItem, len(plain.Profiles))
	for i, one := range plain.Profiles {
		p.Profiles[i] = profileItem{one.item, (*profile)(one.Profile)}
	}
	return believe(op, p.Status)
}

// UnmarshalJSON marks a profile whose types are wrong instead of failing, so that it
// costs its own account the answer and not the whole page.
func (p *profile) UnmarshalJSON(b []byte) error {
	p.malformed = json.Unmarshal(b, (*plainProfile)(p)) != nil
	return nil
}

// tierOfficial is what makes a profile a verified one; the others are known not to be.
const tierOfficial = "TIER_PUBLIC_OFFICIAL"

var plainTiers = []string{"TIER_STANDARD", "TIER_PUBLIC"}

// valid reports whether a profile has what every profile has.
func (p *profile) valid() bool {
	return p != nil && !p.malformed && isID(p.ID) && p.UserName != "" && p.DisplayName != ""
}

// profile makes the text safe. Unread holds what was not told though it always is
// (tier, number of subscribers, picture), and what cannot be used.
func (p *profile) profile() platform.Profile {
	out := platform.Profile{
		ID:          p.ID,
		Handle:      platform.Visible(strings.TrimPrefix(p.UserName, "@"), platform.MaxHandle),
		DisplayName: platform.Visible(p.DisplayName, platform.MaxDisplayName),
		Bio:         platform.Visible(p.Description, platform.MaxBio),
		Location:    platform.Visible(p.Locality, platform.MaxBio),
	}
	unless := func(told bool, f platform.Field) {
		if !told {
			out.Unread |= platform.Fields(f)
		}
	}
	out.Verified = is(p.Tier, tierOfficial)
	unless(out.Verified || is(p.Tier, plainTiers...), platform.FieldVerified)
	var told bool
	out.Followers, told = count(p.Subscribers)
	unless(told, platform.FieldFollowers)
	if platform.IsWebLink(p.Logos.Original) {
		out.AvatarURL = platform.Visible(p.Logos.Original, platform.MaxURL)
	}
	unless(out.AvatarURL != "", platform.FieldAvatar)
	if platform.IsWebLink(p.Website) {
		out.Website = platform.Visible(p.Website, platform.MaxURL)
	}
	unless(out.Website != "" || p.Website == "", platform.FieldWebsite)
	return out
}

// count reads a number that is a text in the specification and a number in some
// answers.
func count(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

// isHandle: the characters of a Snapchat user name.
func isHandle(s string) bool { return len(s) >= 1 && len(s) <= 30 && wordsOf(s, "-_.") }

// wordsOf reports whether s is made of ASCII letters, digits and signs.
func wordsOf(s, signs string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune(signs, r)
	})
}

// lower folds ASCII alone, so that no look-alike becomes another's handle.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
