package youtube_test

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

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

// start is 04:00 in California.
var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sim has project "p" with key "k", and channels in each state.
type sim struct {
	t     testing.TB
	world *world.World
	clock *clocktesting.FakeClock
	url   string
}

func newSim(t testing.TB, opts youtube.Options, accounts ...world.Account) sim {
	t.Helper()
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	handler := youtube.New(w, opts)
	err := w.Load(world.Fleet{
		Apps:     []world.App{{Platform: world.YouTube, APIKey: "p", APISecret: "s", AppToken: "k", Name: "Mithaq", RedirectURIs: []string{"https://op.test/cb"}}},
		Accounts: accounts,
		People: []world.Person{
			{Platform: world.YouTube, ID: "1001", Name: "Aisha", Email: "aisha@edu.test", Organisation: "edu.test"},
			{Platform: world.YouTube, ID: "1002", Name: "Badr", Email: "badr@edu.test", Organisation: "edu.test", OrganisationRole: "admin"},
			{Platform: world.YouTube, ID: "1003", Name: "Carl", Email: "carl@other.test", Organisation: "other.test"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return sim{t, w, clk, s.URL}
}

func id(n int) string { return fmt.Sprintf("UC%022d", n) }

func channel(n int, state world.State) world.Account {
	return world.Account{
		Platform: world.YouTube, ID: id(n), Handle: fmt.Sprintf("edu%d", n), DisplayName: fmt.Sprintf("Edu %d", n), State: state,
		Bio: "bio", Image: "emblem", Banner: "banner", Followers: 2_364_567, Posts: 5800, CreatedAt: start.AddDate(-1, 0, 0),
	}
}

func some() []world.Account {
	return []world.Account{
		channel(1, world.Active), channel(2, world.Suspended), channel(3, world.Deactivated), channel(4, world.Deleted), channel(5, world.Active),
	}
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (s sim) do(method, path, bearer, contentType, body string, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
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
	if len(data) > 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(data, &r.body); err != nil {
			s.t.Fatalf("%s: %v: %s", path, err, data)
		}
	}
	return r
}

func (s sim) get(path string) reply { s.t.Helper(); return s.do("GET", path, "", "", "") }

func (s sim) as(bearer, path string) reply { s.t.Helper(); return s.do("GET", path, bearer, "", "") }

func (s sim) form(path string, form url.Values) reply {
	s.t.Helper()
	return s.do("POST", path, "", "application/x-www-form-urlencoded", form.Encode())
}

// at reads a value by a path such as "items.0.id"; nil if it is absent.
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

func (r reply) reason() any { return r.at("error.errors.0.reason") }

func (r reply) items() []any {
	list, _ := r.body["items"].([]any)
	return list
}

// mint makes an access token for a person and channel.
func (s sim) mint(person, account string, scopes ...string) string {
	s.t.Helper()
	value, _, err := s.world.Mint(world.Mint{Platform: world.YouTube, Client: "p", Person: person, Account: account, Scopes: scopes, LifeSeconds: 3600})
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

const (
	base     = "https://www.googleapis.com/auth/"
	readonly = base + "youtube.readonly"
	allParts = "part=id,snippet,brandingSettings,statistics,status,contentDetails"
)

// client is a query as google.golang.org/api/youtube/v3 writes it.
func client(ids ...string) string {
	return "/youtube/v3/channels?" + url.Values{
		"alt": {"json"}, "prettyPrint": {"false"}, "key": {"k"}, "maxResults": {"50"}, "id": ids,
		"part": {"id", "snippet", "brandingSettings", "statistics", "status", "contentDetails"},
	}.Encode()
}

func TestAChannelIsShownAsDocumented(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	r := s.get(client(id(1)))
	for path, want := range map[string]any{
		"kind": "youtube#channelListResponse", "pageInfo.totalResults": 1.0, "pageInfo.resultsPerPage": 50.0,
		"items.0.kind": "youtube#channel", "items.0.id": id(1), "items.0.snippet.title": "Edu 1", "items.0.snippet.description": "bio",
		"items.0.snippet.customUrl": "@edu1", "items.0.snippet.publishedAt": "2025-11-23T12:00:00Z",
		"items.0.snippet.thumbnails.medium.width": 240.0, "items.0.contentDetails.relatedPlaylists.uploads": "UU" + id(1)[2:],
		"items.0.contentDetails.relatedPlaylists.likes": "", "items.0.statistics.subscriberCount": "2360000",
		"items.0.statistics.videoCount": "5800", "items.0.statistics.hiddenSubscriberCount": false,
		"items.0.status.privacyStatus": "public", "items.0.brandingSettings.channel.title": "Edu 1",
	} {
		if got := r.at(path); r.status != 200 || got != want {
			t.Errorf("%s = %v, want %v (%d)", path, got, want, r.status)
		}
	}
	for _, path := range []string{"items.0.snippet.thumbnails.high.url", "items.0.brandingSettings.image.bannerExternalUrl"} {
		picture, _ := r.at(path).(string)
		if got := s.get(strings.TrimPrefix(picture, s.url)); got.status != 200 || got.header.Get("Content-Type") != "image/png" {
			t.Errorf("%s: %q answers %d", path, picture, got.status)
		}
	}
	if r := s.get("/youtube/v3/channels?key=k&part=id&id=" + id(1)); r.at("items.0.snippet") != nil || r.at("items.0.id") != id(1) {
		t.Errorf("parts not asked for are there: %s", r.raw)
	}
}

func TestWhoIsGoneIsJustAbsent(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	if r := s.get(client(id(1), id(2), id(3), id(4), id(9), id(5))); r.status != 200 || len(r.items()) != 2 {
		t.Errorf("%d %s", r.status, r.raw)
	}
	r := s.get(client(id(2), id(9)))
	if _, has := r.body["items"]; r.status != 200 || has {
		t.Errorf("the key items is there: %s", r.raw)
	}
	if r := s.get(client(id(1), id(5))); r.at("items.0.id") != id(5) {
		t.Errorf("answers come in the order asked: %s", r.raw)
	}
}

func TestIDs(t *testing.T) {
	ids := make([]string, 51)
	for i := range ids {
		ids[i] = id(i)
	}
	s := newSim(t, youtube.Options{}, some()...)
	if r := s.get(client(ids...)); r.status != 400 || r.reason() != "invalidFilters" {
		t.Errorf("51 ids: %d %v", r.status, r.reason())
	}
	if r := s.get(client(strings.Join(ids[:50], ","))); r.status != 200 || len(r.items()) != 2 {
		t.Errorf("50 ids with commas: %d %s", r.status, r.raw)
	}
	s = newSim(t, youtube.Options{TruncateIDs: true}, some()...)
	if r := s.get(client(ids...)); r.status != 200 || len(r.items()) != 2 {
		t.Errorf("truncating: %d %s", r.status, r.raw)
	}
	if r := s.get("/youtube/v3/channels?key=k&part=id&maxResults=1&id=" + id(1) + "," + id(5)); len(r.items()) != 1 || r.at("nextPageToken") == nil {
		t.Errorf("maxResults is ignored: %s", r.raw)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	list := "/youtube/v3/channels?key=k&part=id&id=" + id(1)
	for query, want := range map[string]struct {
		status int
		reason string
	}{
		list + "&ids=1":                                            {400, "unexpectedParameter"},
		list + "&part=id,secrets":                                  {400, "unknownPart"},
		list + "&mine=maybe":                                       {400, "badRequest"},
		list + "&maxResults=51":                                    {400, "badRequest"},
		list + "&maxResults=5&maxResults=6":                        {400, "badRequest"},
		list + "&alt=media":                                        {400, "badRequest"},
		list + "&fields=items(id":                                  {400, "invalidParameter"},
		list + "&forHandle=edu1":                                   {400, "incompatibleParameters"},
		list + "&pageToken=xyz":                                    {400, "invalidPageToken"},
		"/youtube/v3/channels?key=k&id=" + id(1):                   {400, "missingRequiredParameter"},
		"/youtube/v3/channels?key=k&part=id":                       {400, "missingRequiredParameter"},
		"/youtube/v3/channels?key=k&part=id&mine=true":             {401, "authorizationRequired"},
		"/youtube/v3/channels?key=k&part=auditDetails&id=" + id(1): {403, "insufficientPermissions"},
		"/youtube/v3/channels?part=id&id=" + id(1):                 {403, "forbidden"},
		"/youtube/v3/channels?key=nope&part=id&id=" + id(1):        {400, "badRequest"},
		"/youtube/v3/channels?access_token=no&part=id&id=" + id(1): {401, "authError"},
		"/youtube/v3/nothing":                                      {404, "notFound"},
	} {
		if r := s.get(query); r.status != want.status || r.reason() != want.reason || r.at("error.code") != float64(want.status) || r.at("error.status") == "" {
			t.Errorf("%s: %d %v, want %v", query, r.status, r.reason(), want)
		}
	}
	if r := s.get("/youtube/v3/channels?key=nope&part=id&id=" + id(1)); r.at("error.details.0.reason") != "API_KEY_INVALID" {
		t.Errorf("bad key: %s", r.raw)
	}
	if err := s.world.PutApp(world.App{Platform: world.YouTube, APIKey: "p", APISecret: "s", AppToken: "k", Denied: true}); err != nil {
		t.Fatal(err)
	}
	if r := s.get(list); r.status != 403 || r.reason() != "accessNotConfigured" {
		t.Errorf("API off: %d %v", r.status, r.reason())
	}
}

func TestHandles(t *testing.T) {
	s := newSim(t, youtube.Options{LowerCaseHandles: true}, world.Account{Platform: world.YouTube, ID: id(1), Handle: "EduRiyadh"})
	for _, handle := range []string{"@eduriyadh", "EduRiyadh"} {
		if r := s.get("/youtube/v3/channels?key=k&part=snippet&forHandle=" + handle); r.at("items.0.id") != id(1) || r.at("items.0.snippet.customUrl") != "@eduriyadh" {
			t.Errorf("%s: %s", handle, r.raw)
		}
	}
	if r := s.get("/youtube/v3/channels?key=k&part=snippet&forHandle=nobody"); r.status != 200 || r.body["items"] != nil {
		t.Errorf("nobody: %d %s", r.status, r.raw)
	}
}

func TestOnlyTheOwnTokenTellsASuspension(t *testing.T) {
	s := newSim(t, youtube.Options{}, some()...)
	mine := "/youtube/v3/channels?part=id,contentDetails&mine=true"
	if r := s.as(s.mint("1001", id(1), readonly), mine); r.at("items.0.id") != id(1) || r.at("items.0.contentDetails.relatedPlaylists.likes") != "LL"+id(1)[2:] {
		t.Errorf("active: %s", r.raw)
	}
	for _, c := range []struct {
		account, reason string
		status          int
	}{
		{id(2), "authenticatedUserAccountSuspended", 403}, {id(3), "authenticatedUserAccountClosed", 403},
		{id(4), "authenticatedUserAccountClosed", 403}, {"", "youtubeSignupRequired", 401},
	} {
		if r := s.as(s.mint("1001", c.account, readonly), mine); r.status != c.status || r.reason() != c.reason {
			t.Errorf("%s: %d %v", c.account, r.status, r.reason())
		}
	}
	if r := s.as(s.mint("1001", id(1), "openid"), mine); r.status != 403 || r.reason() != "insufficientPermissions" {
		t.Errorf("without scope: %d %v", r.status, r.reason())
	}
}

func TestUnitsEndAtMidnightInCalifornia(t *testing.T) {
	s := newSim(t, youtube.Options{DailyUnits: 3, DailySearches: 1}, some()...)
	s.get(client(id(1)))
	s.get("/youtube/v3/channels?key=k&oops=1") // an invalid request costs as much
	s.get(client(id(1)))
	if r := s.get(client(id(1))); r.status != 403 || r.reason() != "quotaExceeded" || r.at("error.errors.0.domain") != "youtube.quota" {
		t.Errorf("fourth: %d %v", r.status, r.reason())
	}
	for name := range s.get(client(id(1))).header {
		if strings.Contains(strings.ToLower(name), "quota") || strings.Contains(strings.ToLower(name), "rate") || name == "Retry-After" {
			t.Errorf("header %s tells", name)
		}
	}
	search := "/youtube/v3/search?key=k&part=snippet&type=channel&q=edu"
	if r := s.get(search); r.status != 200 {
		t.Errorf("a search has its own bucket: %d", r.status)
	}
	if r := s.get(search); r.reason() != "quotaExceeded" {
		t.Errorf("second search: %v", r.reason())
	}
	s.clock.Step(20*time.Hour - time.Second) // 23:59:59 in California
	if r := s.get(client(id(1))); r.status != 403 {
		t.Errorf("before midnight: %d", r.status)
	}
	s.clock.Step(time.Second)
	if r := s.get(client(id(1))); r.status != 200 {
		t.Errorf("after midnight: %d", r.status)
	}
	l := s.world.Ledger()
	if units, over := l.BudgetUnits(world.YouTube, youtube.BucketUnits), l.BudgetExceeded(world.YouTube); units != 4 || over != 4 {
		t.Errorf("units %d, exceeded %d", units, over)
	}
	days := map[string]int64{}
	for _, b := range l.Budgets {
		if b.Bucket == youtube.BucketUnits {
			days[b.Day] = b.Units
		}
	}
	if days["2026-11-23"] != 3 || days["2026-11-24"] != 1 {
		t.Errorf("days %v", days)
	}
}

func TestRequestsPerMinute(t *testing.T) {
	s := newSim(t, youtube.Options{PerMinute: 2, PerUserMinute: 1}, some()...)
	token := s.mint("1001", id(1), readonly)
	s.as(token, "/youtube/v3/channels?part=id&mine=true")
	if r := s.as(token, "/youtube/v3/channels?part=id&mine=true"); r.status != 403 || r.reason() != "userRateLimitExceeded" {
		t.Errorf("user: %d %v", r.status, r.reason())
	}
	if r := s.get(client(id(1))); r.status != 403 || r.reason() != "rateLimitExceeded" {
		t.Errorf("project: %d %v", r.status, r.reason())
	}
	s.clock.Step(time.Minute)
	if r := s.get(client(id(1))); r.status != 200 {
		t.Errorf("a minute later: %d", r.status)
	}
	s = newSim(t, youtube.Options{PerMinute: 1, Throttle429: true}, some()...)
	s.get(client(id(1)))
	if r := s.get(client(id(1))); r.status != 429 || r.at("error.status") != "RESOURCE_EXHAUSTED" {
		t.Errorf("429: %d %s", r.status, r.raw)
	}
}

func TestNotModified(t *testing.T) {
	for free, want := range map[bool]int64{false: 2, true: 1} {
		s := newSim(t, youtube.Options{FreeNotModified: free}, some()...)
		tag := s.get(client(id(1))).header.Get("ETag")
		if r := s.do("GET", client(id(1)), "", "", "", "If-None-Match", tag); r.status != 304 || r.raw != "" {
			t.Errorf("%d %q", r.status, r.raw)
		}
		if got := s.world.Ledger().BudgetUnits(world.YouTube, youtube.BucketUnits); got != want {
			t.Errorf("free %v: %d units", free, got)
		}
		if _, err := s.world.Update(world.YouTube, id(1), func(a *world.Account) error { a.Bio = "new"; return nil }); err != nil {
			t.Fatal(err)
		}
		if r := s.do("GET", client(id(1)), "", "", "", "If-None-Match", tag); r.status != 200 {
			t.Errorf("changed: %d", r.status)
		}
	}
}

func TestLies(t *testing.T) {
	lie := func(s sim, kind world.FaultKind) {
		if err := s.world.SetFaults(world.YouTube, world.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	s := newSim(t, youtube.Options{}, some()...)
	lie(s, world.FaultShuffleForeign)
	if r := s.get(client(id(1))); len(r.items()) != 1 || r.at("items.0.id") == id(1) {
		t.Errorf("shuffle: %s", r.raw)
	}
	lie(s, world.FaultExtraForeign)
	if r := s.get(client(id(1))); len(r.items()) != 2 {
		t.Errorf("extra: %s", r.raw)
	}
	lie(s, world.FaultAllSuspended)
	if r := s.get(client(id(1))); r.status != 200 || r.body["items"] != nil {
		t.Errorf("all: %s", r.raw)
	}
	if r := s.as(s.mint("1001", id(1), readonly), "/youtube/v3/channels?part=id&mine=true"); r.reason() != "authenticatedUserAccountSuspended" {
		t.Errorf("own: %v", r.reason())
	}
	lie(s, world.FaultThrottle)
	if r := s.get(client(id(1))); r.status != 429 || r.reason() != "rateLimitExceeded" || r.header.Get("Retry-After") != "" {
		t.Errorf("throttle: %d %s", r.status, r.raw)
	}
	if err := s.world.SetFaults(world.YouTube, world.Fault{Kind: world.FaultStatus, Status: 503}); err != nil {
		t.Fatal(err)
	}
	if r := s.get(client(id(1))); r.status != 503 || r.reason() != "backendError" {
		t.Errorf("status: %d %v", r.status, r.reason())
	}
}

// BenchmarkSweepOf26520Channels is what a sweep of 531 requests adds to a simulated day.
func BenchmarkSweepOf26520Channels(b *testing.B) {
	accounts := make([]world.Account, 26_520)
	for i := range accounts {
		accounts[i] = channel(i, world.Active)
	}
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	handler := youtube.New(w, youtube.Options{DailyUnits: 1 << 30})
	if err := w.Load(world.Fleet{Apps: []world.App{{Platform: world.YouTube, APIKey: "p", APISecret: "s", AppToken: "k"}}, Accounts: accounts}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for from := 0; from < len(accounts); from += 50 {
			ids := make([]string, 0, 50)
			for _, a := range accounts[from:min(from+50, len(accounts))] {
				ids = append(ids, a.ID)
			}
			out := httptest.NewRecorder()
			handler.ServeHTTP(out, httptest.NewRequest(http.MethodGet, client(ids...), nil))
			if out.Code != 200 {
				b.Fatal(out.Code)
			}
		}
	}
}
