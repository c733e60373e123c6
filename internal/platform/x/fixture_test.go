package x_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
	"mithaq.dev/mithaq/internal/platform/x"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	goodToken  = "AAAA-good-token"
	goodKey    = "the-api-key"
	goodSecret = "the-api-secret"
)

func tokenApp() platform.Secret {
	return platform.Secret{
		x.KeyAppToken:            []byte(goodToken + "\n"),
		platform.KeyClientID:     []byte("the-client"),
		platform.KeyClientSecret: []byte("the-client-secret"),
	}
}

func pairApp() platform.Secret {
	return platform.Secret{
		x.KeyAPIKey: []byte(goodKey), x.KeyAPISecret: []byte(goodSecret), platform.KeyClientID: []byte("the-client"),
	}
}

func TestConformance(t *testing.T) {
	for name, app := range map[string]platform.Secret{"token": tokenApp(), "key pair": pairApp()} {
		t.Run(name, func(t *testing.T) {
			platformtest.Run(t, platformtest.Subject{Adapter: x.Adapter(), App: app, Fixture: newFixture(t)})
		})
	}
}

// fixture speaks X's wire format out of the recorded examples.
type fixture struct {
	requests                 platformtest.Spec
	user, missing, suspended map[string]any

	mu     sync.Mutex
	tokens int // how often a token was asked for
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{}
	f.requests = platformtest.ReadSpec(t, "testdata/requests.json")
	recorded(t, "user.json", &f.user)
	recorded(t, "missing.json", &f.missing)
	recorded(t, "suspended.json", &f.suspended)
	return f
}

func recorded(t testing.TB, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(file(t, name), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (f *fixture) Account(i int) platform.AccountRef {
	return platform.AccountRef{ID: strconv.Itoa(1_000_000 + i), Handle: fmt.Sprintf("Account_%d", i)}
}

func (f *fixture) Parse(r *http.Request) (platform.Lookup, []string, error) {
	if _, _, err := f.requests.Check(r); err != nil {
		return "", nil, err
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+goodToken {
		return "", nil, fmt.Errorf("the credential is %q", got)
	}
	if r.URL.Path == "/2/users" {
		return platform.ByID, strings.Split(r.URL.Query().Get("ids"), ","), nil
	}
	return platform.ByHandle, strings.Split(r.URL.Query().Get("usernames"), ","), nil
}

// Aux is the token endpoint of x.md, section 2.
func (f *fixture) Aux(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/oauth2/token" {
		return false
	}
	f.mu.Lock()
	f.tokens++
	f.mu.Unlock()
	key, secret, _ := r.BasicAuth()
	if r.Method != http.MethodPost || key != goodKey || secret != goodSecret ||
		r.PostFormValue("grant_type") != "client_credentials" {
		http.Error(w, `{"errors":[{"code":99,"message":"Unable to verify your credentials"}]}`, http.StatusForbidden)
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"token_type":"bearer","access_token":%q}`, goodToken)
	return true
}

func (f *fixture) Answer(by platform.Lookup, said []platformtest.Said) []byte {
	answer := map[string][]map[string]any{}
	for _, s := range said {
		switch s.Outcome {
		case platform.Found:
			u := maps.Clone(f.user)
			u["id"], u["username"] = s.Ref.ID, s.Ref.Handle
			answer["data"] = append(answer["data"], u)
		case platform.Suspended:
			answer["errors"] = append(answer["errors"], about(f.suspended, by, s.Ref))
		default:
			answer["errors"] = append(answer["errors"], about(f.missing, by, s.Ref))
		}
	}
	b, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return b
}

// about turns a recorded problem into one about another account.
func about(problem map[string]any, by platform.Lookup, ref platform.AccountRef) map[string]any {
	key, parameter := ref.ID, "ids"
	if by == platform.ByHandle {
		key, parameter = ref.Handle, "usernames"
	}
	was, _ := problem["value"].(string)
	detail, _ := problem["detail"].(string)
	p := maps.Clone(problem)
	p["value"], p["resource_id"], p["parameter"] = key, key, parameter
	p["detail"] = strings.NewReplacer(was, key, "ids", parameter).Replace(detail)
	return p
}

func (f *fixture) Limits(h http.Header, u platform.Usage) {
	h.Set("x-rate-limit-limit", strconv.Itoa(u.Limit))
	h.Set("x-rate-limit-remaining", strconv.Itoa(u.Remaining))
	h.Set("x-rate-limit-reset", strconv.FormatInt(u.ResetsAt.Unix(), 10))
}
