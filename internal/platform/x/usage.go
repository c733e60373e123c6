package x

import (
	"net/http"
	"strconv"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	headerLimit     = "X-Rate-Limit-Limit"
	headerRemaining = "X-Rate-Limit-Remaining"
	headerReset     = "X-Rate-Limit-Reset"

	// maxLimit is far above any budget that X publishes.
	maxLimit = 1_000_000
	// retryUnknown is the wait after a 429 that does not say how long.
	retryUnknown = 60 * time.Second
	// retryMin is the wait after a 429 whose reset is already past.
	retryMin = time.Second
)

// usageOf reads the rate headers of an answer. It reports false unless all three
// are there and are whole numbers; a number out of bounds is moved to the nearest
// one: no less than nothing, no more remaining than the limit, a reset between now
// and a whole window from now.
func usageOf(bucket string, h http.Header, now time.Time) (platform.Usage, bool) {
	limit, ok1 := number(h, headerLimit)
	remaining, ok2 := number(h, headerRemaining)
	reset, ok3 := resetOf(h, now)
	if !ok1 || !ok2 || !ok3 {
		return platform.Usage{}, false
	}
	limit = min(max(limit, 0), maxLimit)
	return platform.Usage{
		Bucket:    bucket,
		Limit:     int(limit),
		Remaining: int(min(max(remaining, 0), limit)),
		ResetsAt:  reset,
	}, true
}

// retryAfter is how long to wait after a 429.
func retryAfter(h http.Header, now time.Time) time.Duration {
	reset, ok := resetOf(h, now)
	if !ok {
		return retryUnknown
	}
	return max(reset.Sub(now), retryMin)
}

func resetOf(h http.Header, now time.Time) (time.Time, bool) {
	seconds, ok := number(h, headerReset)
	if !ok {
		return time.Time{}, false
	}
	earliest, latest := now.Unix(), now.Add(window).Unix()
	switch {
	case seconds <= earliest:
		return now, true
	case seconds > latest:
		return now.Add(window), true
	}
	return time.Unix(seconds, 0).UTC(), true
}

func number(h http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(h.Get(name), 10, 64)
	return n, err == nil
}
