package meta

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// pagePost serves a Page's post, or a comment.
func (v *view) pagePost(post *world.Post) answer {
	owner, ok := v.ownerOf(post)
	if !ok || !post.Deleted.IsZero() {
		return failed(missing(post.ID))
	}
	comment := post.Action == world.Reply
	switch edge := v.call.segment(1); {
	case v.call.method == http.MethodDelete && edge == "":
		return v.deletePost(post, &owner)
	case v.call.method != http.MethodGet:
		return failed(refuse(3, "(#3) Application does not have the capability to make this API call."))
	case edge == "comments":
		return v.list(&owner, listing{about: post.ID, actions: []world.Action{world.Reply}, scope: scopeUserContent}, setComment, commentGetters)
	case edge == "" && comment:
		return one(v, &owner, post, scopeUserContent, setComment, commentGetters)
	case edge == "":
		return one(v, &owner, post, scopeEngagement, setPost, postGetters)
	}
	return failed(missing(post.ID))
}

// ownerOf is the Page under which a post stands: of a comment, that of the post
// it is on; of a visitor's post, the Page visited.
func (v *view) ownerOf(post *world.Post) (world.Account, bool) {
	switch post.Action {
	case world.Reply:
		if on, ok := v.server.world.Post(world.Facebook, post.Target); ok {
			return v.ownerOf(&on)
		}
	case world.Publish:
		if page, ok := v.account(world.Facebook, post.Target); ok && post.Target != "" {
			return page, true
		}
	default:
	}
	return v.account(world.Facebook, post.Account)
}

func (v *view) deletePost(post *world.Post, owner *world.Account) answer {
	scope := scopeManagePosts
	if post.Action == world.Reply {
		scope = "pages_manage_engagement"
	}
	used, bad := v.enter(owner, scope)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	if err := v.server.world.DeletePost(world.Facebook, post.ID); err != nil {
		return answer{bad: missing(post.ID), usage: used}
	}
	return success()
}

var postGetters = listGetters{
	"id":            text(func(_ *view, p *world.Post) string { return p.ID }),
	"message":       text(func(_ *view, p *world.Post) string { return p.Text }),
	"created_time":  text(func(_ *view, p *world.Post) string { return stamp(p.Created) }),
	"updated_time":  text(func(_ *view, p *world.Post) string { return stamp(later(p.Created, p.Edited)) }),
	"permalink_url": text(func(_ *view, p *world.Post) string { return "https://www.facebook.com/" + p.ID }),
	"status_type":   text(func(_ *view, p *world.Post) string { return statusType(p) }),
	"parent_id":     text(func(_ *view, p *world.Post) string { return parentOf(p) }),
	"is_published":  truth(func(*world.Post) bool { return true }),
	"is_hidden":     truth(func(p *world.Post) bool { return p.Hidden }),
	"from": func(v *view, o *field.Object, f field.Field, p *world.Post) {
		v.writeAuthor(o, f, world.Facebook, p.Account)
	},
	"admin_creator": writeCreator,
	"application":   writeApp,
	"attachments":   writeAttachments,
}

func statusType(p *world.Post) string {
	switch {
	case p.Action == world.Repost:
		return "shared_story"
	case p.Kind == "video" || p.Kind == "reel":
		return "added_video"
	case p.Image != "":
		return "added_photos"
	}
	return "mobile_status_update"
}

func parentOf(p *world.Post) string {
	if p.Action == world.Repost {
		return p.Target
	}
	return ""
}

func (v *view) writeAuthor(o *field.Object, f field.Field, p world.Platform, id string) {
	a, ok := v.server.world.Account(p, id)
	if !ok {
		return
	}
	name := a.DisplayName
	o.Object(f.Name, func(o *field.Object) {
		o.Text("id", a.ID)
		if p == world.Instagram {
			o.Text("username", a.Handle)
			return
		}
		o.Text("name", name)
	})
}

// writeCreator needs the task MANAGE.
func writeCreator(v *view, o *field.Object, f field.Field, p *world.Post) {
	person, ok := v.server.world.Person(world.Facebook, p.By)
	if page, known := v.account(world.Facebook, p.Account); ok && known && v.server.manages(v.who, &page) {
		o.Object(f.Name, func(o *field.Object) {
			o.Text("id", person.ID)
			o.Text("name", person.Name)
		})
	}
}

func writeApp(v *view, o *field.Object, f field.Field, p *world.Post) {
	app, ok := v.server.world.App(world.Facebook, p.App)
	if page, known := v.account(world.Facebook, p.Account); ok && known && v.server.manages(v.who, &page) {
		o.Object(f.Name, func(o *field.Object) {
			o.Text("id", app.APIKey)
			o.Text("name", cmp.Or(app.Name, app.APIKey))
		})
	}
}

func writeAttachments(v *view, o *field.Object, f field.Field, p *world.Post) {
	type attachment struct{ kind, url string }
	var all []attachment
	if p.Image != "" {
		all = append(all, attachment{"photo", v.imageURL(p.Image)})
	}
	for _, link := range p.Links {
		all = append(all, attachment{"link", link})
	}
	if len(all) == 0 {
		return
	}
	o.Object(f.Name, func(o *field.Object) {
		o.List("data", len(all), func(i int, o *field.Object) {
			for _, sub := range setAttach.Or(f.Sub) {
				switch sub.Name {
				case "media_type":
					o.Text("media_type", all[i].kind)
				case "url", "unshimmed_url":
					o.Text(sub.Name, all[i].url)
				}
			}
		})
	})
}

var commentGetters = listGetters{
	"id":           text(func(_ *view, p *world.Post) string { return p.ID }),
	"message":      text(func(_ *view, p *world.Post) string { return p.Text }),
	"created_time": text(func(_ *view, p *world.Post) string { return stamp(p.Created) }),
	"is_hidden":    truth(func(p *world.Post) bool { return p.Hidden }),
	"from": func(v *view, o *field.Object, f field.Field, p *world.Post) {
		v.writeAuthor(o, f, world.Facebook, p.Account)
	},
}

// likedGetters show the Page that a Page likes.
var likedGetters = listGetters{
	"id": text(func(_ *view, p *world.Post) string { return p.Target }),
	"name": text(func(v *view, p *world.Post) string {
		liked, _ := v.account(world.Facebook, p.Target)
		return liked.DisplayName
	}),
}

var mediaGetters = listGetters{
	"id":                 text(func(_ *view, p *world.Post) string { return p.ID }),
	"caption":            text(func(_ *view, p *world.Post) string { return p.Text }),
	"media_type":         text(func(_ *view, p *world.Post) string { return mediaType(p) }),
	"media_product_type": text(func(_ *view, p *world.Post) string { return productType(p) }),
	"media_url":          text(func(v *view, p *world.Post) string { return v.mediaURL(p) }),
	"shortcode":          text(func(_ *view, p *world.Post) string { return shortcode(p) }),
	"permalink":          text(func(_ *view, p *world.Post) string { return "https://www.instagram.com/p/" + shortcode(p) + "/" }),
	"timestamp":          text(func(_ *view, p *world.Post) string { return stamp(p.Created) }),
	"username": text(func(v *view, p *world.Post) string {
		a, _ := v.server.world.Account(world.Instagram, p.Account)
		return a.Handle
	}),
	"like_count": count(func(*world.Post) int64 { return 0 }),
	"comments_count": func(v *view, o *field.Object, f field.Field, p *world.Post) {
		q := world.PostQuery{Actions: []world.Action{world.Reply}}
		o.Int(f.Name, int64(len(v.server.world.PostsAbout(world.Instagram, p.ID, q))))
	},
	"is_comment_enabled": truth(func(*world.Post) bool { return true }),
	"is_shared_to_feed":  truth(func(p *world.Post) bool { return p.Kind != "story" }),
	"owner": func(_ *view, o *field.Object, f field.Field, p *world.Post) {
		o.Object(f.Name, func(o *field.Object) { o.Text("id", p.Account) })
	},
}

func mediaType(p *world.Post) string {
	if p.Kind == "video" || p.Kind == "reel" || p.Kind == "live" {
		return "VIDEO"
	}
	return "IMAGE"
}

func productType(p *world.Post) string {
	switch p.Kind {
	case "reel":
		return "REELS"
	case "story":
		return "STORY"
	case "live":
		return "LIVE"
	}
	return "FEED"
}

func (v *view) mediaURL(p *world.Post) string {
	if p.Image == "" {
		return ""
	}
	return v.imageURL(p.Image)
}

func shortcode(p *world.Post) string { return strconv.FormatUint(number("shortcode", p.ID), 36) }

var igCommentGetters = listGetters{
	"id":        text(func(_ *view, p *world.Post) string { return p.ID }),
	"text":      text(func(_ *view, p *world.Post) string { return p.Text }),
	"timestamp": text(func(_ *view, p *world.Post) string { return stamp(p.Created) }),
	"hidden":    truth(func(p *world.Post) bool { return p.Hidden }),
	"username":  mediaGetters["username"],
	"parent_id": text(func(v *view, p *world.Post) string {
		if on, ok := v.server.world.Post(world.Instagram, p.Target); ok && on.Action == world.Reply {
			return on.ID
		}
		return ""
	}),
	"like_count": count(func(*world.Post) int64 { return 0 }),
	"from": func(v *view, o *field.Object, f field.Field, p *world.Post) {
		v.writeAuthor(o, f, world.Instagram, p.Account)
	},
}

// mediaList is an account's own media. A story is shown for 24 hours.
func (v *view) mediaList(a *world.Account, edge, scope string) answer {
	l := listing{actions: []world.Action{world.Publish}, kinds: mediaKinds, scope: scope}
	switch edge {
	case "stories":
		l.kinds, l.window = []string{"story"}, storyLife
	case "live_media":
		l.kinds = []string{"live"}
	}
	return v.list(a, l, setIGMedia, mediaGetters)
}

// search finds Pages by name.
func (v *view) search() answer {
	if bad := v.call.unknown("q", "fields", "limit", "after"); bad != nil {
		return failed(bad)
	}
	s := v.server
	q := s.perApp(v.who.token.Client)
	switch v.who.kind {
	case appCaller:
		if !s.opts.PublicContentAccess {
			return failed(lacking("Page Public Content Access"))
		}
	case userCaller:
		q = s.perUser(v.who.token.Client, v.who.token.Person)
	default:
		return failed(notAllowed("A user access token is required to request this resource."))
	}
	u, bad := s.spend(world.Facebook, q)
	if bad != nil {
		return failed(bad)
	}
	used := []usage{u}
	fields, bad := v.fields(setSearch)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	limit, bad := parseLimit(v.call.params.Get("limit"))
	wanted := strings.ToLower(strings.TrimSpace(v.call.params.Get("q")))
	if bad != nil || wanted == "" {
		return answer{bad: cmp.Or(bad, badParameter("Param q is required")), usage: used}
	}
	return answer{body: v.found(wanted, fields, limit), usage: used}
}
