package meta

import (
	"maps"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// person serves a user, system user or business user.
func (v *view) person(p *world.Person) answer {
	if v.who.kind != userCaller || v.who.system {
		// What a system user's own edges cost is not said: nothing.
		return v.personEdge(p)
	}
	u, bad := v.server.spend(world.Facebook, v.server.perUser(v.who.token.Client, v.who.token.Person))
	if bad != nil {
		return failed(bad)
	}
	a := v.personEdge(p)
	a.usage = []usage{u}
	return a
}

// personEdge is who may use an edge of a person: themselves, the portfolio's
// admins, or both; and whether it is a system user's.
type personEdge struct {
	self, admin, system bool
	serve               func(*view, *world.Person) answer
}

var personEdges = map[string]personEdge{
	"GET ":                 {self: true, admin: true, serve: (*view).showPerson},
	"GET accounts":         {self: true, serve: (*view).accounts},
	"GET permissions":      {self: true, serve: (*view).permissions},
	"DELETE permissions":   {self: true, serve: (*view).dropPermissions},
	"POST access_tokens":   {self: true, admin: true, system: true, serve: (*view).mint},
	"DELETE access_tokens": {self: true, admin: true, system: true, serve: (*view).endSystemTokens},
	"DELETE ":              {admin: true, serve: (*view).removePerson},
	"GET assigned_pages": {self: true, admin: true, serve: func(v *view, p *world.Person) answer {
		return listNodes(v, setPage, pageGetters, v.pagesOf(p), nil)
	}},
}

func (v *view) personEdge(p *world.Person) answer {
	self := v.who.token.Person == p.ID && v.who.kind == userCaller
	if !self && !v.server.administers(v.who, p.Organisation) {
		return failed(missing(p.ID))
	}
	if !self && !v.who.may(scopeBusiness) {
		return failed(lacking(scopeBusiness))
	}
	edge, ok := personEdges[v.call.method+" "+v.call.segment(1)]
	if !ok || !edge.allows(self, p) {
		return failed(missing(p.ID))
	}
	return edge.serve(v, p)
}

func (e personEdge) allows(self bool, p *world.Person) bool {
	if e.system && p.Kind != world.System {
		return false
	}
	return self && e.self || !self && e.admin
}

func (v *view) showPerson(p *world.Person) answer {
	set := setUser
	switch {
	case p.Kind == world.System:
		set = setSystemUser
	case v.who.token.Person != p.ID:
		set = setBusinessUser
	}
	return listNodes(v, set, personGetters, nil, &p)
}

// removePerson takes somebody out of the portfolio, on both platforms.
func (v *view) removePerson(p *world.Person) answer {
	if bad := v.call.unknown(); bad != nil {
		return failed(bad)
	}
	if err := v.server.world.RemovePerson(world.Facebook, p.ID); err != nil {
		return failed(missing(p.ID))
	}
	if _, ok := v.server.world.Person(world.Instagram, p.ID); ok {
		if err := v.server.world.RemovePerson(world.Instagram, p.ID); err != nil {
			return failed(missing(p.ID))
		}
	}
	return success()
}

// pagesOf are the Pages a person has a role on.
func (v *view) pagesOf(p *world.Person) []*world.Account {
	var out []*world.Account
	for _, role := range v.server.world.RolesOf(world.Facebook, p.ID) {
		if a, ok := v.account(world.Facebook, role.Account); ok && !role.Pending && v.server.owns(v.who, &a) {
			out = append(out, &a)
		}
	}
	return out
}

// accounts are the Pages of "/me/accounts", each with a token of its own.
func (v *view) accounts(p *world.Person) answer {
	if !v.who.may(scopeShowList) {
		return failed(lacking(scopeShowList))
	}
	get := maps.Clone(pageGetters)
	get["tasks"] = func(v *view, o *field.Object, f field.Field, a *world.Account) {
		role, _ := v.server.world.RoleOf(world.Facebook, a.ID, p.ID)
		o.Strings(f.Name, role.Tasks)
	}
	all := v.pagesOf(p)
	if v.lied() {
		all = nil
	}
	return listNodes(v, setAccount, get, all, nil)
}
