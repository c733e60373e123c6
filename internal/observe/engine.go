package observe

import (
	"context"
	"fmt"
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

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/wake"
)

// Config is what an Engine works with. Clock is required.
type Config struct {
	Clock clock.WithTicker
	Log   logr.Logger
	// Registry receives the metrics; nil: none.
	Registry prometheus.Registerer
	// Since is when another process last looked at the accounts that are remembered: whose
	// turn has come since then is looked at at once. Zero: it is not known, and they wait
	// for their next turn.
	Since time.Time
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
	turns       *wake.Source
	metrics     *meters
	// kick wakes the loop.
	kick chan struct{}
	// underway are calls and fetches that shutdown waits for; then ended is closed.
	underway sync.WaitGroup
	ended    chan struct{}

	mu      sync.Mutex
	started time.Time
	scanned time.Time
	targets map[name]*target
	// promises are those that targets share.
	promises map[promise]*promise
	conns    map[string]*conn
	alarms   alarms
	// imageless are the targets whose news waits for an image.
	imageless map[*target]struct{}
	ages      ages
	// purses are those of connections that were dropped: who comes back under the same
	// name has spent what it has spent.
	purses map[string]*budget.Purse
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
		cfg: cfg, accounts: wake.NewSource(), connections: wake.NewSource(), turns: wake.NewUrgentSource(),
		kick:    make(chan struct{}, 1),
		started: cfg.Clock.Now(),
		targets: map[name]*target{}, promises: map[promise]*promise{}, conns: map[string]*conn{},
		imageless: map[*target]struct{}{}, purses: map[string]*budget.Purse{},
		ended: make(chan struct{}),
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
	t, ok := e.targets[nameOf(key)]
	if !ok {
		return View{}, false
	}
	now := e.cfg.Clock.Now()
	t.toldStale = e.stale(t, now)
	v := View{Restored: t.restored, Lane: t.lane(now), Heard: t.conn.heard, Stale: t.toldStale, Activity: e.activityOf(t)}
	if s, known := t.snapshot(); known {
		v.Snapshot = &s
	}
	v.Untold = t.untold && v.Snapshot == nil
	return v, true
}

// lane says what keeps a target from being looked at: what stops its connection, or
// what keeps it alone from being asked for.
func (t *target) lane(now time.Time) LaneState {
	c := t.conn
	if c.state.Reason != "" || c.Client == nil {
		return c.state
	}
	if by := c.way(t); !c.reads(by) {
		return LaneState{LaneNotObservable, fmt.Sprintf("%s cannot be asked for an account by its %s", c.Platform, by)}
	}
	if t.toldStale {
		if state, gone := c.exhausted(t, now); gone {
			return state
		}
	}
	return LaneState{}
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
	c, ok := e.conns[name]
	if !ok {
		return
	}
	was := c.Platform
	c.open(Connection{Name: name, State: missing(name)}, e)
	if c.targets == 0 {
		e.discard(c)
	}
	for _, other := range e.conns {
		if other.Platform == was {
			return
		}
	}
	e.metrics.forget(was)
}

// discard forgets a connection that is gone and that nobody uses.
func (e *Engine) discard(c *conn) {
	if c.purse != nil {
		e.purses[c.Name] = c.purse
	}
	delete(e.conns, c.Name)
}

// Ended is closed when Start has returned and nothing is under way any more: the
// figures of the budgets are final.
func (e *Engine) Ended() <-chan struct{} { return e.ended }

// Usage takes in what an answer's headers said.
func (e *Engine) Usage(connection string, u platform.Usage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.conns[connection]; ok {
		if c.purse != nil {
			c.purse.Usage(u, e.cfg.Clock.Now())
		}
	}
}

func (e *Engine) connOf(name string) *conn {
	c, ok := e.conns[name]
	if !ok {
		c = newConn(name)
		c.purse = e.purses[name]
		delete(e.purses, name)
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

func (e *Engine) tell(t *target) { e.accounts.Add(reconcile.Request{NamespacedName: t.key()}) }

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
	defer close(e.ended)
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

// Turn does what is due now, one call after the other, and says when to turn again.
// It stands in for Start in tools that drive the clock themselves.
func (e *Engine) Turn(ctx context.Context) time.Duration {
	for {
		ready, rest := e.step(e.cfg.Clock.Now())
		for _, call := range ready {
			call(ctx)
		}
		e.underway.Wait()
		if len(ready) == 0 {
			return rest
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
		if c.purse != nil {
			c.remind(e, now) // a new day may have begun: nothing is spent of it yet
		}
		rest = min(rest, e.serveErrands(c, now))
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
