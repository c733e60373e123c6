package consent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/shard"
)

const shards = 3

// replica is a front that serves on the loopback.
type replica struct {
	*Front
	browsers string
	desk     *Desk
	clock    *clocktesting.FakePassiveClock
}

// site are replicas that know of each other by a table, as by leases.
type site struct {
	*testing.T
	layout  shard.Layout
	holders map[int]string
}

func newFronts(t *testing.T) *site {
	t.Helper()
	layout, err := shard.NewLayout(shards)
	if err != nil {
		t.Fatal(err)
	}
	return &site{T: t, layout: layout, holders: map[int]string{}}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// begin starts a replica that holds some shards; end ends it.
func (s *site) begin(held ...int) (r *replica, end func()) {
	s.Helper()
	r = &replica{desk: NewDesk("https://mithaq.edu.example"), clock: clocktesting.NewFakePassiveClock(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))}
	r.Front = &Front{
		Layout: s.layout, Address: freePort(s.T), PeerAddress: freePort(s.T), Clock: r.clock,
		Locate: func(i int) (string, bool) { text, ok := s.holders[i]; return text, ok },
	}
	announced, err := r.Announce()
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	for _, i := range held {
		r.Open(ctx, i, r.desk)
		s.holders[i] = announced
	}
	r.clock.SetTime(r.clock.Now().Add(gathering))
	done := make(chan error, 1)
	go func() { done <- r.Start(ctx) }()
	r.browsers = "http://" + r.Address
	s.reached(r.Address, r.PeerAddress)
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			s.Errorf("a front ended: %v", err)
		}
	}
	s.Cleanup(end)
	return r, end
}

// reached waits until somebody listens.
func (s *site) reached(addresses ...string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	for _, a := range addresses {
		for {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a)
			if err == nil {
				_ = conn.Close()
				break
			}
			if ctx.Err() != nil {
				s.Fatal(err)
			}
		}
	}
}

// uidOf is the UID of an account of a shard.
func (s *site) uidOf(i int) string {
	for n := 0; ; n++ {
		if uid := fmt.Sprint("uid-", n); s.layout.Of(types.UID(uid)) == i {
			return uid
		}
	}
}

func offerOf(uid string) custody.Offer {
	return custody.Offer{UID: uid, Nonce: nonce, Account: types.NamespacedName{Namespace: "edu", Name: uid}, Platform: "X", Handle: "edu_riyadh"}
}

func TestAnyReplicaTakesAConsentToTheHolder(t *testing.T) {
	s := newFronts(t)
	one, _ := s.begin(0, 2)
	two, _ := s.begin(1)
	for i, r := range map[int]*replica{0: one, 1: two, 2: one} {
		uid := s.uidOf(i)
		r.desk.Offer(offerOf(uid))
		page := strings.TrimPrefix(r.desk.URL(uid, nonce), "https://mithaq.edu.example")
		for _, at := range []*replica{one, two} {
			status, body, header := get(t, at.browsers+page)
			if status != http.StatusOK || !strings.Contains(body, "edu_riyadh") || len(header.Values("Content-Security-Policy")) != 1 {
				t.Errorf("shard %d: the page is %d, %v: %s", i, status, header, body)
			}
			if status, _, _ := get(t, callback(at.browsers, custody.State(uid, "guess"), code)); status != http.StatusNotFound {
				t.Errorf("shard %d: a guessed nonce: %d", i, status)
			}
			if status, _, _ := get(t, at.browsers+pathCallback+"?"+url.Values{"state": {custody.State(uid, nonce)}, "error": {"access_denied"}}.Encode()); status != http.StatusOK {
				t.Errorf("shard %d: declined: %d", i, status)
			}
		}
	}
	// Of shard 1 at the other, and of shard 0 where it is held: each once.
	for i, at := range map[int]*replica{1: one, 0: one} {
		uid, holder := s.uidOf(i), map[int]*replica{0: one, 1: two}[i]
		if status, body, _ := get(t, callback(at.browsers, custody.State(uid, nonce), code)); status != http.StatusOK || strings.Contains(body, "canary") {
			t.Errorf("shard %d: the code: %d: %s", i, status, body)
		}
		for _, again := range []*replica{one, two} {
			if status, _, _ := get(t, callback(again.browsers, custody.State(uid, nonce), "second")); status != http.StatusNotFound {
				t.Errorf("shard %d: a second code: %d", i, status)
			}
		}
		if _, got, ok := holder.desk.Code(uid); !ok || got != platform.Token(code) {
			t.Errorf("shard %d: the holder has not the code", i)
		}
	}
	if _, _, ok := one.desk.Code(s.uidOf(1)); ok {
		t.Error("who hands a code on keeps it")
	}
}

// Nobody who could take it answers: the browser comes again, and the offer is as good as
// before.
func TestAConsentWaitsForTheNextHolder(t *testing.T) {
	s := newFronts(t)
	one, _ := s.begin(0)
	two, end := s.begin(1)
	uid := s.uidOf(1)
	address := callback(one.browsers, custody.State(uid, nonce), code)
	waits := func(what, address string) {
		t.Helper()
		status, body, header := get(t, address)
		if status != http.StatusServiceUnavailable || header.Get("Refresh") != "10" || header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(body, "within a minute") || !strings.Contains(body, "خلال دقيقة") || strings.Contains(body, "canary") {
			t.Errorf("%s: %d, %v: %s", what, status, header, body)
		}
	}
	waits("a shard that nobody holds", callback(one.browsers, custody.State(s.uidOf(2), nonce), code))
	end()
	waits("a holder that is gone", address)
	stranger := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a stranger at the address of the former holder gets %s", r.URL.Path)
	}))
	defer stranger.Close()
	gone, err := parsePeer(s.holders[1])
	if err != nil {
		t.Fatal(err)
	}
	s.holders[1] = peer{stranger.Listener.Addr().String(), gone.pin}.String()
	waits("somebody else at its address", address)
	s.holders[1] = "nonsense"
	waits("an announcement that is none", address)
	next, _ := s.begin(1)
	next.desk.Offer(offerOf(uid))
	if status, _, _ := get(t, address); status != http.StatusOK {
		t.Errorf("the next holder: %d", status)
	}
	if _, _, ok := next.desk.Code(uid); !ok {
		t.Error("the next holder has not the code")
	}
	if _, _, ok := two.desk.Code(uid); ok {
		t.Error("the former holder has it")
	}
}

// What a replica hands on is handed on once: two that believe it of each other do not
// send it around.
func TestWhatWasHandedOnIsHandedOnNoMore(t *testing.T) {
	s := newFronts(t)
	one, _ := s.begin(0)
	two, _ := s.begin(1)
	two.Locate = func(int) (string, bool) { return s.holders[0], true }
	s.holders[2] = s.holders[1]
	if status, _, _ := get(t, callback(one.browsers, custody.State(s.uidOf(2), nonce), code)); status != http.StatusServiceUnavailable {
		t.Errorf("got %d", status)
	}
}

func TestAFrontRefusesWhatIsForNoAccount(t *testing.T) {
	s := newFronts(t)
	one, _ := s.begin(0, 1, 2)
	for path, want := range map[string]int{
		"/": http.StatusNotFound, pathHealth: http.StatusOK, pathConsent + "x": http.StatusNotFound, pathConsent + "00000000000000zz.a": http.StatusNotFound,
		pathCallback: http.StatusBadRequest, pathCallback + "?state=a.b&state=a.b&code=c": http.StatusBadRequest, pathCallback + "?state=a.b&code=c": http.StatusNotFound,
	} {
		if status, _, header := get(t, one.browsers+path); status != want || header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	resp, err := http.Post(callback(one.browsers, custody.State(s.uidOf(0), nonce), code), "text/plain", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 4 {
		t.Errorf("a POST: %d", resp.StatusCode)
	}
}

func TestOthersNeedAnAddress(t *testing.T) {
	for name, c := range map[string]struct {
		address, host, want string
	}{
		"a pod":        {":8083", "10.0.0.7", "10.0.0.7:8083 "},
		"unspecified":  {"0.0.0.0:8083", "10.0.0.7", "10.0.0.7:8083 "},
		"a pod, IPv6":  {":8083", "fd00::7", "[fd00::7]:8083 "},
		"a named host": {"127.0.0.1:8083", "10.0.0.7", "127.0.0.1:8083 "},
		"none":         {":8083", "", ""},
		"no port":      {"localhost", "10.0.0.7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Front{PeerAddress: c.address, Host: c.host, Clock: clocktesting.NewFakePassiveClock(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))}
			got, err := f.Announce()
			if (err != nil) != (c.want == "") || !strings.HasPrefix(got, c.want) {
				t.Fatalf("got %q, %v", got, err)
			}
			if _, parsed := parsePeer(got); (parsed != nil) != (c.want == "") || parsed != nil && !errors.Is(parsed, errPeer) {
				t.Errorf("parsing %q: %v", got, parsed)
			}
		})
	}
}
