package observe

import (
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// keptMost is for how long a bucket is kept for a batch whose turn it is. What it waits for
// any longer, a window or a day that is spent, it does not get sooner if others wait too.
const keptMost = time.Minute

// waits is how long a batch has to wait, 0: it may go now. They are asked for in the order
// of their turns, and what one lacks for a moment is kept from those that come after it:
// where a batch costs more than another of the same bucket, the cheap ones would else take
// every unit as it comes, and the dear one never had enough. What is urgent has a reserve of
// its own, and is kept from nothing.
func (c *conn) waits(r budget.Request, now time.Time) time.Duration {
	if !r.Urgent && slices.ContainsFunc(r.Charges, func(charge platform.Charge) bool { return c.kept[charge.Bucket] }) {
		return keptMost // whoever it is kept for has the loop woken sooner
	}
	wait := time.Duration(0)
	for bucket, lack := range c.purse.Lacks(r, now) {
		wait = max(wait, lack)
		if lack <= keptMost {
			c.kept[bucket] = true
		}
	}
	return wait
}
