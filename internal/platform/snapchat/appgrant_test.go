package snapchat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// till is a store whose saves can fail, and a record of what it held.
type till struct {
	mu      sync.Mutex
	grant   platform.Grant
	fail    int // so many saves fail
	saved   []platform.Token
	refuses error
}

func (s *till) Load(context.Context) (platform.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grant, s.refuses
}

func (s *till) Save(_ context.Context, prev, next platform.Grant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return errors.New("the store is down")
	}
	if prev.Refresh != s.grant.Refresh {
		return errors.New("another stood there")
	}
	s.grant = next
	s.saved = append(s.saved, next.Refresh)
	return nil
}

// mint is a platform whose refresh tokens r0, r1, … are spent by their use. Access
// tokens are a1, a2, …; only the newest is accepted.
type mint struct {
	t     *testing.T
	store *till
	mu    sync.Mutex
	now   time.Time
	n     int
	lose  int // so many answers to refreshes are lost, after taking effect if spend
	spend bool
	asked []string // refresh tokens that were sent
}

func (m *mint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == endpointToken {
		refresh := r.PostFormValue("refresh_token")
		m.asked = append(m.asked, refresh)
		good := refresh == fmt.Sprintf("r%d", m.n)
		if m.lose > 0 {
			m.lose--
			if m.spend && good {
				m.n++
			}
			panic(http.ErrAbortHandler)
		}
		if !good {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			return
		}
		m.n++
		_, _ = fmt.Fprintf(w, `{"access_token":"a%d","refresh_token":"r%d","expires_in":3600}`, m.n, m.n)
		return
	}
	token := fmt.Sprintf("a%d", m.n)
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	m.store.mu.Lock()
	stored := m.store.grant.Access
	m.store.mu.Unlock()
	if stored != platform.Token(token) {
		m.t.Errorf("the token %s is used, and %q is stored", token, string(stored))
	}
	_, _ = w.Write([]byte(`{"request_status":"SUCCESS","public_profiles":[{"sub_request_status":"SUCCESS","public_profile":{"id":"p","snap_user_name":"h","display_name":"d"}}]}`))
}

func (m *mint) open(app platform.Secret) platform.Observer {
	m.t.Helper()
	srv := httptest.NewServer(m)
	m.t.Cleanup(srv.Close)
	client := platform.NewHTTPClient(platform.TransportConfig{Endpoint: srv.URL})
	m.t.Cleanup(client.CloseIdleConnections)
	base := platform.Secret{platform.KeyClientID: []byte("c"), platform.KeyClientSecret: []byte("s"), KeyRefreshToken: []byte("r0")}
	for k, v := range app {
		base[k] = v
	}
	c, err := Adapter().Open(platform.Config{
		Endpoint: srv.URL, HTTP: client, App: base, Grant: m.store, Usage: func(platform.Usage) {},
		Now: func() time.Time {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.now
		},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return c.Observe
}

func (m *mint) step(d time.Duration) {
	m.mu.Lock()
	m.now = m.now.Add(d)
	m.mu.Unlock()
}

func newMint(t *testing.T) *mint {
	return &mint{t: t, store: &till{}, now: time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)}
}

func look(t *testing.T, o platform.Observer) error {
	t.Helper()
	got, err := o.Observe(t.Context(), platform.ByID, []platform.AccountRef{{ID: "p"}})
	if err == nil && got[0].Outcome != platform.Found {
		t.Errorf("got %+v", got)
	}
	return err
}

func expectKind(t *testing.T, err error, want platform.Kind) {
	t.Helper()
	if err == nil || platform.KindOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestGrantRotates(t *testing.T) {
	m := newMint(t)
	o := m.open(nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := look(t, o); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	m.step(time.Hour)
	if err := look(t, o); err != nil || len(m.asked) != 2 || m.store.grant.Refresh != "r2" {
		t.Errorf("%v after %v", err, m.asked)
	}
	if err := look(t, m.open(nil)); err != nil || len(m.asked) != 2 { // a restart goes on from the store
		t.Errorf("after a restart: %v after %v", err, m.asked)
	}
}

// Another replica was faster: what it stored is used, and nothing is spent again.
func TestAnotherReplicaWasFaster(t *testing.T) {
	m := newMint(t)
	first, second := m.open(nil), m.open(nil)
	for range 2 {
		for _, o := range []platform.Observer{first, second} {
			if err := look(t, o); err != nil {
				t.Fatal(err)
			}
		}
		m.step(time.Hour)
	}
	if len(m.asked) != 2 {
		t.Errorf("sent %v", m.asked)
	}
}

// An answer that was lost is not spent for ever: the token is sent once more, and
// never a third time.
func TestLostRefresh(t *testing.T) {
	m := newMint(t)
	m.lose = 1
	o := m.open(nil)
	expectKind(t, look(t, o), platform.KindUnavailable)
	if err := look(t, o); err != nil {
		t.Errorf("the second time: %v", err)
	}
	m = newMint(t)
	m.lose, m.spend = 1, true
	o = m.open(nil)
	expectKind(t, look(t, o), platform.KindUnavailable)
	for range 3 {
		expectKind(t, look(t, o), platform.KindUnauthorized)
	}
	if len(m.asked) != 2 {
		t.Errorf("sent %v, want r0 twice", m.asked)
	}
}

// What came back is stored before it is used, however long the store is down.
func TestStoreIsDown(t *testing.T) {
	m := newMint(t)
	m.store.fail = 3
	o := m.open(nil)
	for m.store.fail > 0 {
		expectKind(t, look(t, o), platform.KindUnavailable)
	}
	if err := look(t, o); err != nil || len(m.asked) != 1 || m.store.grant.Refresh != "r1" {
		t.Errorf("%v after %v", err, m.asked)
	}
	m.store.refuses = errors.New("the store is down")
	m.step(time.Hour)
	expectKind(t, look(t, o), platform.KindUnavailable)
}

// A person consented anew and put the refresh token into the app Secret.
func TestSecretWasReplaced(t *testing.T) {
	m := newMint(t)
	m.store.grant = platform.Grant{Access: "old", Refresh: "dead"}
	o := m.open(nil)
	if err := look(t, o); err != nil || m.store.grant.Refresh != "r1" {
		t.Errorf("%v after %v", err, m.asked)
	}
}
