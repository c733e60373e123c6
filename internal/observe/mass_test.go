package observe

import (
	"math/rand/v2"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// settled is a rig whose fleet of n was looked at.
func settled(t *testing.T, n int) *rig {
	t.Helper()
	r := newRig(t)
	r.fleet(n)
	r.run(2 * testEvery)
	r.forgetAll()
	return r
}

func (r *rig) massChange() *MassChange {
	report, _ := r.engine.Report("x")
	return report.MassChange
}

// What many accounts have in common is told once, and no account is accused. When it
// is over nothing has happened.
func TestAMassChangeThatRevertsAccusesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		what string
		lie  func(*platform.Observation)
	}{
		"everybody is gone":      {"NotFound", func(o *platform.Observation) { o.Outcome, o.Profile = platform.NotFound, nil }},
		"everybody is suspended": {"Suspended", func(o *platform.Observation) { o.Outcome, o.Profile = platform.Suspended, nil }},
		"all names are one":      {"displayName", func(o *platform.Observation) { o.Profile.DisplayName = "defaced" }},
	} {
		t.Run(name, func(t *testing.T) {
			r := settled(t, 300)
			r.platform.after = func(_ platform.Lookup, answers []platform.Observation) {
				for i := range answers {
					if answers[i].Profile != nil {
						c.lie(&answers[i])
					}
				}
			}
			r.run(testEvery / 2)
			change := r.massChange()
			if change == nil || change.What != c.what || change.Accounts < massLeast || change.Share < massShare {
				t.Fatalf("got %+v", change)
			}
			for i := range 300 {
				if s := r.peek(i); s.Outcome != Found || s.Profile.DisplayName != "name of "+id(i) {
					t.Fatalf("account %d is believed to be %+v", i, s)
				}
			}
			if got := r.accounts.take(); len(got) > 0 {
				t.Errorf("%d accounts were woken", len(got))
			}
			r.platform.after = nil
			r.run(2 * testEvery)
			if change := r.massChange(); change != nil {
				t.Errorf("it is over, and still held back: %+v", change)
			}
			if got := r.accounts.take(); len(got) > 0 {
				t.Errorf("%d accounts were woken by what was no news", len(got))
			}
		})
	}
}

// What a further full look confirms after the hold is told of each account.
func TestAMassChangeThatStaysIsTold(t *testing.T) {
	r := settled(t, 300)
	for i := range 300 {
		r.platform.change(id(i), func(p *platform.Profile) { p.Bio = "campaign" })
	}
	for i := range 100 {
		r.platform.remove(id(i))
	}
	r.run(testEvery/2 + time.Minute)
	if r.massChange() == nil {
		t.Fatal("nothing is held back")
	}
	r.run(massHold + 3*testEvery)
	for i := range 300 {
		want := Found
		if i < 100 {
			want = NotFound
		}
		r.expect(i, want)
		if s := r.peek(i); want == Found && s.Profile.Bio != "campaign" {
			t.Fatalf("account %d is believed to be %+v", i, s.Profile)
		}
	}
	r.accounts.take()
	r.run(2 * testEvery)
	if got := r.accounts.take(); len(got) > 0 || r.massChange() != nil {
		t.Errorf("it goes on: %d woken, %+v", len(got), r.massChange())
	}
}

// Fewer than a share is news of each account.
func TestFewChangesAreNoMassChange(t *testing.T) {
	r := settled(t, 300)
	for i := range 40 {
		r.platform.change(id(i), func(p *platform.Profile) { p.Bio = "new" })
	}
	r.run(testEvery + time.Minute)
	for i := range 40 {
		if s := r.peek(i); s.Profile.Bio != "new" {
			t.Fatalf("account %d: %+v, %+v", i, s.Profile, r.massChange())
		}
	}
}

// 1% true changes hidden among 5% transient errors: all are found within two good
// sweeps, and none that is not true.
func TestTrueChangesAmongTransientErrors(t *testing.T) {
	t.Parallel()
	for name, adapter := range map[string]func() platform.Adapter{
		"both ways":       func() platform.Adapter { return limits(100, 1_000_000) },
		"by id alone":     func() platform.Adapter { return without(limits(50, 1_000_000), platform.ByHandle) },
		"by handle alone": func() platform.Adapter { return without(limits(50, 1_000_000), platform.ByID) },
	} {
		t.Run(name, func(t *testing.T) {
			const n = 2000
			r := newRigWith(t, adapter())
			r.fleet(n)
			r.run(2 * testEvery)
			random := rand.New(rand.NewPCG(1, 2))
			r.platform.after = func(_ platform.Lookup, answers []platform.Observation) {
				for i := range answers {
					if random.IntN(100) < 5 {
						answers[i].Outcome, answers[i].Profile, answers[i].Err = platform.Unanswered, nil, errBroken
					}
				}
			}
			for i := 0; i < n; i += 100 {
				r.platform.suspend(id(i))
				r.platform.remove(id(i + 50))
			}
			r.run(2*testEvery + time.Minute)
			for i := range n {
				want := Found
				switch i % 100 {
				case 0:
					want = Suspended
				case 50:
					want = NotFound
				}
				r.expect(i, want)
			}
		})
	}
}

// without is an adapter that cannot look up in a way.
func without(a platform.Adapter, by platform.Lookup) platform.Adapter {
	delete(a.Profiles, by)
	return a
}

// On a platform with one way of looking, a later look by the same way confirms, and
// one that differs does not.
func TestASecondLookByTheOnlyWay(t *testing.T) {
	for _, by := range []platform.Lookup{platform.ByID, platform.ByHandle} {
		t.Run("by "+string(by), func(t *testing.T) {
			r := newRigWith(t, without(limits(50, 1_000_000), other(by)))
			r.fleet(3)
			r.run(testEvery)
			once := true
			r.platform.after = func(_ platform.Lookup, answers []platform.Observation) {
				for i := range answers {
					if once && answers[i].Profile != nil && answers[i].Profile.ID == id(0) {
						once = false
						answers[i].Outcome, answers[i].Profile = platform.NotFound, nil
					}
				}
			}
			r.platform.suspend(id(1))
			r.run(testEvery + time.Minute)
			r.expect(0, Found)
			r.expect(1, Suspended)
			if once {
				t.Error("the lie was not told")
			}
			for _, q := range r.platform.take() {
				if q.by != by {
					t.Fatalf("asked by %s", q.by)
				}
			}
		})
	}
}

// Who cannot be asked for at all is told so.
func TestWhatAPlatformCannotBeAsked(t *testing.T) {
	r := newRigWith(t, without(limits(50, 1_000_000), platform.ByHandle))
	r.engine.Want(unresolved(5))
	r.run(time.Minute)
	if got := r.view(5).Lane; got.Reason != LaneNotObservable {
		t.Errorf("the lane is %+v", got)
	}
}
