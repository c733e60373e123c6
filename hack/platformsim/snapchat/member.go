package snapchat

import (
	"net/http"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

type member struct {
	ID             string `json:"id"`
	Email          string `json:"email,omitempty"`
	OrganizationID string `json:"organization_id,omitempty"`
	DisplayName    string `json:"display_name,omitempty"`
	MemberStatus   string `json:"member_status,omitempty"`
}

type memberResult struct {
	Status string `json:"sub_request_status"`
	Member member `json:"member"`
}

type role struct {
	ID             string `json:"id"`
	Type           string `json:"type"`
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
}

type roleResult struct {
	Status string `json:"sub_request_status"`
	Role   role   `json:"role"`
}

type organization struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	MyMemberID string `json:"my_member_id"`
}

type organizationResult struct {
	Status       string       `json:"sub_request_status"`
	Organization organization `json:"organization"`
}

func memberOf(p world.Person) member {
	m := member{ID: p.ID, Email: p.Email, OrganizationID: p.Organisation, DisplayName: p.Name, MemberStatus: "MEMBER"}
	if p.Pending {
		m.MemberStatus = "INVITED"
	}
	return m
}

// me is the token's user.
func (s *server) me(w http.ResponseWriter, r *http.Request, t world.Token) {
	p, ok := s.world.Person(world.Snapchat, t.Person)
	if !ok {
		p.ID = t.Person
	}
	who := memberOf(p)
	who.MemberStatus = ""
	writeJSON(w, http.StatusOK, struct {
		envelope

		Me member `json:"me"`
	}{s.envelope(r, statusSuccess), who})
}

func (s *server) organizations(w http.ResponseWriter, r *http.Request, t world.Token) {
	list := []organizationResult{}
	if p, ok := s.world.Person(world.Snapchat, t.Person); ok && p.Organisation != "" && !p.Pending {
		list = append(list, organizationResult{s.opts.word(statusSuccess), organization{p.Organisation, p.Organisation, p.ID}})
	}
	writeJSON(w, http.StatusOK, struct {
		envelope

		Organizations []organizationResult `json:"organizations"`
	}{s.envelope(r, statusSuccess), list})
}

// colleague finds who is meant, if the token's user may look: a member of the
// same organisation, who must be an admin to change something.
func (s *server) colleague(w http.ResponseWriter, t world.Token, id string, change bool) (world.Person, bool) {
	mine, _ := s.world.Person(world.Snapchat, t.Person)
	p, ok := s.world.Person(world.Snapchat, id)
	switch {
	case mine.Organisation == "" || mine.Pending || change && !isAdmin(mine) || ok && p.Organisation != mine.Organisation:
		renderer{s.opts}.refuse(w, http.StatusForbidden, permissionDenied)
		return p, false
	case !ok:
		renderer{s.opts}.refuse(w, http.StatusNotFound, "The member could not be found")
		return p, false
	}
	return p, true
}

// inside says whether the token's user is in the path's organisation, or refuses.
func (s *server) inside(w http.ResponseWriter, r *http.Request, t world.Token) bool {
	mine, _ := s.world.Person(world.Snapchat, t.Person)
	if mine.Organisation == "" || mine.Organisation != r.PathValue("id") || mine.Pending {
		renderer{s.opts}.refuse(w, http.StatusForbidden, permissionDenied)
		return false
	}
	return true
}

func (s *server) members(w http.ResponseWriter, r *http.Request, t world.Token) {
	if !s.inside(w, r, t) {
		return
	}
	list := []memberResult{}
	for _, p := range s.world.People(world.Snapchat, r.PathValue("id")) {
		list = append(list, memberResult{s.opts.word(statusSuccess), memberOf(p)})
	}
	writeJSON(w, http.StatusOK, struct {
		envelope

		Members []memberResult `json:"members"`
	}{s.envelope(r, statusSuccess), list})
}

const rolePrefix = "role-"

// rolesOf: a person has at most one role in their organisation.
func (s *server) rolesOf(people ...world.Person) []roleResult {
	list := []roleResult{}
	for _, p := range people {
		if p.OrganisationRole != "" {
			list = append(list, roleResult{s.opts.word(statusSuccess), role{rolePrefix + p.ID, p.OrganisationRole, p.Organisation, p.ID}})
		}
	}
	return list
}

type roleList struct {
	envelope

	Roles []roleResult `json:"roles"`
}

func (s *server) memberRoles(w http.ResponseWriter, r *http.Request, t world.Token) {
	if p, ok := s.colleague(w, t, r.PathValue("id"), false); ok {
		writeJSON(w, http.StatusOK, roleList{s.envelope(r, statusSuccess), s.rolesOf(p)})
	}
}

func (s *server) organizationRoles(w http.ResponseWriter, r *http.Request, t world.Token) {
	if !s.opts.OrganizationRoles {
		renderer{s.opts}.Status(w, http.StatusNotFound)
		return
	}
	if s.inside(w, r, t) {
		writeJSON(w, http.StatusOK, roleList{s.envelope(r, statusSuccess), s.rolesOf(s.world.People(world.Snapchat, r.PathValue("id"))...)})
	}
}

func (s *server) removeRole(w http.ResponseWriter, r *http.Request, t world.Token) {
	if !s.opts.RemovesPeople {
		renderer{s.opts}.Status(w, http.StatusMethodNotAllowed)
		return
	}
	p, ok := s.colleague(w, t, strings.TrimPrefix(r.PathValue("role"), rolePrefix), true)
	switch {
	case !ok:
		return
	case p.OrganisationRole == "" || r.PathValue("id") != "" && r.PathValue("id") != p.ID:
		renderer{s.opts}.refuse(w, http.StatusNotFound, "The role could not be found")
		return
	}
	s.removed(w, r, s.world.UpdatePerson(world.Snapchat, p.ID, func(next *world.Person) { next.OrganisationRole = "" }))
}

func (s *server) removeMember(w http.ResponseWriter, r *http.Request, t world.Token) {
	if !s.opts.RemovesPeople {
		renderer{s.opts}.Status(w, http.StatusMethodNotAllowed)
		return
	}
	if p, ok := s.colleague(w, t, r.PathValue("id"), true); ok {
		s.removed(w, r, s.world.RemovePerson(world.Snapchat, p.ID))
	}
}

func (s *server) removed(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		renderer{s.opts}.Status(w, http.StatusNotFound)
		return
	}
	gate.Record(r.Context()).Note(func(c *world.Call) { c.Accepted = true })
	writeJSON(w, http.StatusOK, s.envelope(r, statusSuccess))
}
