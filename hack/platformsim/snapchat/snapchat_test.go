package snapchat_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	org     = "8fdeefec-f502-4ca8-9a84-6411e0a51053"
	profile = "snapchat-profile-api"
	market  = "snapchat-marketing-api"
)

// sim has client "c", organisation org with admin "boss" and member "staff", and
// a stranger of another organisation.
type sim struct {
	t     testing.TB
	world *world.World
	clock *clocktesting.FakeClock
	url   string
}

func fleet(accounts ...world.Account) world.Fleet {
	return world.Fleet{
		Apps:     []world.App{{Platform: world.Snapchat, APIKey: "c", APISecret: "s", RedirectURIs: []string{"https://op.test/cb"}}},
		Accounts: accounts,
		People: []world.Person{
			{Platform: world.Snapchat, ID: "boss", Name: "Boss", Email: "boss@edu.test", Organisation: org, OrganisationRole: "admin"},
			{Platform: world.Snapchat, ID: "staff", Name: "Staff", Email: "staff@edu.test", Organisation: org, OrganisationRole: "member"},
			{Platform: world.Snapchat, ID: "guest", Organisation: org, Pending: true, OrganisationRole: "admin"},
			{Platform: world.Snapchat, ID: "stranger", Organisation: "other", OrganisationRole: "admin"},
		},
	}
}

func newSim(t testing.TB, opts snapchat.Options, accounts ...world.Account) sim {
	t.Helper()
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	handler := snapchat.New(w, opts)
	if err := w.Load(fleet(accounts...)); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return sim{t, w, clk, s.URL}
}

func id(n int) string { return fmt.Sprintf("76da494b-76bc-4bbb-bb27-%012d", n) }

func account(n int, state world.State) world.Account {
	return world.Account{
		Platform: world.Snapchat, ID: id(n), Handle: fmt.Sprintf("edu%d", n), DisplayName: fmt.Sprintf("Edu %d", n), Bio: "bio", Owner: org,
		Website: "https://edu.test", Image: "emblem", Verified: true, Followers: 12345, State: state,
	}
}

func some() []world.Account {
	return []world.Account{
		account(1, world.Active), account(2, world.Suspended), account(3, world.Deactivated), account(4, world.Deleted), account(5, world.Active),
	}
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (s sim) do(method, path, bearer string, form url.Values) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
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
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(data, &r.body); err != nil {
			s.t.Fatalf("%s: %v: %s", path, err, data)
		}
	}
	return r
}

func (s sim) get(bearer, path string) reply { s.t.Helper(); return s.do("GET", path, bearer, nil) }

func (r reply) at(path string) any {
	var v any = r.body
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			n := 0
			if _, err := fmt.Sscan(part, &n); err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}

func (r reply) count(name string) int {
	list, _ := r.body[name].([]any)
	return len(list)
}

func (s sim) mint(person string, scopes ...string) string {
	s.t.Helper()
	value, _, err := s.world.Mint(world.Mint{Platform: world.Snapchat, Client: "c", Person: person, Scopes: scopes, LifeSeconds: 3600})
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

const orgProfiles = "/v1/organizations/" + org + "/public_profiles"

func TestAnOrganisationsProfilesArePaged(t *testing.T) {
	var accounts []world.Account
	for n := range 25 {
		accounts = append(accounts, account(n, world.Active))
	}
	s := newSim(t, snapchat.Options{}, append(accounts, account(90, world.Suspended))...)
	boss := s.mint("boss", profile)
	var pages []int
	seen := map[string]bool{}
	path := orgProfiles
	for range 5 {
		r := s.get(boss, path)
		pages = append(pages, r.count("public_profiles"))
		for i := range r.count("public_profiles") {
			got, _ := r.at(fmt.Sprintf("public_profiles.%d.public_profile.id", i)).(string)
			seen[got] = true
		}
		link, more := r.at("paging.next_link").(string)
		if !more {
			break
		}
		if cursor := fmt.Sprint(r.at("paging.next_page_id")); !strings.Contains(link, "cursor="+url.QueryEscape(cursor)) {
			t.Errorf("link %q without %q", link, cursor)
		}
		path = strings.TrimPrefix(link, s.url)
	}
	if fmt.Sprint(pages) != "[10 10 5]" || len(seen) != 25 {
		t.Errorf("pages %v, %d ids", pages, len(seen))
	}
	r := s.get(boss, orgProfiles+"?limit=100")
	for at, want := range map[string]any{
		"request_status": "SUCCESS", "public_profiles.0.sub_request_status": "SUCCESS", "public_profiles.0.public_profile.id": id(0),
		"public_profiles.0.public_profile.organization_id": org, "public_profiles.0.public_profile.snap_user_name": "edu0",
		"public_profiles.0.public_profile.profile_tier": "TIER_PUBLIC_OFFICIAL", "public_profiles.0.public_profile.subscriber_count": "12345",
		"public_profiles.0.public_profile.description": "bio", "public_profiles.0.public_profile.share_authorized_data_with_api_partners": false,
		"paging": nil,
	} {
		if got := r.at(at); got != want {
			t.Errorf("%s = %v, want %v", at, got, want)
		}
	}
	logo, _ := r.at("public_profiles.0.public_profile.logo_urls.original_logo_url").(string)
	if got := s.get("", strings.TrimPrefix(logo, s.url)); got.status != 200 || got.header.Get("Content-Type") != "image/png" {
		t.Errorf("logo %q: %d", logo, got.status)
	}
}

func TestPageLimits(t *testing.T) {
	for _, c := range []struct {
		opts   snapchat.Options
		query  string
		status int
		count  int
	}{
		{snapchat.Options{MaxLimit: 1}, "?limit=2", 400, 0}, {snapchat.Options{MaxLimit: 1, CapLimit: true}, "?limit=2", 200, 1},
		{snapchat.Options{}, "?limit=1000", 200, 2}, {snapchat.Options{}, "?limit=1001", 400, 0}, {snapchat.Options{}, "?limit=0", 400, 0},
		{snapchat.Options{}, "?limit=x", 400, 0}, {snapchat.Options{}, "?cursor=!!", 400, 0},
	} {
		s := newSim(t, c.opts, some()...)
		r := s.get(s.mint("boss", profile), orgProfiles+c.query)
		if r.status != c.status || r.count("public_profiles") != c.count || c.status == 400 && r.at("request_status") != "ERROR" {
			t.Errorf("%+v: %d %s", c, r.status, r.raw)
		}
	}
}

func TestWhoSeesWhat(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	if err := s.world.PutRole(world.Role{Platform: world.Snapchat, Account: id(5), Person: "staff"}); err != nil {
		t.Fatal(err)
	}
	for person, want := range map[string]struct{ list, one, other, public int }{
		"boss": {200, 200, 200, 200}, "staff": {200, 403, 200, 200}, "guest": {403, 403, 403, 200}, "stranger": {403, 403, 403, 200},
	} {
		token := s.mint(person, profile)
		list, one := s.get(token, orgProfiles), s.get(token, "/v1/public_profiles/"+id(1))
		other, public := s.get(token, "/v1/public_profiles/"+id(5)), s.get(token, "/public/v1/public_profiles/"+id(1))
		if list.status != want.list || one.status != want.one || other.status != want.other || public.status != want.public {
			t.Errorf("%s: %d %d %d %d", person, list.status, one.status, other.status, public.status)
		}
		if public.at("public_profiles.0.public_profile.share_authorized_data_with_api_partners") != nil {
			t.Errorf("%s: public read shows %s", person, public.raw)
		}
	}
	if r := s.get(s.mint("staff", profile), orgProfiles); r.count("public_profiles") != 1 {
		t.Errorf("a member's list: %s", r.raw)
	}
	if r := s.get(s.mint("staff", profile), "/v1/public_profiles/my_profile"); r.at("public_profile.id") != id(5) {
		t.Errorf("my_profile: %s", r.raw)
	}
	if r := s.get(s.mint("boss", market), orgProfiles); r.status != 403 || !strings.Contains(r.raw, "AUTHORIZATION_PERMISSION_DENIED") {
		t.Errorf("scope: %d %s", r.status, r.raw)
	}
}

func TestMissingAndSuspendedLookAlike(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	token := s.mint("boss", profile)
	for _, n := range []int{2, 3, 4, 9} {
		for _, path := range []string{"/public/v1/public_profiles/", "/v1/public_profiles/"} {
			if r := s.get(token, path+id(n)); r.status != 404 || r.at("request_status") != "ERROR" {
				t.Errorf("%s%d: %d %s", path, n, r.status, r.raw)
			}
		}
	}
	s = newSim(t, snapchat.Options{Missing200: true, ListMissing: true, LowerCaseStatus: true, NumericCounts: true}, some()...)
	token = s.mint("boss", profile)
	r := s.get(token, "/public/v1/public_profiles/"+id(2))
	if r.status != 200 || r.at("request_status") != "error" || r.at("public_profiles.0.sub_request_status") != "error" || r.at("public_profiles.0.sub_request_error_reason") == nil || r.at("public_profiles.0.public_profile") != nil {
		t.Errorf("200: %d %s", r.status, r.raw)
	}
	r = s.get(token, orgProfiles)
	if r.count("public_profiles") != 5 || r.at("request_status") != "partial" || r.at("public_profiles.1.sub_request_status") != "error" || r.at("public_profiles.0.public_profile.subscriber_count") != 12345.0 {
		t.Errorf("list: %s", r.raw)
	}
}

func TestTokenRefusals(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	token := s.mint("boss", profile)
	for _, bearer := range []string{"", "nope"} {
		if r := s.get(bearer, orgProfiles); r.status != 401 || !strings.Contains(r.header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%q: %d %v", bearer, r.status, r.header)
		}
	}
	s.clock.Step(time.Hour)
	if r := s.get(token, orgProfiles); r.status != 401 || r.header.Get("WWW-Authenticate") != `Bearer error="invalid_token", error_description="The access token expired"` {
		t.Errorf("expired: %d %v", r.status, r.header)
	}
}

func TestClientsThatAreNotAdmitted(t *testing.T) {
	for withBody, want := range map[bool]string{false: "", true: "AUTHORIZATION_PERMISSION_DENIED"} {
		s := newSim(t, snapchat.Options{Forbidden403Body: withBody}, some()...)
		token := s.mint("boss", profile)
		if err := s.world.PutApp(world.App{Platform: world.Snapchat, APIKey: "c", APISecret: "s", Denied: true}); err != nil {
			t.Fatal(err)
		}
		if r := s.get(token, orgProfiles); r.status != 403 || (want == "") != (r.raw == "") || !strings.Contains(r.raw, want) {
			t.Errorf("%v: %d %q", withBody, r.status, r.raw)
		}
	}
}

func TestRates(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	one, two, three := s.mint("boss", profile), s.mint("boss", profile), s.mint("boss", profile)
	spend := func(token string, n int) (granted int) {
		for range n {
			if r := s.get(token, "/public/v1/public_profiles/"+id(1)); r.status == 200 {
				granted++
			} else if r.status != 429 || r.raw != "" || r.header.Get("Retry-After") != "" {
				t.Fatalf("%d %q %v", r.status, r.raw, r.header)
			}
		}
		return granted
	}
	if got := spend(one, 12); got != 10 {
		t.Errorf("one token: %d", got)
	}
	if got := spend(two, 10); got != 10 {
		t.Errorf("another: %d", got)
	}
	if got := spend(three, 1); got != 0 {
		t.Errorf("over the app's rate: %d", got)
	}
	s.clock.Step(500 * time.Millisecond)
	if got := spend(one, 9); got != 5 {
		t.Errorf("half a second later: %d", got)
	}
	l := s.world.Ledger()
	if got := l.BudgetExceeded(world.Snapchat); got != 2+1+4 {
		t.Errorf("exceeded %d", got)
	}
	if got := l.BudgetUnits(world.Snapchat, snapchat.BucketApp); got != 25 {
		t.Errorf("units %d", got)
	}
}

func TestSearchDefaultsHideImpostors(t *testing.T) {
	impostor := account(7, world.Active)
	impostor.Verified, impostor.Owner, impostor.Handle = false, "", "edu_1"
	business := account(8, world.Active)
	business.Verified, business.VerifiedType = false, "business"
	s := newSim(t, snapchat.Options{}, append(some(), impostor, business)...)
	token := s.mint("boss", profile)
	search := "/public/v1/public_profiles/search?query=EDU"
	for query, want := range map[string]int{
		"": 2, "&tier=TIER_PUBLIC": 3, "&tier=TIER_PUBLIC&includeStandard=true": 4, "&category=CATEGORY_PERSON": 0, "&limit=1": 1,
	} {
		if r := s.get(token, search+query); r.status != 200 || r.count("public_profiles") != want {
			t.Errorf("%s: %d %d", query, r.status, r.count("public_profiles"))
		}
	}
	for _, bad := range []string{"&tier=GOLD", "&category=X", "&includeStandard=maybe"} {
		if r := s.get(token, search+bad); r.status != 400 {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
	if r := s.get(token, "/public/v1/public_profiles/search"); r.status != 400 {
		t.Errorf("no query: %d", r.status)
	}
}

func TestSpotlights(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	for i := range 5 {
		s.clock.Step(time.Minute)
		p := world.Post{Platform: world.Snapchat, Account: id(1), ID: fmt.Sprintf("sp%d", i), Action: world.Publish, Text: "hello", Image: "emblem"}
		if i == 2 {
			p.Kind = "story"
		}
		if err := s.world.PutPost(p); err != nil {
			t.Fatal(err)
		}
	}
	token := s.mint("boss", profile)
	list := "/v1/public_profiles/" + id(1) + "/spotlights"
	r := s.get(token, list+"?limit=3")
	next, _ := r.at("paging.next_page_id").(string)
	if r.count("spotlights") != 3 || r.at("spotlights.0.spotlight.id") != "sp4" || r.at("spotlights.2.spotlight.id") != "sp1" || next == "" {
		t.Errorf("%s", r.raw)
	}
	if r := s.get(token, list+"?limit=3&cursor="+next); r.count("spotlights") != 1 || r.at("spotlights.0.spotlight.id") != "sp0" || r.at("paging") != nil {
		t.Errorf("second page: %s", r.raw)
	}
	if r := s.get(token, list+"/sp4"); r.at("spotlights.0.spotlight.caption") != "hello" || r.at("spotlights.0.spotlight.profile_id") != id(1) {
		t.Errorf("single: %s", r.raw)
	}
	for path, want := range map[string]int{list + "/sp2": 404, list + "/nope": 404, "/v1/public_profiles/" + id(2) + "/spotlights": 404} {
		if r := s.get(token, path); r.status != want {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := s.get(s.mint("stranger", profile), list); r.status != 403 {
		t.Errorf("stranger: %d", r.status)
	}
}

func TestChangeLogsNameWhoChanged(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	token := s.mint("boss", profile)
	s.clock.Step(time.Minute)
	since := s.clock.Now().UTC().Format(time.RFC3339)
	logs := "/public/v1/public_profiles/change_logs?start_at_timestamp=" + since
	if r := s.get(token, logs); r.status != 200 || r.count("change_logs") != 0 {
		t.Errorf("nothing changed: %s", r.raw)
	}
	for n, change := range map[int]func(*world.Account) error{
		1: func(a *world.Account) error { a.Bio = "new"; return nil },
		5: func(a *world.Account) error { a.State = world.Deleted; return nil },
	} {
		if _, err := s.world.Update(world.Snapchat, id(n), change); err != nil {
			t.Fatal(err)
		}
	}
	r := s.get(token, logs)
	file, _ := r.at("change_logs.0.change_log.url").(string)
	at := s.clock.Now().UTC().Format(time.RFC3339)
	want := "profile_id,change_type,changed_at\n" + id(1) + ",modified," + at + "\n" + id(5) + ",deleted," + at + "\n"
	if got := s.get("", strings.TrimPrefix(file, s.url)); got.status != 200 || got.raw != want {
		t.Errorf("file: %d %q", got.status, got.raw)
	}
	if got := s.get("", strings.TrimPrefix(file, s.url)+"0"); got.status != 403 {
		t.Errorf("bad signature: %d", got.status)
	}
	if r := s.get(token, "/public/v1/public_profiles/change_logs?start_at_timestamp=yesterday"); r.status != 400 {
		t.Errorf("bad time: %d", r.status)
	}
}

func TestLies(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	token := s.mint("boss", profile)
	lie := func(kind world.FaultKind) (list, one reply) {
		if err := s.world.SetFaults(world.Snapchat, world.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		return s.get(token, orgProfiles), s.get(token, "/public/v1/public_profiles/"+id(1))
	}
	if list, one := lie(world.FaultShuffleForeign); list.at("public_profiles.0.public_profile.id") == id(1) || one.at("public_profiles.0.public_profile.id") == id(1) || one.status != 200 {
		t.Errorf("shuffle: %s %s", list.raw, one.raw)
	}
	if list, _ := lie(world.FaultExtraForeign); list.count("public_profiles") != 3 {
		t.Errorf("extra: %s", list.raw)
	}
	if list, one := lie(world.FaultAllNotFound); list.at("public_profiles.0.sub_request_status") != "ERROR" || list.at("request_status") != "PARTIAL" || one.status != 404 {
		t.Errorf("all: %s %s", list.raw, one.raw)
	}
	if err := s.world.SetFaults(world.Snapchat, world.Fault{Kind: world.FaultItemErrors, Items: 2}); err != nil {
		t.Fatal(err)
	}
	if r := s.get(token, orgProfiles); r.at("public_profiles.0.sub_request_status") != "SUCCESS" || r.at("public_profiles.1.sub_request_status") != "ERROR" || r.at("request_status") != "PARTIAL" {
		t.Errorf("items: %s", r.raw)
	}
	if list, _ := lie(world.FaultThrottle); list.status != 429 || list.raw != "" {
		t.Errorf("throttle: %d %q", list.status, list.raw)
	}
	if list, _ := lie(world.FaultStatus); list.status != 503 || list.at("request_status") != "ERROR" {
		t.Errorf("status: %d %q", list.status, list.raw)
	}
}

// BenchmarkListOf26520Profiles is what a sweep of 266 pages adds to a simulated day.
func BenchmarkListOf26520Profiles(b *testing.B) {
	accounts := make([]world.Account, 26_520)
	for n := range accounts {
		accounts[n] = account(n, world.Active)
	}
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	handler := snapchat.New(w, snapchat.Options{})
	if err := w.Load(fleet(accounts...)); err != nil {
		b.Fatal(err)
	}
	token, _, err := w.Mint(world.Mint{Platform: world.Snapchat, Client: "c", Person: "boss", Scopes: []string{profile}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		pages := 0
		for next := orgProfiles + "?limit=100"; next != ""; pages++ {
			clk.Step(time.Second)
			req := httptest.NewRequest(http.MethodGet, next, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			out := httptest.NewRecorder()
			handler.ServeHTTP(out, req)
			var body struct {
				Paging struct {
					Next string `json:"next_page_id"`
				} `json:"paging"`
			}
			head := out.Body.Bytes()
			if err := json.Unmarshal(append(head[:strings.Index(string(head[:min(len(head), 600)]), `,"public_profiles"`)], '}'), &body); err != nil {
				b.Fatal(err)
			}
			if next = ""; body.Paging.Next != "" {
				next = orgProfiles + "?limit=100&cursor=" + body.Paging.Next
			}
		}
		if pages != 266 {
			b.Fatal(pages)
		}
	}
}
