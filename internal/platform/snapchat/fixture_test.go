package snapchat_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
	"mithaq.dev/mithaq/internal/platform/snapchat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	goodToken    = "the-access-token"
	organization = "8fdeefec-f502-4ca8-9a84-6411e0a51053"
)

func app() platform.Secret {
	return platform.Secret{
		snapchat.KeyAccessToken: []byte(goodToken + "\n"),
		platform.KeyClientID:    []byte("the-client"), platform.KeyClientSecret: []byte("the-client-secret"),
	}
}

func TestConformance(t *testing.T) {
	platformtest.Run(t, platformtest.Subject{Adapter: snapchat.Adapter(), App: app(), Fixture: newFixture(t)})
}

// fixture speaks Snapchat's wire format out of the recorded examples.
type fixture struct {
	requests platformtest.Spec
	example  string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return &fixture{requests: platformtest.ReadSpec(t, "testdata/requests.json"), example: file(t, "profiles.json")}
}

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (f *fixture) Account(i int) platform.AccountRef {
	return platform.AccountRef{ID: fmt.Sprintf("76da494b-76bc-4bbb-bb27-%012d", i), Handle: fmt.Sprintf("account.%d", i)}
}

func (f *fixture) Parse(r *http.Request) (platform.Lookup, []string, error) {
	name, path, err := f.requests.Check(r)
	if err != nil {
		return "", nil, err
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+goodToken || r.Header.Get("Content-Type") != "application/json" {
		return "", nil, fmt.Errorf("the credential is %q", got)
	}
	query := r.URL.Query()
	switch name {
	case "GET /public/v1/public_profiles/:id":
		return platform.ByID, []string{path["id"]}, nil
	case "GET /public/v1/public_profiles/search":
		if query.Get("tier") != "TIER_PUBLIC" || query.Get("includeStandard") != "true" || !query.Has("category") {
			return "", nil, fmt.Errorf("the search hides profiles: %s", r.URL)
		}
		return platform.ByHandle, []string{query.Get("query")}, nil
	}
	return "", nil, fmt.Errorf("%s is no lookup", name)
}

func (f *fixture) Aux(http.ResponseWriter, *http.Request) bool { return false }

// Sees: a failure that is not about absence is none of the account's, and a search
// never tells that there is nobody.
func (f *fixture) Sees(by platform.Lookup, o platform.Outcome) platform.Outcome {
	if o == platform.Suspended || o == platform.NotFound && by == platform.ByHandle {
		return platform.Unanswered
	}
	return o
}

func (f *fixture) Answer(_ platform.Lookup, said []platformtest.Said) []byte {
	items := []any{}
	for _, s := range said {
		p := f.profile(s.Ref)
		switch s.Outcome {
		case platform.Found:
			items = append(items, map[string]any{"sub_request_status": "success", "public_profile": p})
		case platform.Suspended:
			items = append(items, map[string]any{
				"sub_request_status": "ERROR", "sub_request_error_reason": "PROFILE_SUSPENDED",
				"public_profile": map[string]any{"id": s.Ref.ID, "snap_user_name": s.Ref.Handle},
			})
		default:
			items = append(items, map[string]any{
				"sub_request_status": "ERROR", "sub_request_error_reason": "Not found",
				"public_profile": map[string]any{"id": s.Ref.ID, "snap_user_name": s.Ref.Handle},
			})
		}
	}
	return marshal(map[string]any{"request_status": "PARTIAL", "request_id": "1", "public_profiles": items})
}

func (f *fixture) profile(ref platform.AccountRef) map[string]any {
	var example struct {
		Profiles []struct {
			Profile map[string]any `json:"public_profile"`
		} `json:"public_profiles"`
	}
	if err := json.Unmarshal([]byte(f.example), &example); err != nil {
		panic(err)
	}
	p := example.Profiles[0].Profile
	p["id"], p["snap_user_name"] = ref.ID, ref.Handle
	return p
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// Limits: no header tells any.
func (f *fixture) Limits(http.Header, platform.Usage) {}

func (f *fixture) Act(_ platform.Stream, account platform.AccountRef, i int) platform.Act {
	id := fmt.Sprintf("spot_%s_%d", account.ID[30:], i)
	return platform.Act{
		ID: id, Action: platform.Publish, At: platformtest.Now.Add(time.Duration(i)*time.Minute - 24*time.Hour),
		Text: "Title\nإعلان", Links: []string{"https://edu.example/" + id}, URL: "https://www.snapchat.com/spotlight/" + id,
	}
}

func (f *fixture) Play(w http.ResponseWriter, r *http.Request, _ platform.Stream, acts func(string) []platform.Act) error {
	name, path, err := f.requests.Check(r)
	if err != nil {
		return err
	}
	if name != "GET /v1/public_profiles/:id/spotlights" || r.Header.Get("Authorization") != "Bearer CANARY-token" {
		return fmt.Errorf("%s is not sent as the account", name)
	}
	query := r.URL.Query()
	if query.Has("limit") { // which is the largest is not documented: this platform takes none
		w.WriteHeader(http.StatusBadRequest)
		_, err := w.Write([]byte(`{"request_status":"ERROR","request_id":"1","error_code":"E1001"}`))
		return err
	}
	items := []any{}
	for i, a := range acts(path["id"]) {
		var at any = a.At.Format(time.RFC3339)
		if i%2 == 1 {
			at = a.At.UnixMilli()
		}
		items = append(items, map[string]any{"sub_request_status": "SUCCESS", "spotlight": map[string]any{
			"id": a.ID, "profile_id": path["id"], "created_at": at, "title": "Title", "caption": "إعلان", "link": a.Links[0],
		}})
	}
	at, _ := strconv.Atoi(query.Get("cursor"))
	at = min(at, len(items))
	end, paging := min(at+3, len(items)), map[string]any{}
	if end < len(items) {
		paging["next_link"] = "https://businessapi.snapchat.com" + r.URL.Path + "?cursor=" + strconv.Itoa(end)
	}
	_, err = w.Write(marshal(map[string]any{"request_status": "SUCCESS", "spotlights": items[at:end], "paging": paging}))
	return err
}

func (f *fixture) PlayPosts(http.ResponseWriter, *http.Request, func(string) (platform.Act, bool)) error {
	return fmt.Errorf("single posts are not looked up")
}
