package budget

import (
	"math"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	// full is the percentage above which a gauge is not used, whatever the share:
	// Meta counts processor time too and throttles at 100.
	full = 80
	// assumed is the percentage that a request is taken to cost until headers tell. Where
	// none of the first few tells, none will (a system user's calls count for each Page
	// by itself, and the app's gauge is in no answer): then refusals alone tell.
	assumed = 1
	few     = 20
)

// gauge is a percentage of a secret amount, told in headers: not in all of them
// (a batch's items carry it, and not every batch asks). Between two of them it is
// reckoned on: upwards with the steepest rise that the last ones showed, downwards
// as our own requests leave the rolling window.
type gauge struct {
	window time.Duration
	share  int64
	// parts: as many processes raise it, each as much as this one, as far as we know.
	parts float64

	known platform.Usage
	told  bool
	since time.Time
	// sent are our units of the last window, in at most about a thousand lots; used are
	// those since known, old the others and before what old was when known came.
	sent              []sent
	used, old, before int64
	// underway are units that the last header may not count yet.
	underway int64
	// unheard are the requests that were answered before any header told.
	unheard int
	// requests are those that ever went, ever their units: a request is taken to be as big
	// as they are.
	requests, ever int64
	// slope is the percentage that a unit costs; below 0: unknown. steep is the most that
	// one was seen to.
	slope, steep float64
	// last is when a request went.
	last time.Time
}

func newGauge(b platform.Budget, l Limits) *gauge {
	g := &gauge{window: max(b.Window, time.Minute), share: int64(min(l.Share, full)), parts: float64(l.Part.parts()), slope: -1}
	g.known.Bucket = b.Bucket
	return g
}

// usable is 0: a percentage of a secret is no number of requests.
func (g *gauge) usable() int64 { return 0 }

func (g *gauge) span() time.Duration { return g.window }

// level is the percentage reckoned with after units more. The one told is rounded
// down.
func (g *gauge) level(units int64) float64 {
	if g.deaf() {
		return 0
	}
	slope := g.slope
	if slope < 0 {
		slope = assumed * float64(g.requests+1) / math.Max(float64(g.ever+units), 1)
	}
	base := 0.0
	if g.told {
		base = percent(g.known) + 1
	}
	if g.before > 0 {
		base *= float64(g.old) / float64(g.before)
	}
	return base + slope*g.parts*float64(g.used+units)
}

// deaf says that no header tells, nor will: of all parts together a few requests have
// been answered without one.
func (g *gauge) deaf() bool { return !g.told && float64(g.unheard)*g.parts >= few }

func percent(u platform.Usage) float64 { return 100 * float64(u.Limit-u.Remaining) / float64(u.Limit) }

func (g *gauge) wait(now time.Time, c claim) time.Duration {
	if g.full() && now.Before(g.known.ResetsAt) {
		return g.known.ResetsAt.Sub(now)
	}
	g.expire(now)
	most := g.share
	if !c.urgent {
		most -= g.share * Reserved / 100
	}
	free := g.level(c.units) <= float64(most)
	switch {
	case g.underway > 0 && (!g.told && !g.deaf() || !free):
		return never
	case free:
		return 0
	}
	again := g.last.Add(max(g.window/12, time.Minute)) // somebody else uses it: ask once in a while
	if len(g.sent) > 0 {
		again = g.sent[0].at.Add(g.window)
	}
	return max(again.Sub(now), 0)
}

// full says that the last header told of no room. Only then is its time one to wait for.
func (g *gauge) full() bool { return g.told && percent(g.known) >= float64(g.share) }

// expire forgets what has left the rolling window.
func (g *gauge) expire(now time.Time) {
	n := 0
	for ; n < len(g.sent) && now.Sub(g.sent[n].at) >= g.window; n++ {
		if g.sent[n].at.After(g.since) {
			g.used = max(g.used-g.sent[n].units, 0)
		} else {
			g.old = max(g.old-g.sent[n].units, 0)
		}
	}
	g.sent = g.sent[n:]
}

// fraction is their part of the percentage told, as of all units of the window. (What a
// unit was seen to cost is rounded up by a percent, which is too much for a sum of many.)
func (g *gauge) fraction(units int64) float64 {
	all := g.old + g.used
	if !g.told || all <= 0 {
		return 0
	}
	return percent(g.known) * float64(units) / float64(all) / float64(g.share)
}

func (g *gauge) spend(now time.Time, c claim) {
	units := c.units
	g.last = now
	g.requests++
	g.ever += units
	g.used += units
	g.underway += units
	if n := len(g.sent); n > 0 && g.sent[n-1].at.After(g.since) && now.Sub(g.sent[n-1].at) < g.window/1000 {
		g.sent[n-1].units += units
		return
	}
	g.sent = append(g.sent, sent{now, units})
}

func (g *gauge) done(units int64) {
	g.underway -= units
	if !g.told && units > 0 {
		g.unheard++
	}
}

func (g *gauge) usage(u platform.Usage, now time.Time) {
	if u.Limit <= 0 || u.Remaining > u.Limit {
		return
	}
	before := 0.0
	if g.told {
		before = percent(g.known)
	}
	g.learn(percent(u), before)
	g.known, g.told, g.since = u, true, now
	g.old = max(g.old+g.used-g.underway, 0)
	g.before, g.used = g.old, g.underway
}

// learn takes in what a unit costs at most: what the gauge rose since the header before,
// or all that it tells by all units of the window, whichever is less. Both are rounded up
// by a percent, which is much for a few units, so that only what was seen to rise is
// remembered: it is forgotten slowly, for units differ.
func (g *gauge) learn(percent, before float64) {
	if g.used <= 0 {
		return
	}
	rise := math.Max(percent-before, 0)
	most := math.Min((rise+1)/float64(g.used), (percent+1)/float64(g.old+g.used))
	g.steep *= 0.9
	if rise > 0 {
		g.steep = math.Max(g.steep, most)
	}
	g.slope = math.Max(g.steep, most)
}

func (g *gauge) state(time.Time) (platform.Usage, bool) { return g.known, g.told }
