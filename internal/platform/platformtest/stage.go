package platformtest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// stage is what a check plays on: one lookup of a subject, and a server.
type stage struct {
	Subject
	by       platform.Lookup
	limits   platform.Read
	endpoint string
	known    []Said
	now      func() time.Time
}

// accounts is a full batch whose outcomes take turns.
func (st stage) accounts(outcomes ...platform.Outcome) []Said {
	said := make([]Said, max(st.limits.Batch, len(outcomes)))
	for i := range said {
		said[i] = Said{Ref: st.Fixture.Account(i), Outcome: outcomes[i%len(outcomes)]}
	}
	return said[:st.limits.Batch]
}

// key is what ref is looked up by.
func (st stage) key(ref platform.AccountRef) string {
	if st.by == platform.ByID {
		return ref.ID
	}
	return ref.Handle
}

// named is ref without the handle where it is looked up by its id: the handle is a
// hint, which no outcome here hangs on.
func (st stage) named(ref platform.AccountRef) platform.AccountRef {
	if st.by == platform.ByID {
		ref.Handle = ""
	}
	return ref
}

func (st stage) refs(said []Said) []platform.AccountRef {
	refs := make([]platform.AccountRef, len(said))
	for i := range said {
		refs[i] = st.named(said[i].Ref)
	}
	return refs
}

// respond answers a lookup that Parse has accepted.
type respond func(w http.ResponseWriter, r *http.Request, keys []string)

// serve starts the platform: Aux and Parse are the fixture's, the rest is answer.
func (st stage) serve(t *testing.T, answer respond) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if st.Fixture.Aux(w, r) {
			return
		}
		by, keys, err := st.Fixture.Parse(r)
		if err != nil || by != st.by {
			t.Errorf("the platform would not accept %s %s as a lookup by %s: %v", r.Method, r.URL, st.by, err)
		}
		s.mu.Lock()
		s.asked = append(s.asked, keys)
		s.mu.Unlock()
		answer(w, r, keys)
	}))
	t.Cleanup(s.Close)
	return s
}

// server is a platform; asked are the keys of each lookup.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked [][]string
}

func (s *server) lookups() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// tell answers with what said holds on the accounts that are asked for: last first,
// or in the order of the request where each has its place.
func (st stage) tell(said []Said) respond {
	if st.positional() {
		return st.tellInOrder(said)
	}
	return func(w http.ResponseWriter, _ *http.Request, keys []string) {
		wanted := make(map[string]bool, len(keys))
		for _, k := range keys {
			wanted[fold(k)] = true
		}
		var out []Said
		for i := len(said) - 1; i >= 0; i-- {
			if wanted[fold(st.key(said[i].Ref))] {
				out = append(out, said[i])
			}
		}
		st.write(w, out)
	}
}

// always answers with said, whatever is asked.
func (st stage) always(said ...Said) respond {
	return func(w http.ResponseWriter, _ *http.Request, _ []string) { st.write(w, said) }
}

func (st stage) write(w http.ResponseWriter, said []Said) {
	st.Fixture.Limits(w.Header(), st.usage())
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(st.Fixture.Answer(st.by, said))
}

// budget is the first that the lookup is counted against.
func (st stage) budget() platform.Budget {
	b, _ := st.Adapter.Budget(st.limits.Charges[0].Bucket)
	return b
}

// usage is what the suite's servers tell of the bucket.
func (st stage) usage() platform.Usage {
	return platform.Usage{
		Bucket:    st.budget().Bucket,
		Limit:     st.budget().Limit,
		Remaining: st.budget().Limit / 2,
		ResetsAt:  Now.Add(st.budget().Window / 2),
	}
}

// client is an open observer and a record of what it did.
type client struct {
	platform.Observer
	mu    sync.Mutex
	hosts []string
	usage []platform.Usage
}

// open opens the adapter on the stage's endpoint; edit, if any, changes the transport.
func (st stage) open(t *testing.T, edit func(*platform.TransportConfig)) *client {
	t.Helper()
	cfg := platform.TransportConfig{Endpoint: st.endpoint, MaxBody: maxBody}
	if edit != nil {
		edit(&cfg)
	}
	c := &client{}
	guarded := platform.NewHTTPClient(cfg)
	t.Cleanup(guarded.CloseIdleConnections)
	inner := guarded.Transport
	guarded.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		c.mu.Lock()
		c.hosts = append(c.hosts, r.URL.Host)
		c.mu.Unlock()
		return inner.RoundTrip(r)
	})
	t.Cleanup(func() { closeIdle(inner) })
	opened, err := st.Adapter.Open(platform.Config{
		Endpoint: st.endpoint, Hosts: st.Adapter.HostsAt(st.endpoint), App: st.App, HTTP: guarded, Now: st.now,
		Usage: func(u platform.Usage) {
			c.mu.Lock()
			c.usage = append(c.usage, u)
			c.mu.Unlock()
		},
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	if opened.Observe == nil {
		t.Skip("the adapter does not observe")
	}
	c.Observer = opened.Observe
	t.Cleanup(func() {
		for _, host := range c.requests() {
			if host != originOf(st.endpoint).Host {
				t.Errorf("a request went to %s, the endpoint is %s", host, st.endpoint)
			}
		}
	})
	return c
}

func (c *client) requests() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hosts
}

func (c *client) usages() []platform.Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.usage
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func closeIdle(rt http.RoundTripper) {
	if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func originOf(base string) *url.URL {
	u, err := url.Parse(base)
	if err != nil {
		return &url.URL{}
	}
	return u
}
