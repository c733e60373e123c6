package observe

import (
	"context"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// doubt is an answer that is not believed yet. alone: the platform has no other way of
// looking, so the second look is by the same.
type doubt struct {
	platform.Observation
	at    time.Time
	alone bool
}

// absence is about an account that is gone or bears another handle.
type absence struct {
	// basis is what the look by id said of an account that is stored as suspended
	// because the look by handle said so.
	basis platform.Outcome
	// watchAt is when the declared handle is looked up again.
	watchAt time.Time
}

// absent is what is remembered of an account that is gone or bears another handle.
func (t *target) absent() *absence {
	if t.absence == nil {
		t.absence = &absence{}
	}
	return t.absence
}

// settle ends a doubt, and returns it.
func (t *target) settle() *doubt {
	first := t.doubt
	t.doubt = nil
	if t.absence != nil {
		t.absence.basis = ""
	}
	return first
}

// doubt holds an answer back until a look by the other way has confirmed it, or, on
// a platform that has one way only, a later look by the same.
func (e *Engine) doubt(t *target, o platform.Observation, now time.Time) {
	by := t.conn.way(t)
	t.doubt = &doubt{Observation: o, at: now, alone: !t.conn.reads(other(by))}
	if t.doubt.alone {
		t.conn.enqueueLater(t, by, now.Add(doubtFor))
		return
	}
	t.conn.enqueue(t, other(by), now)
}

// insist weighs a later look by the same way, where there is no other, against the
// first.
func (e *Engine) insist(ctx context.Context, t *target, second platform.Observation, now time.Time) {
	if now.Sub(t.doubt.at) < doubtFor {
		return
	}
	first := t.settle()
	if first.Outcome != second.Outcome || first.Profile != nil && first.Profile.ID != second.Profile.ID {
		e.weigh(ctx, t, t.conn.way(t), second, now) // another answer is a first one
		return
	}
	next := Snapshot{Outcome: Outcome(second.Outcome), At: now}
	if was, known := t.snapshot(); known {
		next.Profile = was.Profile
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
