package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"mithaq.dev/mithaq/internal/platform"
)

var (
	errBuild     = errors.New("the request cannot be built")
	errNoRefresh = errors.New("the grant has no refresh token")
	errRefused   = errors.New("the code or token is refused")
	errClient    = errors.New("the app's own credentials are refused")
	errRequest   = errors.New("the request is refused as invalid")
	errLimited   = errors.New("the rate limit is used up")
	errLost      = errors.New("the answer was lost, or is not one to the request")
)

// retryUnknown is the wait after a 429: no platform says how long at its token
// endpoint.
const retryUnknown = 60 * time.Second

// single performs one request and knows whether anything of it may have arrived.
type single struct {
	client *http.Client
	sent   atomic.Bool
}

// once prepares a single request: the transport must not rewind its body and send
// it again, and GotConn tells a request that never left (name resolution, dialing,
// TLS) from one that may have been read.
func (c *Client) once(ctx context.Context, template string) (context.Context, *single) {
	s := &single{}
	inner := *c.HTTP
	base := inner.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	inner.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { s.sent.Store(true) }}
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
		r.GetBody = nil
		return base.RoundTrip(r)
	})
	s.client = &inner
	call := platform.WithEndpoint(context.WithValue(ctx, oauth2.HTTPClient, s.client), template)
	return call, s
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// lost classes a request without an answer: ambiguous once something may have
// arrived, else whatever kept it from leaving.
func (s *single) lost(ctx context.Context, op string, err error) *platform.Error {
	e := platform.CallError(ctx, op, err)
	if !s.sent.Load() {
		return e
	}
	return &platform.Error{Kind: platform.KindAmbiguous, Op: op, Status: e.Status, Err: e.Err}
}

// failed classes the error of the oauth2 package. Its text holds the answer, so
// only the status and the error code are kept.
func (c *Client) failed(ctx context.Context, op string, s *single, err error) *platform.Error {
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		e := s.lost(ctx, op, err)
		if e.Kind == platform.KindAmbiguous && ctx.Err() == nil {
			e.Err = errLost
		}
		return e
	}
	status := 0
	if refusal.Response != nil {
		status = refusal.Response.StatusCode
	}
	return c.refusal(op, status, refusal.ErrorCode)
}

// revoked reads the answer to a revocation (RFC 7009, section 2.2: 200, whatever
// the token was).
func (c *Client) revoked(answer *platform.Answer) error {
	if answer.Status == http.StatusOK || answer.Status == http.StatusNoContent {
		return nil
	}
	var body struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(answer.Body, &body) // without a code it is no refusal that we know
	e := c.refusal(opRevoke, answer.Status, body.Error)
	if e.Kind == platform.KindUnauthorized {
		return nil
	}
	return e
}

// refusal classes an answer by status and OAuth error code. Only what is a known
// refusal is one: everything else may have taken effect.
func (c *Client) refusal(op string, status int, code string) *platform.Error {
	e := &platform.Error{Kind: platform.KindAmbiguous, Op: op, Status: status, Err: errLost}
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind, e.Err, e.RetryAfter = platform.KindRateLimited, errLimited, retryUnknown
	case status >= http.StatusInternalServerError || status == 0:
	case code == "invalid_grant", code == "invalid_token", slices.Contains(c.RefusedAs, code):
		e.Kind, e.Err = platform.KindUnauthorized, errRefused
	case code == "invalid_client", code == "unauthorized_client",
		status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.Kind, e.Err = platform.KindInvalid, errClient
	case code == "invalid_request", code == "unsupported_grant_type", code == "invalid_scope":
		e.Kind, e.Err = platform.KindInvalid, errRequest
	}
	return e
}
