package socialaccount

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/roster"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// peers keeps the roster, and enqueues an account and with it those whose verdict
// may hang on what changed. At the start everybody is enqueued anyway.
func (r *Reconciler) peers() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { r.noted(q, e.Object, !e.IsInInitialList) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			if e.ObjectOld.GetUID() != e.ObjectNew.GetUID() {
				r.enqueue(q, r.Roster.Drop(e.ObjectOld.GetUID()))
			}
			r.noted(q, e.ObjectNew, true)
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			q.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.Object)})
			r.enqueue(q, r.Roster.Drop(e.Object.GetUID()))
		},
	}
}

// noted takes note of an account and enqueues it, with its peers if wanted.
func (r *Reconciler) noted(q queue, o client.Object, withPeers bool) {
	acc, ok := o.(*v1alpha1.SocialAccount)
	if !ok {
		return
	}
	q.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(acc)})
	if change := r.Roster.Put(acc); withPeers {
		r.enqueue(q, change)
	}
}

// enqueue adds the peers that a change concerns. Where others feed the roster too, all
// changes come from it (see follow).
func (r *Reconciler) enqueue(q queue, c roster.Change) {
	if r.Mine != nil {
		return
	}
	for key := range r.concerned(c) {
		q.Add(reconcile.Request{NamespacedName: key})
	}
}

// follow wakes the accounts of ours that a change of any account of the fleet concerns,
// until stop is called.
func (r *Reconciler) follow() (stop func()) {
	return r.Roster.Watch(func(c roster.Change) {
		for key := range r.concerned(c) {
			r.peersChanged.Add(reconcile.Request{NamespacedName: key})
		}
	})
}

// concerned are the accounts whose verdict a change may change. Rivals for an account
// always are. The other accounts of a person are only when the number of their accounts
// passes a limit that some policy sets.
func (r *Reconciler) concerned(c roster.Change) map[types.NamespacedName]bool {
	keys := map[types.NamespacedName]bool{}
	for gained, ties := range [][]roster.Tie{c.Lost, c.Gained} {
		for _, tie := range ties {
			if tie.IsPerson() && !r.isLimit(r.Roster.Count(tie)-gained) {
				continue
			}
			for _, peer := range r.Roster.Sharing(tie) {
				if r.Mine == nil || r.Mine(peer.UID) {
					keys[peer.Key] = true
				}
			}
		}
	}
	return keys
}

// isLimit says that some policy in force allows a person this many accounts.
func (r *Reconciler) isLimit(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits[n]
}

// ofPlatform enqueues the accounts that a connection may serve.
func (r *Reconciler) ofPlatform(_ context.Context, o client.Object) []reconcile.Request {
	connection, ok := o.(*v1alpha1.PlatformConnection)
	if !ok {
		return nil
	}
	var out []reconcile.Request
	for acc := range r.Fleet.All() {
		if acc.Spec.Platform == connection.Spec.Platform {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(acc)})
		}
	}
	return out
}

// inNamespace enqueues the accounts of a namespace: policies select by its
// labels.
func (r *Reconciler) inNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	if _, ok := o.(*corev1.Namespace); !ok {
		return nil
	}
	return r.named(ctx, o.GetName())
}

// named are the accounts of a namespace, or all if it is empty.
func (r *Reconciler) named(ctx context.Context, namespace string) []reconcile.Request {
	keys, err := r.Fleet.Keys(namespace)
	if err != nil {
		log.FromContext(ctx).Error(err, "finding the accounts that a change may concern")
		return nil
	}
	out := make([]reconcile.Request, len(keys))
	for i, key := range keys {
		out[i].NamespacedName = key
	}
	return out
}
