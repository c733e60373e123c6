package budget

import "time"

// Wait is how long a request has to wait; 0: it may go now. For what comes with no
// clock (a save, an answer) it is an hour: ask again when that has come.
func (p *Purse) Wait(r Request, now time.Time) time.Duration {
	longest := time.Duration(0)
	for _, l := range p.lines(r, now) {
		longest = max(longest, waitOf(l, now))
	}
	return longest
}

// Lacks are the buckets that keep a request from going now, and for how long each does.
func (p *Purse) Lacks(r Request, now time.Time) map[string]time.Duration {
	lacks := map[string]time.Duration{}
	for _, l := range p.lines(r, now) {
		if wait := waitOf(l, now); wait > 0 {
			lacks[l.charge.Bucket] = max(lacks[l.charge.Bucket], wait)
		}
	}
	return lacks
}

// waitOf is how long a line has to wait.
func waitOf(l line, now time.Time) time.Duration {
	wait := l.a.until.Sub(now)
	if l.units > 0 {
		wait = max(wait, l.a.wait(now, l.claim), l.a.handed.wait(now, l))
	}
	return wait
}
