package observe

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// unread decides what becomes of a call that nobody answered. Everybody in it
// jumps the lane when it may go again.
func (e *Engine) unread(c *conn, r *reading, err error, now time.Time) {
	kind := platform.KindOf(err)
	if refusal(kind) && len(r.streams) == 1 {
		e.refuse(r, 0, kind)
		return
	}
	for _, s := range r.streams {
		s.again = true
		if refusal(kind) {
			s.part = max(len(r.streams)/2, 1)
		}
	}
	if c.Client == r.client {
		e.readsFailed(c, r.targets[0], r.spent, err, now)
	}
}

// refusal says that asking the same again is useless.
func refusal(kind platform.Kind) bool {
	return kind == platform.KindUnauthorized || kind == platform.KindNotFound || kind == platform.KindInvalid
}

// readsFailed holds activity back after a failure. Whether the platform is out of
// reach is for the profiles to say, which have the breaker: one is looked at.
func (e *Engine) readsFailed(c *conn, t *target, s spent, err error, now time.Time) {
	switch platform.KindOf(err) {
	case platform.KindRateLimited:
		s.pause(err, now)
	case platform.KindBudgetExhausted:
		c.feeds.resume = now.Add(time.Hour)
		if midnight := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour); midnight.Before(c.feeds.resume) {
			c.feeds.resume = midnight
		}
	case platform.KindUnauthorized, platform.KindNotFound, platform.KindInvalid:
	case platform.KindUnavailable, platform.KindAmbiguous:
		if now.Before(c.feeds.resume) {
			return // calls that were under way together failed together: one failure
		}
		c.feeds.failures++
		pause := min(firstBackoff<<min(c.feeds.failures-1, 12), longBackoff)
		c.feeds.resume = now.Add(pause)
		if t.conn == c {
			c.enqueue(t, c.way(t), now)
		}
	}
}
