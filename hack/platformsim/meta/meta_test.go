package meta_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sim is a simulator with app "1000", secret "hush", a system user "900" with
// token "sys" on every account of portfolio "700", and a human admin "901" with
// token "human".
type sim struct {
	t     testing.TB
	world *world.World
	clock *clocktesting.FakeClock
	url   string
}

const fbScopes = "pages_show_list pages_read_engagement pages_read_user_content pages_manage_posts pages_manage_engagement business_management instagram_basic instagram_manage_comments"

func newSim(t testing.TB, opts meta.Options, accounts ...world.Account) sim {
	t.Helper()
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	handler := meta.New(w, opts)
	f := world.Fleet{
		Apps: []world.App{
			{Platform: world.Facebook, APIKey: "1000", APISecret: "hush", RedirectURIs: []string{"https://op/cb"}, Name: "Mithaq"},
			{Platform: world.Facebook, APIKey: "1001", APISecret: "hush2"},
			{Platform: world.Instagram, APIKey: "2000", APISecret: "ighush"},
		},
		Accounts: accounts,
		Tokens: []world.Mint{
			{Platform: world.Facebook, Client: "1000", Person: "900", Value: "sys", Scopes: strings.Fields(fbScopes)},
			{Platform: world.Facebook, Client: "1000", Person: "901", Value: "human", Scopes: strings.Fields(fbScopes), LifeSeconds: 5_183_944},
		},
	}
	on, off := true, false
	for _, p := range []world.Platform{world.Facebook, world.Instagram} {
		f.People = append(f.People,
			world.Person{Platform: p, ID: "900", Name: "Reader", Kind: world.System, Organisation: "700", OrganisationRole: "ADMIN"},
			world.Person{Platform: p, ID: "901", Name: "Head of Press", Email: "head@example.gov", Organisation: "700", OrganisationRole: "ADMIN", TwoFactor: &on},
			world.Person{Platform: p, ID: "902", Name: "Clerk", Organisation: "700", OrganisationRole: "EMPLOYEE", TwoFactor: &off},
		)
		f.Roles = append(f.Roles,
			world.Role{Platform: p, Account: world.AllAccounts, Person: "900", Tasks: []string{"MANAGE"}},
			world.Role{Platform: p, Account: world.AllAccounts, Person: "901", Tasks: []string{"MANAGE"}},
		)
	}
	if err := w.Load(f); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return sim{t, w, clk, s.URL}
}

func page(id string) world.Account {
	return world.Account{
		Platform: world.Facebook, ID: id, Handle: "page" + id, DisplayName: "Ministry of \"Examples\" " + id, Bio: "الحساب الرسمي",
		Website: "https://example.gov", Image: "emblem", Banner: "banner", Verified: true, Followers: 1000, Owner: "700",
	}
}

func insta(id string) world.Account {
	a := page(id)
	a.Platform, a.Handle, a.Banner, a.Posts, a.Following, a.Verified = world.Instagram, "ig"+id, "", 12, 3, false
	return a
}

type reply struct {
	status int
	header http.Header
	body   any
	raw    string
}

func (s sim) call(method, path, token, form string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(data)}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(data, &r.body); err != nil {
			s.t.Fatalf("%s %s answers %q: %v", method, path, data, err)
		}
	}
	return r
}

func (s sim) get(path, token string) reply {
	s.t.Helper()
	return s.call(http.MethodGet, "/v26.0"+path, token, "")
}

// in follows members and indexes of an answer.
func (r reply) in(path ...any) any { return dig(r.body, path...) }

func dig(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func (r reply) code() string {
	return fmt.Sprintf("%d %s/%s", r.status, digits(r.in("error", "code")), digits(r.in("error", "error_subcode")))
}

func digits(v any) string {
	if n, ok := v.(float64); ok {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprint(v)
}

// refused checks "status code/subcode", nil for no subcode.
func (r reply) refused(t testing.TB, what, want string) {
	t.Helper()
	if got := r.code(); got != want {
		t.Errorf("%s: %s, want %s: %s", what, got, want, r.raw)
	}
	if r.in("error", "fbtrace_id") == nil || r.in("error", "type") == nil {
		t.Errorf("%s: no trace or type: %s", what, r.raw)
	}
}

func (r reply) accepted(t testing.TB, what string) {
	t.Helper()
	if r.status != http.StatusOK || r.in("error") != nil {
		t.Errorf("%s: %d %s", what, r.status, r.raw)
	}
}

func proof(token, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

// item is one result of a batch, its body decoded.
type item struct {
	code    int
	body    any
	null    bool
	headers map[string]string
}

func (s sim) batch(token string, extra url.Values, relative ...string) []item {
	s.t.Helper()
	items := make([]map[string]string, len(relative))
	for i, u := range relative {
		items[i] = map[string]string{"method": "GET", "relative_url": u}
	}
	data, err := json.Marshal(items)
	if err != nil {
		s.t.Fatal(err)
	}
	form := url.Values{"batch": {string(data)}}
	for name, values := range extra {
		form[name] = values
	}
	r := s.call(http.MethodPost, "/v26.0/", token, form.Encode())
	list, ok := r.body.([]any)
	if r.status != http.StatusOK || !ok {
		s.t.Fatalf("batch: %d %s", r.status, r.raw)
	}
	return decodeItems(s.t, list)
}

func decodeItems(t testing.TB, list []any) []item {
	t.Helper()
	out := make([]item, len(list))
	for i, raw := range list {
		if raw == nil {
			out[i].null = true
			continue
		}
		code, _ := dig(raw, "code").(float64)
		body, isText := dig(raw, "body").(string)
		if !isText {
			t.Fatalf("body of item %d is no string: %v", i, raw)
		}
		out[i].code = int(code)
		if err := json.Unmarshal([]byte(body), &out[i].body); err != nil {
			t.Fatalf("item %d: %v in %s", i, err, body)
		}
		out[i].headers = map[string]string{}
		headers, _ := dig(raw, "headers").([]any)
		for _, h := range headers {
			out[i].headers[dig(h, "name").(string)], _ = dig(h, "value").(string)
		}
	}
	return out
}

const pageFields = "id,name,username,about,bio,description,link,website,phone,emails,category,category_list,picture.type(large){url,is_silhouette},cover{id,source,offset_y},verification_status,is_verified,is_published,is_permanently_closed,temporary_status,fan_count,followers_count,founded,has_transitioned_to_new_page_experience,instagram_business_account{id,username},owner_business{id,name}"

const igFields = "id,ig_id,username,name,biography,website,profile_picture_url,has_profile_pic,followers_count,follows_count,media_count,is_published,owner_business"

func TestPageHasTheDocumentedShape(t *testing.T) {
	p := page("20531316728")
	p.Linked = "17841405822304914"
	ig := insta("17841405822304914")
	s := newSim(t, meta.Options{}, p, ig)
	r := s.get("/20531316728?fields="+pageFields, "sys")
	r.accepted(t, "page")
	got, _ := r.body.(map[string]any)
	picture, _ := r.in("picture", "data", "url").(string)
	cover, _ := r.in("cover", "source").(string)
	if !strings.HasPrefix(picture, s.url+"/images/") || !strings.HasPrefix(cover, s.url+"/images/") || r.in("cover", "id") == "" {
		t.Errorf("picture %q, cover %v", picture, r.in("cover"))
	}
	delete(got, "picture")
	delete(got, "cover")
	want := map[string]any{
		"id": "20531316728", "name": "Ministry of \"Examples\" 20531316728", "username": "page20531316728", "about": "الحساب الرسمي",
		"link": "https://www.facebook.com/20531316728", "website": "https://example.gov", "category": "Government organization",
		"category_list":       []any{map[string]any{"id": "100", "name": "Government organization"}},
		"verification_status": "blue_verified", "is_verified": true, "is_published": true, "is_permanently_closed": false,
		"fan_count": 1000.0, "followers_count": 1000.0, "has_transitioned_to_new_page_experience": true,
		"instagram_business_account": map[string]any{"id": "17841405822304914", "username": "ig17841405822304914"},
		"owner_business":             map[string]any{"id": "700", "name": "Portfolio 700"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if v := r.header.Get("facebook-api-version"); v != "v26.0" {
		t.Errorf("version %q", v)
	}
	r = s.get("/17841405822304914?fields="+igFields, "sys")
	r.accepted(t, "instagram")
	for name, want := range map[string]any{"username": "ig17841405822304914", "followers_count": 1000.0, "follows_count": 3.0, "media_count": 12.0, "has_profile_pic": true, "biography": "الحساب الرسمي"} {
		if r.in(name) != want {
			t.Errorf("%s is %v, want %v", name, r.in(name), want)
		}
	}
	if _, isNumber := r.in("ig_id").(float64); !isNumber {
		t.Errorf("ig_id %v", r.in("ig_id"))
	}
}

func TestWhatCannotBeSeenLooksMissing(t *testing.T) {
	suspended, gone, foreign, hidden, personal := page("2"), page("3"), page("4"), page("5"), insta("6")
	suspended.State, gone.State, foreign.Owner, hidden.Unpublished, personal.Protected = world.Suspended, world.Deleted, "", true, true
	s := newSim(t, meta.Options{}, page("1"), suspended, gone, foreign, hidden, personal)
	for what, id := range map[string]string{"suspended": "2", "deleted": "3", "not ours": "4", "never was": "99", "personal": "6"} {
		s.get("/"+id+"?fields=id", "sys").refused(t, what, "400 100/33")
	}
	s.get("/5?fields=id,is_published", "sys").accepted(t, "unpublished, to its holders")
	s.get("/1?fields=id", "1000|hush").refused(t, "app token without the feature", "400 100/33")
	s.get("/nobody?fields=id", "sys").refused(t, "alias", "400 803/<nil>")
	if r := s.get("/page1?fields=id,name", "sys"); r.in("id") != "1" {
		t.Errorf("by alias: %s", r.raw)
	}
	s = newSim(t, meta.Options{PublicContentAccess: true}, foreign, hidden)
	s.get("/4?fields=id", "1000|hush").accepted(t, "app token with the feature")
	s.get("/4?fields=id", "sys").accepted(t, "not ours, with the feature")
	s.get("/5?fields=id", "1000|hush").refused(t, "unpublished", "400 100/33")
}

func TestRequestsThatTheDocumentsDoNotAllow(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	for what, c := range map[string]struct{ path, token, want string }{
		"unknown field":         {"/1?fields=id,colour", "sys", "400 100/<nil>"},
		"nested unknown field":  {"/1?fields=cover{colour}", "sys", "400 100/<nil>"},
		"field of another type": {"/2?fields=fan_count", "sys", "400 100/<nil>"},
		"syntax":                {"/1?fields=id,cover{", "sys", "400 2500/<nil>"},
		"unknown parameter":     {"/1?fields=id&colour=red", "sys", "400 100/<nil>"},
		"parameter twice":       {"/1?fields=id&fields=name", "sys", "400 100/<nil>"},
		"token twice":           {"/1?fields=id&access_token=sys", "sys", "400 100/<nil>"},
		"unknown edge":          {"/1/enemies", "sys", "400 2500/<nil>"},
		"no token":              {"/1?fields=id", "", "400 190/<nil>"},
		"unknown token":         {"/1?fields=id", "zzz", "400 190/<nil>"},
		"wrong app secret":      {"/1?fields=id", "1000|zzz", "400 190/<nil>"},
		"wrong proof":           {"/1?fields=id&appsecret_proof=00", "sys", "400 104/<nil>"},
		"me of an app":          {"/me", "1000|hush", "400 2500/<nil>"},
		"too many ids":          {"/?ids=" + strings.Repeat("1,", 50) + "1&fields=id", "sys", "400 100/<nil>"},
		"limit":                 {"/2/media?limit=101", "sys", "400 100/<nil>"},
		"since":                 {"/2/media?since=yesterday", "sys", "400 100/<nil>"},
		"cursor":                {"/2/media?after=!!", "sys", "400 100/<nil>"},
		"user token on a feed":  {"/1/published_posts", "sys", "400 210/<nil>"},
	} {
		s.get(c.path, c.token).refused(t, what, c.want)
	}
	s.call("GET", "/v27.0/1", "sys", "").refused(t, "future version", "400 2500/<nil>")
	if r := s.call("GET", "/v19.0/1", "sys", ""); r.header.Get("facebook-api-version") != "v23.0" {
		t.Errorf("expired version: %s", r.raw)
	}
	s.get("/1?fields=id&appsecret_proof="+proof("sys", "hush"), "sys").accepted(t, "right proof")
	s = newSim(t, meta.Options{RequireProof: true}, page("1"))
	s.get("/1?fields=id", "sys").refused(t, "no proof", "400 104/<nil>")
	s = newSim(t, meta.Options{ErrorsWith200: true, NoIGWebsite: true}, insta("2"))
	s.get("/9?fields=id", "sys").refused(t, "errors with 200", "200 100/33")
	s.get("/2?fields=id,website", "sys").refused(t, "website", "200 100/<nil>")
}

func TestBatchItemsStandAlone(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), page("2"))
	token, _ := s.get("/2?fields=access_token", "sys").in("access_token").(string)
	got := s.batch("sys", nil, "1?fields=id,name", "99?fields=id", "2?fields=id&access_token="+token, "1?fields=id&access_token=zzz", "1?fields=colour", "v26.0/1?fields=id", "1?fields=id&access_token="+token)
	want := []int{200, 400, 200, 400, 400, 200, 400}
	for i, one := range got {
		if one.code != want[i] {
			t.Errorf("item %d: %d %v", i, one.code, one.body)
		}
	}
	if dig(got[1].body, "error", "error_subcode") != 33.0 || dig(got[0].body, "id") != "1" || dig(got[3].body, "error", "code") != 190.0 {
		t.Errorf("%+v", got)
	}
	if usage := got[0].headers["X-Business-Use-Case-Usage"]; !strings.Contains(usage, `{"1":[{"type":"pages","call_count":0`) {
		t.Errorf("headers %v", got[0].headers)
	}
	if plain := s.batch("sys", url.Values{"include_headers": {"false"}}, "1?fields=id"); len(plain[0].headers) != 0 {
		t.Errorf("headers nobody wants: %v", plain[0].headers)
	}
}

func TestBatchesThatFailAsAWhole(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	fifty := `[` + strings.Repeat(`{"method":"GET","relative_url":"1?fields=id"},`, 49) + `{"method":"GET","relative_url":"1?fields=id"}`
	for what, c := range map[string]struct{ token, batch, want string }{
		"51 items":     {"sys", fifty + `,{"method":"GET","relative_url":"1"}]`, "400 100/<nil>"},
		"no items":     {"sys", `[]`, "400 100/<nil>"},
		"not JSON":     {"sys", `[`, "400 100/<nil>"},
		"unknown name": {"sys", `[{"method":"GET","relative_url":"1","colour":"red"}]`, "400 100/<nil>"},
		"no token":     {"", `[{"method":"GET","relative_url":"1?access_token=sys"}]`, "400 190/<nil>"},
	} {
		s.call("POST", "/v26.0/", c.token, url.Values{"batch": {c.batch}}.Encode()).refused(t, what, c.want)
	}
	s.call("POST", "/v26.0/", "sys", url.Values{"batch": {fifty + "]"}}.Encode()).accepted(t, "50 items")
	if units := s.world.Ledger().BudgetUnits(world.Facebook, meta.BucketPages); units != 50 {
		t.Errorf("50 items are %d calls", units)
	}
}

func TestMultiGetFailsWithOneBadID(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), page("2"), insta("3"))
	r := s.get("/?ids=1,2&fields=id,name", "sys")
	r.accepted(t, "two pages")
	if r.in("1", "id") != "1" || r.in("2", "id") != "2" || !strings.Contains(r.header.Get("X-Business-Use-Case-Usage"), `"2":[`) {
		t.Errorf("%s %v", r.raw, r.header)
	}
	s.get("/?ids=1,99&fields=id", "sys").refused(t, "one unknown", "400 803/<nil>")
	s.get("/?ids=3&fields=id,username", "sys").accepted(t, "instagram")
	if units := s.world.Ledger().BudgetUnits(world.Facebook, meta.BucketPages); units != 3 {
		t.Errorf("%d calls", units)
	}
	s = newSim(t, meta.Options{NoIGMultiGet: true}, insta("3"))
	s.get("/?ids=3&fields=id", "sys").refused(t, "instagram, switched off", "400 100/33")
}

func TestScopesAreNeeded(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	if _, _, err := s.world.Mint(world.Mint{Platform: world.Facebook, Client: "1000", Person: "900", Value: "bare"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/1?fields=id", "/2?fields=id", "/2/media", "/1/assigned_users?business=700", "/me/accounts", "/2?fields=business_discovery.username(ig2){id}"} {
		s.get(path, "bare").refused(t, path, "400 10/<nil>")
	}
	if r := s.get("/1?fields=id,access_token", "human"); r.in("access_token") == nil {
		t.Errorf("no page token: %s", r.raw)
	}
}
