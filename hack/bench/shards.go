package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/shard"
)

// processes is how many divide the fleet, into as many shards.
const processes = 3

// shardedGate is the API server's gate for lists and watches of a part: alpha, and off by
// default, in 1.36 and 1.37. A request that does not ask for a part is not concerned by it.
const shardedGate = "ShardedListAndWatch"

// sharded is the fleet in the hands of several processes. That of one process on it is
// the memory phase's.
type sharded struct {
	Processes int `json:"processes"`
	// Gate: the API server divides by itself. ForeignObjects is what it sent all the same.
	Gate           bool `json:"gate"`
	ForeignObjects int  `json:"foreignObjects"`
	// Cleared accounts had their statuses taken away before, so that all of these are
	// written anew; SecondsToReady is until they all rest on an answer again, and every
	// account was judged.
	Cleared        int     `json:"cleared"`
	SecondsToReady float64 `json:"secondsToReady"`

	// RSSBytes and PeakBytes are the biggest replica's, Replicas those of all; Ratio is
	// RSSBytes to that of one process, RatioBeyondEmpty without what an operator holds that
	// has no accounts.
	RSSBytes         int64            `json:"rssBytes"`
	PeakBytes        int64            `json:"peakBytes"`
	Replicas         []measure.Memory `json:"replicas"`
	OneProcessBytes  int64            `json:"oneProcessBytes"`
	OneProcessPeak   int64            `json:"oneProcessPeakBytes"`
	Ratio            float64          `json:"ratio"`
	RatioBeyondEmpty float64          `json:"ratioBeyondEmpty"`
	PeakRatio        float64          `json:"peakRatio"`

	APIWrites  int            `json:"apiWrites"`
	ByResource map[string]int `json:"writesByResource"`
	// SameEndState: every status is what one process wrote, times apart, and so are the
	// policy's counts; Different is how many accounts' are not.
	SameEndState bool    `json:"sameEndState"`
	Different    int     `json:"different"`
	Killed       *killed `json:"killed,omitempty"`
}

// killed is what a SIGKILL of a replica does to the accounts of its shards.
type killed struct {
	Accounts int `json:"accounts"`
	// SecondsUntilObservedAgain is from the kill until the last account was read again,
	// LongestGapSeconds the longest time between two reads of any account around it.
	// BoundSeconds is a lease and an interval.
	SecondsUntilObservedAgain float64 `json:"secondsUntilObservedAgain"`
	LongestGapSeconds         float64 `json:"longestGapSeconds"`
	BoundSeconds              float64 `json:"boundSeconds"`
}

// shards lets several processes do what one did, and kills one of them.
func (b *bench) shards(ctx context.Context) (err error) {
	out := &sharded{Processes: processes, Gate: b.divides, Cleared: min(b.fleet.N, b.clearedSize)}
	want, err := b.alone(ctx, out.Cleared)
	if err != nil {
		return err
	}
	if err := b.clear(ctx, out.Cleared); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.crew.stop()) }()
	if err := b.together(ctx, out); err != nil {
		return err
	}
	got, err := b.endState(ctx)
	if err != nil {
		return err
	}
	out.Different = want.different(got)
	out.SameEndState = out.Different == 0 && want.policy == got.policy
	if err := errors.Join(b.compareMemory(out), b.heaps(ctx)); err != nil {
		return err
	}
	b.result.Shards = out
	out.Killed, err = b.kill(ctx)
	return err
}

// alone lets one process write the statuses anew that the others are to write after it,
// under the same edition of the policy, and returns what all say then.
func (b *bench) alone(ctx context.Context, n int) (endState, error) {
	if err := b.stopOperator(); err != nil {
		return endState{}, err
	}
	if !b.sweeping {
		if err := b.edit(ctx, func(p *v1alpha1.GovernancePolicy) { fleet.Every(p, b.every) }); err != nil {
			return endState{}, err
		}
		b.sweeping = true
	}
	if err := b.clear(ctx, n); err != nil {
		return endState{}, err
	}
	watching, end := context.WithCancel(ctx)
	defer end()
	watch, err := startTracker(watching, b.raw)
	if err != nil {
		return endState{}, err
	}
	if err := b.startOperator(ctx); err != nil {
		return endState{}, err
	}
	if err := b.allSettle(ctx, watch, crew{b.operator}); err != nil {
		return endState{}, err
	}
	if _, err := b.untilQuiet(ctx, measure.Requests{}); err != nil {
		return endState{}, err
	}
	is, err := b.endState(ctx)
	return is, errors.Join(err, b.stopOperator())
}

// together begins the processes, and waits until they have done everything.
func (b *bench) together(ctx context.Context, out *sharded) error {
	watching, end := context.WithCancel(ctx)
	defer end()
	watch, err := startTracker(watching, b.raw)
	if err != nil {
		return err
	}
	before, err := b.now(ctx, 0)
	if err != nil {
		return err
	}
	for i := range processes {
		o, err := b.launch(ctx, fmt.Sprintf("replica-%d", i), fmt.Sprintf("--shards=%d", processes))
		if err != nil {
			return err
		}
		b.crew = append(b.crew, o)
	}
	if err := b.allSettle(ctx, watch, b.crew); err != nil {
		return err
	}
	out.SecondsToReady = time.Since(before.at).Seconds()
	if err := b.until(ctx, time.Second, func() (bool, error) {
		s, err := b.swept(ctx, before.asked)
		return err == nil && s.done(settledSweeps), errors.Join(err, b.crew.ended())
	}); err != nil {
		return fmt.Errorf("waiting for sweeps of all: %w", err)
	}
	after, err := b.untilQuiet(ctx, before.writes)
	if err != nil {
		return err
	}
	out.APIWrites, out.ByResource = after.Sum(), after
	out.ForeignObjects, err = b.crew.foreign(ctx)
	return err
}

// allSettle waits until every status rests on an answer and every account was judged.
func (b *bench) allSettle(ctx context.Context, watch *tracker, c crew) error {
	return b.until(ctx, time.Second, func() (bool, error) {
		seen, err := watch.figures()
		if err != nil {
			return false, err
		}
		b.say.bar("accounts converged", seen.settled, b.fleet.N)
		// A replica's metrics cannot be read until its shard's cache is in sync.
		if seen.settled < b.fleet.N || !c.ready(ctx) {
			return false, c.ended()
		}
		judged, err := c.reconciled(ctx)
		return seen.settled >= b.fleet.N && judged >= b.fleet.N, errors.Join(err, c.ended())
	})
}

// compareMemory compares the biggest replica with one process.
func (b *bench) compareMemory(out *sharded) error {
	one, empty := b.result.Memory, b.result.Settings.EmptyRSSBytes
	for _, o := range b.crew {
		m, err := measure.MemoryOf(o.PID())
		if err != nil {
			return err
		}
		out.Replicas = append(out.Replicas, m)
		out.RSSBytes, out.PeakBytes = max(out.RSSBytes, m.RSS), max(out.PeakBytes, m.Peak)
	}
	if one.RSSBytes <= empty {
		return fmt.Errorf("one process holds %d bytes with the fleet and %d without it: there is nothing to compare", one.RSSBytes, empty)
	}
	out.OneProcessBytes, out.OneProcessPeak = one.RSSBytes, one.PeakBytes
	out.Ratio = float64(out.RSSBytes) / float64(one.RSSBytes)
	out.PeakRatio = float64(out.PeakBytes) / float64(one.PeakBytes)
	out.RatioBeyondEmpty = float64(out.RSSBytes-empty) / float64(one.RSSBytes-empty)
	return nil
}

// slack is how much longer than the bound it is waited for accounts that are not read.
const slack = 2 * time.Minute

// kill kills a replica once every account has been read by the crew, and waits until
// every account was read again.
func (b *bench) kill(ctx context.Context) (*killed, error) {
	if err := b.sim.WatchReads(ctx, true); err != nil {
		return nil, err
	}
	defer func() { _ = b.sim.WatchReads(context.WithoutCancel(ctx), false) }()
	if err := b.read(ctx, "accounts read", time.Time{}, 2*b.every+slack); err != nil {
		return nil, err
	}
	accounts, err := b.heldBy(ctx, b.crew[0])
	if err != nil {
		return nil, err
	}
	if err := b.crew[0].Kill(); err != nil {
		return nil, err
	}
	at := time.Now()
	b.crew = b.crew[1:]
	bound := custody.LeaseDuration + b.every
	if err := b.read(ctx, "read again", at, bound+slack); err != nil {
		return nil, fmt.Errorf("after a kill: %w", err)
	}
	out := &killed{Accounts: accounts, SecondsUntilObservedAgain: time.Since(at).Seconds(), BoundSeconds: bound.Seconds()}
	reads, err := b.sim.Reads(ctx, at)
	out.LongestGapSeconds = reads.LongestSeconds
	return out, err
}

// read waits until every account was read since a moment.
func (b *bench) read(ctx context.Context, what string, since time.Time, within time.Duration) error {
	deadline := time.Now().Add(within)
	return b.until(ctx, time.Second, func() (bool, error) {
		r, err := b.sim.Reads(ctx, since)
		if err == nil && r.Since < b.fleet.N && time.Now().After(deadline) {
			err = fmt.Errorf("%d of %d accounts were read within %s", r.Since, b.fleet.N, within)
		}
		b.say.bar(what, r.Since, b.fleet.N)
		return r.Since >= b.fleet.N, errors.Join(err, b.crew.ended())
	})
}

// heldBy counts the accounts of the shards that a replica holds.
func (b *bench) heldBy(ctx context.Context, o *operator) (int, error) {
	held, err := o.holds(ctx)
	if err != nil {
		return 0, err
	}
	layout, err := shard.NewLayout(processes)
	if err != nil {
		return 0, err
	}
	n := 0
	err = b.each(ctx, func(acc *v1alpha1.SocialAccount) error {
		if held[layout.Of(acc.UID)] {
			n++
		}
		return nil
	})
	return n, err
}

// clear takes away the statuses of the first n accounts.
func (b *bench) clear(ctx context.Context, n int) error {
	nothing := client.RawPatch(types.MergePatchType, []byte(`{"status":null}`))
	return b.parallel(ctx, "statuses cleared", n, func(ctx context.Context, i int) error {
		acc := &v1alpha1.SocialAccount{}
		acc.Namespace, acc.Name = b.fleet.At(i).Namespace, b.fleet.At(i).Name
		return b.cluster.Client.Status().Patch(ctx, acc, nothing)
	})
}

// governed says that an account is one of the fleet, and no copy of another phase.
func (b *bench) governed(acc *v1alpha1.SocialAccount) bool {
	return len(acc.Name) >= len(fleet.NamePrefix) && acc.Name[:len(fleet.NamePrefix)] == fleet.NamePrefix
}
