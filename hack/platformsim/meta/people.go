package meta

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Tasks that can be given (enum types of Meta's descriptions).
var (
	pageTasks = strings.Fields(`ADVERTISE ANALYZE CASHIER_ROLE CREATE_CONTENT GLOBAL_STRUCTURE_MANAGEMENT MANAGE
MANAGE_JOBS MANAGE_LEADS MESSAGING MODERATE MODERATE_COMMUNITY PAGES_MESSAGING PAGES_MESSAGING_SUBSCRIPTIONS
PROFILE_PLUS_ADVERTISE PROFILE_PLUS_ANALYZE PROFILE_PLUS_CREATE_CONTENT PROFILE_PLUS_FACEBOOK_ACCESS
PROFILE_PLUS_FULL_CONTROL PROFILE_PLUS_GLOBAL_STRUCTURE_MANAGEMENT PROFILE_PLUS_MANAGE PROFILE_PLUS_MANAGE_LEADS
PROFILE_PLUS_MESSAGING PROFILE_PLUS_MODERATE PROFILE_PLUS_MODERATE_DELEGATE_COMMUNITY PROFILE_PLUS_REVENUE
READ_PAGE_MAILBOXES VIEW_MONETIZATION_INSIGHTS`)
	igTasks = strings.Fields("ADVERTISE ANALYZE COMMUNITY_ACTIVITY CONTENT MESSAGES")
)

// asset serves a portfolio's Instagram asset.
func (v *view) asset(a *world.Account) answer {
	id := v.call.segment(0)
	if edge := v.call.segment(1); edge != "" {
		return v.people(a, id, edge)
	}
	if v.call.method != http.MethodGet {
		return failed(missing(id))
	}
	used, bad := v.enterPeople(a, id)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	fields, bad := v.fields(setAsset)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	o := field.Begin(nil)
	render(v, o, assetGetters, fields, a)
	return answer{body: o.End(), usage: used}
}

var assetGetters = map[string]getter[*world.Account]{
	"id":          text(func(_ *view, a *world.Account) string { return assetPrefix + a.ID }),
	"ig_user_id":  text(func(_ *view, a *world.Account) string { return a.ID }),
	"ig_username": text(func(_ *view, a *world.Account) string { return a.Handle }),
}

// seat is a role with the person who holds it.
type seat struct {
	role   world.Role
	person world.Person
	page   string
}

// people serves who has access to a Page or an Instagram asset.
func (v *view) people(a *world.Account, id, edge string) answer {
	switch v.call.method + " " + edge {
	case "GET roles":
		return v.roles(a)
	case "GET assigned_users":
		business := v.call.params.Get("business")
		if business == "" {
			return failed(badParameter("The parameter business is required"))
		}
		return v.seats(a, id, setAssigned, func(s seat) bool {
			return !s.role.Direct && s.person.Kind != world.Partner && s.person.Organisation == business
		}, "business")
	case "GET agencies":
		return v.seats(a, id, setBusiness, func(s seat) bool { return s.person.Kind == world.Partner })
	case "POST assigned_users":
		return v.assign(a, id)
	case "DELETE assigned_users":
		return v.unassign(a, id, "user")
	case "DELETE agencies":
		return v.unassign(a, id, "business")
	}
	return failed(missing(id))
}

// enterPeople checks the right to see and change who has access.
func (v *view) enterPeople(a *world.Account, id string) ([]usage, *problem) {
	switch {
	case v.lied() || a.State != world.Active:
		return nil, missing(id)
	case v.who.kind == appCaller || !v.server.owns(v.who, a) && !v.server.administers(v.who, a.Owner):
		return nil, missing(id)
	case !v.who.may(scopeBusiness):
		return nil, lacking(scopeBusiness)
	case !v.server.manages(v.who, a):
		return nil, notAllowed("You do not have sufficient permission to perform this action")
	}
	u, bad := v.server.spend(a.Platform, v.server.regime(v.who, a, true))
	if bad != nil {
		return bad.usage, bad
	}
	return []usage{u}, nil
}

// roles are those with direct or task access; their ids are the Page's own.
func (v *view) roles(a *world.Account) answer {
	used, bad := v.enterList(a, listing{pageToken: true, scope: scopeEngagement})
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	return v.listSeats(a, used, setRole, func(s seat) bool { return s.person.Kind != world.Partner })
}

func (v *view) seats(a *world.Account, id string, set *field.Set, takes func(seat) bool, params ...string) answer {
	used, bad := v.enterPeople(a, id)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	return v.listSeats(a, used, set, takes, params...)
}

func (v *view) listSeats(a *world.Account, used []usage, set *field.Set, takes func(seat) bool, params ...string) answer {
	if bad := v.call.unknown(append(params, "fields", "limit", "after", "include_deactivated", "uid")...); bad != nil {
		return answer{bad: bad, usage: used}
	}
	fields, bad := v.fields(set)
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	var all []seat
	for _, role := range v.server.world.Roles(a.Platform, a.ID) {
		person, _ := v.server.world.Person(a.Platform, role.Person)
		s := seat{role: role, person: person}
		if set == setRole {
			s.page = a.ID
		}
		if !role.Pending && takes(s) {
			all = append(all, s)
		}
	}
	return answer{body: pages(v, all, fields, seatGetters), usage: used}
}

var seatGetters = map[string]getter[seat]{
	"id":        text(func(_ *view, s seat) string { return s.id() }),
	"name":      text(func(_ *view, s seat) string { return s.person.Name }),
	"user_type": text(func(_ *view, s seat) string { return userType(s.person) }),
	"tasks":     func(_ *view, o *field.Object, f field.Field, s seat) { o.Strings(f.Name, s.role.Tasks) },
	"business": func(v *view, o *field.Object, f field.Field, s seat) {
		o.Object(f.Name, func(o *field.Object) { render(v, o, businessGetters, setBusiness.Or(f.Sub), s.person.Organisation) })
	},
}

func (s seat) id() string {
	if s.page == "" {
		return s.person.ID
	}
	return strconv.FormatUint(number("page scoped", s.page, s.person.ID), 10)
}

func userType(p world.Person) string {
	if p.Kind == world.System {
		return "system_user"
	}
	return "business_user"
}

// pages lists nodes that fit on one page, or those after a numbered cursor.
func pages[T any](v *view, all []T, fields []field.Field, get map[string]getter[T]) []byte {
	limit, bad := parseLimit(v.call.params.Get("limit"))
	start, err := strconv.Atoi("0" + v.call.params.Get("after"))
	if bad != nil || err != nil {
		limit, start = defaultLimit, 0
	}
	start = min(start, len(all))
	end := min(start+limit, len(all))
	o := field.Begin(nil)
	o.List("data", end-start, func(i int, o *field.Object) { render(v, o, get, fields, all[start+i]) })
	if end > start {
		next := ""
		if end < len(all) {
			next = v.nextURL(strconv.Itoa(end))
		}
		o.Object("paging", func(o *field.Object) {
			o.Object("cursors", func(o *field.Object) {
				o.Text("before", strconv.Itoa(start))
				o.Text("after", strconv.Itoa(end))
			})
			o.Text("next", next)
		})
	}
	return o.End()
}

func (v *view) assign(a *world.Account, id string) answer {
	used, bad := v.enterPeople(a, id)
	if bad == nil {
		bad = v.call.unknown("user", "tasks")
	}
	tasks, badTasks := v.tasks(a)
	if bad == nil {
		bad = badTasks
	}
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	w := v.server.world
	person, ok := w.Person(world.Facebook, v.call.params.Get("user"))
	if !ok || person.Pending || person.Organisation != a.Owner {
		return answer{bad: badParameter("Invalid parameter: user"), usage: used}
	}
	// The people of a portfolio are one; the world keeps them for each platform.
	person.Platform = a.Platform
	if err := w.PutPerson(person); err != nil {
		return answer{bad: badParameter("Invalid parameter: user"), usage: used}
	}
	if err := w.PutRole(world.Role{Platform: a.Platform, Account: a.ID, Person: person.ID, Tasks: tasks}); err != nil {
		return answer{bad: missing(id), usage: used}
	}
	return success()
}

// tasks reads a JSON list or one separated by commas.
func (v *view) tasks(a *world.Account) ([]string, *problem) {
	text := strings.NewReplacer("[", "", "]", "", `"`, "", "'", "").Replace(v.call.params.Get("tasks"))
	tasks := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	known := pageTasks
	if a.Platform == world.Instagram {
		known = igTasks
	}
	for _, task := range tasks {
		if !slices.Contains(known, task) {
			return nil, badParameter("Param tasks[0] must be one of {%s}", strings.Join(known, ", "))
		}
	}
	if len(tasks) == 0 {
		return nil, badParameter("The parameter tasks is required")
	}
	return tasks, nil
}

// unassign takes access away. Direct access is out of the portfolio's reach.
func (v *view) unassign(a *world.Account, id, param string) answer {
	used, bad := v.enterPeople(a, id)
	if bad == nil {
		bad = v.call.unknown(param)
	}
	if bad != nil {
		return answer{bad: bad, usage: used}
	}
	person := v.call.params.Get(param)
	role, ok := v.server.world.RoleOf(a.Platform, a.ID, person)
	if !ok || role.Direct {
		return answer{bad: badParameter("Invalid parameter: %s", param), usage: used}
	}
	if err := v.server.world.RemoveRole(a.Platform, a.ID, person); err != nil {
		return answer{bad: badParameter("Invalid parameter: %s", param), usage: used}
	}
	return success()
}
