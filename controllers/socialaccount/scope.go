package socialaccount

import (
	"context"
	"fmt"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// scope is what the cluster says of all accounts alike. Nobody changes it.
type scope struct {
	version     uint64
	policies    []v1alpha1.GovernancePolicy
	connections []v1alpha1.PlatformConnection
}

// scopes keeps the last scope until something of it changes. What a watch tells comes
// after the cache holds it, and whoever it wakes is woken after that: so nobody's last
// look is one with what was before.
type scopes struct {
	version atomic.Uint64
	last    atomic.Pointer[scope]
}

func (s *scopes) changed() { s.version.Add(1) }

// scope reads policies and connections from the cache, once for all accounts.
func (r *Reconciler) scope(ctx context.Context) (*scope, error) {
	version := r.scopes.version.Load()
	if last := r.scopes.last.Load(); last != nil && last.version == version {
		return last, nil
	}
	var policies v1alpha1.GovernancePolicyList
	if err := r.Client.List(ctx, &policies, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil, fmt.Errorf("listing policies: %w", err)
	}
	var connections v1alpha1.PlatformConnectionList
	if err := r.Client.List(ctx, &connections, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil, fmt.Errorf("listing connections: %w", err)
	}
	next := &scope{version, policies.Items, connections.Items}
	r.scopes.last.Store(next)
	return next, nil
}

// policies has the fleet reviewed after a change of an edition. At the start everybody
// is enqueued anyway.
func (r *Reconciler) policies() handler.EventHandler {
	return r.scoped(func(context.Context, client.Object, queue) { r.review.ask() })
}

// connections enqueues the accounts that a changed connection may serve.
func (r *Reconciler) connections() handler.EventHandler {
	return r.scoped(func(ctx context.Context, o client.Object, q queue) {
		for _, req := range r.ofPlatform(ctx, o) {
			q.Add(req)
		}
	})
}

// scoped takes note of every change of a part of the scope, and then lets act on those
// of a spec.
func (r *Reconciler) scoped(act func(context.Context, client.Object, queue)) handler.EventHandler {
	return handler.TypedFuncs[client.Object, reconcile.Request]{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			r.scopes.changed()
			if !e.IsInInitialList {
				act(ctx, e.Object, q)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			r.scopes.changed()
			if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
				act(ctx, e.ObjectNew, q)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			r.scopes.changed()
			act(ctx, e.Object, q)
		},
	}
}
