package observe

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// says is an answer of the fake platform, whatever its accounts are.
func says(outcome platform.Outcome, id, handle string) platform.Observation {
	o := platform.Observation{Outcome: outcome}
	if outcome == platform.Found {
		o.Profile = &platform.Profile{ID: id, Handle: handle}
	}
	return o
}

// Nothing negative is believed on one answer: it takes a second look by handle,
// and what that says decides.
func TestSecondLook(t *testing.T) {
	const outage = "outage"
	byID := map[string]platform.Observation{
		"NotFound":     says(platform.NotFound, "", ""),
		"Suspended":    says(platform.Suspended, "", ""),
		"Deactivated":  says(platform.Deactivated, "", ""),
		"other handle": says(platform.Found, id(0), "renamed"),
	}
	byHandle := map[string]platform.Observation{
		"NotFound":    says(platform.NotFound, "", ""),
		"Suspended":   says(platform.Suspended, "", ""),
		"Deactivated": says(platform.Deactivated, "", ""),
		"same id":     says(platform.Found, id(0), handle(0)),
		"other id":    says(platform.Found, "999", handle(0)),
		"unanswered":  {Outcome: platform.Unanswered, Err: errBroken},
		outage:        {},
	}
	const keeps = Outcome("keeps the previous")
	want := map[string]map[string]Outcome{
		"NotFound": {
			"NotFound": NotFound, "Suspended": Suspended, "Deactivated": NotFound,
			"same id": keeps, "other id": HandleReassigned, "unanswered": keeps, outage: keeps,
		},
		"Suspended": {
			"NotFound": Suspended, "Suspended": Suspended, "Deactivated": Suspended,
			"same id": keeps, "other id": HandleReassigned, "unanswered": keeps, outage: keeps,
		},
		"Deactivated": {
			"NotFound": Deactivated, "Suspended": Suspended, "Deactivated": Deactivated,
			"same id": keeps, "other id": HandleReassigned, "unanswered": keeps, outage: keeps,
		},
		"other handle": {
			"NotFound": Found, "Suspended": Found, "Deactivated": Found,
			"same id": Found, "other id": HandleReassigned, "unanswered": keeps, outage: keeps,
		},
	}
	for first, answer := range byID {
		for second, confirmation := range byHandle {
			for _, knew := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, %s, known before: %t", first, second, knew), func(t *testing.T) {
					r := newRig(t)
					if knew {
						r.one()
					} else {
						r.engine.Want(wanted(0))
					}
					var before *Snapshot
					if knew {
						before = r.peek(0)
					}
					handleAsked := 0
					r.platform.fail(func(by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
						o := answer
						if by == platform.ByHandle {
							handleAsked++
							o = confirmation
							if second == outage {
								return nil, errBroken
							}
							if handleAsked == 1 && !reflect.DeepEqual(r.peek(0), before) {
								t.Error("stored before the second look")
							}
						}
						o.Ref = refs[0]
						// Another account, so that silence about this one is no outage.
						return []platform.Observation{o}, nil
					})
					r.engine.conns["x"].targets++ // as if there were others
					w := wanted(0)
					w.Urgent = true
					r.engine.Want(w)
					r.run(30 * time.Second)
					if handleAsked == 0 {
						t.Fatal("there was no second look")
					}
					got := r.peek(0)
					if want := want[first][second]; want == keeps {
						if !reflect.DeepEqual(got, before) {
							t.Errorf("got %v, want the previous", got)
						}
					} else {
						checkStored(t, got, want, before, first, second)
					}
				})
			}
		}
	}
}

func checkStored(t *testing.T, got *Snapshot, want Outcome, before *Snapshot, first, second string) {
	t.Helper()
	if got == nil || got.Outcome != want {
		t.Fatalf("got %v, want %s", got, want)
	}
	if holder := got.HolderID; (holder == "999") != (want == HandleReassigned) {
		t.Errorf("the holder is %q", holder)
	}
	name := ""
	switch {
	case first == "other handle" && second == "same id":
		name = handle(0)
	case first == "other handle":
		name = "renamed"
	case before != nil:
		name = before.Profile.Handle // it outlives the account
	}
	if got.Profile.Handle != name {
		t.Errorf("the profile bears %q, want %q", got.Profile.Handle, name)
	}
}

// What is known already needs no second look, and wakes nobody.
func TestNegativeAnswersAreRepeatedInSilence(t *testing.T) {
	r := newRig(t)
	r.fleet(4)
	r.platform.suspend(id(0))
	r.platform.remove(id(1))
	r.platform.rename(id(2), "renamed")
	r.platform.rename(id(3), "moved")
	r.platform.set("999", handle(3))
	r.run(testEvery)
	for i, want := range []Outcome{Suspended, NotFound, Found, HandleReassigned} {
		r.expect(i, want)
	}
	r.forgetAll()
	before := r.clock.Now()
	r.run(4 * testEvery)
	if requests := r.platform.take(); len(by(platform.ByID, requests)) != 4 {
		t.Errorf("four laps cost %d requests", len(requests))
	}
	if woken := r.accounts.take(); len(woken) != 0 {
		t.Errorf("woken: %v", woken)
	}
	for i := range 4 {
		if v := r.view(i); v.Snapshot.At.Before(before) || v.Stale {
			t.Errorf("account %d is %v", i, v)
		}
	}
	// An account that is back is believed at once, and told once.
	r.platform.set(id(0), handle(0))
	r.platform.set(id(1), handle(1))
	r.platform.rename(id(2), handle(2))
	r.run(testEvery)
	for i := range 3 {
		r.expect(i, Found)
	}
	if woken := r.accounts.take(); len(woken) != 3 || woken[key(0)] != 1 {
		t.Errorf("woken: %v", woken)
	}
}

// One kind of gone is not another.
func TestSuspendedThenMissing(t *testing.T) {
	r := newRig(t)
	r.fleet(1)
	r.platform.suspend(id(0))
	r.run(testEvery)
	r.expect(0, Suspended)
	r.platform.remove(id(0))
	r.forgetAll()
	r.run(testEvery)
	r.expect(0, NotFound)
	r.expectWakes(0, 1)
	if got := len(by(platform.ByHandle, r.platform.take())); got != 1 {
		t.Errorf("it took %d looks by handle", got)
	}
}

// A newer answer by id overrides a doubt whose second look is still to come.
func TestDoubtIsOvertaken(t *testing.T) {
	r := newRig(t)
	r.one()
	r.platform.suspend(id(0))
	// By handle nobody answers for a while.
	r.platform.before = func(by platform.Lookup, _ []platform.AccountRef) ([]platform.Observation, error) {
		if by == platform.ByHandle {
			return nil, &platform.Error{Kind: platform.KindRateLimited, RetryAfter: 2*testEvery + time.Minute}
		}
		return nil, nil
	}
	r.run(testEvery)
	if r.engine.targets[nameOf(key(0))].doubt == nil {
		t.Fatal("there is no doubt")
	}
	r.platform.set(id(0), handle(0))
	r.run(testEvery)
	r.expect(0, Found)
	r.accounts.take()
	// The old doubt must not be confirmed by whatever comes now.
	r.platform.before = func(by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
		if by == platform.ByHandle {
			return []platform.Observation{{Ref: refs[0], Outcome: platform.NotFound}}, nil
		}
		return nil, nil
	}
	r.run(2 * testEvery)
	r.expect(0, Found)
	r.expectWakes(0, 0)
}

// An id that was not asked for is no answer.
func TestForeignAnswers(t *testing.T) {
	r := newRig(t)
	r.one()
	before := *r.peek(0)
	r.platform.before = func(by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
		o := says(platform.Found, "999", handle(0))
		o.Ref = refs[0]
		return []platform.Observation{o}, nil
	}
	r.run(3 * testEvery)
	if got := *r.peek(0); got != before {
		t.Errorf("got %v", got)
	}
	if got := len(r.platform.take()); got != 3 {
		t.Errorf("three laps cost %d requests", got)
	}
	// Nor is a profile that is not there.
	r.platform.before = func(_ platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
		return []platform.Observation{{Ref: refs[0], Outcome: platform.Found}}, nil
	}
	r.run(testEvery)
	if got := *r.peek(0); got != before {
		t.Errorf("got %v", got)
	}
}

// unresolved is an account of which only the handle is known.
func unresolved(i int) Target {
	w := wanted(i)
	w.ID = ""
	return w
}

func TestHandleResolution(t *testing.T) {
	r := newRig(t)
	for i := range 250 {
		r.platform.set(id(i), strings.ToUpper(handle(i)))
		r.engine.Want(unresolved(i))
	}
	r.run(3 * time.Second)
	requests := r.platform.take()
	if got := len(by(platform.ByHandle, requests)); got != 3 || len(requests) != 3 {
		t.Errorf("it took %d requests, %d of them by handle", len(requests), got)
	}
	for i := range 250 {
		r.expect(i, Found)
	}
	expectEach(t, r.accounts, 250, 1, "when resolved")
	r.run(testEvery)
	r.platform.take()
	r.run(2 * testEvery)
	requests = r.platform.take()
	if got := len(by(platform.ByID, requests)); got != 6 || len(requests) != 6 {
		t.Errorf("two laps cost %d requests, %d of them by id", len(requests), got)
	}
	// The id is used from now on: the handle can go elsewhere.
	r.platform.rename(id(0), "elsewhere")
	r.platform.set("999", handle(0))
	r.run(testEvery)
	r.expect(0, HandleReassigned)
	if got := r.peek(0); got.HolderID != "999" || got.Profile.ID != id(0) {
		t.Errorf("got %v", got)
	}
}

// An unresolved handle is missing only after two looks, which are not one.
func TestUnresolvedHandle(t *testing.T) {
	for name, tc := range map[string]struct {
		first, second platform.Outcome
		want          Outcome
	}{
		"missing":              {platform.NotFound, platform.NotFound, NotFound},
		"suspended":            {platform.Suspended, platform.Suspended, Suspended},
		"suspended in between": {platform.NotFound, platform.Suspended, Suspended},
		"found after all":      {platform.NotFound, platform.Found, Found},
		"not answered then":    {platform.NotFound, platform.Unanswered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fleet(1)
			r.run(time.Minute)
			r.forgetAll()
			looks := 0
			r.platform.before = func(by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
				if by != platform.ByHandle {
					return nil, nil
				}
				looks++
				o := says(tc.first, id(1), handle(1))
				if looks > 1 {
					o = says(tc.second, id(1), handle(1))
					if looks == 2 && r.peek(1) != nil {
						t.Error("stored before the second look")
					}
				}
				o.Ref = refs[0]
				return []platform.Observation{o}, nil
			}
			r.engine.Want(unresolved(1))
			r.run(20 * time.Second)
			r.expect(1, tc.want)
			requests := by(platform.ByHandle, r.platform.take())
			if len(requests) < 2 || requests[1].at.Sub(requests[0].at) < time.Second {
				t.Errorf("the looks were %v", requests)
			}
			r.expectWakes(1, 1)
			if got := r.view(1).Untold; got != (tc.want == "") {
				t.Errorf("untold is %t", got)
			}
			// From then on one look a lap is enough, and says nothing new.
			if tc.second == tc.first {
				r.run(4 * testEvery)
				if got := len(by(platform.ByHandle, r.platform.take())); got != 4 {
					t.Errorf("four laps cost %d looks by handle", got)
				}
				r.expectWakes(1, 0)
			}
		})
	}
}

// Two looks at the same moment, a lap's and an urgent one, are one.
func TestUnresolvedHandleIsLookedAtTwiceAtOnce(t *testing.T) {
	r := newRig(t)
	for range 10 {
		w := unresolved(1)
		w.Urgent = true
		r.engine.Want(w)
		r.run(100 * time.Millisecond)
	}
	r.expect(1, "")
	r.run(2 * time.Second)
	r.expect(1, NotFound)
}

// A handle that a closed account gave up stays watched.
func TestHandleIsRecycledLater(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := wanted(0)
	w.Every, w.StaleAfter = time.Hour, 6*time.Hour
	r.engine.Want(w)
	r.run(time.Hour)
	r.expect(0, NotFound)
	r.run(48 * time.Hour)
	r.expect(0, NotFound)
	r.platform.set("777", handle(0))
	r.forgetAll()
	r.run(26 * time.Hour)
	r.expect(0, HandleReassigned)
	if got := r.peek(0).HolderID; got != "777" {
		t.Errorf("the holder is %q", got)
	}
	r.expectWakes(0, 1)
	// Somebody else again.
	r.platform.remove("777")
	r.platform.set("888", handle(0))
	r.run(26 * time.Hour)
	if got := r.peek(0); got.Outcome != HandleReassigned || got.HolderID != "888" {
		t.Errorf("got %v", got)
	}
	r.expectWakes(0, 1)
	// Nobody has it any more.
	r.platform.remove("888")
	r.run(26 * time.Hour)
	r.expect(0, NotFound)
	r.expectWakes(0, 1)
	// The account is back and bears its handle.
	r.platform.set("777", handle(0))
	r.run(26 * time.Hour)
	r.expect(0, HandleReassigned)
	r.accounts.take()
	r.platform.remove("777")
	r.platform.set(id(0), handle(0))
	r.run(time.Hour)
	r.expect(0, Found)
	r.expectWakes(0, 1)
	if got := r.peek(0).HolderID; got != "" {
		t.Errorf("the holder is %q", got)
	}
}

// A single look by handle takes nothing from an account that was found under it.
func TestLateLookByHandleProvesNothing(t *testing.T) {
	r := newRig(t)
	r.fleet(2)
	r.run(5 * time.Second)
	r.forgetAll()
	unanswered := 0
	r.platform.before = func(by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
		if by == platform.ByID && unanswered == 0 {
			return []platform.Observation{{Ref: refs[0], Outcome: platform.Suspended}}, nil
		}
		if by == platform.ByHandle {
			if unanswered++; unanswered == 1 {
				return []platform.Observation{{Ref: refs[0], Outcome: platform.Unanswered, Err: errBroken}}, nil
			}
			o := says(platform.Found, "999", handle(0))
			o.Ref = refs[0]
			return []platform.Observation{o}, nil
		}
		return nil, nil
	}
	w := wanted(0)
	w.Urgent = true
	r.engine.Want(w)
	r.run(10 * time.Second)
	if unanswered < 2 {
		t.Fatalf("%d looks by handle", unanswered)
	}
	r.expect(0, Found)
	r.expectWakes(0, 0)
}

// TestSuspendedByHandleAlone: a platform that hides a suspended account by id, and
// tells of it by handle, is asked by handle once and not in every lap.
func TestSuspendedByHandleAlone(t *testing.T) {
	r := newRig(t)
	r.one()
	r.platform.fail(func(by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
		o := says(platform.NotFound, "", "")
		if by == platform.ByHandle {
			o = says(platform.Suspended, "", "")
		}
		o.Ref = refs[0]
		return []platform.Observation{o}, nil
	})
	r.run(2 * testEvery)
	r.expect(0, Suspended)
	r.platform.take()
	r.run(4 * testEvery)
	if asked := by(platform.ByHandle, r.platform.take()); len(asked) != 0 {
		t.Errorf("asked by handle %d times again", len(asked))
	}
	r.expect(0, Suspended)
}

// TestAnAccountThatNobodyTellsOf: an account that the platform leaves out of every
// answer is told as that, once, until the platform says something of it.
func TestAnAccountThatNobodyTellsOf(t *testing.T) {
	r := newRig(t)
	r.fleet(2)
	r.run(testEvery)
	r.forgetAll()
	hidden := true
	r.platform.set(id(2), handle(2))
	r.platform.after = func(_ platform.Lookup, answers []platform.Observation) {
		for i, o := range answers {
			if hidden && (o.Ref.ID == id(2) || o.Ref.Handle == handle(2)) {
				answers[i] = platform.Observation{Ref: o.Ref, Outcome: platform.Unanswered, Err: errBroken}
			}
		}
	}
	r.engine.Want(wanted(2))
	if r.view(2).Untold {
		t.Error("nobody was asked yet")
	}
	r.run(10 * time.Second)
	if got := r.view(2); !got.Untold || got.Snapshot != nil || got.Lane.Reason != "" {
		t.Errorf("two looks that said nothing make %+v", got)
	}
	r.expectWakes(2, 1)
	r.expect(0, Found)
	hidden = false
	r.run(2 * testEvery)
	if got := r.view(2); got.Untold || got.Snapshot == nil {
		t.Errorf("an answer makes %+v", got)
	}
}
