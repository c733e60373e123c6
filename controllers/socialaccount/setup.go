// Package socialaccount keeps the status of each SocialAccount in line with what
// is known of it: gather reads cache and store, decide maps values to values,
// apply writes once. It never calls a platform; it asks internal/observe to look
// and is woken when something changed.
package socialaccount

import (
	"context"
	"fmt"
	"iter"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/roster"
	"mithaq.dev/mithaq/internal/tally"
	"mithaq.dev/mithaq/internal/wake"
)

// +kubebuilder:rbac:groups=mithaq.dev,resources=socialaccounts,verbs=get;list;watch
// +kubebuilder:rbac:groups=mithaq.dev,resources=socialaccounts/status,verbs=patch
// +kubebuilder:rbac:groups=mithaq.dev,resources=governancepolicies;platformconnections,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Name is the controller's name and the owner of the fields that it writes.
const Name = "mithaq-socialaccount"

// Observer is what the controller needs of internal/observe.
type Observer interface {
	Want(observe.Target)
	Forget(key client.ObjectKey)
	Look(key client.ObjectKey) (observe.View, bool)
	Accounts() source.Source
	Activity
}

// Activity is what the controller needs of it to judge what accounts do.
type Activity interface {
	Judged(key client.ObjectKey, sequence uint64)
	RereadActivity(key client.ObjectKey)
}

// Fleet is every account of the cache.
type Fleet interface {
	// All are the accounts; they must not be changed.
	All() iter.Seq[*v1alpha1.SocialAccount]
	// Keys are the names of those of a namespace, or of all if it is empty.
	Keys(namespace string) ([]types.NamespacedName, error)
}

// Config is what a Reconciler works with.
type Config struct {
	Client   client.Client
	Fleet    Fleet
	Observer Observer
	Editions *edition.Store
	Tally    *tally.Tally
	// Roster knows the whole fleet; nil: the watch feeds one of the controller's own.
	Roster *roster.Roster
	// Mine says that an account is this controller's to judge, where others judge the
	// rest; nil: all are. Then the whole fleet's watch feeds the Roster.
	Mine     func(types.UID) bool
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Readable tells, for each platform with an adapter, which facts of a
	// profile it exposes. A platform that is missing here cannot be observed.
	Readable map[v1alpha1.PlatformName]governance.Facts
	// Defaults hold where no policy says how often to look.
	Defaults governance.Cadence
	// FirstLook is how long the first status of an account waits for the first
	// look, so that both cost one write.
	FirstLook time.Duration
	// Reviewed is called for each account that was judged because an edition changed;
	// nil: nobody counts them.
	Reviewed func()
	// Workers is the number of accounts that are reconciled at a time.
	Workers int
}

// Setup registers the controller with the manager.
func Setup(mgr ctrl.Manager, cfg Config) error {
	r := New(cfg)
	if r.Mine != nil {
		stop := r.follow()
		if err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
			<-ctx.Done()
			stop()
			return nil
		})); err != nil {
			return fmt.Errorf("following the roster: %w", err)
		}
	}
	if err := mgr.Add(r.review); err != nil {
		return fmt.Errorf("adding the review of the fleet: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("socialaccount").
		Watches(&v1alpha1.SocialAccount{}, r.peers(), builder.WithPredicates(specChanged())).
		Watches(&v1alpha1.GovernancePolicy{}, r.policies()).
		Watches(&v1alpha1.PlatformConnection{}, r.connections()).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.inNamespace), builder.WithPredicates(wake.Later(), predicate.LabelChangedPredicate{})).
		WatchesRawSource(cfg.Observer.Accounts()).
		WatchesRawSource(r.peersChanged).
		WatchesRawSource(r.review.found).
		WithOptions(controller.Options{MaxConcurrentReconciles: cfg.Workers, ReconciliationTimeout: time.Minute}).
		Complete(wake.Ending(r))
}

// AnnotationCheckRequested asks for a look as soon as the budget allows: each new
// value asks once. GitOps and people may set it; Mithaq never does.
const AnnotationCheckRequested = "mithaq.dev/check-requested"

// specChanged lets through what can change a verdict: a new generation, labels
// (policies select by them), a requested check, and an id that was pinned, which
// may turn out to be another account's too.
func specChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return true },
		DeleteFunc: func(event.DeleteEvent) bool { return true },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*v1alpha1.SocialAccount)
			after, also := e.ObjectNew.(*v1alpha1.SocialAccount)
			return ok && also && (before.Status.AccountID != after.Status.AccountID ||
				before.Annotations[AnnotationCheckRequested] != after.Annotations[AnnotationCheckRequested] ||
				handsChanged(&before.Status, &after.Status))
		},
	})
}
