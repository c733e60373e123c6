package x_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

const (
	verifier = "a verifier that is long enough to be one of RFC 7636"
	callback = "https://op.test/cb"
	allScope = "tweet.read users.read like.read follows.read offline.access"
)

// newOAuthSim has the public account 1, the accounts of some, and app "k".
func newOAuthSim(t testing.TB, opts x.Options, accounts ...world.Account) sim {
	t.Helper()
	s := newSim(t, opts, accounts...)
	for _, key := range []string{"k", "k2"} {
		if err := s.world.PutApp(world.App{Platform: world.X, APIKey: key, APISecret: "s", AppToken: "bearer " + key, RedirectURIs: []string{callback}}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s sim) send(t testing.TB, method, path, user, password string, form url.Values) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	return do(t, req)
}

// location opens the consent page and returns where the browser is sent, or nil.
func (s sim) location(t testing.TB, change ...string) url.Values {
	t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {"k"}, "redirect_uri": {callback}, "scope": {allScope}, "state": {"st"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(s.url + "/i/oauth2/authorize?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusFound {
		return nil
	}
	return back.Query()
}

func (s sim) exchange(t testing.TB, code string) reply {
	t.Helper()
	return s.send(t, "POST", "/2/oauth2/token", "k", "s", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
	})
}

func (s sim) refresh(t testing.TB, token string) reply {
	t.Helper()
	return s.send(t, "POST", "/2/oauth2/token", "k", "s", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// consented is a grant of an account.
func (s sim) consented(t testing.TB, account string, change ...string) (access, refresh string) {
	t.Helper()
	s.world.Choose(world.X, world.Choice{Account: account})
	r := s.exchange(t, s.location(t, change...).Get("code"))
	access, _ = r.body["access_token"].(string)
	refresh, _ = r.body["refresh_token"].(string)
	if r.status != 200 || access == "" || r.body["expires_in"] != 7200.0 || r.body["token_type"] != "bearer" {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	return access, refresh
}

func (s sim) me(t testing.TB, access string) reply {
	t.Helper()
	return s.getAs(t, "/2/users/me", "Bearer "+access)
}

func TestConsentYieldsATokenOfTheAccount(t *testing.T) {
	s := newOAuthSim(t, x.Options{}, some()...)
	if s.location(t) != nil {
		t.Error("nobody was chosen, and somebody consented")
	}
	access, refresh := s.consented(t, "1")
	if r := s.me(t, access); r.status != 200 || !strings.Contains(r.raw, `"data":{"id":"1"`) || r.header.Get("x-rate-limit-limit") != "75" {
		t.Errorf("me: %d %s %v", r.status, r.raw, r.header)
	}
	if refresh == "" {
		t.Error("offline.access yields no refresh token")
	}
	if _, refresh := s.consented(t, "1", "scope", "tweet.read users.read"); refresh != "" {
		t.Error("a refresh token without offline.access")
	}
}

func TestCodesLiveThirtySecondsAndOnce(t *testing.T) {
	s := newOAuthSim(t, x.Options{}, some()...)
	s.world.Choose(world.X, world.Choice{Account: "1"})
	late, twice := s.location(t).Get("code"), ""
	s.clock.Step(30 * time.Second)
	if r := s.exchange(t, late); r.status != 400 || r.body["error"] != "invalid_request" {
		t.Errorf("late: %d %s", r.status, r.raw)
	}
	twice = s.location(t).Get("code")
	if r := s.exchange(t, twice); r.status != 200 {
		t.Errorf("first: %d", r.status)
	}
	if r := s.exchange(t, twice); r.status != 400 {
		t.Errorf("second: %d", r.status)
	}
	code := s.location(t).Get("code")
	for name, form := range map[string]url.Values{
		"verifier": {"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {"wrong"}},
		"redirect": {"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://op.test/other"}, "code_verifier": {verifier}},
		"kind":     {"grant_type": {"password"}},
	} {
		if r := s.send(t, "POST", "/2/oauth2/token", "k", "s", form); r.status != 400 {
			t.Errorf("%s: %d %s", name, r.status, r.raw)
		}
	}
	if r := s.send(t, "POST", "/2/oauth2/token", "k2", "s", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}); r.status != 400 {
		t.Errorf("another app's code: %d", r.status)
	}
}

func TestConsentPageRefusals(t *testing.T) {
	s := newOAuthSim(t, x.Options{}, some()...)
	s.world.Choose(world.X, world.Choice{Account: "1"})
	for name, change := range map[string][]string{
		"no challenge": {"code_challenge", ""}, "plain": {"code_challenge_method", "plain"}, "no state": {"state", ""},
		"long state": {"state", strings.Repeat("x", 501)}, "no scope": {"scope", ""}, "kind": {"response_type", "token"},
	} {
		if back := s.location(t, change...); back.Get("error") == "" || back.Has("code") {
			t.Errorf("%s: %v", name, back)
		}
	}
	for _, change := range [][]string{{"client_id", "zzz"}, {"redirect_uri", "https://evil.test"}} {
		if back := s.location(t, change...); back != nil {
			t.Errorf("%v: sent to %v", change, back)
		}
	}
}

func TestClientsAuthenticate(t *testing.T) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r"}, "client_id": {"k"}}
	s := newOAuthSim(t, x.Options{}, some()...)
	if r := s.send(t, "POST", "/2/oauth2/token", "k", "wrong", form); r.status != 401 || r.body["error"] != "invalid_client" {
		t.Errorf("secret: %d %s", r.status, r.raw)
	}
	if r := s.send(t, "POST", "/2/oauth2/token", "", "", form); r.status != 401 || r.body["error"] != "unauthorized_client" {
		t.Errorf("public: %d %s", r.status, r.raw)
	}
	s = newOAuthSim(t, x.Options{PublicClients: true, InvalidGrant: true}, some()...)
	if r := s.send(t, "POST", "/2/oauth2/token", "", "", form); r.status != 400 || r.body["error"] != "invalid_grant" {
		t.Errorf("public allowed: %d %s", r.status, r.raw)
	}
}

func TestRefreshTokensAreSingleUse(t *testing.T) {
	for family, alive := range map[bool]int{false: 200, true: 401} {
		s := newOAuthSim(t, x.Options{ReplayEndsFamily: family}, some()...)
		_, first := s.consented(t, "1")
		r := s.refresh(t, first)
		access, _ := r.body["access_token"].(string)
		if second := r.body["refresh_token"]; r.status != 200 || second == first || second == nil {
			t.Fatalf("%d %s", r.status, r.raw)
		}
		if r := s.refresh(t, first); r.status != 400 || r.body["error_description"] != "Value passed for the token was invalid." {
			t.Errorf("replay: %d %s", r.status, r.raw)
		}
		if r := s.me(t, access); r.status != alive {
			t.Errorf("family ends %v: %d", family, r.status)
		}
	}
}

func TestRevocationEndsTheTokenOrTheGrant(t *testing.T) {
	for grant, rest := range map[bool]int{false: 200, true: 401} {
		s := newOAuthSim(t, x.Options{RevokeGrant: grant}, some()...)
		access, refresh := s.consented(t, "1")
		other, _ := s.consented(t, "1")
		if r := s.send(t, "POST", "/2/oauth2/revoke", "k2", "s", url.Values{"token": {refresh}}); r.status != 200 {
			t.Errorf("another app: %d", r.status)
		}
		if r := s.me(t, access); r.status != 200 {
			t.Errorf("another app revoked it: %d", r.status)
		}
		if r := s.send(t, "POST", "/2/oauth2/revoke", "k", "s", url.Values{"token": {refresh}}); r.status != 200 {
			t.Errorf("revoke: %d %s", r.status, r.raw)
		}
		if r := s.refresh(t, refresh); r.status != 400 {
			t.Errorf("the revoked token works: %d", r.status)
		}
		if a, b := s.me(t, access), s.me(t, other); a.status != rest || b.status != rest {
			t.Errorf("whole grant %v: access %d, other consent %d", grant, a.status, b.status)
		}
		if r := s.send(t, "POST", "/2/oauth2/revoke", "k", "s", url.Values{}); r.status != 400 {
			t.Errorf("nothing: %d", r.status)
		}
	}
}

func TestTokensOfAccountsThatAreNot(t *testing.T) {
	s := newOAuthSim(t, x.Options{}, some()...)
	access, _ := s.consented(t, "1")
	set := func(state world.State) {
		if _, err := s.world.Update(world.X, "1", func(a *world.Account) error { a.State = state; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	set(world.Suspended)
	if r := s.me(t, access); r.status != 403 || !strings.Contains(r.raw, `"code":64`) {
		t.Errorf("suspended: %d %s", r.status, r.raw)
	}
	set(world.Deactivated)
	if r := s.me(t, access); r.status != 401 {
		t.Errorf("deactivated: %d %s", r.status, r.raw)
	}
	set(world.Active)
	s.clock.Step(2 * time.Hour)
	if r := s.me(t, access); r.status != 401 {
		t.Errorf("expired: %d", r.status)
	}
}

func TestScopes(t *testing.T) {
	s := newOAuthSim(t, x.Options{}, some()...)
	access, _ := s.consented(t, "1", "scope", "tweet.read users.read")
	for path, want := range map[string]int{
		"/2/users/me": 200, "/2/users/1/tweets": 200, "/2/users/1/liked_tweets": 403, "/2/users/1/following": 403, "/2/usage/tweets": 403,
	} {
		if r := s.getAs(t, path, "Bearer "+access); r.status != want {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
	access, _ = s.consented(t, "1", "scope", "users.read")
	if r := s.me(t, access); r.status != 403 {
		t.Errorf("without tweet.read: %d", r.status)
	}
}

func TestLimitsPerUser(t *testing.T) {
	s := newOAuthSim(t, x.Options{UserLimits: map[string]int{"/2/users/me": 1}}, append(some(), account("5", "five", world.Active))...)
	one, _ := s.consented(t, "1")
	again, _ := s.consented(t, "1")
	five, _ := s.consented(t, "5")
	if a, b, c := s.me(t, one), s.me(t, again), s.me(t, five); a.status != 200 || b.status != 429 || c.status != 200 {
		t.Errorf("%d %d %d", a.status, b.status, c.status)
	}
	l := s.world.Ledger()
	if got := l.BudgetExceeded(world.X); got != 1 {
		t.Errorf("exceeded %d", got)
	}
	if got := l.BudgetUnits(world.X, "/2/users/me per user"); got != 2 {
		t.Errorf("units %d", got)
	}
	for path, want := range map[string]string{"/2/users/1/tweets": "10000", "/2/users/1/following": "300", "/2/usage/tweets": "50", "/2/tweets/search/recent?query=from:a": "450"} {
		if r := s.get(t, path); r.header.Get("x-rate-limit-limit") != want {
			t.Errorf("%s: %s", path, r.header.Get("x-rate-limit-limit"))
		}
	}
}

func TestHistoryOfGrants(t *testing.T) {
	s := newOAuthSim(t, x.Options{}, some()...)
	_, refresh := s.consented(t, "1")
	r := s.refresh(t, refresh)
	next, _ := r.body["refresh_token"].(string)
	s.send(t, "POST", "/2/oauth2/revoke", "k", "s", url.Values{"token": {next}})
	calls := s.world.History().Calls
	if len(calls) != 3 {
		t.Fatalf("%d calls", len(calls))
	}
	for i, want := range []string{"exchange", "refresh", "revoke"} {
		if c := calls[i]; c.Effect != want || !c.Accepted || c.Person != "1" || c.Client != "k" || c.Status != 200 || len(c.Sent) != 1 {
			t.Errorf("%s: %+v", want, c)
		}
	}
	if calls[1].Issued[1] != s.world.Fingerprint(next) || calls[2].Sent[0].Fingerprint != s.world.Fingerprint(next) {
		t.Error("fingerprints do not follow the token")
	}
}
