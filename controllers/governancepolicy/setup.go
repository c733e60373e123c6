// Package governancepolicy accepts or rejects each edition of a policy, keeps
// what is in force, and counts how the fleet stands under it.
package governancepolicy

import (
	"iter"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/shard"
	"mithaq.dev/mithaq/internal/tally"
	"mithaq.dev/mithaq/internal/wake"
)

// +kubebuilder:rbac:groups=mithaq.dev,resources=governancepolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=mithaq.dev,resources=governancepolicies/status,verbs=patch
// +kubebuilder:rbac:groups=mithaq.dev,resources=socialaccounts,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=apps,namespace=mithaq-system,resources=controllerrevisions,verbs=get;list;create;delete

// Name is the controller's name and the owner of the fields that it writes.
const Name = "mithaq-governancepolicy"

// Fleet is every account of the cache.
type Fleet interface {
	// All are the accounts; they must not be changed.
	All() iter.Seq[*v1alpha1.SocialAccount]
	// Living is the number of those that are not being deleted.
	Living() (int, error)
}

// Config is what a Reconciler works with.
type Config struct {
	Client   client.Client
	Fleet    Fleet
	Editions *edition.Store
	Tally    *tally.Tally
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Counts wakes the controller when a policy's counts may have changed.
	Counts source.Source
	// Settle is how often a policy's counts are written at most.
	Settle time.Duration
	// Readable are the facts that each platform exposes, for previews.
	Readable map[v1alpha1.PlatformName]governance.Facts
	// Board shows what this shard counts, where there are others; nil: there are none.
	// Epoch is the reign of the layout.
	Board *shard.Board
	Epoch int64
	// AccountsOf counts a person's accounts over the whole fleet; nil: the cache holds it.
	AccountsOf func(person string) int
}

// Setup registers the controller with the manager.
func Setup(mgr ctrl.Manager, cfg Config) error {
	b := ctrl.NewControllerManagedBy(mgr).
		Named("governancepolicy").
		Watches(&v1alpha1.GovernancePolicy{}, &handler.EnqueueRequestForObject{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1, ReconciliationTimeout: time.Minute})
	if cfg.Counts != nil {
		b = b.WatchesRawSource(cfg.Counts)
	}
	return cfg.Board.Watch(b).Complete(wake.Ending(New(cfg)))
}

// BoardKind is what the boards of policies are called.
const BoardKind = "policies"
