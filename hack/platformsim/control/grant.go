package control

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

func (s *server) grantActions() map[string]action {
	return map[string]action{
		"PUT /v1/apps/{platform}/{apiKey}": s.putApp,
		"GET /v1/tokens/{platform}":        s.listTokens,
		"POST /v1/tokens/{platform}/mint":  s.mint,
		"POST /v1/tokens/{platform}/end":   s.endTokens,
		"PUT /v1/consent/{platform}":       s.choose,
		"POST /v1/consent/{platform}":      s.consent,
		"GET /v1/history":                  s.getHistory,
		"PUT /v1/history":                  s.putHistory,
		"DELETE /v1/history":               s.deleteHistory,
		"POST /v1/fingerprints":            s.fingerprints,
	}
}

func (s *server) putApp(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	app := world.App{Platform: p, APIKey: r.PathValue("apiKey")}
	want := app
	if err := decode(r, &app); err != nil {
		return 0, nil, err
	}
	if app.Platform != want.Platform || app.APIKey != want.APIKey {
		return 0, nil, fmt.Errorf("%w: platform and apiKey are not those of the path", errBody)
	}
	return http.StatusNoContent, nil, s.world.PutApp(app)
}

// listTokens shows no secret. Query: client, person, account, kind, alive=true.
func (s *server) listTokens(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	q := r.URL.Query()
	return http.StatusOK, s.world.Tokens(p, world.TokenQuery{
		Client: q.Get("client"), Person: q.Get("person"), Account: q.Get("account"),
		Kind: world.TokenKind(q.Get("kind")), Alive: q.Get("alive") == "true",
	}), nil
}

func (s *server) mint(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	m := world.Mint{Platform: p}
	if err := decode(r, &m); err != nil {
		return 0, nil, err
	}
	if m.Platform != p {
		return 0, nil, fmt.Errorf("%w: platform is not that of the path", errBody)
	}
	value, token, err := s.world.Mint(m)
	return http.StatusCreated, struct {
		Value string      `json:"value"`
		Token world.Token `json:"token"`
	}{value, token}, err
}

// endTokens is an outside hand: the tokens of a client, person, account or kind
// end, or the one with this value and what its reach covers.
func (s *server) endTokens(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	body := struct {
		Client  string          `json:"client"`
		Person  string          `json:"person"`
		Account string          `json:"account"`
		Kind    world.TokenKind `json:"kind"`
		Value   string          `json:"value"`
		Reach   world.Reach     `json:"reach"`
		Cause   world.Cause     `json:"cause"`
	}{Cause: world.CauseAppRemoved}
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	if !body.Cause.Known() {
		return 0, nil, fmt.Errorf("%w: unknown cause %q", errBody, body.Cause)
	}
	if body.Value != "" {
		ended := 0
		if s.world.End(p, body.Value, body.Reach, body.Cause) {
			ended = 1
		}
		return http.StatusOK, endedAnswer{ended}, nil
	}
	q := world.TokenQuery{Client: body.Client, Person: body.Person, Account: body.Account, Kind: body.Kind}
	ended, err := s.world.EndGrants(p, q, body.Cause)
	return http.StatusOK, endedAnswer{ended}, err
}

// choose says who consents at the platform's dialog.
func (s *server) choose(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var c world.Choice
	if err := decode(r, &c); err != nil {
		return 0, nil, err
	}
	s.world.Choose(p, c)
	return http.StatusNoContent, nil, nil
}

// consent plays a person who opens the consent URL and agrees now, or denies; it
// answers with the address the browser is sent to.
func (s *server) consent(r *http.Request) (int, any, error) {
	p, _, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		URL string `json:"url"`
		world.Choice
	}
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	u, err := url.Parse(body.URL)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: url cannot be parsed", errBody)
	}
	redirect, err := s.agree(p, u.Query(), body.Choice)
	return http.StatusOK, struct {
		Redirect string `json:"redirect"`
	}{redirect}, err
}

// agree reads what RFC 6749 and RFC 7636 put into an authorization request.
// Platforms differ in what separates scopes: a comma or a space.
func (s *server) agree(p world.Platform, q url.Values, c world.Choice) (string, error) {
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" {
		return "", fmt.Errorf("%w: url has no redirect_uri", errBody)
	}
	if q.Has("code_challenge") && q.Get("code_challenge_method") != "S256" {
		return "", fmt.Errorf("%w: code_challenge_method is not S256", errBody)
	}
	answer := back.Query()
	if q.Has("state") {
		answer.Set("state", q.Get("state"))
	}
	if c.Deny {
		answer.Set("error", "access_denied")
		back.RawQuery = answer.Encode()
		return back.String(), nil
	}
	asked := strings.FieldsFunc(q.Get("scope"), func(r rune) bool { return r == ' ' || r == ',' })
	code, err := s.world.Authorize(world.Consent{
		Platform: p, Client: q.Get("client_id"), Person: c.Person, Account: c.Account,
		Scopes: c.Granted(asked), RedirectURI: q.Get("redirect_uri"), Challenge: q.Get("code_challenge"),
		Online: gate.Online(p, q),
	})
	if err != nil {
		return "", err
	}
	answer.Set("code", code)
	back.RawQuery = answer.Encode()
	return back.String(), nil
}

func (s *server) getHistory(*http.Request) (int, any, error) {
	return http.StatusOK, s.world.History(), nil
}

// putHistory says whether calls that change nothing are kept as well.
func (s *server) putHistory(r *http.Request) (int, any, error) {
	var body struct {
		Reads bool `json:"reads"`
	}
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	s.world.RecordReads(body.Reads)
	return http.StatusNoContent, nil, nil
}

func (s *server) deleteHistory(*http.Request) (int, any, error) {
	s.world.ResetHistory()
	return http.StatusNoContent, nil, nil
}

// fingerprints lets a test find its own secrets in the history.
func (s *server) fingerprints(r *http.Request) (int, any, error) {
	var body struct {
		Values []string `json:"values"`
	}
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	out := make([]string, len(body.Values))
	for i, v := range body.Values {
		out[i] = s.world.Fingerprint(v)
	}
	return http.StatusOK, map[string][]string{"fingerprints": out}, nil
}
