package meta

import (
	"cmp"
	"net/http"

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
		return failed(noCapability())
	case edge == "comments":
		return v.list(&owner, listing{about: post.ID, actions: []world.Action{world.Reply}, scope: scopeUserContent}, shapeComment)
	case edge == "" && comment:
		return v.one(&owner, post, scopeUserContent, shapeComment)
	case edge == "":
		return v.one(&owner, post, scopeEngagement, shapePost)
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
