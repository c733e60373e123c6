package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"mithaq.dev/mithaq/hack/bench/figures"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/local"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// naiveLabel marks the accounts that the naive controller polls.
const naiveLabel = "bench-naive"

// naiveAccounts is how many those are: all of X, as bodies have one account each there.
func (b *bench) naiveAccounts() int {
	return min(b.naiveSize, b.fleet.OfPlatform(fleet.Platforms()[0]))
}

// naive measures the controller of hack/bench/naive on a part of the fleet, while the
// operator does not run.
func (b *bench) naive(ctx context.Context) error {
	if err := b.stopOperator(); err != nil {
		return err
	}
	kubeconfig, err := filepath.Abs(filepath.Join(b.state, "kubeconfig"))
	if err != nil {
		return err
	}
	process, err := local.Start(b.place(), "naive", []string{"KUBECONFIG=" + kubeconfig}, filepath.Join(b.bin, "bench-naive"),
		"--x="+b.simulator.Addresses["x"], "--token="+fleet.XBearer, "--every="+b.naiveEvery.String(), "--label="+naiveLabel)
	if err != nil {
		return err
	}
	out, err := b.pollNaively(ctx, process)
	if err == nil {
		b.result.Naive = out
	}
	return errors.Join(err, process.Stop())
}

// pollNaively measures after its first sweep, which fills caches.
func (b *bench) pollNaively(ctx context.Context, process *local.Process) (*naive, error) {
	n := b.naiveAccounts()
	if err := b.firstPolls(ctx, process, n); err != nil {
		return nil, err
	}
	before, err := b.now(ctx, process.PID())
	if err != nil {
		return nil, err
	}
	if err := b.rest(ctx, "naive controller", time.Duration(b.sweeps)*b.naiveEvery); err != nil {
		return nil, err
	}
	after, err := b.now(ctx, process.PID())
	if err != nil {
		return nil, err
	}
	return compared(before, after, n)
}

// firstPolls waits until every account was polled once.
func (b *bench) firstPolls(ctx context.Context, process *local.Process, n int) error {
	begin, err := b.sim.Ledger(ctx)
	if err != nil {
		return err
	}
	return b.until(ctx, 500*time.Millisecond, func() (bool, error) {
		select {
		case <-process.Done:
			return false, fmt.Errorf("it ended: %w; see its log", process.Err())
		default:
		}
		now, err := b.sim.Ledger(ctx)
		polls := polled(begin, now)
		b.say.bar("naive controller, first sweep", polls, n)
		return polls >= n, err
	})
}

// polled is how often X was asked between two ledgers.
func polled(before, after world.Ledger) int {
	return measure.AskedOf(after, world.X).Minus(measure.AskedOf(before, world.X)).API
}

// compared makes figures of two moments between which n accounts were polled. They are
// divided by the polls that it managed, which may be fewer than it should have.
func compared(before, after moment, n int) (*naive, error) {
	polls, wrote := polled(before.asked, after.asked), after.writes.Since(before.writes)
	if polls < n || wrote[accountStatuses] < 1 {
		return nil, fmt.Errorf("it polled %d of %d accounts and wrote %d", polls, n, wrote[accountStatuses])
	}
	out := &naive{Accounts: n, Seconds: after.at.Sub(before.at).Seconds(), Sweeps: float64(polls) / float64(n)}
	var err error
	out.CPUMicrosPerAccountPerSweep, err = figures.MicrosPerAccount(after.cpu-before.cpu, polls, 1)
	out.APIWritesPerAccountPerSweep = float64(wrote.Sum()) / float64(polls)
	// A poll ends with its write.
	out.PlatformRequestsPerAccount = float64(polls) / float64(wrote[accountStatuses])
	return out, err
}
