package platformtest

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
)

// Said is what a platform says of one account.
type Said struct {
	Ref     platform.AccountRef
	Outcome platform.Outcome
}

// Fixture speaks one platform's wire format for a server of the suite.
type Fixture interface {
	// Account is the i-th of any number of different accounts, with a valid ID and
	// Handle.
	Account(i int) platform.AccountRef
	// Parse says which accounts a lookup asks for, by id or handle. It fails if the
	// platform would not accept the request: method, path, parameters, credential.
	Parse(r *http.Request) (by platform.Lookup, keys []string, err error)
	// Aux answers a request that is no lookup, such as one for a token, and reports
	// whether it was one.
	Aux(w http.ResponseWriter, r *http.Request) bool
	// Answer is the body, with status 200, that says said. It may name an account
	// twice, and accounts that nobody asked for.
	Answer(by platform.Lookup, said []Said) []byte
	// Limits writes the headers that tell u.
	Limits(h http.Header, u platform.Usage)
}

// Subject is an adapter and what it is tried with.
type Subject struct {
	Adapter platform.Adapter
	// App is an app Secret that Fixture and Endpoint accept.
	App platform.Secret
	// Fixture plays the platform; nil leaves the hostile checks out.
	Fixture Fixture
	// Endpoint is a server that plays the platform truthfully, or "". Known are
	// accounts that it has, or has not.
	Endpoint string
	Known    []Said
	// Sight, if it is Blurred, says what can be known at Endpoint without a Fixture.
	Sight any
	// Now is Endpoint's clock; nil means a clock that stands at Now.
	Now func() time.Time
}

// Now is the time by the clock that the suite gives to the adapter.
var Now = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// maxBody is the bound on answers that the suite sets.
const maxBody = 1 << 20

// Run runs the suite.
func Run(t *testing.T, s Subject) {
	t.Helper()
	clock := func() time.Time { return Now }
	t.Run("declaration", func(t *testing.T) { checkDeclaration(t, s) })
	if s.Fixture != nil {
		t.Run("activity", func(t *testing.T) { checkActivity(t, stage{Subject: s, now: clock}) })
		t.Run("reread", func(t *testing.T) { checkRereads(t, stage{Subject: s, now: clock}) })
		t.Run("custody", func(t *testing.T) { checkCustody(t, stage{Subject: s, now: clock}) })
	}
	for _, by := range slices.Sorted(maps.Keys(s.Adapter.Profiles)) {
		if s.Fixture != nil {
			t.Run(string(by), func(t *testing.T) { runFixture(t, stage{Subject: s, by: by, now: clock}) })
		}
		if s.Endpoint != "" {
			st := stage{Subject: s, by: by, endpoint: s.Endpoint, known: s.Known, now: clock}
			if s.Now != nil {
				st.now = s.Now
			}
			t.Run(string(by)+" live", func(t *testing.T) { checkTruthful(t, st) })
		}
	}
}

func runFixture(t *testing.T, st stage) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	st.limits = st.Adapter.Profiles[st.by]
	t.Run("truthful", func(t *testing.T) {
		st := st
		st.known = st.accounts(platform.Found, platform.Suspended, platform.NotFound)
		st.endpoint = st.serve(t, st.tell(st.known)).URL
		checkTruthful(t, st)
	})
	t.Run("hostile", func(t *testing.T) { checkHostile(t, st) })
	t.Run("refusal", func(t *testing.T) { checkRefusals(t, st) })
	t.Run("outage", func(t *testing.T) { checkOutages(t, st) })
	t.Run("context", func(t *testing.T) { checkContext(t, st) })
	t.Run("usage", func(t *testing.T) { checkUsage(t, st) })
}

// checkDeclaration looks at what the adapter says of itself.
func checkDeclaration(t *testing.T, s Subject) {
	a := s.Adapter
	if a.Name == "" || a.Open == nil || originOf(a.Endpoint).Scheme != "https" {
		t.Errorf("Name %q, Endpoint %q (want https) or Open is missing", a.Name, a.Endpoint)
	}
	cfg := platform.Config{
		Endpoint: a.Endpoint,
		Hosts:    a.Hosts,
		HTTP:     platform.NewHTTPClient(platform.TransportConfig{Endpoint: a.Endpoint}),
		Usage:    func(platform.Usage) {},
		Now:      func() time.Time { return Now },
	}
	if _, err := a.Open(cfg); err == nil || platform.KindOf(err) != platform.KindInvalid {
		t.Errorf("Open without an app Secret: got %v, want KindInvalid", err)
	}
	cfg.App = s.App
	client, err := a.Open(cfg)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	for what, set := range map[string][2]bool{
		"Observe, Profiles":   {client.Observe != nil, len(a.Profiles) > 0},
		"Activity, Streams":   {client.Activity != nil, len(a.Streams) > 0},
		"Reread, Rereads":     {client.Reread != nil, a.Rereads.Batch > 0},
		"Issue, Consent":      {client.Issue != nil, client.Consent != nil},
		"Revoke, Reach":       {client.Revoke != nil, a.CustodyOf(client).Reach != "" && a.CustodyOf(client).Reach != platform.ReachNone},
		"Identify, Principal": {client.Identify != nil, a.Custody.Principal != ""},
	} {
		if set[0] != set[1] {
			t.Errorf("%s: the one is set: %v, the other: %v", what, set[0], set[1])
		}
	}
	checkReads(t, a)
}
