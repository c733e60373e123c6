package observe

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/internal/platform"
)

// running is an engine that turns its own crank, on a clock that the test moves.
type running struct {
	*rig
	cancel context.CancelFunc
	done   chan error
}

func start(r *rig) *running {
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan error, 1)
	go func() { done <- r.engine.Start(ctx) }()
	return &running{r, cancel, done}
}

// until moves the clock on, a little at a time, until something is so.
func (r *running) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		if r.clock.HasWaiters() {
			r.clock.Step(10 * time.Millisecond)
		}
	}
}

func (r *running) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("got %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the engine does not return")
	}
}

func TestStart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := start(newRig(t))
	r.fleet(250)
	r.avatar(7, "image")
	r.until(t, "everybody is found", func() bool {
		for i := range 250 {
			if r.peek(i) == nil {
				return false
			}
		}
		return true
	})
	// What is wanted while it runs is looked at without waiting for the next moment.
	r.platform.set(id(300), handle(300))
	r.engine.Want(wanted(300))
	r.until(t, "a new account is found", func() bool { return r.peek(300) != nil })
	r.stop(t)
	if !r.engine.NeedLeaderElection() {
		t.Error("a replica that does not lead would spend the budget")
	}
	if r.engine.Accounts() == nil || r.engine.Connections() == nil {
		t.Error("there are no sources")
	}
}

// A restarted process that has nothing to save and nobody to look up at once is told of
// its fleet while the loop rests, and looks at it within its interval all the same.
func TestWhoIsRememberedWakesTheLoop(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := start(newRig(t))
	r.until(t, "the loop rests for long", func() bool { return r.clock.HasWaiters() && r.clock.Since(epoch) > 3*scanEvery })
	begun := r.clock.Now()
	for i := range 3 {
		r.platform.set(id(i), handle(i))
		r.engine.Want(restored(i))
	}
	r.until(t, "all are looked at", func() bool {
		for i := range 3 {
			if !r.peek(i).At.After(begun) {
				return false
			}
		}
		return true
	})
	if took := r.clock.Since(begun); took > testEvery+settle {
		t.Errorf("the last was looked at after %s", took)
	}
	r.stop(t)
}

// Calls and fetches that are under way are told to end, and waited for.
func TestShutdownAmidCalls(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := newRig(t)
	r.fleet(500)
	r.avatar(0, "slow")
	r.media.hold["slow"] = make(chan struct{})
	blocking := &blockingObserver{Observer: r.platform, entered: make(chan struct{}, 100)}
	c := r.connection("x")
	c.Client = &platform.Client{Observe: blocking}
	r.engine.SetConnection(c)
	r.header()
	s := start(r)
	s.until(t, "four calls are under way", func() bool { return len(blocking.entered) == maxUnderway })
	s.stop(t)
	for i := range 500 {
		r.expect(i, "")
	}
	if v := r.view(0); v.Lane.Reason != "" {
		t.Errorf("the lane is %v", v.Lane)
	}
	// Another time an image is under way.
	r.restart()
	r.fleet(1)
	r.avatar(0, "slow")
	s = start(r)
	s.until(t, "the image is under way", func() bool {
		r.media.mu.Lock()
		defer r.media.mu.Unlock()
		return len(r.media.fetched) > 0
	})
	s.stop(t)
}

// blockingObserver answers only when the process ends.
type blockingObserver struct {
	platform.Observer
	entered chan struct{}
}

func (o *blockingObserver) Observe(ctx context.Context, _ platform.Lookup, _ []platform.AccountRef) ([]platform.Observation, error) {
	o.entered <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// A call that takes too long is given up, and says nothing about any account.
func TestCallTimeout(t *testing.T) {
	r := newRig(t)
	r.engine = New(Config{Clock: r.clock, CallTimeout: time.Millisecond})
	c := r.connection("x")
	blocking := &blockingObserver{Observer: r.platform, entered: make(chan struct{}, 100)}
	c.Client = &platform.Client{Observe: blocking}
	r.engine.SetConnection(c)
	r.fleet(1)
	r.run(10 * time.Second)
	r.expect(0, "")
	if got := r.view(0).Lane.Reason; got != LanePlatformUnavailable {
		t.Errorf("the lane is %q", got)
	}
}

func TestDefaults(t *testing.T) {
	e := New(Config{Clock: clocktesting.NewFakeClock(epoch)})
	if e.cfg.CallTimeout != 30*time.Second || e.cfg.Idle != 50*time.Millisecond || e.cfg.MaxWait != 500*time.Millisecond {
		t.Errorf("got %+v", e.cfg)
	}
}

// Everything at once, for the race detector.
func TestConcurrency(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := start(newRig(t))
	r.fleet(100)
	jobs := []func(i int){
		func(i int) { r.engine.Want(wanted(i % 200)) },
		func(i int) { w := wanted(i % 50); w.Urgent = true; r.engine.Want(w) },
		func(i int) { r.engine.Forget(key(100 + i%100)) },
		func(i int) { r.engine.Look(key(i % 200)) },
		func(int) { r.engine.Report("x"); _, _ = r.registry.Gather() },
		func(int) { r.engine.SetConnection(r.connection("x")) },
		func(i int) {
			r.engine.Usage("x", platform.Usage{Bucket: bucketID, Limit: 1_000_000, Remaining: 900_000, ResetsAt: r.clock.Now().Add(time.Hour)})
		},
		func(i int) { r.avatar(i%100, time.Duration(i).String()) },
	}
	var busy sync.WaitGroup
	for _, job := range jobs {
		busy.Go(func() {
			for i := range 300 {
				job(i)
			}
		})
	}
	busy.Wait()
	end := r.clock.Now().Add(5 * time.Second)
	r.until(t, "five seconds pass", func() bool { return r.clock.Now().After(end) })
	r.stop(t)
	for i := range 100 {
		r.expect(i, Found)
	}
}
