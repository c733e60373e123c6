package snapchat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
)

func testdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	exampleID = "76da494b-76bc-4bbb-bb27-c5a66fb0d1ab"
	exampleOr = "8fdeefec-f502-4ca8-9a84-6411e0a51053"
)

func TestContractExample(t *testing.T) {
	var body profiles
	if err := json.Unmarshal([]byte(testdata(t, "profiles.json")), &body); err != nil {
		t.Fatal(err)
	}
	want := platform.Observation{Outcome: platform.Found, Profile: &platform.Profile{
		ID: exampleID, Handle: "moexamples", DisplayName: "Ministry of Examples", Bio: "The official account", Website: "https://example.gov",
		Location: "Doha", AvatarURL: "https://cf-st.sc-cdn.net/a", Verified: true, Followers: 12345,
	}}
	if diff := cmp.Diff(want, single(exampleID, body.Profiles)); diff != "" {
		t.Error(diff)
	}
	if body.next() != "b2Zmc2V0" || len(found(exampleOr, body.Profiles)) != 1 || len(found("another", body.Profiles)) != 0 {
		t.Errorf("next %q", body.next())
	}
}

// Each of the three levels can say that there is no answer.
func TestThreeLevels(t *testing.T) {
	const profile = `"public_profile":{"id":"p","snap_user_name":"h","display_name":"d"}`
	body := func(status, item string) string {
		return `{"request_status":"` + status + `","public_profiles":[` + item + `]}`
	}
	item := func(status, more string) string { return `{"sub_request_status":"` + status + `",` + more + `}` }
	tests := map[string]struct {
		status int
		body   string
		want   platform.Outcome
		kind   platform.Kind // of the error
	}{
		"success":                  {200, body("SUCCESS", item("SUCCESS", profile)), platform.Found, ""},
		"lower case":               {200, body("success", item("success", profile)), platform.Found, ""},
		"partial":                  {200, body("PARTIAL", item("SUCCESS", profile)), platform.Found, ""},
		"the request failed":       {200, body("ERROR", ""), "", platform.KindUnavailable},
		"the request has no state": {200, body("", item("SUCCESS", profile)), "", platform.KindUnavailable},
		"the item failed":          {200, body("SUCCESS", item("ERROR", `"sub_request_error_reason":"INTERNAL"`)), platform.Unanswered, platform.KindUnavailable},
		"the item is partial":      {200, body("SUCCESS", item("PARTIAL", profile)), platform.Unanswered, platform.KindUnavailable},
		"the item has no state":    {200, body("SUCCESS", `{`+profile+`}`), platform.Unanswered, platform.KindUnavailable},
		"the item is absent":       {200, body("SUCCESS", item("FAILURE", `"sub_request_error_reason":"Not Found"`)), platform.NotFound, ""},
		"all fails as it is":       {200, body("ERROR", item("ERROR", `"sub_request_error_reason":"NOT_FOUND"`)), platform.NotFound, ""},
		"another profile":          {200, body("SUCCESS", item("SUCCESS", strings.Replace(profile, `"p"`, `"q"`, 1))), platform.Unanswered, platform.KindUnavailable},
		"malformed":                {200, body("SUCCESS", item("SUCCESS", `"public_profile":{"id":"p","snap_user_name":7}`)), platform.Unanswered, platform.KindUnavailable},
		"no items":                 {200, body("SUCCESS", ""), platform.Unanswered, platform.KindUnavailable},
		"404":                      {404, `{"request_status":"ERROR","error_code":"E1004"}`, platform.NotFound, ""},
		"404 of a proxy":           {404, `<html>`, "", platform.KindUnavailable},
		"404 of another service":   {404, `{"message":"no route"}`, "", platform.KindUnavailable},
		"403 empty":                {403, ``, "", platform.KindUnauthorized},
		"403 of a proxy":           {403, `<html>`, "", platform.KindUnavailable},
		"401":                      {401, ``, "", platform.KindUnauthorized},
		"400":                      {400, `{"request_status":"ERROR"}`, "", platform.KindInvalid},
		"418":                      {418, `{"request_status":"ERROR"}`, "", platform.KindInvalid},
		"429":                      {429, ``, "", platform.KindRateLimited},
		"503":                      {503, `{"request_status":"ERROR"}`, "", platform.KindUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := read1(tc.status, tc.body)
			if err == nil {
				err = got.Err
			}
			if got.Outcome != tc.want || (err == nil) != (tc.kind == "") || err != nil && platform.KindOf(err) != tc.kind {
				t.Errorf("got %+v, %v; want %s, %q", got, err, tc.want, tc.kind)
			}
		})
	}
}

// read1 is what an answer says of the account p.
func read1(status int, body string) (platform.Observation, error) {
	return hear("p", &platform.Answer{Status: status, Body: []byte(body)})
}

func TestPageIsDoubted(t *testing.T) {
	item := func(id, name, more string) string {
		return `{"sub_request_status":"SUCCESS","public_profile":{"id":"` + id + `","snap_user_name":"` + name + `","display_name":"d"` + more + `}}`
	}
	var body profiles
	text := `{"public_profiles":[` + strings.Join([]string{
		item("a", "a", ""), item("b", "b", ""), item("b", "other", ""), item("a", "a", ""),
		item("c", "c", `,"organization_id":"foreign"`), item("d", "d", `,"organization_id":"ours"`), `{"sub_request_status":"ERROR"}`,
	}, ",") + `]}`
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, o := range found("ours", body.Profiles) {
		ids = append(ids, o.Ref.ID)
	}
	if diff := cmp.Diff([]string{"a", "d"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestUnread(t *testing.T) {
	tests := map[string]struct {
		json string
		want platform.FieldSet
	}{
		"nothing": {`{}`, platform.Fields(platform.FieldVerified, platform.FieldFollowers, platform.FieldAvatar)},
		"all":     {`{"profile_tier":"TIER_STANDARD","subscriber_count":5,"logo_urls":{"original_logo_url":"https://a.example/x"}}`, 0},
		"odd":     {`{"profile_tier":"TIER_UNKNOWN","subscriber_count":"-1","website":"javascript:x","logo_urls":{"original_logo_url":"x"}}`, platform.Fields(platform.FieldVerified, platform.FieldFollowers, platform.FieldAvatar, platform.FieldWebsite)},
	}
	for name, tc := range tests {
		var p profile
		if err := json.Unmarshal([]byte(tc.json), &p); err != nil || p.malformed {
			t.Fatal(name, err)
		}
		if got := p.profile().Unread; got != tc.want {
			t.Errorf("%s: %b, want %b", name, got, tc.want)
		}
	}
}

func TestTimeOf(t *testing.T) {
	want := time.Date(2026, time.November, 20, 17, 0, 12, 0, time.UTC)
	for text, ok := range map[string]bool{
		`"2026-11-20T17:00:12Z"`: true, `"2026-11-20T20:00:12+03:00"`: true, `1795194012`: true, `1795194012000`: true, `"1795194012"`: true,
		``: false, `null`: false, `"soon"`: false, `-5`: false, `0`: false,
	} {
		got, told := timeOf(json.RawMessage(text))
		if told != ok || ok && !got.Equal(want) {
			t.Errorf("%s: %s, %v", text, got, told)
		}
	}
}

func TestOpenChecksTheSecret(t *testing.T) {
	base := func(more platform.Secret) platform.Secret {
		s := platform.Secret{platform.KeyClientID: []byte("c"), platform.KeyClientSecret: []byte("s"), KeyRefreshToken: []byte("r")}
		for k, v := range more {
			s[k] = v
		}
		return s
	}
	for name, tc := range map[string]struct {
		app  platform.Secret
		lack string
	}{
		"nothing":       {nil, platform.KeyClientID},
		"no secret":     {base(platform.Secret{platform.KeyClientSecret: nil}), platform.KeyClientSecret},
		"no token":      {base(platform.Secret{KeyRefreshToken: nil}), KeyRefreshToken},
		"organisations": {base(platform.Secret{KeyOrganizations: []byte("a-1, b-2\n")}), ""},
		"odd id":        {base(platform.Secret{KeyOrganizations: []byte("../a")}), KeyOrganizations},
		"odd path":      {base(platform.Secret{KeyRevokePath: []byte("https://elsewhere.example/")}), KeyRevokePath},
		"path":          {base(platform.Secret{KeyRevokePath: []byte("/login/oauth2/revoke")}), ""},
	} {
		_, err := keysOf(tc.app)
		if (err == nil) != (tc.lack == "") || err != nil && !strings.Contains(err.Error(), tc.lack) {
			t.Errorf("%s: got %v, want %q", name, err, tc.lack)
		}
	}
}

func FuzzDecodeProfiles(f *testing.F) {
	f.Add([]byte(testdata(f, "profiles.json")), 200)
	f.Add([]byte(`{"request_status":"ERROR","public_profiles":[{"sub_request_status":"ERROR","sub_request_error_reason":"NOT_FOUND"}]}`), 200)
	f.Add([]byte(`{"request_status":"error"}`), 404)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		got, err := hear(exampleID, &platform.Answer{Status: status, Body: body})
		if err != nil {
			return
		}
		if (got.Profile != nil) != (got.Outcome == platform.Found) || (got.Err != nil) != (got.Outcome == platform.Unanswered) ||
			got.Profile != nil && got.Profile.ID != exampleID || got.Outcome == platform.NotFound && status != 200 && status != 404 {
			t.Errorf("%+v", got)
		}
		var page profiles
		if json.Unmarshal(body, &page) == nil {
			for _, o := range found(exampleOr, page.Profiles) {
				if o.Profile == nil || o.Ref.ID == "" {
					t.Errorf("%+v", o)
				}
			}
		}
	})
}

func FuzzDecodeSpotlights(f *testing.F) {
	f.Add([]byte(`{"request_status":"SUCCESS","spotlights":[{"sub_request_status":"SUCCESS","spotlight":{"id":"s","created_at":"2026-11-20T17:00:12Z"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var s spotlights
		if json.Unmarshal(body, &s) != nil {
			return
		}
		acts, err := s.acts("p")
		if err == nil && len(acts) != len(s.Spotlights) {
			t.Errorf("%d acts of %d", len(acts), len(s.Spotlights))
		}
		for _, a := range acts {
			if a.ID == "" || a.At.IsZero() {
				t.Errorf("%+v", a)
			}
		}
	})
}
