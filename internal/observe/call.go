package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// call performs one call and takes in its answer.
func (e *Engine) call(ctx context.Context, c *conn, b *batch) {
	e.mu.Lock()
	client := c.Client
	e.mu.Unlock()
	bounded, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	observations, err := client.Observe.Observe(bounded, b.by, b.refs)
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
	b.bucket.done()
	switch {
	case c.Client != client:
		c.requeue(b, now)
	case err != nil:
		e.failed(c, b, err, now)
	default:
		e.answered(ctx, c, b, observations, now)
	}
	e.wakeLoop()
}

// answered takes in the answers of a call.
func (e *Engine) answered(ctx context.Context, c *conn, b *batch, observations []platform.Observation, now time.Time) {
	e.metrics.batch(c.Platform, b.by, "answered")
	c.failures, c.resume = 0, time.Time{}
	first := !c.answered
	c.answered = true
	if c.state.Reason != "" {
		c.state = LaneState{}
		e.tellAll(c)
	} else if first {
		e.tellConnection(c)
	}
	for i, t := range b.targets {
		// The target may have left, or be another account by now.
		if t.conn != c || t.ref(b.by) != b.refs[i] {
			continue
		}
		regular := b.by == t.lookup()
		e.weigh(ctx, t, b.by, observations[i], now)
		if regular {
			c.see(t, e, now)
		}
	}
}

// failed decides what becomes of a call that nobody answered.
func (e *Engine) failed(c *conn, b *batch, err error, now time.Time) {
	kind := platform.KindOf(err)
	e.metrics.batch(c.Platform, b.by, string(kind))
	switch kind {
	case platform.KindRateLimited:
		e.throttled(c, b, err, now)
	case platform.KindInvalid, platform.KindNotFound:
		e.halve(c, b)
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

// unavailable counts towards an outage. The batch waits and goes again as one.
func (e *Engine) unavailable(c *conn, b *batch, now time.Time) {
	c.retries = append(c.retries, b)
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
	c.retries = append(c.retries, b)
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

// throttled pauses the bucket alone. Only a pause that breaks the promise to an
// account is worth a condition; a shorter one is how limits work.
func (e *Engine) throttled(c *conn, b *batch, err error, now time.Time) {
	c.retries = append(c.retries, b)
	until := now.Add(retryAfter(err))
	b.bucket.pause(until)
	for _, t := range b.targets {
		if t.conn == c && t.StaleAfter > 0 && t.snapshot != nil && until.Sub(e.knownSince(t)) > t.StaleAfter {
			e.obstruct(c, LaneState{LaneThrottled, fmt.Sprintf("%s refuses further requests through PlatformConnection %s", c.Platform, c.Name)})
			return
		}
	}
}

// halve finds the question that a platform refuses. The refused one waits for the
// next lap: its knowledge becomes stale, which is the truth.
func (e *Engine) halve(c *conn, b *batch) {
	if len(b.targets) == 1 {
		e.metrics.unbelieved(c.Platform, "refused")
		b.targets[0].doubt = nil
		return
	}
	half := len(b.targets) / 2
	for _, part := range [][2]int{{0, half}, {half, len(b.targets)}} {
		c.retries = append(c.retries, &batch{
			by: b.by, targets: slices.Clone(b.targets[part[0]:part[1]]), refs: slices.Clone(b.refs[part[0]:part[1]]),
		})
	}
}
