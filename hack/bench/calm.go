package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/figures"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// edit changes the policy.
func (b *bench) edit(ctx context.Context, change func(*v1alpha1.GovernancePolicy)) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		policy := &v1alpha1.GovernancePolicy{}
		if err := b.cluster.Client.Get(ctx, client.ObjectKey{Name: fleet.PolicyName}, policy); err != nil {
			return err
		}
		change(policy)
		return b.cluster.Client.Update(ctx, policy)
	})
}

// settledSweeps is after how many sweeps everything is over that a start or an edit sets
// off: the first is under way when it comes, and what a connection makes of a sweep is
// written at the end of a whole one.
const settledSweeps = 2

// running makes sure that the operator runs, with the interval of the measured sweeps,
// and that it has nothing left to do.
func (b *bench) running(ctx context.Context) error {
	started := b.operator == nil
	if started {
		if err := b.startOperator(ctx); err != nil {
			return err
		}
	}
	if !b.sweeping {
		if err := b.edit(ctx, func(p *v1alpha1.GovernancePolicy) { fleet.Every(p, b.every) }); err != nil {
			return err
		}
		b.sweeping = true
	} else if !started {
		return nil
	}
	before, err := b.sim.Ledger(ctx)
	if err != nil {
		return err
	}
	if err := b.until(ctx, time.Second, func() (bool, error) {
		s, err := b.swept(ctx, before)
		if err != nil {
			return false, err
		}
		b.say.bar("sweeps before", s.requests, settledSweeps*s.minimum)
		return s.done(settledSweeps), nil
	}); err != nil {
		return fmt.Errorf("waiting for a sweep: %w", err)
	}
	_, err = b.untilQuiet(ctx, measure.Requests{})
	return err
}

// restart ends the operator and starts it again.
func (b *bench) restart(ctx context.Context) error {
	// The interval of the measured sweeps: what a sweep takes is what it is compared with.
	if err := b.running(ctx); err != nil {
		return err
	}
	if err := b.stopOperator(); err != nil {
		return err
	}
	sync, err := b.bareInformer(ctx)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	before, err := b.now(ctx, 0)
	if err != nil {
		return err
	}
	r := &restart{CacheSyncSeconds: sync.Seconds(), SweepSeconds: b.every.Seconds()}
	if err := b.startOperator(ctx); err != nil {
		return err
	}
	profile := b.profile(ctx, "restart")
	last, err := b.lookedAgain(ctx, before.asked, r)
	if err != nil {
		return err
	}
	since := time.Since(b.operator.started).Seconds()
	r.SecondsToReady, r.PlatformRequests, r.PlatformMinimum = since, last.requests, last.minimum
	// What a whole sweep of the new process sets off counts as well.
	if err := b.until(ctx, time.Second, func() (bool, error) {
		s, err := b.swept(ctx, before.asked)
		return err == nil && s.done(settledSweeps), err
	}); err != nil {
		return fmt.Errorf("waiting for another sweep: %w", err)
	}
	after, err := b.untilQuiet(ctx, before.writes)
	if err != nil {
		return err
	}
	r.APIWrites, r.Events, r.ByResource = after.Sum(), after[measure.Events], after
	b.result.Restart = r
	return errors.Join(profile(), b.restartPeak())
}

// lookedAgain waits until the new process has judged every account, and looked at it.
func (b *bench) lookedAgain(ctx context.Context, asked world.Ledger, r *restart) (last sweep, err error) {
	since := func() float64 { return time.Since(b.operator.started).Seconds() }
	err = b.until(ctx, time.Second, func() (bool, error) {
		if r.ReadyzSeconds == 0 && b.operator.ready(ctx) {
			r.ReadyzSeconds = since()
		}
		if last, err = b.swept(ctx, asked); err != nil {
			return false, err
		}
		b.say.bar("looked at again", last.requests, last.minimum)
		if r.JudgedSeconds == 0 && r.ReadyzSeconds > 0 {
			n, err := b.operator.reconciled(ctx)
			if err != nil {
				return false, err
			}
			if n >= b.fleet.N {
				r.JudgedSeconds = since()
			}
		}
		return r.JudgedSeconds > 0 && last.done(1), nil
	})
	return last, err
}

// restartPeak adds the most that a process held which listed a converged fleet.
func (b *bench) restartPeak() error {
	if b.result.Memory == nil {
		return nil
	}
	m, err := measure.MemoryOf(b.operator.PID())
	if err != nil {
		return err
	}
	b.result.Memory.RestartPeakBytes, b.result.Memory.RestartPeakPerAccount = m.Peak, float64(m.Peak)/float64(b.fleet.N)
	return nil
}

// steady lets sweeps pass in which nothing happens.
func (b *bench) steady(ctx context.Context) error {
	if err := b.running(ctx); err != nil {
		return err
	}
	before, err := b.now(ctx, b.operator.PID())
	if err != nil {
		return err
	}
	profile := b.profile(ctx, "steady")
	if err := b.rest(ctx, "steady", time.Duration(b.sweeps)*b.every); err != nil {
		return err
	}
	after, err := b.now(ctx, b.operator.PID())
	if err != nil {
		return err
	}
	s, err := b.swept(ctx, before.asked)
	if err != nil {
		return err
	}
	wrote := after.writes.Since(before.writes)
	out := &steady{
		Sweeps: b.sweeps, APIWrites: wrote.Sum(), Events: wrote[measure.Events], Leases: wrote[measure.Leases], ByResource: wrote,
		Seconds: after.at.Sub(before.at).Seconds(), PlatformRequests: s.requests, PlatformMinimum: s.minimum * b.sweeps,
	}
	if out.CPUMicrosPerAccountPerSweep, err = figures.MicrosPerAccount(after.cpu-before.cpu, b.fleet.N, b.sweeps); err != nil {
		return err
	}
	// A request more or less at the edges; fewer, and there were not so many sweeps.
	if float64(s.requests) < 0.97*float64(out.PlatformMinimum) {
		return errors.Join(profile(), fmt.Errorf("the platforms were asked %d times, which is less than %d sweeps of %d requests", s.requests, b.sweeps, s.minimum))
	}
	b.result.Steady = out
	return profile()
}
