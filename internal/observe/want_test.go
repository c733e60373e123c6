package observe

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

// Knowledge that grows old is told once, and once more when it is fresh again.
func TestStale(t *testing.T) {
	for _, looks := range []bool{true, false} {
		r := newRig(t)
		r.one()
		seen := r.peek(0).At
		r.platform.kind(platform.KindRateLimited, 5*time.Hour)
		r.run(testStale - r.clock.Since(seen))
		if r.view(0).Lane.Reason != LaneThrottled {
			t.Fatalf("the lane is %v", r.view(0).Lane)
		}
		if r.view(0).Stale {
			t.Error("stale before its bound")
		}
		r.accounts.take()
		r.run(2 * time.Second)
		r.expectWakes(0, 1)
		if looks && !r.view(0).Stale {
			t.Error("not stale after its bound")
		}
		r.run(testEvery)
		r.expectWakes(0, 0)
		r.platform.fail(nil)
		r.engine.conns["x"].fill(r.engine, r.clock.Now()) // ends the pause
		r.engine.mu.Lock()
		r.engine.conns["x"].state = LaneState{} // the news of the lane is not what this is about
		r.engine.mu.Unlock()
		r.run(testEvery)
		r.expectWakes(0, 1)
		if looks && r.view(0).Stale {
			t.Error("stale although it was looked at")
		}
		r.run(testEvery)
		r.expectWakes(0, 0)
	}
}

// What is only remembered counts from the start of this process.
func TestRestoredKnowledgeIsFreshAtFirst(t *testing.T) {
	r := newRig(t)
	r.platform.set(id(0), handle(0))
	r.platform.kind(platform.KindUnavailable, 0)
	w := restored(0)
	w.Restored.At = epoch.Add(-30 * 24 * time.Hour)
	r.engine.Want(w)
	if v := r.view(0); !v.Restored || v.Stale || v.Snapshot == nil || *v.Snapshot != *w.Restored {
		t.Errorf("at first: %v", v)
	}
	r.run(testStale)
	if v := r.view(0); v.Stale {
		t.Error("stale before its bound")
	}
	r.run(2 * time.Second)
	if v := r.view(0); !v.Stale || !v.Restored {
		t.Errorf("after its bound: %v", v)
	}
	r.platform.fail(nil)
	r.run(testEvery)
	if v := r.view(0); v.Stale || v.Restored || v.Snapshot.At.Before(epoch) {
		t.Errorf("after a look: %v", v)
	}
}

// What an earlier process found, good or bad, is confirmed without noise: no look
// besides the lap's, and one wake-up that says that it holds.
func TestRestoredOutcomes(t *testing.T) {
	r := newRig(t)
	for i, outcome := range []Outcome{Found, Suspended, NotFound, HandleReassigned} {
		w := restored(i)
		w.Restored.Outcome = outcome
		r.platform.set(id(i), handle(i))
		switch outcome {
		case Suspended:
			r.platform.suspend(id(i))
		case NotFound:
			r.platform.remove(id(i))
		case HandleReassigned:
			w.Restored.HolderID = "999"
			r.platform.rename(id(i), "moved")
			r.platform.set("999", handle(i))
		case Found, Deactivated:
		}
		r.engine.Want(w)
	}
	r.run(testEvery + time.Second)
	for i, want := range []Outcome{Found, Suspended, NotFound, HandleReassigned} {
		r.expect(i, want)
		if r.view(i).Restored {
			t.Errorf("account %d was not looked at", i)
		}
	}
	expectEach(t, r.accounts, 4, 1, "after a restart")
	if requests := r.platform.take(); len(requests) > 3 {
		t.Errorf("a lap after a restart cost %d requests", len(requests))
	}
}

// A new target is asked for within MaxWait, even amid a sweep.
func TestUrgentLatency(t *testing.T) {
	r := newRig(t)
	r.fleet(1000)
	r.run(testEvery + testEvery/3)
	r.forgetAll()
	r.platform.set(id(2000), handle(2000))
	r.engine.Want(wanted(2000))
	begin := r.clock.Now()
	r.run(time.Second)
	for _, q := range r.platform.take() {
		if slices.Contains(q.refs, platform.AccountRef{ID: id(2000)}) && q.at.Sub(begin) <= 500*time.Millisecond {
			r.expect(2000, Found)
			return
		}
	}
	t.Error("the new account was not asked for within MaxWait")
}

// A fleet joins as fast as it is reconciled, with halts. Its first looks take as many
// requests as there are full batches; nobody waits for more than haltsMost.
func TestAFleetThatJoinsHaltinglyCostsFullBatches(t *testing.T) {
	r := newRig(t)
	for i := range 1000 {
		r.platform.set(id(i), handle(i))
		r.engine.Want(wanted(i))
		r.run(2 * time.Millisecond)
		if i%130 == 129 {
			r.run(700 * time.Millisecond)
		}
	}
	r.run(2 * time.Second)
	if requests := r.platform.take(); len(requests) != 10 {
		t.Errorf("1000 accounts took %d requests", len(requests))
	}
	r.platform.set(id(1000), handle(1000))
	begin := r.clock.Now()
	r.engine.Want(wanted(1000))
	for i := range 40 { // others keep joining
		r.run(500 * time.Millisecond)
		r.platform.set(id(1001+i), handle(1001+i))
		r.engine.Want(wanted(1001 + i))
	}
	requests := r.platform.take()
	if len(requests) == 0 || requests[0].at.Sub(begin) > haltsMost {
		t.Errorf("it waits for ever for others: %v", requests)
	}
}

// Those that come together go together; nobody waits for ever for others.
func TestUrgentBatches(t *testing.T) {
	r := newRig(t)
	for i := range 4000 {
		r.platform.set(id(i), handle(i))
	}
	r.run(time.Second)
	r.fleet(250)
	r.run(10 * time.Millisecond)
	if requests := r.platform.take(); len(requests) != 2 || len(requests[0].refs) != 100 || len(requests[1].refs) != 100 {
		t.Errorf("full batches: %v", requests)
	}
	r.run(gathers)
	if requests := r.platform.take(); len(requests) != 1 || len(requests[0].refs) != 50 {
		t.Errorf("the rest: %v", requests)
	}
	r.run(gathersMost) // whoever joins from here on is no part of the fleet's start
	r.platform.take()
	// A trickle is closed by MaxWait after its first.
	begin := r.clock.Now()
	for i := range 30 {
		r.engine.Want(wanted(1000 + i))
		r.run(40 * time.Millisecond)
	}
	requests := r.platform.take()
	if len(requests) != 2 {
		t.Fatalf("the trickle took %d requests", len(requests))
	}
	if got := requests[0].at.Sub(begin); got != 500*time.Millisecond || len(requests[0].refs) != 13 {
		t.Errorf("the trickle's first batch of %d went after %s", len(requests[0].refs), got)
	}
	// What is left of a long queue waits for others as if it were new.
	r.run(time.Second)
	r.platform.take()
	for i := range 90 {
		r.engine.Want(wanted(2000 + i))
	}
	r.run(40 * time.Millisecond)
	for i := range 30 {
		r.engine.Want(wanted(3000 + i))
	}
	r.run(45 * time.Millisecond)
	if requests := r.platform.take(); len(requests) != 1 || len(requests[0].refs) != 100 {
		t.Errorf("the full one: %v", requests)
	}
}

func TestWantIsIdempotent(t *testing.T) {
	r := newRig(t)
	r.fleet(60)
	r.run(testEvery)
	r.forgetAll()
	for range 100 {
		for i := range 60 {
			r.engine.Want(wanted(i))
			w := restored(i)
			w.ID = ""
			r.engine.Want(w)
		}
		r.run(time.Second)
	}
	r.run(testEvery - 100*time.Second)
	if got := len(r.platform.take()); got != 1 {
		t.Errorf("one lap cost %d requests", got)
	}
	if woken := r.accounts.take(); len(woken) != 0 {
		t.Errorf("woken: %v", woken)
	}
}

func TestUrgentWant(t *testing.T) {
	r := newRig(t)
	r.fleet(60)
	r.run(testEvery)
	r.forgetAll()
	w := wanted(3)
	w.Urgent = true
	r.engine.Want(w)
	r.engine.Want(w)
	at := r.clock.Now()
	r.run(time.Second)
	if got := asked(r.platform.take())[platform.AccountRef{ID: id(3)}]; got != 1 {
		t.Errorf("asked %d times", got)
	}
	if !r.peek(3).At.After(at) {
		t.Error("not looked at")
	}
	r.expectWakes(3, 0)
}

func TestForget(t *testing.T) {
	r := newRig(t)
	r.fleet(2)
	r.run(testEvery)
	r.engine.Forget(key(0))
	r.engine.Forget(key(0))
	if _, ok := r.engine.Look(key(0)); ok {
		t.Error("a forgotten account is known")
	}
	r.platform.take()
	r.run(3 * testEvery)
	if got := asked(r.platform.take()); got[platform.AccountRef{ID: id(0)}] != 0 || got[platform.AccountRef{ID: id(1)}] != 3 {
		t.Errorf("asked %v", got)
	}
	// While it waits for an urgent look, a second look, or another try.
	r.engine.Want(wanted(0))
	r.engine.Forget(key(0))
	r.platform.suspend(id(1))
	r.platform.after = func(by platform.Lookup, _ []platform.Observation) {
		if by == platform.ByID {
			r.engine.Forget(key(1))
		}
	}
	w := wanted(1)
	w.Urgent = true
	r.engine.Want(w)
	r.run(time.Minute)
	if got := r.platform.take(); len(got) != 1 || len(got[0].refs) != 1 {
		t.Errorf("asked %v", got)
	}
	r.platform.kind(platform.KindUnavailable, 0)
	r.platform.after = nil
	r.fleet(2)
	r.run(10 * time.Second)
	r.engine.Forget(key(0))
	r.engine.Forget(key(1))
	r.platform.take()
	r.run(testEvery)
	if got := r.platform.take(); len(got) != 0 {
		t.Errorf("asked for forgotten accounts %d times", len(got))
	}
	if report, _ := r.engine.Report("x"); report.Accounts != 0 {
		t.Errorf("the report counts %d accounts", report.Accounts)
	}
}

// An answer that arrives after Forget, or after the target became another, is not
// taken for an answer about it.
func TestLateAnswers(t *testing.T) {
	for name, change := range map[string]func(*rig){
		"forgotten": func(r *rig) { r.engine.Forget(key(0)) },
		"wanted again": func(r *rig) {
			r.engine.Forget(key(0))
			r.engine.Want(wanted(0))
		},
		"another id": func(r *rig) {
			w := wanted(0)
			w.ID = "555"
			r.engine.Want(w)
		},
		"another connection": func(r *rig) {
			w := wanted(0)
			w.Connection = "y"
			r.engine.Want(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fleet(1)
			r.clock.Step(time.Second)
			ready, _ := r.engine.step(r.clock.Now())
			change(r)
			for _, call := range ready {
				call(r.ctx)
			}
			if v, ok := r.engine.Look(key(0)); ok && v.Snapshot != nil {
				t.Errorf("got %v", v.Snapshot)
			}
			r.expectWakes(0, 0)
			if _, ok := r.engine.Look(key(0)); !ok {
				return
			}
			// It is asked for anew, and in its own right.
			r.engine.SetConnection(r.connection("y"))
			r.platform.set("555", "other")
			r.run(time.Second)
			if r.peek(0) == nil && name != "another id" {
				t.Error("it was not asked for again")
			}
			if name == "another id" && len(r.platform.take()) < 2 {
				t.Error("the other account was not asked for")
			}
		})
	}
}

// Bad news of an account that a target is no more is no news of the one that it is.
func TestLateNegativeAnswer(t *testing.T) {
	r := newRig(t)
	r.fleet(1)
	r.platform.suspend(id(0))
	r.platform.set("555", "other")
	r.clock.Step(time.Second)
	ready, _ := r.engine.step(r.clock.Now())
	w := wanted(0)
	w.ID, w.Handle = "555", "other"
	r.engine.Want(w)
	for _, call := range ready {
		call(r.ctx)
	}
	r.run(5 * time.Second)
	r.expect(0, Found)
	if got := by(platform.ByHandle, r.platform.take()); len(got) != 0 {
		t.Errorf("there were second looks: %v", got)
	}
}

// Another id is another account: nothing of the one before is kept, not even an
// image that is under way.
func TestChangedID(t *testing.T) {
	r := newRig(t)
	r.fleet(1)
	r.platform.set("555", handle(0))
	r.platform.change(id(0), func(p *platform.Profile) { p.AvatarURL = "slow" })
	r.media.hold["slow"] = make(chan struct{})
	r.async = true
	r.run(time.Second)
	w := wanted(0)
	w.ID = "555"
	r.engine.Want(w)
	if v := r.view(0); v.Snapshot != nil || v.Restored {
		t.Errorf("got %v", v)
	}
	close(r.media.hold["slow"])
	r.engine.underway.Wait()
	if s := r.peek(0); s != nil {
		t.Errorf("got %v of the account before", s)
	}
	r.run(time.Second)
	if s := r.peek(0); s == nil || s.Profile.ID != "555" {
		t.Errorf("got %v", s)
	}
	r.run(2 * testEvery)
	if got := asked(r.platform.take())[platform.AccountRef{ID: id(0)}]; got > 1 {
		t.Errorf("the account before was asked for %d times", got)
	}
}

// Another handle is looked into at once, and nothing stored is taken for granted.
func TestChangedHandle(t *testing.T) {
	r := newRig(t)
	r.one()
	w := wanted(0)
	w.Handle = "renamed"
	r.engine.Want(w)
	r.run(5 * time.Second)
	// It does not bear that handle: confirmed by a look at the handle.
	r.expect(0, Found)
	if got := r.platform.take(); len(by(platform.ByID, got)) == 0 || asked(got)[platform.AccountRef{Handle: "renamed"}] != 1 {
		t.Errorf("asked %v", got)
	}
	r.platform.set("999", "taken")
	w.Handle = "taken"
	r.engine.Want(w)
	r.run(5 * time.Second)
	r.expect(0, HandleReassigned)
	w.Handle = handle(0)
	r.engine.Want(w)
	r.run(5 * time.Second)
	r.expect(0, Found)
	// An unresolved one that was missing: two looks again.
	r.engine.Want(unresolved(1))
	r.run(10 * time.Second)
	r.expect(1, NotFound)
	r.platform.take()
	u := unresolved(1)
	u.Handle = "nobody"
	r.engine.Want(u)
	r.run(10 * time.Second)
	if got := asked(r.platform.take())[platform.AccountRef{Handle: "nobody"}]; got != 2 {
		t.Errorf("the new handle was asked for %d times", got)
	}
}

func TestChangedInterval(t *testing.T) {
	r := newRig(t)
	r.one()
	w := wanted(0)
	for _, every := range []time.Duration{time.Minute, time.Hour, testEvery} {
		w.Every = every
		r.engine.Want(w)
		r.run(2 * every)
		r.platform.take()
		r.run(5 * every)
		if got := len(r.platform.take()); got != 5 {
			t.Errorf("every %s: %d requests in five laps", every, got)
		}
	}
	r.expectWakes(0, 0)
}

// A target that moves to another connection takes its urgency with it.
func TestChangedConnection(t *testing.T) {
	r := newRig(t)
	w := wanted(0)
	w.Connection = "y"
	r.platform.set(id(0), handle(0))
	r.engine.Want(w)
	r.run(testEvery)
	if got := r.view(0).Lane.Reason; got != LaneConnectionMissing {
		t.Errorf("the lane is %q", got)
	}
	r.engine.Want(wanted(0))
	r.run(time.Second)
	r.expect(0, Found)
	r.engine.SetConnection(r.connection("y"))
	r.platform.take()
	r.engine.Want(w)
	r.run(3*testEvery + time.Second)
	requests := r.platform.take()
	if len(requests) < 4 {
		t.Errorf("asked %d times in three laps and once at once", len(requests))
	}
	for name, want := range map[string]int{"x": 0, "y": 1} {
		if report, _ := r.engine.Report(name); report.Accounts != want {
			t.Errorf("%s counts %d accounts", name, report.Accounts)
		}
	}
	// To and fro, while a second look is waiting.
	r.platform.suspend(id(0))
	w.Urgent = true
	r.engine.Want(w)
	r.engine.Want(wanted(0))
	r.engine.Want(w)
	r.run(5 * time.Second)
	r.expect(0, Suspended)
}

// Counters alone wake nobody; anything else wakes once.
func TestWakesOnlyOnChange(t *testing.T) {
	base := platform.Profile{ID: id(0), Handle: handle(0)}
	for name, tc := range map[string]struct {
		change func(*platform.Profile)
		want   int
	}{
		"followers": {func(p *platform.Profile) { p.Followers = 7 }, 0},
		"posts":     {func(p *platform.Profile) { p.Posts = 7 }, 0},
		"last post": {func(p *platform.Profile) { p.LastPostID, p.LastPostAt = "1", epoch }, 0},
		"name":      {func(p *platform.Profile) { p.DisplayName = "new" }, 1},
		"bio":       {func(p *platform.Profile) { p.Bio = "new" }, 1},
		"website":   {func(p *platform.Profile) { p.Website = "new" }, 1},
		"location":  {func(p *platform.Profile) { p.Location = "new" }, 1},
		"banner":    {func(p *platform.Profile) { p.BannerURL = "new" }, 1},
		"avatar":    {func(p *platform.Profile) { p.AvatarURL = "new" }, 1},
		"no avatar": {func(p *platform.Profile) { p.AvatarURL = "" }, 0},
		"verified":  {func(p *platform.Profile) { p.Verified = true }, 1},
		"protected": {func(p *platform.Profile) { p.Protected = true }, 1},
		"unread":    {func(p *platform.Profile) { p.Unread = platform.Fields(platform.FieldBio) }, 1},
		"case":      {func(p *platform.Profile) { p.Handle = "HANDLE_0" }, 1},
		"handle":    {func(p *platform.Profile) { p.Handle = "renamed" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.one()
			r.platform.change(id(0), func(p *platform.Profile) { *p = base })
			r.run(testEvery)
			r.forgetAll()
			r.platform.change(id(0), tc.change)
			r.run(testEvery)
			r.expectWakes(0, tc.want)
			want := base
			tc.change(&want)
			if got := r.peek(0).Profile; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			r.run(3 * testEvery)
			r.expectWakes(0, 0)
		})
	}
}

// A published snapshot is never changed.
func TestSnapshotsAreNeverChanged(t *testing.T) {
	r := newRig(t)
	r.fleet(1)
	type copied struct {
		p *Snapshot
		s Snapshot
	}
	var published []copied
	for _, change := range []func(){
		func() {},
		func() { r.platform.change(id(0), func(p *platform.Profile) { p.AvatarURL = "a" }) },
		func() { r.platform.suspend(id(0)) },
		func() { r.platform.set(id(0), handle(0)) },
		func() { r.platform.rename(id(0), "moved"); r.platform.set("999", handle(0)) },
	} {
		change()
		for range 10 {
			r.run(testEvery / 10)
			if s := r.view(0).Snapshot; s != nil {
				published = append(published, copied{s, *s})
			}
		}
	}
	for _, c := range published {
		if *c.p != c.s {
			t.Errorf("changed from %v to %v", c.s, *c.p)
		}
	}
}

func TestLookAtNobody(t *testing.T) {
	r := newRig(t)
	if _, ok := r.engine.Look(types.NamespacedName{Name: "nobody"}); ok {
		t.Error("somebody whom nobody wants is known")
	}
}

// often is an account that is to be looked at every 20 s, and whose promise ends after 40.
func often(i int) Target {
	w := wanted(i)
	w.Every, w.StaleAfter = 20*time.Second, 40*time.Second
	return w
}

// A first look by handle costs two requests of Snapchat where a look by id costs one (search,
// then profile). A fleet that takes every request as it comes, because it is promised more
// than the rate allows, must not keep newcomers from ever having two.
func TestADearFirstLookGetsItsTurn(t *testing.T) {
	adapter := limits(1, 0)
	adapter.Budgets = []platform.Budget{{Bucket: bucketID, Kind: platform.BudgetBucket, Limit: 2, Window: time.Second, Burst: 2}}
	dear := platform.Read{Batch: 1, Charges: []platform.Charge{{Bucket: bucketID, PerRequest: 2}}}
	adapter.Profiles[platform.ByHandle] = dear
	r := newRigWith(t, adapter)
	const newcomers = 40
	known := make([]Target, 100) // five requests a second, of two
	for i := range known {
		known[i] = often(i)
		r.platform.set(id(i), handle(i))
		r.engine.Want(known[i])
	}
	r.run(5 * time.Minute)
	for i := len(known); i < len(known)+newcomers; i++ {
		r.platform.set(id(i), handle(i))
		w := often(i)
		w.ID = ""
		r.engine.Want(w)
	}
	r.forgetAll()
	// Their turns and those of the sweep alternate: three requests for each newcomer.
	r.run(2 * time.Minute)
	others, spent := 0, 0
	for _, q := range r.platform.take() {
		if spent++; q.by == platform.ByHandle {
			spent++
		} else if slices.ContainsFunc(known, func(w Target) bool { return w.ID == q.refs[0].ID }) {
			others++
		}
	}
	for i := range newcomers {
		r.expect(len(known)+i, Found)
	}
	// Nothing is lost to waiting for two requests at once; a twentieth is the reserve.
	if most := 2 * 120 * 95 / 100; others < newcomers || spent < most-2 || spent > most+2 {
		t.Errorf("the others were looked at %d times meanwhile, %d of %d requests in all", others, spent, most)
	}
}

// The sweep's turn keeps what it lacks from others, and not the reserve from an account that
// somebody waits for.
func TestASweepThatWaitsKeepsNoReserve(t *testing.T) {
	adapter := limits(1, 0)
	adapter.Budgets = []platform.Budget{{Bucket: bucketID, Kind: platform.BudgetBucket, Limit: 8, Window: time.Minute, Burst: 60}}
	dear := platform.Read{Batch: 1, Charges: []platform.Charge{{Bucket: bucketID, PerRequest: 1}}}
	adapter.Profiles[platform.ByHandle] = dear
	r := newRigWith(t, adapter)
	for i := range 40 { // 120 requests a minute, of eight
		r.platform.set(id(i), handle(i))
		r.engine.Want(often(i))
	}
	r.run(10 * time.Minute) // of 80 requests the reserve is four
	r.expect(0, Found)
	// Both are of the reserve. After the first it is the sweep's turn, which lacks 16 seconds.
	for i := 40; i < 42; i++ {
		r.platform.set(id(i), handle(i))
		w := wanted(i)
		w.ID = ""
		r.engine.Want(w)
	}
	r.run(time.Second)
	r.expect(40, Found)
	r.expect(41, Found)
}
