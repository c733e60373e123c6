package observe

import (
	"context"
	"time"
)

// How many images of a connection are fetched at the same time, and how long news
// of an account waits for its image at most.
const (
	maxFetchers = 8
	longHold    = 5 * time.Minute
)

// image is the state of a target's profile image.
type image struct {
	// fetching is the URL under way; pending the snapshot that waits for it.
	fetching string
	pending  *Snapshot
	since    time.Time
	// failed is the URL that could not be fetched, failures how often.
	failed   string
	failures int
	retryAt  time.Time
}

// images are the images of a connection that are to be fetched.
type images struct {
	waiting  []errand
	fetchers int
}

// errand is one image to fetch.
type errand struct {
	t     *target
	url   string
	media MediaFetcher
}

// believe stores a snapshot, with the hashes of its image. A new image is fetched
// first, so that one change is told once; if that fails the hashes stay unknown.
func (e *Engine) believe(ctx context.Context, t *target, s Snapshot) {
	t.recheck = false
	url := s.Profile.AvatarURL
	if t.snapshot != nil && t.snapshot.Profile.AvatarURL == url {
		s.AvatarSHA256, s.AvatarPerceptualHash = t.snapshot.AvatarSHA256, t.snapshot.AvatarPerceptualHash
	}
	if !t.wantsImage(&s) {
		e.store(t, s)
		return
	}
	if t.image.pending == nil {
		t.image.since = s.At
	}
	t.image.pending = &s
	if t.image.fetching != url {
		t.image.fetching = url
		e.send(ctx, t, url)
	}
}

// wantsImage says that a snapshot lacks the hashes of its image, and that it is
// time to fetch it.
func (t *target) wantsImage(s *Snapshot) bool {
	url := s.Profile.AvatarURL
	failed := t.image.failed == url && s.At.Before(t.image.retryAt)
	return s.Outcome == Found && url != "" && s.AvatarSHA256 == "" && t.conn.Media != nil && !failed
}

// send has an image fetched, by one more fetcher if there are few.
func (e *Engine) send(ctx context.Context, t *target, url string) {
	c := t.conn
	c.images.waiting = append(c.images.waiting, errand{t, url, c.Media})
	if c.images.fetchers == maxFetchers {
		return
	}
	c.images.fetchers++
	e.underway.Go(func() {
		for more := true; more; {
			more = e.fetch(ctx, c)
		}
	})
}

// fetch reads one image and then stores the snapshot that waits for it; false if
// there is none to read.
func (e *Engine) fetch(ctx context.Context, c *conn) bool {
	next, ok := e.nextImage(ctx, c)
	if !ok {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	sha256, perceptual, err := next.media.Fetch(bounded, next.url)
	e.mu.Lock()
	defer e.mu.Unlock()
	t := next.t
	if ctx.Err() != nil || t.conn != c || t.image.fetching != next.url {
		return true // shut down, or overtaken by another image
	}
	s := t.image.pending
	t.image.fetching = ""
	if s == nil {
		return true
	}
	if err != nil {
		e.metrics.unbelieved(c.Platform, "image")
		t.image.refuse(next.url, s.At, t.Every)
	} else {
		t.image.failed, t.image.failures, t.image.retryAt = "", 0, time.Time{}
		s.AvatarSHA256, s.AvatarPerceptualHash = sha256, perceptual
	}
	e.store(t, *s)
	e.wakeLoop()
	return true
}

// refuse puts the next try off, longer each time.
func (i *image) refuse(url string, at time.Time, every time.Duration) {
	if i.failed != url {
		i.failed, i.failures = url, 0
	}
	i.failures++
	i.retryAt = at.Add(min(time.Duration(i.failures)*max(every, time.Minute), 24*time.Hour))
}

// nextImage is the next image to fetch; if there is none, one fetcher ends.
func (e *Engine) nextImage(ctx context.Context, c *conn) (errand, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ctx.Err() == nil && len(c.images.waiting) > 0 {
		next := c.images.waiting[0]
		c.images.waiting[0] = errand{}
		c.images.waiting = c.images.waiting[1:]
		if next.t.conn == c && next.t.image.fetching == next.url {
			return next, true
		}
	}
	c.images.fetchers--
	return errand{}, false
}

// release publishes what has waited for its image long enough. Its hashes follow.
func (e *Engine) release(t *target, now time.Time) {
	s := t.image.pending
	if s != nil && now.Sub(t.image.since) >= min(t.Every/2, longHold) {
		e.store(t, *s)
		t.image.pending, t.image.since = s, now
	}
}

// store publishes a snapshot, and wakes the reconciler if it says anything new.
// Counters alone say nothing new.
func (e *Engine) store(t *target, s Snapshot) {
	fresh := t.snapshot == nil || t.restored || t.toldStale || fingerprint(*t.snapshot) != fingerprint(s)
	t.snapshot, t.restored, t.toldStale = &s, false, false
	t.image.pending = nil
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
