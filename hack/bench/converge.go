package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"mithaq.dev/mithaq/hack/bench/figures"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// quiet is how long nothing must be written before something counts as over: longer
// than the operator lets its counts settle.
const quiet = 7 * time.Second

// convergence starts the operator with a fleet that nobody ever looked at.
func (b *bench) convergence(ctx context.Context) error {
	before, err := b.writes(ctx)
	if err != nil {
		return err
	}
	if err := b.sim.WatchReads(ctx, true); err != nil {
		return err
	}
	defer func() { _ = b.sim.WatchReads(context.WithoutCancel(ctx), false) }()
	if err := b.startOperator(ctx); err != nil {
		return err
	}
	profile := b.profile(ctx, "convergence")
	ready, err := b.settles(ctx)
	if err != nil {
		return b.unfinished(err)
	}
	if err := profile(); err != nil {
		return err
	}
	after, err := b.untilQuiet(ctx, before)
	if err != nil {
		return err
	}
	cpu, err := measure.CPU(b.operator.PID())
	if err != nil {
		return err
	}
	c, err := b.converged(after, cpu)
	if err != nil {
		return err
	}
	c.ReadySeconds = ready.Sub(b.operator.started).Seconds()
	b.result.Convergence = c
	return nil
}

// settles waits until every account has a status that rests on an answer, and says when
// the operator was ready.
func (b *bench) settles(ctx context.Context) (ready time.Time, err error) {
	reads := time.NewTicker(time.Second)
	defer reads.Stop()
	err = b.until(ctx, 100*time.Millisecond, func() (bool, error) {
		if ready.IsZero() && b.operator.ready(ctx) {
			ready = time.Now()
		}
		select {
		case <-reads.C:
			if err := b.firstRead(ctx); err != nil {
				return false, err
			}
		default:
		}
		seen, err := b.watch.figures()
		b.say.bar("accounts converged", seen.settled, b.fleet.N)
		return seen.settled >= b.fleet.N && !ready.IsZero() && b.allRead != nil, err
	})
	return ready, err
}

// firstRead keeps the ledger as it is when every account has been read once.
func (b *bench) firstRead(ctx context.Context) error {
	if b.allRead != nil {
		return nil
	}
	reads, err := b.sim.Reads(ctx, time.Time{})
	if err != nil || reads.Accounts < b.fleet.N {
		return err
	}
	ledger, err := b.sim.Ledger(ctx)
	if err != nil {
		return err
	}
	b.allRead = &ledger
	return nil
}

// converged makes figures of what was written and spent.
func (b *bench) converged(after measure.Requests, cpu time.Duration) (*convergence, error) {
	seen, err := b.watch.figures()
	if err != nil {
		return nil, err
	}
	c := &convergence{}
	took, writing := seen.last.Sub(b.operator.started), seen.last.Sub(seen.first)
	c.Seconds, c.WritingSeconds = took.Seconds(), writing.Seconds()
	c.Writes, c.Events, c.ByResource = after.Sum(), after[measure.Events], after
	c.WritesPerAccount = float64(c.Writes) / float64(b.fleet.N)
	if c.WritesPerSecond, err = figures.PerSecond(c.Writes, took); err != nil {
		return nil, err
	}
	c.CPUMicrosPerAccount, err = figures.MicrosPerAccount(cpu, b.fleet.N, 1)
	return c, err
}

// unfinished says how far the fleet came.
func (b *bench) unfinished(err error) error {
	seen, _ := b.watch.figures()
	return fmt.Errorf("%d of %d accounts converged: %w", seen.settled, b.fleet.N, err)
}

// untilQuiet waits until nothing is written any more, and returns what was written since
// before.
func (b *bench) untilQuiet(ctx context.Context, before measure.Requests) (measure.Requests, error) {
	var last measure.Requests
	var since time.Time
	err := b.until(ctx, time.Second, func() (bool, error) {
		now, err := b.writes(ctx)
		if err != nil {
			return false, err
		}
		if last == nil || now.Sum() != last.Sum() || now[measure.Events] != last[measure.Events] {
			last, since = now, time.Now()
		}
		return time.Since(since) >= quiet, nil
	})
	if err != nil {
		return nil, fmt.Errorf("waiting until nothing is written: %w", err)
	}
	return last.Since(before), nil
}

// memory reads what the operator holds once it has nothing to do.
func (b *bench) memory(ctx context.Context) error {
	if err := b.profileHeap(ctx, "converged"); err != nil {
		return err
	}
	m, err := measure.MemoryOf(b.operator.PID())
	if err != nil {
		return err
	}
	n, empty := float64(b.fleet.N), b.result.Settings.EmptyRSSBytes
	b.result.Memory = &memory{
		RSSBytes: m.RSS, BytesPerAccount: float64(m.RSS) / n, NetBytesPerAccount: float64(m.RSS-empty) / n,
		PeakBytes: m.Peak, PeakBytesPerAccount: float64(m.Peak) / n, NetPeakPerAccount: float64(m.Peak-empty) / n,
	}
	return nil
}

// platform reads the ledger, which begins with the simulator. The operator has run
// without accounts before, which asks nothing but tokens.
func (b *bench) platform(ctx context.Context) error {
	ledger, err := b.sim.Ledger(ctx)
	if err != nil {
		return err
	}
	if err := b.keep("ledger.json", ledger); err != nil {
		return err
	}
	all := map[string]*asked{}
	for _, p := range fleet.Platforms() {
		a, once := measure.AskedOf(ledger, world.Platform(p)), measure.AskedOf(*b.allRead, world.Platform(p))
		minimum, err := b.minimum(p, 1)
		if err != nil {
			return err
		}
		all[string(p)] = &asked{Requests: once.API, Minimum: minimum, Total: a.API, Images: a.Images, Tokens: a.Tokens, Refused: a.Refused}
	}
	b.result.Platform = all
	return nil
}

// minimum is the fewest requests of sweeps over a platform's accounts, through the
// connections that there are.
func (b *bench) minimum(p platformName, sweeps int) (int, error) {
	sum := 0
	for _, load := range b.fleet.Loads(p) {
		n, err := figures.MinimumRequests(load, fleet.BatchSize(p), sweeps)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// sweep is what all platforms have been asked, and the fewest requests of a sweep.
type sweep struct {
	requests, minimum int
	// done says that every platform was asked for at least so many sweeps.
	done func(sweeps int) bool
}

// swept compares the ledger now with an earlier one.
func (b *bench) swept(ctx context.Context, before world.Ledger) (sweep, error) {
	ledger, err := b.sim.Ledger(ctx)
	if err != nil {
		return sweep{}, err
	}
	var out sweep
	least := -1.0
	for _, p := range fleet.Platforms() {
		name := world.Platform(p)
		asked := measure.AskedOf(ledger, name).Minus(measure.AskedOf(before, name))
		minimum, err := b.minimum(p, 1)
		if err != nil {
			return sweep{}, err
		}
		out.requests += asked.API
		out.minimum += minimum
		if share := float64(asked.API) / float64(minimum); least < 0 || share < least {
			least = share
		}
	}
	out.done = func(sweeps int) bool { return least >= float64(sweeps) }
	return out, nil
}

// keep saves something beside the logs, for whoever wonders about a figure.
func (b *bench) keep(name string, what any) error {
	raw, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.state, name), raw, 0o600)
}
