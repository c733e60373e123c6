package youtube

import (
	"strconv"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

type playlistItem struct {
	Kind    string           `json:"kind"`
	Etag    string           `json:"etag"`
	ID      string           `json:"id"`
	Snippet *playlistSnippet `json:"snippet,omitempty"`
	Details *playlistDetails `json:"contentDetails,omitempty"`
	Status  *privacy         `json:"status,omitempty"`
}

type playlistSnippet struct {
	PublishedAt  string     `json:"publishedAt"`
	ChannelID    string     `json:"channelId"`
	Title        string     `json:"title"`
	Description  string     `json:"description"`
	Thumbnails   thumbnails `json:"thumbnails"`
	ChannelTitle string     `json:"channelTitle"`
	PlaylistID   string     `json:"playlistId"`
	Position     int        `json:"position"`
	ResourceID   resourceID `json:"resourceId"`
}

type resourceID struct {
	Kind      string `json:"kind"`
	VideoID   string `json:"videoId,omitempty"`
	ChannelID string `json:"channelId,omitempty"`
}

type playlistDetails struct {
	VideoID          string `json:"videoId"`
	VideoPublishedAt string `json:"videoPublishedAt"`
}

type privacy struct {
	PrivacyStatus string `json:"privacyStatus"`
}

// uploads are the videos of a channel that this call may see, newest first.
func (s *server) uploads(c *call, account string) []world.Post {
	var out []world.Post
	for _, p := range s.world.Posts(world.YouTube, account, world.PostQuery{Actions: []world.Action{world.Publish}}) {
		if c.sees(&p) {
			out = append(out, p)
		}
	}
	return out
}

// sees: a hidden video is its own channel's only.
func (c *call) sees(p *world.Post) bool {
	return !p.Hidden || c.token != nil && c.token.Account == p.Account
}

// playlistItems serves the uploads of a channel.
func (s *server) playlistItems(c *call) (answer, *fault) {
	filter, f := c.filter("playlistId", "id")
	if f != nil {
		return answer{}, f
	}
	account, ok := s.uploader(c.get("playlistId"))
	if filter != "playlistId" || !ok || c.isLost() {
		return answer{}, notFound("playlistNotFound", "playlistId", "The playlist identified with the request's playlistId parameter cannot be found.")
	}
	videos := s.uploads(c, account.ID)
	p, f := pageOf(&c.ask, c.get("playlistId"), len(videos), c.number("maxResults", 5))
	if f != nil {
		return answer{}, f
	}
	items := []*playlistItem{}
	for i := p.from; i < p.to; i++ {
		if want := c.get("videoId"); want == "" || want == videos[i].ID {
			items = append(items, c.playlistItem(&account, &videos[i], i))
		}
	}
	return p.answer("youtube#playlistItemListResponse", foreignItems(items, c.lie)), nil
}

// uploader is whose playlist of uploads this is.
func (s *server) uploader(playlist string) (world.Account, bool) {
	owner, ok := strings.CutPrefix(playlist, "UU")
	account, known := s.world.Account(world.YouTube, "UC"+owner)
	return account, ok && known && account.State == world.Active
}

// foreignItems puts in another's videos where a fault says so.
func foreignItems(items []*playlistItem, lie world.FaultKind) []*playlistItem {
	if lie != world.FaultShuffleForeign && lie != world.FaultExtraForeign || len(items) == 0 {
		return items
	}
	other := stranger(world.Account{ID: items[0].ID})
	foreign := *items[0]
	foreign.ID = "VVV" + other.ID
	if d := foreign.Details; d != nil {
		foreign.Details = &playlistDetails{strconv.FormatUint(gate.Mix(other.ID), 36)[:11], d.VideoPublishedAt}
	}
	if n := foreign.Snippet; n != nil {
		snippet := *n
		snippet.ChannelID = other.ID
		foreign.Snippet = &snippet
	}
	if lie == world.FaultShuffleForeign {
		return []*playlistItem{&foreign}
	}
	return append(items, &foreign)
}

// titleOf is the first line of a post, the rest the description.
func titleOf(p *world.Post) (title, description string) {
	title, description, _ = strings.Cut(p.Text, "\n")
	return title, description
}

func (c *call) playlistItem(a *world.Account, p *world.Post, position int) *playlistItem {
	out := &playlistItem{Kind: "youtube#playlistItem", Etag: etag("item", p.ID, p.Text), ID: "VVV" + strings.TrimPrefix(a.ID, "UC") + "." + p.ID}
	if c.parts["snippet"] {
		title, description := titleOf(p)
		out.Snippet = &playlistSnippet{
			PublishedAt: stamp(p.Created), ChannelID: a.ID, Title: title, Description: description, Thumbnails: pictureOf(c.base, p.Image),
			ChannelTitle: a.DisplayName, PlaylistID: uploadsOf(a.ID), Position: position, ResourceID: resourceID{Kind: "youtube#video", VideoID: p.ID},
		}
	}
	if c.parts["contentDetails"] {
		out.Details = &playlistDetails{p.ID, stamp(p.Created)}
	}
	if c.parts["status"] {
		out.Status = &privacy{privacyOf(p)}
	}
	return out
}

func privacyOf(p *world.Post) string {
	if p.Hidden {
		return "private"
	}
	return "public"
}

type video struct {
	Kind       string        `json:"kind"`
	Etag       string        `json:"etag"`
	ID         string        `json:"id"`
	Snippet    *videoSnippet `json:"snippet,omitempty"`
	Status     *videoStatus  `json:"status,omitempty"`
	Statistics *videoNumbers `json:"statistics,omitempty"`
}

type videoSnippet struct {
	PublishedAt          string     `json:"publishedAt"`
	ChannelID            string     `json:"channelId"`
	Title                string     `json:"title"`
	Description          string     `json:"description"`
	Thumbnails           thumbnails `json:"thumbnails"`
	ChannelTitle         string     `json:"channelTitle"`
	CategoryID           string     `json:"categoryId"`
	LiveBroadcastContent string     `json:"liveBroadcastContent"`
	Localized            localized  `json:"localized"`
}

type videoStatus struct {
	UploadStatus        string `json:"uploadStatus"`
	PrivacyStatus       string `json:"privacyStatus"`
	License             string `json:"license"`
	Embeddable          bool   `json:"embeddable"`
	PublicStatsViewable bool   `json:"publicStatsViewable"`
	MadeForKids         bool   `json:"madeForKids"`
}

type videoNumbers struct {
	ViewCount     string `json:"viewCount"`
	LikeCount     string `json:"likeCount"`
	FavoriteCount string `json:"favoriteCount"`
	CommentCount  string `json:"commentCount"`
}

// videos serves videos by id, or those that the token's channel likes. Those that
// cannot be seen are absent.
func (s *server) videos(c *call) (answer, *fault) {
	filter, f := c.filter("id", "myRating", "chart")
	if f != nil {
		return answer{}, f
	}
	ids, size := []string(nil), maxIDs
	switch filter {
	case "id":
		ids, f = s.ids(&c.ask)
		ids = gate.Scatter(ids)
	case "myRating":
		size = c.number("maxResults", 5)
		ids, f = s.liked(c)
	default:
		return answer{}, badRequest("invalidFilters", "chart", "Charts are not simulated.")
	}
	if f != nil {
		return answer{}, f
	}
	found := s.watchable(c, ids)
	p, f := pageOf(&c.ask, "videos", len(found), size)
	if f != nil {
		return answer{}, f
	}
	items := []*video{}
	for i := p.from; i < p.to; i++ {
		items = append(items, s.video(c, &found[i]))
	}
	return p.answer("youtube#videoListResponse", items), nil
}

func (s *server) watchable(c *call, ids []string) []world.Post {
	var found []world.Post
	for _, id := range ids {
		p, ok := s.world.Post(world.YouTube, id)
		if ok && p.Deleted.IsZero() && p.Action == world.Publish && c.sees(&p) && s.active(p.Account) && !c.isLost() {
			found = append(found, p)
		}
	}
	return found
}

func (s *server) active(account string) bool {
	a, ok := s.world.Account(world.YouTube, account)
	return ok && a.State == world.Active
}

func (s *server) liked(c *call) ([]string, *fault) {
	account, f := s.own(c)
	if f != nil {
		return nil, f
	}
	if c.get("myRating") != "like" {
		return nil, nil
	}
	var ids []string
	for _, p := range s.world.Posts(world.YouTube, account.ID, world.PostQuery{Actions: []world.Action{world.Like}}) {
		ids = append(ids, p.Target)
	}
	return ids, nil
}

func (s *server) video(c *call, p *world.Post) *video {
	a, _ := s.world.Account(world.YouTube, p.Account)
	out := &video{Kind: "youtube#video", Etag: etag("video", p.ID, p.Text), ID: p.ID}
	if c.parts["snippet"] {
		title, description := titleOf(p)
		out.Snippet = &videoSnippet{
			PublishedAt: stamp(p.Created), ChannelID: a.ID, Title: title, Description: description, Thumbnails: pictureOf(c.base, p.Image),
			ChannelTitle: a.DisplayName, CategoryID: "22", LiveBroadcastContent: "none", Localized: localized{title, description},
		}
	}
	if c.parts["status"] {
		out.Status = &videoStatus{UploadStatus: "processed", PrivacyStatus: privacyOf(p), License: "youtube", Embeddable: true, PublicStatsViewable: true}
	}
	if c.parts["statistics"] {
		comments := s.world.PostsAbout(world.YouTube, p.ID, world.PostQuery{Actions: []world.Action{world.Reply}})
		likes := s.world.PostsAbout(world.YouTube, p.ID, world.PostQuery{Actions: []world.Action{world.Like}})
		out.Statistics = &videoNumbers{"0", strconv.Itoa(len(likes)), "0", strconv.Itoa(len(comments))}
	}
	return out
}
