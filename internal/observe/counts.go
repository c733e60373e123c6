package observe

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// age is the worst age of knowledge, by platform and tier, for the metrics.
func (e *Engine) age() map[[2]string]time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Clock.Now()
	worst := map[[2]string]time.Duration{}
	for _, t := range e.targets {
		if t.conn != nil && t.known != "" {
			key := [2]string{string(t.conn.Platform), t.tier}
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
			n[[2]string{string(t.conn.Platform), string(t.conn.way(t))}]++
		}
	}
	return n
}

// remaining is what is left of each budget, by platform and bucket, and open
// whether a platform is out of reach, for the metrics.
func (e *Engine) remaining() (left map[[2]string]int, open map[platform.Name]bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Clock.Now()
	left, open = map[[2]string]int{}, map[platform.Name]bool{}
	for _, c := range e.conns {
		if c.Client == nil || c.purse == nil {
			continue
		}
		open[c.Platform] = open[c.Platform] || c.state.Reason == LanePlatformUnavailable
		for _, u := range c.purse.States(now) {
			left[[2]string{string(c.Platform), u.Bucket}] += u.Remaining
		}
	}
	return left, open
}
