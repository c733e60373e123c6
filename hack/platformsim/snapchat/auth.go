package snapchat

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// handler serves a request with a token that is good for it.
type handler func(w http.ResponseWriter, r *http.Request, t world.Token)

// api admits a request: a live token, of an app that Snap admits, with the scope,
// not too often.
func (s *server) api(scope string, next handler) http.Handler {
	answer := renderer{s.opts}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, _ := gate.Bearer(r)
		t, known := s.world.Token(world.Snapchat, value)
		app, _ := s.world.App(world.Snapchat, t.Client)
		switch {
		case !known, t.Kind != world.AccessToken:
			answer.unauthorized(w, "The access token is invalid")
		case t.Cause == world.CauseExpired:
			answer.unauthorized(w, "The access token expired")
		case t.Cause != "":
			answer.unauthorized(w, "The access token is invalid")
		case app.Denied:
			s.notAdmitted(w)
		case !s.limiter.take(t):
			answer.Throttle(w, time.Time{})
		case !slices.Contains(t.Scopes, scope):
			answer.refuse(w, http.StatusForbidden, permissionDenied)
		default:
			gate.Record(r.Context()).Note(func(c *world.Call) { c.Client, c.Person = t.Client, t.Person })
			next(w, r, t)
		}
	})
}

const permissionDenied = "AUTHORIZATION_PERMISSION_DENIED"

func (s *server) notAdmitted(w http.ResponseWriter) {
	if s.opts.Forbidden403Body {
		renderer{s.opts}.refuse(w, http.StatusForbidden, permissionDenied)
		return
	}
	w.WriteHeader(http.StatusForbidden)
}

func (s *server) oauthRoutes(mux *http.ServeMux, g gate.Gate) {
	mux.Handle("GET "+EndpointAuthorize, g.API(EndpointAuthorize, gate.Dialog{World: s.world, Platform: world.Snapchat}))
	token := g.Recorded(EndpointToken, gate.TokenEffect, http.HandlerFunc(s.token))
	mux.Handle("POST "+EndpointToken, token)
	if s.opts.TokenAlias {
		mux.Handle("POST /login/oauth2/token", token)
	}
	if s.opts.Revoke != RevokeMissing {
		mux.Handle("POST "+s.opts.RevokePath, g.Recorded(EndpointRevoke, gate.Always("revoke"), http.HandlerFunc(s.revoke)))
	}
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

type grantAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	form, ok := gate.Form(w, r)
	if !ok {
		writeJSON(w, http.StatusBadRequest, oauthError{"invalid_request", "The body is not a form."})
		return
	}
	client, secret, _ := gate.Client(r, form)
	if !s.world.AppSecretIs(world.Snapchat, client, secret) {
		writeJSON(w, http.StatusUnauthorized, oauthError{"invalid_client", "Client authentication failed."})
		return
	}
	var issued world.Issued
	var err error
	switch form.Get("grant_type") {
	case "authorization_code":
		issued, err = s.world.Exchange(world.Exchange{
			Platform: world.Snapchat, Client: client, Code: form.Get("code"), RedirectURI: form.Get("redirect_uri"), Verifier: form.Get("code_verifier"),
		})
	case "refresh_token":
		issued, err = s.world.Refresh(world.Snapchat, client, form.Get("refresh_token"))
	default:
		writeJSON(w, http.StatusBadRequest, oauthError{"unsupported_grant_type", "The grant type is not supported."})
		return
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, oauthError{"invalid_grant", "The provided grant is invalid, expired or revoked."})
		return
	}
	record := gate.Record(r.Context())
	record.Note(func(c *world.Call) {
		c.Client, c.Person, c.Account, c.Accepted = issued.Client, issued.Person, issued.Account, true
	})
	record.Issued(issued.Access)
	record.Issued(issued.Refresh)
	writeJSON(w, http.StatusOK, grantAnswer{
		issued.Access, "Bearer", int64(issued.Expires.Sub(s.world.Now()) / time.Second), issued.Refresh, strings.Join(issued.Scopes, " "),
	})
}

// revoke takes the client by Basic, as Login Kit's does, or by the form.
func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	form, ok := gate.Form(w, r)
	client, secret, _ := gate.Client(r, form)
	switch {
	case !ok || form.Get("token") == "":
		writeJSON(w, http.StatusBadRequest, oauthError{"invalid_request", "token is required."})
		return
	case !s.world.AppSecretIs(world.Snapchat, client, secret):
		writeJSON(w, http.StatusUnauthorized, oauthError{"invalid_client", "Client authentication failed."})
		return
	}
	t, known := s.world.Token(world.Snapchat, form.Get("token"))
	if known && t.Client == client && s.opts.Revoke == RevokeWorks {
		s.world.Revoke(world.Snapchat, form.Get("token"))
		gate.Record(r.Context()).Note(func(c *world.Call) {
			c.Client, c.Person, c.Account, c.Accepted = t.Client, t.Person, t.Account, true
		})
	}
	w.WriteHeader(http.StatusOK)
}
