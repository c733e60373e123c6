package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/local"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// bench is a run.
type bench struct {
	options
	fleet  *fleet.Fleet
	say    *teller
	result *result

	cluster   *local.Cluster
	simulator *local.Simulator
	operator  *operator
	crew      crew
	watch     *tracker
	endWatch  context.CancelFunc
	sim       measure.Simulator
	// within starts processes where the control plane belongs.
	within func(func() error) error
	// allRead is what had been asked when every account had been read once.
	allRead *world.Ledger
	// raw is a bare client of the API server.
	raw rest.Interface
	// sweeping: the policy asks for the interval of the measured sweeps.
	sweeping bool
	// handing: massHandover is to come; more are arguments of the operator for one phase.
	handing bool
	more    []string
}

// phase is one that can be asked for.
type phase struct {
	name  string
	needs []string
	run   func(*bench, context.Context) error
}

// phases in the order in which they run. platform and memory are measured where the
// first convergence ends.
func phases() []phase {
	first := []string{"convergence"}
	return []phase{
		{"convergence", nil, (*bench).convergence},
		{"memory", first, (*bench).memory},
		{"platform", first, (*bench).platform},
		{"ceiling", first, (*bench).ceiling},
		{"restart", first, (*bench).restart},
		{"steady", first, (*bench).steady},
		{"drift", first, (*bench).drift},
		{"policyEdit", first, (*bench).policyEdit},
		{"shards", []string{"convergence", "memory"}, (*bench).shards},
		{"massHandover", first, (*bench).massHandover},
		{"naive", nil, (*bench).naive},
	}
}

func names() []string {
	var out []string
	for _, p := range phases() {
		out = append(out, p.name)
	}
	return out
}

// selected are the phases of a list, and those that they need.
func selected(list string) (map[string]bool, error) {
	out := map[string]bool{}
	asked := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	for _, p := range phases() {
		if len(asked) == 0 || slices.Contains(asked, p.name) {
			out[p.name] = true
			for _, need := range p.needs {
				out[need] = true
			}
		}
	}
	for _, name := range asked {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("there is no phase %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	return out, nil
}

// play runs phases. One that fails is noted with its reason, and with it those that
// need it.
func (b *bench) play(ctx context.Context, wanted map[string]bool) {
	for _, p := range phases() {
		if !wanted[p.name] || ctx.Err() != nil {
			b.result.Skipped = append(b.result.Skipped, p.name)
			continue
		}
		err := b.needed(p)
		if err == nil {
			b.say.line("phase %s", p.name)
			err = b.inTime(ctx, p)
		}
		if err != nil {
			b.result.Failed[p.name] = err.Error()
			b.say.line("phase %s failed: %v", p.name, err)
		}
	}
}

func (b *bench) needed(p phase) error {
	for _, need := range p.needs {
		if _, failed := b.result.Failed[need]; failed {
			return fmt.Errorf("it needs phase %s, which failed", need)
		}
	}
	return nil
}

func (b *bench) inTime(ctx context.Context, p phase) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.patience, fmt.Errorf("phase %s took longer than %s", p.name, b.patience))
	defer cancel()
	err := p.run(b, ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, ctx.Err()) {
		return cause
	}
	return err
}

// until waits for a condition, asked every so often, while the operator runs.
func (b *bench) until(ctx context.Context, every time.Duration, met func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		ok, err := met()
		if ok || err != nil {
			return err
		}
		ended := make(chan struct{})
		if b.operator != nil {
			ended = b.operator.Done
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return fmt.Errorf("the operator ended: %w; see its log", b.operator.Err())
		case <-tick.C:
		}
	}
}

// rest waits.
func (b *bench) rest(ctx context.Context, what string, d time.Duration) error {
	begun := time.Now()
	return b.until(ctx, 500*time.Millisecond, func() (bool, error) {
		gone := time.Since(begun)
		b.say.bar(what, int(gone.Seconds()), int(d.Seconds()))
		return gone >= d, nil
	})
}

// stop ends everything, the last first.
func (b *bench) stop() error {
	b.say.done()
	var errs []error
	if b.operator != nil {
		errs = append(errs, b.operator.Stop())
	}
	errs = append(errs, b.crew.stop())
	if b.endWatch != nil {
		b.endWatch()
	}
	if b.simulator != nil {
		errs = append(errs, b.simulator.Stop())
	}
	if b.cluster != nil {
		b.say.line("ending the API server, then etcd")
		errs = append(errs, b.cluster.Stop())
	}
	return errors.Join(errs...)
}
