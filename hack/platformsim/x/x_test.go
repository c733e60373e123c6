package x_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sim is a simulator with one app, bearer "b", and some accounts.
type sim struct {
	world *world.World
	clock *clocktesting.FakeClock
	url   string
}

func newSim(t testing.TB, opts x.Options, accounts ...world.Account) sim {
	t.Helper()
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	fleet := world.Fleet{
		Apps:     []world.App{{Platform: world.X, APIKey: "k y", APISecret: "s%:", AppToken: "b"}},
		Accounts: accounts,
	}
	if err := w.Load(fleet); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(x.New(w, opts))
	t.Cleanup(s.Close)
	return sim{w, clk, s.URL}
}

func account(id, handle string, state world.State) world.Account {
	return world.Account{Platform: world.X, ID: id, Handle: handle, DisplayName: "Name " + id, State: state}
}

// some is an account in each state, ids 1 to 4.
func some() []world.Account {
	return []world.Account{
		account("1", "Active_1", world.Active), account("2", "suspended_2", world.Suspended),
		account("3", "deactivated_3", world.Deactivated), account("4", "deleted_4", world.Deleted),
	}
}

// reply is an answer of the simulator. It is kept apart from the package's own
// types, so that a wrong JSON name there is noticed here.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (s sim) get(t testing.TB, path string) reply {
	t.Helper()
	return s.getAs(t, path, "Bearer b")
}

func (s sim) getAs(t testing.TB, path, authorization string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return do(t, req)
}

func do(t testing.TB, req *http.Request) reply {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(data)}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(data, &r.body); err != nil {
			t.Fatalf("%s answers %q: %v", req.URL, data, err)
		}
	}
	return r
}

func decoded(t testing.TB, text string) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (r reply) want(t *testing.T, status int, body string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d", r.status, status)
	}
	if diff := cmp.Diff(decoded(t, body), r.body); diff != "" {
		t.Errorf("body (-want +got): %s", diff)
	}
}

func (s sim) token(t testing.TB, key, secret, form string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/oauth2/token", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	if key != "" {
		req.SetBasicAuth(key, secret)
	}
	return do(t, req)
}

const (
	badCredentials = `{"errors":[{"code":99,"message":"Unable to verify your credentials","label":"authenticity_token_error"}]}`
	unauthorized   = `{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}`
)

func TestTokenIsTheSameEachTime(t *testing.T) {
	s := newSim(t, x.Options{})
	for range 2 {
		s.token(t, url.QueryEscape("k y"), url.QueryEscape("s%:"), "grant_type=client_credentials").
			want(t, 200, `{"token_type":"bearer","access_token":"b"}`)
	}
}

func TestTokenRefusals(t *testing.T) {
	s := newSim(t, x.Options{})
	const grant = "grant_type=client_credentials"
	key, secret := url.QueryEscape("k y"), url.QueryEscape("s%:")
	for name, c := range map[string]struct {
		key, secret, form string
		status            int
		body              string
	}{
		"no credentials": {"", "", grant, 401, badCredentials},
		"wrong key":      {"zzz", secret, grant, 403, badCredentials},
		"wrong secret":   {key, "zzz", grant, 403, badCredentials},
		"not encoded":    {"k y", "s%:", grant, 401, badCredentials},
		"no grant":       {key, secret, "", 400, `{"error":"invalid_request","error_description":"Value passed for grant_type was invalid."}`},
		"other grant":    {key, secret, "grant_type=password", 400, `{"error":"invalid_request","error_description":"Value passed for grant_type was invalid."}`},
		"no form":        {key, secret, "grant_type=%zz", 400, `{"error":"invalid_request","error_description":"The body is not a form."}`},
	} {
		t.Run(name, func(t *testing.T) { s.token(t, c.key, c.secret, c.form).want(t, c.status, c.body) })
	}
}

func TestBearerIsRequired(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	for _, path := range []string{"/2/users?ids=1", "/2/users/by?usernames=a", "/2/users/1", "/2/users/by/username/a", "/2/users/me"} {
		for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer zzz", "Basic b", "b"} {
			r := s.getAs(t, path, authorization)
			r.want(t, 401, unauthorized)
			if r.header.Get("x-rate-limit-remaining") != "300" {
				t.Errorf("%s as %q: remaining %q", path, authorization, r.header.Get("x-rate-limit-remaining"))
			}
		}
	}
	if r := s.getAs(t, "/2/users?ids=1", "bearer b"); r.status != 200 {
		t.Errorf("scheme in lower case: %d", r.status)
	}
}

func TestRevokedBearerIsRefusedUntilRenewed(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	if err := s.world.RevokeToken(world.X, "k y", ""); err != nil {
		t.Fatal(err)
	}
	s.get(t, "/2/users?ids=1").want(t, 401, unauthorized)
	next, _ := s.token(t, "k+y", "s%25%3A", "grant_type=client_credentials").body["access_token"].(string)
	if r := s.getAs(t, "/2/users?ids=1", "Bearer "+next); next == "b" || r.status != 200 {
		t.Errorf("new bearer %q: %d", next, r.status)
	}
}

func TestUserTokenEndpointsRefuseTheApp(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	for _, path := range []string{"/2/users/me", "/2/users/search?query=edu"} {
		r := s.get(t, path)
		if r.status != 403 || r.body["type"] != "https://api.twitter.com/2/problems/unsupported-authentication" {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	for _, path := range []string{"/", "/2/users/", "/2/tweets/1/likes", "/1.1/users/show.json"} {
		s.get(t, path).want(t, 404, `{"title":"Not Found","type":"about:blank","status":404,"detail":"Not Found"}`)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/2/users?ids=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := do(t, req); r.status != 404 {
		t.Errorf("POST: %d", r.status)
	}
}

func TestUnknownSpellingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	x.New(world.New(clocktesting.NewFakeClock(start)), x.Options{Spelling: "toot"})
}
