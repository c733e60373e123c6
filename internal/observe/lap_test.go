package observe

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/internal/platform"
)

// An unchanged fleet of n costs exactly ceil(n/100) requests a lap.
func TestRequestsOfAnUnchangedFleet(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 60, 100, 101, 250, 26520} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRig(t)
			every := lapFor(n)
			r.fleetEvery(n, every)
			r.run(2 * every)
			r.forgetAll()
			r.run(3 * every)
			requests := r.platform.take()
			if want := 3 * ceil(n, 100); len(requests) != want {
				t.Errorf("three laps cost %d requests, want %d", len(requests), want)
			}
			seen := asked(requests)
			for i := range n {
				if got := seen[platform.AccountRef{ID: id(i)}]; got != 3 {
					t.Fatalf("account %d was looked at %d times in three laps", i, got)
				}
			}
			if woken := r.accounts.take(); len(woken) != 0 {
				t.Errorf("%d accounts were woken", len(woken))
			}
		})
	}
}

// lapFor keeps the tests of large fleets short: a lap's length is no matter here.
func lapFor(n int) time.Duration {
	if n > 1000 {
		return time.Minute
	}
	return testEvery
}

// So does one in which accounts are suspended, missing, renamed or recycled, once
// that is confirmed; only their handles are looked up besides, once a day at most.
func TestRequestsOfAFleetWithProblems(t *testing.T) {
	t.Parallel()
	for _, n := range []int{60, 250, 26520} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRig(t)
			every := lapFor(n)
			r.fleetEvery(n, every)
			planted := plant(r, n)
			r.run(2 * every)
			for i, want := range planted {
				r.expect(i, want)
			}
			r.forgetAll()
			r.run(3 * every)
			requests := r.platform.take()
			if got, want := len(by(platform.ByID, requests)), 3*ceil(n, 100); got != want {
				t.Errorf("three laps cost %d requests by id, want %d", got, want)
			}
			for ref, times := range asked(by(platform.ByHandle, requests)) {
				if times > 1 {
					t.Errorf("%s was looked up %d times in three laps", ref.Handle, times)
				}
			}
			if woken := r.accounts.take(); len(woken) != 0 {
				t.Errorf("%d accounts were woken", len(woken))
			}
		})
	}
}

// plant makes problems among the first accounts of a fleet, and returns what is
// to be believed of each.
func plant(r *rig, n int) map[int]Outcome {
	planted := map[int]Outcome{}
	for i := 0; i < n/10; i += 5 {
		r.platform.suspend(id(i))
		r.platform.remove(id(i + 1))
		r.platform.rename(id(i+2), fmt.Sprintf("renamed_%d", i))
		r.platform.rename(id(i+3), fmt.Sprintf("moved_%d", i))
		r.platform.set(fmt.Sprintf("9%d", i), handle(i+3))
		r.platform.remove(id(i + 4))
		r.platform.set(fmt.Sprintf("8%d", i), handle(i+4))
		planted[i], planted[i+1], planted[i+2] = Suspended, NotFound, Found
		planted[i+3], planted[i+4] = HandleReassigned, HandleReassigned
	}
	return planted
}

// The handle of an account that is gone is looked up once a day, not less, and
// not more, whenever the process restarts.
func TestHandlesOfTheMissingAreWatched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := wanted(0)
	w.Every, w.StaleAfter = time.Hour, 6*time.Hour
	r.engine.Want(w)
	r.run(time.Minute)
	r.expect(0, NotFound)
	r.forgetAll()
	const days = 6
	for range days {
		w.Restored = r.peek(0)
		r.restart()
		r.engine.Want(w)
		r.run(24 * time.Hour)
	}
	watched := by(platform.ByHandle, r.platform.take())
	if len(watched) < days-1 || len(watched) > days {
		t.Errorf("the handle was looked up %d times in %d days", len(watched), days)
	}
	for i := 1; i < len(watched); i++ {
		if gap := watched[i].at.Sub(watched[i-1].at); gap < 22*time.Hour {
			t.Errorf("the handle was looked up again after %s", gap)
		}
	}
}

// A restart goes on where the clock is: no burst, and everybody is looked at
// within one interval, whether the targets come all at once or one by one.
func TestRestartCausesNoBurst(t *testing.T) {
	t.Parallel()
	const n = 1500
	for name, trickle := range map[string]time.Duration{"at once": 0, "one by one": time.Millisecond} {
		for _, into := range []time.Duration{0, testEvery / 3, testEvery - time.Second} {
			t.Run(fmt.Sprintf("%s at %s", name, into), func(t *testing.T) {
				r := newRig(t)
				r.clock.Step(into)
				r.fleet(n)
				r.restart()
				for i := range n {
					r.engine.Want(restored(i))
					if trickle > 0 {
						r.run(trickle)
					}
				}
				joined := r.clock.Now()
				r.run(testEvery/10 - n*trickle)
				if got, limit := len(r.platform.take()), ceil(n, 100)/10+2; got > limit {
					t.Errorf("%d requests in the first tenth of a lap, want at most %d", got, limit)
				}
				r.run(joined.Add(testEvery + 2*testEvery/(n/100)).Sub(r.clock.Now()))
				for i := range n {
					if v := r.view(i); v.Restored {
						t.Fatalf("account %d was not looked at within one interval", i)
					}
				}
			})
		}
	}
}

// Whoever takes over from a process that is gone looks at once at those whose turn came
// meanwhile, at the others in theirs, and at nobody twice.
func TestATakeoverLooksAtWhoWasMissed(t *testing.T) {
	t.Parallel()
	const n = 1500
	for _, c := range []struct {
		gone time.Duration
		// told: the new process knows since when; skew is how far the other's clock is off.
		told bool
		skew time.Duration
		// within is when the last is looked at again, missed how many requests are due at once.
		within time.Duration
		missed int
	}{
		{testEvery / 3, true, 0, testEvery, 5},
		{testEvery / 3, false, 0, testEvery/3 + testEvery, 0},
		{3 * testEvery, true, 0, 3*testEvery + testEvery/10, 15},
		{testEvery / 3, true, time.Hour, testEvery/3 + testEvery, 0},
	} {
		for _, into := range []time.Duration{0, testEvery / 2, testEvery - time.Second} {
			t.Run(fmt.Sprintf("gone for %s, told %t, skew %s, at %s", c.gone, c.told, c.skew, into), func(t *testing.T) {
				r := newRig(t)
				r.fleet(n)
				r.run(2*testEvery + into)
				left := r.clock.Now()
				r.clock.Step(c.gone)
				if c.told {
					r.since = left.Add(c.skew)
				}
				r.restart()
				again := r.clock.Now()
				r.platform.take()
				for i := range n {
					r.engine.Want(restored(i))
				}
				hold := testEvery / 10
				r.run(hold + time.Second)
				if got := len(r.platform.take()); got < c.missed || got > c.missed+3 {
					t.Errorf("%d requests as soon as it walks, want %d and those whose turn it is", got, c.missed)
				}
				slack := 2 * testEvery / (n / 100) // batches are closed once in a while
				r.run(max(left.Add(c.within).Sub(r.clock.Now()), 0) + slack)
				for i := range n {
					if r.view(i).Restored {
						t.Fatalf("account %d was not looked at %s after the other process had gone", i, r.clock.Since(left))
					}
				}
				laps := float64(r.clock.Since(again)+c.gone) / float64(testEvery)
				if got := len(r.platform.take()); float64(got) > (laps+0.2)*n/100 {
					t.Errorf("%d requests more in %.2f laps of %d", got, laps, n/100)
				}
			})
		}
	}
}

// The first looks of a fleet, which are made at once, and its turns do not meet: they would
// cost a request more for every batch whose turn comes meanwhile.
func TestFirstLooksAreNotMadeTwice(t *testing.T) {
	t.Parallel()
	const n, every = 10_000, time.Hour
	r := newRigWith(t, limitsPer(50, 300, time.Minute))
	r.fleetEvery(n, every)
	r.run(every / lately)
	if got := len(r.platform.take()); got != n/50 {
		t.Errorf("%d requests until all were looked at, want %d", got, n/50)
	}
	r.run(2 * time.Minute)
	if got, most := len(r.platform.take()), int(2*time.Minute*(n/50)/every)+2; got < 2 || got > most {
		t.Errorf("%d requests in the minutes after that, want at most %d", got, most)
	}
	r.run(every + every/lately)
	for ref, times := range asked(r.platform.take()) {
		if times > 2 {
			t.Fatalf("%v was looked at %d times in little more than an interval", ref, times)
		}
	}
}

// Many that join when a lap seems done are looked at in this lap, if their turn is
// still to come.
func TestManyJoinAFew(t *testing.T) {
	const n = 2000
	r := newRig(t)
	for i := range n {
		r.platform.set(id(i), handle(i))
	}
	r.engine.Want(restored(0))
	for len(r.platform.take()) == 0 {
		r.run(time.Second)
	}
	joined := r.clock.Now()
	for i := range n {
		r.engine.Want(restored(i))
	}
	r.run(testEvery + 2*testEvery/(n/100))
	for i := range n {
		if at := r.peek(i).At; i > 0 && at.Before(joined) {
			t.Fatalf("account %d was not looked at within one interval", i)
		}
	}
}

// Joins and leaves skip nobody and repeat nobody: who stays is looked at once per
// lap, give or take the chunk that a change of the fleet moves it by.
func TestWalkSkipsAndRepeatsNobody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		const batch, n, per, every = 4, 60, 6, time.Minute
		r := newRigWith(t, limits(batch, 1_000_000))
		often := func(i int) Target {
			w := restored(i)
			w.Every = every
			return w
		}
		r.clock.Step(time.Duration(rapid.Int64Range(0, int64(every)).Draw(rt, "start")))
		stays := map[string]bool{}
		for i := range n {
			r.platform.set(id(i), handle(i))
			r.engine.Want(often(i))
			stays[id(i)] = true
		}
		r.run(every)
		r.platform.take()
		begin, next := r.clock.Now(), n
		for range 4 {
			for range rapid.IntRange(0, per).Draw(rt, "changes") {
				r.run(time.Duration(rapid.Int64Range(0, int64(every/per)).Draw(rt, "pause")))
				if rapid.Bool().Draw(rt, "join") {
					r.platform.set(id(next), handle(next))
					r.engine.Want(often(next))
					next++
				} else {
					i := rapid.IntRange(0, next-1).Draw(rt, "who")
					r.engine.Forget(key(i))
					delete(stays, id(i))
				}
			}
		}
		r.run(2 * every)
		slack := tidyEvery + time.Duration(float64(every)*float64(batch+2*per+2)/float64(n-4*per))
		last := map[string]time.Time{}
		for _, q := range r.platform.take() {
			for _, ref := range q.refs {
				if !stays[ref.ID] {
					continue
				}
				since := begin
				if at, ok := last[ref.ID]; ok {
					since = at
					if gap := q.at.Sub(at); gap < every-slack {
						rt.Errorf("%s was looked at again after %s", ref.ID, gap)
					}
				}
				if gap := q.at.Sub(since); gap > every+slack {
					rt.Errorf("%s was not looked at for %s", ref.ID, gap)
				}
				last[ref.ID] = q.at
			}
		}
		for who := range stays {
			if gap := r.clock.Now().Sub(last[who]); gap > every+slack {
				rt.Errorf("%s was not looked at for %s", who, gap)
			}
		}
	})
}

// Whatever joins, leaves, or changes its interval: nobody waits for longer than
// its interval and the pace of a batch.
func TestEverybodyIsLookedAtInTime(t *testing.T) {
	t.Parallel()
	intervals := []time.Duration{20 * time.Second, time.Minute, 4 * time.Minute}
	rapid.Check(t, func(rt *rapid.T) {
		batch := rapid.IntRange(1, 20).Draw(rt, "batch")
		r := newRigWith(t, limits(batch, 1_000_000))
		r.clock.Step(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(rt, "start")))
		every := map[string]time.Duration{}
		since := map[string]time.Time{}
		const most = 40
		for range rapid.IntRange(1, 60).Draw(rt, "operations") {
			i := rapid.IntRange(0, most-1).Draw(rt, "who")
			switch rapid.SampledFrom([]string{"join", "join", "leave", "pass"}).Draw(rt, "what") {
			case "join":
				w := wanted(i)
				if rapid.Bool().Draw(rt, "restored") {
					w = restored(i)
				}
				w.Every = rapid.SampledFrom(intervals).Draw(rt, "every")
				r.platform.set(id(i), handle(i))
				r.engine.Want(w)
				if every[id(i)] != w.Every {
					every[id(i)], since[id(i)] = w.Every, r.clock.Now()
				}
			case "leave":
				r.engine.Forget(key(i))
				delete(every, id(i))
			case "pass":
				r.run(time.Duration(rapid.Int64Range(0, int64(80*time.Second)).Draw(rt, "pause")))
			}
			check(rt, r, every, since)
		}
		r.run(8 * time.Minute)
		check(rt, r, every, since)
		for who, e := range every {
			if gap := r.clock.Now().Sub(since[who]); gap > 2*e+tidyEvery {
				rt.Errorf("%s was not looked at for %s, its interval is %s", who, gap, e)
			}
		}
	})
}

// check takes the requests so far and checks the gaps between them. A small ring
// is one batch, so its pace is the interval.
func check(rt *rapid.T, r *rig, every map[string]time.Duration, since map[string]time.Time) {
	for _, q := range r.platform.take() {
		for _, ref := range q.refs {
			e, wanted := every[ref.ID]
			if gap := q.at.Sub(since[ref.ID]); wanted && gap > 2*e+tidyEvery {
				rt.Errorf("%s was not looked at for %s, its interval is %s", ref.ID, gap, e)
			}
			since[ref.ID] = q.at
		}
	}
}
