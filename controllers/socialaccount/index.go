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

// platformIndex finds the accounts of a platform in the cache.
const platformIndex = "mithaq.platform"

func index(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &v1alpha1.SocialAccount{}, platformIndex, func(o client.Object) []string {
		acc, ok := o.(*v1alpha1.SocialAccount)
		if !ok {
			return nil
		}
		return []string{string(acc.Spec.Platform)}
	})
}

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

// list reads accounts from the cache without copying them: they must not be
// changed. It does not wait for this process's own writes: no decision that
// hangs on several objects needs the newest status of each.
func (r *Reconciler) list(ctx context.Context, options ...client.ListOption) ([]v1alpha1.SocialAccount, error) {
	var list v1alpha1.SocialAccountList
	options = append(options, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err := r.Client.List(ctx, &list, options...); err != nil {
		return nil, err
	}
	return list.Items, nil
}

func (r *Reconciler) requests(ctx context.Context, options ...client.ListOption) []reconcile.Request {
	keys := map[types.NamespacedName]bool{}
	accounts, err := r.list(ctx, options...)
	if err != nil {
		log.FromContext(ctx).Error(err, "listing accounts of the cache")
		return nil
	}
	for i := range accounts {
		keys[client.ObjectKeyFromObject(&accounts[i])] = true
	}
	out := make([]reconcile.Request, 0, len(keys))
	for key := range keys {
		out = append(out, reconcile.Request{NamespacedName: key})
	}
	return out
}

// all enqueues every account: a policy may select any of them.
func (r *Reconciler) all(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.requests(ctx)
}

// ofPlatform enqueues the accounts that a connection may serve.
func (r *Reconciler) ofPlatform(ctx context.Context, o client.Object) []reconcile.Request {
	connection, ok := o.(*v1alpha1.PlatformConnection)
	if !ok {
		return nil
	}
	return r.requests(ctx, client.MatchingFields{platformIndex: string(connection.Spec.Platform)})
}

// inNamespace enqueues the accounts of a namespace: policies select by its
// labels.
func (r *Reconciler) inNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	if _, ok := o.(*corev1.Namespace); !ok {
		return nil
	}
	return r.requests(ctx, client.InNamespace(o.GetName()))
}
