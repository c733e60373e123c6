package snapchat_test

import (
	"net/url"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

func TestMembersAndRoles(t *testing.T) {
	s := newSim(t, snapchat.Options{OrganizationRoles: true}, some()...)
	boss, staff := s.mint("boss", market), s.mint("staff", market)
	if r := s.get(staff, "/v1/me"); r.at("me.id") != "staff" || r.at("me.organization_id") != org {
		t.Errorf("me: %s", r.raw)
	}
	if r := s.get(boss, "/v1/me/organizations"); r.at("organizations.0.organization.id") != org || r.at("organizations.0.organization.my_member_id") != "boss" {
		t.Errorf("organizations: %s", r.raw)
	}
	r := s.get(boss, "/v1/organizations/"+org+"/members")
	if r.count("members") != 3 || r.at("members.0.member.email") != "boss@edu.test" || r.at("members.0.member.member_status") != "MEMBER" || r.at("members.1.member.member_status") != "INVITED" {
		t.Errorf("members: %s", r.raw)
	}
	if r := s.get(boss, "/v1/members/staff/roles"); r.at("roles.0.role.type") != "member" || r.at("roles.0.role.member_id") != "staff" {
		t.Errorf("roles: %s", r.raw)
	}
	if r := s.get(boss, "/v1/organizations/"+org+"/roles"); r.count("roles") != 3 {
		t.Errorf("organisation's roles: %s", r.raw)
	}
	for path, want := range map[string]int{"/v1/organizations/other/members": 403, "/v1/members/stranger/roles": 403, "/v1/members/nobody/roles": 404} {
		if r := s.get(boss, path); r.status != want {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := s.get(s.mint("boss", profile), "/v1/me"); r.status != 403 {
		t.Errorf("scope: %d", r.status)
	}
	s = newSim(t, snapchat.Options{}, some()...)
	if r := s.get(s.mint("boss", market), "/v1/organizations/"+org+"/roles"); r.status != 404 {
		t.Errorf("unverified endpoint: %d", r.status)
	}
}

func TestRemovingPeople(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	if r := s.do("DELETE", "/v1/roles/role-staff", s.mint("boss", market), nil); r.status != 405 {
		t.Errorf("unproven: %d", r.status)
	}
	s = newSim(t, snapchat.Options{RemovesPeople: true}, some()...)
	boss := s.mint("boss", market)
	if r := s.do("DELETE", "/v1/roles/role-boss", s.mint("staff", market), nil); r.status != 403 {
		t.Errorf("by a member: %d", r.status)
	}
	for _, c := range []struct {
		path string
		want int
	}{
		{"/v1/members/boss/roles/role-staff", 404}, {"/v1/members/staff/roles/role-staff", 200}, {"/v1/roles/role-staff", 404}, {"/v1/roles/role-nobody", 404},
	} {
		if r := s.do("DELETE", c.path, boss, nil); r.status != c.want {
			t.Errorf("%s: %d", c.path, r.status)
		}
	}
	if r := s.get(boss, "/v1/members/staff/roles"); r.count("roles") != 0 {
		t.Errorf("roles left: %s", r.raw)
	}
	former := s.mint("staff", profile)
	if r := s.do("DELETE", "/v1/members/staff", boss, nil); r.status != 200 {
		t.Errorf("member: %d", r.status)
	}
	if r := s.get(former, orgProfiles); r.status != 403 {
		t.Errorf("the former member still sees: %d", r.status)
	}
	removals := 0
	for _, c := range s.world.History().Calls {
		if c.Accepted && (c.Effect == "removeRole" || c.Effect == "removePerson") {
			removals++
		}
	}
	if removals != 2 {
		t.Errorf("history has %d removals", removals)
	}
}

func (s sim) token(form url.Values) reply {
	s.t.Helper()
	form.Set("client_id", "c")
	form.Set("client_secret", "s")
	return s.do("POST", "/login/oauth2/access_token", "", form)
}

// consented is a grant of the boss.
func (s sim) consented() (access, refresh string) {
	s.t.Helper()
	s.world.Choose(world.Snapchat, world.Choice{Person: "boss"})
	q := url.Values{"response_type": {"code"}, "client_id": {"c"}, "redirect_uri": {"https://op.test/cb"}, "scope": {profile + " " + market}, "state": {"st"}}
	r := s.get("", "/login/oauth2/authorize?"+q.Encode())
	back, err := url.Parse(r.header.Get("Location"))
	if err != nil || r.status != 302 || back.Query().Get("state") != "st" {
		s.t.Fatalf("%d %v", r.status, r.header)
	}
	got := s.token(url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {"https://op.test/cb"}})
	access, _ = got.at("access_token").(string)
	refresh, _ = got.at("refresh_token").(string)
	if got.status != 200 || got.at("expires_in") != 3600.0 || got.at("token_type") != "Bearer" || access == "" || refresh == "" {
		s.t.Fatalf("%d %s", got.status, got.raw)
	}
	return access, refresh
}

func (s sim) refresh(token string) reply {
	s.t.Helper()
	return s.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func TestRefreshTokensAreSingleUse(t *testing.T) {
	for family, wantAlive := range map[bool]int{false: 200, true: 401} {
		s := newSim(t, snapchat.Options{ReplayEndsFamily: family}, some()...)
		_, first := s.consented()
		r := s.refresh(first)
		second, _ := r.at("refresh_token").(string)
		access, _ := r.at("access_token").(string)
		if r.status != 200 || second == "" || second == first {
			t.Fatalf("%d %s", r.status, r.raw)
		}
		if r := s.refresh(first); r.status != 400 || r.at("error") != "invalid_grant" {
			t.Errorf("replay: %d %s", r.status, r.raw)
		}
		if r := s.get(access, orgProfiles); r.status != wantAlive {
			t.Errorf("family ends %v: %d", family, r.status)
		}
		if r := s.refresh(second); (r.status == 200) == family {
			t.Errorf("family ends %v: successor %d", family, r.status)
		}
	}
	s := newSim(t, snapchat.Options{Grace: time.Minute}, some()...)
	_, first := s.consented()
	a, b := s.refresh(first), s.refresh(first)
	if b.status != 200 || a.at("refresh_token") != b.at("refresh_token") {
		t.Errorf("within the grace: %d %s", b.status, b.raw)
	}
	s = newSim(t, snapchat.Options{KeepRefresh: true}, some()...)
	_, first = s.consented()
	if a, b := s.refresh(first), s.refresh(first); a.at("refresh_token") != nil || b.status != 200 {
		t.Errorf("kept: %s %d", a.raw, b.status)
	}
}

func TestTokenEndpointRefusals(t *testing.T) {
	s := newSim(t, snapchat.Options{}, some()...)
	_, refresh := s.consented()
	wrong := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {"c"}, "client_secret": {"x"}}
	if r := s.do("POST", "/login/oauth2/access_token", "", wrong); r.status != 401 || r.at("error") != "invalid_client" {
		t.Errorf("secret: %d %s", r.status, r.raw)
	}
	if r := s.token(url.Values{"grant_type": {"client_credentials"}}); r.status != 400 || r.at("error") != "unsupported_grant_type" {
		t.Errorf("grant: %d %s", r.status, r.raw)
	}
	for alias, want := range map[bool]int{false: 404, true: 400} {
		s := newSim(t, snapchat.Options{TokenAlias: alias}, some()...)
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"c"}, "client_secret": {"s"}}
		if r := s.do("POST", "/login/oauth2/token", "", form); r.status != want {
			t.Errorf("alias %v: %d", alias, r.status)
		}
	}
}

func TestRevocationIsWhateverTheOptionsSay(t *testing.T) {
	for name, c := range map[string]struct {
		opts             snapchat.Options
		path             string
		status           int
		access, sameself int
	}{
		"works":        {snapchat.Options{}, "/accounts/oauth2/revoke", 200, 401, 401},
		"one token":    {snapchat.Options{RevokeReach: world.ReachToken}, "/accounts/oauth2/revoke", 200, 200, 200},
		"family":       {snapchat.Options{RevokeReach: world.ReachFamily}, "/accounts/oauth2/revoke", 200, 401, 200},
		"does nothing": {snapchat.Options{Revoke: snapchat.RevokeIgnored}, "/accounts/oauth2/revoke", 200, 200, 200},
		"missing":      {snapchat.Options{Revoke: snapchat.RevokeMissing}, "/accounts/oauth2/revoke", 404, 200, 200},
		"elsewhere":    {snapchat.Options{RevokePath: "/login/oauth2/revoke"}, "/login/oauth2/revoke", 200, 401, 401},
	} {
		s := newSim(t, c.opts, some()...)
		access, refresh := s.consented()
		other, _ := s.consented()
		r := s.do("POST", c.path, "", url.Values{"token": {refresh}, "client_id": {"c"}, "client_secret": {"s"}})
		if r.status != c.status {
			t.Errorf("%s: %d", name, r.status)
		}
		refused := s.refresh(refresh).status == 400
		if worked := c.status == 200 && c.opts.Revoke != snapchat.RevokeIgnored; refused != worked {
			t.Errorf("%s: the refresh token is refused: %v", name, refused)
		}
		if a, o := s.get(access, orgProfiles), s.get(other, orgProfiles); a.status != c.access || o.status != c.sameself {
			t.Errorf("%s: access token %d, other consent's %d", name, a.status, o.status)
		}
	}
}
