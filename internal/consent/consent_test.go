package consent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/platform"
)

const (
	uid   = "0b9c1c1e-uid"
	nonce = platform.Token("nonce-canary-1")
	code  = "code-canary-2"
)

func open(t *testing.T) (*Desk, string) {
	t.Helper()
	d := NewDesk("https://mithaq.edu.example/")
	d.Offer(custody.Offer{
		UID: uid, Nonce: nonce, Account: types.NamespacedName{Namespace: "edu", Name: "riyadh-x"}, Platform: "X", Handle: "edu_riyadh",
		Unit: "riyadh", Person: "<b>new</b>@edu.example", Authorize: "https://x.com/i/oauth2/authorize?state=" + custody.State(uid, nonce),
	})
	srv := httptest.NewServer(d.Handler())
	t.Cleanup(srv.Close)
	return d, srv.URL
}

func get(t *testing.T, address string) (status int, body string, header http.Header) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

func callback(base, state, code string) string {
	return base + pathCallback + "?" + url.Values{"state": {state}, "code": {code}}.Encode()
}

func TestThePageShowsWhatIsAskedAndNothingMore(t *testing.T) {
	d, base := open(t)
	page := strings.Replace(d.URL(uid, nonce), "https://mithaq.edu.example", base, 1)
	if strings.Contains(page, string(nonce)) {
		t.Errorf("the address %s holds the nonce", page)
	}
	status, body, header := get(t, page)
	if status != http.StatusOK || !strings.Contains(body, "edu_riyadh") || !strings.Contains(body, `dir="rtl"`) || !strings.Contains(body, "Authorise") {
		t.Errorf("%d: %s", status, body)
	}
	if strings.Contains(body, "<b>new</b>") {
		t.Error("what an account declares is taken as HTML")
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("policy %q", csp)
	}
	if status, _, _ := get(t, base+pathConsent+"unknown"); status != http.StatusNotFound {
		t.Errorf("an unknown page: %d", status)
	}
}

func TestACodeIsTakenForItsOfferAlone(t *testing.T) {
	d, base := open(t)
	for name, address := range map[string]string{
		"another account": callback(base, custody.State("other", nonce), code),
		"another nonce":   callback(base, custody.State(uid, "guess"), code),
		"no state":        base + pathCallback + "?code=" + code,
		"two codes":       callback(base, custody.State(uid, nonce), code) + "&code=more",
		"empty code":      callback(base, custody.State(uid, nonce), ""),
		"no dot":          callback(base, "nothing", code),
		"long code":       callback(base, custody.State(uid, nonce), strings.Repeat("a", maxCode+1)),
	} {
		status, body, _ := get(t, address)
		if status/100 != 4 || strings.Contains(body, "canary") {
			t.Errorf("%s: %d", name, status)
		}
	}
	if _, _, ok := d.Code(uid); ok {
		t.Fatal("a code was taken that is for nobody")
	}
	status, body, _ := get(t, callback(base, custody.State(uid, nonce), code))
	if status != http.StatusOK || strings.Contains(body, "canary") {
		t.Errorf("%d: %s", status, body)
	}
	if status, _, _ := get(t, callback(base, custody.State(uid, nonce), "second")); status != http.StatusNotFound {
		t.Errorf("a second code for the same offer: %d", status)
	}
	for range 2 { // a handover that was put off asks again
		if gotNonce, gotCode, ok := d.Code(uid); !ok || gotNonce != nonce || gotCode != platform.Token(code) {
			t.Error("the code is not handed over")
		}
	}
	d.Offer(custody.Offer{UID: uid, Nonce: "newer", Platform: "X"})
	if _, _, ok := d.Code(uid); ok {
		t.Error("the code outlives its offer")
	}
}

func TestADeclinedConsentStaysOpen(t *testing.T) {
	d, base := open(t)
	status, body, _ := get(t, base+pathCallback+"?"+url.Values{"state": {custody.State(uid, nonce)}, "error": {"access_denied"}}.Encode())
	if status != http.StatusOK || !strings.Contains(body, d.URL(uid, nonce)) {
		t.Errorf("%d: %s", status, body)
	}
	if status, _, _ := get(t, callback(base, custody.State(uid, nonce), code)); status != http.StatusOK {
		t.Errorf("consent after all: %d", status)
	}
}

func TestANewOfferVoidsTheOldOne(t *testing.T) {
	d, base := open(t)
	d.Offer(custody.Offer{UID: uid, Nonce: "newer", Platform: "X"})
	if status, _, _ := get(t, callback(base, custody.State(uid, nonce), code)); status != http.StatusNotFound {
		t.Errorf("the old offer: %d", status)
	}
	d.Withdraw(uid)
	if status, _, _ := get(t, callback(base, custody.State(uid, "newer"), code)); status != http.StatusNotFound {
		t.Errorf("a withdrawn offer: %d", status)
	}
}

func TestWithoutAnAddressTheServiceIsOff(t *testing.T) {
	d := NewDesk("")
	if d.URL(uid, nonce) != "" || d.RedirectURI() != "" {
		t.Error("it has addresses")
	}
}

// A replica that does not lead takes nothing, and asks to come again; a new leader does
// so for offers that it may not have gathered yet. The code stays unspent.
func TestAReplicaThatCannotTellAsksToComeAgain(t *testing.T) {
	d, _ := open(t)
	leads, c := make(chan struct{}), clocktesting.NewFakePassiveClock(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	s := &Server{Desk: d, Leads: leads, Clock: c}
	srv := httptest.NewServer(s.handler())
	t.Cleanup(srv.Close)
	asksAgain := func(what, address string) {
		t.Helper()
		status, body, header := get(t, address)
		if status != http.StatusServiceUnavailable || header.Get("Refresh") != "2" || header.Get("Retry-After") == "" ||
			header.Get("Cache-Control") != "no-store" || !strings.Contains(body, "One moment") || !strings.Contains(body, "لحظة") || strings.Contains(body, "canary") {
			t.Errorf("%s: %d, %v: %s", what, status, header, body)
		}
	}
	good, unknown := callback(srv.URL, custody.State(uid, nonce), code), callback(srv.URL, custody.State(uid, "guess"), code)
	asksAgain("a follower's callback", good)
	asksAgain("a follower's page", srv.URL+pathConsent+ticket(uid, nonce))
	if status, _, _ := get(t, srv.URL+pathHealth); status != http.StatusOK {
		t.Errorf("a follower's health: %d", status)
	}
	if _, _, ok := d.Code(uid); ok {
		t.Fatal("a follower took a code")
	}
	close(leads)
	s.lead(t.Context())
	asksAgain("a new leader's unknown callback", unknown)
	asksAgain("a new leader's unknown page", srv.URL+pathConsent+"unknown")
	c.SetTime(c.Now().Add(gathering))
	if status, _, _ := get(t, unknown); status != http.StatusNotFound {
		t.Errorf("an unknown callback once all offers are known: %d", status)
	}
	if status, _, _ := get(t, good); status != http.StatusOK {
		t.Errorf("the leader's callback: %d", status)
	}
}
