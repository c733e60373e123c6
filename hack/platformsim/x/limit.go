package x

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	headerLimit     = "x-rate-limit-limit"
	headerRemaining = "x-rate-limit-remaining"
	headerReset     = "x-rate-limit-reset"
	// defaultAnnounced is the limit an injected refusal claims: the documented one.
	defaultAnnounced = 300
)

// limiter counts requests per app and endpoint in fixed windows that start with
// the first request (docs.x.com, rate limits). An app has one bearer, so per app is per
// bearer, but a new bearer does not buy a new window.
type limiter struct {
	opts Options

	mu      sync.Mutex
	windows map[bucket]*window
}

type bucket struct{ app, endpoint string }

type window struct {
	used  int
	reset int64
}

// quota is what the headers of an answer say. Reset is in Unix seconds.
type quota struct {
	limit, remaining int
	reset            int64
}

func newLimiter(o Options) *limiter { return &limiter{opts: o, windows: map[bucket]*window{}} }

func (l *limiter) limit(endpoint string) int {
	if n, ok := l.opts.Limits[endpoint]; ok {
		return n
	}
	return l.opts.Limit
}

// take uses up one request; ok is false if none was left.
func (l *limiter) take(b bucket, now time.Time) (q quota, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.limit(b.endpoint)
	win, found := l.windows[b]
	if !found || now.Unix() >= win.reset {
		win = &window{reset: ceilUnix(now.Add(l.opts.Window))}
		l.windows[b] = win
	}
	ok = win.used < limit
	if ok {
		win.used++
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
