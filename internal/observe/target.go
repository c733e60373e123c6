package observe

import (
	"time"

	"github.com/cespare/xxhash/v2"
	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

// target is the engine's memory of one account.
type target struct {
	Target
	position position
	conn     *conn
	ring     *ring
	// id is the platform's id once known.
	id string

	snapshot *Snapshot
	// restored: the snapshot is only remembered; this process has not looked.
	restored bool
	// toldStale: the reconciler was woken because the snapshot is stale.
	toldStale bool
	// queued are the lookups for which the target waits in the urgent queue.
	queued map[platform.Lookup]*ticket
	// doubt is an answer that a second look has to confirm, from doubtAt.
	// alone: the platform has no other way of looking, so it is by the same.
	doubt   *platform.Observation
	doubtAt time.Time
	alone   bool
	// basis is what the look by id said of an account that is stored as suspended
	// because the look by handle said so.
	basis platform.Outcome
	// recheck: the stored outcome is not to be relied upon.
	recheck bool
	// watchAt is when the declared handle is looked up again.
	watchAt    time.Time
	unanswered int
	// untold: the reconciler was woken because nobody says anything of the account.
	untold bool
	// looked is the last regular look of this process, listed when a page last showed
	// the target, alarm when it is next asked whether it is stale.
	looked, listed, alarm time.Time
	// released: what a mass change held back of it is told now.
	released bool
	// swept is the last sweep that saw the target.
	swept int
	image image
	// activity is nil if nothing is wanted of what the account does.
	activity *activity
}

// Want asks the engine to keep looking at an account. The same target again
// changes nothing, unless it is urgent.
func (e *Engine) Want(w Target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.want(w)
	e.follow(e.targets[w.Key], w.Activity)
}

func (e *Engine) want(w Target) {
	t, known := e.targets[w.Key]
	if !known {
		t = &target{id: w.ID, queued: map[platform.Lookup]*ticket{}}
		t.position = position{xxhash.Sum64String(w.Key.String()), w.Key.String()}
		if w.Restored != nil {
			t.snapshot, t.restored = w.Restored, true
			// Who holds the handle is not remembered.
			t.recheck = w.Restored.Outcome == HandleReassigned
		}
		w.Urgent = w.Urgent || w.Restored == nil
		e.targets[w.Key] = t
	} else if !e.renew(t, &w) {
		return
	}
	w.Restored, w.Activity = nil, nil
	if t.ring != nil && (t.Tier != w.Tier || t.StaleAfter != w.StaleAfter) {
		t.ring.grouped = false
	}
	t.Target = w
	e.join(t)
	e.watchAge(t)
	if w.Urgent {
		t.conn.enqueue(t, t.conn.way(t), e.cfg.Clock.Now())
		e.wakeLoop()
	}
}

// renew takes in what changed of a known target, and says whether anything did.
// What is another account by now, or is reached in another way, is urgent.
func (e *Engine) renew(t *target, w *Target) bool {
	if t.covers(w) && !w.Urgent {
		return false
	}
	if w.ID != "" && w.ID != t.id {
		// Another account than the one that was looked at.
		t.id, t.snapshot, t.restored, t.doubt, t.image = w.ID, nil, false, nil, image{}
		w.Urgent = true
	}
	if t.Handle != w.Handle {
		t.recheck, t.doubt = true, nil
		w.Urgent = true
	}
	w.Urgent = w.Urgent || t.Connection != w.Connection
	return true
}

// covers says that w asks for nothing that is not done already.
func (t *target) covers(w *Target) bool {
	was := t.Target
	was.ID, was.Urgent, was.Restored, was.Activity = w.ID, w.Urgent, w.Restored, w.Activity
	return was == *w && (w.ID == "" || w.ID == t.id)
}

// join puts the target into the ring where it belongs.
func (e *Engine) join(t *target) {
	c := e.connOf(t.Connection)
	r := c.ringOf(c.way(t), t.Every)
	if t.ring == r {
		return
	}
	e.leave(t)
	if old := t.conn; old != nil && old != c {
		old.drop(t)
		t.looked, t.listed = time.Time{}, time.Time{}
		if old.targets == 0 && old.state.Reason == LaneConnectionMissing {
			e.discard(old)
		}
	}
	now := e.cfg.Clock.Now()
	if t.conn != c {
		c.joins(t, now)
	}
	t.conn, t.ring = c, r
	r.add(t, now)
	c.count(t, 1)
}

func (e *Engine) leave(t *target) {
	if t.ring == nil {
		return
	}
	old := t.ring
	t.ring = nil
	old.remove()
	if old.size == 0 {
		delete(t.conn.rings, old.key)
	}
	t.conn.count(t, -1)
}

// regroup puts all targets of a connection into the rings where they belong, after
// what its platform can be asked has changed.
func (e *Engine) regroup(c *conn) {
	if c.Client == nil {
		return
	}
	for _, t := range e.targets {
		if t.conn == c {
			e.join(t)
		}
	}
}

func (t *target) ref(by platform.Lookup) platform.AccountRef {
	if by == platform.ByID && t.conn.Adapter.Profiles[by].Hinted {
		return platform.AccountRef{ID: t.id, Handle: t.Handle}
	}
	if by == platform.ByID {
		return platform.AccountRef{ID: t.id}
	}
	return platform.AccountRef{Handle: t.Handle}
}

// Forget stops looking at an account.
func (e *Engine) Forget(key types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.targets[key]; ok {
		c := t.conn
		e.leave(t)
		e.unfollow(t)
		c.drop(t)
		t.conn = nil
		delete(e.targets, key)
		delete(e.imageless, t)
		if c.targets == 0 && c.state.Reason == LaneConnectionMissing {
			e.discard(c)
		}
	}
}
