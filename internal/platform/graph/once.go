package graph

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"mithaq.dev/mithaq/internal/platform"
)

var errLost = errors.New("the answer was lost, or is not one to the request")

// once performs a request that changes something: sent once, never again by the
// transport (which repeats a GET that has no body on a connection that was closed).
// What may have arrived and is not known to have been refused is ambiguous.
func (c *Client) once(op, template string, req *http.Request) (*platform.Answer, error) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	if req.Body == nil || req.Body == http.NoBody {
		req.Body = io.NopCloser(strings.NewReader("")) // empty, and not to be rewound
	}
	req.GetBody = nil
	answer, err := c.do(op, template, req, nil)
	if err != nil {
		e := platform.CallError(req.Context(), op, err) //nolint:contextcheck // an answer is classed, nothing is called
		if sent.Load() {
			return nil, &platform.Error{Kind: platform.KindAmbiguous, Op: op, Status: e.Status, Err: e.Err}
		}
		return nil, e
	}
	if e := Refusal(op, answer, c.cfg.Now()); e != nil {
		if e.Kind == platform.KindUnavailable {
			e.Kind = platform.KindAmbiguous
		}
		return nil, e
	}
	return answer, nil
}

// succeeded reads the answer to an effect: {"success":true}, or the string "true",
// or true alone. Anything else is ambiguous.
func succeeded(op string, answer *platform.Answer) error {
	var body struct {
		Success any `json:"success"`
	}
	if answer.DecodeJSON(op, &body) == nil && (body.Success == true || body.Success == "true") {
		return nil
	}
	if strings.TrimSpace(string(answer.Body)) == "true" {
		return nil
	}
	return &platform.Error{Kind: platform.KindAmbiguous, Op: op, Status: answer.Status, Err: errLost}
}
