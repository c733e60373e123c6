package main

import (
	"context"
	"time"

	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// moment is what was counted until a moment: of it and a later one come the figures of
// a phase.
type moment struct {
	at     time.Time
	writes measure.Requests
	asked  world.Ledger
	cpu    time.Duration
}

// now counts; pid is the process whose processor time counts, 0 if none does.
func (b *bench) now(ctx context.Context, pid int) (moment, error) {
	m := moment{at: time.Now()}
	var err error
	if pid != 0 {
		if m.cpu, err = measure.CPU(pid); err != nil {
			return m, err
		}
	}
	if m.writes, err = b.writes(ctx); err != nil {
		return m, err
	}
	m.asked, err = b.sim.Ledger(ctx)
	return m, err
}
