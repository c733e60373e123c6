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
	asked := func() (int, error) {
		l, err := b.sim.Ledger(ctx)
		return measure.AskedOf(l, world.X).API, err
	}
	n := b.naiveAccounts()
	begin, err := asked()
	if err != nil {
		return nil, err
	}
	if err := b.until(ctx, 500*time.Millisecond, func() (bool, error) {
		select {
		case <-process.Done:
			return false, fmt.Errorf("it ended: %w; see its log", process.Err())
		default:
		}
		now, err := asked()
		b.say.bar("naive controller, first sweep", now-begin, n)
		return now-begin >= n, err
	}); err != nil {
		return nil, err
	}
	before, err := b.writes(ctx)
	if err != nil {
		return nil, err
	}
	if begin, err = asked(); err != nil {
		return nil, err
	}
	cpu, err := measure.CPU(process.PID())
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := b.rest(ctx, "naive controller", time.Duration(b.sweeps)*b.naiveEvery); err != nil {
		return nil, err
	}
	spent, err := measure.CPU(process.PID())
	if err != nil {
		return nil, err
	}
	after, err := b.writes(ctx)
	if err != nil {
		return nil, err
	}
	end, err := asked()
	if err != nil {
		return nil, err
	}
	polls, wrote := end-begin, after.Since(before)
	if polls < n || wrote[accountStatuses] < 1 {
		return nil, fmt.Errorf("it polled %d of %d accounts in %d intervals and wrote %d", polls, n, b.sweeps, wrote[accountStatuses])
	}
	out := &naive{Accounts: n, Seconds: time.Since(begun).Seconds(), Sweeps: float64(polls) / float64(n)}
	out.CPUMicrosPerAccountPerSweep, err = figures.MicrosPerAccount(spent-cpu, polls, 1)
	out.APIWritesPerAccountPerSweep = float64(wrote.Sum()) / float64(polls)
	// A poll ends with its write.
	out.PlatformRequestsPerAccount = float64(polls) / float64(wrote[accountStatuses])
	return out, err
}
