package meta

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

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

// found lists the Pages whose name or handle contains a text, by id, from the
// cursor on.
func (v *view) found(wanted string, fields []field.Field, limit int) []byte {
	from := ""
	if data, err := base64.RawURLEncoding.DecodeString(v.call.params.Get("after")); err == nil {
		from = string(data)
	}
	var pages []world.Account
	v.server.world.Accounts(world.Facebook, func(a *world.Account) bool {
		shown := a.State == world.Active && !a.Unpublished && a.ID > from
		if shown && (strings.Contains(strings.ToLower(a.DisplayName), wanted) || strings.Contains(strings.ToLower(a.Handle), wanted)) {
			pages = append(pages, *a)
		}
		return true
	})
	if v.lied() {
		pages = nil
	}
	slices.SortFunc(pages, func(a, b world.Account) int { return cmp.Compare(a.ID, b.ID) })
	more := len(pages) > limit
	pages = pages[:min(limit, len(pages))]
	o := field.Begin(nil)
	o.List("data", len(pages), func(i int, o *field.Object) {
		v.twist(&pages[i])
		render(v, o, pageGetters, fields, &pages[i])
	})
	if len(pages) > 0 {
		after := base64.RawURLEncoding.EncodeToString([]byte(pages[len(pages)-1].ID))
		next := ""
		if more {
			next = v.nextURL(after)
		}
		o.Object("paging", func(o *field.Object) {
			o.Object("cursors", func(o *field.Object) { o.Text("after", after) })
			o.Text("next", next)
		})
	}
	return o.End()
}
