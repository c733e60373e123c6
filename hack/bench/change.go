package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mithaq.dev/mithaq/hack/bench/figures"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// drift lets somebody change the profiles of one percent.
func (b *bench) drift(ctx context.Context) error {
	if err := b.running(ctx); err != nil {
		return err
	}
	var changed []fleet.Account
	for i := range b.fleet.N {
		if a := b.fleet.At(i); a.Drifts() {
			changed = append(changed, a)
		}
	}
	before, err := b.now(ctx, 0)
	if err != nil {
		return err
	}
	if err := b.sim.WatchShown(ctx, true); err != nil {
		return err
	}
	defer func() { _ = b.sim.WatchShown(context.WithoutCancel(ctx), false) }()
	if err := b.parallel(ctx, "profiles changed", len(changed), func(ctx context.Context, i int) error {
		return b.sim.Rename(ctx, string(changed[i].Platform), changed[i].ID, fleet.RenamedTo)
	}); err != nil {
		return err
	}
	if err := b.detected(ctx, len(changed)); err != nil {
		return err
	}
	s, err := b.swept(ctx, before.asked)
	if err != nil {
		return err
	}
	after, err := b.untilQuiet(ctx, before.writes)
	if err != nil {
		return err
	}
	d := &drift{Changed: len(changed), Writes: after.Sum(), Sweeps: float64(s.requests) / float64(s.minimum)}
	b.result.Drift = d
	return b.latencies(ctx, d, changed)
}

// detected waits until all changes are in a status, three intervals at most.
func (b *bench) detected(ctx context.Context, changed int) error {
	// What is not detected by then was not detected in the sweep.
	deadline := time.Now().Add(3 * b.every)
	return b.until(ctx, 200*time.Millisecond, func() (bool, error) {
		seen, err := b.watch.figures()
		b.say.bar("drift detected", seen.drifted, changed)
		return seen.drifted >= changed || time.Now().After(deadline), err
	})
}

// latencies are the times from answer to status.
func (b *bench) latencies(ctx context.Context, d *drift, changed []fleet.Account) error {
	shown, err := b.sim.Shown(ctx)
	if err != nil {
		return err
	}
	at := map[string]time.Time{}
	for _, s := range shown {
		at[string(s.Platform)+"/"+s.ID] = s.At
	}
	var took []time.Duration
	for _, a := range changed {
		answered, was := at[string(world.Platform(a.Platform))+"/"+a.ID]
		saved, detected := b.watch.driftedAt(a.Name)
		if was && detected {
			took = append(took, saved.Sub(answered))
			if took[len(took)-1] == slices.Max(took) {
				d.SlowestOf = string(a.Platform)
			}
		}
	}
	d.Detected = len(took)
	d.Late = late(took, d.Changed, b.every)
	for _, f := range []struct {
		p    float64
		into *float64
	}{{0.5, &d.DetectedP50Seconds}, {0.99, &d.DetectedP99Seconds}, {1, &d.SlowestSeconds}} {
		one, err := figures.Percentile(took, f.p)
		if err != nil {
			return err
		}
		*f.into = one.Seconds()
	}
	if d.Detected < d.Changed {
		return fmt.Errorf("%d of %d changes were detected within three sweeps", d.Detected, d.Changed)
	}
	return nil
}

// late counts the changes that were not saved before a platform was asked once more.
func late(took []time.Duration, changed int, every time.Duration) int {
	late := changed - len(took)
	for _, d := range took {
		if d >= every {
			late++
		}
	}
	return late
}

// policyEdit turns the verdict of one percent.
func (b *bench) policyEdit(ctx context.Context) error {
	if err := b.running(ctx); err != nil {
		return err
	}
	flips := 0
	for i := range b.fleet.N {
		if b.fleet.At(i).Flips() {
			flips++
		}
	}
	before, err := b.writes(ctx)
	if err != nil {
		return err
	}
	judged, err := b.operator.reviewed(ctx)
	if err != nil {
		return err
	}
	profile := b.profile(ctx, "policy-edit")
	begun := time.Now()
	if err := b.edit(ctx, fleet.Flip); err != nil {
		return err
	}
	out := &policyEdit{Accounts: b.fleet.N, ChangedVerdicts: flips}
	if err := b.judgedAnew(ctx, begun, judged, out); err != nil {
		return err
	}
	if err := profile(); err != nil {
		return err
	}
	out.SavedSeconds = b.watch.lastFlip().Sub(begun).Seconds()
	out.Seconds = max(out.SavedSeconds, out.JudgedSeconds)
	after, err := b.untilQuiet(ctx, before)
	if err != nil {
		return err
	}
	// The edit itself is the benchmark's.
	out.ByResource = after
	out.Writes = after[accountStatuses]
	b.result.PolicyEdit = out
	return nil
}

// judgedAnew waits until every account was judged and every flipped verdict saved. The
// operator's metrics are asked for once a second only: they cost it something.
func (b *bench) judgedAnew(ctx context.Context, begun time.Time, judged int, out *policyEdit) error {
	return b.until(ctx, time.Second, func() (bool, error) {
		seen, err := b.watch.figures()
		if err != nil {
			return false, err
		}
		b.say.bar("verdicts changed", seen.flipped, out.ChangedVerdicts)
		n, err := b.operator.reviewed(ctx)
		if err != nil {
			return false, err
		}
		if out.JudgedSeconds == 0 && n-judged >= b.fleet.N {
			out.JudgedSeconds = time.Since(begun).Seconds()
		}
		return seen.flipped >= out.ChangedVerdicts && out.JudgedSeconds > 0, nil
	})
}

// accountStatuses are the writes to accounts' statuses.
const accountStatuses = "socialaccounts/status"
