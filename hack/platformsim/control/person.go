package control

import (
	"fmt"
	"net/http"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func (s *server) peopleActions() map[string]action {
	return map[string]action{
		"GET /v1/people/{platform}":                           s.listPeople,
		"GET /v1/people/{platform}/{person}":                  s.getPerson,
		"PUT /v1/people/{platform}/{person}":                  s.putPerson,
		"DELETE /v1/people/{platform}/{person}":               s.deletePerson,
		"POST /v1/people/{platform}/{person}/password":        s.changePassword,
		"GET /v1/people/{platform}/{person}/security":         s.getSecurity,
		"PUT /v1/people/{platform}/{person}/security":         s.putSecurity,
		"GET /v1/accounts/{platform}/{ref}/roles":             s.listRoles,
		"PUT /v1/accounts/{platform}/{ref}/roles/{person}":    s.putRole,
		"DELETE /v1/accounts/{platform}/{ref}/roles/{person}": s.deleteRole,
	}
}

func (s *server) listPeople(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, append([]world.Person{}, s.world.People(p, r.URL.Query().Get("organisation"))...), nil
}

func (s *server) getPerson(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("person")
	person, ok := s.world.Person(p, id)
	if !ok {
		return 0, nil, fmt.Errorf("person %s/%s: %w", p, id, world.ErrNotFound)
	}
	return http.StatusOK, person, nil
}

func (s *server) putPerson(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("person")
	person := world.Person{Platform: p, ID: id}
	if err := decode(r, &person); err != nil {
		return 0, nil, err
	}
	if person.Platform != p || person.ID != id {
		return 0, nil, fmt.Errorf("%w: platform and id are not those of the path", errBody)
	}
	if err := s.world.PutPerson(person); err != nil {
		return 0, nil, err
	}
	person, _ = s.world.Person(p, id)
	return http.StatusOK, person, nil
}

func (s *server) deletePerson(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.world.RemovePerson(p, r.PathValue("person"))
}

type endedAnswer struct {
	Ended int `json:"ended"`
}

func (s *server) changePassword(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	ended, err := s.world.ChangePassword(p, r.PathValue("person"))
	return http.StatusOK, endedAnswer{ended}, err
}

func (s *server) listRoles(r *http.Request) (int, any, error) {
	a, err := s.account(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.world.Roles(a.Platform, a.ID), nil
}

func (s *server) putRole(r *http.Request) (int, any, error) {
	a, err := s.account(r)
	if err != nil {
		return 0, nil, err
	}
	role := world.Role{Platform: a.Platform, Account: a.ID, Person: r.PathValue("person")}
	want := role
	if err := decode(r, &role); err != nil {
		return 0, nil, err
	}
	if role.Platform != want.Platform || role.Account != want.Account || role.Person != want.Person {
		return 0, nil, fmt.Errorf("%w: platform, account or person are not those of the path", errBody)
	}
	return http.StatusOK, role, s.world.PutRole(role)
}

func (s *server) deleteRole(r *http.Request) (int, any, error) {
	a, err := s.account(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.world.RemoveRole(a.Platform, a.ID, r.PathValue("person"))
}
