package platformtest

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// effect is one call of a grant's life.
type effect struct {
	call func(context.Context, *platform.Client) error
	// spends: its first request changes something, so that a lost answer is
	// ambiguous. The others may read first, which is then unavailable.
	spends bool
}

const secretToken platform.Token = canary + "-token"

// effects are what the client can do with grants.
func effects(st stage, c *platform.Client) map[string]effect {
	ref := st.Fixture.Account(0)
	grant := platform.Grant{Access: secretToken, Refresh: canary + "-refresh"}
	out := map[string]effect{}
	if c.Issue != nil {
		out["exchange"] = effect{spends: true, call: func(ctx context.Context, c *platform.Client) error {
			_, err := c.Issue.Exchange(ctx, platform.ExchangeRequest{Code: canary + "-code", Verifier: canary + "-verifier", RedirectURI: "https://mithaq.example/callback"})
			return err
		}}
		out["refresh"] = effect{spends: true, call: func(ctx context.Context, c *platform.Client) error {
			_, err := c.Issue.Refresh(ctx, grant)
			return err
		}}
	}
	if c.Issue != nil && st.Adapter.CustodyOf(c).Mints {
		out["mint"] = effect{call: func(ctx context.Context, c *platform.Client) error {
			_, err := c.Issue.Mint(ctx, ref)
			return err
		}}
	}
	if c.Revoke != nil {
		out["revoke"] = effect{call: func(ctx context.Context, c *platform.Client) error {
			return c.Revoke.Revoke(ctx, grant, platform.RevokeGrant)
		}}
	}
	if c.Unseat != nil {
		out["unseat"] = effect{call: func(ctx context.Context, c *platform.Client) error {
			return c.Unseat.Unseat(ctx, secretToken, ref, platform.Member{ID: "4711", Kind: platform.MemberPerson, Removable: true})
		}}
	}
	return out
}

// questions are what can be asked about a token; none changes anything.
func questions(st stage, c *platform.Client) map[string]func(context.Context, *platform.Client) error {
	ref := st.Fixture.Account(0)
	out := map[string]func(context.Context, *platform.Client) error{}
	if c.Identify != nil {
		out["identify"] = func(ctx context.Context, c *platform.Client) error {
			_, err := c.Identify.Identify(ctx, secretToken, ref)
			return err
		}
	}
	if c.Introspect != nil {
		out["introspect"] = func(ctx context.Context, c *platform.Client) error {
			_, err := c.Introspect.Introspect(ctx, secretToken)
			return err
		}
	}
	if c.People != nil {
		out["people"] = func(ctx context.Context, c *platform.Client) error {
			_, err := c.People.People(ctx, secretToken, ref)
			return err
		}
	}
	return out
}

// checkCustody needs no wire format: it shows outages to everything that makes,
// questions or ends a grant.
func checkCustody(t *testing.T, st stage) {
	probe := st.openAll(t, "https://never.called.example")
	if probe.Consent != nil {
		t.Run("consent", func(t *testing.T) { checkConsent(t, st, probe) })
	}
	bad := spoiled(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"a": "b"}`)) })
	delete(bad, "null") // some revocations answer 200 with anything
	for what, e := range effects(st, probe) {
		for name, answer := range bad {
			if what == "revoke" && name != "dropped" && name != "unavailable" {
				continue // RFC 7009: 200 is the answer, whatever its body
			}
			t.Run(what+"/"+name, func(t *testing.T) { checkLost(t, st, e, answer) })
		}
		t.Run(what+"/429", func(t *testing.T) {
			srv := serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
			err := e.call(t.Context(), st.openAll(t, srv.URL))
			st.expectKind(t, err, platform.KindRateLimited)
		})
		t.Run(what+"/refused", func(t *testing.T) {
			l := listen(t)
			_ = l.Close()
			err := e.call(t.Context(), st.openAll(t, "http://"+l.Addr().String()))
			st.expectKind(t, err, platform.KindUnavailable)
		})
	}
	for what, ask := range questions(st, probe) {
		for name, answer := range bad {
			t.Run(what+"/"+name, func(t *testing.T) {
				err := ask(t.Context(), st.openAll(t, serving(t, answer).URL))
				st.expectKind(t, err, platform.KindUnavailable)
			})
		}
	}
	if probe.Issue != nil && !st.Adapter.CustodyOf(probe).Mints {
		t.Run("mint", func(t *testing.T) {
			srv := serving(t, func(http.ResponseWriter, *http.Request) {})
			_, err := st.openAll(t, srv.URL).Issue.Mint(t.Context(), st.Fixture.Account(0))
			st.expectKind(t, err, platform.KindInvalid)
			if n := srv.requests.Load(); n != 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// checkLost loses the answer: the call may have taken effect, and is not sent again.
func checkLost(t *testing.T, st stage, e effect, answer http.HandlerFunc) {
	srv := serving(t, answer)
	err := e.call(t.Context(), st.openAll(t, srv.URL))
	if err == nil {
		t.Fatal("no error")
	}
	st.checkError(t, err)
	kinds := []platform.Kind{platform.KindAmbiguous}
	if !e.spends {
		kinds = append(kinds, platform.KindUnavailable)
	}
	if kind := platform.KindOf(err); !slices.Contains(kinds, kind) {
		t.Errorf("the error's kind is %s, want one of %s: %v", kind, kinds, err)
	}
	if n := srv.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// checkConsent checks the address at which a person consents: the app's own words
// in it, and no secret.
func checkConsent(t *testing.T, st stage, c *platform.Client) {
	req := platform.ConsentRequest{RedirectURI: "https://mithaq.example/callback", State: "the-state", LoginHint: "someone"}
	if st.Adapter.Custody.PKCE {
		req.Challenge = "the-challenge"
	}
	u, err := url.Parse(c.Consent.ConsentURL(req))
	if err != nil || u.Host == "" {
		t.Fatalf("no URL: %v", err)
	}
	q := u.Query()
	for name, want := range map[string]string{"state": req.State, "redirect_uri": req.RedirectURI, "response_type": "code"} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if st.Adapter.Custody.PKCE && (q.Get("code_challenge") != req.Challenge || q.Get("code_challenge_method") != "S256") {
		t.Error("the challenge is missing")
	}
	if id := []byte(q.Get("client_id")); len(id) == 0 || !bytes.Equal(id, bytes.TrimSpace(st.App[platform.KeyClientID])) {
		t.Errorf("client_id is %q, which is not the app's", id)
	}
	for key, value := range st.App {
		if key != platform.KeyClientID && len(value) > 3 && slices.Contains(slices.Concat(mapsValues(q)...), string(value)) {
			t.Errorf("the address tells the app's %s", key)
		}
	}
}

func mapsValues(q url.Values) [][]string {
	var out [][]string
	for _, v := range q {
		out = append(out, v)
	}
	return out
}
