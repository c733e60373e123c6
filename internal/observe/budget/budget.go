// Package budget says how many requests a platform still allows. Platforms limit
// in different ways (platforms/README.md, rule 1); each way is a Budget, and a
// window counter with a reset header is the first of them.
package budget

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Budget is what one bucket of requests still allows.
type Budget interface {
	// Reserve counts a request and returns 0, or counts nothing and returns how
	// long to wait before asking again.
	Reserve(now time.Time) time.Duration
	// Done ends a request that was counted.
	Done()
	// Learn takes in what an answer's headers said. It is called before Done.
	Learn(u platform.Usage, now time.Time)
	// Pause stops the bucket until a moment, at the platform's request.
	Pause(until time.Time)
	// State is what is known at a moment.
	State(now time.Time) State
}

// State is how a budget stands.
type State struct {
	// Usage is what the platform last said, less what was spent since; Told is
	// false if it never said anything.
	Usage platform.Usage
	Told  bool
	// PerSecond is the sustained number of requests.
	PerSecond float64
	// PausedUntil is the end of the last pause.
	PausedUntil time.Time
}
