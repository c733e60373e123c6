package youtube

import (
	"strings"

	api "google.golang.org/api/youtube/v3"

	"mithaq.dev/mithaq/internal/platform"
)

// profileOf makes the text safe. It reports false where the channel has no id, no
// title or no handle: the parts that hold them were asked for. Unread holds counts
// and images that were not told or cannot be used, and a hidden number of
// subscribers.
func profileOf(c *channel) (platform.Profile, bool) {
	if c.malformed || !isChannel(c.ID) || c.Snippet == nil || c.Snippet.Title == "" {
		return platform.Profile{}, false
	}
	handle := strings.TrimPrefix(c.Snippet.CustomURL, "@")
	if handle == "" {
		return platform.Profile{}, false
	}
	p := platform.Profile{
		ID:          c.ID,
		Handle:      platform.Visible(handle, platform.MaxHandle),
		DisplayName: platform.Visible(c.Snippet.Title, platform.MaxDisplayName),
		Bio:         platform.Visible(c.Snippet.Description, platform.MaxBio),
	}
	p.AvatarURL = avatar(c.Snippet.Thumbnails)
	if p.AvatarURL == "" {
		p.Unread |= platform.Fields(platform.FieldAvatar) // a channel always has one
	}
	p.BannerURL = banner(&p, c.Branding)
	counts(&p, c)
	return p, true
}

// avatar is the largest thumbnail.
func avatar(t *api.ThumbnailDetails) string {
	if t == nil {
		return ""
	}
	for _, size := range []*api.Thumbnail{t.High, t.Medium, t.Default} {
		if size != nil && platform.IsWebLink(size.Url) {
			return platform.Visible(size.Url, platform.MaxURL)
		}
	}
	return ""
}

// banner is absent where there is none; without its part it is unknown.
func banner(p *platform.Profile, b *api.ChannelBrandingSettings) string {
	switch {
	case b == nil:
	case b.Image == nil || b.Image.BannerExternalUrl == "":
		return ""
	case platform.IsWebLink(b.Image.BannerExternalUrl):
		return platform.Visible(b.Image.BannerExternalUrl, platform.MaxURL)
	}
	p.Unread |= platform.Fields(platform.FieldBanner)
	return ""
}

// counts reads the numbers.
func counts(p *platform.Profile, c *channel) {
	const most = 1 << 62
	s := c.Counts
	if s == nil || s.Subscribers == nil || s.Hidden || *s.Subscribers > most {
		p.Unread |= platform.Fields(platform.FieldFollowers)
	} else {
		p.Followers = int64(*s.Subscribers)
	}
	if s == nil || s.Videos == nil || *s.Videos > most {
		p.Unread |= platform.Fields(platform.FieldPosts)
	} else {
		p.Posts = int64(*s.Videos)
	}
}

// isChannel: every id in the documentation is UC and 22 characters of base64url;
// the length is not promised.
func isChannel(id string) bool {
	return len(id) > 2 && len(id) <= 64 && strings.HasPrefix(id, "UC") && isKey(id)
}

// isVideo bounds a video's id, whose length is not documented.
func isVideo(id string) bool { return id != "" && len(id) <= 64 && isKey(id) }

func isKey(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// isHandle admits what a handle without @ can be: letters and digits of many
// scripts, and a few signs, none of which parts a list or a query.
func isHandle(s string) bool {
	if s == "" || len(s) > 4*platform.MaxHandle {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7F || r == 0xFFFD || strings.ContainsRune(",@/&=?#%+\\\"'<>|", r)
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
