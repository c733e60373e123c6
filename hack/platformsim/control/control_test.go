package control_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/control"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newControl(t *testing.T) (*world.World, *httptest.Server) {
	t.Helper()
	w := world.New(clocktesting.NewFakeClock(start))
	err := w.Load(world.Fleet{
		Apps: []world.App{{Platform: world.X, APIKey: "k", APISecret: "s", AppToken: "b"}},
		Accounts: []world.Account{
			{Platform: world.X, ID: "1", Handle: "edu", DisplayName: "Edu", Bio: "bio", Image: "emblem", Followers: 5},
			{Platform: world.X, ID: "2", Handle: "other"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// So that faults know the endpoints of X.
	x.New(w, x.Options{})
	s := httptest.NewServer(control.New(w))
	t.Cleanup(s.Close)
	return w, s
}

// call sends "METHOD path" and returns status and body.
func call(t *testing.T, s *httptest.Server, what, body string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(what, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestHealth(t *testing.T) {
	_, s := newControl(t)
	if status, body := call(t, s, "GET /healthz", ""); status != 200 || !strings.Contains(body, `"ok"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestAccountIsShownAsInAFleetFile(t *testing.T) {
	_, s := newControl(t)
	for _, ref := range []string{"X/1", "x/EDU", "X/@edu"} {
		status, body := call(t, s, "GET /v1/accounts/"+ref, "")
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", ref, status, body)
		}
		want := map[string]any{
			"platform": "X", "id": "1", "handle": "edu", "displayName": "Edu", "bio": "bio", "image": "emblem",
			"verified": false, "protected": false, "state": "Active",
			"followers": 5.0, "following": 0.0, "posts": 0.0, "listed": 0.0, "likes": 0.0,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", ref, diff)
		}
	}
}

func TestPatchMergesAnyField(t *testing.T) {
	base := world.Account{Platform: world.X, ID: "1", Handle: "edu", DisplayName: "Edu", Bio: "bio", Image: "emblem", Followers: 5, State: world.Active}
	for patch, change := range map[string]func(*world.Account){
		`{}`:                   func(*world.Account) {},
		`{"handle":"renamed"}`: func(a *world.Account) { a.Handle = "renamed" },
		`{"handle":"EDU"}`:     func(a *world.Account) { a.Handle = "EDU" },
		`{"displayName":"Coins","bio":"DM","image":"foreign"}`: func(a *world.Account) { a.DisplayName, a.Bio, a.Image = "Coins", "DM", "foreign" },
		`{"state":"Suspended"}`:                                func(a *world.Account) { a.State = world.Suspended },
		`{"bio":null,"followers":null}`:                        func(a *world.Account) { a.Bio, a.Followers = "", 0 },
		`{"displayName":null}`:                                 func(a *world.Account) { a.DisplayName = "edu" },
		`{"verified":true,"posts":7}`:                          func(a *world.Account) { a.Verified, a.Posts = true, 7 },
		`{"id":"1","platform":"X"}`:                            func(*world.Account) {},
		`{"createdAt":"2020-01-01T00:00:00Z"}`:                 func(a *world.Account) { a.CreatedAt = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		w, s := newControl(t)
		want := base
		change(&want)
		status, body := call(t, s, "PATCH /v1/accounts/X/edu", patch)
		got, _ := w.Account(world.X, "1")
		if diff := cmp.Diff(want, got); status != 200 || diff != "" {
			t.Errorf("%s: %d %s %s", patch, status, body, diff)
		}
	}
}

func TestPutCreatesAndReplaces(t *testing.T) {
	w, s := newControl(t)
	for _, want := range []int{201, 200} {
		if status, body := call(t, s, "PUT /v1/accounts/X/42", `{"handle":"new","posts":1}`); status != want {
			t.Errorf("%d %s, want %d", status, body, want)
		}
	}
	want := world.Account{Platform: world.X, ID: "42", Handle: "new", DisplayName: "new", State: world.Active, Posts: 1}
	if got, _ := w.AccountByHandle(world.X, "new"); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestDeleteForgets(t *testing.T) {
	w, s := newControl(t)
	if status, body := call(t, s, "DELETE /v1/accounts/X/edu", ""); status != 204 || body != "" {
		t.Errorf("%d %q", status, body)
	}
	if _, ok := w.Account(world.X, "1"); ok {
		t.Error("still there")
	}
}

func TestRecycle(t *testing.T) {
	w, s := newControl(t)
	status, body := call(t, s, "POST /v1/accounts/X/edu/recycle", `{"newID":"9"}`)
	if status != 201 || !strings.Contains(body, `"id": "9"`) {
		t.Errorf("%d %s", status, body)
	}
	old, _ := w.Account(world.X, "1")
	stranger, _ := w.AccountByHandle(world.X, "edu")
	if old.State != world.Deleted || stranger.ID != "9" {
		t.Errorf("old %+v, stranger %+v", old, stranger)
	}
}

func TestFaultsAreSetShownAndEnded(t *testing.T) {
	w, s := newControl(t)
	for _, body := range []string{
		`{"kind":"status","status":500,"everyNth":2,"requests":3,"endpoint":"/2/users","delaySeconds":1}`,
		` [{"kind":"status","status":500,"everyNth":2,"requests":3,"endpoint":"/2/users","delaySeconds":1}]`,
	} {
		if status, answer := call(t, s, "PUT /v1/faults/X", body); status != 200 {
			t.Errorf("%d %s", status, answer)
		}
		want := []world.ActiveFault{{Fault: world.Fault{Kind: "status", Status: 500, EveryNth: 2, Requests: 3, Endpoint: "/2/users", DelaySeconds: 1}}}
		if diff := cmp.Diff(want, w.Faults(world.X)); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	if status, body := call(t, s, "GET /v1/faults/X", ""); status != 200 || !strings.Contains(body, `"struck": 0`) {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := call(t, s, "DELETE /v1/faults/X", ""); status != 204 || len(w.Faults(world.X)) != 0 {
		t.Errorf("%d, %v", status, w.Faults(world.X))
	}
}

func TestLedgerIsShownAndReset(t *testing.T) {
	w, s := newControl(t)
	w.CountRequest(world.X, "/2/users", 200)
	if _, err := w.Bill(world.Charge{Platform: world.X, APIKey: "k", Resource: "user", IDs: []string{"1"}, PriceMicroUSD: 10_000}); err != nil {
		t.Fatal(err)
	}
	_, body := call(t, s, "GET /v1/ledger", "")
	var got world.Ledger
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Asked(world.X, "/2/users") != 1 || got.Cost(world.X) != 10_000 || got.Bills[0].USD != "0.010000" {
		t.Errorf("got %s", body)
	}
	if status, _ := call(t, s, "DELETE /v1/ledger", ""); status != 204 || w.Ledger().Asked(world.X, "") != 0 {
		t.Errorf("%d %+v", status, w.Ledger())
	}
}

func TestClockIsShownAndAdvanced(t *testing.T) {
	w, s := newControl(t)
	if status, body := call(t, s, "POST /v1/clock", `{"advanceSeconds":900}`); status != 200 || !strings.Contains(body, "2026-11-23T12:15:00Z") {
		t.Errorf("%d %s", status, body)
	}
	if !w.Now().Equal(start.Add(15 * time.Minute)) {
		t.Errorf("now %s", w.Now())
	}
	if status, body := call(t, s, "GET /v1/clock", ""); status != 200 || !strings.Contains(body, "12:15:00Z") {
		t.Errorf("%d %s", status, body)
	}
	fixed := httptest.NewServer(control.New(world.New(clock.RealClock{})))
	defer fixed.Close()
	if status, body := call(t, fixed, "POST /v1/clock", `{"advanceSeconds":1}`); status != 409 || !strings.Contains(body, "cannot be advanced") {
		t.Errorf("fixed clock: %d %s", status, body)
	}
}

func TestTokensAndCredits(t *testing.T) {
	w, s := newControl(t)
	if status, body := call(t, s, "POST /v1/apps/X/k/revoke-token", ""); status != 204 {
		t.Errorf("%d %s", status, body)
	}
	if _, ok := w.AppOf(world.X, "b"); ok {
		t.Error("the bearer still works")
	}
	if status, body := call(t, s, "POST /v1/apps/X/k/revoke-token", `{"newToken":"b2"}`); status != 204 {
		t.Errorf("%d %s", status, body)
	}
	if key, _ := w.AppOf(world.X, "b2"); key != "k" {
		t.Errorf("the new bearer belongs to %q", key)
	}
	if status, body := call(t, s, "PUT /v1/apps/X/k/credits", `{"usd":"0.05"}`); status != 204 {
		t.Errorf("%d %s", status, body)
	}
	if c := w.Ledger().Credits; len(c) != 1 || c[0].MicroUSD != 50_000 {
		t.Errorf("credits %+v", c)
	}
	if status, _ := call(t, s, "PUT /v1/apps/X/k/credits", `{"usd":""}`); status != 204 || len(w.Ledger().Credits) != 0 {
		t.Errorf("unlimited: %d %+v", status, w.Ledger().Credits)
	}
}

func TestConcurrentPatchesAreNotLost(t *testing.T) {
	w, s := newControl(t)
	fields := []string{"followers", "following", "posts", "listed", "likes"}
	var wg sync.WaitGroup
	for i, field := range fields {
		wg.Go(func() {
			if status, body := call(t, s, "PATCH /v1/accounts/X/1", fmt.Sprintf(`{%q:%d}`, field, i+10)); status != 200 {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	wg.Wait()
	a, _ := w.Account(world.X, "1")
	if got := []int64{a.Followers, a.Following, a.Posts, a.Listed, a.Likes}; !cmp.Equal(got, []int64{10, 11, 12, 13, 14}) {
		t.Errorf("got %v", got)
	}
}
