package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func (s *server) getFaults(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.world.Faults(p), nil
}

// putFaults takes one fault or a list of them and replaces all of the platform.
func (s *server) putFaults(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var raw json.RawMessage
	if err := decode(r, &raw); err != nil {
		return 0, nil, err
	}
	faults := make([]world.Fault, 1)
	if bytes.HasPrefix(raw, []byte("[")) {
		err = decodeBytes(raw, &faults)
	} else {
		err = decodeBytes(raw, &faults[0])
	}
	if err != nil {
		return 0, nil, err
	}
	if err := s.world.SetFaults(p, faults...); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.world.Faults(p), nil
}

func (s *server) deleteFaults(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.world.SetFaults(p)
}

type clockAnswer struct {
	Now time.Time `json:"now"`
}

func (s *server) getClock(*http.Request) (int, any, error) {
	return http.StatusOK, clockAnswer{s.world.Now().UTC()}, nil
}

func (s *server) advanceClock(r *http.Request) (int, any, error) {
	var body struct {
		AdvanceSeconds int32 `json:"advanceSeconds"`
	}
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	now, err := s.world.Advance(time.Duration(body.AdvanceSeconds) * time.Second)
	return http.StatusOK, clockAnswer{now.UTC()}, err
}

// revokeToken takes an optional body with the new bearer.
func (s *server) revokeToken(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		NewToken string `json:"newToken"`
	}
	if err := decode(r, &body); err != nil && !errors.Is(err, io.EOF) {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.world.RevokeToken(p, r.PathValue("apiKey"), body.NewToken)
}

func (s *server) putCredits(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		USD *string `json:"usd"`
	}
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	if body.USD == nil {
		return 0, nil, fmt.Errorf(`%w: usd is required, "" for unlimited`, errBody)
	}
	return http.StatusNoContent, nil, s.world.SetCredits(p, r.PathValue("apiKey"), *body.USD)
}
