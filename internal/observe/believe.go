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
	if t.image == nil {
		t.image = &image{}
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
	was, known := t.snapshot()
	fresh := !known || t.restored || t.toldStale || tells(&was, &s)
	t.keep(&s)
	t.restored, t.toldStale, t.untold, t.released = false, false, false, false
	if t.image != nil {
		t.image.pending = nil
		t.forgetImage()
	}
	e.pictureless(t)
	e.watchAge(t)
	e.learned(t)
	if fresh {
		e.tell(t)
	}
}

// tells says that a snapshot tells something that is worth a wake-up.
func tells(was, is *Snapshot) bool {
	p, q := &was.Profile, &is.Profile
	return lasting(was) != lasting(is) || !SameImage(p.AvatarURL, q.AvatarURL) || !SameImage(p.BannerURL, q.BannerURL)
}

// lasting leaves out what changes without being news, and the addresses of images.
func lasting(s *Snapshot) Snapshot {
	out := *s
	p := &out.Profile
	out.At, p.Followers, p.Posts, p.LastPostID, p.LastPostAt, p.AvatarURL, p.BannerURL = time.Time{}, 0, 0, "", time.Time{}, "", ""
	return out
}

// pictureless takes a target off those that wait for an image, and lets go of the room
// that a crowd needed, once nobody waits.
func (e *Engine) pictureless(t *target) {
	if _, waits := e.imageless[t]; !waits {
		return
	}
	delete(e.imageless, t)
	if len(e.imageless) == 0 {
		e.imageless = map[*target]struct{}{}
	}
}

// sweep counts the rounds in which every account of a connection is looked at.
type sweep struct {
	number   int32
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
	t.looked = stampOf(now)
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
		if t.conn == c && t.known != "" && (oldest.IsZero() || e.knownSince(t).Before(oldest)) {
			oldest = e.knownSince(t)
		}
	}
	return oldest
}
