package observe

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// The worst age takes a walk over all targets. It is not taken more often than once in
// ageEvery, and whoever waits for the engine gets in after ageStride of them.
const (
	ageEvery  = 5 * time.Second
	ageStride = 1024
)

// ages are the moments of the oldest knowledge by platform and tier, as of walked.
type ages struct {
	walked time.Time
	since  map[[2]string]time.Time
}

// age is the worst age of knowledge, by platform and tier, for the metrics. It may be
// that of ageEvery ago, grown by as much: a look since then is not in it.
func (e *Engine) age() map[[2]string]time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Clock.Now()
	if e.ages.walked.IsZero() || now.Sub(e.ages.walked) >= ageEvery {
		e.ages.walked = now // who scrapes beside this walk gets what the last one found
		e.ages.since = e.walkAges()
	}
	worst := map[[2]string]time.Duration{}
	for key, since := range e.ages.since {
		worst[key] = now.Sub(since)
	}
	return worst
}

// walkAges lets go of the lock, which is held, once in a while: who joins or leaves
// meanwhile may be counted or not.
func (e *Engine) walkAges() map[[2]string]time.Time {
	since, n := map[[2]string]time.Time{}, 0
	for _, t := range e.targets {
		if n++; n%ageStride == 0 {
			e.mu.Unlock()
			e.mu.Lock()
		}
		if t.conn == nil || t.known == "" {
			continue
		}
		key, at := [2]string{string(t.conn.Platform), t.tier}, e.knownSince(t)
		if first, ok := since[key]; !ok || at.Before(first) {
			since[key] = at
		}
	}
	return since
}

// population counts the targets by platform and lookup, for the metrics.
func (e *Engine) population() map[[2]string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := map[[2]string]int{}
	for _, c := range e.conns {
		for key, r := range c.rings {
			n[[2]string{string(c.Platform), string(key.by)}] += r.size
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
