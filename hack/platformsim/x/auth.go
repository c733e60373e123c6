package x

import (
	"net/http"
	"slices"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// caller is who a request comes from: an app, by its bearer, or one of its users.
type caller struct {
	app string
	// user is nil for an app's bearer. On X account and principal are one.
	user *world.Token
}

func (c caller) userID() string {
	if c.user == nil {
		return ""
	}
	return c.user.Person
}

// handler serves a request of an authenticated caller within its rate limit.
type handler func(w http.ResponseWriter, r *http.Request, c caller)

// access is which tokens an endpoint takes (OpenAPI, security): an app's bearer
// unless userOnly, or a user's with all these scopes; appOnly takes no user's.
type access struct {
	userOnly, appOnly bool
	scopes            []string
}

// reading are the scopes that every read of a user's token needs.
var reading = []string{"tweet.read", "users.read"}

// metered authenticates by bearer, applies the rate limit, whose headers are on
// every answer, and then the access. Requests that turn out invalid count as well.
func (s *server) metered(endpoint string, need access, next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.world.Now()
		c, ok := s.authenticate(r)
		if !ok {
			s.limiter.untouched(endpoint, now).announce(w.Header())
			s.errors.unauthorized(w)
			return
		}
		quota, ok := s.limiter.take(bucket{c.app, endpoint, c.userID()}, now)
		quota.announce(w.Header())
		if !ok {
			s.errors.Status(w, http.StatusTooManyRequests)
			return
		}
		if s.denied(w, c, need) {
			return
		}
		gate.Record(r.Context()).Note(func(call *world.Call) { call.Client, call.Person = c.app, c.userID() })
		next(w, r, c)
	})
}

// denied refuses callers that an endpoint does not take, and suspended users.
func (s *server) denied(w http.ResponseWriter, c caller, need access) bool {
	switch {
	case need.userOnly && c.user == nil:
		s.wrongAuthentication(w, "OAuth 2.0 Application-Only", "OAuth 1.0a User Context, OAuth 2.0 User Context")
	case need.appOnly && c.user != nil:
		s.wrongAuthentication(w, "OAuth 2.0 User Context", "OAuth 2.0 Application-Only")
	case c.user != nil && !covers(c.user.Scopes, need.scopes):
		s.errors.Status(w, http.StatusForbidden)
	case c.user != nil && s.state(c) == world.Suspended:
		accountSuspended(w)
	default:
		return false
	}
	return true
}

func covers(have, need []string) bool {
	return !slices.ContainsFunc(need, func(scope string) bool { return !slices.Contains(have, scope) })
}

// state is that of the user's own account.
func (s *server) state(c caller) world.State {
	a, ok := s.world.Account(world.X, c.user.Person)
	if !ok {
		return world.Deleted
	}
	return a.State
}

// accountSuspended is error 64 of API v1.1, still used around v2.
func accountSuspended(w http.ResponseWriter) {
	writeJSON(w, http.StatusForbidden, typeJSON, legacyErrors{[]legacyError{
		{Code: 64, Message: "Your account is suspended and is not permitted to access this feature."},
	}})
}

func (s *server) authenticate(r *http.Request) (caller, bool) {
	value, ok := gate.Bearer(r)
	if !ok {
		return caller{}, false
	}
	if app, ok := s.world.AppOf(world.X, value); ok {
		return caller{app: app}, true
	}
	t, ok := s.world.Token(world.X, value)
	if !ok || t.Kind != world.AccessToken || t.Cause != "" {
		return caller{}, false
	}
	c := caller{t.Client, &t}
	// Deactivated and deleted users have no tokens that work.
	state := s.state(c)
	return c, state == world.Active || state == world.Suspended
}

type tokenAnswer struct {
	TokenType   string `json:"token_type"`
	AccessToken string `json:"access_token"`
}

type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// token hands out the app's bearer, always the same one (docs.x.com, app-only
// authentication).
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	key, secret, basic := gate.Client(r, nil)
	if !basic || key == "" {
		badCredentials(w, http.StatusUnauthorized)
		return
	}
	form, ok := gate.Form(w, r)
	if !ok {
		badGrant(w, "The body is not a form.")
		return
	}
	if form.Get("grant_type") != "client_credentials" {
		badGrant(w, "Value passed for grant_type was invalid.")
		return
	}
	token, ok := s.world.TokenOf(world.X, key, secret)
	if !ok {
		badCredentials(w, http.StatusForbidden)
		return
	}
	writeJSON(w, http.StatusOK, typeJSON, tokenAnswer{"bearer", token})
}

// badCredentials is error 99; sources show it with both 401 and 403, here 401
// is for credentials that are absent and 403 for wrong ones.
func badCredentials(w http.ResponseWriter, status int) {
	writeJSON(w, status, typeJSON, legacyErrors{[]legacyError{
		{Code: 99, Message: "Unable to verify your credentials", Label: "authenticity_token_error"},
	}})
}

func badGrant(w http.ResponseWriter, why string) {
	writeJSON(w, http.StatusBadRequest, typeJSON, tokenError{"invalid_request", why})
}
