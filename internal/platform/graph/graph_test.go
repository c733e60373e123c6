package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testNow = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// open serves answers one after the other, the last for good, and keeps the forms.
type served struct {
	*Client
	forms   []url.Values
	usages  []platform.Usage
	notices []string
}

func open(t *testing.T, keys Keys, answers ...http.HandlerFunc) *served {
	t.Helper()
	s := &served{}
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		mu.Lock()
		s.forms = append(s.forms, r.Form)
		n := len(s.forms)
		mu.Unlock()
		answers[min(n, len(answers))-1](w, r)
	}))
	t.Cleanup(server.Close)
	client := platform.NewHTTPClient(platform.TransportConfig{Endpoint: server.URL})
	t.Cleanup(client.CloseIdleConnections)
	s.Client = New(platform.Config{
		Endpoint: server.URL, HTTP: client, Now: func() time.Time { return testNow },
		Usage:  func(u platform.Usage) { s.usages = append(s.usages, u) },
		Notice: func(_, version string) { s.notices = append(s.notices, version) },
	}, keys)
	return s
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

func errorOf(code, subcode int) string {
	return fmt.Sprintf(`{"error":{"message":"(#%d) no","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A"}}`, code, code, subcode)
}

func TestErrorsByCodeAndSubcode(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		kind   platform.Kind // "": no error
		why    error
	}{
		"fine":                      {200, `{"id":"1"}`, "", nil},
		"error null":                {200, `{"error":null}`, "", nil},
		"error with 200":            {200, errorOf(190, 460), platform.KindUnauthorized, errPassword},
		"unknown":                   {400, errorOf(1, 0), platform.KindUnavailable, errService},
		"down":                      {400, errorOf(2, 0), platform.KindUnavailable, errService},
		"transient":                 {400, `{"error":{"code":100,"error_subcode":33,"is_transient":true}}`, platform.KindUnavailable, errService},
		"app limit":                 {400, errorOf(4, 0), platform.KindRateLimited, errLimited},
		"app limit, transient":      {400, `{"error":{"code":4,"is_transient":true}}`, platform.KindRateLimited, errLimited},
		"user limit":                {403, errorOf(17, 0), platform.KindRateLimited, errLimited},
		"page limit":                {400, errorOf(32, 0), platform.KindRateLimited, errLimited},
		"odd volume":                {400, errorOf(613, 1996), platform.KindRateLimited, errLimited},
		"BUC of pages":              {400, errorOf(80001, 0), platform.KindRateLimited, errLimited},
		"BUC of Instagram":          {429, errorOf(80002, 0), platform.KindRateLimited, errLimited},
		"permission":                {400, errorOf(10, 0), platform.KindUnauthorized, errPermission},
		"permission, 200s":          {403, errorOf(210, 0), platform.KindUnauthorized, errPermission},
		"invisible":                 {400, errorOf(100, 33), platform.KindNotFound, errInvisible},
		"parameter":                 {400, errorOf(100, 0), platform.KindInvalid, errParameter},
		"media invisible":           {400, errorOf(24, 2207006), platform.KindNotFound, errInvisible},
		"media, other subcode":      {400, errorOf(24, 1), platform.KindUnavailable, errUnknown},
		"no professional account":   {400, errorOf(110, 2207013), platform.KindNotFound, errNoPerson},
		"invalid user, no subcode":  {400, errorOf(110, 0), platform.KindUnavailable, errUnknown},
		"alias":                     {400, errorOf(803, 0), platform.KindNotFound, errAlias},
		"token":                     {400, errorOf(190, 0), platform.KindUnauthorized, errToken},
		"token expired":             {400, errorOf(190, 463), platform.KindUnauthorized, errExpired},
		"token revoked":             {400, errorOf(190, 467), platform.KindUnauthorized, errTokenDead},
		"token, app removed":        {400, errorOf(190, 458), platform.KindUnauthorized, errAppRemoved},
		"token, checkpoint":         {400, errorOf(190, 459), platform.KindUnauthorized, errCheckpoint},
		"token, no role":            {400, errorOf(190, 492), platform.KindUnauthorized, errNoRole},
		"session":                   {400, errorOf(102, 0), platform.KindUnauthorized, errToken},
		"proof":                     {400, errorOf(104, 0), platform.KindInvalid, errProof},
		"policy":                    {400, errorOf(368, 0), platform.KindUnauthorized, errBlocked},
		"query":                     {400, errorOf(2500, 0), platform.KindInvalid, errQuery},
		"a code nobody knows":       {400, errorOf(4242, 0), platform.KindUnavailable, errUnknown},
		"error is a text":           {400, `{"error":"no"}`, platform.KindUnavailable, errUnknown},
		"500 with any code":         {500, errorOf(190, 467), platform.KindUnavailable, errNoAnswer},
		"400 of a proxy":            {400, `<html>`, platform.KindUnavailable, errNoAnswer},
		"404 without an error":      {404, `{}`, platform.KindUnavailable, errNoAnswer},
		"429 without an error":      {429, ``, platform.KindRateLimited, errLimited},
		"401 without an error":      {401, ``, platform.KindUnauthorized, errToken},
		"code as text is no code":   {400, `{"error":{"code":"190"}}`, platform.KindUnavailable, errUnknown},
		"206 is no answer":          {206, `{"id":"1"}`, platform.KindUnavailable, errNoAnswer},
		"subcode without 100 or 24": {400, errorOf(200, 33), platform.KindUnauthorized, errPermission},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := Refusal("op", &platform.Answer{Status: tc.status, Header: http.Header{}, Body: []byte(tc.body)}, testNow)
			if tc.kind == "" {
				if e != nil {
					t.Errorf("got %v", e)
				}
				return
			}
			if e == nil || e.Kind != tc.kind || !errors.Is(e, tc.why) {
				t.Fatalf("got %v, want %s: %v", e, tc.kind, tc.why)
			}
			if (e.RetryAfter > 0) != (tc.kind == platform.KindRateLimited) {
				t.Errorf("RetryAfter is %s", e.RetryAfter)
			}
		})
	}
}

func TestGauge(t *testing.T) {
	const business = `{"555":[{"type":"pages","call_count":97,"total_cputime":23,"total_time":23,"estimated_time_to_regain_access":%d}]}`
	tests := map[string]struct {
		app, business string
		own           string
		told          bool
		left          int
		resets        time.Duration
	}{
		"nothing":                 {"", "", "", false, 0, 0},
		"app":                     {`{"call_count":28,"total_time":25,"total_cputime":25}`, "", "", true, 72, retryUnknown},
		"the worst of the app":    {`{"call_count":8,"total_time":25,"total_cputime":81}`, "", "", true, 19, retryUnknown},
		"a portfolio's":           {"", fmt.Sprintf(business, 17), "", true, 3, 17 * time.Minute},
		"a Page's own":            {`{"call_count":28}`, fmt.Sprintf(business, 17), "555", true, 72, retryUnknown},
		"over the top":            {`{"call_count":1e9}`, "", "", true, 0, retryUnknown},
		"below nothing":           {`{"call_count":-5}`, "", "", true, 100, retryUnknown},
		"a year to regain":        {"", fmt.Sprintf(business, 525600), "", true, 3, maxRegain},
		"half a number":           {`{"call_count":28`, "", "", false, 0, 0},
		"no number":               {`{"call_count":"28"}`, "", "", false, 0, 0},
		"another shape":           {`[]`, `[]`, "", false, 0, 0},
		"minutes without percent": {"", `{"5":[{"estimated_time_to_regain_access":9}]}`, "", false, 0, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			h.Set(headerApp, tc.app)
			h.Set(headerBusiness, tc.business)
			g := gaugeOf(h, map[string]bool{tc.own: true})
			if g.told != tc.told {
				t.Fatalf("told: %v", g.told)
			}
			if u := g.usage(testNow); tc.told && (u.Limit != 100 || u.Remaining != tc.left || !u.ResetsAt.Equal(testNow.Add(tc.resets))) {
				t.Errorf("got %+v, want %d left, reset in %s", u, tc.left, tc.resets)
			}
		})
	}
}

var twoKeys = Keys{SystemUserToken: "EAA", Secret: "hush"}

func twoItems() []Item {
	return []Item{{Path: "1", Query: Fields("id", 0, 0, 0)}, {Path: "2", Query: Fields("id", 0, 0, 0), Token: "page"}}
}

func TestBatchRetriesEmptyPlacesAloneAndOnce(t *testing.T) {
	s := open(t, twoKeys, body(`[null,{"code":200,"body":"{\"id\":\"2\"}"}]`), body(`[{"code":200,"body":"{\"id\":\"1\"}"}]`))
	places, err := s.Batch(t.Context(), "op", twoItems())
	if err != nil || string(places[0].Body) != `{"id":"1"}` || string(places[1].Body) != `{"id":"2"}` || len(s.forms) != 2 {
		t.Fatalf("%d requests: %+v, %v", len(s.forms), places, err)
	}
	var again []struct {
		URL string `json:"relative_url"`
	}
	if err := json.Unmarshal([]byte(s.forms[1].Get("batch")), &again); err != nil || len(again) != 1 || !strings.HasPrefix(again[0].URL, "1?") {
		t.Errorf("asked again for %+v, %v", again, err)
	}
}

func TestBatchKeepsWhatItHasWhenTheRetryFails(t *testing.T) {
	s := open(t, twoKeys, body(`[null,{"code":200,"body":"{\"id\":\"2\"}"}]`), body(errorOf(4, 0)))
	places, err := s.Batch(t.Context(), "op", twoItems())
	if err != nil || places[0].Err == nil || places[0].Err.Kind != platform.KindRateLimited || places[1].Err != nil {
		t.Errorf("%+v, %v", places, err)
	}
}

func TestBatchProvesTheSecretForEachToken(t *testing.T) {
	s := open(t, twoKeys, body(`[null,null]`))
	if _, err := s.Batch(t.Context(), "op", twoItems()); err != nil {
		t.Fatal(err)
	}
	var items []struct {
		URL string `json:"relative_url"`
	}
	if err := json.Unmarshal([]byte(s.forms[0].Get("batch")), &items); err != nil {
		t.Fatal(err)
	}
	// printf page | openssl dgst -sha256 -hmac hush
	const batch, item = "e0321fa6254ee1dc517128a2877237017f208eb51edd9a2b659be8a575e35feb", "0b696cb4268ac4d5a5dbcd99d3191e0d9d1885f345c6addc41773074e48006d1"
	if got := s.forms[0].Get("appsecret_proof"); got != batch {
		t.Errorf("the proof of the batch is %q", got)
	}
	if !strings.Contains(items[1].URL, "appsecret_proof="+item) || strings.Contains(items[0].URL, "appsecret_proof") {
		t.Errorf("the items are %+v", items)
	}
}

func TestBatchRefusedAlikeIsOneError(t *testing.T) {
	refused := func(code, subcode int) string {
		b, err := json.Marshal(map[string]any{"code": 400, "body": errorOf(code, subcode)})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, tc := range map[string]struct {
		places string
		kind   platform.Kind
	}{
		"token":          {refused(190, 467) + "," + refused(190, 467), platform.KindUnauthorized},
		"limit":          {refused(4, 0) + "," + refused(17, 0), platform.KindRateLimited},
		"one is fine":    {refused(190, 467) + `,{"code":200,"body":"{}"}`, ""},
		"accounts' own":  {refused(80001, 0) + "," + refused(80001, 0), ""},
		"two kinds":      {refused(190, 467) + "," + refused(4, 0), ""},
		"both invisible": {refused(100, 33) + "," + refused(100, 33), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, twoKeys, body("["+tc.places+"]")).Batch(t.Context(), "op", twoItems())
			if (err != nil) != (tc.kind != "") || err != nil && platform.KindOf(err) != tc.kind {
				t.Errorf("got %v, want %q", err, tc.kind)
			}
		})
	}
}

func TestBatchSamplesHeadersOnceInTen(t *testing.T) {
	const sample = `[{"code":200,"headers":[{"name":"X-App-Usage","value":"{\"call_count\":40}"},{"name":"facebook-api-version","value":"v27.0"}],"body":"{}"}]`
	s := open(t, twoKeys, func(w http.ResponseWriter, r *http.Request) {
		if r.Form.Get("include_headers") == "true" {
			_, _ = w.Write([]byte(sample))
			return
		}
		_, _ = w.Write([]byte(`[{"code":200,"body":"{}"}]`))
	})
	for range 20 {
		if _, err := s.Batch(t.Context(), "op", twoItems()[:1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.usages) != 2 || s.usages[0].Remaining != 60 || s.usages[0].Bucket != BucketApp {
		t.Errorf("told %+v", s.usages)
	}
	if len(s.notices) != 1 || s.notices[0] != "v27.0" {
		t.Errorf("noticed %q, want one drift to v27.0", s.notices)
	}
}

// A GET that spends something is not repeated on a connection that was closed.
func TestEffectsAreSentOnce(t *testing.T) {
	var n atomic.Int32
	s := open(t, Keys{ID: "1", Secret: "hush", AppToken: "1|hush"}, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte(`{"access_token":"short","expires_in":5400}`))
	})
	l := &Login{Client: s.Client}
	if _, err := l.token(t.Context(), opExchange, url.Values{}); err != nil {
		t.Fatal(err)
	}
	_, err := l.token(t.Context(), opExchange, url.Values{}) // on the same connection
	if platform.KindOf(err) != platform.KindAmbiguous || n.Load() != 2 {
		t.Errorf("%d requests, %v", n.Load(), err)
	}
}

func TestLists(t *testing.T) {
	type row struct {
		ID string `json:"id"`
	}
	read := func(answers ...string) ([]row, error) {
		var handlers []http.HandlerFunc
		for _, a := range answers {
			handlers = append(handlers, body(a))
		}
		return List[row](t.Context(), open(t, twoKeys, handlers...).Client, Edge{Op: "op", Path: "1/roles", Fields: "id", Token: "EAA"})
	}
	const first = `{"data":[{"id":"1"}],"paging":{"next":"https://x","cursors":{"after":"A"}}}`
	if rows, err := read(first, `{"data":[],"paging":{"next":"https://x","cursors":{"after":"B"}}}`, `{"data":[{"id":"2"}]}`); err != nil || len(rows) != 2 {
		t.Errorf("a short page is not the end: %v, %v", rows, err)
	}
	for name, answers := range map[string][]string{
		"half":    {first, errorOf(2, 0)},
		"no data": {`{}`},
		"endless": {first},
		"no way":  {`{"data":[{"id":"1"}],"paging":{"next":"https://x"}}`},
	} {
		if rows, err := read(answers...); err == nil || rows != nil {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
}

func TestTokenThatIsRefusedIsDeadOnlyIfItSaysWhy(t *testing.T) {
	for answer, want := range map[string]platform.Liveness{
		`{"data":{"is_valid":true,"expires_at":0}}`:                      platform.TokenAlive,
		`{"data":{"is_valid":false,"error":{"code":190,"subcode":460}}}`: platform.TokenDead,
		`{"data":{"is_valid":false,"error":{"code":190,"subcode":467}}}`: platform.TokenDead,
		`{"data":{"is_valid":false,"error":{"code":190,"subcode":463}}}`: platform.TokenExpired,
		`{"data":{"is_valid":false,"error":{"code":190,"subcode":459}}}`: platform.TokenUnclear,
		`{"data":{"is_valid":false}}`:                                    platform.TokenUnclear,
		`{"data":{}}`:                                                    "",
		`{"data":{"is_valid":"no"}}`:                                     "",
	} {
		l := &Login{Client: open(t, Keys{ID: "1", Secret: "s", AppToken: "1|s"}, body(answer)).Client}
		got, err := l.Introspect(t.Context(), "token")
		if got.State != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v", answer, got.State, err)
		}
	}
}

func TestRevokeByType(t *testing.T) {
	for name, tc := range map[string]struct{ kind, answer, path string }{
		"system user": {typeSystem, `{"success":"true"}`, "/v26.0/oauth/revoke"},
		"person":      {typeUser, `{"success":true}`, "/v26.0/77/permissions"},
	} {
		t.Run(name, func(t *testing.T) {
			path := ""
			s := open(t, Keys{ID: "1", Secret: "s", AppToken: "1|s", SystemUserToken: "EAA"},
				body(`{"data":{"is_valid":true,"type":"`+tc.kind+`","user_id":"77"}}`),
				func(w http.ResponseWriter, r *http.Request) {
					path = r.URL.Path
					_, _ = w.Write([]byte(tc.answer))
				})
			if err := (&Login{Client: s.Client}).Revoke(t.Context(), platform.Grant{Access: "token"}, platform.RevokeGrant); err != nil || path != tc.path {
				t.Errorf("%s, %v", path, err)
			}
		})
	}
	s := open(t, Keys{ID: "1", Secret: "s", AppToken: "1|s"}, body(`{"data":{"is_valid":false}}`))
	if err := (&Login{Client: s.Client}).Revoke(context.Background(), platform.Grant{Access: "t"}, platform.RevokeGrant); err != nil || len(s.forms) != 1 {
		t.Errorf("dead already: %d requests, %v", len(s.forms), err)
	}
}

func TestKeys(t *testing.T) {
	for name, tc := range map[string]struct {
		app  platform.Secret
		want string // in the error; "": none
	}{
		"system user":     {platform.Secret{"systemUserToken": []byte("EAA\n")}, ""},
		"id and secret":   {platform.Secret{"clientID": []byte("1"), "clientSecret": []byte("s")}, ""},
		"nothing":         {nil, "systemUserToken"},
		"no secret":       {platform.Secret{"clientID": []byte("1")}, "clientSecret"},
		"malformed":       {platform.Secret{"systemUserToken": []byte("E A")}, "systemUserToken"},
		"portfolio's id":  {platform.Secret{"systemUserToken": []byte("E"), "businessID": []byte("x")}, "businessID"},
		"account of ours": {platform.Secret{"systemUserToken": []byte("E"), "igUserID": []byte("../1")}, "igUserID"},
	} {
		_, err := ReadKeys(tc.app)
		if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzBatchAnswer(f *testing.F) {
	seed, err := os.ReadFile("testdata/batch.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`[{"code":200,"body":"{\"id\":\"1\"}"},null]`))
	f.Add([]byte(`[{"code":"200"},{"code":400,"body":7}]`))
	f.Add([]byte(errorOf(190, 467)))
	f.Fuzz(func(t *testing.T, answer []byte) {
		c := New(platform.Config{Now: func() time.Time { return testNow }, Usage: func(platform.Usage) {}}, twoKeys)
		var wire []*wirePlace
		if json.Unmarshal(answer, &wire) != nil {
			return
		}
		for _, w := range wire {
			p := c.place("op", w, nil)
			if (p.Err == nil) != (p.Body != nil) && len(p.Body) > 0 {
				t.Errorf("%+v", p)
			}
			if p.Err == nil && (w.Code != http.StatusOK || faultOf(p.Body) != nil) {
				t.Errorf("believed: %+v", w)
			}
			if p.Err != nil && p.Err.Kind == platform.KindNotFound && faultOf([]byte(w.Body)) == nil {
				t.Errorf("gone without a word: %+v", w)
			}
		}
	})
}

func FuzzUsageHeaders(f *testing.F) {
	f.Add(`{"call_count":28,"total_time":25,"total_cputime":25}`, `{"1":[{"call_count":97,"estimated_time_to_regain_access":3}]}`)
	f.Add(`{"call_count":-1e308}`, `{"1":[{"estimated_time_to_regain_access":1e308}]}`)
	f.Add("", "[]")
	f.Fuzz(func(t *testing.T, app, business string) {
		h := http.Header{headerApp: {app}, headerBusiness: {business}}
		g := gaugeOf(h, nil)
		u := g.usage(testNow)
		if u.Remaining < 0 || u.Remaining > 100 || u.ResetsAt.Before(testNow) || u.ResetsAt.After(testNow.Add(maxRegain)) || g.wait() <= 0 {
			t.Errorf("%+v", u)
		}
	})
}

func FuzzLink(f *testing.F) {
	f.Add("example.gov")
	f.Add("javascript:alert(1)")
	f.Add("http://a\u202Eb")
	f.Fuzz(func(t *testing.T, link string) {
		got, told := Link(link)
		if told && link != "" && !platform.IsWebLink(got) && !strings.Contains(got, "⟨") && !strings.HasSuffix(got, "…") {
			t.Errorf("%q became %q", link, got)
		}
		if !told && got != "" {
			t.Errorf("%q was not told and is %q", link, got)
		}
	})
}
