package main

import (
	"net/http"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// exceeded is what the simulator refused because a limit was used up.
func exceeded(l world.Ledger, p world.Platform) int {
	n := 0
	for _, r := range l.Requests {
		if r.Platform == p && r.Status == http.StatusTooManyRequests {
			n += r.Count
		}
	}
	return n
}
