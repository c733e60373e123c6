package observe

import (
	"context"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/internal/platform"
)

// many is five times the fleet of the manual: its accounts on five platforms.
const many = 132_595

// noop answers that everybody is as before.
type noop struct{ requests int }

func (o *noop) Observe(_ context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	o.requests++
	answers := make([]platform.Observation, len(refs))
	profiles := make([]platform.Profile, len(refs))
	for i, ref := range refs {
		profiles[i] = platform.Profile{ID: ref.ID, Handle: "handle"}
		answers[i] = platform.Observation{Ref: ref, Outcome: platform.Found, Profile: &profiles[i]}
	}
	return answers, nil
}

func bench(o platform.Observer) (*Engine, *clocktesting.FakeClock) {
	clock := clocktesting.NewFakeClock(epoch)
	e := New(Config{Clock: clock})
	e.SetConnection(Connection{Name: "x", Platform: platform.X, Adapter: limits(100, 1_000_000), Share: 100, Client: &platform.Client{Observe: o}})
	return e, clock
}

func benchTargets(n int) []Target {
	targets := make([]Target, n)
	for i := range targets {
		targets[i] = restored(i)
		targets[i].Handle, targets[i].Restored.Profile.Handle = "handle", "handle"
	}
	return targets
}

// turn runs everything that is due within d, and returns the number of steps.
func turn(e *Engine, clock *clocktesting.FakeClock, d time.Duration) int {
	end := clock.Now().Add(d)
	for steps := 1; ; steps++ {
		ready, rest := e.step(clock.Now())
		for _, call := range ready {
			call(context.Background())
		}
		if len(ready) > 0 {
			continue
		}
		if !clock.Now().Add(rest).Before(end) {
			clock.SetTime(end)
			return steps
		}
		clock.Step(rest)
	}
}

func BenchmarkWant(b *testing.B) {
	targets := benchTargets(many)
	b.ReportAllocs()
	for b.Loop() {
		e, _ := bench(&noop{})
		for _, w := range targets {
			e.Want(w)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/target")
}

// With the loop turning after each of them, as when it is kicked.
func BenchmarkWantWhileItRuns(b *testing.B) {
	targets := benchTargets(many)
	for i := range targets {
		targets[i].Restored = nil // all urgent
	}
	b.ReportAllocs()
	for b.Loop() {
		o := &noop{}
		e, clock := bench(o)
		for _, w := range targets {
			e.Want(w)
			turn(e, clock, 100*time.Microsecond)
		}
		b.ReportMetric(float64(o.requests), "requests")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/target")
}

func BenchmarkWantAgain(b *testing.B) {
	e, _ := bench(&noop{})
	targets := benchTargets(many)
	for _, w := range targets {
		e.Want(w)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.Want(targets[i%many])
		i++
	}
}

func BenchmarkLap(b *testing.B) {
	o := &noop{}
	e, clock := bench(o)
	for _, w := range benchTargets(many) {
		e.Want(w)
	}
	turn(e, clock, 2*testEvery)
	o.requests = 0
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		turn(e, clock, testEvery)
		n++
	}
	b.ReportMetric(float64(o.requests)/float64(n), "requests/lap")
}

func BenchmarkIdleStep(b *testing.B) {
	e, clock := bench(&noop{})
	for _, w := range benchTargets(many) {
		e.Want(w)
	}
	turn(e, clock, 2*testEvery)
	b.ReportAllocs()
	for b.Loop() {
		e.step(clock.Now())
	}
}

func BenchmarkForget(b *testing.B) {
	targets := benchTargets(many)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		e, clock := bench(&noop{})
		for _, w := range targets {
			e.Want(w)
		}
		turn(e, clock, time.Second)
		b.StartTimer()
		for i, w := range targets {
			e.Forget(w.Key)
			if i%1000 == 0 {
				turn(e, clock, time.Millisecond)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/target")
}

func BenchmarkReport(b *testing.B) {
	e, clock := bench(&noop{})
	for _, w := range benchTargets(many) {
		e.Want(w)
	}
	turn(e, clock, testEvery)
	b.ReportAllocs()
	for b.Loop() {
		e.Report("x")
	}
}
