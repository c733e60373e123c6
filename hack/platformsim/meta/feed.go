package meta

import (
	"net/http"
	"slices"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// listing is a list of posts that somebody asks for.
type listing struct {
	actions []world.Action
	kinds   []string
	// about lists what targets this id instead of what the account did; with both,
	// the two lists together.
	about string
	both  bool
	scope string
	// pageToken: documented with "page token".
	pageToken            bool
	limit, after, before string
	since, until         string
	// window is how long a post is shown; 0 is for good.
	window time.Duration
}

var (
	mediaKinds = []string{"", "video", "reel"}
	pageEdges  = map[string]listing{
		"published_posts": {actions: published, kinds: mediaKinds, pageToken: true},
		"posts":           {actions: published, kinds: mediaKinds, pageToken: true},
		"feed":            {actions: published, kinds: mediaKinds, both: true, scope: scopeUserContent, pageToken: true},
		"visitor_posts":   {actions: published, scope: scopeUserContent, pageToken: true},
		"videos":          {actions: published, kinds: []string{"video"}},
		"video_reels":     {actions: published, kinds: []string{"reel"}},
		"live_videos":     {actions: published, kinds: []string{"live"}},
		"stories":         {actions: published, kinds: []string{"story"}, pageToken: true},
		"likes":           {actions: []world.Action{world.Follow}},
	}
	published = []world.Action{world.Publish, world.Repost}
)

func (v *view) pageFeed(a *world.Account, edge string) answer {
	l, ok := pageEdges[edge]
	if !ok {
		return failed(nonexisting(edge, "Page"))
	}
	if v.call.method != http.MethodGet {
		return failed(noCapability())
	}
	if l.scope == "" {
		l.scope = scopeEngagement
	}
	switch edge {
	case "feed", "visitor_posts":
		l.about = a.ID
	case "likes":
		return v.list(a, l, shapeLiked)
	}
	return v.list(a, l, shapePost)
}

// listGetters write a member of a listed post.
type listGetters = map[string]getter[*world.Post]

// postShape is how a post, a medium or a comment is shown.
type postShape struct {
	set *field.Set
	get listGetters
}

var (
	shapePost      = postShape{setPost, postGetters}
	shapeLiked     = postShape{setPage, likedGetters}
	shapeComment   = postShape{setComment, commentGetters}
	shapeMedia     = postShape{setIGMedia, mediaGetters}
	shapeIGComment = postShape{setIGComment, igCommentGetters}
)

func (v *view) list(a *world.Account, l listing, shape postShape) answer {
	used, bad := v.enterList(a, l)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	params := v.call.params
	if bad := v.call.unknown("fields", "limit", "after", "before", "since", "until", "order", "filter", "include_hidden"); bad != nil {
		return answer{bad: bad, usage: used}
	}
	fields, bad := v.fields(shape.set)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	l.limit, l.after, l.before = params.Get("limit"), params.Get("after"), params.Get("before")
	l.since, l.until = params.Get("since"), params.Get("until")
	page, bad := v.slice(a, l)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	o := field.Begin(nil)
	o.List("data", len(page.posts), func(i int, o *field.Object) { render(v, o, shape.get, fields, &page.posts[i]) })
	page.cursors(o, v.nextURL(page.next))
	return answer{body: o.End(), usage: used}
}

func (v *view) enterList(a *world.Account, l listing) ([]usage, *problem) {
	if l.pageToken && v.who.kind != pageCaller && v.server.owns(v.who, a) && !v.server.opts.LoosePageToken {
		return nil, refuse(210, "(#210) A page access token is required to request this resource.")
	}
	return v.enter(a, l.scope)
}

// one serves a single post or comment.
func (v *view) one(owner *world.Account, post *world.Post, scope string, shape postShape) answer {
	used, bad := v.enter(owner, scope)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	if bad := v.call.unknown("fields", "ids"); bad != nil {
		return answer{bad: bad, usage: used}
	}
	fields, bad := v.fields(shape.set)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	o := field.Begin(nil)
	render(v, o, shape.get, fields, post)
	return answer{body: o.End(), usage: used}
}

// postPage is one page of posts. A hidden post leaves its page short.
type postPage struct {
	posts         []world.Post
	before, after string
	// next is the cursor of the next page; empty on the last.
	next string
}

const (
	defaultLimit = 25
	maxLimit     = 100
)

func (v *view) slice(a *world.Account, l listing) (postPage, *problem) {
	limit, bad := parseLimit(l.limit)
	if bad != nil {
		return postPage{}, bad
	}
	q := world.PostQuery{Actions: l.actions, Kinds: l.kinds}
	if len(l.actions) == 0 {
		q.Actions = published
	}
	if q.Since, bad = parseTime("since", l.since); bad != nil {
		return postPage{}, bad
	}
	if !q.Since.IsZero() {
		// The world excludes that moment; whether Meta does is not said, and a client
		// has to bear the post it knows.
		q.Since = q.Since.Add(-time.Nanosecond)
	}
	if q.Until, bad = parseTime("until", l.until); bad != nil {
		return postPage{}, bad
	}
	if l.window > 0 {
		q.Since = later(q.Since, v.now.Add(-l.window))
	}
	posts := v.collect(a, l, q)
	start, end, err := window(posts, l, limit)
	if err != nil {
		return postPage{}, badParameter("%v", err)
	}
	return cut(posts, start, end), nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// storyLife is how long a story is shown.
const storyLife = 24 * time.Hour

func (v *view) collect(a *world.Account, l listing, q world.PostQuery) []world.Post {
	w := v.server.world
	switch {
	case l.about == "":
		return w.Posts(a.Platform, a.ID, q)
	case !l.both:
		return w.PostsAbout(a.Platform, l.about, q)
	}
	all := append(w.Posts(a.Platform, a.ID, q), w.PostsAbout(a.Platform, l.about, q)...)
	slices.SortStableFunc(all, func(a, b world.Post) int { return b.Created.Compare(a.Created) })
	return all
}

// window is which posts a page covers, hidden ones among them.
func window(posts []world.Post, l listing, limit int) (start, end int, err error) {
	switch {
	case l.after != "":
		at, err := find(posts, l.after)
		start = at + 1
		return min(start, len(posts)), min(start+limit, len(posts)), err
	case l.before != "":
		at, err := find(posts, l.before)
		return max(at-limit, 0), max(at, 0), err
	}
	return 0, min(limit, len(posts)), nil
}

func cut(posts []world.Post, start, end int) postPage {
	page := postPage{posts: []world.Post{}}
	for _, p := range posts[start:end] {
		if !p.Hidden {
			page.posts = append(page.posts, p)
		}
	}
	if start < end {
		page.before, page.after = cursor(posts[start]), cursor(posts[end-1])
		if end < len(posts) {
			page.next = page.after
		}
	}
	return page
}
