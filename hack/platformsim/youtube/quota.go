package youtube

import (
	"net/http"
	"sync"
	"time"
	_ "time/tzdata" // containers have no time zones, and a day here is Pacific

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// pacific is where a day of quota begins at midnight (data/determine_quota_cost).
var pacific = func() *time.Location {
	l, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic("youtube: " + err.Error())
	}
	return l
}()

// quota counts units per project and Pacific day, and requests per minute. It
// announces nothing: Google sends no header about it.
type quota struct {
	world *world.World
	opts  Options

	mu      sync.Mutex
	days    map[dayKey]int
	minutes map[string]*minute
}

type dayKey struct{ project, bucket, day string }

type minute struct {
	began time.Time
	used  int
}

func newQuota(w *world.World, o Options) *quota {
	return &quota{world: w, opts: o, days: map[dayKey]int{}, minutes: map[string]*minute{}}
}

func (q *quota) limit(bucket string) int {
	if bucket == BucketSearches {
		return q.opts.DailySearches
	}
	return q.opts.DailyUnits
}

// take charges one unit; every request costs at least that, valid or not. user
// may be empty.
func (q *quota) take(project, user, bucket string) *fault {
	now := q.world.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if f := q.tooFast(project, user, now); f != nil {
		return f
	}
	day := now.In(pacific).Format(time.DateOnly)
	key := dayKey{project, bucket, day}
	limit := q.limit(bucket)
	if q.days[key] >= limit {
		q.world.AddBudget(world.BudgetCount{Platform: world.YouTube, Bucket: bucket, Day: day, Exceeded: 1, Peak: 100})
		return &fault{
			code: http.StatusForbidden, reason: "quotaExceeded", domain: "youtube.quota",
			message: "The request cannot be completed because you have exceeded your quota.",
		}
	}
	q.days[key]++
	q.world.AddBudget(world.BudgetCount{Platform: world.YouTube, Bucket: bucket, Day: day, Units: 1, Peak: 100 * float64(q.days[key]) / float64(limit)})
	return nil
}

// refund gives a unit back.
func (q *quota) refund(project, bucket string) {
	day := q.world.Now().In(pacific).Format(time.DateOnly)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.days[dayKey{project, bucket, day}]--
	q.world.AddBudget(world.BudgetCount{Platform: world.YouTube, Bucket: bucket, Day: day, Units: -1})
}

func (q *quota) tooFast(project, user string, now time.Time) *fault {
	if q.over("project "+project, q.opts.PerMinute, now) {
		return q.throttle("rateLimitExceeded")
	}
	if user != "" && q.over("user "+project+" "+user, q.opts.PerUserMinute, now) {
		return q.throttle("userRateLimitExceeded")
	}
	return nil
}

func (q *quota) over(who string, limit int, now time.Time) bool {
	if limit == 0 {
		return false
	}
	m, ok := q.minutes[who]
	if !ok || now.Sub(m.began) >= time.Minute {
		m = &minute{began: now}
		q.minutes[who] = m
	}
	if m.used >= limit {
		q.world.CountBudget(world.YouTube, BucketMinute, 0, 1, 100)
		return true
	}
	m.used++
	q.world.CountBudget(world.YouTube, BucketMinute, 1, 0, 100*float64(m.used)/float64(limit))
	return false
}

func (q *quota) throttle(reason string) *fault {
	code := http.StatusForbidden
	if q.opts.Throttle429 {
		code = http.StatusTooManyRequests
	}
	return &fault{code: code, reason: reason, domain: "usageLimits", message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'."}
}
