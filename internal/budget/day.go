package budget

import (
	"time"
	_ "time/tzdata" // days begin in the platform's time zone, wherever this runs

	"mithaq.dev/mithaq/internal/platform"
)

// count is what was spent on a day, and what of it is saved.
type count struct {
	// date is the day, as 2006-01-02 in the budget's zone.
	date  string
	spent int64
	// handed is what handovers of this process spent of it.
	handed int64
	// saved is what was spent according to the last line that was saved of this day;
	// -1: none was.
	saved int64
}

// roll begins a new day where one has begun.
func (c *count) roll(now time.Time, zone *time.Location) bool {
	date := now.In(zone).Format(time.DateOnly)
	if date <= c.date { // a clock that is set back begins no new day
		return false
	}
	*c = count{date: date, saved: -1}
	return true
}

// leased is how much may be spent until the next saving.
func (c *count) leased(lease int64) int64 {
	if c.saved < 0 {
		return 0
	}
	return c.saved + lease - c.spent
}

// due says that the line of the day is to be saved: the day has none, or half of
// the lease is used.
func (c *count) due(lease int64) bool { return c.saved < 0 || c.spent-c.saved >= (lease+1)/2 }

// midnight is when the next day begins.
func midnight(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// zoneOf is a budget's zone. The adapters' tests hold that their zones exist; UTC is
// what a day is without one.
func zoneOf(b platform.Budget) *time.Location {
	zone, err := time.LoadLocation(b.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// day counts units a day that no header tells.
type day struct {
	count
	bucket string
	zone   *time.Location
	limit  int64
	share  int64
	save   bool
}

func newDay(b platform.Budget, share int64, save bool) *day {
	return &day{bucket: b.Bucket, zone: zoneOf(b), limit: int64(b.Limit), share: share, save: save, count: count{saved: -1}}
}

func (d *day) usable() int64 { return d.share }

func (d *day) span() time.Duration { return 24 * time.Hour }

// lease is a tenth of the day's budget.
func (d *day) lease() int64 { return max(d.share/10, 1) }

func (d *day) wait(now time.Time, c claim) time.Duration {
	d.roll(now, d.zone)
	most := d.share - c.keep
	if d.spent+c.units > most {
		return midnight(now, d.zone).Sub(now)
	}
	if d.save && d.leased(d.lease()) < c.units {
		return never
	}
	if c.urgent {
		return 0
	}
	return d.pace(now, d.spent-d.handed+c.units, most)
}

func (d *day) fraction(units int64) float64 { return float64(units) / float64(max(d.share, 1)) }

// pace spreads the day's units over the day, an eighth of them ahead of the clock:
// spent at once they would leave everybody unseen until midnight. What handovers spent
// holds nobody up before the units end.
func (d *day) pace(now time.Time, spent, most int64) time.Duration {
	ahead := most / 8
	share := float64(spent-ahead) / float64(max(most-ahead, 1))
	return max(midnight(now, d.zone).Add(-24*time.Hour).Add(time.Duration(share*float64(24*time.Hour))).Sub(now), 0)
}

func (d *day) spend(now time.Time, c claim) {
	d.roll(now, d.zone)
	d.spent += c.units
	if c.handover {
		d.handed += c.units
	}
}

func (d *day) done(int64) {}

func (d *day) usage(platform.Usage, time.Time) {}

func (d *day) state(now time.Time) (platform.Usage, bool) {
	d.roll(now, d.zone)
	return platform.Usage{
		Bucket: d.bucket, Limit: int(d.limit), Remaining: int(max(d.limit-d.spent, 0)), ResetsAt: midnight(now, d.zone),
	}, true
}
