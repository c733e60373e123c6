// Package platformconnection opens each connection with its app's credentials,
// hands it to internal/observe, and shows how it does. It never calls a
// platform.
package platformconnection

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/shard"
	"mithaq.dev/mithaq/internal/wake"
)

// +kubebuilder:rbac:groups=mithaq.dev,resources=platformconnections,verbs=get;list;watch
// +kubebuilder:rbac:groups=mithaq.dev,resources=platformconnections/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups="",namespace=mithaq-system,resources=secrets,verbs=get;list;watch

// Name is the controller's name and the owner of the fields that it writes.
const Name = "mithaq-platformconnection"

// Observer is what the controller needs of internal/observe.
type Observer interface {
	SetConnection(observe.Connection)
	DropConnection(name string)
	Report(name string) (observe.Report, bool)
	Connections() source.Source
	Accountant
}

// Accountant is the part of it that keeps count of the budgets.
type Accountant interface {
	Usage(connection string, u platform.Usage)
	Saved(connection string, lines []budget.Line)
	// Ended is closed when nothing is spent any more.
	Ended() <-chan struct{}
}

// Config is what a Reconciler works with.
type Config struct {
	Client client.Client
	// Secrets reads and writes Secrets past any cache.
	Secrets  client.Client
	Observer Observer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Adapters are the platforms that this version speaks to.
	Adapters map[v1alpha1.PlatformName]platform.Adapter
	// Apps hears of every app that is opened, for the handover; never nil.
	Apps *custody.Apps
	// Namespace is the operator's own: app Secrets live there and nowhere else.
	Namespace string
	Endpoints EndpointRules
	// Board shows this shard's part of each connection, where there are others; nil:
	// there are none. Part is which part of the budgets is its, in the reign Epoch.
	Board *shard.Board
	Part  budget.Part
	Epoch int64
	// Books tell whether the process before ended with everything saved; nil: where it
	// did, the status says so.
	Books *custody.Books
	// Open opens a platform's client and the fetcher of its profile images. It
	// adds the HTTP client to the configuration and performs no call. Its error
	// is the adapter's.
	Open func(adapter platform.Adapter, cfg platform.Config) (*platform.Client, observe.MediaFetcher, error)
}

// Setup registers the controller with the manager.
func Setup(mgr ctrl.Manager, cfg Config) error {
	r := New(cfg)
	if err := mgr.Add(closer{r}); err != nil {
		return fmt.Errorf("adding the last save: %w", err)
	}
	secrets := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	return cfg.Board.Watch(ctrl.NewControllerManagedBy(mgr)).Named("platformconnection").
		Watches(&v1alpha1.PlatformConnection{}, handler.EnqueueRequestsFromMapFunc(r.platform), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(secrets, handler.EnqueueRequestsFromMapFunc(r.usingSecret), builder.OnlyMetadata).
		WatchesRawSource(cfg.Observer.Connections()).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1, ReconciliationTimeout: time.Minute}).
		Complete(wake.Ending(r))
}

// platform enqueues all connections of a connection's platform: whether one is
// the default hangs on the others.
func (r *Reconciler) platform(ctx context.Context, o client.Object) []reconcile.Request {
	changed, ok := o.(*v1alpha1.PlatformConnection)
	if !ok {
		return nil
	}
	requests := []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
	return append(requests, r.matching(ctx, func(c *v1alpha1.PlatformConnection) bool {
		return c.Spec.Platform == changed.Spec.Platform && c.Name != changed.Name
	})...)
}

// usingSecret enqueues the connections that use a Secret.
func (r *Reconciler) usingSecret(ctx context.Context, o client.Object) []reconcile.Request {
	if o.GetNamespace() != r.Namespace {
		return nil
	}
	return r.matching(ctx, func(c *v1alpha1.PlatformConnection) bool {
		alternate := c.Spec.AlternateAppSecretRef
		return string(c.Spec.AppSecretRef.Name) == o.GetName() || alternate != nil && string(alternate.Name) == o.GetName()
	})
}

func (r *Reconciler) matching(ctx context.Context, match func(*v1alpha1.PlatformConnection) bool) []reconcile.Request {
	var list v1alpha1.PlatformConnectionList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing connections of the cache")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if match(&list.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return out
}
