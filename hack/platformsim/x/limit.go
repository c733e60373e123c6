package x

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

const (
	headerLimit     = "x-rate-limit-limit"
	headerRemaining = "x-rate-limit-remaining"
	headerReset     = "x-rate-limit-reset"
	// defaultAnnounced is the limit an injected refusal claims: the documented one.
	defaultAnnounced = 300
)

// appLimits and userLimits are requests per window where they differ from those of
// user lookups, 300 and 900 (docs.x.com, rate limits); those of post lookups are
// unverified.
var (
	appLimits = map[string]int{
		EndpointTimeline: 10_000, EndpointRecent: 450, EndpointFollowing: 300, EndpointUsage: 50,
		EndpointPosts: 450, EndpointPost: 450,
	}
	userLimits = map[string]int{endpointMe: 75, EndpointLiked: 75, EndpointRecent: 300, EndpointFollowing: 300}
)

const defaultUserLimit = 900

// limiter counts requests per app and endpoint, or per user of an app, in fixed
// windows that start with the first request (docs.x.com, rate limits). An app has
// one bearer, so per app is per bearer, but a new bearer or token does not buy a
// new window.
type limiter struct {
	world *world.World
	opts  Options

	mu      sync.Mutex
	windows map[bucket]*window
}

// bucket is one window's owner; user is empty for an app's bearer.
type bucket struct{ app, endpoint, user string }

// name is the kind of budget, as the ledger shows it.
func (b bucket) name() string {
	if b.user == "" {
		return b.endpoint + " per app"
	}
	return b.endpoint + " per user"
}

type window struct {
	used  int
	reset int64
}

// quota is what the headers of an answer say. Reset is in Unix seconds.
type quota struct {
	limit, remaining int
	reset            int64
}

func newLimiter(w *world.World, o Options) *limiter {
	return &limiter{world: w, opts: o, windows: map[bucket]*window{}}
}

func (l *limiter) limit(endpoint string) int {
	if n, ok := l.opts.Limits[endpoint]; ok {
		return n
	}
	if n, ok := appLimits[endpoint]; ok {
		return n
	}
	return l.opts.Limit
}

func (l *limiter) userLimit(endpoint string) int {
	if n, ok := l.opts.UserLimits[endpoint]; ok {
		return n
	}
	if n, ok := userLimits[endpoint]; ok {
		return n
	}
	return defaultUserLimit
}

// take uses up one request; ok is false if none was left.
func (l *limiter) take(b bucket, now time.Time) (q quota, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.limit(b.endpoint)
	if b.user != "" {
		limit = l.userLimit(b.endpoint)
	}
	win, found := l.windows[b]
	if !found || now.Unix() >= win.reset {
		win = &window{reset: ceilUnix(now.Add(l.opts.Window))}
		l.windows[b] = win
	}
	ok = win.used < limit
	if !ok {
		l.world.CountBudget(world.X, b.name(), 0, 1, 100)
	} else {
		win.used++
		l.world.CountBudget(world.X, b.name(), 1, 0, 100*float64(win.used)/float64(limit))
	}
	return quota{limit, limit - win.used, win.reset}, ok
}

// untouched is the quota of somebody unknown, for whom nothing is counted.
func (l *limiter) untouched(endpoint string, now time.Time) quota {
	limit := l.limit(endpoint)
	return quota{limit, limit, ceilUnix(now.Add(l.opts.Window))}
}

func (q quota) announce(h http.Header) {
	h.Set(headerLimit, strconv.Itoa(q.limit))
	h.Set(headerRemaining, strconv.Itoa(q.remaining))
	h.Set(headerReset, strconv.FormatInt(q.reset, 10))
}

// ceilUnix rounds up, so that a client coming back at the reset is not early.
func ceilUnix(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}
