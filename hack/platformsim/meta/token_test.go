package meta_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// consent walks through the dialog as the chosen person and returns the code.
func (s sim) consent(path string, q url.Values) url.Values {
	s.t.Helper()
	r := s.call(http.MethodGet, path+"?"+q.Encode(), "", "")
	back, err := url.Parse(r.header.Get("Location"))
	if err != nil || r.status != http.StatusFound {
		s.t.Fatalf("dialog: %d %s", r.status, r.raw)
	}
	return back.Query()
}

func dialogQuery() url.Values {
	return url.Values{"client_id": {"1000"}, "redirect_uri": {"https://op/cb"}, "state": {"S&1"}, "scope": {"pages_show_list,pages_read_engagement"}, "response_type": {"code"}}
}

func exchangePath(code string) string {
	return "/oauth/access_token?" + url.Values{"client_id": {"1000"}, "client_secret": {"hush"}, "redirect_uri": {"https://op/cb"}, "code": {code}}.Encode()
}

func TestFacebookConsentYieldsShortThenLongToken(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	s.world.Choose(world.Facebook, world.Choice{Person: "901"})
	q := s.consent("/v26.0/dialog/oauth", dialogQuery())
	if q.Get("state") != "S&1" {
		t.Errorf("state %q", q.Get("state"))
	}
	r := s.get(exchangePath(q.Get("code")), "")
	r.accepted(t, "exchange")
	short, _ := r.in("access_token").(string)
	if r.in("token_type") != "bearer" || r.in("expires_in") != 5400.0 {
		t.Errorf("short: %s", r.raw)
	}
	s.get(exchangePath(q.Get("code")), "").refused(t, "same code again", "400 100/36009")
	s.get("/1?fields=id", short).accepted(t, "short token")
	long := s.get("/oauth/access_token?grant_type=fb_exchange_token&client_id=1000&client_secret=hush&fb_exchange_token="+short, "")
	long.accepted(t, "long")
	value, _ := long.in("access_token").(string)
	if long.in("expires_in") != 5183944.0 || value == short {
		t.Errorf("long: %s", long.raw)
	}
	s.clock.Step(90 * time.Minute)
	s.get("/me", short).refused(t, "short token, later", "400 190/463")
	s.get("/me", value).accepted(t, "long token, later")
	own, _ := s.get("/1?fields=access_token", value).in("access_token").(string)
	s.clock.Step(5_183_944 * time.Second)
	s.get("/me", value).refused(t, "long token at its end", "400 190/463")
	s.get("/1?fields=id", own).accepted(t, "page token of a long one has no end")
}

func TestExchangeRefusals(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	s.world.Choose(world.Facebook, world.Choice{Person: "901"})
	for what, c := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"secret":    {func(q url.Values) { q.Set("client_secret", "zzz") }, "400 101/<nil>"},
		"app":       {func(q url.Values) { q.Set("client_id", "9") }, "400 101/<nil>"},
		"redirect":  {func(q url.Values) { q.Set("redirect_uri", "https://op/cb/") }, "400 100/36007"},
		"code":      {func(q url.Values) { q.Set("code", "zzz") }, "400 100/36007"},
		"parameter": {func(q url.Values) { q.Set("colour", "red") }, "400 100/<nil>"},
		"grant":     {func(q url.Values) { q.Set("grant_type", "password") }, "400 100/<nil>"},
	} {
		code := s.consent("/v26.0/dialog/oauth", dialogQuery()).Get("code")
		q, err := url.ParseQuery(strings.TrimPrefix(exchangePath(code), "/oauth/access_token?"))
		if err != nil {
			t.Fatal(err)
		}
		c.change(q)
		s.get("/oauth/access_token?"+q.Encode(), "").refused(t, what, c.want)
	}
	code := s.consent("/v26.0/dialog/oauth", dialogQuery()).Get("code")
	s.clock.Step(10 * time.Minute)
	s.get(exchangePath(code), "").refused(t, "late", "400 100/36007")
}

func TestDialogShowsErrorsInsteadOfSendingThemAway(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	for what, change := range map[string]func(url.Values){
		"app":       func(q url.Values) { q.Set("client_id", "9") },
		"redirect":  func(q url.Values) { q.Set("redirect_uri", "https://evil/cb") },
		"type":      func(q url.Values) { q.Set("response_type", "token") },
		"parameter": func(q url.Values) { q.Set("colour", "red") },
	} {
		q := dialogQuery()
		change(q)
		if r := s.call("GET", "/v26.0/dialog/oauth?"+q.Encode(), "", ""); r.status != 400 || r.header.Get("Location") != "" {
			t.Errorf("%s: %d %v", what, r.status, r.header)
		}
	}
	r := s.call("GET", "/v26.0/dialog/oauth?"+dialogQuery().Encode(), "", "")
	if r.status != 200 || !strings.Contains(r.raw, "Head of Press") || strings.Contains(r.raw, "Reader") {
		t.Errorf("nobody chosen: %d %s", r.status, r.raw)
	}
	q := dialogQuery()
	q.Set("sim_person", "901")
	if s.consent("/v26.0/dialog/oauth", q).Get("code") == "" {
		t.Error("no code after a click")
	}
	s.world.Choose(world.Facebook, world.Choice{Deny: true})
	if got := s.consent("/v26.0/dialog/oauth", dialogQuery()); got.Get("error") != "access_denied" || got.Has("code") || got.Get("state") != "S&1" {
		t.Errorf("denied: %v", got)
	}
}

func TestHowTokensDie(t *testing.T) {
	for what, c := range map[string]struct {
		kill func(s sim)
		want string
	}{
		"password":   {func(s sim) { _, _ = s.world.ChangePassword(world.Facebook, "901") }, "400 190/460"},
		"app":        {func(s sim) { s.world.End(world.Facebook, "human", world.ReachGrant, world.CauseAppRemoved) }, "400 190/458"},
		"revoked":    {func(s sim) { s.world.Revoke(world.Facebook, "human") }, "400 190/467"},
		"expired":    {func(s sim) { s.clock.Step(5_183_944 * time.Second) }, "400 190/463"},
		"checkpoint": {func(s sim) { s.checkpoint(true) }, "400 190/459"},
	} {
		s := newSim(t, meta.Options{}, page("1"))
		c.kill(s)
		s.get("/me", "human").refused(t, what, c.want)
		debug := s.get("/debug_token?input_token=human", "1000|hush")
		if debug.in("data", "is_valid") != false || fmt.Sprintf("400 %v/%v", debug.in("data", "error", "code"), debug.in("data", "error", "subcode")) != c.want {
			t.Errorf("%s: %s", what, debug.raw)
		}
	}
	s := newSim(t, meta.Options{}, page("1"))
	own, _ := s.get("/1?fields=access_token", "human").in("access_token").(string)
	if err := s.world.RemoveRole(world.Facebook, "1", "901"); err != nil {
		t.Fatal(err)
	}
	s.get("/1?fields=id", own).refused(t, "role lost, page token", "400 190/492")
	s.get("/1?fields=id", "human").refused(t, "role lost, own token", "400 100/33")
	s.get("/me", "human").accepted(t, "role lost, who am I")
}

func (s sim) checkpoint(on bool) {
	s.t.Helper()
	if err := s.world.UpdatePerson(world.Facebook, "901", func(p *world.Person) { p.Checkpoint = on }); err != nil {
		s.t.Fatal(err)
	}
}

func TestIntrospection(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	own, _ := s.get("/1?fields=access_token", "sys").in("access_token").(string)
	for value, want := range map[string][3]any{"sys": {"SYSTEM_USER", 0.0, nil}, "human": {"USER", float64(start.Unix() + 5_183_944), nil}, own: {"PAGE", 0.0, "1"}} {
		r := s.get("/debug_token?input_token="+value, "1000|hush")
		got := [3]any{r.in("data", "type"), r.in("data", "expires_at"), r.in("data", "profile_id")}
		if got != want || r.in("data", "is_valid") != true || r.in("data", "app_id") != "1000" {
			t.Errorf("%s: %s", value, r.raw)
		}
	}
	if r := s.get("/debug_token?input_token=zzz", "1000|hush"); r.in("data", "is_valid") != false {
		t.Errorf("unknown: %s", r.raw)
	}
	s.get("/debug_token?input_token=sys", "1001|hush2").refused(t, "another app", "400 100/<nil>")
}

func TestRevocationOfAUsersGrant(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	own, _ := s.get("/1?fields=access_token", "human").in("access_token").(string)
	s.call("DELETE", "/v26.0/901/permissions/pages_read_engagement", "human", "").accepted(t, "one permission")
	s.get("/1?fields=id", "human").refused(t, "without it", "400 10/<nil>")
	s.call("DELETE", "/v26.0/902/permissions", "human", "").refused(t, "another's", "400 100/33")
	if r := s.call("DELETE", "/v26.0/901/permissions", "human", ""); r.raw != `{"success":true}` {
		t.Errorf("all: %s", r.raw)
	}
	s.get("/me", "human").refused(t, "token", "400 190/458")
	s.get("/1?fields=id", own).refused(t, "page token", "400 190/458")
	s.get("/me", "sys").accepted(t, "another person's")
}

func TestSystemUserTokens(t *testing.T) {
	s := newSim(t, meta.Options{}, page("1"))
	form := "business_app=1000&scope=pages_show_list,pages_read_engagement"
	s.call("POST", "/v26.0/900/access_tokens", "human", form).refused(t, "without proof", "400 104/<nil>")
	s.call("POST", "/v26.0/901/access_tokens", "human", form+"&appsecret_proof="+proof("human", "hush")).refused(t, "for a human", "400 100/33")
	mint := func(extra string) string {
		r := s.call("POST", "/v26.0/900/access_tokens", "human", form+extra+"&appsecret_proof="+proof("human", "hush"))
		r.accepted(t, "mint"+extra)
		value, _ := r.in("access_token").(string)
		return value
	}
	lasting, sixty := mint(""), mint("&set_token_expires_in_60_days=true")
	s.clock.Step(59 * 24 * time.Hour)
	renewed := s.get("/oauth/access_token?grant_type=fb_exchange_token&set_token_expires_in_60_days=true&client_id=1000&client_secret=hush&fb_exchange_token="+sixty, "")
	next, _ := renewed.in("access_token").(string)
	s.get("/1?fields=id", sixty).accepted(t, "the old one till its end")
	s.clock.Step(2 * 24 * time.Hour)
	s.get("/1?fields=id", sixty).refused(t, "the old one after 60 days", "400 190/463")
	s.get("/1?fields=id", next).accepted(t, "the renewed one")
	revoke := "/oauth/revoke?client_id=1000&client_secret=hush&revoke_token="
	if r := s.get(revoke+next, "1000|hush"); r.raw != `{"success":"true"}` {
		t.Errorf("revoke: %s", r.raw)
	}
	s.get("/1?fields=id", next).refused(t, "revoked", "400 190/467")
	s.get("/1?fields=id", lasting).accepted(t, "its sister")
	s.get(revoke+"human", "1000|hush").refused(t, "a human's token", "400 100/<nil>")
	s.get("/oauth/revoke?client_id=1000&client_secret=zzz&revoke_token="+lasting, "1000|hush").refused(t, "wrong secret", "400 101/<nil>")
	s.call("DELETE", "/v26.0/900/access_tokens", "sys", "").accepted(t, "all of them")
	s.get("/1?fields=id", lasting).refused(t, "the last one", "400 190/467")
}

func (s sim) igToken() string {
	s.t.Helper()
	s.world.Choose(world.Instagram, world.Choice{Account: "2"})
	q := s.consent("/oauth/authorize", url.Values{"client_id": {"2000"}, "redirect_uri": {"https://op/ig"}, "response_type": {"code"}, "state": {"S"}, "scope": {"instagram_business_basic"}})
	form := url.Values{"client_id": {"2000"}, "client_secret": {"ighush"}, "grant_type": {"authorization_code"}, "redirect_uri": {"https://op/ig"}, "code": {q.Get("code")}}
	r := s.call("POST", "/oauth/access_token", "", form.Encode())
	short, _ := r.in("access_token").(string)
	if short == "" || r.in("user_id") != 2.0 || r.in("permissions") != "instagram_business_basic" {
		s.t.Fatalf("code: %d %s", r.status, r.raw)
	}
	r = s.call("GET", "/access_token?grant_type=ig_exchange_token&client_secret=ighush&access_token="+short, "", "")
	long, _ := r.in("access_token").(string)
	if r.in("expires_in") != 5184000.0 || long == short {
		s.t.Fatalf("exchange: %s", r.raw)
	}
	return long
}

func TestInstagramLogin(t *testing.T) {
	s := newSim(t, meta.Options{}, insta("2"), insta("3"))
	token := s.igToken()
	r := s.get("/me?fields=user_id,username,account_type,media_count", token)
	r.accepted(t, "me")
	if r.in("user_id") != 2.0 || r.in("username") != "ig2" || r.in("account_type") != "BUSINESS" {
		t.Errorf("me: %s", r.raw)
	}
	s.get("/3?fields=id", token).refused(t, "another account", "400 100/33")
	s.get("/me?fields=ig_id", token).refused(t, "field of the other API", "400 100/<nil>")
	s.call("DELETE", "/v26.0/me/permissions", token, "").refused(t, "revoking", "400 3/<nil>")
	refresh := "/refresh_access_token?grant_type=ig_refresh_token&access_token="
	s.call("GET", refresh+token, "", "").refused(t, "too young", "400 100/<nil>")
	s.clock.Step(24 * time.Hour)
	r = s.call("GET", refresh+token, "", "")
	next, _ := r.in("access_token").(string)
	if next == "" || next == token || r.in("permissions") != "instagram_business_basic" {
		t.Errorf("refresh: %s", r.raw)
	}
	s.get("/me", token).accepted(t, "the old one lives")
	s.clock.Step(60 * 24 * time.Hour)
	s.call("GET", refresh+next, "", "").refused(t, "after 60 days", "400 190/463")
	if _, err := s.world.ChangePassword(world.Instagram, "2"); err != nil {
		t.Fatal(err)
	}
}

func TestInstagramLoginsUnverifiedPoints(t *testing.T) {
	s := newSim(t, meta.Options{IGRefreshSame: true, IGRevoke: true, IGException: true, DebugIGTokens: true}, insta("2"))
	token := s.igToken()
	s.clock.Step(30 * 24 * time.Hour)
	if r := s.call("GET", "/refresh_access_token?grant_type=ig_refresh_token&access_token="+token, "", ""); r.in("access_token") != token {
		t.Errorf("same: %s", r.raw)
	}
	s.clock.Step(59 * 24 * time.Hour)
	s.get("/me", token).accepted(t, "lengthened")
	if r := s.get("/debug_token?input_token="+token, "1000|hush"); r.in("data", "is_valid") != true {
		t.Errorf("debug: %s", r.raw)
	}
	s.call("DELETE", "/v26.0/me/permissions", token, "").accepted(t, "revoke")
	r := s.get("/me", token)
	r.refused(t, "revoked", "400 190/458")
	if r.in("error", "type") != "IGApiException" {
		t.Errorf("type: %s", r.raw)
	}
	s = newSim(t, meta.Options{IGRefreshEnds: true}, insta("2"))
	token = s.igToken()
	s.clock.Step(24 * time.Hour)
	s.call("GET", "/refresh_access_token?grant_type=ig_refresh_token&access_token="+token, "", "").accepted(t, "refresh")
	s.get("/me", token).refused(t, "the old one", "400 190/467")
	if _, err := s.world.ChangePassword(world.Instagram, "2"); err != nil {
		t.Fatal(err)
	}
}
