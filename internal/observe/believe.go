package observe

import (
	"context"
	"time"
)

// believe stores a snapshot, with the hashes of its image. A new image is fetched
// first, so that one change is told once; if that fails the hashes stay unknown.
func (e *Engine) believe(ctx context.Context, t *target, s Snapshot) {
	t.recheck = false
	t.pictured(&s)
	if !t.wantsImage(&s) {
		e.store(t, s)
		return
	}
	if t.image.pending == nil {
		t.image.since = s.At
	}
	t.image.pending = &s
	e.imageless[t] = struct{}{}
	if key := imageKey(s.Profile.AvatarURL); t.image.fetching != key {
		t.image.fetching = key
		e.send(ctx, t, s.Profile.AvatarURL)
	}
}

// store publishes a snapshot, and wakes the reconciler if it says anything new.
// Counters alone say nothing new.
func (e *Engine) store(t *target, s Snapshot) {
	fresh := t.snapshot == nil || t.restored || t.toldStale || fingerprint(*t.snapshot) != fingerprint(s)
	t.snapshot, t.restored, t.toldStale, t.untold = &s, false, false, false
	t.image.pending, t.released = nil, false
	delete(e.imageless, t)
	e.watchAge(t)
	e.learned(t)
	if fresh {
		e.tell(t)
	}
}

// fingerprint is what of a snapshot is worth a wake-up.
func fingerprint(s Snapshot) Snapshot {
	s.At = time.Time{}
	s.Profile.Followers, s.Profile.Posts = 0, 0
	s.Profile.LastPostID, s.Profile.LastPostAt = "", time.Time{}
	s.Profile.AvatarURL, s.Profile.BannerURL = imageKey(s.Profile.AvatarURL), imageKey(s.Profile.BannerURL)
	return s
}

// sweep counts the rounds in which every account of a connection is looked at.
type sweep struct {
	number   int
	left     int
	requests int
	started  time.Time
	last     Sweep
}

// count takes note of a target that joins (1) or leaves (-1).
func (c *conn) count(t *target, n int) {
	c.targets += n
	if n > 0 {
		t.swept = c.sweep.number - 1
	}
	if t.swept != c.sweep.number {
		c.sweep.left += n
	}
}

// see counts a look at a target; the one that was missing ends the sweep, and so
// does the next one if the missing one has left.
func (c *conn) see(t *target, e *Engine, now time.Time) {
	if c.sweep.started.IsZero() {
		c.sweep.started = now
	}
	t.looked = now
	if t.swept != c.sweep.number {
		t.swept = c.sweep.number
		c.sweep.left--
	}
	if c.sweep.left == 0 {
		c.finish(e, now)
	}
}

func (c *conn) finish(e *Engine, now time.Time) {
	c.sweep.last = Sweep{
		Accounts: c.targets, Requests: c.sweep.requests, StartedAt: c.sweep.started, CompletedAt: now,
		OldestObservation: e.oldest(c),
	}
	c.sweep = sweep{number: c.sweep.number + 1, left: c.targets, started: now, last: c.sweep.last}
	e.tellConnection(c)
}

// oldest is the oldest knowledge of any of a connection's accounts.
func (e *Engine) oldest(c *conn) time.Time {
	var oldest time.Time
	for _, t := range e.targets {
		if t.conn == c && t.snapshot != nil && (oldest.IsZero() || e.knownSince(t).Before(oldest)) {
			oldest = e.knownSince(t)
		}
	}
	return oldest
}
