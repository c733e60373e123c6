package meta

import (
	"net/http"
	"strconv"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// instagramLogin serves graph.instagram.com: one account, the token's own.
func (v *view) instagramLogin() answer {
	id := v.call.segment(0)
	a, ok := v.account(world.Instagram, v.who.token.Account)
	switch {
	case id != "me" && id != v.who.token.Account:
		return v.igOwnMedia(id)
	case !ok:
		return failed(v.server.asIG(missing(id)))
	case v.call.method == http.MethodDelete && v.call.segment(1) == "permissions" && v.server.opts.IGRevoke:
		v.server.world.End(world.Instagram, v.who.value, world.ReachGrant, world.CauseAppRemoved)
		return success()
	case v.call.method != http.MethodGet:
		return failed(v.server.asIG(noCapability()))
	}
	switch edge := v.call.segment(1); edge {
	case "":
		return v.igNode(&a, setIGOnlyUser, scopeIGBusiness)
	case "media", "stories", "live_media":
		return v.mediaList(&a, edge, scopeIGBusiness)
	}
	return failed(v.server.asIG(missing(id)))
}

func (v *view) igOwnMedia(id string) answer {
	post, ok := v.server.world.Post(world.Instagram, id)
	if !ok || post.Account != v.who.token.Account {
		return failed(v.server.asIG(missing(id)))
	}
	return v.igMedia(&post)
}

// igMedia serves a medium or a comment.
func (v *view) igMedia(post *world.Post) answer {
	owner, ok := v.mediaOwner(post)
	if !ok || !post.Deleted.IsZero() {
		return failed(&problem{code: 24, subcode: 2207006, typ: typeOAuth, message: "The requested resource does not exist"})
	}
	switch v.call.method + " " + v.call.segment(1) {
	case "DELETE ":
		return v.deleteMedia(post, &owner)
	case "GET comments", "GET replies":
		return v.list(&owner, listing{about: post.ID, actions: []world.Action{world.Reply}, scope: scopeIGComments}, shapeIGComment)
	case "GET ":
		return v.oneMedium(post, &owner)
	}
	return failed(noCapability())
}

func (v *view) oneMedium(post *world.Post, owner *world.Account) answer {
	switch {
	case post.Action == world.Reply:
		return v.one(owner, post, scopeIGComments, shapeIGComment)
	case v.who.kind == igCaller:
		return v.one(owner, post, scopeIGBusiness, shapeMedia)
	}
	return v.one(owner, post, scopeIG, shapeMedia)
}

// mediaOwner is the account a medium or a comment stands under.
func (v *view) mediaOwner(post *world.Post) (world.Account, bool) {
	if on, found := v.server.world.Post(world.Instagram, post.Target); found && post.Action == world.Reply {
		return v.mediaOwner(&on)
	}
	return v.account(world.Instagram, post.Account)
}

func (v *view) deleteMedia(post *world.Post, owner *world.Account) answer {
	comment := post.Action == world.Reply
	if !comment && !v.server.opts.DeleteMedia {
		return failed(noCapability())
	}
	used, bad := v.enter(owner, scopeIGComments)
	if bad != nil {
		return failed(bad)
	}
	if err := v.server.world.DeletePost(world.Instagram, post.ID); err != nil {
		return answer{usage: used, bad: missing(post.ID)}
	}
	return success()
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
	return v.list(a, l, shapeMedia)
}
