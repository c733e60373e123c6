package x_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

func (r reply) wantQuota(t *testing.T, limit, remaining int, reset time.Time) {
	t.Helper()
	want := [3]string{fmt.Sprint(limit), fmt.Sprint(remaining), fmt.Sprint(reset.Unix())}
	got := [3]string{r.header.Get("x-rate-limit-limit"), r.header.Get("x-rate-limit-remaining"), r.header.Get("x-rate-limit-reset")}
	if got != want {
		t.Errorf("limit, remaining, reset are %v, want %v", got, want)
	}
	if r.header.Get("Retry-After") != "" {
		t.Error("X sends no Retry-After")
	}
}

const throttled = `{"errors":[{"code":88,"message":"Rate limit exceeded"}]}`

func TestDocumentedLimitOf300Per15Minutes(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	for i := range 300 {
		r := s.get(t, "/2/users?ids=1")
		r.wantQuota(t, 300, 299-i, start.Add(15*time.Minute))
		if r.status != 200 {
			t.Fatalf("request %d: %d", i, r.status)
		}
	}
	r := s.get(t, "/2/users?ids=1")
	r.want(t, 429, throttled)
	r.wantQuota(t, 300, 0, start.Add(15*time.Minute))
	s.clock.Step(15*time.Minute - time.Second)
	s.get(t, "/2/users?ids=1").want(t, 429, throttled)
	s.clock.Step(time.Second)
	r = s.get(t, "/2/users?ids=1")
	if r.status != 200 {
		t.Errorf("at the reset: %d", r.status)
	}
	r.wantQuota(t, 300, 299, start.Add(30*time.Minute))
}

func TestWindowsAreApart(t *testing.T) {
	s := newSim(t, x.Options{Limit: 1, Limits: map[string]int{x.EndpointUsersBy: 2}, Window: time.Minute}, some()...)
	if err := s.world.PutApp(world.App{Platform: world.X, APIKey: "k2", APISecret: "s", AppToken: "b2"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, bearer string
		status             int
	}{
		{"first", "/2/users?ids=1", "b", 200},
		{"second", "/2/users?ids=1", "b", 429},
		{"other app", "/2/users?ids=1", "b2", 200},
		{"other endpoint", "/2/users/1", "b", 200},
		{"same endpoint, other id", "/2/users/2", "b", 429},
		{"by username", "/2/users/by/username/a", "b", 200},
		{"own limit", "/2/users/by?usernames=a", "b", 200},
		{"own limit again", "/2/users/by?usernames=a", "b", 200},
		{"own limit used up", "/2/users/by?usernames=a", "b", 429},
	} {
		if r := s.getAs(t, c.path, "Bearer "+c.bearer); r.status != c.status {
			t.Errorf("%s: %d, want %d", c.name, r.status, c.status)
		}
	}
	if err := s.world.RevokeToken(world.X, "k y", "b3"); err != nil {
		t.Fatal(err)
	}
	if r := s.getAs(t, "/2/users?ids=1", "Bearer b3"); r.status != 429 {
		t.Errorf("a new bearer bought a new window: %d", r.status)
	}
}

func TestInvalidRequestsCountAndUnauthorizedOnesDoNot(t *testing.T) {
	s := newSim(t, x.Options{Limit: 2}, some()...)
	s.getAs(t, "/2/users?ids=1", "Bearer zzz").wantQuota(t, 2, 2, start.Add(15*time.Minute))
	s.get(t, "/2/users?ids=a").wantQuota(t, 2, 1, start.Add(15*time.Minute))
	s.get(t, "/2/users?ids=1").wantQuota(t, 2, 0, start.Add(15*time.Minute))
}

func TestResetIsNotBeforeTheWindowEnds(t *testing.T) {
	s := newSim(t, x.Options{Limit: 1, Window: time.Minute}, some()...)
	s.clock.Step(500 * time.Millisecond)
	s.get(t, "/2/users?ids=1").wantQuota(t, 1, 0, start.Add(61*time.Second))
	s.clock.SetTime(start.Add(61*time.Second - 1))
	if r := s.get(t, "/2/users?ids=1"); r.status != 429 {
		t.Errorf("just before the reset: %d", r.status)
	}
	s.clock.SetTime(start.Add(61 * time.Second))
	if r := s.get(t, "/2/users?ids=1"); r.status != 200 {
		t.Errorf("at the reset: %d", r.status)
	}
}

func TestThrottleBodies(t *testing.T) {
	s := newSim(t, x.Options{Limit: 1, PlainThrottle: true}, some()...)
	s.get(t, "/2/users?ids=1")
	s.get(t, "/2/users?ids=1").want(t, 429, `{"title":"Too Many Requests","detail":"Too Many Requests","type":"about:blank","status":429}`)
}

func TestReadsAreBilledOncePerDay(t *testing.T) {
	s := newSim(t, x.Options{}, account("1", "a", world.Active), account("2", "b", world.Active), account("3", "c", world.Suspended))
	for _, c := range []struct {
		path string
		want int64
	}{
		{"/2/users?ids=1,3,9", 10_000},
		{"/2/users?ids=1,1,2", 20_000},
		{"/2/users/by?usernames=a,b", 20_000},
		{"/2/users/1", 20_000},
		{"/2/users/3", 20_000},
	} {
		s.get(t, c.path)
		if got := s.world.Ledger().Cost(world.X); got != c.want {
			t.Errorf("after %s: %d, want %d", c.path, got, c.want)
		}
	}
	s.clock.Step(12 * time.Hour)
	s.get(t, "/2/users/by/username/a")
	if got := s.world.Ledger().Cost(world.X); got != 30_000 {
		t.Errorf("next day: %d", got)
	}
	s = newSim(t, x.Options{UserPriceMicroUSD: 7}, some()...)
	s.get(t, "/2/users/1")
	if got := s.world.Ledger().Cost(world.X); got != 7 {
		t.Errorf("own price: %d", got)
	}
}

func TestOutOfCredits(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	if err := s.world.SetCredits(world.X, "k y", "0.01"); err != nil {
		t.Fatal(err)
	}
	if r := s.get(t, "/2/users/1"); r.status != 200 {
		t.Fatalf("first: %d", r.status)
	}
	r := s.get(t, "/2/users?ids=1")
	r.want(t, 402, `{"account_id":1,"title":"CreditsDepleted","detail":"Your enrolled account [1] does not have any credits to fulfill this request.","type":"https://api.twitter.com/2/problems/credits"}`)
	r.wantQuota(t, 300, 299, start.Add(15*time.Minute))
}

func TestLedgerCountsByEndpointAndStatus(t *testing.T) {
	s := newSim(t, x.Options{Limit: 2}, some()...)
	for _, path := range []string{"/2/users?ids=1", "/2/users?ids=a", "/2/users?ids=1", "/2/users/by/username/a", "/nowhere"} {
		s.get(t, path)
	}
	s.token(t, "zzz", "", "grant_type=client_credentials")
	want := []world.RequestCount{
		{Platform: world.X, Endpoint: "/2/users", Status: 200, Count: 1},
		{Platform: world.X, Endpoint: "/2/users", Status: 400, Count: 1},
		{Platform: world.X, Endpoint: "/2/users", Status: 429, Count: 1},
		{Platform: world.X, Endpoint: "/2/users/by/username/{username}", Status: 200, Count: 1},
		{Platform: world.X, Endpoint: "/oauth2/token", Status: 403, Count: 1},
		{Platform: world.X, Endpoint: "unknown", Status: 404, Count: 1},
	}
	if diff := cmp.Diff(want, s.world.Ledger().Requests); diff != "" {
		t.Error(diff)
	}
}

func TestConcurrentReadersShareTheWindow(t *testing.T) {
	s := newSim(t, x.Options{Limit: 30}, some()...)
	var mu sync.Mutex
	status := map[int]int{}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/2/users?ids=1,2&user.fields=url", nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer b")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			status[resp.StatusCode]++
		})
		wg.Go(func() {
			_, err := s.world.Update(world.X, "1", func(a *world.Account) error { a.Bio = fmt.Sprint(i); return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(map[int]int{200: 30, 429: 10}, status); diff != "" {
		t.Error(diff)
	}
}

// sweepPaths are the requests that read a fleet once, 100 ids each.
func sweepPaths(accounts []world.Account) (paths []string) {
	for from := 0; from < len(accounts); from += 100 {
		var ids []string
		for _, a := range accounts[from:min(from+100, len(accounts))] {
			ids = append(ids, a.ID)
		}
		paths = append(paths, "/2/users?user.fields="+recordedFields+"&ids="+strings.Join(ids, ","))
	}
	return paths
}

func fleet(n int) []world.Account {
	out := make([]world.Account, n)
	for i := range out {
		out[i] = developers()
		out[i].ID = fmt.Sprint(2_000_000_000 + i)
		out[i].Handle = fmt.Sprintf("edu_%d", i)
	}
	return out
}

func TestSweepOfTheWholeFleetFitsOneWindowAndCostsItsPrice(t *testing.T) {
	accounts := fleet(26_520)
	s := newSim(t, x.Options{}, accounts...)
	read := map[string]bool{}
	paths := sweepPaths(accounts)
	for _, path := range paths {
		r := s.get(t, path)
		for _, u := range r.body["data"].([]any) {
			read[u.(map[string]any)["id"].(string)] = true
		}
	}
	if len(paths) != 266 || len(read) != 26_520 {
		t.Errorf("%d requests read %d accounts", len(paths), len(read))
	}
	if got := s.world.Ledger().Cost(world.X); got != 265_200_000 {
		t.Errorf("cost %d micro-dollars, want 265.20 dollars", got)
	}
}

func BenchmarkSweep(b *testing.B) {
	accounts := fleet(26_520)
	s := newSim(b, x.Options{Limit: 1 << 40}, accounts...)
	paths := sweepPaths(accounts)
	for b.Loop() {
		for _, path := range paths {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+path, nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer b")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			if resp.StatusCode != http.StatusOK {
				b.Fatal(resp.Status)
			}
			// Unread bodies would cost a connection each.
			if _, err := discardBody(resp); err != nil {
				b.Fatal(err)
			}
		}
	}
}
