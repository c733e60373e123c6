package meta

import (
	"net/http"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// igUser serves an Instagram account by way of Facebook Login.
func (v *view) igUser(a *world.Account) answer {
	if v.call.method != http.MethodGet {
		return failed(refuse(3, "(#3) Application does not have the capability to make this API call."))
	}
	switch edge := v.call.segment(1); edge {
	case "":
		return v.igNode(a, setIGUser, scopeIG)
	case "media", "stories", "live_media":
		return v.mediaList(a, edge, scopeIG)
	default:
		return failed(badParameter("Tried accessing nonexisting field (%s) on node type (IGUser)", edge))
	}
}

func (v *view) igNode(a *world.Account, set *field.Set, scope string) answer {
	if bad := v.call.unknown("fields", "ids"); bad != nil {
		return failed(bad)
	}
	fields, bad := v.fields(set)
	if bad != nil {
		return failed(bad)
	}
	// Discovery of another account spends the app's budget, not the account's own.
	for _, f := range fields {
		if f.Name == "business_discovery" {
			return v.discovery(a, f)
		}
	}
	used, bad := v.enter(a, scope)
	if bad != nil {
		return failed(bad)
	}
	v.twist(a)
	o := field.Begin(nil)
	render(v, o, igGetters, fields, a)
	return answer{body: o.End(), usage: used}
}

var igGetters = map[string]getter[*world.Account]{
	"id":                  text(func(_ *view, a *world.Account) string { return a.ID }),
	"username":            text(func(_ *view, a *world.Account) string { return a.Handle }),
	"name":                text(func(_ *view, a *world.Account) string { return a.DisplayName }),
	"biography":           text(func(_ *view, a *world.Account) string { return a.Bio }),
	"website":             text(func(_ *view, a *world.Account) string { return a.Website }),
	"account_type":        text(func(*view, *world.Account) string { return "BUSINESS" }),
	"profile_picture_url": text(func(v *view, a *world.Account) string { return v.pictureURL(a) }),
	"ig_id":               count(func(a *world.Account) int64 { return int64(number("ig", a.ID)) }),
	"followers_count":     count(func(a *world.Account) int64 { return a.Followers }),
	"follows_count":       count(func(a *world.Account) int64 { return a.Following }),
	"media_count":         count(func(a *world.Account) int64 { return a.Posts }),
	"has_profile_pic":     truth(func(a *world.Account) bool { return a.Image != "" }),
	"is_published":        truth(func(a *world.Account) bool { return !a.Unpublished }),
	"owner_business":      writeBusiness,
	// Instagram Login's own id of the account.
	"user_id": func(_ *view, o *field.Object, f field.Field, a *world.Account) { writeNumber(o, f.Name, a.ID) },
}

// writeNumber writes an id as the number that Meta's field list says it is.
func writeNumber(o *field.Object, name, id string) {
	if isNumber(id) {
		o.Raw(name, []byte(id))
		return
	}
	o.Text(name, id)
}

func (v *view) pictureURL(a *world.Account) string {
	if a.Image == "" {
		return ""
	}
	return v.imageURL(a.Image)
}

// hiddenInDiscovery lack the "Public" mark.
var hiddenInDiscovery = map[string]bool{"name": true, "profile_picture_url": true, "follows_count": true}

// discovery reads a professional account by handle through one of ours. What is
// missing, renamed, personal or suspended looks the same.
func (v *view) discovery(ours *world.Account, f field.Field) answer {
	s := v.server
	switch {
	case !s.owns(v.who, ours):
		return failed(missing(ours.ID))
	case !v.who.may(scopeIG):
		return failed(lacking(scopeIG))
	}
	u, bad := s.spend(world.Instagram, s.perApp(v.who.token.Client))
	if bad != nil {
		return failed(bad)
	}
	handle, named := f.Args["username"]
	if !named {
		return answer{usage: []usage{u}, bad: badParameter("The parameter username is required")}
	}
	other, ok := s.world.AccountByHandle(world.Instagram, handle)
	if !ok || other.State != world.Active || other.Protected || other.Unpublished || v.lied() {
		return answer{usage: []usage{u}, bad: noSuchHandle(handle)}
	}
	v.twist(&other)
	o := field.Begin(nil)
	o.Object("business_discovery", func(o *field.Object) {
		sub := setDiscovery.Or(f.Sub)
		shown := make([]field.Field, 0, len(sub))
		for _, one := range sub {
			switch {
			case one.Name == "media":
				bad = v.discoveredMedia(o, one, &other)
			case one.Name == "business_discovery", s.opts.DiscoveryHides && hiddenInDiscovery[one.Name]:
			default:
				shown = append(shown, one)
			}
		}
		render(v, o, igGetters, shown, &other)
	})
	o.Text("id", ours.ID)
	return answer{body: o.End(), usage: []usage{u}, bad: bad}
}

// discoveredMedia is a page of another's media: cursors in modifiers, no next.
func (v *view) discoveredMedia(o *field.Object, f field.Field, a *world.Account) *problem {
	page, bad := v.slice(a, listing{kinds: mediaKinds, limit: f.Args["limit"], after: f.Args["after"], before: f.Args["before"]})
	if bad != nil {
		return bad
	}
	o.Object("media", func(o *field.Object) {
		o.List("data", len(page.posts), func(i int, o *field.Object) {
			render(v, o, mediaGetters, setIGMedia.Or(f.Sub), &page.posts[i])
		})
		page.cursors(o, "")
	})
	return nil
}

// instagramLogin serves graph.instagram.com: one account, the token's own.
func (v *view) instagramLogin() answer {
	id := v.call.segment(0)
	a, ok := v.account(world.Instagram, v.who.token.Account)
	if id != "me" && id != v.who.token.Account {
		return v.igOwnMedia(id)
	}
	if !ok {
		return failed(v.server.asIG(missing(id)))
	}
	switch edge := v.call.segment(1); {
	case edge == "permissions" && v.call.method == http.MethodDelete && v.server.opts.IGRevoke:
		v.server.world.End(world.Instagram, v.who.value, world.ReachGrant, world.CauseAppRemoved)
		return success()
	case v.call.method != http.MethodGet:
		return failed(v.server.asIG(refuse(3, "(#3) Application does not have the capability to make this API call.")))
	case edge == "":
		return v.igNode(&a, setIGOnlyUser, scopeIGBusiness)
	case edge == "media" || edge == "stories" || edge == "live_media":
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
	owner, ok := v.account(world.Instagram, post.Account)
	if post.Action == world.Reply {
		if on, found := v.server.world.Post(world.Instagram, post.Target); found {
			owner, ok = v.account(world.Instagram, on.Account)
		}
	}
	if !ok || !post.Deleted.IsZero() {
		return failed(&problem{code: 24, subcode: 2207006, typ: typeOAuth, message: "The requested resource does not exist"})
	}
	switch edge := v.call.segment(1); {
	case v.call.method == http.MethodDelete && edge == "":
		return v.deleteMedia(post, &owner)
	case v.call.method != http.MethodGet:
		return failed(refuse(3, "(#3) Application does not have the capability to make this API call."))
	case edge == "comments" || edge == "replies":
		return v.list(&owner, listing{about: post.ID, actions: []world.Action{world.Reply}, scope: scopeIGComments}, setIGComment, igCommentGetters)
	case edge == "" && post.Action == world.Reply:
		return one(v, &owner, post, scopeIGComments, setIGComment, igCommentGetters)
	case edge == "":
		scope := scopeIG
		if v.who.kind == igCaller {
			scope = scopeIGBusiness
		}
		return one(v, &owner, post, scope, setIGMedia, mediaGetters)
	}
	return failed(missing(post.ID))
}

func (v *view) deleteMedia(post *world.Post, owner *world.Account) answer {
	comment := post.Action == world.Reply
	if !comment && !v.server.opts.DeleteMedia {
		return failed(refuse(3, "(#3) Application does not have the capability to make this API call."))
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

func success() answer { return answer{body: []byte(`{"success":true}`)} }

// assetAccount finds the Instagram account of a portfolio's asset.
func (s *server) assetAccount(id string) (world.Account, bool) {
	account, ok := strings.CutPrefix(id, assetPrefix)
	if !ok {
		return world.Account{}, false
	}
	a, ok := s.world.Account(world.Instagram, account)
	return a, ok && a.Owner != ""
}

// assetPrefix makes an asset's id out of the account's: they differ at Meta too.
const assetPrefix = "5550"
