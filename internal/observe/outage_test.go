package observe

import (
	"context"
	"fmt"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// outages are the ways in which a platform can fail to answer.
func outages() map[string]func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error) {
	return map[string]func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error){
		"unavailable": func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error) {
			return nil, &platform.Error{Kind: platform.KindUnavailable, Op: "observe"}
		},
		"another error": func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error) { return nil, errBroken },
		"too few answers": func(_ platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
			answers := []platform.Observation{}
			for _, ref := range refs[1:] {
				answers = append(answers, platform.Observation{Ref: ref, Outcome: platform.NotFound})
			}
			return answers, nil
		},
		"too many answers": func(_ platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
			return make([]platform.Observation, len(refs)+1), nil
		},
		"nobody answered": func(_ platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
			return unanswered(refs), nil
		},
	}
}

func unanswered(refs []platform.AccountRef) []platform.Observation {
	answers := make([]platform.Observation, len(refs))
	for i, ref := range refs {
		answers[i] = platform.Observation{Ref: ref, Outcome: platform.Unanswered, Err: errBroken}
	}
	return answers
}

// An outage is told once to everybody, spends one request at a time, takes nothing
// away, and ends within one interval, told once.
func TestOutage(t *testing.T) {
	t.Parallel()
	for name, fail := range outages() {
		for _, n := range []int{1, 60, 250} {
			t.Run(fmt.Sprintf("%s, %d accounts", name, n), func(t *testing.T) {
				r := newRig(t)
				r.fleet(n)
				r.run(testEvery)
				before := make([]*Snapshot, n)
				for i := range n {
					before[i] = r.peek(i)
				}
				r.forgetAll()
				r.platform.fail(fail)
				begin := r.clock.Now()
				for r.view(0).Lane.Reason == "" && r.clock.Since(begin) < 2*testEvery {
					r.run(time.Second)
				}
				if got := len(r.platform.take()); got != outageAfter && n <= 100 {
					t.Errorf("the outage was noticed after %d requests, want %d", got, outageAfter)
				}
				if got := r.view(0).Lane; got.Reason != LanePlatformUnavailable || got.Message == "" {
					t.Fatalf("the lane is %v", got)
				}
				expectEach(t, r.accounts, n, 1, "at the outage")
				r.widest = 0
				r.run(2*testEvery + 7*time.Minute)
				if r.widest > 1 {
					t.Errorf("%d batches went at the same time", r.widest)
				}
				if got := len(r.platform.take()); got < 5 || got > 100 {
					t.Errorf("the platform was asked %d times during the outage", got)
				}
				expectEach(t, r.accounts, n, 0, "during the outage")
				for i := range n {
					if now := r.peek(i); *now != *before[i] {
						t.Fatalf("the outage changed account %d to %v", i, now)
					}
				}
				r.platform.fail(nil)
				recovered := r.clock.Now()
				r.run(testEvery)
				if got := r.view(0).Lane; got != (LaneState{}) {
					t.Errorf("the lane is %v after one interval", got)
				}
				expectEach(t, r.accounts, n, 1, "at the recovery")
				for i := range n {
					if v := r.view(i); v.Snapshot.Outcome != Found || v.Snapshot.At.Before(recovered) {
						t.Fatalf("account %d was not looked at again: %v", i, v.Snapshot)
					}
				}
				if got, limit := len(r.platform.take()), 2*ceil(n, 100)+2*maxUnderway; got > limit {
					t.Errorf("the recovery cost %d requests, want at most %d", got, limit)
				}
			})
		}
	}
}

func expectEach(t *testing.T, w *wakes, n, want int, when string) {
	t.Helper()
	woken := w.take()
	for i := range n {
		if got := woken[key(i)]; got != want {
			t.Fatalf("account %d was woken %d times %s, want %d", i, got, when, want)
		}
	}
}

// Calls that were under way together and fail together are one failure.
func TestFailuresTogetherAreOne(t *testing.T) {
	r := newRig(t)
	r.header()
	r.platform.kind(platform.KindUnavailable, 0)
	r.fleet(100 * maxUnderway)
	ready, _ := r.engine.step(r.clock.Now())
	if len(ready) != maxUnderway {
		t.Fatalf("%d calls are ready", len(ready))
	}
	for _, call := range ready {
		call(r.ctx)
	}
	if got := r.view(0).Lane; got.Reason != "" {
		t.Errorf("the lane is %v", got)
	}
	r.platform.fail(nil)
	r.run(time.Second)
	for i := range 100 * maxUnderway {
		r.expect(i, Found)
	}
}

// The tries are never further apart than the shortest interval.
func TestRecoveryShowsWithinAShortInterval(t *testing.T) {
	const every = 20 * time.Second
	r := newRig(t)
	r.fleetEvery(60, every)
	r.run(every)
	r.platform.kind(platform.KindUnavailable, 0)
	r.run(20 * time.Minute)
	if got := r.view(0).Lane.Reason; got != LanePlatformUnavailable {
		t.Fatalf("the lane is %q", got)
	}
	r.platform.fail(nil)
	r.run(every)
	if got := r.view(0).Lane.Reason; got != "" {
		t.Errorf("the lane is %q", got)
	}
}

// New accounts during an outage are asked for at once when it ends.
func TestUrgentTargetsOutliveAnOutage(t *testing.T) {
	r := newRig(t)
	r.platform.kind(platform.KindUnavailable, 0)
	r.fleet(250)
	r.run(3 * testEvery)
	for i := range 250 {
		r.expect(i, "")
	}
	r.platform.fail(nil)
	r.run(2 * time.Minute)
	for i := range 250 {
		r.expect(i, Found)
	}
}

// One batch that the platform cannot answer stands neither for the platform nor in
// the way of others, and is narrowed down to the account that is to blame.
func TestOneBatchCannotBeAnswered(t *testing.T) {
	r := newRig(t)
	r.fleet(250)
	r.run(testEvery)
	poison := platform.AccountRef{ID: id(7)}
	r.platform.fail(func(_ platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
		if _, in := asked([]request{{refs: refs}})[poison]; in {
			return nil, errBroken
		}
		return nil, nil
	})
	r.run(testEvery)
	for range 2 {
		r.forgetAll()
		lap := r.clock.Now()
		r.run(testEvery + testEvery/2)
		for i := range 250 {
			if s := r.view(i).Snapshot; i != 7 && !s.At.After(lap) {
				t.Fatalf("account %d was not looked at: %s", i, s.At.Sub(lap))
			}
		}
		if got := len(r.platform.take()); got > 2*3+60 {
			t.Errorf("one and a half laps cost %d requests", got)
		}
	}
	r.expect(7, Found)
	if v := r.view(0); v.Lane.Reason != "" {
		t.Errorf("the lane is %v", v.Lane)
	}
}

// A few accounts about which the platform says nothing are no outage.
func TestSilenceAboutSomeIsNoOutage(t *testing.T) {
	r := newRig(t)
	r.fleet(60)
	r.run(testEvery)
	r.forgetAll()
	r.platform.after = func(_ platform.Lookup, answers []platform.Observation) {
		for i, o := range answers {
			if o.Ref.ID == id(0) || o.Ref.ID == id(1) {
				answers[i] = platform.Observation{Ref: o.Ref, Outcome: platform.Unanswered, Err: errBroken}
			}
		}
	}
	r.run(4 * testEvery)
	// Each is asked once more at once, the first time.
	if got := len(r.platform.take()); got != 4+1 {
		t.Errorf("four laps cost %d requests, want 5", got)
	}
	r.run(2 * time.Minute)
	woken := r.accounts.take()
	for i := range 60 {
		want := 0
		if i < 2 {
			want = 1 // stale by now
		}
		if woken[key(i)] != want {
			t.Errorf("account %d was woken %d times, want %d", i, woken[key(i)], want)
		}
		r.expect(i, Found)
	}
	r.platform.after = nil
	r.run(testEvery)
	if v := r.view(0); v.Stale || v.Snapshot.Outcome != Found {
		t.Errorf("account 0 is %v", v)
	}
}

// 429 pauses one bucket until the platform said, and is a condition only where it
// breaks a promise.
func TestRateLimited(t *testing.T) {
	r := newRig(t)
	r.fleet(250)
	r.run(testEvery)
	r.forgetAll()
	limited := true
	r.platform.fail(func(by platform.Lookup, _ []platform.AccountRef) ([]platform.Observation, error) {
		if by == platform.ByID && limited {
			return nil, &platform.Error{Kind: platform.KindRateLimited, RetryAfter: 10 * time.Minute}
		}
		return nil, nil
	})
	for len(r.platform.take()) == 0 {
		r.run(time.Second)
	}
	refused := r.clock.Now()
	r.platform.set(id(300), handle(300))
	w := wanted(300)
	w.ID = ""
	r.engine.Want(w)
	r.run(9*time.Minute + 50*time.Second)
	requests := r.platform.take()
	if got := len(by(platform.ByID, requests)); got != 0 {
		t.Errorf("the paused bucket was asked %d times", got)
	}
	if got := len(by(platform.ByHandle, requests)); got != 1 {
		t.Errorf("the other bucket was asked %d times, want 1", got)
	}
	r.expect(300, Found)
	if v := r.view(0); v.Lane.Reason != "" {
		t.Errorf("the lane is %v", v.Lane)
	}
	limited = false
	r.run(15 * time.Second)
	requests = r.platform.take()
	if len(requests) == 0 || requests[0].at.Before(refused.Add(10*time.Minute-2*time.Second)) {
		t.Errorf("the bucket was asked at %v", requests)
	}
	if woken := r.accounts.take(); len(woken) != 1 {
		t.Errorf("%d accounts were woken, want the new one", len(woken))
	}
}

func TestThrottled(t *testing.T) {
	for name, tc := range map[string]struct {
		retryAfter time.Duration
		want       LaneReason
	}{
		"the promise can be kept": {30 * time.Minute, ""},
		"the promise is broken":   {2 * time.Hour, LaneThrottled},
		"nothing is said":         {0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.one()
			r.platform.kind(platform.KindRateLimited, tc.retryAfter)
			r.run(testEvery)
			if got := r.view(0).Lane.Reason; got != tc.want {
				t.Errorf("the lane is %q, want %q", got, tc.want)
			}
			if requests := r.platform.take(); tc.retryAfter > testEvery && len(requests) != 1 {
				t.Errorf("the bucket was asked %d times", len(requests))
			}
			wake := 0
			if tc.want != "" {
				wake = 1
			}
			r.expectWakes(0, wake)
			// Answers in the other bucket do not end it.
			r.platform.fail(func(by platform.Lookup, _ []platform.AccountRef) ([]platform.Observation, error) {
				if by == platform.ByID {
					return nil, &platform.Error{Kind: platform.KindRateLimited, RetryAfter: tc.retryAfter}
				}
				return nil, nil
			})
			r.platform.set(id(1), handle(1))
			w := wanted(1)
			w.ID = ""
			r.engine.Want(w)
			r.run(time.Minute)
			r.expect(1, Found)
			if got := r.view(0).Lane.Reason; got != tc.want {
				t.Errorf("after an answer in the other bucket the lane is %q, want %q", got, tc.want)
			}
			r.platform.fail(nil)
			r.run(max(tc.retryAfter, testEvery) + time.Minute)
			if got := r.view(0); got.Lane.Reason != "" || got.Stale {
				t.Errorf("after the pause: %v", got)
			}
		})
	}
}

func TestUnauthorized(t *testing.T) {
	r := newRig(t)
	r.fleet(60)
	r.run(5 * time.Second)
	r.forgetAll()
	r.platform.kind(platform.KindUnauthorized, 0)
	r.run(testEvery)
	if got := r.view(0).Lane; got.Reason != LaneUnauthorized || got.Message == "" {
		t.Errorf("the lane is %v", got)
	}
	expectEach(t, r.accounts, 60, 1, "at the refusal")
	if got := len(r.platform.take()); got > 30 {
		t.Errorf("a refused credential was used %d times in one interval", got)
	}
	r.engine.SetConnection(r.connection("x"))
	r.platform.fail(nil)
	r.run(time.Second)
	if v := r.view(0); v.Lane.Reason != "" || v.Snapshot.Outcome != Found {
		t.Errorf("with a new credential: %v", v)
	}
	expectEach(t, r.accounts, 60, 1, "with a new credential")
}

func TestBudgetExhausted(t *testing.T) {
	for name, tc := range map[string]struct {
		at   time.Duration // after midnight UTC
		want time.Duration
	}{
		"an hour":        {10 * time.Hour, time.Hour},
		"until midnight": {23*time.Hour + 30*time.Minute, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.clock.SetTime(epoch.Truncate(24 * time.Hour).Add(24*time.Hour + tc.at - 2*time.Minute))
			w := wanted(0)
			w.Every = time.Minute
			r.platform.set(id(0), handle(0))
			r.engine.Want(w)
			r.run(2 * time.Minute)
			r.forgetAll()
			r.platform.kind(platform.KindBudgetExhausted, 0)
			var refused time.Time
			for refused.IsZero() {
				r.run(time.Second)
				for _, q := range r.platform.take() {
					refused = q.at
				}
			}
			if got := r.view(0).Lane; got.Reason != LaneBudgetExhausted || got.Message == "" {
				t.Errorf("the lane is %v", got)
			}
			r.expectWakes(0, 1)
			r.platform.fail(nil)
			r.run(tc.want + 5*time.Second)
			requests := r.platform.take()
			until := refused.Add(time.Hour)
			if midnight := refused.Truncate(24 * time.Hour).Add(24 * time.Hour); midnight.Before(until) {
				until = midnight
			}
			if len(requests) == 0 || !requests[0].at.Equal(until) {
				t.Errorf("asked again at %v, want at %s", requests, until)
			}
			if got := r.view(0).Lane; got.Reason != "" {
				t.Errorf("the lane is %v afterwards", got)
			}
		})
	}
}

// A refused batch is halved down to the one that offends.
func TestRefusedBatchIsHalved(t *testing.T) {
	for _, kind := range []platform.Kind{platform.KindInvalid, platform.KindNotFound} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t)
			offender := platform.AccountRef{ID: id(42)}
			r.platform.fail(func(_ platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
				if asked([]request{{refs: refs}})[offender] > 0 {
					return nil, &platform.Error{Kind: kind}
				}
				return nil, nil
			})
			r.fleet(100)
			r.run(20 * time.Second)
			for i := range 100 {
				want := Found
				if i == 42 {
					want = ""
				}
				r.expect(i, want)
			}
			if got := len(r.platform.take()); got > 1+2*7 {
				t.Errorf("it took %d requests", got)
			}
			if v := r.view(0); v.Lane.Reason != "" {
				t.Errorf("the lane is %v", v.Lane)
			}
			// It costs as much in every lap, and the sweep ends nevertheless.
			r.run(testEvery)
			r.platform.take()
			r.run(4 * testEvery)
			if got := len(r.platform.take()); got > 4*(1+2*7) {
				t.Errorf("four laps took %d requests", got)
			}
			if report, _ := r.engine.Report("x"); report.Sweep.CompletedAt.Before(r.clock.Now().Add(-testEvery - testEvery/2)) {
				t.Errorf("the last sweep is %v", report.Sweep)
			}
		})
	}
}

// Where everything is refused it is not the accounts, and not worth a request for
// each of them.
func TestEverythingIsRefused(t *testing.T) {
	r := newRig(t)
	r.fleet(1000)
	r.run(testEvery)
	r.forgetAll()
	r.platform.kind(platform.KindInvalid, 0)
	r.run(2 * testEvery)
	if got := len(r.platform.take()); got > 120 {
		t.Errorf("two laps of ten batches took %d requests", got)
	}
	if got := r.view(0).Lane.Reason; got != LanePlatformUnavailable {
		t.Errorf("the lane is %q", got)
	}
	r.platform.fail(nil)
	r.run(testEvery)
	lap := r.clock.Now()
	r.run(testEvery + testEvery/5)
	for i := range 1000 {
		if v := r.view(i); v.Lane.Reason != "" || !v.Snapshot.At.After(lap) {
			t.Fatalf("account %d: %v", i, v)
		}
	}
}

// An answer to the client of before is not believed, but nobody is forgotten.
func TestReopenedConnection(t *testing.T) {
	r := newRig(t)
	r.fleet(3)
	r.clock.Step(time.Second)
	ready, _ := r.engine.step(r.clock.Now())
	if len(ready) != 1 {
		t.Fatalf("%d calls are ready", len(ready))
	}
	r.platform.suspend(id(0))
	old := r.platform
	fresh := r.connection("x")
	fresh.Client = &platform.Client{Observe: &fakePlatform{now: r.clock.Now, accounts: old.accounts, handles: old.handles}}
	r.engine.SetConnection(fresh)
	ready[0](r.ctx)
	for i := range 3 {
		r.expect(i, "")
	}
	if got := len(old.take()); got != 1 {
		t.Errorf("the old client was asked %d times", got)
	}
	r.run(2 * time.Second)
	r.expect(0, Suspended)
	r.expect(1, Found)
	r.expect(2, Found)
	if got := len(old.take()); got != 0 {
		t.Errorf("the old client was asked %d times after the new one came", got)
	}
	// A batch that waits to be tried again goes to the new client too.
	fresh.Client.Observe.(*fakePlatform).kind(platform.KindUnavailable, 0)
	w := wanted(1)
	w.Urgent = true
	r.engine.Want(w)
	at := r.clock.Now()
	r.run(550 * time.Millisecond)
	r.engine.SetConnection(r.connection("x"))
	r.run(time.Second)
	if !r.peek(1).At.After(at) {
		t.Error("an urgent look was lost with the old client")
	}
}

func TestDroppedConnection(t *testing.T) {
	r := newRig(t)
	r.fleet(3)
	r.clock.Step(time.Second)
	ready, _ := r.engine.step(r.clock.Now())
	r.engine.DropConnection("x")
	for _, call := range ready {
		call(r.ctx) // must not panic: the client is gone
	}
	r.forgetAll()
	r.run(2 * testEvery)
	if got := len(r.platform.take()); got != 0 {
		t.Errorf("a dropped connection was asked %d times", got)
	}
	if got := r.view(0).Lane; got.Reason != LaneConnectionMissing || got.Message == "" {
		t.Errorf("the lane is %v", got)
	}
	r.engine.SetConnection(r.connection("x"))
	expectEach(t, r.accounts, 3, 1, "when the connection came back")
	r.run(2 * time.Second)
	for i := range 3 {
		r.expect(i, Found)
	}
	r.engine.DropConnection("nobody knows")
	if _, ok := r.engine.Report("nobody knows"); ok {
		t.Error("a connection that nobody opened is reported")
	}
}

// A connection that cannot be used says why, and asks nobody.
func TestConnectionWithoutClient(t *testing.T) {
	r := newRig(t)
	r.one()
	state := LaneState{Reason: LaneUnauthorized, Message: "Secret is missing"}
	r.engine.SetConnection(Connection{Name: "x", Platform: platform.X, Adapter: r.adapter, State: state})
	r.expectWakes(0, 1)
	r.run(2 * testEvery)
	if got := len(r.platform.take()); got != 0 {
		t.Errorf("asked %d times", got)
	}
	if got := r.view(0).Lane; got != state {
		t.Errorf("the lane is %v", got)
	}
	r.expectWakes(0, 0)
}

// A call that the process did not survive says nothing about the platform.
func TestCancelledCall(t *testing.T) {
	r := newRig(t)
	r.one()
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	r.ctx = ctx
	for range 5 {
		w := wanted(0)
		w.Urgent = true
		r.engine.Want(w)
		r.clock.Step(time.Second)
		for ready, _ := r.engine.step(r.clock.Now()); len(ready) > 0; ready = ready[1:] {
			ready[0](ctx)
		}
	}
	if v := r.view(0); v.Lane.Reason != "" || v.Snapshot.Outcome != Found {
		t.Errorf("got %v", v)
	}
}
