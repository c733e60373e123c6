package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
)

// measureEvery is how often the ages are measured.
const measureEvery = time.Minute

// inProcess answers requests with a handler, without a network.
type inProcess struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		req.Body = http.NoBody
	}
	req.RequestURI = req.URL.RequestURI()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, req)
	answer := w.Result()
	answer.Request = req
	return answer, nil
}

// wakes takes the place of the connection controller's queue.
type wakes struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	woken bool
}

// AddAfter implements workqueue.TypedDelayingInterface.
func (w *wakes) AddAfter(reconcile.Request, time.Duration) { w.woken = true }

// stage is a platform's day.
type stage struct {
	scene
	ctx    context.Context //nolint:containedctx // a tool of one run
	clock  *clocktesting.FakeClock
	world  *world.World
	engine *observe.Engine
	wakes  *wakes
	worst  map[string]time.Duration
	// wrap, if set, replaces the way to the platform.
	wrap func(http.RoundTripper) http.RoundTripper
	// sweeps are the rounds in which everybody was looked at, swept their requests.
	sweeps []observe.Sweep
}

// connection is the name of the one connection.
const connection = "day"

// play runs a platform's day.
func play(ctx context.Context, s scene, accounts int, length time.Duration) (*result, error) {
	g := &stage{scene: s, ctx: ctx, clock: clocktesting.NewFakeClock(morning), worst: map[string]time.Duration{}}
	g.world = world.New(g.clock)
	g.engine = observe.New(observe.Config{Clock: g.clock})
	g.wakes = &wakes{}
	if err := g.engine.Connections().Start(ctx, g.wakes); err != nil {
		return nil, fmt.Errorf("listening to the engine: %w", err)
	}
	if err := g.open(accounts); err != nil {
		return nil, err
	}
	targets := g.targets(accounts)
	for _, t := range targets {
		g.engine.Want(t)
	}
	end, measure := morning.Add(length), morning.Add(measureEvery)
	for ctx.Err() == nil {
		rest := g.engine.Turn(ctx)
		if g.keep() {
			continue
		}
		next := g.clock.Now().Add(rest)
		if !next.Before(measure) {
			next = measure
		}
		if !next.Before(end) {
			break
		}
		g.clock.SetTime(next)
		if next.Equal(measure) {
			g.measure(targets)
			measure = measure.Add(measureEvery)
		}
	}
	return g.result(accounts, length), ctx.Err()
}

// open makes the world and opens the connection to it.
func (g *stage) open(accounts int) error {
	handler := g.handler(g.world)
	for i := range accounts {
		if err := g.world.Put(g.account(i)); err != nil {
			return fmt.Errorf("making account %d: %w", i, err)
		}
	}
	if err := g.prepare(g.world); err != nil { // roles on all accounts need them to be there
		return fmt.Errorf("preparing the world: %w", err)
	}
	var way http.RoundTripper = inProcess{handler}
	if g.wrap != nil {
		way = g.wrap(way)
	}
	client, err := g.adapter.Open(platform.Config{
		Endpoint: g.adapter.Endpoint, Hosts: g.adapter.HostsAt(g.adapter.Endpoint), App: g.app,
		HTTP: &http.Client{Transport: way}, Now: g.clock.Now,
		Usage: func(u platform.Usage) { g.engine.Usage(connection, u) },
	})
	if err != nil {
		return fmt.Errorf("opening the client: %w", err)
	}
	g.engine.SetConnection(observe.Connection{
		Name: connection, Platform: g.adapter.Name, Adapter: g.adapter, Client: client,
		Share: g.share, DailyMicroUSD: g.dailyUSD, Persist: true, Saved: observe.Saved{Exact: true},
	})
	return nil
}

// targets are all accounts, with their tiers.
func (g *stage) targets(accounts int) []observe.Target {
	targets := make([]observe.Target, 0, accounts)
	for _, t := range g.tiers {
		n := t.accounts
		if n == 0 || n > accounts-len(targets) {
			n = accounts - len(targets)
		}
		for range n {
			a := g.account(len(targets))
			targets = append(targets, observe.Target{
				Key:        types.NamespacedName{Namespace: t.name, Name: a.ID},
				Connection: connection, ID: a.ID, Handle: a.Handle,
				Tier: t.name, Every: t.every, StaleAfter: t.staleAfter,
			})
		}
	}
	return targets
}

// keep does what the controller does: it saves the figures, and takes note of a
// sweep. It says whether the engine may go on with what waited for that.
func (g *stage) keep() bool {
	if !g.wakes.woken {
		return false
	}
	g.wakes.woken = false
	r, ok := g.engine.Report(connection)
	if !ok {
		return false
	}
	if r.Save {
		g.engine.Saved(connection, r.Ledger)
	}
	if n := len(g.sweeps); !r.Sweep.CompletedAt.IsZero() && (n == 0 || !g.sweeps[n-1].CompletedAt.Equal(r.Sweep.CompletedAt)) {
		g.sweeps = append(g.sweeps, r.Sweep)
	}
	return r.Save
}

// measure takes the worst age of each tier. Who was never seen is as old as the day.
func (g *stage) measure(targets []observe.Target) {
	now := g.clock.Now()
	for _, t := range targets {
		since := morning
		if v, ok := g.engine.Look(t.Key); ok && v.Snapshot != nil {
			since = v.Snapshot.At
		}
		g.worst[t.Tier] = max(g.worst[t.Tier], now.Sub(since))
	}
}
