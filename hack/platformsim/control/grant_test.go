package control_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func TestPostsAreDriven(t *testing.T) {
	w, s := newControl(t)
	const path = "/v1/accounts/X/edu/posts/21"
	for _, c := range []struct {
		what, body string
		status     int
	}{
		{"GET " + path, "", 404},
		{"PUT " + path, `{"text":"hello","links":["https://a.example"]}`, 201},
		{"PUT " + path, `{"text":"hello again"}`, 200},
		{"PUT " + path, `{"id":"22"}`, 400},
		{"PUT " + path, `{"colour":"red"}`, 400},
		{"PUT /v1/accounts/X/nobody/posts/23", `{}`, 404},
		{"GET /v1/accounts/X/other/posts/21", "", 404},
		{"GET " + path, "", 200},
		{"DELETE " + path, "", 204},
		{"GET /v1/accounts/X/edu/posts", "", 200},
	} {
		if status, body := call(t, s, c.what, c.body); status != c.status {
			t.Errorf("%s %s: %d %s", c.what, c.body, status, body)
		}
	}
	if p, ok := w.Post(world.X, "21"); !ok || p.Text != "hello again" || p.Deleted.IsZero() {
		t.Errorf("%+v", p)
	}
}

func TestPeopleAndRolesAreDriven(t *testing.T) {
	w, s := newControl(t)
	for _, c := range []struct {
		what, body string
		status     int
	}{
		{"PUT /v1/accounts/X/edu/roles/p", `{"tasks":["MANAGE"]}`, 404},
		{"PUT /v1/people/X/p", `{"name":"Somebody","organisation":"org"}`, 200},
		{"PUT /v1/people/X/p", `{"id":"q"}`, 400},
		{"GET /v1/people/X/p", "", 200},
		{"GET /v1/people/X/q", "", 404},
		{"PUT /v1/accounts/X/edu/roles/p", `{"tasks":["MANAGE"]}`, 200},
		{"DELETE /v1/accounts/X/edu/roles/q", "", 404},
	} {
		if status, body := call(t, s, c.what, c.body); status != c.status {
			t.Errorf("%s %s: %d %s", c.what, c.body, status, body)
		}
	}
	if _, body := call(t, s, "GET /v1/accounts/X/edu/roles", ""); !strings.Contains(body, `"MANAGE"`) {
		t.Error(body)
	}
	if _, body := call(t, s, "GET /v1/people/X?organisation=org", ""); !strings.Contains(body, `"Somebody"`) {
		t.Error(body)
	}
	if status, _ := call(t, s, "DELETE /v1/accounts/X/edu/roles/p", ""); status != 204 || len(w.Roles(world.X, "1")) != 0 {
		t.Error("the role is still there")
	}
	if status, _ := call(t, s, "DELETE /v1/people/X/p", ""); status != 204 {
		t.Error("the person cannot be removed")
	}
}

// redirect plays a consent and returns the query the browser is sent back with.
func redirect(t *testing.T, body string, answer func() (int, string)) url.Values {
	t.Helper()
	status, text := answer()
	var got struct{ Redirect string }
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s", body, status, text)
	}
	u, err := url.Parse(got.Redirect)
	if err != nil || !strings.HasPrefix(got.Redirect, "https://op/cb?") {
		t.Fatalf("redirect %q, %v", got.Redirect, err)
	}
	return u.Query()
}

const consentURL = "https://x.com/i/oauth2/authorize?response_type=code&client_id=k&redirect_uri=https%3A%2F%2Fop%2Fcb&scope=read%20write&state=S"

func TestConsentAsAPersonNow(t *testing.T) {
	w, s := newControl(t)
	ask := func(body string) url.Values {
		return redirect(t, body, func() (int, string) { return call(t, s, "POST /v1/consent/X", body) })
	}
	q := ask(`{"url":"` + consentURL + `","person":"p","account":"1","scopes":["read"]}`)
	if q.Get("state") != "S" {
		t.Errorf("state %q", q.Get("state"))
	}
	got, err := w.Exchange(world.Exchange{Platform: world.X, Client: "k", Code: q.Get("code"), RedirectURI: "https://op/cb"})
	if err != nil || got.Person != "p" || got.Account != "1" || len(got.Scopes) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if q := ask(`{"url":"` + consentURL + `","deny":true}`); q.Get("error") != "access_denied" || q.Has("code") || q.Get("state") != "S" {
		t.Errorf("denied: %v", q)
	}
	for name, body := range map[string]string{
		"plain challenge": `{"url":"` + consentURL + `&code_challenge=x","person":"p"}`,
		"no redirect":     `{"url":"https://x.com/?client_id=k","person":"p"}`,
		"nobody":          `{"url":"` + consentURL + `"}`,
		"no url":          `{"person":"p"}`,
	} {
		if status, text := call(t, s, "POST /v1/consent/X", body); status != 400 {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

func TestGrantsAreDrivenWithoutShowingSecrets(t *testing.T) {
	w, s := newControl(t)
	status, body := call(t, s, "POST /v1/tokens/X/mint", `{"client":"k","person":"p","value":"hush-1"}`)
	if status != 201 || !strings.Contains(body, "hush-1") {
		t.Fatalf("%d %s", status, body)
	}
	if _, body := call(t, s, "GET /v1/tokens/X?person=p&alive=true", ""); strings.Contains(body, "hush-1") || !strings.Contains(body, w.Fingerprint("hush-1")) {
		t.Error(body)
	}
	if _, body := call(t, s, "POST /v1/fingerprints", `{"values":["hush-1"]}`); !strings.Contains(body, w.Fingerprint("hush-1")) {
		t.Error(body)
	}
	for _, c := range []struct {
		what, body, want string
		status           int
	}{
		{"POST /v1/tokens/X/end", `{"person":"q"}`, `"ended": 0`, 200},
		{"POST /v1/tokens/X/end", `{"person":"p","cause":"Boredom"}`, "Boredom", 400},
		{"POST /v1/tokens/X/end", `{"value":"hush-1","cause":"Revoked"}`, `"ended": 1`, 200},
		{"POST /v1/people/X/p/password", "", `"ended": 0`, 200},
		{"PUT /v1/consent/X", `{"person":"p"}`, "", 204},
		{"PUT /v1/apps/X/k9", `{"apiSecret":"s9","redirectURIs":["https://op/cb"]}`, "", 204},
		{"PUT /v1/history", `{"reads":true}`, "", 204},
		{"GET /v1/history", "", `"calls"`, 200},
		{"DELETE /v1/history", "", "", 204},
	} {
		if status, body := call(t, s, c.what, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s", c.what, c.body, status, body)
		}
	}
	if token, _ := w.Token(world.X, "hush-1"); token.Cause != world.CauseRevoked {
		t.Errorf("%+v", token)
	}
	if c, ok := w.Chosen(world.X); !ok || c.Person != "p" {
		t.Errorf("chosen %+v", c)
	}
}

func TestSecurityIsDriven(t *testing.T) {
	w, s := newControl(t)
	const path = "/v1/people/YouTube/p/security"
	for _, c := range []struct {
		what, body string
		status     int
	}{
		{"GET " + path, "", 404},
		{"PUT " + path, `{"sessions":1}`, 404},
		{"PUT /v1/people/YouTube/p", `{"name":"P"}`, 200},
		{"PUT " + path, `{"sessions":-1}`, 400},
		{"PUT " + path, `{"sesions":1}`, 400},
		{"PUT " + path, `{"sessions":2,"appPasswords":[{"id":7,"name":"mail"}]}`, 200},
		{"GET " + path, "", 200},
	} {
		if status, body := call(t, s, c.what, c.body); status != c.status {
			t.Errorf("%s %s: %d %s", c.what, c.body, status, body)
		}
	}
	if got := w.SecurityOf(world.YouTube, "p"); got.Sessions != 2 || got.AppPasswords[0].ID != 7 {
		t.Errorf("%+v", got)
	}
}
