package meta

import (
	"slices"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// isBusiness says whether anybody belongs to a portfolio of this id.
func (s *server) isBusiness(id string) bool {
	return len(s.world.People(world.Facebook, id)) > 0 && id != ""
}

var businessGetters = map[string]getter[string]{
	"id":   text(func(_ *view, id string) string { return id }),
	"name": text(func(_ *view, id string) string { return "Portfolio " + id }),
	"two_factor_type": text(func(v *view, id string) string {
		if kind, ok := v.server.twoFactor.Load(id); ok {
			text, _ := kind.(string)
			return text
		}
		return "none"
	}),
}

// business serves a portfolio, to its admins.
func (v *view) business(id string) answer {
	switch {
	case !v.server.administers(v.who, id):
		return failed(missing(id))
	case !v.who.may(scopeBusiness):
		return failed(lacking(scopeBusiness))
	}
	// Which budget the portfolio's own edges spend is not said; the app's it is.
	u, bad := v.server.spend(world.Facebook, v.server.perApp(v.who.token.Client))
	if bad != nil {
		return failed(bad)
	}
	a := v.businessEdge(id)
	a.usage = []usage{u}
	return a
}

// businessEdges are a portfolio's, by method and name.
var businessEdges = map[string]func(v *view, id string) answer{
	"GET ":  func(v *view, id string) answer { return listNodes(v, setBusiness, businessGetters, nil, &id) },
	"POST ": (*view).setTwoFactor,
	"GET business_users": func(v *view, id string) answer {
		return v.listPeople(id, setBusinessUser, func(p world.Person) bool { return p.Kind == world.Human && !p.Pending })
	},
	"GET system_users": func(v *view, id string) answer {
		return v.listPeople(id, setSystemUser, func(p world.Person) bool { return p.Kind == world.System })
	},
	"GET pending_users": func(v *view, id string) answer {
		return v.listPeople(id, setPending, func(p world.Person) bool { return p.Pending })
	},
	"GET owned_pages": func(v *view, id string) answer {
		return listNodes(v, setPage, pageGetters, pointers(v.server.world.Owned(world.Facebook, id)), nil)
	},
	"GET owned_instagram_assets": func(v *view, id string) answer {
		return listNodes(v, setAsset, assetGetters, pointers(v.server.world.Owned(world.Instagram, id)), nil)
	},
	"GET instagram_accounts": func(v *view, id string) answer {
		return listNodes(v, setIGLinked, igGetters, pointers(v.server.world.Owned(world.Instagram, id)), nil)
	},
	"DELETE instagram_accounts": (*view).disown,
	"POST business_users":       (*view).invite,
}

func (v *view) businessEdge(id string) answer {
	edge, ok := businessEdges[v.call.method+" "+v.call.segment(1)]
	if !ok {
		return failed(missing(id))
	}
	return edge(v, id)
}

func (v *view) listPeople(business string, set *field.Set, takes func(world.Person) bool) answer {
	return listNodes(v, set, personGetters, v.peopleOf(business, takes), nil)
}

// listNodes lists nodes, or shows the one.
func listNodes[T any](v *view, set *field.Set, get map[string]getter[T], all []T, single *T) answer {
	if bad := v.call.unknown("fields", "limit", "after", "email", "permission", "status"); bad != nil {
		return failed(bad)
	}
	fields, bad := v.fields(set)
	if bad != nil {
		return failed(bad)
	}
	if single != nil {
		o := field.Begin(nil)
		render(v, o, get, fields, *single)
		return answer{body: o.End()}
	}
	return answer{body: pages(v, all, fields, get)}
}

// pointers leaves out accounts that are not there any more.
func pointers(accounts []world.Account) []*world.Account {
	var out []*world.Account
	for i := range accounts {
		if accounts[i].State == world.Active {
			out = append(out, &accounts[i])
		}
	}
	return out
}

func (v *view) peopleOf(business string, takes func(world.Person) bool) []*world.Person {
	var out []*world.Person
	for _, p := range v.server.world.People(world.Facebook, business) {
		if takes(p) {
			out = append(out, &p)
		}
	}
	return out
}

var personGetters = map[string]getter[*world.Person]{
	"id":         text(func(_ *view, p *world.Person) string { return p.ID }),
	"name":       text(func(_ *view, p *world.Person) string { return p.Name }),
	"first_name": text(func(_ *view, p *world.Person) string { first, _, _ := strings.Cut(p.Name, " "); return first }),
	"email":      text(func(_ *view, p *world.Person) string { return p.Email }),
	"role":       text(func(_ *view, p *world.Person) string { return p.OrganisationRole }),
	"tasks": func(_ *view, o *field.Object, f field.Field, p *world.Person) {
		o.Strings(f.Name, []string{p.OrganisationRole})
	},
	"two_fac_status": text(func(_ *view, p *world.Person) string {
		if p.TwoFactor == nil {
			return ""
		}
		return strconv.FormatBool(*p.TwoFactor)
	}),
	"business": func(v *view, o *field.Object, f field.Field, p *world.Person) {
		if p.Organisation != "" {
			o.Object(f.Name, func(o *field.Object) { render(v, o, businessGetters, setBusiness.Or(f.Sub), p.Organisation) })
		}
	},
}

func (v *view) setTwoFactor(id string) answer {
	if bad := v.call.unknown("two_factor_type"); bad != nil {
		return failed(bad)
	}
	kind := v.call.params.Get("two_factor_type")
	if !slices.Contains([]string{"all_required", "admin_required", "none"}, kind) {
		return failed(badParameter("Param two_factor_type must be one of {admin_required, all_required, none}"))
	}
	v.server.twoFactor.Store(id, kind)
	return success()
}

// invite adds somebody who has to accept by mail.
func (v *view) invite(id string) answer {
	if bad := v.call.unknown("email", "role", "tasks", "invited_user_type"); bad != nil {
		return failed(bad)
	}
	email := v.call.params.Get("email")
	if !strings.Contains(email, "@") {
		return failed(badParameter("The parameter email is required"))
	}
	person := world.Person{
		Platform: world.Facebook, ID: strconv.FormatUint(number("invited", id, email), 10), Email: email,
		Organisation: id, OrganisationRole: v.call.params.Get("role"), Pending: true,
	}
	if person.OrganisationRole == "" {
		person.OrganisationRole = "EMPLOYEE"
	}
	if err := v.server.world.PutPerson(person); err != nil {
		return failed(badParameter("Invalid parameter"))
	}
	return answer{body: []byte(`{"id":"` + person.ID + `"}`)}
}

// disown takes an Instagram account out of the portfolio.
func (v *view) disown(id string) answer {
	if bad := v.call.unknown("instagram_account"); bad != nil {
		return failed(bad)
	}
	account := strings.TrimPrefix(v.call.params.Get("instagram_account"), assetPrefix)
	a, ok := v.server.world.Account(world.Instagram, account)
	if !ok || a.Owner != id {
		return failed(badParameter("Invalid parameter: instagram_account"))
	}
	_, err := v.server.world.Update(world.Instagram, a.ID, func(a *world.Account) error { a.Owner = ""; return nil })
	if err != nil {
		return failed(badParameter("Invalid parameter: instagram_account"))
	}
	return success()
}
