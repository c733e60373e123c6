package platformtest_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
)

const toyKeyValue = "the-toy-key"

// faultVariable makes TestOneFault run, in a process of its own.
const faultVariable = "MITHAQ_PLATFORMTEST_FAULT"

func subject(fault string) platformtest.Subject {
	return platformtest.Subject{
		Adapter: toyAdapter(fault),
		App:     platform.Secret{"key": []byte(toyKeyValue)},
		Fixture: toyFixture{},
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(faultVariable) != "" {
		os.Exit(m.Run()) // a fault may leak
	}
	goleak.VerifyTestMain(m)
}

func TestSuitePassesARightAdapter(t *testing.T) { platformtest.Run(t, subject("")) }

func TestOneFault(t *testing.T) {
	fault := os.Getenv(faultVariable)
	if fault == "" {
		t.Skip("runs as a child of TestSuiteFindsFaults")
	}
	platformtest.Run(t, subject(fault))
}

// The suite must find each fault, by the check that is there for it.
func TestSuiteFindsFaults(t *testing.T) {
	faults := map[string]string{
		"opens without a key":        "declaration",
		"no batch limit":             "id/truthful/too_many_accounts,_no_request",
		"asks for nothing":           "handle/truthful/no_accounts,_no_request",
		"loses the last":             "id/truthful/order_and_completeness",
		"sends anything":             "id/refusal/key_a&b=c",
		"believes foreigners":        "handle/hostile/another_account_in_its_place",
		"believes contradictions":    "id/hostile/found_and_missing",
		"silence is absence":         "id/hostile/one_left_out",
		"answers with the question":  "id/hostile/identity",
		"ignores its context":        "id/context/before_the_answer",
		"brings its own client":      "id/hostile/redirect",
		"tells the URL":              "id/outage/refused",
		"tells the answer":           "id/outage/HTML_with_200",
		"tells its key":              "id/refusal",
		"keeps the limits to itself": "id/usage",
		"429 is an outage":           "handle/outage/429_with_reset",
		"reads any status":           "id/outage/Service_Unavailable",
		"errors of its own":          "id/outage/Bad_Gateway",
	}
	for fault, check := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			only := "-test.run=^TestOneFault$/^" + strings.ReplaceAll(regexp.QuoteMeta(check), "/", "$/^") + "$"
			cmd := exec.CommandContext(t.Context(), os.Args[0], only, "-test.v", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("the suite passes")
			}
			if !strings.Contains(string(out), "--- FAIL: TestOneFault/"+check) {
				t.Errorf("%s did not fail:\n%s", check, failures(string(out)))
			}
		})
	}
}

func failures(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "--- FAIL") || strings.Contains(line, "panic") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// A server of one's own is asked for the accounts that it is said to know.
func TestRunAgainstAnEndpoint(t *testing.T) {
	known := []platformtest.Said{
		{Ref: platform.AccountRef{ID: "1", Handle: "T1"}, Outcome: platform.Found},
		{Ref: platform.AccountRef{ID: "2"}, Outcome: platform.Suspended},
		{Ref: platform.AccountRef{ID: "3", Handle: "T3"}, Outcome: platform.NotFound},
	}
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		by, keys, err := toyFixture{}.Parse(r)
		if err != nil {
			t.Error(err)
		}
		var said []platformtest.Said
		for _, k := range known {
			for _, key := range keys {
				if toyKey(by, k.Ref) == key {
					said = append(said, k)
				}
			}
		}
		_, _ = w.Write(toyFixture{}.Answer(by, said))
	}))
	t.Cleanup(srv.Close)
	s := subject("")
	s.Fixture, s.Endpoint, s.Known = nil, srv.URL, known
	platformtest.Run(t, s)
	if asked == 0 {
		t.Error("the server was not asked")
	}
}

// An adapter that cannot observe is left alone.
func TestNilCapability(t *testing.T) {
	s := subject("")
	s.Adapter.Profiles = nil
	s.Adapter.Open = func(cfg platform.Config) (*platform.Client, error) {
		if len(cfg.App) == 0 {
			return nil, &platform.Error{Kind: platform.KindInvalid, Op: "open"}
		}
		return &platform.Client{}, nil
	}
	platformtest.Run(t, s)
}
