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
		return failed(noCapability())
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
	return answer{body: v.fill(igGetters, fields, a), usage: used}
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
	visible := ok && other.State == world.Active && !other.Protected && !other.Unpublished
	if !visible || v.lied() {
		return answer{usage: []usage{u}, bad: noSuchHandle(handle)}
	}
	v.twist(&other)
	o := field.Begin(nil)
	o.Object("business_discovery", func(o *field.Object) { bad = v.discovered(o, f, &other) })
	o.Text("id", ours.ID)
	return answer{body: o.End(), usage: []usage{u}, bad: bad}
}

func (v *view) discovered(o *field.Object, f field.Field, other *world.Account) (bad *problem) {
	sub := setDiscovery.Or(f.Sub)
	shown := make([]field.Field, 0, len(sub))
	for _, one := range sub {
		switch {
		case one.Name == "media":
			bad = v.discoveredMedia(o, one, other)
		case one.Name == "business_discovery", v.server.opts.DiscoveryHides && hiddenInDiscovery[one.Name]:
		default:
			shown = append(shown, one)
		}
	}
	render(v, o, igGetters, shown, other)
	return bad
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
