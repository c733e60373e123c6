package main

import "mithaq.dev/mithaq/hack/platformsim/world"

// exceeded is what the simulator counted beyond a limit of a platform.
func exceeded(l world.Ledger, p world.Platform) int { return int(l.BudgetExceeded(p)) }
