package observe

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// The first reading of a stream goes back so far, and so many acts: every act
// costs a part of a budget, and on some platforms money.
const (
	firstWindow = 30 * 24 * time.Hour
	firstActs   = 100
)

const (
	// maxReading is how many calls about activity of a connection may be under way,
	// beside those about profiles.
	maxReading = 4
	// maxPages is how many asks in a row catch up with one account, before the rest
	// waits for the next lap.
	maxPages = 10
	// maxHeld is how many acts of an account wait to be judged, before it is read on.
	maxHeld = 1000
)

func (a *activity) full() bool { return a.held >= maxHeld }

// reading is one call that reads a stream.
type reading struct {
	stream  platform.Stream
	read    platform.StreamRead
	targets []*target
	streams []*stream
	asks    []platform.ActivityAsk
	keys    []types.NamespacedName
	// counters are what the profiles told when it was asked: what comes later may
	// not be in the answer.
	counters []string
	client   *platform.Client
	spent    spent
}

// activityCalls picks the calls about activity that may go now, after those about
// profiles, and says how long to rest.
func (e *Engine) activityCalls(c *conn, now time.Time) (ready []func(context.Context), rest time.Duration) {
	for {
		call, wait := e.nextCall(c, now)
		if call == nil {
			return ready, wait
		}
		c.feeds.underway++
		ready = append(ready, call)
	}
}

func (e *Engine) nextCall(c *conn, now time.Time) (func(context.Context), time.Duration) {
	if wait := c.readsClosed(now); wait > 0 {
		return nil, wait
	}
	rest := time.Hour
	if len(c.feeds.posts) > 0 {
		wait := c.readWait(c.rereadPrice(c.feeds.posts[:min(len(c.feeds.posts), max(c.Adapter.Rereads.Batch, 1))], now), now)
		if wait == 0 {
			if call := e.rereadCall(c, now); call != nil {
				return call, 0
			}
			wait = rest
		}
		rest = wait
	}
	for {
		l, jumped, wait := c.choose(now, e.cfg)
		if l == nil {
			return nil, min(rest, wait)
		}
		if call := e.visit(c, l, jumped, now); call != nil {
			return call, 0
		}
	}
}

// visit takes those whose turn has come out of a lane, and asks for those of them
// that can be read; nil: nobody can.
func (e *Engine) visit(c *conn, l *lane, jumped bool, now time.Time) func(context.Context) {
	var chosen []*target
	if jumped {
		chosen = l.jump()
	} else {
		chosen = l.ring.peek(l.ring.batch)
		l.ring.take(len(chosen))
	}
	if l.stream == streamRereads {
		for _, t := range chosen {
			c.lookAgain(t)
		}
		return e.rereadCall(c, now)
	}
	r := &reading{stream: l.stream, read: c.Adapter.Streams[l.stream], client: c.Client}
	for _, t := range chosen {
		e.ask(r, t, !jumped, now)
	}
	if len(r.asks) == 0 {
		return nil
	}
	most := 0
	for _, ask := range r.asks {
		most += ask.Limit
	}
	r.spent = e.spend(c, c.price(r.read.Read, len(r.asks), make([]budget.Item, most), now), now)
	return func(ctx context.Context) { e.readActivity(ctx, c, r) }
}

// jump takes the next batch out of the queue: a smaller one, where it was refused
// before.
func (l *lane) jump() []*target {
	n, size := 0, l.ring.batch
	for n < len(l.moved.waiting) && n < size {
		if part := l.moved.waiting[n].t.stream(l.stream).part; part > 0 {
			size = min(size, max(part, n))
		}
		if n < size {
			n++
		}
	}
	chosen := l.moved.peek(n)
	l.moved.take(n)
	for _, t := range chosen {
		t.stream(l.stream).ticket = nil
	}
	return chosen
}

// ask adds an account to a call, if it can be read. In a lap, those who wait in the
// queue are left to it.
func (e *Engine) ask(r *reading, t *target, lap bool, now time.Time) {
	s := t.stream(r.stream)
	if lap && s.ticket != nil {
		return
	}
	if lap {
		s.pages, s.waits = 0, false // another try
	}
	if s.busy || !t.legible() || t.activity.full() || e.obstacle(t, r.stream) != "" {
		return
	}
	if held, _ := e.tokenHeld(t); r.read.OwnToken && !held {
		return
	}
	s.busy, s.again = true, false
	ask := s.ask(now, r.read.Ordered, t.conn.most(r.read.Read))
	ask.Ref = t.account()
	r.keys = append(r.keys, t.key())
	r.targets, r.streams = append(r.targets, t), append(r.streams, s)
	r.asks, r.counters = append(r.asks, ask), append(r.counters, t.counter(r.stream))
}

// account names the account to the platform. With the same name a post has the same
// address, whichever way it is read.
func (t *target) account() platform.AccountRef {
	ref := platform.AccountRef{ID: t.id}
	if s, known := t.snapshot(); known {
		ref.Handle = s.Profile.Handle
	}
	return ref
}

// ask is the next question about a stream.
func (s *stream) ask(now time.Time, ordered bool, most int) platform.ActivityAsk {
	if s.Since.IsZero() {
		s.Since = now.Add(-firstWindow)
	}
	ask := platform.ActivityAsk{Cursor: s.Cursor, Since: s.Since, Limit: most}
	if ordered && s.At.IsZero() {
		ask.Limit = min(most, max(firstActs-s.acts, 1))
	}
	return ask
}

// askActivity performs one call, with the accounts' own tokens where the stream needs
// them, and checks that everybody is answered.
func (e *Engine) askActivity(ctx context.Context, r *reading) ([]platform.ActivityAnswer, error) {
	for i := range r.asks {
		if !r.read.OwnToken {
			break
		}
		token, err := e.cfg.Tokens.Token(ctx, r.keys[i])
		if err != nil {
			return nil, err
		}
		r.asks[i].Token = token
	}
	answers, err := r.client.Activity.Activity(ctx, r.stream, r.asks)
	if err == nil && len(answers) != len(r.asks) {
		err = &platform.Error{Kind: platform.KindUnavailable, Op: "activity", Err: fmt.Errorf("%d answers to %d questions", len(answers), len(r.asks))}
	}
	return answers, err
}

// readActivity performs one call and takes in its answer.
func (e *Engine) readActivity(ctx context.Context, c *conn, r *reading) {
	bounded, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	answers, err := e.askActivity(bounded, r)
	if ctx.Err() != nil {
		return
	}
	now := e.cfg.Clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	c.feeds.underway--
	for _, s := range r.streams {
		s.busy = false
	}
	if err != nil {
		e.done(r.spent, nil, err, now)
		e.metrics.read(c.Platform, r.stream, string(platform.KindOf(err)))
		e.unread(c, r, err, now)
	} else {
		e.metrics.read(c.Platform, r.stream, "answered")
		c.feeds.failures, c.feeds.resume = 0, time.Time{}
		var read []string
		for i := range answers {
			read = append(read, paid(&answers[i])...)
			e.takeIn(r, i, &answers[i], now)
		}
		e.done(r.spent, read, nil, now)
	}
	for i, t := range r.targets {
		if t.stream(r.stream) == r.streams[i] && t.conn != nil {
			e.pursue(t)
		}
	}
	e.wakeLoop()
}

// paid are the items that an answer was charged for, as far as it names them.
func paid(answer *platform.ActivityAnswer) []string {
	ids := make([]string, max(answer.Items, len(answer.Acts)))
	for i := range ids {
		ids[i] = fmt.Sprintf("%s/%s/%d", answer.Ref.ID, answer.Cursor, i)
		if i < len(answer.Acts) {
			ids[i] = answer.Acts[i].ID
		}
	}
	return ids
}
