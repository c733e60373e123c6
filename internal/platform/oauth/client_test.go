package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/oauth"
)

var testNow = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

const canary = "CANARY"

// served is a client of a server that answers, and the number of its requests.
func served(t *testing.T, answer http.HandlerFunc) (*oauth.Client, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return clientAt(t, srv.URL), &n
}

func clientAt(t *testing.T, base string) *oauth.Client {
	client := platform.NewHTTPClient(platform.TransportConfig{Endpoint: base})
	t.Cleanup(client.CloseIdleConnections)
	return &oauth.Client{
		HTTP: client, Now: func() time.Time { return testNow },
		ID: "client", Secret: canary + "-secret", Style: oauth2.AuthStyleInParams,
		Authorize: "https://accounts.example/authorize", Token: base + "/token", TokenPath: "/token",
		Revoke: base + "/revoke", RevokePath: "/revoke", RefusedAs: []string{"odd"}, Scopes: []string{"b", "a"},
		Params: map[string]string{"prompt": "consent"}, TakesHint: true, Rename: map[string]string{"long/a": "a"},
	}
}

func replying(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func exchange(ctx context.Context, c *oauth.Client) error {
	_, err := c.Exchange(ctx, platform.ExchangeRequest{Code: canary + "-code", Verifier: canary + "-verifier", RedirectURI: "https://mithaq.example/cb"})
	return err
}

func refresh(ctx context.Context, c *oauth.Client) error {
	_, err := c.Refresh(ctx, platform.Grant{Refresh: canary + "-refresh"})
	return err
}

func revoke(ctx context.Context, c *oauth.Client) error { return c.End(ctx, canary+"-token") }

func TestAnswers(t *testing.T) {
	spends := map[string]func(context.Context, *oauth.Client) error{"exchange": exchange, "refresh": refresh}
	ends := map[string]func(context.Context, *oauth.Client) error{"revoke": revoke}
	tests := map[string]struct {
		status        int
		body          string
		spent, revoke platform.Kind // "" is a success
	}{
		"granted":              {200, `{"access_token":"` + canary + `-a","token_type":"bearer","expires_in":60}`, "", ""},
		"dead":                 {400, `{"error":"invalid_grant","error_description":"` + canary + `"}`, platform.KindUnauthorized, ""},
		"dead by another name": {400, `{"error":"invalid_token"}`, platform.KindUnauthorized, ""},
		"dead by its own name": {400, `{"error":"odd"}`, platform.KindUnauthorized, ""},
		"client refused":       {401, `{"error":"invalid_client"}`, platform.KindInvalid, platform.KindInvalid},
		"client refused, 400":  {400, `{"error":"unauthorized_client"}`, platform.KindInvalid, platform.KindInvalid},
		"client refused, bare": {403, ``, platform.KindInvalid, platform.KindInvalid},
		"our mistake":          {400, `{"error":"invalid_request"}`, platform.KindInvalid, platform.KindInvalid},
		"too fast":             {429, `{"error":"slow_down"}`, platform.KindRateLimited, platform.KindRateLimited},
		"server error":         {500, `{"error":"invalid_grant"}`, platform.KindAmbiguous, platform.KindAmbiguous},
		"of a proxy":           {400, `<html>` + canary, platform.KindAmbiguous, platform.KindAmbiguous},
		"an unknown code":      {400, `{"error":"surprise"}`, platform.KindAmbiguous, platform.KindAmbiguous},
		"an error with 200":    {200, `{"error":"invalid_grant"}`, platform.KindUnauthorized, ""},
		"no token":             {200, `{"token_type":"bearer"}`, platform.KindAmbiguous, ""},
		"truncated":            {200, `{"access_token":"` + canary, platform.KindAmbiguous, ""},
		"a redirect":           {302, ``, platform.KindAmbiguous, platform.KindAmbiguous},
	}
	for name, tc := range tests {
		for what, call := range spends {
			t.Run(name+"/"+what, func(t *testing.T) { expect(t, call, tc.status, tc.body, tc.spent) })
		}
		for what, call := range ends {
			t.Run(name+"/"+what, func(t *testing.T) { expect(t, call, tc.status, tc.body, tc.revoke) })
		}
	}
}

func expect(t *testing.T, call func(context.Context, *oauth.Client) error, status int, body string, want platform.Kind) {
	t.Helper()
	c, n := served(t, replying(status, body))
	err := call(t.Context(), c)
	if n.Load() != 1 {
		t.Errorf("%d requests, want one", n.Load())
	}
	check(t, err, want)
}

func check(t *testing.T, err error, want platform.Kind) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && platform.KindOf(err) != want {
		t.Fatalf("got %v, want %q", err, want)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), canary) || strings.Contains(e.Error(), "://") {
			t.Errorf("the error tells too much: %v", e)
		}
	}
}

// What never left is unavailable; what may have been read is ambiguous, and is not
// sent again, not even by the transport.
func TestLostAnswers(t *testing.T) {
	for what, call := range map[string]func(context.Context, *oauth.Client) error{"exchange": exchange, "refresh": refresh, "revoke": revoke} {
		t.Run(what, func(t *testing.T) {
			check(t, call(t.Context(), clientAt(t, "http://127.0.0.1:1")), platform.KindUnavailable)
			c, n := served(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			check(t, call(t.Context(), c), platform.KindAmbiguous)
			check(t, call(t.Context(), c), platform.KindAmbiguous)
			if n.Load() != 2 {
				t.Errorf("%d requests of two calls", n.Load())
			}
			ctx, cancel := context.WithCancel(t.Context())
			c, _ = served(t, func(_ http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm() // a server learns that its client is gone once it has read the body
				cancel()
				<-r.Context().Done()
			})
			err := call(ctx, c)
			check(t, err, platform.KindAmbiguous)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled in its chain", err)
			}
		})
	}
}

func TestExchange(t *testing.T) {
	var form url.Values
	c, _ := served(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		replying(200, `{"access_token":"a","refresh_token":"r","expires_in":7200,"scope":"long/a c b a"}`)(w, r)
	})
	g, err := c.Exchange(t.Context(), platform.ExchangeRequest{Code: "the-code", Verifier: "the-verifier", RedirectURI: "https://mithaq.example/cb"})
	if err != nil {
		t.Fatal(err)
	}
	if g.Access != "a" || g.Refresh != "r" || !g.ExpiresAt.Equal(testNow.Add(2*time.Hour)) || !slices.Equal(g.Scopes, []string{"a", "b", "c"}) {
		t.Errorf("scopes %v, expires %s", g.Scopes, g.ExpiresAt)
	}
	for name, want := range map[string]string{
		"grant_type": "authorization_code", "code": "the-code", "code_verifier": "the-verifier",
		"redirect_uri": "https://mithaq.example/cb", "client_id": "client", "client_secret": canary + "-secret",
	} {
		if form.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, form.Get(name), want)
		}
	}
}

func TestRefreshKeepsWhatIsNotTold(t *testing.T) {
	c, n := served(t, replying(200, `{"access_token":"a2","expires_in":99999999999}`))
	g, err := c.Refresh(t.Context(), platform.Grant{Access: "a1", Refresh: "r1", Scopes: []string{"x"}})
	if err != nil || g.Access != "a2" || g.Refresh != "r1" || !slices.Equal(g.Scopes, []string{"x"}) {
		t.Errorf("scopes %v, %v", g.Scopes, err)
	}
	if life := g.ExpiresAt.Sub(testNow); life <= 0 || life > 400*24*time.Hour {
		t.Errorf("it lives %s", life)
	}
	_, err = c.Refresh(t.Context(), platform.Grant{Access: "a1"})
	check(t, err, platform.KindUnauthorized)
	if n.Load() != 1 {
		t.Errorf("%d requests", n.Load())
	}
}

func TestConsentURL(t *testing.T) {
	c := clientAt(t, "http://127.0.0.1:1")
	u, err := url.Parse(c.ConsentURL(platform.ConsentRequest{
		RedirectURI: "https://mithaq.example/cb", State: "st", Challenge: "ch", LoginHint: "me@gov.example",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "client", "redirect_uri": "https://mithaq.example/cb", "state": "st", "scope": "b a",
		"code_challenge": "ch", "code_challenge_method": "S256", "login_hint": "me@gov.example", "prompt": "consent",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(u.String(), canary) {
		t.Error("the address tells the secret")
	}
}

func TestRevocationNamesTheClient(t *testing.T) {
	tests := map[string]struct {
		edit        func(*oauth.Client)
		form, basic bool
	}{
		"in the form":     {func(*oauth.Client) {}, true, false},
		"in the header":   {func(c *oauth.Client) { c.Style = oauth2.AuthStyleInHeader }, false, true},
		"bare":            {func(c *oauth.Client) { c.BareRevoke = true }, false, false},
		"in the header b": {func(c *oauth.Client) { c.BasicRevoke = true }, false, true},
		"a public client": {func(c *oauth.Client) { c.Secret, c.Style = "", oauth2.AuthStyleInHeader }, true, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := served(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _, basic := r.BasicAuth()
				if r.PostFormValue("token") != "tok" || r.PostForm.Has("client_id") != tc.form || basic != tc.basic {
					t.Errorf("form %v, basic %v", r.PostForm.Has("client_id"), basic)
				}
			})
			tc.edit(c)
			if err := c.End(t.Context(), "tok"); err != nil {
				t.Error(err)
			}
		})
	}
}

func FuzzScopes(f *testing.F) {
	f.Add("a b a")
	f.Add(" ,,x ")
	f.Fuzz(func(t *testing.T, told string) {
		scopes := oauth.ScopesOf(told, map[string]string{"x": "y"})
		if !slices.IsSorted(scopes) || len(scopes) > 64 || slices.Contains(scopes, "") || slices.Contains(scopes, "x") {
			t.Errorf("%q", scopes)
		}
	})
}
