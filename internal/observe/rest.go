package observe

import (
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// rest holds the connection back after a failure: longer each time, never longer
// than half of the shortest interval, so that recovery shows within one.
func (c *conn) rest(now time.Time) {
	if c.failures <= 1 {
		c.backoff = wait.Backoff{Duration: firstBackoff, Factor: 2, Steps: 12, Cap: longBackoff}
	}
	pause := c.backoff.Step()
	for key, r := range c.rings {
		if r.size > 0 {
			pause = min(pause, key.every/2)
		}
	}
	c.resume = now.Add(pause + time.Duration(rand.Int64N(int64(pause)/5+1))) //nolint:gosec // spreads load, guards nothing
}
