// Package process is what a process of the operator is made of, its controllers apart:
// how it reaches the API server, what it caches, and when it may act, for the whole
// fleet or for shards of it.
package process

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/consent"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/roster"
	"mithaq.dev/mithaq/internal/settings"
	"mithaq.dev/mithaq/internal/shard"
)

// Process is what runs.
type Process struct {
	Options settings.Options
	Version string
	// Patience is how long the end of a set of controllers is waited for.
	Patience time.Duration
	// Wire adds to a manager the controllers that act for a scope.
	Wire func(ctx context.Context, mgr manager.Manager, of Scope) error
}

// Scope is what a set of controllers acts for: the whole fleet, or one shard.
type Scope struct {
	Registry prometheus.Registerer
	// Guard guards calls that change something on a platform.
	Guard *custody.Guard
	// Books are in the lease; nil: they are not.
	Books *custody.Books
	// Roster knows the whole fleet, of which Mine are the accounts of the shard; nil: they
	// are all.
	Roster *roster.Roster
	Mine   func(types.UID) bool
	// Board is where the shard shows what it knows of a kind; nil: there are no others.
	Board func(kind string) *shard.Board
	Part  budget.Part
	Epoch int64
	// Since is when another process last acted for it; zero: that is not known.
	Since time.Time
	// Front is where the desks of this process's shards are opened; nil: there is one desk,
	// which has a server of its own, or none.
	Front *consent.Front
}

// AccountsOf counts a person's accounts over the whole fleet; nil: the cache holds it.
func (s Scope) AccountsOf() func(person string) int {
	if s.Roster == nil {
		return nil
	}
	return func(person string) int { return s.Roster.Count(roster.Person(person)) }
}

// Run acts until ctx ends: for the whole fleet as soon as it leads, or for the shards
// that are its due.
func (p Process) Run(ctx context.Context) error {
	if p.Options.Shards > 1 {
		return p.replicate(ctx)
	}
	mgr, leader, err := p.manager()
	if err != nil {
		return err
	}
	whole := Scope{
		Registry: metrics.Registry, Guard: leader.Guard(mgr.GetAPIReader(), clock.RealClock{}), Books: leader.Books,
		Board: func(string) *shard.Board { return nil },
	}
	if err := p.Wire(ctx, mgr, whole); err != nil {
		return err
	}
	ctrl.Log.Info("Starting", "version", p.Version, "operatorNamespace", p.Options.Namespace)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

func (p Process) manager() (manager.Manager, *custody.Leadership, error) {
	o := p.Options
	cfg, err := cluster(o)
	if err != nil {
		return nil, nil, err
	}
	leader, err := custody.NewLeadership(cfg, o.Namespace, o.LeaderElection)
	if err != nil {
		return nil, nil, err
	}
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme:                              newScheme(),
		Metrics:                             served(o),
		HealthProbeBindAddress:              o.HealthAddress,
		PprofBindAddress:                    o.PprofAddress,
		LeaderElection:                      o.LeaderElection,
		LeaderElectionID:                    custody.LeaseName,
		LeaderElectionNamespace:             o.Namespace,
		LeaderElectionResourceLockInterface: leader.Lock,
		LeaderElectionReleaseOnCancel:       true,
		GracefulShutdownTimeout:             &p.Patience,
		LeaseDuration:                       ptr.To(custody.LeaseDuration),
		RenewDeadline:                       ptr.To(custody.RenewDeadline),
		RetryPeriod:                         ptr.To(custody.RetryPeriod),
		Cache:                               cacheOptions(o.Namespace),
		Client:                              clientOptions(),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("creating the manager: %w", err)
	}
	return mgr, leader, nil
}
