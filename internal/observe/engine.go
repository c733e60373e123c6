package observe

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/wake"
)

// Config is what an Engine works with. Clock is required.
type Config struct {
	Clock clock.WithTicker
	Log   logr.Logger
	// Registry receives the metrics; nil: none.
	Registry prometheus.Registerer
	// CallTimeout bounds one call to a platform. Default: 30s.
	CallTimeout time.Duration
	// Idle and MaxWait close a batch of urgent looks: so long after the last one
	// joined, and so long after the first one did. Defaults: 50ms and 500ms.
	Idle, MaxWait time.Duration
	// Tokens holds the accounts' own tokens, for the streams that need one; nil: none.
	Tokens Tokens
}

// Engine looks at accounts. It is a leader-only Runnable; Want and Look work
// before it runs. It is safe for concurrent use.
type Engine struct {
	cfg         Config
	accounts    *wake.Source
	connections *wake.Source
	metrics     *meters
	// kick wakes the loop.
	kick chan struct{}
	// underway are calls and fetches that shutdown waits for.
	underway sync.WaitGroup

	mu      sync.Mutex
	started time.Time
	scanned time.Time
	targets map[types.NamespacedName]*target
	conns   map[string]*conn
}

// New returns an engine that holds nothing.
func New(cfg Config) *Engine {
	if cfg.CallTimeout <= 0 {
		cfg.CallTimeout = 30 * time.Second
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 50 * time.Millisecond
	}
	if cfg.MaxWait <= 0 {
		cfg.MaxWait = 500 * time.Millisecond
	}
	e := &Engine{
		cfg: cfg, accounts: wake.NewSource(), connections: wake.NewSource(),
		kick:    make(chan struct{}, 1),
		started: cfg.Clock.Now(),
		targets: map[types.NamespacedName]*target{}, conns: map[string]*conn{},
	}
	e.metrics = newMeters(e, cfg.Registry)
	return e
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the leader
// spends the budget.
func (e *Engine) NeedLeaderElection() bool { return true }

// Accounts wakes the controller of SocialAccounts.
func (e *Engine) Accounts() source.Source { return e.accounts }

// Connections wakes the controller of PlatformConnections.
func (e *Engine) Connections() source.Source { return e.connections }

// Look returns what is known of an account; false if nobody wants it.
func (e *Engine) Look(key types.NamespacedName) (View, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.targets[key]
	if !ok {
		return View{}, false
	}
	t.toldStale = e.stale(t, e.cfg.Clock.Now())
	return View{Snapshot: t.snapshot, Restored: t.restored, Lane: t.conn.state, Stale: t.toldStale, Activity: e.activityOf(t)}, true
}

// stale says that the target's knowledge is older than its bound. What is only
// remembered counts from the start of this process: it had no chance before.
func (e *Engine) stale(t *target, now time.Time) bool {
	if t.snapshot == nil || t.StaleAfter <= 0 {
		return false
	}
	return now.Sub(e.knownSince(t)) > t.StaleAfter
}

func (e *Engine) knownSince(t *target) time.Time {
	if t.restored && t.snapshot.At.Before(e.started) {
		return e.started
	}
	return t.snapshot.At
}

// SetConnection opens a connection, or opens it anew.
func (e *Engine) SetConnection(c Connection) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.connOf(c.Name).open(c, e)
	e.wakeLoop()
}

// DropConnection closes a connection; its targets wait for another.
func (e *Engine) DropConnection(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.conns[name]; ok {
		c.open(Connection{Name: name, State: missing(name)}, e)
	}
}

// Usage takes in what an answer's headers said.
func (e *Engine) Usage(connection string, u platform.Usage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.conns[connection]; ok {
		if b, ok := c.buckets[u.Bucket]; ok {
			b.usage(u)
		}
	}
}

func (e *Engine) connOf(name string) *conn {
	c, ok := e.conns[name]
	if !ok {
		c = newConn(name)
		e.conns[name] = c
	}
	return c
}

func missing(name string) LaneState {
	return LaneState{Reason: LaneConnectionMissing, Message: "PlatformConnection " + name + " is not open"}
}

// wakeLoop makes the loop look again; it never blocks.
func (e *Engine) wakeLoop() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

func (e *Engine) tell(t *target) { e.accounts.Add(reconcile.Request{NamespacedName: t.Key}) }

// tellAll wakes every account of a connection, and the connection.
func (e *Engine) tellAll(c *conn) {
	for _, t := range e.targets {
		if t.conn == c {
			e.tell(t)
		}
	}
	e.tellConnection(c)
}

func (e *Engine) tellConnection(c *conn) {
	e.connections.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: c.Name}})
}

// Start runs the engine until ctx ends.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	e.started = e.cfg.Clock.Now()
	e.mu.Unlock()
	defer e.underway.Wait()
	for {
		ready, next := e.step(e.cfg.Clock.Now())
		for _, call := range ready {
			e.underway.Go(func() { call(ctx) })
		}
		timer := e.cfg.Clock.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-e.kick:
			timer.Stop()
		case <-timer.C():
		}
	}
}

// step picks the calls that may go now, and says how long to rest.
func (e *Engine) step(now time.Time) (ready []func(context.Context), rest time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	rest = e.scan(now)
	for _, name := range slices.Sorted(maps.Keys(e.conns)) {
		c := e.conns[name]
		for {
			b, wait := c.next(now, e.cfg)
			if b == nil {
				rest = min(rest, wait)
				break
			}
			c.begin(b, now)
			ready = append(ready, func(ctx context.Context) { e.call(ctx, c, b) })
		}
		calls, wait := e.activityCalls(c, now)
		ready, rest = append(ready, calls...), min(rest, wait)
	}
	return ready, max(rest, time.Millisecond)
}

// scan wakes the accounts whose knowledge became stale, and publishes what has
// waited for its image long enough: every second, and less often where there are
// very many.
func (e *Engine) scan(now time.Time) time.Duration {
	every := time.Second + time.Duration(len(e.targets)/10000)*time.Second
	if since := now.Sub(e.scanned); since < every {
		return every - since
	}
	e.scanned = now
	for _, t := range e.targets {
		e.release(t, now)
		if stale := e.stale(t, now); stale != t.toldStale {
			t.toldStale = stale
			e.tell(t)
		}
	}
	return every
}
