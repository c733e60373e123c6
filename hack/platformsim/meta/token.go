package meta

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

const (
	// A short token lives "1–2 h", a long one "about 60 days" (contract, section 1).
	shortUserLife = 90 * time.Minute
	longLived     = 5_183_944 * time.Second
	// Instagram Login: 1 hour, 60 days; a refresh wants a token of 24 hours.
	shortIGLife   = time.Hour
	longIGLife    = 60 * 24 * time.Hour
	refreshableIG = 24 * time.Hour

	grantLong    = "fb_exchange_token"
	grantLongIG  = "ig_exchange_token"
	grantRefresh = "ig_refresh_token"
)

// badClient is for a wrong app id or secret; the documents show no body for it.
func badClient() *problem {
	return refuse(101, "Error validating application. Cannot get application info due to a system error.")
}

// badCode is for a code that is spent, too old or not this client's; the
// documents show no body for it.
func badCode(cause world.Cause) *problem {
	p := refuse(100, "This authorization code has expired or cannot be used.")
	p.subcode = 36007
	if cause == world.CauseUsed {
		p.message, p.subcode = "This authorization code has been used.", 36009
	}
	return p
}

func (s *server) tokenEndpoint(req *request, c *call) answer {
	switch {
	case c.method == http.MethodPost:
		return s.codeIG(req, c)
	case c.method != http.MethodGet:
		return failed(noCapability())
	case c.params.Get("grant_type") == grantLong:
		return s.renew(req, c)
	case c.params.Has("grant_type"):
		return failed(badParameter("Invalid grant_type"))
	}
	if bad := c.unknown("client_id", "client_secret", "redirect_uri", "code", "code_verifier"); bad != nil {
		return failed(bad)
	}
	return s.spendCode(req, c, world.Facebook, func(issued world.Issued) []byte {
		return tokenBody(issued.Access, shortUserLife)
	})
}

// spendCode exchanges a code for a platform's client.
func (s *server) spendCode(req *request, c *call, p world.Platform, body func(world.Issued) []byte) answer {
	client := c.params.Get("client_id")
	if !s.world.AppSecretIs(p, client, c.params.Get("client_secret")) {
		return failed(badClient())
	}
	code := strings.TrimSuffix(c.params.Get("code"), "#_")
	before, _ := s.world.Token(p, code)
	issued, err := s.world.Exchange(world.Exchange{
		Platform: p, Client: client, Code: code,
		RedirectURI: c.params.Get("redirect_uri"), Verifier: c.params.Get("code_verifier"),
	})
	if err != nil {
		return failed(badCode(before.State(s.world.Now())))
	}
	req.record.Issued(issued.Access)
	return answer{body: body(issued)}
}

func tokenBody(value string, life time.Duration) []byte {
	o := field.Begin(nil)
	o.Text("access_token", value)
	o.Text("token_type", "bearer")
	if life > 0 {
		o.Int("expires_in", int64(life/time.Second))
	}
	return o.End()
}

// renew makes a long token out of a user's or a system user's; the old one stays
// valid till its own end.
func (s *server) renew(req *request, c *call) answer {
	if bad := c.unknown("grant_type", "client_id", "client_secret", "fb_exchange_token", "set_token_expires_in_60_days"); bad != nil {
		return failed(bad)
	}
	client := c.params.Get("client_id")
	if !s.world.AppSecretIs(world.Facebook, client, c.params.Get("client_secret")) {
		return failed(badClient())
	}
	who, bad := s.recognise(c.params.Get("fb_exchange_token"))
	switch {
	case bad != nil:
		return failed(bad)
	case who.kind != userCaller || who.token.Client != client:
		return failed(badParameter("fb_exchange_token is not a user token of this app"))
	case who.system && c.params.Get("set_token_expires_in_60_days") != "true":
		return failed(badParameter("set_token_expires_in_60_days is required for a system user's token"))
	}
	value, bad := s.mintToken(req, who.token, longLived)
	if bad != nil {
		return failed(bad)
	}
	return answer{body: tokenBody(value, longLived)}
}

// mintToken makes a token like another one, of the same family.
func (s *server) mintToken(req *request, like world.Token, life time.Duration) (string, *problem) {
	value, _, err := s.world.Mint(world.Mint{
		Platform: like.Platform, Client: like.Client, Person: like.Person, Account: like.Account,
		Scopes: like.Scopes, Family: like.Family, LifeSeconds: int64(life / time.Second),
	})
	if err != nil {
		return "", refuse(1, "An unknown error has occurred.")
	}
	req.record.Issued(value)
	return value, nil
}

// scopes that can be asked for a system user.
var knownScopes = strings.Fields(`pages_show_list pages_read_engagement pages_read_user_content pages_manage_metadata
pages_manage_posts pages_manage_engagement business_management instagram_basic instagram_manage_insights
instagram_manage_comments`)

// mint makes a system user's token; only here is appsecret_proof mandatory.
func (v *view) mint(p *world.Person) answer {
	params := v.call.params
	if bad := v.call.unknown("business_app", "scope", "set_token_expires_in_60_days"); bad != nil {
		return failed(bad)
	}
	if v.call.proof == "" {
		return failed(refuse(104, "API calls from the server require an appsecret_proof argument"))
	}
	app, ok := v.server.world.App(world.Facebook, params.Get("business_app"))
	if !ok {
		return failed(badParameter("Invalid parameter: business_app"))
	}
	scopes := strings.FieldsFunc(params.Get("scope"), func(r rune) bool { return strings.ContainsRune(`[]"', `, r) })
	for _, scope := range scopes {
		if !slices.Contains(knownScopes, scope) {
			return failed(badParameter("Invalid parameter: scope"))
		}
	}
	life := time.Duration(0)
	if params.Get("set_token_expires_in_60_days") == "true" {
		life = longLived
	}
	like := world.Token{Platform: world.Facebook, Client: app.APIKey, Person: p.ID, Scopes: scopes}
	value, bad := v.server.mintToken(v.req, like, life)
	if bad != nil {
		return failed(bad)
	}
	o := field.Begin(nil)
	o.Text("access_token", value)
	return answer{body: o.End()}
}

func (v *view) endSystemTokens(p *world.Person) answer {
	if bad := v.call.unknown(); bad != nil {
		return failed(bad)
	}
	if _, err := v.server.world.EndGrants(world.Facebook, world.TokenQuery{Person: p.ID}, world.CauseRevoked); err != nil {
		return failed(refuse(1, "An unknown error has occurred."))
	}
	return success()
}

// revoke ends one token of a system user; its answer is a string.
func (v *view) revoke() answer {
	if bad := v.call.unknown("client_id", "client_secret", "revoke_token"); bad != nil {
		return failed(bad)
	}
	client := v.call.params.Get("client_id")
	if !v.server.world.AppSecretIs(world.Facebook, client, v.call.params.Get("client_secret")) {
		return failed(badClient())
	}
	value := v.call.params.Get("revoke_token")
	token, ok := v.server.world.Token(world.Facebook, value)
	person, known := v.server.world.Person(world.Facebook, token.Person)
	if !ok || token.Client != client || known && person.Kind != world.System || token.Derived {
		return failed(badParameter("Invalid parameter: revoke_token"))
	}
	v.server.world.Revoke(world.Facebook, value)
	return answer{body: []byte(`{"success":"true"}`)}
}

func (v *view) permissions(*world.Person) answer {
	o := field.Begin(nil)
	scopes := v.who.token.Scopes
	o.List("data", len(scopes), func(i int, o *field.Object) {
		o.Text("permission", scopes[i])
		o.Text("status", "granted")
	})
	return answer{body: o.End()}
}

// dropPermissions takes back what a user granted the app: one, or all, which
// ends the grant and its Page tokens.
func (v *view) dropPermissions(p *world.Person) answer {
	if bad := v.call.unknown("permission"); bad != nil {
		return failed(bad)
	}
	name := v.call.segment(2)
	if name == "" {
		name = v.call.params.Get("permission")
	}
	w := v.server.world
	switch {
	case name == "":
		w.End(world.Facebook, v.who.value, world.ReachGrant, world.CauseAppRemoved)
	case !slices.Contains(v.who.token.Scopes, name):
		return failed(badParameter("Invalid parameter: permission"))
	default:
		w.DropScope(world.Facebook, v.who.token.Client, p.ID, name)
	}
	return success()
}

// debugToken tells an app about its own tokens.
func (v *view) debugToken() answer {
	if bad := v.call.unknown("input_token"); bad != nil {
		return failed(bad)
	}
	value := v.call.params.Get("input_token")
	token, ok := v.server.world.Token(world.Facebook, value)
	if !ok && v.server.opts.DebugIGTokens {
		token, ok = v.server.world.Token(world.Instagram, value)
	}
	if !ok || token.Kind != world.AccessToken {
		return answer{body: []byte(`{"data":{"error":{"code":190,"message":"Invalid OAuth access token."},"is_valid":false,"scopes":[]}}`)}
	}
	if token.Platform == world.Facebook && token.Client != v.who.token.Client {
		return failed(badParameter("The App_id in the input_token did not match the Viewing App"))
	}
	_, bad := v.server.recognise(value)
	o := field.Begin(nil)
	o.Object("data", func(o *field.Object) { v.debug(o, token, bad) })
	return answer{body: o.End()}
}

func (v *view) debug(o *field.Object, t world.Token, bad *problem) {
	o.Text("app_id", t.Client)
	o.Text("type", v.typeOf(t))
	o.Bool("is_valid", bad == nil)
	if bad != nil {
		o.Object("error", func(o *field.Object) {
			o.Int("code", int64(bad.code))
			o.Text("message", bad.message)
			if bad.subcode != 0 {
				o.Int("subcode", int64(bad.subcode))
			}
		})
	}
	o.Int("issued_at", t.Issued.Unix())
	o.Int("expires_at", unixOrZero(t.Expires))
	o.Int("data_access_expires_at", t.Issued.Add(90*24*time.Hour).Unix())
	o.Text("user_id", t.Person)
	if t.Derived {
		o.Text("profile_id", t.Account)
	}
	o.Strings("scopes", t.Scopes)
	if t.Account == "" {
		return
	}
	o.List("granular_scopes", len(t.Scopes), func(i int, o *field.Object) {
		o.Text("scope", t.Scopes[i])
		o.Strings("target_ids", []string{t.Account})
	})
}

func (v *view) typeOf(t world.Token) string {
	person, _ := v.server.world.Person(world.Facebook, t.Person)
	switch {
	case t.Derived:
		return "PAGE"
	case person.Kind == world.System:
		return "SYSTEM_USER"
	}
	return "USER"
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
