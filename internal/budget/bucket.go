package budget

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"mithaq.dev/mithaq/internal/platform"
)

// bucket is an average without feedback: at most our share of Limit per Window, and
// Burst at once. It begins empty, because an earlier process may just have spent
// it.
type bucket struct {
	all *rate.Limiter
	// sweep is what is left without the reserve: a rate of its own, since a bucket
	// holds nothing that could be left alone.
	sweep  *rate.Limiter
	burst  int
	window time.Duration
	units  int64
	began  bool
}

func newBucket(b platform.Budget, l Limits) *bucket {
	s := &bucket{
		burst: max(b.Burst/l.Part.parts(), 1), window: max(b.Window, time.Second), units: max(l.Part.share(int64(b.Limit), l.Share), 1),
	}
	perSecond := float64(max(b.Limit, 1)) * float64(l.Share) / 100 / s.window.Seconds() / float64(l.Part.parts())
	s.all = rate.NewLimiter(rate.Limit(perSecond), s.burst)
	s.sweep = rate.NewLimiter(rate.Limit(perSecond*(100-Reserved)/100), s.burst)
	return s
}

func (b *bucket) usable() int64 { return b.units }

func (b *bucket) span() time.Duration { return b.window }

func (b *bucket) begin(now time.Time) {
	if !b.began {
		b.began = true
		b.all.ReserveN(now, b.burst)
		b.sweep.ReserveN(now, b.burst)
	}
}

func (b *bucket) wait(now time.Time, c claim) time.Duration {
	b.begin(now)
	wait := missing(b.all, now, min(c.units, int64(b.burst)))
	if !c.urgent {
		wait = max(wait, missing(b.sweep, now, min(c.units, int64(b.burst))))
	}
	return wait
}

// missing is how long it takes until units are there.
func missing(l *rate.Limiter, now time.Time, units int64) time.Duration {
	lack := float64(units) - l.TokensAt(now)
	if lack <= 1e-9 {
		return 0
	}
	return time.Duration(math.Ceil(lack / float64(l.Limit()) * float64(time.Second)))
}

func (b *bucket) fraction(units int64) float64 { return float64(units) / float64(b.units) }

// spend takes in pieces what is more than the bucket holds: the debt is waited for.
// What handovers take is not the sweep's.
func (b *bucket) spend(now time.Time, c claim) {
	b.begin(now)
	for units := c.units; units > 0; {
		piece := min(units, int64(b.burst))
		b.all.ReserveN(now, int(piece))
		if !c.handover {
			b.sweep.ReserveN(now, int(piece))
		}
		units -= piece
	}
}

func (b *bucket) done(int64) {}

func (b *bucket) usage(platform.Usage, time.Time) {}

func (b *bucket) state(time.Time) (platform.Usage, bool) { return platform.Usage{}, false }
