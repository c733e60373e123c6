package observe

import (
	"strings"
	"time"
	"unique"

	"github.com/cespare/xxhash/v2"
	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

// target is the engine's memory of one account. There are as many as accounts, so what
// few of them have is behind a pointer, and moments are stamps.
type target struct {
	name
	*promise
	handle string
	// id is the platform's id once known.
	id   string
	hash uint64
	conn *conn
	ring *ring

	// known is the snapshot, at when the platform answered it.
	known record
	at    stamp
	// queued are the places in the urgent queues.
	queued places
	// looked is the last regular look of this process, listed when a page last showed
	// the target, alarm when it is next asked whether it is stale.
	looked, listed, alarm stamp
	// swept is the last sweep that saw the target.
	swept int32
	// unanswered counts answers in a row that said nothing of the account, up to 2.
	unanswered uint8
	// restored: the snapshot is only remembered; this process has not looked.
	restored bool
	// toldStale: the reconciler was woken because the snapshot is stale.
	toldStale bool
	// recheck: the stored outcome is not to be relied upon.
	recheck bool
	// untold: the reconciler was woken because nobody says anything of the account.
	untold bool
	// released: what a mass change held back of it is told now.
	released bool
	// doubt is an answer that a second look has to confirm; nil: there is none.
	doubt *doubt
	// image is what is under way or failed about the profile image; nil: nothing.
	image *image
	// absence is what else is remembered of an account that is gone or bears another
	// handle; nil: nothing.
	absence *absence
	// activity is nil if nothing is wanted of what the account does.
	activity *activity
}

// name is an account's key. A namespace is held once for all of its accounts.
type name struct {
	ns   unique.Handle[string]
	name string
}

func nameOf(key types.NamespacedName) name { return name{unique.Make(key.Namespace), key.Name} }

func (n name) key() types.NamespacedName {
	return types.NamespacedName{Namespace: n.ns.Value(), Name: n.name}
}

// promise is how often accounts are to be looked at. Few differ, so all that are equal
// share one.
type promise struct {
	tier string
	// every is the time between two looks, staleAfter the age at which
	// knowledge is stale.
	every, staleAfter time.Duration
}

// places are a target's places in the urgent queues; nil: it has none.
type places struct{ byID, byHandle *ticket }

func (p *places) of(by platform.Lookup) **ticket {
	if by == platform.ByID {
		return &p.byID
	}
	return &p.byHandle
}

// snapshot is what is known; false: nothing is.
func (t *target) snapshot() (Snapshot, bool) {
	if t.known == "" {
		return Snapshot{}, false
	}
	s := t.known.unpack()
	s.At = t.at.time()
	return s, true
}

// keep replaces what is known. The same again keeps the older copy of it.
func (t *target) keep(s *Snapshot) {
	t.at = stampOf(s.At)
	if next := pack(s); next != t.known {
		t.known = next
	}
}

// Want asks the engine to keep looking at an account. The same target again
// changes nothing, unless it is urgent.
func (e *Engine) Want(w Target) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.want(w)
	e.follow(e.targets[nameOf(w.Key)], w.Activity)
}

func (e *Engine) want(w Target) {
	t, known := e.targets[nameOf(w.Key)]
	if !known {
		t = newTarget(&w)
		w.Urgent = w.Urgent || w.Restored == nil
		e.targets[t.name] = t
	} else if !e.renew(t, &w) {
		return
	}
	if t.ring != nil && (t.tier != w.Tier || t.staleAfter != w.StaleAfter) {
		t.ring.grouped = false
	}
	t.handle, t.promise = strings.Clone(w.Handle), e.promiseOf(&w)
	e.join(t, w.Connection)
	e.watchAge(t)
	if w.Urgent {
		t.conn.enqueue(t, t.conn.way(t), e.cfg.Clock.Now())
		e.wakeLoop()
	}
}

// newTarget copies the texts that it keeps: the caller's may be parts of longer ones.
func newTarget(w *Target) *target {
	t := &target{name: nameOf(w.Key), id: strings.Clone(w.ID), hash: xxhash.Sum64String(w.Key.String())}
	t.name.name = strings.Clone(w.Key.Name)
	if w.Restored != nil {
		t.keep(w.Restored)
		// Who holds the handle is not remembered.
		t.restored, t.recheck = true, w.Restored.Outcome == HandleReassigned
	}
	return t
}

func (e *Engine) promiseOf(w *Target) *promise {
	want := promise{strings.Clone(w.Tier), w.Every, w.StaleAfter}
	p, ok := e.promises[want]
	if !ok {
		p = &want
		e.promises[want] = p
	}
	return p
}

// renew takes in what changed of a known target, and says whether anything did.
// What is another account by now, or is reached in another way, is urgent.
func (e *Engine) renew(t *target, w *Target) bool {
	if t.covers(w) && !w.Urgent {
		return false
	}
	if w.ID != "" && w.ID != t.id {
		// Another account than the one that was looked at.
		t.id, t.known, t.at, t.restored, t.doubt, t.image = strings.Clone(w.ID), "", 0, false, nil, nil
		w.Urgent = true
	}
	if t.handle != w.Handle {
		t.recheck, t.doubt = true, nil
		w.Urgent = true
	}
	w.Urgent = w.Urgent || t.conn.Name != w.Connection
	return true
}

// covers says that w asks for nothing that is not done already.
func (t *target) covers(w *Target) bool {
	return t.handle == w.Handle && t.conn.Name == w.Connection && *t.promise == (promise{w.Tier, w.Every, w.StaleAfter}) &&
		(w.ID == "" || w.ID == t.id)
}

// join puts the target into the ring of a connection where it belongs.
func (e *Engine) join(t *target, connection string) {
	c := e.connOf(connection)
	r := c.ringOf(c.way(t), t.every)
	if t.ring == r {
		return
	}
	e.leave(t)
	if old := t.conn; old != nil && old != c {
		old.drop(t)
		t.looked, t.listed = 0, 0
		if old.targets == 0 && old.state.Reason == LaneConnectionMissing {
			e.discard(old)
		}
	}
	now := e.cfg.Clock.Now()
	if t.conn != c {
		c.joins(t, now)
	}
	t.conn, t.ring = c, r
	r.add(t, now, e.resumes(t, now))
	c.count(t, 1)
	e.wakeLoop() // it may rest until what was due before this
}

// resumes is until when a target that joins was looked at.
func (e *Engine) resumes(t *target, now time.Time) time.Time {
	if t.restored && !e.cfg.Since.IsZero() {
		return e.cfg.Since
	}
	return now
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
			e.join(t, c.Name)
		}
	}
}

func (t *target) ref(by platform.Lookup) platform.AccountRef {
	if by == platform.ByID && t.conn.Adapter.Profiles[by].Hinted {
		return platform.AccountRef{ID: t.id, Handle: t.handle}
	}
	if by == platform.ByID {
		return platform.AccountRef{ID: t.id}
	}
	return platform.AccountRef{Handle: t.handle}
}

// Forget stops looking at an account.
func (e *Engine) Forget(key types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.targets[nameOf(key)]; ok {
		c := t.conn
		e.leave(t)
		e.unfollow(t)
		c.drop(t)
		t.conn = nil
		delete(e.targets, t.name)
		delete(e.imageless, t)
		if c.targets == 0 && c.state.Reason == LaneConnectionMissing {
			e.discard(c)
		}
	}
}
