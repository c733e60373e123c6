package control

import (
	"fmt"
	"net/http"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func (s *server) getSecurity(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("person")
	if _, ok := s.world.Person(p, id); !ok {
		return 0, nil, fmt.Errorf("person %s/%s: %w", p, id, world.ErrNotFound)
	}
	return http.StatusOK, s.world.SecurityOf(p, id), nil
}

func (s *server) putSecurity(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var body world.Security
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	id := r.PathValue("person")
	if err := s.world.UpdateSecurity(p, id, func(next *world.Security) { *next = body }); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.world.SecurityOf(p, id), nil
}
