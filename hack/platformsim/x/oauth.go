package x

import (
	"net/http"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// grantRules are X's (docs.x.com, OAuth 2.0; single use: public code): a code
// lives 30 seconds, an access token two hours, and a refresh token comes with the
// scope offline.access only.
func grantRules(o Options) world.GrantRules {
	rules := world.GrantRules{
		Prefix: "x-", CodeLife: 30 * time.Second, AccessLife: 2 * time.Hour, RefreshLife: o.RefreshLife,
		Refreshes: true, RefreshScope: "offline.access", SingleUse: true, Grace: o.Grace, RevokeEnds: world.ReachToken,
	}
	if o.RevokeGrant {
		rules.RevokeEnds = world.ReachGrant
	}
	if o.ReplayEndsFamily {
		rules.ReplayEnds = world.ReachFamily
	}
	return rules
}

// maxState bounds the parameter state, in bytes (docs.x.com, OAuth 2.0).
const maxState = 500

func (s *server) oauthRoutes(mux *http.ServeMux, g gate.Gate) {
	dialog := gate.Dialog{World: s.world, Platform: world.X, PKCE: true, State: maxState}
	mux.Handle("GET "+EndpointAuthorize, g.API(EndpointAuthorize, dialog))
	mux.Handle("POST "+EndpointUserToken, g.Recorded(EndpointUserToken, gate.TokenEffect, http.HandlerFunc(s.userToken)))
	mux.Handle("POST "+EndpointRevoke, g.Recorded(EndpointRevoke, gate.Always("revoke"), http.HandlerFunc(s.revoke)))
}

type grantAnswer struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	AccessToken  string `json:"access_token"`
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// userToken exchanges codes and refresh tokens.
func (s *server) userToken(w http.ResponseWriter, r *http.Request) {
	form, ok := gate.Form(w, r)
	if !ok {
		badGrant(w, "The body is not a form.")
		return
	}
	client, ok := s.client(w, r)
	if !ok {
		return
	}
	var issued world.Issued
	var err error
	switch form.Get("grant_type") {
	case "authorization_code":
		issued, err = s.world.Exchange(world.Exchange{
			Platform: world.X, Client: client, Code: form.Get("code"), RedirectURI: form.Get("redirect_uri"), Verifier: form.Get("code_verifier"),
		})
	case "refresh_token":
		issued, err = s.world.Refresh(world.X, client, form.Get("refresh_token"))
	default:
		badGrant(w, "Missing required parameter [grant_type].")
		return
	}
	if err != nil {
		s.deadGrant(w, form.Get("grant_type"))
		return
	}
	record := gate.Record(r.Context())
	record.Note(func(c *world.Call) {
		c.Client, c.Person, c.Account, c.Accepted = issued.Client, issued.Person, issued.Account, true
	})
	record.Issued(issued.Access)
	record.Issued(issued.Refresh)
	writeJSON(w, http.StatusOK, typeJSON, grantAnswer{
		"bearer", int64(issued.Expires.Sub(s.world.Now()) / time.Second), issued.Access, strings.Join(issued.Scopes, " "), issued.Refresh,
	})
}

// client authenticates the app, or refuses the request.
func (s *server) client(w http.ResponseWriter, r *http.Request) (string, bool) {
	client, secret, basic := gate.Client(r, r.PostForm)
	_, known := s.world.App(world.X, client)
	switch {
	case basic && s.world.AppSecretIs(world.X, client, secret), !basic && known && s.opts.PublicClients:
		return client, true
	case basic:
		writeJSON(w, http.StatusUnauthorized, typeJSON, tokenError{"invalid_client", "Value passed for the authorization header was invalid."})
	default:
		writeJSON(w, http.StatusUnauthorized, typeJSON, tokenError{"unauthorized_client", "Missing valid authorization header"})
	}
	return "", false
}

func (s *server) deadGrant(w http.ResponseWriter, kind string) {
	what := "token"
	if kind == "authorization_code" {
		what = "authorization code"
	}
	code := "invalid_request"
	if s.opts.InvalidGrant {
		code = "invalid_grant"
	}
	writeJSON(w, http.StatusBadRequest, typeJSON, tokenError{code, "Value passed for the " + what + " was invalid."})
}

// revoke answers 200 whether or not there was something to revoke (RFC 7009).
func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	form, ok := gate.Form(w, r)
	if !ok || form.Get("token") == "" {
		badGrant(w, "Missing required parameter [token].")
		return
	}
	client, ok := s.client(w, r)
	if !ok {
		return
	}
	if t, known := s.world.Token(world.X, form.Get("token")); known && t.Client == client {
		s.world.Revoke(world.X, form.Get("token"))
		gate.Record(r.Context()).Note(func(c *world.Call) { c.Client, c.Person, c.Account, c.Accepted = t.Client, t.Person, t.Account, true })
	}
	writeJSON(w, http.StatusOK, typeJSON, map[string]bool{"revoked": true})
}
