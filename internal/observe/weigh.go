package observe

import (
	"context"
	"errors"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	// watchEvery is how often the declared handle is looked up of an account
	// that is gone or bears another: somebody else may take it.
	watchEvery = 24 * time.Hour
	// doubtFor is how long a second look by the same way waits.
	doubtFor = 2 * time.Second
	// suspectFor is how long a second look waits while it may yet be part of a mass
	// change.
	suspectFor = 30 * time.Second
)

// retryAfter is how long the platform said to wait; 0: it did not say.
func retryAfter(err error) time.Duration {
	if pe, ok := errors.AsType[*platform.Error](err); ok && pe.RetryAfter > 0 {
		return pe.RetryAfter
	}
	return 0
}

// weigh decides what to believe. Nothing negative is stored on one answer: it
// takes a second look by another way.
func (e *Engine) weigh(ctx context.Context, t *target, by platform.Lookup, o platform.Observation, now time.Time) {
	if !o.Told() {
		e.unanswered(t, by, o.Err, now)
		return
	}
	t.unanswered = 0
	if t.doubt != nil && t.conn.mass.suspects(t.conn, t) {
		t.conn.enqueueLater(t, by, now.Add(suspectFor))
		return
	}
	regular := by == t.conn.way(t)
	switch {
	case regular && t.doubt != nil && t.alone:
		e.insist(ctx, t, o, now)
	case by == platform.ByID:
		e.weighByID(ctx, t, o, now)
	case regular && t.id != "":
		e.weighByHandle(ctx, t, o, now)
	default:
		e.weighOther(ctx, t, o, now)
	}
}

// weighOther weighs a look at the declared handle: the second look, the first at an
// account whose id is not known, or the daily one.
func (e *Engine) weighOther(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	switch {
	case t.tooSoon(o, now):
	case t.doubt != nil:
		e.confirm(ctx, t, o, now)
	case t.id == "":
		e.resolve(ctx, t, o, now)
	default:
		e.watch(t, o, now)
	}
}

// tooSoon says that an answer is no second look at an account whose id is not
// known: that waits, because it is in the same way.
func (t *target) tooSoon(o platform.Observation, now time.Time) bool {
	return t.doubt != nil && t.id == "" && o.Outcome != platform.Found && now.Sub(t.doubtAt) < doubtFor
}

// unanswered asks once more at once, and then in the next lap. What is known
// stays, and grows stale.
func (e *Engine) unanswered(t *target, by platform.Lookup, why error, now time.Time) {
	e.metrics.unbelieved(t.conn.Platform, "unanswered")
	if way := t.conn.way(t); t.doubt != nil && by != way && t.conn.mute(by, why) {
		t.alone = true
		t.conn.enqueueLater(t, way, now.Add(doubtFor))
		return
	}
	t.doubt = nil
	t.unanswered++
	if t.unanswered == 1 {
		t.conn.enqueueLater(t, by, now.Add(doubtFor))
		return
	}
	if t.snapshot == nil && !t.untold {
		t.untold = true
		e.tell(t)
	}
}

// mute says that the other way does not tell, so that a later look by the same is the
// last resort: Snapchat's search never says that there is nobody, and Instagram reads
// others through an account of ours, which the app Secret need not name.
func (c *conn) mute(by platform.Lookup, why error) bool {
	return c.Adapter.Profiles[by].Silent || platform.KindOf(why) == platform.KindInvalid
}

func (e *Engine) weighByID(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	t.doubt = nil // this answer is newer
	if o.Outcome == platform.Found && o.Profile.ID != t.id {
		e.metrics.unbelieved(t.conn.Platform, "foreign")
		return
	}
	if o.Outcome == platform.Found && strings.EqualFold(o.Profile.Handle, t.Handle) {
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *o.Profile, At: now})
		return
	}
	if t.known(o) {
		e.repeat(ctx, t, o, now)
		return
	}
	e.doubt(t, o, now)
}

// known says that the answer is what is stored already: the same negative, or
// the same other handle.
func (t *target) known(o platform.Observation) bool {
	if t.snapshot == nil || t.recheck {
		return false
	}
	if o.Outcome == platform.Found {
		return t.snapshot.Outcome == HandleReassigned || t.snapshot.Outcome == Found && strings.EqualFold(t.snapshot.Profile.Handle, o.Profile.Handle)
	}
	if t.snapshot.Outcome == Suspended && t.basis == o.Outcome {
		return true
	}
	return t.snapshot.Outcome == HandleReassigned || t.snapshot.Outcome == Outcome(o.Outcome)
}

// repeat stores an answer that was confirmed before, and looks after the declared
// handle once in a while.
func (e *Engine) repeat(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	next := *t.snapshot
	next.At = now
	if o.Outcome == platform.Found {
		next.Profile = *o.Profile
	}
	e.believe(ctx, t, next)
	if t.watchAt.IsZero() {
		t.watchAt = t.nextWatch(now)
	}
	if !now.Before(t.watchAt) {
		t.watchAt = t.nextWatch(now)
		if t.conn.reads(platform.ByHandle) && t.conn.way(t) != platform.ByHandle {
			t.conn.enqueue(t, platform.ByHandle, now)
		}
	}
}

// nextWatch is the target's moment of the day, which a restart does not put off.
func (t *target) nextWatch(now time.Time) time.Time {
	moment := time.Duration(t.position.hash % uint64(watchEvery))
	return now.Add(-moment).Truncate(watchEvery).Add(moment + watchEvery)
}

// doubt holds an answer back until a look by the other way has confirmed it, or, on
// a platform that has one way only, a later look by the same.
func (e *Engine) doubt(t *target, o platform.Observation, now time.Time) {
	t.doubt, t.doubtAt = &o, now
	by := t.conn.way(t)
	if t.alone = !t.conn.reads(other(by)); t.alone {
		t.conn.enqueueLater(t, by, now.Add(doubtFor))
		return
	}
	t.conn.enqueue(t, other(by), now)
}

// insist weighs a later look by the same way, where there is no other, against the
// first.
func (e *Engine) insist(ctx context.Context, t *target, second platform.Observation, now time.Time) {
	first := t.doubt
	if now.Sub(t.doubtAt) < doubtFor {
		return
	}
	t.doubt, t.basis = nil, ""
	if first.Outcome != second.Outcome || first.Profile != nil && first.Profile.ID != second.Profile.ID {
		e.weigh(ctx, t, t.conn.way(t), second, now) // another answer is a first one
		return
	}
	next := Snapshot{Outcome: Outcome(second.Outcome), At: now}
	if t.snapshot != nil {
		next.Profile = t.snapshot.Profile
	}
	switch {
	case second.Profile == nil:
	case second.Profile.ID != t.id:
		next.Outcome, next.HolderID = HandleReassigned, second.Profile.ID
	default:
		next.Profile = *second.Profile
	}
	e.conclude(ctx, t, next, now)
}

// weighByHandle weighs a look at an account whose id is known on a platform that
// looks accounts up by their handles only.
func (e *Engine) weighByHandle(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	t.doubt = nil
	if o.Outcome == platform.Found && o.Profile.ID == t.id {
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *o.Profile, At: now})
		return
	}
	if s := t.snapshot; s != nil && !t.recheck {
		again := o.Outcome == platform.Found && s.Outcome == HandleReassigned && s.HolderID == o.Profile.ID
		if again || o.Outcome != platform.Found && s.Outcome == Outcome(o.Outcome) {
			next := *s
			next.At = now
			e.believe(ctx, t, next)
			return
		}
	}
	e.doubt(t, o, now)
}

// confirm weighs the second look against the first.
func (e *Engine) confirm(ctx context.Context, t *target, second platform.Observation, now time.Time) {
	first := t.doubt
	t.doubt, t.basis = nil, ""
	next := Snapshot{Outcome: Outcome(first.Outcome), At: now}
	switch {
	case first.Profile != nil:
		next.Profile = *first.Profile
	case t.snapshot != nil:
		next.Profile = t.snapshot.Profile
	}
	if second.Outcome != platform.Found {
		if second.Outcome == platform.Suspended && first.Outcome != platform.Found {
			next.Outcome, t.basis = Suspended, first.Outcome
		}
		e.conclude(ctx, t, next, now)
		return
	}
	switch {
	case t.id == "":
		t.id = second.Profile.ID
		e.join(t)
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *second.Profile, At: now})
	case second.Profile.ID != t.id:
		next.Outcome, next.HolderID = HandleReassigned, second.Profile.ID
		e.conclude(ctx, t, next, now)
	case first.Outcome == platform.Found:
		// It bears the declared handle again: renamed back between the looks.
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *second.Profile, At: now})
	default:
		e.metrics.unbelieved(t.conn.Platform, "contradiction")
	}
}

// conclude stores what two looks agree on.
func (e *Engine) conclude(ctx context.Context, t *target, s Snapshot, now time.Time) {
	t.watchAt = t.nextWatch(now)
	e.believe(ctx, t, s)
}

// resolve takes in a look by handle of an account whose id is not known.
func (e *Engine) resolve(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	switch {
	case o.Outcome == platform.Found:
		t.id = o.Profile.ID
		e.join(t)
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *o.Profile, At: now})
	case t.snapshot != nil && !t.recheck && t.snapshot.Outcome == Outcome(o.Outcome):
		next := *t.snapshot
		next.At = now
		e.believe(ctx, t, next)
	default:
		t.doubt, t.doubtAt, t.alone = &o, now, false
		t.conn.enqueueLater(t, platform.ByHandle, now.Add(doubtFor))
	}
}

// watch takes in a look at the declared handle of an account that is gone or
// bears another.
func (e *Engine) watch(t *target, o platform.Observation, now time.Time) {
	if t.snapshot == nil {
		return
	}
	taken := o.Outcome == platform.Found && o.Profile.ID != t.id
	was := t.snapshot.Outcome == HandleReassigned
	bears := t.snapshot.Outcome == Found && strings.EqualFold(t.snapshot.Profile.Handle, t.Handle)
	switch {
	case taken && bears, !taken && was:
		// It had the handle, or nobody else has it any more: look at the account
		// itself, afresh.
		t.recheck = true
		t.conn.enqueue(t, platform.ByID, now)
	case taken && (!was || t.snapshot.HolderID != o.Profile.ID):
		next := *t.snapshot
		next.Outcome, next.HolderID, next.At = HandleReassigned, o.Profile.ID, now
		e.store(t, next)
	}
}
