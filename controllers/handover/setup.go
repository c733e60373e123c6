// Package handover rotates the credentials of accounts that change hands: gather
// reads what is declared and stored, internal/rotation decides, internal/custody
// performs one call at a time, project shows the vault in the status. It owns
// status.credentials, status.handover and status.custody, and the conditions
// CredentialsHealthy and HandoverComplete of accounts that declare credentials.
package handover

import (
	"context"
	"iter"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/connection"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
	"mithaq.dev/mithaq/internal/wake"
)

// +kubebuilder:rbac:groups=mithaq.dev,resources=socialaccounts,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=mithaq.dev,resources=socialaccounts/status,verbs=patch
// +kubebuilder:rbac:groups=mithaq.dev,resources=governancepolicies;platformconnections,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// Vaults and the Secrets of tenants are out of reach before somebody binds the
// ClusterRole mithaq-custodian.
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Name is the controller's name and the owner of the fields that it writes.
const Name = "mithaq-handover"

// Finalizer keeps an account until its grants were ended, where its deletion
// policy asks for that.
const Finalizer = "mithaq.dev/credentials"

// Consents hands over what people consented to, and says where they do.
type Consents interface {
	// URL is the address of an account's consent page; empty: the service is off.
	URL(uid string, nonce platform.Token) string
	// RedirectURI is the address that platforms send people back to.
	RedirectURI() string
	// Code is what came back for an account's open offer.
	Code(uid string) (nonce, code platform.Token, ok bool)
	// Offer makes a consent page possible.
	Offer(Offer)
	// Withdraw ends it.
	Withdraw(uid string)
}

// Offer is what a consent page shows and where it leads.
type Offer = custody.Offer

// Config is what a Reconciler works with.
type Config struct {
	Client client.Client
	// Fleet are the accounts of the cache that declare credentials; they must not be
	// changed.
	Fleet iter.Seq[*v1alpha1.SocialAccount]
	// Secrets reads and writes Secrets past any cache.
	Secrets client.Client
	Keeper  *custody.Keeper
	// Wallet hears who has a token in use; nil: nobody asks.
	Wallet   *custody.Wallet
	Apps     *custody.Apps
	Guard    *custody.Guard
	Consents Consents
	// Consented wakes the controller of an account whose code came back.
	Consented source.Source
	Editions  *edition.Store
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	// Perform makes one call; custody.Perform outside of tests.
	Perform func(context.Context, custody.Job) rotation.Outcome
	// Random returns a fresh secret of 256 bits, in text.
	Random func() platform.Token
	// Budgets are those of the connections; nil: nothing is counted.
	Budgets Budgets
	// Told counts what the metrics show; never nil.
	Told Meter
	// Workers is the number of accounts that are handled at a time.
	Workers int
}

// Budgets are what the platforms allow.
type Budgets interface {
	// Take asks for a call. ok is false while it has to wait; Errands wakes its account.
	Take(a observe.Errand) (done func(error), ok bool)
	// Leave gives up an account's place among those who wait.
	Leave(account types.NamespacedName)
	Errands() source.Source
}

// Meter counts for the metrics.
type Meter interface {
	Step(platform v1alpha1.PlatformName, phase string)
	Unrevoked(platform v1alpha1.PlatformName, grants int)
}

// Setup registers the controller with the manager, which ends with ctx.
func Setup(ctx context.Context, mgr ctrl.Manager, cfg Config) error {
	r := New(cfg)
	// Accounts wait for their connection: its opening wakes them.
	opened := wake.NewSource()
	cfg.Apps.OnOpen(func(name string) {
		for _, req := range r.through(ctx, name) {
			opened.Add(req)
		}
	})
	of := ctrl.NewControllerManagedBy(mgr).Named("handover")
	if cfg.Budgets != nil {
		of = of.WatchesRawSource(cfg.Budgets.Errands())
	}
	return of.
		Watches(&v1alpha1.SocialAccount{}, &handler.EnqueueRequestForObject{}, builder.WithPredicates(concerned())).
		Watches(&v1alpha1.GovernancePolicy{}, handler.EnqueueRequestsFromMapFunc(r.all), builder.WithPredicates(wake.Later(), predicate.GenerationChangedPredicate{})).
		WatchesRawSource(cfg.Consented).
		WatchesRawSource(opened).
		WithOptions(controller.Options{MaxConcurrentReconciles: cfg.Workers, ReconciliationTimeout: 3 * time.Minute}).
		Complete(wake.Ending(r))
}

// concerned lets through accounts that have, or had, credentials.
func concerned() predicate.Predicate {
	has := func(o client.Object) bool {
		acc, ok := o.(*v1alpha1.SocialAccount)
		return ok && (acc.Spec.Credentials != nil || acc.Status.Credentials != nil || len(acc.Finalizers) > 0)
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return has(e.Object) },
		DeleteFunc: func(e event.DeleteEvent) bool { return has(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*v1alpha1.SocialAccount)
			after, also := e.ObjectNew.(*v1alpha1.SocialAccount)
			return ok && also && (has(before) || has(after)) && (before.Generation != after.Generation ||
				before.Status.AccountID != after.Status.AccountID || !before.DeletionTimestamp.Equal(after.DeletionTimestamp))
		},
	}
}

// all enqueues every account with credentials: the policies' rules changed.
func (r *Reconciler) all(context.Context, client.Object) []reconcile.Request {
	return r.matching(func(*v1alpha1.SocialAccount) bool { return true })
}

// through are the accounts with credentials that go through a connection.
func (r *Reconciler) through(ctx context.Context, name string) []reconcile.Request {
	var list v1alpha1.PlatformConnectionList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing connections of the cache")
		return nil
	}
	return r.matching(func(acc *v1alpha1.SocialAccount) bool {
		of, _ := connection.Of(acc, list.Items)
		return of == name
	})
}

// matching are the accounts with credentials that match.
func (r *Reconciler) matching(match func(*v1alpha1.SocialAccount) bool) []reconcile.Request {
	var out []reconcile.Request
	for acc := range r.Fleet {
		if match(acc) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(acc)})
		}
	}
	return out
}
