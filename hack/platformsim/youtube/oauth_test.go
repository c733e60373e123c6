package youtube_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

const verifier = "a verifier that is long enough to be one of RFC 7636"

// authorize opens the consent page and returns where the browser is sent.
func (s sim) authorize(change ...string) (reply, url.Values) {
	s.t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {"p"}, "redirect_uri": {"https://op.test/cb"}, "scope": {"openid email " + readonly},
		"state": {"st"}, "access_type": {"offline"}, "prompt": {"consent"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	r := s.get("/o/oauth2/v2/auth?" + q.Encode())
	back, err := url.Parse(r.header.Get("Location"))
	if err != nil {
		s.t.Fatal(err)
	}
	return r, back.Query()
}

func (s sim) exchange(code, verifier string) reply {
	s.t.Helper()
	return s.form("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"p"}, "client_secret": {"s"},
		"redirect_uri": {"https://op.test/cb"}, "code_verifier": {verifier},
	})
}

func (s sim) refresh(token string) reply {
	s.t.Helper()
	return s.form("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"p"}, "client_secret": {"s"}})
}

// consented is a grant of person 1001 for channel 1.
func (s sim) consented() (access, refresh string) {
	s.t.Helper()
	s.world.Choose(world.YouTube, world.Choice{Person: "1001", Account: id(1)})
	_, back := s.authorize()
	r := s.exchange(back.Get("code"), verifier)
	access, _ = r.at("access_token").(string)
	refresh, _ = r.at("refresh_token").(string)
	if r.status != 200 || access == "" || refresh == "" {
		s.t.Fatalf("exchange: %d %s", r.status, r.raw)
	}
	return access, refresh
}

func TestConsentYieldsTokensThatActForTheChannel(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	if r, _ := s.authorize(); r.status != 403 {
		t.Errorf("nobody chosen: %d", r.status)
	}
	s.world.Choose(world.YouTube, world.Choice{Person: "1001", Account: id(1)})
	r, back := s.authorize()
	if r.status != 302 || back.Get("state") != "st" || back.Get("code") == "" || strings.Contains(r.raw, back.Get("code")) {
		t.Fatalf("%d %v %q", r.status, back, r.raw)
	}
	got := s.exchange(back.Get("code"), verifier)
	if got.status != 200 || got.at("expires_in") != 3600.0 || got.at("token_type") != "Bearer" || got.at("scope") != "openid email "+readonly {
		t.Errorf("%d %s", got.status, got.raw)
	}
	access, _ := got.at("access_token").(string)
	if r := s.as(access, "/youtube/v3/channels?part=id&mine=true"); r.at("items.0.id") != id(1) {
		t.Errorf("mine: %s", r.raw)
	}
	if r := s.as(access, "/v1/userinfo"); r.at("sub") != "1001" || r.at("email") != "aisha@edu.test" || r.at("name") != nil {
		t.Errorf("userinfo: %s", r.raw)
	}
	info := s.get("/tokeninfo?access_token=" + access)
	if info.at("aud") != "p" || info.at("sub") != "1001" || info.at("expires_in") != "3600" {
		t.Errorf("tokeninfo: %s", info.raw)
	}
	if again := s.exchange(back.Get("code"), verifier); again.status != 400 || again.at("error") != "invalid_grant" {
		t.Errorf("code again: %d %s", again.status, again.raw)
	}
}

func TestConsentPageRefusals(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	s.world.Choose(world.YouTube, world.Choice{Person: "1001", Account: id(1)})
	for _, c := range [][]string{{"client_id", "other"}, {"redirect_uri", "https://evil.test/cb"}, {"redirect_uri", ""}} {
		if r, _ := s.authorize(c...); r.status != 400 || r.header.Get("Location") != "" {
			t.Errorf("%v: %d to %q", c, r.status, r.header.Get("Location"))
		}
	}
	for _, c := range [][]string{
		{"response_type", "token", "unsupported_response_type"}, {"scope", "", "invalid_scope"}, {"code_challenge_method", "plain", "invalid_request"},
	} {
		if _, back := s.authorize(c[0], c[1]); back.Get("error") != c[2] || back.Get("code") != "" || back.Get("state") != "st" {
			t.Errorf("%v: %v", c, back)
		}
	}
	s.world.Choose(world.YouTube, world.Choice{Person: "1001", Deny: true})
	if _, back := s.authorize(); back.Get("error") != "access_denied" {
		t.Errorf("denied: %v", back)
	}
}

func TestRefreshTokensComeOfflineAndDoNotRotate(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	access, refresh := s.consented()
	s.clock.Step(time.Hour)
	if r := s.as(access, "/youtube/v3/channels?part=id&mine=true"); r.status != 401 || r.reason() != "authError" {
		t.Errorf("expired: %d %v", r.status, r.reason())
	}
	for range 2 {
		if r := s.refresh(refresh); r.status != 200 || r.at("refresh_token") != nil || r.at("access_token") == nil {
			t.Errorf("refresh: %d %s", r.status, r.raw)
		}
	}
	for _, change := range [][]string{{"access_type", "online"}, {"prompt", "select_account"}} {
		_, back := s.authorize(change...)
		if r := s.exchange(back.Get("code"), verifier); r.status != 200 || r.at("refresh_token") != nil {
			t.Errorf("%v: %d %s", change, r.status, r.raw)
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	s := newSim(t, youtube.Options{RefreshLife: 7 * 24 * time.Hour}, some()...)
	_, refresh := s.consented()
	_, back := s.authorize()
	if r := s.exchange(back.Get("code"), "another verifier"); r.status != 400 || r.at("error") != "invalid_grant" {
		t.Errorf("verifier: %d %s", r.status, r.raw)
	}
	for name, c := range map[string]struct {
		form   url.Values
		status int
		code   string
	}{
		"secret":  {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {"p"}, "client_secret": {"x"}}, 401, "invalid_client"},
		"unknown": {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"zzz"}, "client_id": {"p"}, "client_secret": {"s"}}, 400, "invalid_grant"},
		"kind":    {url.Values{"grant_type": {"password"}, "client_id": {"p"}, "client_secret": {"s"}}, 400, "unsupported_grant_type"},
	} {
		if r := s.form("/token", c.form); r.status != c.status || r.at("error") != c.code {
			t.Errorf("%s: %d %s", name, r.status, r.raw)
		}
	}
	s.clock.Step(7 * 24 * time.Hour)
	if r := s.refresh(refresh); r.at("error") != "invalid_grant" || r.at("error_description") != "Token has been expired or revoked." {
		t.Errorf("status Testing: %s", r.raw)
	}
}

func TestRevokingOneTokenEndsTheWholeGrant(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	oldAccess, oldRefresh := s.consented()
	newAccess, newRefresh := s.consented()
	other := s.mint("1002", id(5), readonly)
	if r := s.form("/revoke", url.Values{"token": {oldAccess}}); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	for _, access := range []string{oldAccess, newAccess} {
		if r := s.get("/tokeninfo?access_token=" + access); r.status != 400 || r.at("error") != "invalid_token" {
			t.Errorf("tokeninfo: %d %s", r.status, r.raw)
		}
	}
	for _, refresh := range []string{oldRefresh, newRefresh} {
		if r := s.refresh(refresh); r.status != 400 || r.at("error") != "invalid_grant" {
			t.Errorf("refresh: %d %s", r.status, r.raw)
		}
	}
	if r := s.form("/revoke?token="+oldRefresh, url.Values{}); r.status != 400 || r.at("error") != "invalid_token" {
		t.Errorf("again: %d %s", r.status, r.raw)
	}
	if r := s.get("/tokeninfo?access_token=" + other); r.status != 200 {
		t.Errorf("another person's token died: %d", r.status)
	}
}

func TestHistoryNamesEveryMutatingCall(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	access, refresh := s.consented()
	if err := s.world.SetFaults(world.YouTube, world.Fault{Kind: world.FaultStatus, Status: 500, Requests: 1}); err != nil {
		t.Fatal(err)
	}
	s.refresh(refresh)
	s.refresh(refresh)
	s.form("/revoke", url.Values{"token": {access}})
	var got []string
	calls := s.world.History().Calls
	for _, c := range calls {
		got = append(got, c.Effect)
		if !c.Mutating || c.EndedSeq == 0 || len(c.Sent) != 1 || c.Sent[0].Fingerprint == "" {
			t.Errorf("call %+v", c)
		}
	}
	if strings.Join(got, " ") != "exchange refresh refresh revoke" {
		t.Fatalf("effects %v", got)
	}
	if calls[1].Accepted || calls[1].Status != 500 || calls[1].Sent[0].Fingerprint != s.world.Fingerprint(refresh) {
		t.Errorf("a call that a fault swallowed: %+v", calls[1])
	}
	if last := calls[3]; !last.Accepted || last.Person != "1001" || last.Client != "p" || !last.Sent[0].Accepted {
		t.Errorf("revoke: %+v", last)
	}
}

func TestWorkspaceAdmins(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	_, refresh := s.consented()
	if err := s.world.UpdateSecurity(world.YouTube, "1001", func(n *world.Security) {
		n.Sessions, n.AppPasswords = 3, []world.AppPassword{{ID: 1, Name: "mail"}, {ID: 2, Name: "phone"}}
	}); err != nil {
		t.Fatal(err)
	}
	admin := s.mint("1002", "", base+"admin.directory.user", base+"admin.directory.user.security")
	users := "/admin/directory/v1/users/"
	call := func(method, path, body string) reply {
		return s.do(method, users+path, admin, "application/json", body)
	}
	if r := call("GET", "aisha@edu.test/tokens", ""); r.at("items.0.clientId") != "p" || r.at("items.0.displayText") != "Mithaq" || r.at("items.0.userKey") != "1001" {
		t.Errorf("tokens: %s", r.raw)
	}
	if r := call("DELETE", "1001/tokens/p", ""); r.status != 204 {
		t.Errorf("delete tokens: %d", r.status)
	}
	if r := s.refresh(refresh); r.at("error") != "invalid_grant" {
		t.Errorf("the grant lives: %s", r.raw)
	}
	if r := call("DELETE", "1001/tokens/p", ""); r.status != 404 {
		t.Errorf("again: %d", r.status)
	}
	if r := call("GET", "1001/tokens", ""); r.status != 200 || r.body["items"] != nil {
		t.Errorf("no tokens: %s", r.raw)
	}
	if r := call("GET", "1001/asps", ""); r.at("items.1.codeId") != 2.0 {
		t.Errorf("asps: %s", r.raw)
	}
	if a, b := call("DELETE", "1001/asps/2", ""), call("DELETE", "1001/asps/2", ""); a.status != 204 || b.status != 404 {
		t.Errorf("delete asp: %d %d", a.status, b.status)
	}
	if r := call("POST", "1001/signOut", ""); r.status != 204 {
		t.Errorf("signOut: %d", r.status)
	}
	if r := call("PUT", "1001", `{"password":"correct horse","changePasswordAtNextLogin":true,"recoveryEmail":"it@edu.test"}`); r.status != 200 || r.at("recoveryEmail") != "it@edu.test" || strings.Contains(r.raw, "horse") {
		t.Errorf("PUT: %d %s", r.status, r.raw)
	}
	got := s.world.SecurityOf(world.YouTube, "1001")
	if got.Sessions != 0 || len(got.AppPasswords) != 1 || !got.ChangePasswordAtLogin || got.PasswordChanged.IsZero() {
		t.Errorf("security %+v", got)
	}
	if r := call("PUT", "1001", `{"password":"short"}`); r.status != 400 {
		t.Errorf("short password: %d", r.status)
	}
}

func TestWorkspaceRefusals(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	admin := s.mint("1002", "", base+"admin.directory.user.security")
	for name, c := range map[string]struct {
		bearer, user string
		status       int
	}{
		"not an admin":   {s.mint("1001", "", base+"admin.directory.user.security"), "1002", 403},
		"other domain":   {admin, "carl@other.test", 403},
		"nobody":         {admin, "zed@edu.test", 404},
		"without scope":  {s.mint("1002", "", readonly), "1001", 403},
		"without token":  {"", "1001", 401},
		"no such method": {admin, "1001/x/y/z", 404},
	} {
		if r := s.do("POST", "/admin/directory/v1/users/"+c.user+"/signOut", c.bearer, "", ""); r.status != c.status {
			t.Errorf("%s: %d", name, r.status)
		}
	}
}

func TestPasswordsDoNotEndGrants(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	_, refresh := s.consented()
	if _, err := s.world.ChangePassword(world.YouTube, "1001"); err != nil {
		t.Fatal(err)
	}
	if r := s.refresh(refresh); r.status != 200 {
		t.Errorf("%d %s", r.status, r.raw)
	}
}
