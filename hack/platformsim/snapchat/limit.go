package snapchat

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// limiter is two token buckets, one of the access token and one of the app, on
// the world's clock. Snap publishes the averages and announces nothing.
type limiter struct {
	world *world.World
	opts  Options

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimiter(w *world.World, o Options) *limiter {
	return &limiter{world: w, opts: o, buckets: map[string]*rate.Limiter{}}
}

// take is false if the token or its app asks too often.
func (l *limiter) take(t world.Token) bool {
	now := l.world.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.from(BucketToken, t.Fingerprint, l.opts.TokenRate, now) && l.from(BucketApp, t.Client, l.opts.AppRate, now)
}

func (l *limiter) from(bucket, who string, perSecond int, now time.Time) bool {
	b, ok := l.buckets[bucket+who]
	burst := perSecond * l.opts.Burst
	if !ok {
		b = rate.NewLimiter(rate.Limit(perSecond), burst)
		l.buckets[bucket+who] = b
	}
	if !b.AllowN(now, 1) {
		l.world.CountBudget(world.Snapchat, bucket, 0, 1, 100)
		return false
	}
	l.world.CountBudget(world.Snapchat, bucket, 1, 0, 100*(1-b.TokensAt(now)/float64(burst)))
	return true
}
