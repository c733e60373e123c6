package meta

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
		return failed(refuse(3, "(#3) Application does not have the capability to make this API call."))
	}
	if l.scope == "" {
		l.scope = scopeEngagement
	}
	switch edge {
	case "feed", "visitor_posts":
		l.about = a.ID
	case "likes":
		return v.list(a, l, setPage, likedGetters)
	}
	return v.list(a, l, setPost, postGetters)
}

// listGetters write a member of a listed post.
type listGetters = map[string]getter[*world.Post]

func (v *view) list(a *world.Account, l listing, set *field.Set, get listGetters) answer {
	used, bad := v.enterList(a, l)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	params := v.call.params
	if bad := v.call.unknown("fields", "limit", "after", "before", "since", "until", "order", "filter", "include_hidden"); bad != nil {
		return answer{bad: bad, usage: used}
	}
	fields, bad := v.fields(set)
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
	o.List("data", len(page.posts), func(i int, o *field.Object) { render(v, o, get, fields, &page.posts[i]) })
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
func one(v *view, owner *world.Account, post *world.Post, scope string, set *field.Set, get listGetters) answer {
	used, bad := v.enter(owner, scope)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	if bad := v.call.unknown("fields", "ids"); bad != nil {
		return answer{bad: bad, usage: used}
	}
	fields, bad := v.fields(set)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	o := field.Begin(nil)
	render(v, o, get, fields, post)
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

// A cursor names a post and its time, so that it holds if that post goes.
func cursor(p world.Post) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.Created.Unix(), 10) + "/" + p.ID))
}

// find is where the post of a cursor stands, or stood.
func find(posts []world.Post, text string) (int, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, errCursor
	}
	seconds, id, ok := strings.Cut(string(data), "/")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if !ok || err != nil {
		return 0, errCursor
	}
	last := -1
	for i, p := range posts {
		if p.ID == id {
			return i, nil
		}
		if p.Created.Unix() >= unix {
			last = i
		}
	}
	return last, nil
}

func (p postPage) cursors(o *field.Object, next string) {
	if p.before == "" {
		return
	}
	o.Object("paging", func(o *field.Object) {
		o.Object("cursors", func(o *field.Object) {
			o.Text("before", p.before)
			o.Text("after", p.after)
		})
		o.Text("next", next)
	})
}

// nextURL repeats the call with the next cursor, without the token.
func (v *view) nextURL(cursor string) string {
	if cursor == "" {
		return ""
	}
	q := url.Values{}
	for name, values := range v.call.params {
		if name != "access_token" && name != "appsecret_proof" && name != "before" {
			q[name] = values
		}
	}
	q.Set("after", cursor)
	return v.req.base + "/" + v.req.version + "/" + strings.Join(v.call.path, "/") + "?" + q.Encode()
}

func parseLimit(text string) (int, *problem) {
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, badParameter("Param limit must be a number from 1 to %d", maxLimit)
	}
	return n, nil
}

// parseTime reads Unix seconds, or the format of Graph's own times.
func parseTime(name, text string) (time.Time, *problem) {
	if text == "" {
		return time.Time{}, nil
	}
	if unix, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(unix, 0), nil
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return time.Time{}, badParameter("Param %s must be a valid datetime", name)
	}
	return t, nil
}

// timeFormat writes +0000, not Z.
const timeFormat = "2006-01-02T15:04:05-0700"

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeFormat)
}
