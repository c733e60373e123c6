// Package control serves the endpoint by which a demo or a test changes a
// simulated world while it runs. It has no authentication: listen on loopback only.
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

type server struct {
	world *world.World
}

// action does what a request wants and returns the status and the value to
// answer with; a nil value is an answer without a body.
type action func(r *http.Request) (status int, body any, err error)

// New returns the control endpoint of a world; the README next to the
// simulator's main lists its paths.
func New(w *world.World) http.Handler {
	s := &server{world: w}
	mux := http.NewServeMux()
	for pattern, do := range s.actions() {
		mux.Handle(pattern, do)
	}
	return mux
}

func (s *server) actions() map[string]action {
	all := map[string]action{
		"GET /healthz":                                   s.health,
		"GET /v1/accounts/{platform}/{ref}":              s.getAccount,
		"PUT /v1/accounts/{platform}/{ref}":              s.putAccount,
		"PATCH /v1/accounts/{platform}/{ref}":            s.patchAccount,
		"DELETE /v1/accounts/{platform}/{ref}":           s.deleteAccount,
		"POST /v1/accounts/{platform}/{ref}/recycle":     s.recycle,
		"GET /v1/faults/{platform}":                      s.getFaults,
		"PUT /v1/faults/{platform}":                      s.putFaults,
		"DELETE /v1/faults/{platform}":                   s.deleteFaults,
		"GET /v1/ledger":                                 s.getLedger,
		"DELETE /v1/ledger":                              s.deleteLedger,
		"GET /v1/shown":                                  s.getShown,
		"PUT /v1/shown":                                  s.watchShown,
		"DELETE /v1/shown":                               s.unwatchShown,
		"GET /v1/reads":                                  s.getReads,
		"PUT /v1/reads":                                  s.watchReads,
		"DELETE /v1/reads":                               s.unwatchReads,
		"GET /v1/clock":                                  s.getClock,
		"POST /v1/clock":                                 s.advanceClock,
		"POST /v1/apps/{platform}/{apiKey}/revoke-token": s.revokeToken,
		"PUT /v1/apps/{platform}/{apiKey}/credits":       s.putCredits,
	}
	maps.Copy(all, s.postActions())
	maps.Copy(all, s.peopleActions())
	maps.Copy(all, s.grantActions())
	return all
}

// ServeHTTP implements http.Handler.
func (do action) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, err := do(r)
	if err != nil {
		status, body = statusOf(err), failure{err.Error()}
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	data, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		http.Error(w, "encoding answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}

type failure struct {
	Error string `json:"error"`
}

// errBody is a request body that does not have the expected form.
var errBody = errors.New("invalid body")

func statusOf(err error) int {
	switch {
	case errors.Is(err, world.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, world.ErrConflict), errors.Is(err, world.ErrClockFixed):
		return http.StatusConflict
	case errors.Is(err, world.ErrInvalid), errors.Is(err, world.ErrRefused), errors.Is(err, errBody):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// maxBody bounds a request body, in bytes.
const maxBody = 1 << 20

// decode reads exactly one JSON value without unknown fields.
func decode(r *http.Request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	if len(data) > maxBody {
		return fmt.Errorf("%w: more than %d bytes", errBody, maxBody)
	}
	return decodeBytes(data, into)
}

func (s *server) health(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]string{"status": "ok"}, nil
}

func (s *server) getLedger(*http.Request) (int, any, error) {
	return http.StatusOK, s.world.Ledger(), nil
}

func (s *server) deleteLedger(*http.Request) (int, any, error) {
	s.world.ResetLedger()
	return http.StatusNoContent, nil, nil
}

func (s *server) getShown(*http.Request) (int, any, error) {
	return http.StatusOK, s.world.Shown(), nil
}

func (s *server) watchShown(*http.Request) (int, any, error) {
	s.world.WatchShown(true)
	return http.StatusNoContent, nil, nil
}

func (s *server) unwatchShown(*http.Request) (int, any, error) {
	s.world.WatchShown(false)
	return http.StatusNoContent, nil, nil
}
