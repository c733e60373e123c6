package observe

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Report says how a connection does; false if the engine never heard of it.
func (e *Engine) Report(name string) (Report, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.conns[name]
	if !ok {
		return Report{}, false
	}
	r := Report{State: c.state, Answered: c.answered, Accounts: c.targets, Sweep: c.sweep.last}
	for _, bucket := range slices.Sorted(maps.Keys(c.buckets)) {
		if u, told := c.buckets[bucket].state(); told {
			r.Buckets = append(r.Buckets, u)
		}
	}
	e.plan(c, &r)
	return r, true
}

// plan computes the worst age of knowledge per tier. While the budget allows all
// rounds at their pace, it is the interval; where it does not, every round slows
// down by the same factor, and waits for the rest of a window whose requests are
// spent before it ends.
func (e *Engine) plan(c *conn, r *Report) {
	stretch, idle, needed, allowed := c.stretch()
	tiers := map[string]*TierFreshness{}
	now := e.cfg.Clock.Now()
	for _, t := range e.targets {
		if t.conn != c {
			continue
		}
		tier, ok := tiers[t.Tier]
		if !ok {
			tier = &TierFreshness{Tier: t.Tier, Promised: t.StaleAfter}
			tiers[t.Tier] = tier
		}
		tier.Promised = min(tier.Promised, t.StaleAfter)
		tier.Achieved = max(tier.Achieved, (time.Duration(float64(t.Every)*stretch) + idle).Round(time.Second))
		if t.snapshot != nil {
			tier.Measured = max(tier.Measured, now.Sub(e.knownSince(t)))
		}
	}
	r.Feasible = true
	for _, name := range slices.Sorted(maps.Keys(tiers)) {
		r.Freshness = append(r.Freshness, *tiers[name])
		r.Feasible = r.Feasible && (tiers[name].Promised <= 0 || tiers[name].Achieved <= tiers[name].Promised)
	}
	r.Advice = fmt.Sprintf("needs %d of %d requests per 15 minutes", needed, allowed)
	if !r.Feasible {
		r.Advice += fmt.Sprintf("; feasible with intervals %.1f times as long, or that much more of the limit", stretch)
	}
}

// stretch is the factor by which the budget slows all rounds down, at least 1,
// how long a window is idle once its requests are spent, and the requests that
// 15 minutes need and allow. It looks at the bucket that is shortest.
func (c *conn) stretch() (factor float64, idle time.Duration, needed, allowed int) {
	const quarter = 15 * time.Minute
	perBucket, windows := map[string]float64{}, map[string]time.Duration{}
	for key, r := range c.rings {
		if limits, ok := c.Adapter.Profiles[key.by]; ok {
			bucket, _ := c.Adapter.Budget(limits.Charges[0].Bucket)
			perBucket[bucket.Bucket] += float64(r.chunks()) / key.every.Seconds()
			windows[bucket.Bucket] = bucket.Window
		}
	}
	factor = 1
	worst := 0.0
	for _, name := range slices.Sorted(maps.Keys(c.buckets)) {
		bucket := c.buckets[name]
		if ratio := perBucket[name] / bucket.perSecond(); ratio > worst {
			worst, factor = ratio, max(ratio, 1)
			idle = time.Duration(float64(windows[name]) * (1 - 1/factor))
			needed = int(math.Ceil(perBucket[name]*quarter.Seconds() - rounding))
			allowed = int(bucket.perSecond()*quarter.Seconds() + rounding)
		}
	}
	return factor, idle, needed, allowed
}

// rounding hides what floating point adds to a whole number.
const rounding = 1e-6

// age is the worst age of knowledge, by platform and tier, for the metrics.
func (e *Engine) age() map[[2]string]time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Clock.Now()
	worst := map[[2]string]time.Duration{}
	for _, t := range e.targets {
		if t.conn != nil && t.snapshot != nil {
			key := [2]string{string(t.conn.Platform), t.Tier}
			worst[key] = max(worst[key], now.Sub(e.knownSince(t)))
		}
	}
	return worst
}

// population counts the targets by platform and lookup, for the metrics.
func (e *Engine) population() map[[2]string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := map[[2]string]int{}
	for _, t := range e.targets {
		if t.conn != nil {
			n[[2]string{string(t.conn.Platform), string(t.lookup())}]++
		}
	}
	return n
}

// remaining is what is left of each budget, by platform and bucket, and open
// whether a platform is out of reach, for the metrics.
func (e *Engine) remaining() (left map[[2]string]int, open map[platform.Name]bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	left, open = map[[2]string]int{}, map[platform.Name]bool{}
	for _, c := range e.conns {
		if c.Client == nil {
			continue
		}
		open[c.Platform] = open[c.Platform] || c.state.Reason == LanePlatformUnavailable
		for name, b := range c.buckets {
			if u, told := b.state(); told {
				left[[2]string{string(c.Platform), name}] += u.Remaining
			}
		}
	}
	return left, open
}
