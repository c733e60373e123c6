package observe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/internal/platform"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// epoch is when every test begins: a moment that is no round number of laps.
var epoch = time.Date(2026, 11, 23, 9, 41, 17, 0, time.UTC)

const (
	testEvery = 15 * time.Minute
	testStale = time.Hour
	bucketID  = "users"
	bucketBy  = "users-by"
)

// request is one call that reached the fake platform.
type request struct {
	at   time.Time
	by   platform.Lookup
	refs []platform.AccountRef
}

// account is one account of the fake platform.
type account struct {
	outcome platform.Outcome
	profile platform.Profile
}

// fakePlatform is a platform that the test holds in its hands.
type fakePlatform struct {
	now func() time.Time

	mu       sync.Mutex
	accounts map[string]*account
	handles  map[string]string // lower case handle to id; missing: nobody has it
	requests []request
	// before can answer in the platform's stead.
	before func(by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error)
	// after can change the answers.
	after func(by platform.Lookup, answers []platform.Observation)
	// usage tells headers, before the answer is given.
	usage func()
}

func (p *fakePlatform) Observe(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	p.mu.Lock()
	p.requests = append(p.requests, request{p.now(), by, refs})
	before, after, usage := p.before, p.after, p.usage
	p.mu.Unlock()
	if usage != nil {
		defer usage()
	}
	if before != nil {
		if answers, err := before(by, refs); answers != nil || err != nil {
			return answers, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	answers := p.answers(by, refs)
	if after != nil {
		after(by, answers)
	}
	return answers, nil
}

func (p *fakePlatform) answers(by platform.Lookup, refs []platform.AccountRef) []platform.Observation {
	p.mu.Lock()
	defer p.mu.Unlock()
	answers := make([]platform.Observation, len(refs))
	for i, ref := range refs {
		id := ref.ID
		if by == platform.ByHandle {
			id = p.handles[strings.ToLower(ref.Handle)]
		}
		answers[i] = platform.Observation{Ref: ref, Outcome: platform.NotFound}
		if a, ok := p.accounts[id]; ok {
			answers[i].Outcome = a.outcome
			if a.outcome == platform.Found {
				profile := a.profile
				answers[i].Profile = &profile
			}
		}
	}
	return answers
}

// set makes an account that is found.
func (p *fakePlatform) set(id, handle string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts[id] = &account{platform.Found, platform.Profile{ID: id, Handle: handle, DisplayName: "name of " + id}}
	p.handles[strings.ToLower(handle)] = id
}

// change changes the profile of an account.
func (p *fakePlatform) change(id string, change func(*platform.Profile)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.accounts[id].profile)
}

// suspend suspends an account; its handle stays its own.
func (p *fakePlatform) suspend(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts[id].outcome = platform.Suspended
}

// remove deletes an account; its handle is free.
func (p *fakePlatform) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.accounts[id]; ok {
		delete(p.handles, strings.ToLower(a.profile.Handle))
	}
	delete(p.accounts, id)
}

// rename gives an account another handle; the old one is free.
func (p *fakePlatform) rename(id, handle string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.handles, strings.ToLower(p.accounts[id].profile.Handle))
	p.accounts[id].profile.Handle = handle
	p.handles[strings.ToLower(handle)] = id
}

// outage makes every call fail in a way; nil ends it.
func (p *fakePlatform) fail(before func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = before
}

func (p *fakePlatform) kind(k platform.Kind, retryAfter time.Duration) {
	p.fail(func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error) {
		return nil, fmt.Errorf("wrapped: %w", &platform.Error{Kind: k, Op: "observe", RetryAfter: retryAfter})
	})
}

// take returns the requests so far, and forgets them.
func (p *fakePlatform) take() []request {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.requests
	p.requests = nil
	return r
}

func by(l platform.Lookup, requests []request) (out []request) {
	for _, r := range requests {
		if r.by == l {
			out = append(out, r)
		}
	}
	return out
}

// asked counts, per ref, how often it was asked for.
func asked(requests []request) map[platform.AccountRef]int {
	n := map[platform.AccountRef]int{}
	for _, r := range requests {
		for _, ref := range r.refs {
			n[ref]++
		}
	}
	return n
}

// fakeMedia serves images: the hash of a URL is the URL.
type fakeMedia struct {
	mu      sync.Mutex
	fetched []string
	fail    error
	hold    map[string]chan struct{}
}

func (m *fakeMedia) Fetch(ctx context.Context, url string) (sha256, perceptual string, err error) {
	m.mu.Lock()
	m.fetched = append(m.fetched, url)
	fail, hold := m.fail, m.hold[url]
	m.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return "", "", ctx.Err()
		}
	}
	if fail != nil {
		return "", "", fail
	}
	return "sha:" + url, "hash:" + url, nil
}

func (m *fakeMedia) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.fetched
	m.fetched = nil
	return f
}

// wakes counts what a wake.Source adds.
type wakes struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	mu sync.Mutex
	n  map[types.NamespacedName]int
}

func (w *wakes) AddAfter(req reconcile.Request, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n[req.NamespacedName]++
}

// take returns the wake-ups so far, and forgets them.
func (w *wakes) take() map[types.NamespacedName]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.n
	w.n = map[types.NamespacedName]int{}
	return n
}

// rig is an engine on a fake clock, with one connection to one fake platform.
type rig struct {
	// since is what the next engine is told of the one before.
	since    time.Time
	t        testing.TB
	ctx      context.Context
	clock    *clocktesting.FakeClock
	engine   *Engine
	registry *prometheus.Registry
	platform *fakePlatform
	media    *fakeMedia
	accounts *wakes
	conns    *wakes
	adapter  platform.Adapter
	// widest is the largest number of calls that went at the same time.
	// turns counts how often the loop turned.
	turns  int
	widest int
	// async: images are not waited for.
	async bool
}

// limits are those of X, with budgets that are in nobody's way.
func limits(batch, requests int) platform.Adapter {
	return limitsPer(batch, requests, 15*time.Minute)
}

func limitsPer(batch, requests int, window time.Duration) platform.Adapter {
	limit := func(bucket string) platform.Budget {
		return platform.Budget{Bucket: bucket, Kind: platform.BudgetWindow, Limit: requests, Window: window}
	}
	read := func(bucket string) platform.Read {
		return platform.Read{Batch: batch, Charges: []platform.Charge{{Bucket: bucket, PerRequest: 1}}}
	}
	return platform.Adapter{
		Name:     platform.X,
		Budgets:  []platform.Budget{limit(bucketID), limit(bucketBy)},
		Profiles: map[platform.Lookup]platform.Read{platform.ByID: read(bucketID), platform.ByHandle: read(bucketBy)},
	}
}

func newRig(t testing.TB) *rig { return newRigWith(t, limits(100, 1_000_000)) }

func newRigWith(t testing.TB, adapter platform.Adapter) *rig {
	r := &rig{t: t, ctx: context.Background(), clock: clocktesting.NewFakeClock(epoch), adapter: adapter, media: &fakeMedia{hold: map[string]chan struct{}{}}}
	r.platform = &fakePlatform{now: r.clock.Now, accounts: map[string]*account{}, handles: map[string]string{}}
	r.restart()
	return r
}

// restart is a new process: a new engine on the same clock.
func (r *rig) restart() {
	r.registry = prometheus.NewRegistry()
	r.engine = New(Config{Clock: r.clock, Registry: r.registry, Since: r.since})
	r.accounts, r.conns = &wakes{n: map[types.NamespacedName]int{}}, &wakes{n: map[types.NamespacedName]int{}}
	for _, err := range []error{r.engine.accounts.Start(r.ctx, r.accounts), r.engine.connections.Start(r.ctx, r.conns)} {
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.engine.SetConnection(r.connection("x"))
}

func (r *rig) connection(name string) Connection {
	return Connection{
		Name: name, Platform: platform.X, Adapter: r.adapter, Share: 100,
		Client: &platform.Client{Observe: r.platform}, Media: r.media,
	}
}

// header tells what the headers of an answer would: until one came, one request goes
// at a time.
func (r *rig) header() {
	r.engine.Usage("x", platform.Usage{Bucket: bucketID, Limit: 1_000_000, Remaining: 1_000_000, ResetsAt: r.clock.Now().Add(15 * time.Minute)})
}

// step runs what is due now, and returns how long to rest.
func (r *rig) step() time.Duration {
	for {
		ready, rest := r.engine.step(r.clock.Now())
		r.turns++
		r.widest = max(r.widest, len(ready))
		for _, call := range ready {
			call(r.ctx)
		}
		if !r.async {
			r.engine.underway.Wait()
		}
		if len(ready) == 0 {
			return rest
		}
	}
}

// run lets time pass: everything due from now on and before now+d happens.
func (r *rig) run(d time.Duration) {
	end := r.clock.Now().Add(d)
	for {
		rest := r.step()
		if !r.clock.Now().Add(rest).Before(end) {
			r.clock.SetTime(end)
			return
		}
		r.clock.Step(rest)
	}
}

func key(i int) types.NamespacedName {
	return types.NamespacedName{Namespace: "edu", Name: fmt.Sprintf("a%d", i)}
}

func id(i int) string { return fmt.Sprintf("%d", 1000+i) }

func handle(i int) string { return fmt.Sprintf("handle_%d", i) }

func wanted(i int) Target {
	return Target{Key: key(i), Connection: "x", ID: id(i), Handle: handle(i), Tier: "school", Every: testEvery, StaleAfter: testStale}
}

// fleet makes n accounts and wants them.
func (r *rig) fleet(n int) { r.fleetEvery(n, testEvery) }

func (r *rig) fleetEvery(n int, every time.Duration) {
	for i := range n {
		r.platform.set(id(i), handle(i))
		w := wanted(i)
		w.Every = every
		r.engine.Want(w)
	}
}

// one makes account 0, wants it, and looks at it once.
func (r *rig) one() {
	r.fleet(1)
	r.run(5 * time.Second)
	r.forgetAll()
}

// forgetAll forgets what was recorded.
func (r *rig) forgetAll() {
	r.platform.take()
	r.accounts.take()
	r.conns.take()
	r.media.take()
	r.widest = 0
}

func (r *rig) view(i int) View {
	r.t.Helper()
	v, ok := r.engine.Look(key(i))
	if !ok {
		r.t.Fatalf("nobody wants %s", key(i))
	}
	return v
}

// outcome is what is stored, or "".
func (r *rig) outcome(i int) Outcome {
	r.t.Helper()
	if v := r.view(i); v.Snapshot != nil {
		return v.Snapshot.Outcome
	}
	return ""
}

// peek is what is stored, without the engine taking notice of being asked.
func (r *rig) peek(i int) *Snapshot {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	s, known := r.engine.targets[nameOf(key(i))].snapshot()
	if !known {
		return nil
	}
	return &s
}

// expect checks what is stored of an account.
func (r *rig) expect(i int, want Outcome) {
	r.t.Helper()
	if got := r.outcome(i); got != want {
		r.t.Errorf("account %d: got %q, want %q", i, got, want)
	}
}

// expectWakes checks how often account i was woken since the last time.
func (r *rig) expectWakes(i, want int) {
	r.t.Helper()
	if got := r.accounts.take()[key(i)]; got != want {
		r.t.Errorf("account %d was woken %d times, want %d", i, got, want)
	}
}

// restored is what an earlier process left of account i.
func restored(i int) Target {
	w := wanted(i)
	w.Restored = &Snapshot{Outcome: Found, At: epoch.Add(-10 * time.Minute), Profile: platform.Profile{ID: id(i), Handle: handle(i), DisplayName: "name of " + id(i)}}
	return w
}

var errBroken = errors.New("broken")

func ceil(n, batch int) int { return (n + batch - 1) / batch }
