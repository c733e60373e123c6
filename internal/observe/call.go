package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// batch is one call.
type batch struct {
	by      platform.Lookup
	targets []*target
	refs    []platform.AccountRef
	// request is what it costs, receipt that it was counted.
	request budget.Request
	receipt *budget.Receipt
	// client is whom it goes to.
	client *platform.Client
	tries  int
	// page: it is a page of a walk.
	page bool
	// sample: the target waits in another batch too.
	sample bool
}

func newBatch(by platform.Lookup, targets []*target, r budget.Request) *batch {
	b := &batch{by: by, targets: targets, request: r}
	for _, t := range targets {
		b.refs = append(b.refs, t.ref(by))
	}
	return b
}

// renew drops the targets that have left or are others by now; false if none is
// left.
func (b *batch) renew(c *conn) bool {
	n := 0
	for i, t := range b.targets {
		if t.conn == c && t.ref(b.by) == b.refs[i] {
			b.targets[n], b.refs[n] = t, b.refs[i]
			n++
		}
	}
	b.targets, b.refs = b.targets[:n], b.refs[:n]
	return n > 0
}

// sample asks for one account of a batch, which stays where it was.
func (c *conn) sample(b *batch) *batch {
	c.retries = slices.Insert(c.retries, 0, b)
	i := c.failures % len(b.targets)
	one := []*target{b.targets[i]}
	return &batch{by: b.by, targets: one, refs: []platform.AccountRef{b.refs[i]}, request: c.request(b.by, one, b.request.Urgent), sample: true}
}

// call performs one call and takes in its answer.
func (e *Engine) call(ctx context.Context, c *conn, b *batch) {
	if b.page {
		e.read(ctx, c, b)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	observations, err := b.client.Observe.Observe(bounded, b.by, b.refs)
	if ctx.Err() != nil {
		return
	}
	if err == nil && len(observations) != len(b.refs) {
		err = &platform.Error{Kind: platform.KindUnavailable, Op: "observe", Err: fmt.Errorf("%d answers to %d questions", len(observations), len(b.refs))}
	}
	now := e.cfg.Clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	c.underway--
	b.receipt.Done(shown(observations), err == nil, now)
	c.remind(e, now)
	switch {
	case c.Client != b.client:
		c.requeue(b, now)
	case err != nil:
		e.failed(c, b, err, now)
	case c.silent(b, observations):
		e.metrics.batch(c.Platform, b.by, "silent")
		e.unavailable(c, b, now)
	default:
		e.answered(ctx, c, b, observations, now)
	}
	e.wakeLoop()
}

// silent says that nobody in a batch was answered, which is no answer. A few
// accounts that the platform keeps quiet about are not it, unless there are no
// others, or the platform is out of reach already. A way that never says that there
// is nobody keeps quiet by its nature.
func (c *conn) silent(b *batch, observations []platform.Observation) bool {
	for _, o := range observations {
		if o.Outcome != platform.Unanswered {
			return false
		}
	}
	return c.failures > 0 || !c.Adapter.Profiles[b.by].Silent && len(b.targets) >= min(c.batchSize(b.by), c.targets)
}

// answered takes in the answers of a call.
func (e *Engine) answered(ctx context.Context, c *conn, b *batch, observations []platform.Observation, now time.Time) {
	e.metrics.batch(c.Platform, b.by, "answered")
	c.failures, c.refused, c.resume = 0, 0, time.Time{}
	first := !c.answered
	c.answered, c.heard = true, now
	if c.state.Reason != "" && !c.throttled(now) {
		c.state = LaneState{}
		e.tellAll(c)
	} else if first {
		e.tellConnection(c)
	}
	same := func(i int) bool {
		// The target may have left, or be another account by now.
		return b.targets[i].conn == c && b.targets[i].ref(b.by) == b.refs[i]
	}
	e.survey(c, b, observations, same, now)
	for i, t := range b.targets {
		if !same(i) {
			continue
		}
		regular := b.by == c.way(t)
		if !e.holds(c, t, b.by, observations[i]) {
			e.weigh(ctx, t, b.by, observations[i], now)
		}
		if regular {
			c.see(t, e, now)
		}
	}
	e.settleMass(ctx, c, now)
}

// failed decides what becomes of a call that nobody answered.
func (e *Engine) failed(c *conn, b *batch, err error, now time.Time) {
	kind := platform.KindOf(err)
	e.metrics.batch(c.Platform, b.by, string(kind))
	switch kind {
	case platform.KindRateLimited:
		e.limited(c, b, err, now)
	case platform.KindInvalid, platform.KindNotFound:
		if c.refused >= outageAfter {
			e.unavailable(c, b, now) // whatever is asked is refused: it is not the accounts
			return
		}
		e.halve(c, b, now)
	case platform.KindUnauthorized:
		e.blocked(c, b, now, LaneState{LaneUnauthorized, fmt.Sprintf("%s refuses the app credentials of PlatformConnection %s", c.Platform, c.Name)})
	case platform.KindBudgetExhausted:
		e.blocked(c, b, now, LaneState{LaneBudgetExhausted, fmt.Sprintf("the budget of PlatformConnection %s at %s is used up", c.Name, c.Platform)})
		c.resume = now.Add(time.Hour)
		if midnight := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour); midnight.Before(c.resume) {
			c.resume = midnight
		}
	default:
		e.unavailable(c, b, now)
	}
}

// again keeps a batch that was not answered.
func (c *conn) again(b *batch) {
	if !b.sample && !b.page {
		c.retries = append(c.retries, b)
	}
}

// unavailable counts towards an outage. The batch waits and goes again as one,
// unless it fails again and again while others are answered.
func (e *Engine) unavailable(c *conn, b *batch, now time.Time) {
	b.tries++
	if b.tries >= outageAfter && c.failures == 0 && !b.page {
		e.halve(c, b, now)
	} else {
		c.again(b)
	}
	if now.Before(c.resume) {
		return // calls that were under way together failed together: one failure
	}
	c.failures++
	c.rest(now)
	if c.failures >= outageAfter {
		e.obstruct(c, LaneState{LanePlatformUnavailable, fmt.Sprintf("%s does not answer through PlatformConnection %s", c.Platform, c.Name)})
	}
}

// blocked stops the connection at once: asking on is useless.
func (e *Engine) blocked(c *conn, b *batch, now time.Time, state LaneState) {
	c.again(b)
	c.failures++
	c.rest(now)
	e.obstruct(c, state)
}

func (e *Engine) obstruct(c *conn, state LaneState) {
	if c.state == state {
		return
	}
	c.state = state
	e.cfg.Log.Info("Connection is obstructed", "connection", c.Name, "reason", state.Reason)
	e.tellAll(c)
}

// limited pauses the bucket alone. Only a pause that breaks the promise to an
// account is worth a condition; a shorter one is how limits work.
func (e *Engine) limited(c *conn, b *batch, err error, now time.Time) {
	c.again(b)
	until := c.purse.Pause(b.request.Charges, retryAfter(err), now)
	for _, t := range b.targets {
		if t.conn == c && t.staleAfter > 0 && t.known != "" && until.Sub(e.knownSince(t)) > t.staleAfter {
			e.obstruct(c, LaneState{LaneThrottled, fmt.Sprintf("%s refuses further requests through PlatformConnection %s", c.Platform, c.Name)})
			return
		}
	}
}

// throttled says that the pause that broke a promise lasts.
func (c *conn) throttled(now time.Time) bool {
	return c.state.Reason == LaneThrottled && now.Before(c.purse.PausedUntil())
}

// halve finds the question that a platform refuses. The refused one waits for the
// next lap: its knowledge becomes stale, which is the truth.
func (e *Engine) halve(c *conn, b *batch, now time.Time) {
	if t := b.targets[0]; len(b.targets) == 1 {
		e.metrics.unbelieved(c.Platform, "refused")
		c.refused++
		if t.conn == c && t.ref(b.by) == b.refs[0] {
			t.doubt = nil
			c.see(t, e, now)
		}
		return
	}
	half := len(b.targets) / 2
	parts := make([]*batch, 0, 2+len(c.retries))
	for _, part := range [][2]int{{0, half}, {half, len(b.targets)}} {
		parts = append(parts, &batch{
			by: b.by, targets: slices.Clone(b.targets[part[0]:part[1]]), refs: slices.Clone(b.refs[part[0]:part[1]]), tries: b.tries,
			request: budget.Request{Urgent: b.request.Urgent},
		})
	}
	c.retries = append(parts, c.retries...)
}
