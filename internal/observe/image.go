package observe

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// How many images of a connection are fetched at the same time, how long news of an
// account waits for its image at most, and how many digests are remembered.
const (
	maxFetchers = 8
	longHold    = 5 * time.Minute
	maxDigests  = 4096
)

// image is the state of a target's profile image.
type image struct {
	// fetching is the key under way; pending the snapshot that waits for it.
	fetching string
	pending  *Snapshot
	since    time.Time
	// failed is the key that could not be fetched, failures how often.
	failed   string
	failures int
	retryAt  time.Time
}

// images are the images of a connection: those to be fetched, who waits for each,
// and what the last ones came to. Many accounts may show one picture.
type images struct {
	waiting  []errand
	fetchers int
	guests   map[string][]*target
	digests  map[string]digest
	// order is that in which digests came, oldest first.
	order []string
}

type digest struct{ sha256, perceptual string }

// errand is one image to fetch.
type errand struct {
	key, url string
	media    MediaFetcher
}

// imageKey is what an image is known by. Meta signs its URLs anew for every answer
// and serves one picture from many hosts, so there only the path stays; elsewhere
// the query says how to draw and not what.
func imageKey(address string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.ToLower(u.Host)
	if strings.HasSuffix(host, ".fbcdn.net") || strings.HasSuffix(host, ".cdninstagram.com") {
		host = "meta"
	}
	return host + u.EscapedPath()
}

// SameImage says that two addresses are of one image: Meta signs its addresses anew
// again and again.
func SameImage(a, b string) bool { return a == b || imageKey(a) == imageKey(b) }

// pictured adds the hashes of a snapshot's image where they are known.
func (t *target) pictured(s *Snapshot) {
	if s.Profile.AvatarURL == "" {
		return
	}
	was, known := t.snapshot()
	if known && was.AvatarSHA256 != "" && SameImage(was.Profile.AvatarURL, s.Profile.AvatarURL) && was.Profile.ID == s.Profile.ID {
		s.AvatarSHA256, s.AvatarPerceptualHash = was.AvatarSHA256, was.AvatarPerceptualHash
		return
	}
	if len(t.conn.images.digests) == 0 {
		return
	}
	if d, ok := t.conn.images.digests[imageKey(s.Profile.AvatarURL)]; ok {
		s.AvatarSHA256, s.AvatarPerceptualHash = d.sha256, d.perceptual
	}
}

// wantsImage says that a snapshot lacks the hashes of its image, and that it is
// time to fetch it.
func (t *target) wantsImage(s *Snapshot) bool {
	if s.Outcome != Found || s.Profile.AvatarURL == "" || s.AvatarSHA256 != "" || t.conn.Media == nil {
		return false
	}
	return t.image == nil || t.image.failed != imageKey(s.Profile.AvatarURL) || !s.At.Before(t.image.retryAt)
}

// send has an image fetched, unless it is on its way already, by one more fetcher if
// there are few.
func (e *Engine) send(ctx context.Context, t *target, address string) {
	c, key := t.conn, imageKey(address)
	if c.images.guests == nil {
		c.images.guests = map[string][]*target{}
	}
	guests, underway := c.images.guests[key]
	c.images.guests[key] = append(guests, t)
	if underway {
		return
	}
	c.images.waiting = append(c.images.waiting, errand{key, address, c.Media})
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

// fetch reads one image and then stores the snapshots that wait for it; false if
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
	guests := c.images.guests[next.key]
	c.images.served(next.key)
	if ctx.Err() != nil {
		return true
	}
	if err == nil {
		c.images.remember(next.key, digest{sha256, perceptual})
	} else {
		e.metrics.unbelieved(c.Platform, "image")
	}
	for _, t := range guests {
		if t.conn == c && t.fetches(next.key) { // else overtaken by another image
			e.serve(t, next.key, digest{sha256, perceptual}, err)
		}
	}
	e.wakeLoop()
	return true
}

// serve stores the snapshot of a target that waited for its image.
func (e *Engine) serve(t *target, key string, d digest, err error) {
	s := t.image.pending
	t.image.fetching = ""
	if s == nil {
		t.forgetImage()
		return
	}
	if err != nil {
		t.image.refuse(key, s.At, t.every)
	} else {
		t.image.failed, t.image.failures, t.image.retryAt = "", 0, time.Time{}
		s.AvatarSHA256, s.AvatarPerceptualHash = d.sha256, d.perceptual
	}
	e.store(t, *s)
}

// fetches says that an image of the target is on its way.
func (t *target) fetches(key string) bool { return t.image != nil && t.image.fetching == key }

// forgetImage lets go of what is over.
func (t *target) forgetImage() {
	if i := t.image; i.fetching == "" && i.pending == nil && i.failed == "" {
		t.image = nil
	}
}

func (i *images) remember(key string, d digest) {
	if i.digests == nil {
		i.digests = map[string]digest{}
	}
	if _, known := i.digests[key]; !known {
		i.order = append(i.order, key)
	}
	i.digests[key] = d
	if len(i.order) > maxDigests {
		delete(i.digests, i.order[0])
		i.order = i.order[1:]
	}
}

// served drops those who wait for an image, and lets go of the room that a crowd
// needed, once nobody waits.
func (i *images) served(key string) {
	delete(i.guests, key)
	if len(i.guests) == 0 {
		i.guests = nil
	}
}

// refuse puts the next try off, longer each time.
func (i *image) refuse(key string, at time.Time, every time.Duration) {
	if i.failed != key {
		i.failed, i.failures = key, 0
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
		for _, t := range c.images.guests[next.key] {
			if t.conn == c && t.fetches(next.key) {
				return next, true
			}
		}
		c.images.served(next.key)
	}
	c.images.fetchers--
	return errand{}, false
}

// publish publishes what has waited for its image long enough. Its hashes follow.
func (e *Engine) publish(t *target, now time.Time) {
	i := t.image
	if i == nil || i.pending == nil {
		return
	}
	if s := i.pending; now.Sub(i.since) >= min(t.every/2, longHold) {
		e.store(t, *s)
		i.pending, i.since, t.image = s, now, i
		e.imageless[t] = struct{}{}
	}
}
