package observe

import (
	"fmt"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// streamRereads stands for the posts that are looked up again, which go in laps
// like the streams do.
const streamRereads platform.Stream = "rereads"

// lane holds the accounts of a connection of which a stream is read at the same
// interval: a ring, and a queue of those that jump it, because the profile told
// that there is something new, or nothing was read yet, or there is more.
type lane struct {
	stream platform.Stream
	every  time.Duration
	ring   *ring
	moved  queue
}

type laneKey struct {
	stream platform.Stream
	every  time.Duration
}

// feeds is a connection's side of activity.
type feeds struct {
	lanes map[laneKey]*lane
	// posts wait to be looked up again.
	posts []postAsk
	// underway are calls; failures those in a row that got no answer, which rest
	// until resume.
	underway, failures int
	resume             time.Time
}

// laneOf is the lane of a stream at an interval.
func (c *conn) laneOf(stream platform.Stream, every time.Duration) *lane {
	key := laneKey{stream, max(every, time.Second)}
	l, ok := c.feeds.lanes[key]
	if !ok {
		l = &lane{stream: stream, every: key.every}
		l.ring = newRing(fmt.Sprintf("%s/%s/%s", c.Name, stream, key.every), key.every, max(c.readOf(stream).Batch, 1))
		l.ring.has = func(t *target) bool {
			s := t.stream(stream)
			return s != nil && s.lane == l
		}
		if c.feeds.lanes == nil {
			c.feeds.lanes = map[laneKey]*lane{}
		}
		c.feeds.lanes[key] = l
	}
	return l
}

// readOf says at which cost a stream is read.
func (c *conn) readOf(stream platform.Stream) platform.Read {
	if stream == streamRereads {
		return c.Adapter.Rereads
	}
	return c.Adapter.Streams[stream].Read
}

// supports says that the connection can read a stream.
func (c *conn) supports(stream platform.Stream) bool {
	if c.Client == nil {
		return false
	}
	if stream == streamRereads {
		return c.Client.Reread != nil && c.Adapter.Rereads.Batch > 0
	}
	_, ok := c.Adapter.Streams[stream]
	return ok && c.Client.Activity != nil
}

// reopen moves the accounts of a connection to the lanes of another adapter or
// client.
func (c *conn) reopen(e *Engine) {
	c.feeds.failures, c.feeds.resume = 0, time.Time{}
	for key, l := range c.feeds.lanes {
		l.ring.batch = max(c.readOf(key.stream).Batch, 1)
	}
	for _, t := range e.targets {
		if t.conn == c && t.activity != nil {
			e.settleIn(t)
		}
	}
}

func (t *target) stream(name platform.Stream) *stream {
	if t.activity == nil {
		return nil
	}
	return t.activity.streams[name]
}

// follow takes in what is wanted of what an account does.
func (e *Engine) follow(t *target, want *ActivityWant) {
	if want == nil || want.Every <= 0 || len(want.Actions) == 0 {
		e.unfollow(t)
		t.activity = nil
		return
	}
	if t.activity == nil {
		t.activity = &activity{id: t.id, streams: map[platform.Stream]*stream{}, posts: map[PostWant]*post{}}
	} else {
		renewed := *want
		renewed.Restored = t.activity.want.Restored
		want = &renewed
	}
	t.activity.want = *want
	t.activity.watch(want.Posts)
	e.settleIn(t)
}

// unfollow takes an account out of all lanes.
func (e *Engine) unfollow(t *target) {
	if t.activity == nil {
		return
	}
	for _, s := range t.activity.streams {
		s.leave()
	}
}

func (s *stream) leave() {
	if s.lane == nil {
		return
	}
	l := s.lane
	s.lane = nil
	if s.ticket != nil {
		l.moved.remove(s.ticket)
		s.ticket = nil
	}
	l.ring.remove()
}

// settleIn puts an account into the lanes where it belongs.
func (e *Engine) settleIn(t *target) {
	a := t.activity
	if a.id != t.id {
		if a.id != "" { // another account: nothing that was known is about it
			e.unfollow(t)
			a.streams, a.posts, a.news, a.held = map[platform.Stream]*stream{}, map[PostWant]*post{}, nil, 0
			a.want.Restored = nil
			a.sequence++
		}
		a.id = t.id
	}
	for _, name := range append([]platform.Stream{streamRereads}, readable...) {
		e.settleStream(t, name)
	}
	e.pursue(t)
}

func (e *Engine) settleStream(t *target, name platform.Stream) {
	a, s := t.activity, t.activity.streams[name]
	if !t.conn.supports(name) || !a.wants(name, t.conn.Adapter) {
		if s != nil {
			s.leave()
		}
		return
	}
	if s == nil {
		s = &stream{Reading: a.restored(name)}
		a.streams[name] = s
	}
	l := t.conn.laneOf(name, a.want.Every)
	if s.lane == l {
		return
	}
	s.leave()
	s.lane = l
	now := e.cfg.Clock.Now()
	l.ring.add(t, now, now)
	e.wakeLoop() // it may rest until what was due before this
}

// wants says that a stream shows something that is wanted.
func (a *activity) wants(name platform.Stream, adapter platform.Adapter) bool {
	if name == streamRereads {
		return len(a.posts) > 0
	}
	return slices.ContainsFunc(adapter.Streams[name].Actions, func(action platform.Action) bool {
		return slices.Contains(a.want.Actions, action)
	})
}

// restored is how far an earlier process read a stream.
func (a *activity) restored(name platform.Stream) Reading {
	for _, r := range a.want.Restored {
		if r.Stream == name {
			return r
		}
	}
	return Reading{Stream: name}
}

// learned takes note of a profile that was seen.
func (e *Engine) learned(t *target) {
	switch {
	case t.activity == nil:
	case t.activity.id != t.id:
		e.settleIn(t)
	default:
		if s := t.stream(streamRereads); s != nil && t.activity.doubts(t.at.time()) {
			s.again = true
		}
		e.pursue(t)
	}
}

// pursue lets the streams of an account jump their lanes that have something to
// tell.
func (e *Engine) pursue(t *target) {
	if !t.legible() {
		return
	}
	now := e.cfg.Clock.Now()
	for name, s := range t.activity.streams {
		if s.lane == nil || s.ticket != nil || s.busy || t.activity.full() || e.obstacle(t, name) != "" {
			continue
		}
		if s.again || t.news(name, s) {
			s.ticket = s.lane.moved.add(t, now)
			e.wakeLoop()
		}
	}
}

// legible says that the account is there to be read.
func (t *target) legible() bool {
	if t.activity == nil || t.id == "" {
		return false
	}
	s, known := t.snapshot()
	return known && s.Outcome == Found
}

// news says that a stream was never read, or that the profile told of something
// new since. What could not be read waits for the lap.
func (t *target) news(name platform.Stream, s *stream) bool {
	if s.waits {
		return false
	}
	if name != streamRereads && s.At.IsZero() {
		return s.refused == "" && s.pages == 0
	}
	told := t.counter(name)
	if s.Counter == "" {
		s.Counter = told
	}
	return told != "" && told != s.Counter
}

// counter is what the profile tells of what moves with news of a stream; empty:
// it does not tell.
func (t *target) counter(name platform.Stream) string {
	if name == streamRereads {
		name = platform.StreamPosts
	}
	s, _ := t.snapshot()
	p, field := &s.Profile, t.conn.Adapter.Streams[name].Counter
	switch {
	case field == 0 || p.Unread.Has(field) || t.restored:
	case field == platform.FieldPosts:
		return fmt.Sprint(p.Posts)
	case field == platform.FieldLastPost && p.LastPostID != "":
		return p.LastPostID
	case field == platform.FieldLastPost && !p.LastPostAt.IsZero():
		return p.LastPostAt.UTC().Format(time.RFC3339)
	}
	return ""
}
