package youtube

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

const (
	scopeUsers    = scopeBase + "admin.directory.user"
	scopeSecurity = scopeBase + "admin.directory.user.security"
)

// directory serves one method of the Admin SDK to an admin of the user's domain.
type directory func(w http.ResponseWriter, r *http.Request, user world.Person)

func (s *server) adminRoutes(mux *http.ServeMux, g gate.Gate) {
	for pattern, m := range map[string]struct {
		scope  string
		effect gate.Effect
		serve  directory
	}{
		"GET " + EndpointUser:        {scopeUsers, gate.Reads, s.getUser},
		"PUT " + EndpointUser:        {scopeUsers, gate.Always("updateUser"), s.putUser},
		"POST " + EndpointSignOut:    {scopeSecurity, gate.Always("signOut"), s.signOut},
		"GET " + EndpointTokens:      {scopeSecurity, gate.Reads, s.listTokens},
		"DELETE " + EndpointTokensOf: {scopeSecurity, gate.Always("removeApp"), s.deleteTokens},
		"GET " + EndpointASPs:        {scopeSecurity, gate.Reads, s.listASPs},
		"DELETE " + EndpointASP:      {scopeSecurity, gate.Always("removeAppPassword"), s.deleteASP},
	} {
		_, endpoint, _ := strings.Cut(pattern, " ")
		mux.Handle(pattern, g.Recorded(endpoint, m.effect, s.directory(m.scope, m.serve)))
	}
}

func (s *server) directory(scope string, next directory) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, _ := gate.Bearer(r)
		t, ok := s.world.Token(world.YouTube, value)
		if !ok || t.Kind != world.AccessToken || t.Cause != "" {
			deadToken().write(w)
			return
		}
		user, f := s.administered(r, t, scope)
		if f != nil {
			f.write(w)
			return
		}
		gate.Record(r.Context()).Note(func(c *world.Call) { c.Client, c.Person = t.Client, t.Person })
		next(w, r, user)
	})
}

// administered is the path's user, if the token's person may administer them.
func (s *server) administered(r *http.Request, t world.Token, scope string) (world.Person, *fault) {
	if f := s.enabled(t.Client); f != nil {
		return world.Person{}, f
	}
	admin, found := s.world.Person(world.YouTube, t.Person)
	user, known := s.user(r.PathValue("userKey"))
	switch {
	case !slices.Contains(t.Scopes, scope):
		return user, forbidden("insufficientPermissions", "Request had insufficient authentication scopes.")
	case !found || admin.OrganisationRole != "admin" || known && admin.Organisation != user.Organisation:
		return user, forbidden("forbidden", "Not Authorized to access this resource/api")
	case !known:
		return user, &fault{code: http.StatusNotFound, reason: "notFound", domain: "global", message: "Resource Not Found: userKey"}
	}
	return user, nil
}

// user finds a person by id or primary address.
func (s *server) user(key string) (world.Person, bool) {
	if p, ok := s.world.Person(world.YouTube, key); ok {
		return p, true
	}
	for _, p := range s.world.People(world.YouTube, "") {
		if p.Email != "" && strings.EqualFold(p.Email, key) {
			return p, true
		}
	}
	return world.Person{}, false
}

func accepted(r *http.Request) {
	gate.Record(r.Context()).Note(func(c *world.Call) { c.Accepted = true })
}

type directoryUser struct {
	Kind            string `json:"kind"`
	ID              string `json:"id"`
	Etag            string `json:"etag"`
	PrimaryEmail    string `json:"primaryEmail"`
	Name            named  `json:"name"`
	IsAdmin         bool   `json:"isAdmin"`
	Suspended       bool   `json:"suspended"`
	ChangePassword  bool   `json:"changePasswordAtNextLogin"`
	IsEnrolledIn2Sv bool   `json:"isEnrolledIn2Sv"`
	RecoveryEmail   string `json:"recoveryEmail,omitempty"`
	RecoveryPhone   string `json:"recoveryPhone,omitempty"`
}

type named struct {
	FullName string `json:"fullName"`
}

func (s *server) getUser(w http.ResponseWriter, _ *http.Request, p world.Person) {
	security := s.world.SecurityOf(world.YouTube, p.ID)
	writeJSON(w, http.StatusOK, directoryUser{
		Kind: "admin#directory#user", ID: p.ID, Etag: etag(p.ID, p.Email, p.Name), PrimaryEmail: p.Email, Name: named{p.Name},
		IsAdmin: p.OrganisationRole == "admin", ChangePassword: security.ChangePasswordAtLogin,
		IsEnrolledIn2Sv: p.TwoFactor != nil && *p.TwoFactor, RecoveryEmail: security.RecoveryEmail, RecoveryPhone: security.RecoveryPhone,
	}, true)
}

// putUser changes what a handover changes; other members of a user are accepted
// and ignored. It has patch semantics, as users.update has had for years.
func (s *server) putUser(w http.ResponseWriter, r *http.Request, p world.Person) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, gate.MaxForm))
	var body struct {
		Password       *string `json:"password"`
		ChangePassword *bool   `json:"changePasswordAtNextLogin"`
		RecoveryEmail  *string `json:"recoveryEmail"`
		RecoveryPhone  *string `json:"recoveryPhone"`
	}
	if err != nil || json.Unmarshal(data, &body) != nil {
		badRequest("parseError", "", "Parse Error").write(w)
		return
	}
	// The schema User: 8 to 100 characters.
	if body.Password != nil && (len(*body.Password) < 8 || len(*body.Password) > 100) {
		badRequest("invalid", "password", "Invalid Password").write(w)
		return
	}
	err = s.world.UpdateSecurity(world.YouTube, p.ID, func(next *world.Security) {
		if body.Password != nil {
			next.PasswordChanged = s.world.Now().UTC()
		}
		set(&next.ChangePasswordAtLogin, body.ChangePassword)
		set(&next.RecoveryEmail, body.RecoveryEmail)
		set(&next.RecoveryPhone, body.RecoveryPhone)
	})
	if err != nil {
		renderer{}.Status(w, http.StatusInternalServerError)
		return
	}
	if body.Password != nil {
		if _, err := s.world.ChangePassword(world.YouTube, p.ID); err != nil {
			renderer{}.Status(w, http.StatusInternalServerError)
			return
		}
	}
	accepted(r)
	s.getUser(w, r, p)
}

func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request, p world.Person) {
	s.change(w, r, p, func(next *world.Security) { next.Sessions = 0 })
}

func (s *server) change(w http.ResponseWriter, r *http.Request, p world.Person, how func(*world.Security)) {
	if err := s.world.UpdateSecurity(world.YouTube, p.ID, how); err != nil {
		renderer{}.Status(w, http.StatusInternalServerError)
		return
	}
	accepted(r)
	w.WriteHeader(http.StatusNoContent)
}

type directoryList struct {
	Kind  string `json:"kind"`
	Etag  string `json:"etag"`
	Items any    `json:"items,omitempty"`
}

type directoryToken struct {
	Kind        string   `json:"kind"`
	Etag        string   `json:"etag"`
	ClientID    string   `json:"clientId"`
	DisplayText string   `json:"displayText"`
	Anonymous   bool     `json:"anonymous"`
	NativeApp   bool     `json:"nativeApp"`
	UserKey     string   `json:"userKey"`
	Scopes      []string `json:"scopes"`
}

// listTokens shows each third-party app that the user lets in, ours among them.
func (s *server) listTokens(w http.ResponseWriter, _ *http.Request, p world.Person) {
	byClient := map[string]*directoryToken{}
	var order []*directoryToken
	for _, t := range s.world.Tokens(world.YouTube, world.TokenQuery{Person: p.ID, Alive: true}) {
		if t.Kind == world.CodeToken {
			continue
		}
		d, ok := byClient[t.Client]
		if !ok {
			app, _ := s.world.App(world.YouTube, t.Client)
			d = &directoryToken{
				Kind: "admin#directory#token", Etag: etag("token", t.Client, p.ID), ClientID: t.Client, DisplayText: app.Name, UserKey: p.ID,
			}
			byClient[t.Client] = d
			order = append(order, d)
		}
		for _, scope := range t.Scopes {
			if !slices.Contains(d.Scopes, scope) {
				d.Scopes = append(d.Scopes, scope)
			}
		}
	}
	out := directoryList{Kind: "admin#directory#tokenList", Etag: etag("tokens", p.ID, strconv.Itoa(len(order)))}
	if len(order) > 0 {
		out.Items = order
	}
	writeJSON(w, http.StatusOK, out, true)
}

func (s *server) deleteTokens(w http.ResponseWriter, r *http.Request, p world.Person) {
	ended, err := s.world.EndGrants(world.YouTube, world.TokenQuery{Person: p.ID, Client: r.PathValue("clientId")}, world.CauseAppRemoved)
	if err != nil || ended == 0 {
		(&fault{code: http.StatusNotFound, reason: "notFound", domain: "global", message: "Resource Not Found: clientId"}).write(w)
		return
	}
	accepted(r)
	w.WriteHeader(http.StatusNoContent)
}

type directoryASP struct {
	Kind    string `json:"kind"`
	Etag    string `json:"etag"`
	CodeID  int    `json:"codeId"`
	Name    string `json:"name"`
	UserKey string `json:"userKey"`
}

func (s *server) listASPs(w http.ResponseWriter, _ *http.Request, p world.Person) {
	var items []directoryASP
	for _, a := range s.world.SecurityOf(world.YouTube, p.ID).AppPasswords {
		items = append(items, directoryASP{"admin#directory#asp", etag("asp", p.ID, strconv.Itoa(a.ID)), a.ID, a.Name, p.ID})
	}
	out := directoryList{Kind: "admin#directory#aspList", Etag: etag("asps", p.ID, strconv.Itoa(len(items)))}
	if len(items) > 0 {
		out.Items = items
	}
	writeJSON(w, http.StatusOK, out, true)
}

func (s *server) deleteASP(w http.ResponseWriter, r *http.Request, p world.Person) {
	is := func(a world.AppPassword) bool { return strconv.Itoa(a.ID) == r.PathValue("codeId") }
	if !slices.ContainsFunc(s.world.SecurityOf(world.YouTube, p.ID).AppPasswords, is) {
		(&fault{code: http.StatusNotFound, reason: "notFound", domain: "global", message: "Resource Not Found: codeId"}).write(w)
		return
	}
	s.change(w, r, p, func(next *world.Security) { next.AppPasswords = slices.DeleteFunc(next.AppPasswords, is) })
}
