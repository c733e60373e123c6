package observe

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/internal/platform"
)

// counter is a platform's side of a bucket: fixed windows, and headers.
type counter struct {
	limit  int
	length time.Duration
	phase  time.Duration
	others int // requests of somebody else in every window

	window int64
	used   int
	worst  int
}

func (c *counter) at(now time.Time) int64 { return (now.UnixNano() - int64(c.phase)) / int64(c.length) }

func (c *counter) resets() time.Time {
	return time.Unix(0, (c.window+1)*int64(c.length)+int64(c.phase))
}

// spend counts a request of ours, and says whether it is served.
func (c *counter) spend(now time.Time) bool {
	if w := c.at(now); w != c.window {
		c.window, c.used = w, 0
	}
	c.used++
	c.worst = max(c.worst, c.used)
	return c.used+c.others <= c.limit
}

func (c *counter) usage(bucket string) platform.Usage {
	return platform.Usage{Bucket: bucket, Limit: c.limit, Remaining: max(c.limit-c.others-c.used, 0), ResetsAt: c.resets()}
}

// Whatever the limits, the headers and the failures: no window holds more requests
// than our share.
func TestShareIsNeverExceeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		const length = time.Minute
		published := rapid.IntRange(4, 60).Draw(rt, "published")
		c := &counter{
			limit:  published,
			length: length,
			phase:  time.Duration(rapid.Int64Range(0, int64(length)).Draw(rt, "phase")),
		}
		share := rapid.IntRange(10, 100).Draw(rt, "share")
		headers := rapid.SampledFrom([]string{"always", "sometimes", "never"}).Draw(rt, "headers")
		failing := rapid.IntRange(0, 3).Draw(rt, "failing")
		if headers != "never" && rapid.Bool().Draw(rt, "another limit") {
			c.limit = rapid.IntRange(max(published, 4), 80).Draw(rt, "limit")
		}
		r := newRigWith(t, limitsPer(2, published, length))
		r.clock.Step(time.Duration(rapid.Int64Range(0, int64(5*length)).Draw(rt, "start")))
		conn := r.connection("x")
		conn.Share = share
		r.engine.SetConnection(conn)
		n, limited := 0, 0
		r.platform.before = func(by platform.Lookup, _ []platform.AccountRef) ([]platform.Observation, error) {
			if by != platform.ByID {
				return nil, nil
			}
			n++
			served := c.spend(r.clock.Now())
			if headers == "always" || headers == "sometimes" && n%3 == 1 {
				r.engine.Usage("x", c.usage(bucketID))
			}
			if !served {
				limited++
				return nil, &platform.Error{Kind: platform.KindRateLimited, RetryAfter: c.resets().Sub(r.clock.Now())}
			}
			if failing > 0 && n%4 < failing {
				return nil, errBroken
			}
			return nil, nil
		}
		r.fleetEvery(rapid.IntRange(1, 80).Draw(rt, "fleet"), length/3)
		r.run(6 * length)
		if most := max(c.limit*share/100, 1); c.worst > most {
			rt.Errorf("%d requests in a window of %d, of which %d%% may be used", c.worst, c.limit, share)
		}
		if limited > 0 {
			rt.Errorf("the platform refused %d requests", limited)
		}
	})
}

// Calls that are under way together do not spend the same request twice, and
// answers that come in another order than they were sent do not lead astray.
func TestOvertakenHeaders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := &counter{limit: rapid.IntRange(5, 40).Draw(rt, "limit"), length: 15 * time.Minute}
		share := rapid.IntRange(20, 100).Draw(rt, "share")
		r := newRigWith(t, limits(2, 300))
		conn := r.connection("x")
		conn.Share = share
		r.engine.SetConnection(conn)
		r.fleetEvery(80, time.Minute)
		type flight struct {
			call  func(context.Context)
			usage platform.Usage
		}
		var flights []flight
		told := platform.Usage{}
		r.platform.before = func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error) {
			r.engine.Usage("x", told)
			return nil, nil
		}
		// The first header tells the limit; until then the published one counts.
		r.engine.Usage("x", platform.Usage{Bucket: bucketID, Limit: c.limit, Remaining: c.limit, ResetsAt: r.clock.Now().Truncate(c.length).Add(c.length)})
		for range 300 {
			ready, rest := r.engine.step(r.clock.Now())
			for _, call := range ready {
				c.spend(r.clock.Now())
				flights = append(flights, flight{call, c.usage(bucketID)})
			}
			if len(flights) > maxUnderway {
				rt.Fatalf("%d calls are under way", len(flights))
			}
			land := rapid.IntRange(0, len(flights)).Draw(rt, "land")
			for range land {
				i := rapid.IntRange(0, len(flights)-1).Draw(rt, "which")
				told = flights[i].usage
				flights[i].call(r.ctx)
				flights = append(flights[:i], flights[i+1:]...)
			}
			r.clock.Step(min(rest, time.Duration(rapid.Int64Range(1, int64(30*time.Second)).Draw(rt, "pause"))))
		}
		if most := max(c.limit*share/100, 1); c.worst > most {
			rt.Errorf("%d requests in a window of %d, of which %d%% may be used", c.worst, c.limit, share)
		}
	})
}

// The limit of the headers counts, not the published one; with 100% all of it is
// used, and with less the rest is left to others.
func TestHeadersOverridePublishedLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		limit, share, others, want int
	}{
		// A twentieth is kept for what is urgent.
		"more than published": {limit: 40, share: 100, want: 38},
		"less than published": {limit: 10, share: 100, want: 10},
		"half of it":          {limit: 40, share: 50, want: 19},
		"next to nothing":     {limit: 10, share: 5, want: 1},
		// The part that is not ours is left alone, whoever has used some of the limit.
		"others use some": {limit: 40, share: 50, others: 10, want: 9},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRigWith(t, limits(1, 20))
			conn := r.connection("x")
			conn.Share = tc.share
			r.engine.SetConnection(conn)
			c := &counter{limit: tc.limit, length: 15 * time.Minute, others: tc.others}
			r.platform.before = func(platform.Lookup, []platform.AccountRef) ([]platform.Observation, error) {
				if !c.spend(r.clock.Now()) {
					t.Error("the platform refused a request")
				}
				r.engine.Usage("x", c.usage(bucketID))
				return nil, nil
			}
			c.window = c.at(r.clock.Now())
			r.engine.Usage("x", c.usage(bucketID))
			r.fleetEvery(100, time.Minute)
			r.run(12 * time.Hour) // the first looks, which may use the reserve, are over
			r.clock.SetTime(c.resets())
			r.platform.take()
			r.run(15 * time.Minute)
			if got := len(r.platform.take()); got != tc.want {
				t.Errorf("a window held %d requests, want %d", got, tc.want)
			}
			report, _ := r.engine.Report("x")
			if len(report.Buckets) != 1 || report.Buckets[0].Limit != tc.limit || report.Buckets[0].Bucket != bucketID {
				t.Errorf("reported %v", report.Buckets)
			}
		})
	}
}

// Headers that make no sense are not headers, and those of nobody are nobody's.
func TestSenselessHeaders(t *testing.T) {
	r := newRig(t)
	for _, u := range []platform.Usage{
		{Bucket: bucketID}, {Bucket: bucketID, Limit: -1, ResetsAt: epoch.Add(time.Hour)}, {Bucket: bucketID, Limit: 5},
		{Bucket: "another", Limit: 5, ResetsAt: epoch.Add(time.Hour)},
	} {
		r.engine.Usage("x", u)
		r.engine.Usage("nobody", u)
	}
	r.fleet(1000)
	r.run(time.Second)
	if got := len(r.platform.take()); got != 10 {
		t.Errorf("%d requests", got)
	}
	if report, _ := r.engine.Report("x"); len(report.Buckets) != 0 {
		t.Errorf("reported %v", report.Buckets)
	}
}
