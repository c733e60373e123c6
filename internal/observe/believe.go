package observe

import (
	"context"
	"time"
)

// image is the state of a target's profile image.
type image struct {
	// fetching is the URL under way; pending the snapshot that waits for it.
	fetching string
	pending  *Snapshot
	failures int
	retryAt  time.Time
}

// believe stores a snapshot, with the hashes of its image. A new image is fetched
// first, so that one change is told once; if that fails the hashes stay unknown.
func (e *Engine) believe(ctx context.Context, t *target, s Snapshot) {
	t.recheck = false
	url := s.Profile.AvatarURL
	if t.snapshot != nil && t.snapshot.Profile.AvatarURL == url {
		s.AvatarSHA256, s.AvatarPerceptualHash = t.snapshot.AvatarSHA256, t.snapshot.AvatarPerceptualHash
	}
	if s.Outcome != Found || url == "" || s.AvatarSHA256 != "" || t.conn.Media == nil || s.At.Before(t.image.retryAt) {
		e.store(t, s)
		return
	}
	t.image.pending = &s
	if t.image.fetching == url {
		return
	}
	t.image.fetching = url
	fetcher := t.conn.Media
	e.underway.Go(func() { e.fetch(ctx, t, fetcher, url) })
}

// fetch reads one image and then stores the snapshot that waits for it.
func (e *Engine) fetch(ctx context.Context, t *target, media MediaFetcher, url string) {
	select {
	case e.media <- struct{}{}:
		defer func() { <-e.media }()
	case <-ctx.Done():
		return
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	sha256, perceptual, err := media.Fetch(bounded, url)
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.image.fetching != url {
		return // overtaken by another image
	}
	s := t.image.pending
	t.image.fetching, t.image.pending = "", nil
	if t.conn == nil || s == nil {
		return
	}
	if err != nil {
		e.metrics.unbelieved(t.conn.Platform, "image")
		t.image.failures++
		t.image.retryAt = s.At.Add(min(time.Duration(t.image.failures)*max(t.Every, time.Minute), 24*time.Hour))
	} else {
		t.image.failures, t.image.retryAt = 0, time.Time{}
		s.AvatarSHA256, s.AvatarPerceptualHash = sha256, perceptual
	}
	e.store(t, *s)
	e.wakeLoop()
}

// store publishes a snapshot, and wakes the reconciler if it says anything new.
// Counters alone say nothing new.
func (e *Engine) store(t *target, s Snapshot) {
	fresh := t.snapshot == nil || t.restored || t.toldStale || fingerprint(*t.snapshot) != fingerprint(s)
	t.snapshot, t.restored, t.seen = &s, false, s.At
	if fresh {
		e.tell(t)
	}
}

// fingerprint is what of a snapshot is worth a wake-up.
func fingerprint(s Snapshot) Snapshot {
	s.At = time.Time{}
	s.Profile.Followers, s.Profile.Posts = 0, 0
	s.Profile.LastPostID, s.Profile.LastPostAt = "", time.Time{}
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

// see counts a look at a target; the one that was missing ends the sweep.
func (c *conn) see(t *target, e *Engine, now time.Time) {
	if c.sweep.started.IsZero() {
		c.sweep.started = now
	}
	if t.swept == c.sweep.number {
		return
	}
	t.swept = c.sweep.number
	c.sweep.left--
	if c.sweep.left > 0 {
		return
	}
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
