package youtube

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

type channel struct {
	Kind       string          `json:"kind"`
	Etag       string          `json:"etag"`
	ID         string          `json:"id"`
	Snippet    *channelSnippet `json:"snippet,omitempty"`
	Details    *channelDetails `json:"contentDetails,omitempty"`
	Statistics *statistics     `json:"statistics,omitempty"`
	Status     *channelStatus  `json:"status,omitempty"`
	Branding   *branding       `json:"brandingSettings,omitempty"`
}

type channelSnippet struct {
	Title       string     `json:"title"`
	Description string     `json:"description"`
	CustomURL   string     `json:"customUrl,omitempty"`
	PublishedAt string     `json:"publishedAt,omitempty"`
	Thumbnails  thumbnails `json:"thumbnails"`
	Localized   localized  `json:"localized"`
}

type localized struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

type thumbnails struct {
	Default thumbnail `json:"default"`
	Medium  thumbnail `json:"medium"`
	High    thumbnail `json:"high"`
}

type thumbnail struct {
	URL    string `json:"url"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

type channelDetails struct {
	RelatedPlaylists relatedPlaylists `json:"relatedPlaylists"`
}

type relatedPlaylists struct {
	Likes   string `json:"likes"`
	Uploads string `json:"uploads"`
}

// statistics are strings, although they are numbers.
type statistics struct {
	ViewCount             string `json:"viewCount"`
	SubscriberCount       string `json:"subscriberCount,omitempty"`
	HiddenSubscriberCount bool   `json:"hiddenSubscriberCount"`
	VideoCount            string `json:"videoCount"`
}

type channelStatus struct {
	PrivacyStatus     string `json:"privacyStatus"`
	IsLinked          bool   `json:"isLinked"`
	LongUploadsStatus string `json:"longUploadsStatus"`
	MadeForKids       bool   `json:"madeForKids"`
}

type branding struct {
	Channel brandingChannel `json:"channel"`
	Image   *brandingImage  `json:"image,omitempty"`
}

type brandingChannel struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

type brandingImage struct {
	BannerExternalURL string `json:"bannerExternalUrl"`
}

// channels is channels.list. Whoever is missing, terminated or suspended is just
// absent, and so is the key items if nobody is left.
func (s *server) channels(c *call) (answer, *fault) {
	filter, f := c.filter("id", "forHandle", "forUsername", "mine", "managedByMe", "mySubscribers", "categoryId")
	if f != nil {
		return answer{}, f
	}
	if c.parts["auditDetails"] {
		return answer{}, forbidden("insufficientPermissions", "The auditDetails part needs the scope youtubepartner-channel-audit.")
	}
	found, f := s.find(c, filter)
	if f != nil {
		return answer{}, f
	}
	p, f := pageOf(&c.ask, "channels "+strings.Join(c.list("id"), ","), len(found), c.number("maxResults", 5))
	if f != nil {
		return answer{}, f
	}
	items, tags := []*channel{}, []string{}
	for i := p.from; i < p.to; i++ {
		item := s.channel(c, &found[i])
		items, tags = append(items, item), append(tags, item.Etag)
	}
	out := p.answer("youtube#channelListResponse", items)
	if len(items) == 0 {
		out.Items = nil
	}
	out.Etag = etag(append(tags, out.NextPageToken)...)
	return out, nil
}

func (s *server) find(c *call, filter string) ([]world.Account, *fault) {
	switch filter {
	case "id":
		ids, f := s.ids(&c.ask)
		if f != nil {
			return nil, f
		}
		return s.visible(c, gate.Scatter(ids)), nil
	case "forHandle":
		return s.byHandle(c, strings.TrimPrefix(c.get("forHandle"), "@")), nil
	case "mine":
		account, f := s.own(c)
		return []world.Account{account}, f
	case "managedByMe", "mySubscribers":
		return nil, forbidden("forbidden", "The request is only for partners of YouTube.")
	}
	// Usernames and categories are of long ago: nobody here has one.
	return nil, nil
}

// visible are the accounts that the public sees, or what a fault makes of them.
func (s *server) visible(c *call, ids []string) []world.Account {
	if c.isLost() {
		return nil
	}
	found := make([]world.Account, 0, len(ids)+1)
	for _, id := range ids {
		if a, ok := s.world.Account(world.YouTube, id); ok && a.State == world.Active {
			found = append(found, a)
		}
	}
	return twist(found, c.lie)
}

func (s *server) byHandle(c *call, handle string) []world.Account {
	a, ok := s.world.AccountByHandle(world.YouTube, handle)
	if !ok {
		return nil
	}
	return s.visible(c, []string{a.ID})
}

// twist puts strangers into an answer where a fault says so.
func twist(found []world.Account, lie world.FaultKind) []world.Account {
	switch {
	case lie == world.FaultShuffleForeign:
		for i := range found {
			found[i] = stranger(found[i])
		}
	case lie == world.FaultExtraForeign && len(found) > 0:
		return append(slices.Clone(found), stranger(found[0]))
	}
	return found
}

// stranger is a channel nobody asked for, with the profile of one somebody did.
func stranger(a world.Account) world.Account {
	h := gate.Mix("stranger " + a.ID)
	a.ID = fmt.Sprintf("UC%022x", h)
	a.Handle = fmt.Sprintf("other_%08x", h>>32)
	return a
}

func (s *server) channel(c *call, a *world.Account) *channel {
	out := &channel{Kind: "youtube#channel", ID: a.ID}
	if c.parts["snippet"] {
		out.Snippet = &channelSnippet{
			Title: a.DisplayName, Description: a.Bio, CustomURL: s.customURL(a), PublishedAt: stamp(a.CreatedAt),
			Thumbnails: pictureOf(c.base, a.Image), Localized: localized{a.DisplayName, a.Bio},
		}
	}
	if c.parts["contentDetails"] {
		out.Details = &channelDetails{relatedPlaylists{Uploads: uploadsOf(a.ID)}}
		if c.token != nil && c.token.Account == a.ID {
			out.Details.RelatedPlaylists.Likes = likesOf(a.ID)
		}
	}
	if c.parts["statistics"] {
		out.Statistics = s.statistics(a)
	}
	if c.parts["status"] {
		out.Status = &channelStatus{PrivacyStatus: "public", IsLinked: true, LongUploadsStatus: "longUploadsUnspecified"}
	}
	if c.parts["brandingSettings"] {
		out.Branding = brandingOf(c.base, a)
	}
	out.Etag = etag(a.ID, a.Handle, a.DisplayName, a.Bio, a.Image, a.Banner, strconv.FormatInt(a.Followers, 36), strconv.FormatInt(a.Posts, 36))
	return out
}

func (s *server) customURL(a *world.Account) string {
	switch {
	case a.Handle == "":
		return ""
	case s.opts.LowerCaseHandles:
		return "@" + strings.ToLower(a.Handle)
	}
	return "@" + a.Handle
}

func (s *server) statistics(a *world.Account) *statistics {
	out := &statistics{ViewCount: strconv.FormatInt(a.Listed, 10), VideoCount: strconv.FormatInt(a.Posts, 10)}
	if s.opts.HideSubscribers {
		out.HiddenSubscriberCount = true
		return out
	}
	out.SubscriberCount = strconv.FormatInt(rounded(a.Followers), 10)
	return out
}

// rounded cuts a count to three digits that matter, as YouTube shows it to the public.
func rounded(n int64) int64 {
	scale := int64(1)
	for n/scale >= 1000 {
		scale *= 10
	}
	return n / scale * scale
}

func brandingOf(base string, a *world.Account) *branding {
	out := &branding{Channel: brandingChannel{a.DisplayName, a.Bio}}
	if url := imageURL(base, a.Banner); url != "" {
		out.Image = &brandingImage{url}
	}
	return out
}

// uploadsOf is the id of a channel's playlist of uploads.
func uploadsOf(id string) string { return "UU" + strings.TrimPrefix(id, "UC") }

func likesOf(id string) string { return "LL" + strings.TrimPrefix(id, "UC") }

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// baseURL begins picture URLs: where the client found us, unless configured.
func (s *server) baseURL(r *http.Request) string {
	if s.opts.BaseURL != "" {
		return strings.TrimSuffix(s.opts.BaseURL, "/")
	}
	return "http://" + r.Host
}
