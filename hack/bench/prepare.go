package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/local"
)

// Limits of the simulated platforms, so that their budgets do not decide what is
// measured: sweeps every 90 seconds are none that a budget is made for. Shares, probes
// and pace are the operator's own.
var limits = map[string]string{
	"x-limit":       "100000", // requests per 15 minutes; X grants 300
	"youtube-units": fmt.Sprint(fleet.YouTubeUnits),
	"meta-engaged":  "100000",
}

// prepare starts everything and creates the fleet. None of it is measured, but what an
// operator without accounts holds.
func (b *bench) prepare(ctx context.Context) (err error) {
	b.within = func(do func() error) error { return do() }
	if b.apart {
		if b.within, err = standApart(); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"making the simulated platforms' fleet", b.startSimulator},
		{"starting etcd and kube-apiserver", b.startCluster},
		{"measuring the operator without accounts", b.measureEmpty},
		{fmt.Sprintf("creating %d accounts in %d namespaces", b.fleet.N, fleet.Namespaces), b.create},
	} {
		b.say.line("%s", step.what)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

func (b *bench) startSimulator(ctx context.Context) error {
	raw, err := json.Marshal(b.furnish(b.fleet.World()))
	if err != nil {
		return err
	}
	file := filepath.Join(b.state, "fleet.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return err
	}
	var flags []string
	for name, value := range limits {
		flags = append(flags, "--"+name+"="+value)
	}
	if b.simulator, err = local.StartSimulator(ctx, b.place(), file, flags...); err != nil {
		return err
	}
	// With its organisation, Snapchat is read by pages and not account by account.
	b.simulator.Secrets[fleet.SnapchatSecret][fleet.OrganizationsKey] = fleet.Organisation
	fleet.Keys(b.simulator.Secrets)
	b.sim = measure.Simulator{Base: b.simulator.Addresses[local.Control]}
	return nil
}

func (b *bench) startCluster(ctx context.Context) error {
	if err := b.within(func() (err error) {
		b.cluster, err = local.StartCluster(b.place(), fmt.Sprintf("%s=%t", shardedGate, b.divides))
		return err
	}); err != nil {
		return err
	}
	var err error
	if b.raw, err = bare(b.cluster.Config); err != nil {
		return err
	}
	if err := b.cluster.Install(ctx, b.simulator.Secrets); err != nil {
		return err
	}
	if err := b.cluster.ApplyFolder(ctx, "config/flowcontrol", func(*unstructured.Unstructured) bool { return true }); err != nil {
		return err
	}
	return b.declare(ctx)
}

// declare begins to watch, and makes what the accounts need: namespaces, connections
// and the policy.
func (b *bench) declare(ctx context.Context) (err error) {
	watching, end := context.WithCancel(ctx)
	b.endWatch = end
	if b.watch, err = startTracker(watching, b.raw); err != nil {
		return err
	}
	for _, name := range fleet.NamespaceNames() {
		if err := b.cluster.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	connections, err := b.fleet.Connections(b.simulator.Addresses)
	if err != nil {
		return err
	}
	for _, c := range connections {
		if err := b.cluster.Client.Create(ctx, c); err != nil {
			return err
		}
	}
	return b.cluster.Client.Create(ctx, fleet.Policy(b.idle))
}

// bare is a client of the API server that adds nothing.
func bare(cfg *rest.Config) (rest.Interface, error) {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(s, v1alpha1.SchemeGroupVersion)
	c := rest.CopyConfig(cfg)
	gv := v1alpha1.SchemeGroupVersion
	c.GroupVersion, c.APIPath, c.NegotiatedSerializer = &gv, "/apis", serializer.NewCodecFactory(s).WithoutConversion()
	c.QPS = -1
	return rest.RESTClientFor(c)
}

// emptySettles is how long the operator runs without accounts before its memory is read.
const emptySettles = 5 * time.Second

// measureEmpty reads what the operator holds before there are accounts.
func (b *bench) measureEmpty(ctx context.Context) error {
	if err := b.startOperator(ctx); err != nil {
		return err
	}
	if err := b.until(ctx, 100*time.Millisecond, func() (bool, error) { return b.operator.ready(ctx), nil }); err != nil {
		return err
	}
	if err := b.rest(ctx, "letting it settle", emptySettles); err != nil {
		return err
	}
	m, err := measure.MemoryOf(b.operator.PID())
	if err != nil {
		return err
	}
	b.result.Settings.EmptyRSSBytes = m.RSS
	return b.stopOperator()
}

// create makes the accounts, with several writers.
func (b *bench) create(ctx context.Context) error {
	now := time.Now()
	naive := b.naiveAccounts()
	return b.parallel(ctx, "accounts created", b.fleet.N, func(ctx context.Context, i int) error {
		a := b.fleet.At(i)
		acc := a.Declared(now)
		if a.Platform == v1alpha1.PlatformX && a.Body < naive {
			acc.Labels[naiveLabel] = "true"
		}
		return b.cluster.Client.Create(ctx, acc)
	})
}

// all joins the errors of a channel that is closed.
func all(failed <-chan error) error {
	var errs []error
	for err := range failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// parallel does n things with the writers, and stops at the first that fails.
func (b *bench) parallel(ctx context.Context, what string, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next, done atomic.Int64
	var group sync.WaitGroup
	failed := make(chan error, b.writers)
	for range b.writers {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel()
					failed <- fmt.Errorf("%d of %d: %w", i, n, err)
					return
				}
				done.Add(1)
			}
		})
	}
	finished := make(chan struct{})
	go func() { group.Wait(); close(finished) }()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-finished:
			close(failed)
			b.say.bar(what, int(done.Load()), n)
			b.say.done()
			if err := all(failed); err != nil || int(done.Load()) == n {
				return err
			}
			return ctx.Err()
		case <-tick.C:
			b.say.bar(what, int(done.Load()), n)
		}
	}
}
