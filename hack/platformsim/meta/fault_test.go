package meta_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

func (s sim) fault(p world.Platform, f world.Fault) {
	s.t.Helper()
	if err := s.world.SetFaults(p, f); err != nil {
		s.t.Fatal(err)
	}
}

func TestStatusFaultsHaveTheBodiesOfGraph(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	for status, want := range map[int]string{401: "401 190/<nil>", 403: "403 200/<nil>", 429: "400 80001/<nil>", 500: "500 2/<nil>", 503: "503 2/<nil>"} {
		s.fault(world.Facebook, world.Fault{Kind: world.FaultStatus, Status: status})
		r := s.get("/1?fields=id", "sys")
		r.refused(t, http.StatusText(status), want)
		if status >= 500 && r.in("error", "is_transient") != true {
			t.Errorf("%d: %s", status, r.raw)
		}
	}
	s.get("/2?fields=id", "sys").accepted(t, "the other platform")
	s.fault(world.Instagram, world.Fault{Kind: world.FaultThrottle, DelaySeconds: 90})
	r := s.get("/2?fields=id", "sys")
	r.refused(t, "throttled", "400 80002/<nil>")
	if percent, minutes := r.gauge(t, "0"); percent != 100 || minutes != 2 {
		t.Errorf("%v%%, %v minutes", percent, minutes)
	}
	s.fault(world.Instagram, world.Fault{Kind: world.FaultThrottleNoReset})
	if r := s.get("/2?fields=id", "sys"); r.header.Get("X-Business-Use-Case-Usage") != "" {
		t.Errorf("announced: %v", r.header)
	}
}

func TestNullAndFailingItemsHaveAnotherFateWhenRepeated(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	items := []string{"1?fields=id", "1?fields=name", "1?fields=link", "1?fields=about"}
	s.fault(world.Facebook, world.Fault{Kind: world.FaultNullItems, Items: 3})
	got := s.batch("sys", nil, items...)
	if got[0].null || got[1].null || !got[2].null || got[3].null {
		t.Errorf("%+v", got)
	}
	if again := s.batch("sys", nil, items[2]); again[0].null {
		t.Error("the repetition is null as well")
	}
	s.fault(world.Facebook, world.Fault{Kind: world.FaultItemErrors})
	got = s.batch("sys", nil, items[0])
	if got[0].code != 500 || dig(got[0].body, "error", "is_transient") != true {
		t.Errorf("%+v", got)
	}
	if units := s.world.Ledger().BudgetUnits(world.Facebook, meta.BucketPages); units != 6 {
		t.Errorf("%d calls: those that timed out count", units)
	}
}

func TestLies(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"), insta("3"))
	for _, kind := range []world.FaultKind{world.FaultAllNotFound, world.FaultAllSuspended} {
		s.fault(world.Facebook, world.Fault{Kind: kind})
		s.fault(world.Instagram, world.Fault{Kind: kind})
		for i, one := range s.batch("sys", nil, "1?fields=id", "2?fields=id") {
			if one.code != 400 || dig(one.body, "error", "error_subcode") != 33.0 {
				t.Errorf("%s, item %d: %+v", kind, i, one)
			}
		}
		s.get("/2?fields=business_discovery.username(ig3){id}", "sys").refused(t, string(kind), "400 110/2207013")
		if r := s.get("/me/accounts", "sys"); kind == world.FaultAllNotFound && len(r.in("data").([]any)) != 0 {
			t.Errorf("accounts: %s", r.raw)
		}
	}
	s.fault(world.Facebook, world.Fault{Kind: world.FaultShuffleForeign})
	got := s.batch("sys", nil, "1?fields=id,username,name")
	if got[0].code != 200 || dig(got[0].body, "id") == "1" || dig(got[0].body, "username") == "page1" || dig(got[0].body, "name") == nil {
		t.Errorf("a stranger: %+v", got)
	}
	s.fault(world.Facebook, world.Fault{Kind: world.FaultExtraForeign})
	if got := s.batch("sys", nil, "1?fields=id"); len(got) != 2 || dig(got[0].body, "id") != "1" || dig(got[1].body, "id") == "1" {
		t.Errorf("one more: %+v", got)
	}
	if r := s.get("/?ids=1&fields=id", "sys"); len(r.body.(map[string]any)) != 2 {
		t.Errorf("one more: %s", r.raw)
	}
}

func TestFaultsForOneEndpointSpareTheOthers(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	s.fault(world.Facebook, world.Fault{Kind: world.FaultStatus, Endpoint: meta.EndpointDebug})
	s.get("/1?fields=id", "sys").accepted(t, "node")
	s.get("/debug_token?input_token=sys", "1000|hush").refused(t, "debug_token", "503 2/<nil>")
	if err := s.world.SetFaults(world.Instagram, world.Fault{Kind: world.FaultHTML, Endpoint: "/{id}/enemies"}); err == nil {
		t.Error("misspelt endpoint accepted")
	}
}

func TestPictureURLsChangeByThemselvesAndThePathWithThePicture(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	show := func() (avatar, cover, id string) {
		r := s.get("/1?fields=picture.type(large){url,is_silhouette},cover{id,source}", "sys")
		avatar, _ = r.in("picture", "data", "url").(string)
		cover, _ = r.in("cover", "source").(string)
		id, _ = r.in("cover", "id").(string)
		return avatar, cover, id
	}
	path := func(u string) string { p, _, _ := strings.Cut(u, "?"); return p }
	avatar, cover, id := show()
	for name, u := range map[string]string{"emblem": avatar, "banner": cover} {
		want, err := world.Image(name)
		r := s.call("GET", strings.TrimPrefix(u, s.url), "", "")
		if err != nil || r.status != 200 || r.header.Get("Content-Type") != "image/png" || !bytes.Equal(want, []byte(r.raw)) {
			t.Errorf("%s: %d %s", u, r.status, r.header.Get("Content-Type"))
		}
	}
	s.clock.Step(time.Hour)
	later, _, laterID := show()
	if later == avatar || path(later) != path(avatar) || laterID != id {
		t.Errorf("%s, then %s", avatar, later)
	}
	s.clock.Step(time.Hour)
	if r := s.call("GET", strings.TrimPrefix(avatar, s.url), "", ""); r.status != 403 {
		t.Errorf("expired URL: %d", r.status)
	}
	if r := s.call("GET", path(strings.TrimPrefix(later, s.url))+"?oe=ffffffff&oh=00_00", "", ""); r.status != 403 {
		t.Errorf("forged URL: %d", r.status)
	}
	_, err := s.world.Update(world.Facebook, "1", func(a *world.Account) error { a.Image, a.Banner = "", "banner-foreign"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, next := show(); next == id {
		t.Error("the cover's id stayed")
	}
	if r := s.get("/1?fields=picture{url,is_silhouette}", "sys"); r.in("picture", "data", "is_silhouette") != true {
		t.Errorf("no picture: %s", r.raw)
	}
}

func TestHistoryTellsWhichTokenWasSent(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	own := s.pageToken("1")
	if n := len(s.world.History().Calls); n != 0 {
		t.Errorf("%d reads in the history", n)
	}
	s.call("DELETE", "/v26.0/1/assigned_users?user=901", "sys", "").accepted(t, "removal")
	s.fault(world.Facebook, world.Fault{Kind: world.FaultLostAnswer})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v26.0/oauth/revoke?"+url.Values{"client_id": {"1000"}, "client_secret": {"hush"}, "revoke_token": {"sys"}, "access_token": {"human"}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	// On a connection used before, the library would send a GET once more by itself.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("the answer arrived")
	}
	s.fault(world.Facebook, world.Fault{Kind: world.FaultStatus})
	s.world.RecordReads(true)
	s.call("POST", "/v26.0/", "sys", url.Values{"batch": {`[{"method":"GET","relative_url":"1?access_token=` + own + `"}]`}}.Encode())
	h := s.world.History()
	if len(h.Calls) != 3 {
		t.Fatalf("%+v", h)
	}
	removal, revoke, batch := h.Calls[0], h.Calls[1], h.Calls[2]
	if removal.Effect != "removeRole" || !removal.Accepted || removal.Status != 200 || removal.Client != "1000" || removal.Person != "900" || removal.Account != "1" || removal.EndedSeq == 0 {
		t.Errorf("removal %+v", removal)
	}
	sent := func(c world.Call) map[string]bool {
		out := map[string]bool{}
		for _, token := range c.Sent {
			out[token.Fingerprint] = token.Accepted
		}
		return out
	}
	fp := s.world.Fingerprint
	if got := sent(revoke); revoke.Effect != "revoke" || !revoke.Accepted || !got[fp("sys")] || !got[fp("human")] || revoke.EndedSeq == 0 {
		t.Errorf("revocation whose answer was lost %+v", revoke)
	}
	if got := sent(batch); batch.Mutating || batch.Accepted || batch.Status != 503 || len(got) != 2 || got[fp("sys")] || got[fp(own)] {
		t.Errorf("batch with dead tokens %+v", batch)
	}
}

func TestNoSecretInErrors(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	for _, path := range []string{"/1?fields=colour", "/99", "/oauth/access_token?client_id=1000&client_secret=topsecret&code=thecode&redirect_uri=x", "/1?colour=topsecret"} {
		if r := s.get(path, "sys"); strings.Contains(r.raw, "topsecret") || strings.Contains(r.raw, "thecode") || strings.Contains(r.raw, `"sys"`) {
			t.Errorf("%s: %s", path, r.raw)
		}
	}
}
