package meta

import (
	"net/http"
	"strconv"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// getter writes one selected member of a node, or nothing where it is unset.
type getter[T any] func(v *view, o *field.Object, f field.Field, n T)

// render writes the selected members. Graph adds the id unasked.
func render[T any](v *view, o *field.Object, get map[string]getter[T], fields []field.Field, n T) {
	withID := false
	for _, f := range fields {
		withID = withID || f.Name == "id"
		if g, ok := get[f.Name]; ok {
			g(v, o, f, n)
		}
	}
	if g, ok := get["id"]; ok && !withID {
		g(v, o, field.Field{Name: "id"}, n)
	}
}

const (
	scopeShowList    = "pages_show_list"
	scopeEngagement  = "pages_read_engagement"
	scopeUserContent = "pages_read_user_content"
	scopeManagePosts = "pages_manage_posts"
	scopeBusiness    = "business_management"
	scopeIG          = "instagram_basic"
	scopeIGComments  = "instagram_manage_comments"
	scopeIGBusiness  = "instagram_business_basic"
)

// enter checks that the caller may read an account with a scope, and spends the
// call.
func (v *view) enter(a *world.Account, scope string) ([]usage, *problem) {
	s := v.server
	own := s.owns(v.who, a)
	public := a.Platform == world.Facebook && s.opts.PublicContentAccess && !a.Unpublished
	switch {
	case v.lied(), !own && !public:
		return nil, missing(a.ID)
	case own && !v.who.may(scope):
		return nil, lacking(scope)
	}
	u, bad := s.spend(a.Platform, s.regime(v.who, a, own))
	if bad != nil {
		return bad.usage, bad
	}
	return []usage{u}, nil
}

// regime is the budget that reading an account costs.
func (s *server) regime(who caller, a *world.Account, own bool) quota {
	switch {
	case !own:
		return s.perApp(who.token.Client)
	case a.Platform == world.Facebook && who.kind == userCaller && !who.system:
		return s.perUser(who.token.Client, who.token.Person)
	}
	return s.perAccount(who.token.Client, a)
}

// page serves a Page and its edges.
func (v *view) page(a *world.Account) answer {
	switch edge := v.call.segment(1); edge {
	case "":
		return v.pageNode(a)
	case "roles", "assigned_users", "agencies":
		return v.people(a, a.ID, edge)
	default:
		return v.pageFeed(a, edge)
	}
}

func (v *view) pageNode(a *world.Account) answer {
	if v.call.method != http.MethodGet {
		return failed(noCapability())
	}
	if bad := v.call.unknown("fields", "ids"); bad != nil {
		return failed(bad)
	}
	used, bad := v.enter(a, scopeEngagement)
	if bad != nil {
		return failed(bad)
	}
	fields, bad := v.fields(setPage)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	v.twist(a)
	return answer{body: v.fill(pageGetters, fields, a), usage: used}
}

// fill renders an account into the request's scratch buffer.
func (v *view) fill(get map[string]getter[*world.Account], fields []field.Field, a *world.Account) []byte {
	o := field.Begin(v.req.scratch[:0])
	render(v, o, get, fields, a)
	v.req.scratch = o.End()
	return v.req.scratch
}

// twist makes a stranger of an account where a fault says so; the rest of the
// profile stays, so that a client matching by anything but the id is caught.
func (v *view) twist(a *world.Account) {
	if v.req.fault.Kind == world.FaultShuffleForeign {
		a.Handle = "other" + strconv.FormatUint(number(a.ID)%100_000_000, 10)
		a.ID = foreignID(a.ID)
	}
}

// A table instead of a switch: members are independent of each other.
var pageGetters = map[string]getter[*world.Account]{
	"id":                    text(func(_ *view, a *world.Account) string { return a.ID }),
	"name":                  text(func(_ *view, a *world.Account) string { return a.DisplayName }),
	"username":              text(func(_ *view, a *world.Account) string { return a.Handle }),
	"about":                 text(func(_ *view, a *world.Account) string { return a.Bio }),
	"link":                  text(func(_ *view, a *world.Account) string { return "https://www.facebook.com/" + a.ID }),
	"website":               text(func(_ *view, a *world.Account) string { return a.Website }),
	"category":              text(func(*view, *world.Account) string { return category }),
	"verification_status":   text(func(_ *view, a *world.Account) string { return verification(a) }),
	"access_token":          text(pageToken),
	"is_verified":           truth(func(a *world.Account) bool { return a.Verified }),
	"is_published":          truth(func(a *world.Account) bool { return !a.Unpublished }),
	"is_permanently_closed": truth(func(*world.Account) bool { return false }),
	"has_transitioned_to_new_page_experience": truth(func(*world.Account) bool { return true }),
	"fan_count":                  count(func(a *world.Account) int64 { return a.Followers }),
	"followers_count":            count(func(a *world.Account) int64 { return a.Followers }),
	"picture":                    writePicture,
	"cover":                      writeCover,
	"category_list":              writeCategories,
	"owner_business":             writeBusiness,
	"business":                   writeBusiness,
	"instagram_business_account": writeLinked,
}

const category = "Government organization"

func text[T any](get func(*view, T) string) getter[T] {
	return func(v *view, o *field.Object, f field.Field, n T) { o.Text(f.Name, get(v, n)) }
}

func truth[T any](get func(T) bool) getter[T] {
	return func(_ *view, o *field.Object, f field.Field, n T) { o.Bool(f.Name, get(n)) }
}

func count[T any](get func(T) int64) getter[T] {
	return func(_ *view, o *field.Object, f field.Field, n T) { o.Int(f.Name, get(n)) }
}

func verification(a *world.Account) string {
	switch {
	case !a.Verified:
		return "not_verified"
	case a.VerifiedType == "business" || a.VerifiedType == "government":
		return "gray_verified"
	}
	return "blue_verified"
}

// pageToken is shown to those with a role only.
func pageToken(v *view, a *world.Account) string {
	switch {
	case v.who.kind == pageCaller && v.who.token.Account == a.ID:
		return v.who.value
	case v.who.kind != userCaller || !v.server.owns(v.who, a) || !v.who.may(scopeShowList):
		return ""
	}
	// Of a token that lasts about 60 days the Page's does not expire; of a short one
	// it does (contract, section 1).
	lasting := v.who.token.Expires.IsZero() || v.who.token.Expires.Sub(v.who.token.Issued) > longLived/2
	value, err := v.server.world.Derive(world.Facebook, v.who.value, a.ID, lasting)
	if err != nil {
		return ""
	}
	v.req.record.Issued(value)
	return value
}

func writePicture(v *view, o *field.Object, f field.Field, a *world.Account) {
	name, silhouette := a.Image, false
	if name == "" {
		name, silhouette = "default", true
	}
	o.Object(f.Name, func(o *field.Object) {
		o.Object("data", func(o *field.Object) {
			for _, sub := range setPicture.Or(f.Sub) {
				switch sub.Name {
				case "url":
					o.Text("url", v.imageURL(name))
				case "is_silhouette":
					o.Bool("is_silhouette", silhouette)
				case "height", "width":
					o.Int(sub.Name, 96)
				}
			}
		})
	})
}

// writeCover has an id that changes with the picture and a URL that changes by
// itself.
func writeCover(v *view, o *field.Object, f field.Field, a *world.Account) {
	version, err := world.ImageVersion(a.Banner)
	if a.Banner == "" || err != nil {
		return
	}
	id := strconv.FormatUint(number(a.ID, version), 10)
	o.Object(f.Name, func(o *field.Object) {
		for _, sub := range setCover.Or(f.Sub) {
			switch sub.Name {
			case "id", "cover_id":
				o.Text(sub.Name, id)
			case "source":
				o.Text("source", v.imageURL(a.Banner))
			case "offset_x", "offset_y":
				o.Int(sub.Name, 50)
			}
		}
	})
}

func writeCategories(_ *view, o *field.Object, f field.Field, _ *world.Account) {
	o.List(f.Name, 1, func(_ int, o *field.Object) {
		o.Text("id", "100")
		o.Text("name", category)
	})
}

func writeBusiness(v *view, o *field.Object, f field.Field, a *world.Account) {
	if a.Owner != "" {
		o.Object(f.Name, func(o *field.Object) { render(v, o, businessGetters, setBusiness.Or(f.Sub), a.Owner) })
	}
}

func writeLinked(v *view, o *field.Object, f field.Field, a *world.Account) {
	if linked, ok := v.account(world.Instagram, a.Linked); ok && a.Linked != "" {
		o.Object(f.Name, func(o *field.Object) { render(v, o, igGetters, setIGLinked.Or(f.Sub), &linked) })
	}
}
