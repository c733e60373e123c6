package youtube

import (
	"cmp"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

type subscription struct {
	Kind    string               `json:"kind"`
	Etag    string               `json:"etag"`
	ID      string               `json:"id"`
	Snippet *subscriptionSnippet `json:"snippet,omitempty"`
}

type subscriptionSnippet struct {
	PublishedAt string     `json:"publishedAt"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	ResourceID  resourceID `json:"resourceId"`
	ChannelID   string     `json:"channelId"`
	Thumbnails  thumbnails `json:"thumbnails"`
}

// subscriptions serves whom a channel follows, unless it keeps that private.
func (s *server) subscriptions(c *call) (answer, *fault) {
	a, f := s.subscriber(c)
	if f != nil {
		return answer{}, f
	}
	follows := slices.DeleteFunc(
		s.world.Posts(world.YouTube, a.ID, world.PostQuery{Actions: []world.Action{world.Follow}}),
		func(p world.Post) bool {
			return !s.active(p.Target) || c.get("forChannelId") != "" && !slices.Contains(strings.Split(c.get("forChannelId"), ","), p.Target)
		},
	)
	p, f := pageOf(&c.ask, "subscriptions "+a.ID, len(follows), c.number("maxResults", 5))
	if f != nil {
		return answer{}, f
	}
	items := []*subscription{}
	for i := p.from; i < p.to; i++ {
		items = append(items, s.subscription(c, &a, &follows[i]))
	}
	return p.answer("youtube#SubscriptionListResponse", items), nil
}

func (s *server) subscriber(c *call) (world.Account, *fault) {
	filter, f := c.filter("channelId", "mine", "id", "myRecentSubscribers", "mySubscribers")
	if f != nil {
		return world.Account{}, f
	}
	switch filter {
	case "mine":
		return s.own(c)
	case "channelId":
	default:
		return world.Account{}, forbidden("forbidden", "The filter is not simulated.")
	}
	a, ok := s.world.Account(world.YouTube, c.get("channelId"))
	if f := s.gone(c, a, ok); f != nil {
		return a, f
	}
	if a.Protected && (c.token == nil || c.token.Account != a.ID) {
		return a, forbidden("subscriptionForbidden", "The requester is not allowed to access the requested subscriptions.")
	}
	return a, nil
}

// gone is why a channel's subscriptions cannot be read, if it is not there.
func (s *server) gone(c *call, a world.Account, ok bool) *fault {
	switch {
	case ok && a.State == world.Active && !c.isLost():
		return nil
	case !ok, !s.opts.ProbeTells, c.lie == world.FaultAllNotFound:
		return notFound("subscriberNotFound", "channelId", "The subscriber identified with the request cannot be found.")
	case a.State == world.Suspended, c.lie == world.FaultAllSuspended:
		return forbidden("accountSuspended", "The subscriber's account is suspended.")
	}
	return forbidden("accountClosed", "The subscriber's account is closed.")
}

func (s *server) subscription(c *call, a *world.Account, p *world.Post) *subscription {
	out := &subscription{Kind: "youtube#subscription", Etag: etag("subscription", p.ID), ID: p.ID}
	if c.parts["snippet"] {
		to, _ := s.world.Account(world.YouTube, p.Target)
		out.Snippet = &subscriptionSnippet{
			PublishedAt: stamp(p.Created), Title: to.DisplayName, Description: to.Bio, ChannelID: a.ID,
			ResourceID: resourceID{Kind: "youtube#channel", ChannelID: to.ID}, Thumbnails: pictureOf(c.base, to.Image),
		}
	}
	return out
}

func (s *server) searchMethod() *method {
	params := map[string]param{
		"part": aList, "q": aText, "type": aList, "maxResults": aNumber(0, 50), "pageToken": aText, "forMine": aBool,
		"forContentOwner": aBool, "forDeveloper": aBool,
		"channelType": oneOf("channelTypeUnspecified", "any", "show"),
		"order":       oneOf("searchSortUnspecified", "date", "rating", "viewCount", "relevance", "title", "videoCount"),
		"safeSearch":  oneOf("safeSearchSettingUnspecified", "none", "moderate", "strict"),
	}
	for _, name := range []string{
		"channelId", "eventType", "location", "locationRadius", "onBehalfOfContentOwner", "publishedAfter", "publishedBefore", "regionCode",
		"relevanceLanguage", "topicId", "videoCaption", "videoCategoryId", "videoDefinition", "videoDimension", "videoDuration",
		"videoEmbeddable", "videoLicense", "videoPaidProductPlacement", "videoSyndicated", "videoType",
	} {
		params[name] = aText
	}
	return &method{endpoint: EndpointSearch, bucket: BucketSearches, serve: s.search, parts: []string{"id", "snippet"}, params: params}
}

type searchResult struct {
	Kind    string         `json:"kind"`
	Etag    string         `json:"etag"`
	ID      resourceID     `json:"id"`
	Snippet *searchSnippet `json:"snippet,omitempty"`
}

type searchSnippet struct {
	PublishedAt          string     `json:"publishedAt,omitempty"`
	ChannelID            string     `json:"channelId"`
	Title                string     `json:"title"`
	Description          string     `json:"description"`
	Thumbnails           thumbnails `json:"thumbnails"`
	ChannelTitle         string     `json:"channelTitle"`
	LiveBroadcastContent string     `json:"liveBroadcastContent"`
	PublishTime          string     `json:"publishTime,omitempty"`
}

// search finds channels whose name, handle or text contains all words. Videos and
// playlists are never found here.
func (s *server) search(c *call) (answer, *fault) {
	found := s.matches(c)
	p, f := pageOf(&c.ask, "search "+c.get("q"), len(found), c.number("maxResults", 5))
	if f != nil {
		return answer{}, f
	}
	items := []*searchResult{}
	for _, a := range found[p.from:p.to] {
		item := &searchResult{Kind: "youtube#searchResult", Etag: etag("search", a.ID), ID: resourceID{Kind: "youtube#channel", ChannelID: a.ID}}
		if c.parts["snippet"] {
			item.Snippet = &searchSnippet{
				PublishedAt: stamp(a.CreatedAt), ChannelID: a.ID, Title: a.DisplayName, Description: a.Bio, ChannelTitle: a.DisplayName,
				Thumbnails: pictureOf(c.base, a.Image), LiveBroadcastContent: "upcoming", PublishTime: stamp(a.CreatedAt),
			}
		}
		items = append(items, item)
	}
	return p.answer("youtube#searchListResponse", items), nil
}

func (s *server) matches(c *call) []world.Account {
	types := c.list("type")
	if len(types) > 0 && !slices.Contains(types, "channel") || c.isLost() {
		return nil
	}
	words := strings.Fields(strings.ToLower(c.get("q")))
	var found []world.Account
	s.world.Accounts(world.YouTube, func(a *world.Account) bool {
		shown := strings.ToLower(a.DisplayName + " " + a.Handle + " " + a.Bio)
		if a.State == world.Active && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(shown, w) }) {
			found = append(found, *a)
		}
		return true
	})
	slices.SortFunc(found, func(a, b world.Account) int {
		return cmp.Or(cmp.Compare(b.Followers, a.Followers), cmp.Compare(a.ID, b.ID))
	})
	return twist(found, c.lie)
}

func (s *server) commentMethod() *method {
	return &method{
		endpoint: EndpointCommentThreads, bucket: BucketUnits, serve: s.commentThreads, parts: []string{"id", "replies", "snippet"},
		scopes: []string{scopeBase + "youtube.force-ssl"},
		params: map[string]param{
			"part": aList, "id": aList, "allThreadsRelatedToChannelId": aText, "channelId": aText, "videoId": aText,
			"maxResults": aNumber(1, 100), "pageToken": aText, "searchTerms": aText,
			"moderationStatus": oneOf("published", "heldForReview", "likelySpam", "rejected"),
			"order":            oneOf("orderUnspecified", "time", "relevance"), "textFormat": oneOf("textFormatUnspecified", "html", "plainText"),
		},
	}
}

type thread struct {
	Kind    string         `json:"kind"`
	Etag    string         `json:"etag"`
	ID      string         `json:"id"`
	Snippet *threadSnippet `json:"snippet,omitempty"`
}

type threadSnippet struct {
	ChannelID       string  `json:"channelId"`
	VideoID         string  `json:"videoId"`
	TopLevelComment comment `json:"topLevelComment"`
	CanReply        bool    `json:"canReply"`
	TotalReplyCount int     `json:"totalReplyCount"`
	IsPublic        bool    `json:"isPublic"`
}

type comment struct {
	Kind    string         `json:"kind"`
	Etag    string         `json:"etag"`
	ID      string         `json:"id"`
	Snippet commentSnippet `json:"snippet"`
}

type commentSnippet struct {
	ChannelID         string        `json:"channelId"`
	VideoID           string        `json:"videoId"`
	TextDisplay       string        `json:"textDisplay"`
	TextOriginal      string        `json:"textOriginal"`
	AuthorDisplayName string        `json:"authorDisplayName"`
	AuthorChannelID   authorChannel `json:"authorChannelId"`
	LikeCount         int           `json:"likeCount"`
	PublishedAt       string        `json:"publishedAt"`
	UpdatedAt         string        `json:"updatedAt"`
}

type authorChannel struct {
	Value string `json:"value"`
}

// commentThreads serves comments on a channel's videos; those that a channel
// makes elsewhere are exposed nowhere.
func (s *server) commentThreads(c *call) (answer, *fault) {
	filter, f := c.filter("allThreadsRelatedToChannelId", "videoId", "channelId", "id")
	if f != nil {
		return answer{}, f
	}
	videos, f := s.commented(c, filter)
	if f != nil {
		return answer{}, f
	}
	var comments []world.Post
	for _, v := range videos {
		comments = append(comments, s.world.PostsAbout(world.YouTube, v.ID, world.PostQuery{Actions: []world.Action{world.Reply}})...)
	}
	slices.SortStableFunc(comments, func(a, b world.Post) int { return b.Created.Compare(a.Created) })
	p, f := pageOf(&c.ask, filter+c.get(filter), len(comments), c.number("maxResults", 20))
	if f != nil {
		return answer{}, f
	}
	items := []*thread{}
	for i := p.from; i < p.to; i++ {
		items = append(items, s.thread(c, &comments[i]))
	}
	return p.answer("youtube#commentThreadListResponse", items), nil
}

// commented are the videos whose comments are asked for.
func (s *server) commented(c *call, filter string) ([]world.Post, *fault) {
	switch filter {
	case "videoId":
		v, ok := s.world.Post(world.YouTube, c.get("videoId"))
		if !ok || !v.Deleted.IsZero() || !c.sees(&v) {
			return nil, notFound("videoNotFound", "videoId", "The video identified by the videoId parameter could not be found.")
		}
		return []world.Post{v}, nil
	case "id":
		return nil, badRequest("invalidFilters", "id", "Threads by id are not simulated.")
	}
	if !s.active(c.get(filter)) || c.isLost() {
		return nil, notFound("channelNotFound", filter, "The channel specified by the "+filter+" parameter could not be found.")
	}
	return s.uploads(c, c.get(filter)), nil
}

func (s *server) thread(c *call, p *world.Post) *thread {
	out := &thread{Kind: "youtube#commentThread", Etag: etag("thread", p.ID, p.Text), ID: p.ID}
	if !c.parts["snippet"] {
		return out
	}
	on, _ := s.world.Post(world.YouTube, p.Target)
	author, _ := s.world.Account(world.YouTube, p.Account)
	updated := p.Edited
	if updated.IsZero() {
		updated = p.Created
	}
	out.Snippet = &threadSnippet{
		ChannelID: on.Account, VideoID: on.ID, CanReply: true, IsPublic: true,
		TopLevelComment: comment{"youtube#comment", out.Etag, p.ID, commentSnippet{
			ChannelID: on.Account, VideoID: on.ID, TextDisplay: p.Text, TextOriginal: p.Text, AuthorDisplayName: "@" + author.Handle,
			AuthorChannelID: authorChannel{author.ID}, PublishedAt: stamp(p.Created), UpdatedAt: stamp(updated),
		}},
	}
	return out
}
