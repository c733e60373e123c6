package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
)

const (
	// troubled is how many accounts a platform has here: several batches on each.
	troubled = 240
	// lap is how often each of them is looked at.
	lap = time.Hour
	// promise is the age at which what is known is stale.
	promise = 2 * lap
	// patience is the real time that a request may take: only outages in which
	// nothing ever comes use it up.
	patience = 150 * time.Millisecond
	maxBody  = 1 << 20
)

// nobody reads what the broken server logs.
var nobody = log.New(io.Discard, "", 0)

// detour looks through one client or, during an outage on the way, another.
type detour struct {
	platform.Observer
	other atomic.Pointer[platform.Observer]
}

// Observe implements platform.Observer.
func (d *detour) Observe(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	if o := d.other.Load(); o != nil {
		return (*o).Observe(ctx, by, refs)
	}
	return d.Observer.Observe(ctx, by, refs)
}

// lists does the same for pages.
type lists struct {
	platform.Lister
	other atomic.Pointer[platform.Lister]
}

// List implements platform.Lister.
func (l *lists) List(ctx context.Context, cursor platform.Cursor) (platform.Listing, error) {
	if o := l.other.Load(); o != nil {
		return (*o).List(ctx, cursor)
	}
	return l.Lister.List(ctx, cursor)
}

// rig is a platform's simulator over loopback, with the engine and the adapter
// that the operator uses, and a clock of its own.
type rig struct {
	*stage
	t       *testing.T
	targets []observe.Target
	detour  *detour
	lists   *lists
}

func newRig(t *testing.T, s scene, accounts int) *rig {
	t.Helper()
	s.tiers = []tier{{"any", 0, lap, promise}}
	r := &rig{t: t, stage: &stage{scene: s, ctx: t.Context(), clock: clocktesting.NewFakeClock(morning), worst: map[string]time.Duration{}, wakes: &wakes{}}}
	r.world = world.New(r.clock)
	r.engine = observe.New(observe.Config{Clock: r.clock})
	if err := r.engine.Connections().Start(t.Context(), r.wakes); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r.handler(r.world))
	t.Cleanup(server.Close)
	for i := range accounts {
		if err := r.world.Put(r.account(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.prepare(r.world); err != nil {
		t.Fatal(err)
	}
	client := r.open(server.URL, nil)
	r.detour = &detour{Observer: client.Observe}
	client.Observe = r.detour
	if client.List != nil {
		r.lists = &lists{Lister: client.List}
		client.List = r.lists
	}
	r.engine.SetConnection(observe.Connection{
		Name: connection, Platform: s.adapter.Name, Adapter: s.adapter, Client: client,
		Share: s.share, DailyMicroUSD: s.dailyUSD, Persist: true, Saved: observe.Saved{Exact: true},
	})
	r.targets = r.stage.targets(accounts)
	for _, target := range r.targets {
		r.engine.Want(target)
	}
	r.run(2 * lap)
	for _, target := range r.targets {
		r.expect(target, observe.Found)
	}
	return r
}

// open opens a client of the adapter at an endpoint.
func (r *rig) open(endpoint string, edit func(*platform.TransportConfig)) *platform.Client {
	r.t.Helper()
	hosts := r.adapter.HostsAt(endpoint)
	transport := platform.TransportConfig{Endpoint: endpoint, MaxBody: maxBody, Timeout: patience}
	if edit != nil {
		edit(&transport)
	}
	plain := platform.NewHTTPClient(transport)
	r.t.Cleanup(plain.CloseIdleConnections)
	client, err := r.adapter.Open(platform.Config{
		Endpoint: endpoint, Hosts: hosts, App: r.app, HTTP: plain, Now: r.clock.Now,
		Usage: func(u platform.Usage) { r.engine.Usage(connection, u) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return client
}

// run lets time pass.
func (r *rig) run(d time.Duration) {
	r.t.Helper()
	end := r.clock.Now().Add(d)
	for r.clock.Now().Before(end) {
		rest := r.engine.Turn(r.ctx)
		if r.keep() {
			continue
		}
		next := r.clock.Now().Add(max(rest, time.Millisecond))
		if next.After(end) {
			next = end
		}
		r.clock.SetTime(next)
	}
	r.engine.Turn(r.ctx)
}

func (r *rig) view(target observe.Target) observe.View {
	r.t.Helper()
	v, ok := r.engine.Look(target.Key)
	if !ok || v.Snapshot == nil {
		r.t.Fatalf("nothing is known of %s", target.Key)
	}
	return v
}

func (r *rig) expect(target observe.Target, want observe.Outcome) {
	r.t.Helper()
	if v := r.view(target); v.Snapshot.Outcome != want {
		r.t.Errorf("%s is %v, want %v (%+v)", target.Key, v.Snapshot.Outcome, want, v.Lane)
	}
}

// outageOf is one way to fail: by the simulator, or by another way to the platform.
type outageOf struct {
	fault world.Fault
	way   func(*rig) *platform.Client
	// later: a platform that asks for patience is no outage before a promise breaks.
	later bool
}

func outages() map[string]outageOf {
	dead := func(endpoint func(*testing.T) string, edit func(*platform.TransportConfig)) func(*rig) *platform.Client {
		return func(r *rig) *platform.Client { return r.open(endpoint(r.t), edit) }
	}
	listener := func(t *testing.T) net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	noName := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "platform.invalid", IsNotFound: true}
	}
	return map[string]outageOf{
		"refused": {way: dead(func(t *testing.T) string {
			l := listener(t)
			_ = l.Close()
			return "http://" + l.Addr().String()
		}, nil)},
		"DNS": {way: dead(func(*testing.T) string { return "http://platform.invalid" }, func(c *platform.TransportConfig) { c.Dial = noName })},
		"TLS": {way: dead(func(t *testing.T) string {
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.Config.ErrorLog = nobody
			s.StartTLS()
			t.Cleanup(s.Close)
			return s.URL
		}, nil)},
		"half-open":         {way: dead(func(t *testing.T) string { return "http://" + listener(t).Addr().String() }, nil)},
		"slow body":         {fault: world.Fault{Kind: world.FaultSlow}},
		"5xx":               {fault: world.Fault{Kind: world.FaultStatus, Status: 503}},
		"429 with reset":    {fault: world.Fault{Kind: world.FaultThrottle, DelaySeconds: 900}, later: true},
		"429 without reset": {fault: world.Fault{Kind: world.FaultThrottleNoReset}, later: true},
		"HTML with 200":     {fault: world.Fault{Kind: world.FaultHTML}},
		"truncated JSON":    {fault: world.Fault{Kind: world.FaultTruncated}},
		"huge body":         {fault: world.Fault{Kind: world.FaultHugeBody}},
		"gzip bomb":         {fault: world.Fault{Kind: world.FaultGzipBomb}},
		"empty answer":      {fault: world.Fault{Kind: world.FaultEmpty}},
	}
}

func (r *rig) strike(o outageOf) {
	r.t.Helper()
	if o.way == nil {
		if err := r.world.SetFaults(world.Platform(r.adapter.Name), o.fault); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	client := o.way(r)
	r.detour.other.Store(&client.Observe)
	if r.lists != nil {
		r.lists.other.Store(&client.List)
	}
}

func (r *rig) mend() {
	r.t.Helper()
	if err := r.world.SetFaults(world.Platform(r.adapter.Name)); err != nil {
		r.t.Fatal(err)
	}
	r.detour.other.Store(nil)
	if r.lists != nil {
		r.lists.other.Store(nil)
	}
}

// Whatever a platform does instead of answering, no account is accused: within a
// sweep, or once its promise breaks, it is told that nobody knows, and two sweeps
// after the end all are seen.
func TestOutagesAccuseNobodyOnAnyPlatform(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		for name, o := range outages() {
			t.Run(fmt.Sprint(s.adapter.Name, "/", name), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, s, troubled)
				r.strike(o)
				r.run(lap)
				if o.later {
					r.run(promise)
				}
				for _, target := range r.targets {
					r.expect(target, observe.Found)
					if v := r.view(target); v.Lane.Reason == "" && !v.Stale {
						t.Fatalf("%s is taken as known a sweep after the platform fell silent, seen %s ago", target.Key, r.clock.Since(v.Snapshot.At))
					}
				}
				r.mend()
				mended := r.clock.Now()
				r.run(2 * lap)
				for _, target := range r.targets {
					r.expect(target, observe.Found)
					if v := r.view(target); v.Lane.Reason != "" || v.Stale || !v.Snapshot.At.After(mended) {
						t.Fatalf("%s two sweeps after the end: %+v, seen %s after it", target.Key, v.Lane, v.Snapshot.At.Sub(mended))
					}
				}
			})
		}
	}
}

// 1% true changes hidden among 5% transient errors: all are found within two
// sweeps, and none that is not true.
func TestTrueChangesAmongTransientErrorsOnEveryPlatform(t *testing.T) {
	t.Parallel()
	const accounts = 1000
	for _, s := range scenes() {
		t.Run(fmt.Sprint(s.adapter.Name), func(t *testing.T) {
			r := newRig(t, s, accounts)
			if err := r.world.SetFaults(world.Platform(s.adapter.Name),
				world.Fault{Kind: world.FaultStatus, Status: 503, EveryNth: 20}, world.Fault{Kind: world.FaultItemErrors, Items: 20}); err != nil {
				t.Fatal(err)
			}
			for i := 0; i < accounts; i += 100 {
				ref := r.account(i).ID
				var err error
				if i%200 == 0 {
					err = r.world.Delete(world.Platform(s.adapter.Name), ref)
				} else {
					_, err = r.world.Update(world.Platform(s.adapter.Name), ref, func(a *world.Account) error {
						a.DisplayName = "another name"
						return nil
					})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			r.run(2*lap + time.Minute)
			for i, target := range r.targets {
				switch i % 200 {
				case 0:
					r.expect(target, observe.NotFound)
				default:
					r.expect(target, observe.Found)
					if got := r.view(target).Snapshot.Profile; (got.DisplayName == "another name") != (i%200 == 100) {
						t.Errorf("%s is named %q", target.Key, got.DisplayName)
					}
				}
			}
		})
	}
}
