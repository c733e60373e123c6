package meta

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// limiter counts calls per bucket in rolling windows, a minute being the grain:
// a call leaves the window up to a minute late, never early.
type limiter struct {
	penalty time.Duration

	mu    sync.Mutex
	meter map[meterKey]*meter
}

type meterKey struct{ bucket, app, id string }

type meter struct {
	slots []slot
	used  int64
	// blocked is until when every call is refused.
	blocked time.Time
}

type slot struct{ minute, calls int64 }

// usage is what the headers of an answer say about a bucket.
type usage struct {
	bucket, id       string
	percent, minutes int64
}

func newLimiter(penalty time.Duration) *limiter {
	return &limiter{penalty: penalty, meter: map[meterKey]*meter{}}
}

// quota is a published limit.
type quota struct {
	meterKey

	limit  int64
	window time.Duration
}

// take uses up one call; ok is false if none was left.
func (l *limiter) take(q quota, now time.Time) (u usage, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, found := l.meter[q.meterKey]
	if !found {
		m = &meter{}
		l.meter[q.meterKey] = m
	}
	m.prune(now.Add(-q.window).Unix())
	u = usage{bucket: q.bucket, id: q.id}
	switch {
	case now.Before(m.blocked):
		// "Calling on while throttled lengthens the block."
		m.blocked = m.blocked.Add(l.penalty)
	case m.used >= q.limit:
		m.blocked = now.Add(l.penalty)
		if len(m.slots) > 0 {
			m.blocked = time.Unix((m.slots[0].minute+1)*60, 0).Add(q.window)
		}
	default:
		m.count(now.Unix() / 60)
		u.percent = m.used * 100 / max(q.limit, 1)
		return u, true
	}
	u.percent = 100
	u.minutes = int64((m.blocked.Sub(now) + time.Minute - 1) / time.Minute)
	return u, false
}

// prune forgets slots that ended at or before this time.
func (m *meter) prune(unix int64) {
	gone := 0
	for gone < len(m.slots) && (m.slots[gone].minute+1)*60 <= unix {
		m.used -= m.slots[gone].calls
		gone++
	}
	m.slots = m.slots[gone:]
}

func (m *meter) count(minute int64) {
	m.used++
	if n := len(m.slots); n > 0 && m.slots[n-1].minute == minute {
		m.slots[n-1].calls++
		return
	}
	m.slots = append(m.slots, slot{minute, 1})
}

const (
	headerApp  = "X-App-Usage"
	headerBUC  = "X-Business-Use-Case-Usage"
	callsADay  = 4_800
	callsAHour = 200
)

func (u usage) header() (name, value string) {
	n := strconv.FormatInt(u.percent, 10)
	if u.bucket == BucketApp || u.bucket == BucketUser {
		return headerApp, `{"call_count":` + n + `,"total_time":` + n + `,"total_cputime":` + n + `}`
	}
	return headerBUC, `{"` + u.id + `":[{"type":"` + u.bucket + `","call_count":` + n + `,"total_cputime":` + n +
		`,"total_time":` + n + `,"estimated_time_to_regain_access":` + strconv.FormatInt(u.minutes, 10) + `}]}`
}

func (u usage) announce(h http.Header) {
	name, value := u.header()
	if old := h.Get(name); old != "" && name == headerBUC {
		// One object for all accounts that a call was about.
		value = old[:len(old)-1] + "," + value[1:]
	}
	h.Set(name, value)
}

// perAccount is the budget of a Page or an Instagram account with one app.
func (s *server) perAccount(app string, a *world.Account) quota {
	bucket := BucketPages
	if a.Platform == world.Instagram {
		bucket = BucketInstagram
	}
	engaged := a.Engaged
	setDefault(&engaged, s.opts.Engaged)
	return quota{meterKey{bucket, app, a.ID}, callsADay * engaged, 24 * time.Hour}
}

// perApp is an app's own hourly budget, perUser that of a human's token.
func (s *server) perApp(key string) quota {
	app, _ := s.world.App(world.Facebook, key)
	setDefault(&app.DailyUsers, s.opts.DailyUsers)
	return quota{meterKey{BucketApp, key, ""}, callsAHour * app.DailyUsers, time.Hour}
}

func (s *server) perUser(app, person string) quota {
	return quota{meterKey{BucketUser, app, person}, s.opts.UserCalls, time.Hour}
}

// spend takes one call of a budget and books it for a platform.
func (s *server) spend(p world.Platform, q quota) (usage, *problem) {
	u, ok := s.limits.take(q, s.world.Now())
	if ok {
		s.world.CountBudget(p, q.bucket, 1, 0, float64(u.percent))
		return u, nil
	}
	s.world.CountBudget(p, q.bucket, 0, 1, 100)
	bad := s.errors.throttled(q.bucket)
	bad.usage = []usage{u}
	return u, bad
}
