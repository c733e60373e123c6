package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// callerKind is what sort of token a caller showed.
type callerKind int

const (
	appCaller callerKind = iota
	// userCaller is a human's or a system user's own token.
	userCaller
	// pageCaller's token was made of one of those, for one Page.
	pageCaller
	// igCaller's is from Instagram Login.
	igCaller
)

// caller is who calls, once their token was accepted.
type caller struct {
	kind  callerKind
	value string
	token world.Token
	// system: the token is a system user's or was made of one.
	system bool
}

func (c caller) may(scope string) bool {
	return c.kind == appCaller || slices.Contains(c.token.Scopes, scope)
}

// authenticate accepts the token of a call, or says why it is dead.
func (s *server) authenticate(c *call) (caller, *problem) {
	who, bad := s.recognise(c.token)
	if bad != nil {
		return caller{}, bad
	}
	return who, s.checkProof(who, c)
}

func (s *server) recognise(value string) (caller, *problem) {
	if value == "" {
		return caller{}, badToken(0, "An access token is required to request this resource.")
	}
	if id, secret, ok := strings.Cut(value, "|"); ok {
		if !s.world.AppSecretIs(world.Facebook, id, secret) {
			return caller{}, badToken(0, "Invalid OAuth access token signature.")
		}
		return caller{kind: appCaller, value: value, token: world.Token{Client: id, Platform: world.Facebook}}, nil
	}
	if token, ok := s.world.Token(world.Facebook, value); ok && token.Kind == world.AccessToken {
		return s.acceptGraph(value, token)
	}
	if token, ok := s.world.Token(world.Instagram, value); ok && token.Kind == world.AccessToken {
		who := caller{kind: igCaller, value: value, token: token}
		return who, s.asIG(s.deathOf(token))
	}
	return caller{}, badToken(0, "Invalid OAuth access token - Cannot parse access token")
}

func (s *server) acceptGraph(value string, token world.Token) (caller, *problem) {
	who := caller{kind: userCaller, value: value, token: token}
	if token.Derived {
		who.kind = pageCaller
	}
	person, known := s.world.Person(world.Facebook, token.Person)
	who.system = known && person.Kind == world.System
	bad := s.deathOf(token)
	switch {
	case bad != nil:
	case person.Checkpoint:
		bad = badToken(459, "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the instructions given.")
	case token.Derived && !s.hasRole(world.Facebook, token.Account, token.Person):
		bad = badToken(492, "Error validating access token: The session is invalid because the user no longer has a role on the Page.")
	}
	return who, bad
}

// deathOf maps why a token ended to Meta's subcodes.
func (s *server) deathOf(t world.Token) *problem {
	const prefix = "Error validating access token: "
	switch t.State(s.world.Now()) {
	case "":
		return s.checkpoint(t)
	case world.CauseExpired:
		return badToken(463, prefix+"Session has expired.")
	case world.CausePassword:
		return badToken(460, prefix+"The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.")
	case world.CauseAppRemoved:
		return badToken(458, prefix+"The user has not authorized application "+t.Client+".")
	default:
		return badToken(467, prefix+"The session is invalid because the user logged out.")
	}
}

// checkpoint of Instagram Login has a subcode of its own.
func (s *server) checkpoint(t world.Token) *problem {
	if t.Platform != world.Instagram {
		return nil
	}
	if person, ok := s.world.Person(world.Instagram, t.Person); ok && person.Checkpoint {
		return badToken(490, "Error validating access token: The user is enrolled in a blocking, logged-in checkpoint")
	}
	return nil
}

func (s *server) asIG(p *problem) *problem {
	if p != nil && s.opts.IGException {
		p.typ = "IGApiException"
	}
	return p
}

// checkProof verifies appsecret_proof, hex of HMAC-SHA256(token, app secret).
func (s *server) checkProof(who caller, c *call) *problem {
	if c.proof == "" {
		if s.opts.RequireProof && who.kind != appCaller {
			return refuse(104, "API calls from the server require an appsecret_proof argument")
		}
		return nil
	}
	app, _ := s.world.App(who.token.Platform, who.token.Client)
	mac := hmac.New(sha256.New, []byte(app.APISecret))
	mac.Write([]byte(who.value))
	if c.proof != hex.EncodeToString(mac.Sum(nil)) {
		return refuse(104, "Invalid appsecret_proof provided in the API argument")
	}
	return nil
}

func (s *server) hasRole(p world.Platform, account, person string) bool {
	role, ok := s.world.RoleOf(p, account, person)
	return ok && !role.Pending
}

// owns says whether the caller has access to an account by role.
func (s *server) owns(who caller, a *world.Account) bool {
	switch who.kind {
	case appCaller:
		return false
	case igCaller:
		return a.Platform == world.Instagram && a.ID == who.token.Account
	case pageCaller:
		return who.token.Account == pageOf(a)
	case userCaller:
		return s.userOwns(who, a)
	}
	return false
}

// pageOf is the Page by which an account is reached; empty if there is none.
func pageOf(a *world.Account) string {
	if a.Platform == world.Instagram {
		return a.Linked
	}
	return a.ID
}

func (s *server) userOwns(who caller, a *world.Account) bool {
	if only := who.token.Account; only != "" && only != a.ID && only != a.Linked {
		return false
	}
	if s.hasRole(a.Platform, a.ID, who.token.Person) {
		return true
	}
	return a.Platform == world.Instagram && a.Linked != "" && s.hasRole(world.Facebook, a.Linked, who.token.Person)
}

// manages says whether the caller has the task MANAGE on an account. Unknown
// tasks do not count: the simulator gives none.
func (s *server) manages(who caller, a *world.Account) bool {
	if who.kind == appCaller || who.kind == igCaller {
		return false
	}
	role, ok := s.world.RoleOf(a.Platform, a.ID, who.token.Person)
	if !ok || role.Pending {
		return s.administers(who, a.Owner)
	}
	return slices.ContainsFunc(role.Tasks, func(task string) bool {
		return task == "MANAGE" || task == "PROFILE_PLUS_FULL_CONTROL" || task == "PROFILE_PLUS_MANAGE"
	}) || s.administers(who, a.Owner)
}

// administers says whether the caller is an admin of a portfolio.
func (s *server) administers(who caller, business string) bool {
	person, ok := s.world.Person(world.Facebook, who.token.Person)
	return ok && business != "" && person.Organisation == business && person.OrganisationRole == "ADMIN" && !person.Pending
}

// begin opens the history's record of a request and notes the secrets it shows.
func (s *server) begin(req *request) *world.Recorder {
	effect := effectOf(&req.call, req.endpoint)
	for _, item := range req.batch {
		if item.Method != http.MethodGet {
			effect = "batch"
		}
	}
	account := ""
	if strings.HasPrefix(req.endpoint, EndpointNode) {
		account = req.segment(0)
	}
	record := s.world.BeginCall(world.Call{
		Platform: req.platform, Endpoint: req.endpoint, Mutating: effect != "", Effect: effect,
		Client: req.params.Get("client_id"), Account: account,
	})
	if record == nil {
		return nil
	}
	for _, name := range []string{"code", "fb_exchange_token", "revoke_token", "input_token"} {
		s.noteSecret(record, req.params.Get(name))
	}
	s.noteSecret(record, req.token)
	seen, queries := map[string]bool{req.token: true}, map[string]url.Values{}
	for _, item := range req.batch {
		if c, bad := item.parse(req, queries); bad == nil && !seen[c.token] {
			seen[c.token] = true
			s.noteSecret(record, c.token)
		}
	}
	return record
}

// noteSecret notes a secret under the platform that issued it. An app's own
// token is not a grant.
func (s *server) noteSecret(record *world.Recorder, value string) {
	if value == "" || strings.Contains(value, "|") {
		return
	}
	p := world.Facebook
	token, ok := s.world.Token(world.Instagram, value)
	if ok {
		p = world.Instagram
	} else {
		token, ok = s.world.Token(world.Facebook, value)
	}
	record.Sent(p, value)
	if ok {
		record.Note(func(c *world.Call) { c.Client, c.Person = token.Client, token.Person })
	}
}

// effectOf says what a call changes; empty is nothing.
func effectOf(c *call, endpoint string) string {
	switch endpoint {
	case EndpointBatch:
		return ""
	case EndpointToken:
		if c.params.Get("grant_type") == grantLong {
			return "renew"
		}
		return "exchange"
	case EndpointExchange, EndpointRefresh:
		return "renew"
	case EndpointRevoke:
		return "revoke"
	}
	if c.method == http.MethodGet || c.method == http.MethodHead {
		return ""
	}
	if effect, ok := edgeEffects[c.method+" "+c.segment(1)]; ok {
		return effect
	}
	return strings.ToLower(c.method)
}

var edgeEffects = map[string]string{
	"POST access_tokens": "mint", "DELETE access_tokens": "revoke", "DELETE permissions": "revoke",
	"POST assigned_users": "addRole", "DELETE assigned_users": "removeRole", "DELETE agencies": "removeRole",
	"POST business_users": "invite", "DELETE instagram_accounts": "removeRole",
}
