package observe

import (
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// spent are the budgets that a call is charged against.
type spent []budget

// readWait is how long a read has to wait for its budgets. Profiles have the first
// claim on them: activity is read only from what they do not wait for.
func (c *conn) readWait(read platform.Read, now time.Time) time.Duration {
	var longest time.Duration
	for _, charge := range read.Charges {
		b, ok := c.buckets[charge.Bucket]
		if !ok {
			return time.Hour // a budget that nobody keeps is never spent
		}
		if c.profilesWait(charge.Bucket, now) {
			return time.Minute // when they have gone, the loop is woken
		}
		longest = max(longest, b.wait(now))
	}
	return longest
}

// profilesWait says that looks at profiles that are due wait for a bucket.
func (c *conn) profilesWait(bucket string, now time.Time) bool {
	for by, read := range c.Adapter.Profiles {
		if !slices.ContainsFunc(read.Charges, func(charge platform.Charge) bool { return charge.Bucket == bucket }) {
			continue
		}
		if len(c.urgent[by].waiting) > c.urgent[by].gone || slices.ContainsFunc(c.retries, func(b *batch) bool { return b.by == by }) {
			return true
		}
		for key, r := range c.rings {
			if due, ok := r.due(now); ok && key.by == by && !now.Before(due) {
				return true
			}
		}
	}
	return false
}

// spend counts a call that goes now.
func (c *conn) spend(read platform.Read, now time.Time) spent {
	var s spent
	for _, charge := range read.Charges {
		if b, ok := c.buckets[charge.Bucket]; ok {
			b.spend(now)
			s = append(s, b)
		}
	}
	return s
}

// done ends a call; items were paid for.
func (s spent) done(int) {
	for _, b := range s {
		b.done()
	}
}

// pause stops the buckets until a moment.
func (s spent) pause(until time.Time) {
	for _, b := range s {
		b.pause(until)
	}
}
