package meta_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// gauge reads call_count and the minutes of an answer's usage headers.
func (r reply) gauge(t *testing.T, id string) (percent, minutes float64) {
	t.Helper()
	if app := r.header.Get("X-App-Usage"); id == "" {
		var u map[string]float64
		if err := json.Unmarshal([]byte(app), &u); err != nil {
			t.Fatalf("X-App-Usage %q: %v", app, err)
		}
		return u["call_count"], 0
	}
	var all map[string][]map[string]any
	text := r.header.Get("X-Business-Use-Case-Usage")
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all[id]) != 1 {
		t.Fatalf("X-Business-Use-Case-Usage %q: %v", text, err)
	}
	percent, _ = all[id][0]["call_count"].(float64)
	minutes, _ = all[id][0]["estimated_time_to_regain_access"].(float64)
	return percent, minutes
}

func TestDocumentedLimitOf4800CallsPerEngagedUserAndDay(t *testing.T) {
	p, ig := page("1"), insta("2")
	p.Engaged, ig.Engaged = 1, 1
	s := newSim(t, meta.Options{}, p, ig)
	for id, c := range map[string]struct {
		platform world.Platform
		refusal  string
	}{"1": {world.Facebook, "400 80001/<nil>"}, "2": {world.Instagram, "400 80002/<nil>"}} {
		fifty := make([]string, 50)
		for i := range fifty {
			fifty[i] = id + "?fields=id"
		}
		for range 96 {
			s.batch("sys", nil, fifty...)
		}
		l := s.world.Ledger()
		if l.BudgetExceeded(c.platform) != 0 {
			t.Errorf("%s: exceeded within the limit: %+v", id, l.Budgets)
		}
		r := s.get("/"+id+"?fields=id", "sys")
		r.refused(t, id, c.refusal)
		if percent, minutes := r.gauge(t, id); percent != 100 || minutes < 1439 || minutes > 1441 || r.header.Get("Retry-After") != "" {
			t.Errorf("%s: %v%%, %v minutes", id, percent, minutes)
		}
		if s.world.Ledger().BudgetExceeded(c.platform) != 1 {
			t.Errorf("%s: %+v", id, s.world.Ledger().Budgets)
		}
	}
	s.clock.Step(24 * time.Hour)
	s.get("/1?fields=id", "sys").refused(t, "the slot of a minute is still in the window", "400 80001/<nil>")
	s.clock.Step(3 * time.Minute)
	s.get("/1?fields=id", "sys").accepted(t, "a day later")
}

func TestCallingOnLengthensTheBlock(t *testing.T) {
	s := newSim(t, meta.Options{UserCalls: 2, Penalty: 10 * time.Minute}, page("1"))
	for i := range 2 {
		r := s.get("/1?fields=id", "human")
		r.accepted(t, "within")
		if percent, _ := r.gauge(t, ""); percent != float64(50*(i+1)) {
			t.Errorf("call %d: %v%%", i, percent)
		}
	}
	for range 3 {
		s.get("/1?fields=id", "human").refused(t, "over", "400 17/<nil>")
	}
	s.clock.Step(time.Hour + 11*time.Minute)
	s.get("/1?fields=id", "human").refused(t, "two more calls made it 20 minutes longer", "400 17/<nil>")
	s.clock.Step(30 * time.Minute)
	s.get("/1?fields=id", "human").accepted(t, "after the block")
	s.get("/1?fields=id", "sys").accepted(t, "another budget")
}

func TestWindowRolls(t *testing.T) {
	s := newSim(t, meta.Options{UserCalls: 4}, page("1"))
	for range 4 {
		s.get("/1?fields=id", "human").accepted(t, "one each quarter of an hour")
		s.clock.Step(15 * time.Minute)
	}
	s.clock.Step(time.Minute)
	s.get("/1?fields=id", "human").accepted(t, "when the first left the window")
	s.get("/1?fields=id", "human").refused(t, "but no second", "400 17/<nil>")
}

func TestAppLimitIs200TimesDailyUsers(t *testing.T) {
	s := newSim(t, meta.Options{DailyUsers: 1, ThrottleStatus: 403}, insta("2"), insta("3"))
	items := make([]string, 50)
	for i := range items {
		items[i] = "2?fields=business_discovery.username(ig3){id}"
	}
	for range 4 {
		for i, one := range s.batch("sys", nil, items...) {
			if one.code != 200 || one.headers["X-App-Usage"] == "" {
				t.Fatalf("item %d: %+v", i, one)
			}
		}
	}
	got := s.batch("sys", nil, items[0], "2?fields=id")
	if got[0].code != 403 || dig(got[0].body, "error", "code") != 4.0 || got[1].code != 200 {
		t.Errorf("%+v", got)
	}
	if l := s.world.Ledger(); l.BudgetUnits(world.Instagram, meta.BucketApp) != 200 || l.BudgetExceeded(world.Instagram) != 1 {
		t.Errorf("%+v", l.Budgets)
	}
}

func TestThrottledIDFailsTheWholeMultiGet(t *testing.T) {
	small := page("1")
	small.Engaged = 1
	s := newSim(t, meta.Options{}, small, page("2"))
	fifty := strings.Split(strings.Repeat("1?fields=id ", 50), " ")[:50]
	for range 96 {
		s.batch("sys", nil, fifty...)
	}
	s.get("/?ids=2,1&fields=id", "sys").refused(t, "one of two", "400 80001/<nil>")
	s.get("/2?fields=id", "sys").accepted(t, "the other alone")
}

func TestLedgerCountsByEndpoint(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	s.get("/1?fields=id", "sys")
	s.get("/9?fields=id", "sys")
	s.get("/2/media", "sys")
	s.get("/?ids=2&fields=id", "sys")
	s.get("/debug_token?input_token=sys", "1000|hush")
	s.batch("sys", nil, "2?fields=id", "1?fields=id")
	s.batch("sys", nil, "1?fields=id")
	var got []string
	for _, r := range s.world.Ledger().Requests {
		got = append(got, fmt.Sprintf("%s %s %d %d", r.Platform, r.Endpoint, r.Status, r.Count))
	}
	want := []string{
		"Facebook / (batch) 200 1", "Facebook /debug_token 200 1", "Facebook /{id} 200 1", "Facebook /{id} 400 1",
		"Instagram / (batch) 200 1", "Instagram /?ids 200 1", "Instagram /{id}/media 200 1",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}
