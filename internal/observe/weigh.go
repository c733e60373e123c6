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
	case regular && t.doubt != nil && t.doubt.alone:
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
	return t.doubt != nil && t.id == "" && o.Outcome != platform.Found && now.Sub(t.doubt.at) < doubtFor
}

// unanswered asks once more at once, and then in the next lap. What is known
// stays, and grows stale.
func (e *Engine) unanswered(t *target, by platform.Lookup, why error, now time.Time) {
	e.metrics.unbelieved(t.conn.Platform, "unanswered")
	if way := t.conn.way(t); t.doubt != nil && by != way && t.conn.mute(by, why) {
		t.doubt.alone = true
		t.conn.enqueueLater(t, way, now.Add(doubtFor))
		return
	}
	t.doubt = nil
	t.unanswered = min(t.unanswered+1, 2)
	if t.unanswered == 1 {
		t.conn.enqueueLater(t, by, now.Add(doubtFor))
		return
	}
	if t.known == "" && !t.untold {
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
	if o.Outcome == platform.Found && strings.EqualFold(o.Profile.Handle, t.handle) {
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *o.Profile, At: now})
		return
	}
	if t.confirmed(o) {
		e.repeat(ctx, t, o, now)
		return
	}
	e.doubt(t, o, now)
}

// confirmed says that the answer is what is stored already: the same negative, or
// the same other handle.
func (t *target) confirmed(o platform.Observation) bool {
	s, known := t.snapshot()
	if !known || t.recheck {
		return false
	}
	if o.Outcome == platform.Found {
		return s.Outcome == HandleReassigned || s.Outcome == Found && strings.EqualFold(s.Profile.Handle, o.Profile.Handle)
	}
	if s.Outcome == Suspended && t.absence != nil && t.absence.basis == o.Outcome {
		return true
	}
	return s.Outcome == HandleReassigned || s.Outcome == Outcome(o.Outcome)
}

// repeat stores an answer that was confirmed before, and looks after the declared
// handle once in a while.
func (e *Engine) repeat(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	next, _ := t.snapshot()
	next.At = now
	if o.Outcome == platform.Found {
		next.Profile = *o.Profile
	}
	e.believe(ctx, t, next)
	gone := t.absent()
	if gone.watchAt.IsZero() {
		gone.watchAt = t.nextWatch(now)
	}
	if !now.Before(gone.watchAt) {
		gone.watchAt = t.nextWatch(now)
		if t.conn.reads(platform.ByHandle) && t.conn.way(t) != platform.ByHandle {
			t.conn.enqueue(t, platform.ByHandle, now)
		}
	}
}

// nextWatch is the target's moment of the day, which a restart does not put off.
func (t *target) nextWatch(now time.Time) time.Time {
	moment := time.Duration(t.hash % uint64(watchEvery))
	return now.Add(-moment).Truncate(watchEvery).Add(moment + watchEvery)
}

// weighByHandle weighs a look at an account whose id is known on a platform that
// looks accounts up by their handles only.
func (e *Engine) weighByHandle(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	t.doubt = nil
	if o.Outcome == platform.Found && o.Profile.ID == t.id {
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *o.Profile, At: now})
		return
	}
	if s, known := t.snapshot(); known && !t.recheck {
		again := o.Outcome == platform.Found && s.Outcome == HandleReassigned && s.HolderID == o.Profile.ID
		if again || o.Outcome != platform.Found && s.Outcome == Outcome(o.Outcome) {
			s.At = now
			e.believe(ctx, t, s)
			return
		}
	}
	e.doubt(t, o, now)
}

// confirm weighs the second look against the first.
func (e *Engine) confirm(ctx context.Context, t *target, second platform.Observation, now time.Time) {
	first := t.settle()
	next := Snapshot{Outcome: Outcome(first.Outcome), At: now}
	if first.Profile != nil {
		next.Profile = *first.Profile
	} else if was, known := t.snapshot(); known {
		next.Profile = was.Profile
	}
	if second.Outcome != platform.Found {
		if second.Outcome == platform.Suspended && first.Outcome != platform.Found {
			next.Outcome, t.absent().basis = Suspended, first.Outcome
		}
		e.conclude(ctx, t, next, now)
		return
	}
	switch {
	case t.id == "":
		t.id = strings.Clone(second.Profile.ID)
		e.join(t, t.conn.Name)
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
	t.absent().watchAt = t.nextWatch(now)
	e.believe(ctx, t, s)
}

// resolve takes in a look by handle of an account whose id is not known.
func (e *Engine) resolve(ctx context.Context, t *target, o platform.Observation, now time.Time) {
	was, known := t.snapshot()
	switch {
	case o.Outcome == platform.Found:
		t.id = strings.Clone(o.Profile.ID)
		e.join(t, t.conn.Name)
		e.believe(ctx, t, Snapshot{Outcome: Found, Profile: *o.Profile, At: now})
	case known && !t.recheck && was.Outcome == Outcome(o.Outcome):
		was.At = now
		e.believe(ctx, t, was)
	default:
		t.doubt = &doubt{Observation: o, at: now}
		t.conn.enqueueLater(t, platform.ByHandle, now.Add(doubtFor))
	}
}

// watch takes in a look at the declared handle of an account that is gone or
// bears another.
func (e *Engine) watch(t *target, o platform.Observation, now time.Time) {
	next, known := t.snapshot()
	if !known {
		return
	}
	taken := o.Outcome == platform.Found && o.Profile.ID != t.id
	was := next.Outcome == HandleReassigned
	bears := next.Outcome == Found && strings.EqualFold(next.Profile.Handle, t.handle)
	switch {
	case taken && bears, !taken && was:
		// It had the handle, or nobody else has it any more: look at the account
		// itself, afresh.
		t.recheck = true
		t.conn.enqueue(t, platform.ByID, now)
	case taken && (!was || next.HolderID != o.Profile.ID):
		next.Outcome, next.HolderID, next.At = HandleReassigned, o.Profile.ID, now
		e.store(t, next)
	}
}
