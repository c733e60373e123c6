package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// post is what is known of a post that is looked up again.
type post struct {
	// text is the hash of its text, of told.
	text uint64
	told bool
	// missed is when a look did not find it; gone: it was told to be gone.
	missed     time.Time
	gone, busy bool
}

// postAsk is a post that waits to be looked up again.
type postAsk struct {
	t    *target
	want PostWant
	post *post
}

// watch takes in which posts are looked up again.
func (a *activity) watch(want []PostWant) {
	for known := range a.posts {
		if !slices.Contains(want, known) {
			delete(a.posts, known)
		}
	}
	for _, w := range want {
		if _, known := a.posts[w]; !known && w.Action != platform.Like && w.Action != platform.Follow {
			a.posts[w] = &post{}
		}
	}
}

// lookAgain lets the posts of an account wait for a call.
func (c *conn) lookAgain(t *target) {
	if !t.legible() {
		return
	}
	if s := t.stream(streamRereads); s != nil {
		s.again, s.Counter = false, t.counter(streamRereads)
	}
	for want, p := range t.activity.posts {
		if !p.busy && !p.gone {
			p.busy = true
			c.feeds.posts = append(c.feeds.posts, postAsk{t, want, p})
		}
	}
}

// rereading is one call that looks posts up again.
type rereading struct {
	asks   []postAsk
	refs   []platform.PostRef
	client *platform.Client
	spent  spent
}

// rereadCall looks up the next posts that wait; nil: there are none.
func (e *Engine) rereadCall(c *conn, now time.Time) func(context.Context) {
	c.feeds.posts = slices.DeleteFunc(c.feeds.posts, func(ask postAsk) bool {
		ask.post.busy = ask.t.conn == c && ask.t.activity != nil && ask.t.activity.posts[ask.want] == ask.post
		return !ask.post.busy
	})
	n := min(len(c.feeds.posts), max(c.Adapter.Rereads.Batch, 1))
	if n == 0 {
		return nil
	}
	r := &rereading{asks: slices.Clone(c.feeds.posts[:n]), client: c.Client}
	r.spent = e.spend(c, c.rereadPrice(r.asks, now), now)
	c.feeds.posts = slices.Delete(c.feeds.posts, 0, n)
	for _, ask := range r.asks {
		r.refs = append(r.refs, platform.PostRef{Account: ask.t.account(), ID: ask.want.ID})
	}
	return func(ctx context.Context) { e.reread(ctx, c, r) }
}

// rereadPrice is what looking posts up again may cost.
func (c *conn) rereadPrice(asks []postAsk, now time.Time) price {
	items := make([]budget.Item, len(asks))
	for i, ask := range asks {
		items[i].ID = ask.want.ID
	}
	return c.price(c.Adapter.Rereads, len(asks), items, now)
}

// reread performs one call and takes in its answer.
func (e *Engine) reread(ctx context.Context, c *conn, r *rereading) {
	bounded, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	states, err := r.client.Reread.Reread(bounded, r.refs)
	if ctx.Err() != nil {
		return
	}
	if err == nil && len(states) != len(r.refs) {
		err = &platform.Error{Kind: platform.KindUnavailable, Op: "reread", Err: fmt.Errorf("%d answers to %d questions", len(states), len(r.refs))}
	}
	now := e.cfg.Clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	c.feeds.underway--
	for _, ask := range r.asks {
		ask.post.busy = false
	}
	if err != nil {
		e.done(r.spent, nil, err, now)
		e.metrics.read(c.Platform, streamRereads, string(platform.KindOf(err)))
		e.notReread(c, r, err, now)
	} else {
		e.done(r.spent, nil, nil, now)
		e.metrics.read(c.Platform, streamRereads, "answered")
		c.feeds.failures, c.feeds.resume = 0, time.Time{}
		for i := range states {
			e.seen(r.asks[i], &states[i], now)
		}
	}
	e.wakeLoop()
}

// notReread lets posts go again, unless the platform refuses the question: that
// waits for the next lap.
func (e *Engine) notReread(c *conn, r *rereading, err error, now time.Time) {
	if c.Client == r.client {
		e.readsFailed(c, r.asks[0].t, r.spent, err, now)
	}
	if refusal(platform.KindOf(err)) {
		return
	}
	for _, ask := range r.asks {
		if s := ask.t.stream(streamRereads); s != nil && ask.t.conn != nil {
			s.again = true
			e.pursue(ask.t)
		}
	}
}

// seen takes in what the platform says of one post. One that it does not find is
// gone if it does not find it again, and shows the account itself in between: the
// posts of one that was suspended are not found either.
func (e *Engine) seen(ask postAsk, state *platform.PostState, now time.Time) {
	t, p := ask.t, ask.post
	if t.activity == nil || t.activity.posts[ask.want] != p || !t.legible() {
		return
	}
	if state.Outcome == platform.NotFound {
		e.missing(ask, now)
		return
	}
	if state.Outcome != platform.Found || state.Act == nil {
		return
	}
	p.missed = time.Time{}
	if text := textOf(state.Act); !p.told || p.text != text {
		p.told, p.text = true, text
		t.activity.tell([]platform.Act{*state.Act}, nil)
		e.tell(t)
	}
}

// missing takes in that a post was not found.
func (e *Engine) missing(ask postAsk, now time.Time) {
	t, p := ask.t, ask.post
	switch {
	case p.missed.IsZero():
		p.missed = now
		t.conn.enqueue(t, t.conn.way(t), now)
	case t.at.time().After(p.missed):
		p.gone = true
		t.activity.tell(nil, []string{ask.want.ID})
		e.tell(t)
	}
}

// doubts says that a post was missed before the account itself was seen.
func (a *activity) doubts(at time.Time) bool {
	for _, p := range a.posts {
		if !p.gone && !p.missed.IsZero() && at.After(p.missed) {
			return true
		}
	}
	return false
}

// textOf is a hash of what of a post can be judged.
func textOf(a *platform.Act) uint64 {
	h := xxhash.New()
	for _, part := range append([]string{a.ID, a.Text}, a.Links...) {
		_, _ = h.WriteString(part)
		_, _ = h.WriteString("\x00")
	}
	return h.Sum64()
}
