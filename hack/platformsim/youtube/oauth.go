package youtube

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// grantRules are Google's (identity/protocols/oauth2): an access token lives an
// hour, refresh tokens do not rotate and survive a new password, at most 100 live
// for a person and client, and revoking any token ends the whole grant.
func grantRules(o Options) world.GrantRules {
	return world.GrantRules{
		Prefix: "ya29.", AccessLife: time.Hour, RefreshLife: o.RefreshLife, Refreshes: true, RevokeEnds: world.ReachGrant,
		ReplayEnds: world.ReachFamily, MaxRefresh: 100,
	}
}

func (s *server) oauthRoutes(mux *http.ServeMux, g gate.Gate) {
	mux.Handle("GET "+EndpointAuthorize, g.API(EndpointAuthorize, gate.Dialog{World: s.world, Platform: world.YouTube}))
	mux.Handle("POST "+EndpointToken, g.Recorded(EndpointToken, gate.TokenEffect, http.HandlerFunc(s.token)))
	mux.Handle("POST "+EndpointRevoke, g.Recorded(EndpointRevoke, gate.Always("revoke"), http.HandlerFunc(s.revoke)))
	for _, verb := range []string{"GET ", "POST "} {
		mux.Handle(verb+EndpointTokenInfo, g.Recorded(EndpointTokenInfo, gate.Reads, http.HandlerFunc(s.tokenInfo)))
	}
	mux.Handle("GET "+EndpointUserInfo, g.Recorded(EndpointUserInfo, gate.Reads, http.HandlerFunc(s.userInfo)))
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func refuse(w http.ResponseWriter, status int, code, why string) {
	writeJSON(w, status, oauthError{code, why}, true)
}

type grantAnswer struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	TokenType    string `json:"token_type"`
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	form, ok := gate.Form(w, r)
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_request", "The body is not a form.")
		return
	}
	client, secret, _ := gate.Client(r, form)
	if !s.world.AppSecretIs(world.YouTube, client, secret) {
		refuse(w, http.StatusUnauthorized, "invalid_client", "The provided client secret is invalid.")
		return
	}
	var issued world.Issued
	var err error
	switch form.Get("grant_type") {
	case "authorization_code":
		issued, err = s.world.Exchange(world.Exchange{
			Platform: world.YouTube, Client: client, Code: form.Get("code"), RedirectURI: form.Get("redirect_uri"), Verifier: form.Get("code_verifier"),
		})
	case "refresh_token":
		issued, err = s.world.Refresh(world.YouTube, client, form.Get("refresh_token"))
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: "+form.Get("grant_type"))
		return
	}
	if err != nil {
		why := "Token has been expired or revoked."
		if form.Get("grant_type") == "authorization_code" {
			why = "Malformed auth code."
		}
		refuse(w, http.StatusBadRequest, "invalid_grant", why)
		return
	}
	note(r, issued)
	writeJSON(w, http.StatusOK, grantAnswer{
		AccessToken: issued.Access, ExpiresIn: int64(issued.Expires.Sub(s.world.Now()) / time.Second), RefreshToken: issued.Refresh,
		Scope: strings.Join(issued.Scopes, " "), TokenType: "Bearer",
	}, true)
}

// note tells the history what a call did and made.
func note(r *http.Request, issued world.Issued) {
	record := gate.Record(r.Context())
	record.Note(func(c *world.Call) {
		c.Client, c.Person, c.Account, c.Accepted = issued.Client, issued.Person, issued.Account, true
	})
	record.Issued(issued.Access)
	record.Issued(issued.Refresh)
}

// revoke ends the whole grant of the token's person to the token's project. Who
// knows the token may revoke it: no client authenticates.
func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	form, _ := gate.Form(w, r)
	value := form.Get("token")
	if value == "" {
		value = r.URL.Query().Get("token")
	}
	token, known := s.world.Token(world.YouTube, value)
	switch {
	case value == "":
		refuse(w, http.StatusBadRequest, "invalid_request", "Missing required parameter: token")
		return
	case !known || token.Cause != "" || token.Kind == world.CodeToken:
		refuse(w, http.StatusBadRequest, "invalid_token", "Token expired or revoked")
		return
	}
	s.world.Revoke(world.YouTube, value)
	gate.Record(r.Context()).Note(func(c *world.Call) {
		c.Client, c.Person, c.Account, c.Accepted = token.Client, token.Person, token.Account, true
	})
	writeJSON(w, http.StatusOK, struct{}{}, true)
}

type tokenInfo struct {
	Azp           string `json:"azp"`
	Aud           string `json:"aud"`
	Sub           string `json:"sub,omitempty"`
	Scope         string `json:"scope"`
	Exp           any    `json:"exp"`
	ExpiresIn     any    `json:"expires_in"`
	Email         string `json:"email,omitempty"`
	EmailVerified string `json:"email_verified,omitempty"`
	AccessType    string `json:"access_type"`
}

func (s *server) tokenInfo(w http.ResponseWriter, r *http.Request) {
	value := r.FormValue("access_token")
	t, ok := s.world.Token(world.YouTube, value)
	if !ok || t.Kind != world.AccessToken || t.Cause != "" {
		refuse(w, http.StatusBadRequest, "invalid_token", "Invalid Value")
		return
	}
	left := int64(t.Expires.Sub(s.world.Now()) / time.Second)
	out := tokenInfo{Azp: t.Client, Aud: t.Client, Scope: strings.Join(t.Scopes, " "), AccessType: "offline"}
	if s.opts.TokenInfoNumbers {
		out.Exp, out.ExpiresIn = t.Expires.Unix(), left
	} else {
		out.Exp, out.ExpiresIn = strconv.FormatInt(t.Expires.Unix(), 10), strconv.FormatInt(left, 10)
	}
	if knows(t, "openid") {
		out.Sub = t.Person
	}
	if person, found := s.world.Person(world.YouTube, t.Person); found && person.Email != "" && knows(t, "email") {
		out.Email, out.EmailVerified = person.Email, "true"
	}
	writeJSON(w, http.StatusOK, out, true)
}

// knows says whether a token may see a part of the person, by either name of the scope.
func knows(t world.Token, what string) bool {
	return slices.Contains(t.Scopes, what) || slices.Contains(t.Scopes, scopeBase+"userinfo."+what)
}

type userInfo struct {
	Sub           string `json:"sub"`
	Name          string `json:"name,omitempty"`
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	Hd            string `json:"hd,omitempty"`
}

func (s *server) userInfo(w http.ResponseWriter, r *http.Request) {
	value, _ := gate.Bearer(r)
	t, ok := s.world.Token(world.YouTube, value)
	if !ok || t.Kind != world.AccessToken || t.Cause != "" {
		refuse(w, http.StatusUnauthorized, "invalid_request", "Invalid Credentials")
		return
	}
	if !knows(t, "openid") && !knows(t, "email") && !knows(t, "profile") {
		refuse(w, http.StatusForbidden, "insufficient_scope", "Request had insufficient authentication scopes.")
		return
	}
	out := userInfo{Sub: t.Person}
	// Nobody has an empty profile.
	person, _ := s.world.Person(world.YouTube, t.Person)
	if knows(t, "profile") {
		out.Name = person.Name
	}
	if knows(t, "email") {
		out.Email, out.EmailVerified, out.Hd = person.Email, person.Email != "", person.Organisation
	}
	writeJSON(w, http.StatusOK, out, true)
}
