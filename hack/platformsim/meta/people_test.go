package meta_test

import (
	"strings"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

const asset = "55502"

// staffed has a clerk, a direct admin and an agency on Page 1, and a clerk on
// Instagram account 2.
func staffed(t *testing.T) sim {
	t.Helper()
	s := newSim(t, meta.Options{}, page("1"), insta("2"))
	for _, p := range []world.Person{
		{Platform: world.Facebook, ID: "950", Name: "Old Admin"},
		{Platform: world.Facebook, ID: "800", Name: "Agency", Kind: world.Partner},
	} {
		if err := s.world.PutPerson(p); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []world.Role{
		{Platform: world.Facebook, Account: "1", Person: "902", Tasks: []string{"MODERATE"}},
		{Platform: world.Facebook, Account: "1", Person: "950", Tasks: []string{"MANAGE"}, Direct: true},
		{Platform: world.Facebook, Account: "1", Person: "800"},
		{Platform: world.Instagram, Account: "2", Person: "902", Tasks: []string{"CONTENT"}},
	} {
		if err := s.world.PutRole(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestPeopleWithAccess(t *testing.T) {
	s := staffed(t)
	own := s.pageToken("1")
	for path, want := range map[string]string{
		"/1/assigned_users?business=700&fields=id,name,user_type,tasks": "900 901 902",
		"/1/agencies": "800",
		"/" + asset + "/assigned_users?business=700&fields=id,name,user_type": "900 901 902",
		"/" + asset + "/agencies": "",
		"/700/business_users?fields=id,name,email,role,tasks,two_fac_status,pending_email": "901 902",
		"/700/system_users":           "900",
		"/700/owned_pages":            "1",
		"/700/owned_instagram_assets": asset,
		"/700/pending_users":          "",
		"/902/assigned_pages":         "1",
	} {
		ids, _ := s.walk(path, "human")
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	r := s.get("/1/roles?fields=id,name,tasks", own)
	if roles, _ := r.in("data").([]any); len(roles) != 4 || strings.Contains(r.raw, `"950"`) || !strings.Contains(r.raw, "Old Admin") {
		t.Errorf("roles, with ids of the Page's own: %s", r.raw)
	}
	s.get("/1/roles", "human").refused(t, "roles without page token", "400 210/<nil>")
	s.get("/1/assigned_users", "human").refused(t, "no business", "400 100/<nil>")
	if r := s.get("/700/business_users?fields=id,two_fac_status", "human"); r.in("data", 0, "two_fac_status") != "true" || r.in("data", 1, "two_fac_status") != "false" {
		t.Errorf("two factors: %s", r.raw)
	}
	if r := s.get("/"+asset+"?fields=id,ig_user_id,ig_username", "human"); r.in("ig_user_id") != "2" {
		t.Errorf("asset: %s", r.raw)
	}
	if r := s.get("/me/accounts?fields=id,name,access_token,tasks", "human"); r.in("data", 0, "id") != "1" || r.in("data", 0, "access_token") == nil || r.in("data", 0, "tasks", 0) != "MANAGE" {
		t.Errorf("accounts: %s", r.raw)
	}
}

func TestPeopleAreRemovedAndAssigned(t *testing.T) {
	s := staffed(t)
	for _, c := range []struct{ method, path, form, want string }{
		{"DELETE", "/1/assigned_users?user=902", "", ""},
		{"DELETE", "/1/assigned_users?user=902", "", "400 100/<nil>"},
		{"DELETE", "/1/assigned_users?user=950", "", "400 100/<nil>"},
		{"DELETE", "/1/agencies?business=800", "", ""},
		{"POST", "/1/assigned_users", "user=902&tasks=[\"CREATE_CONTENT\",\"MODERATE\"]", ""},
		{"POST", "/1/assigned_users", "user=902&tasks=RULE", "400 100/<nil>"},
		{"POST", "/1/assigned_users", "user=950&tasks=MODERATE", "400 100/<nil>"},
		{"DELETE", "/" + asset + "/assigned_users?user=902", "", ""},
		{"POST", "/" + asset + "/assigned_users", "user=902&tasks=CONTENT", ""},
		{"POST", "/" + asset + "/assigned_users", "user=902&tasks=MANAGE", "400 100/<nil>"},
		{"POST", "/700/business_users", "email=new@example.gov&role=EMPLOYEE", ""},
		{"POST", "/700", "two_factor_type=all_required", ""},
		{"POST", "/700", "two_factor_type=maybe", "400 100/<nil>"},
		{"DELETE", "/902", "", ""},
		{"DELETE", "/902", "", "400 100/33"},
		{"DELETE", "/901", "", "400 100/33"},
		{"DELETE", "/700/instagram_accounts?instagram_account=2", "", ""},
	} {
		r := s.call(c.method, "/v26.0"+c.path, "human", c.form)
		if c.want == "" {
			r.accepted(t, c.method+" "+c.path+" "+c.form)
		} else {
			r.refused(t, c.method+" "+c.path+" "+c.form, c.want)
		}
	}
	if r := s.get("/700?fields=two_factor_type", "human"); r.in("two_factor_type") != "all_required" {
		t.Errorf("two factors: %s", r.raw)
	}
	if ids, _ := s.walk("/700/pending_users", "human"); len(ids) != 1 {
		t.Errorf("invited: %v", ids)
	}
	for _, p := range []world.Platform{world.Facebook, world.Instagram} {
		if len(s.world.RolesOf(p, "902")) != 0 {
			t.Errorf("still there on %s", p)
		}
	}
}

func TestOnlyAdminsSeePeople(t *testing.T) {
	s := staffed(t)
	for _, m := range []world.Mint{
		{Platform: world.Facebook, Client: "1000", Person: "902", Value: "clerk", Scopes: strings.Fields(fbScopes)},
		{Platform: world.Facebook, Client: "1000", Person: "901", Value: "narrow", Scopes: []string{"pages_read_engagement"}},
	} {
		if _, _, err := s.world.Mint(m); err != nil {
			t.Fatal(err)
		}
	}
	s.get("/1/assigned_users?business=700", "clerk").refused(t, "clerk", "400 200/<nil>")
	s.call("DELETE", "/v26.0/1/assigned_users?user=900", "clerk", "").refused(t, "clerk removes", "400 200/<nil>")
	s.get("/700/business_users", "clerk").refused(t, "clerk, portfolio", "400 100/33")
	s.get("/700/business_users", "narrow").refused(t, "without scope", "400 10/<nil>")
	s.get("/902", "narrow").refused(t, "person, without scope", "400 10/<nil>")
	if len(s.world.Roles(world.Facebook, "1")) != 5 {
		t.Error("a refused removal removed somebody")
	}
}
