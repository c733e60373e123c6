package socialaccount

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
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

// claims are the ways in which an account is claimed: by its declared handle,
// and by its id, declared or pinned.
func claims(acc *v1alpha1.SocialAccount) []string {
	platform := string(acc.Spec.Platform)
	out := []string{platform + "/handle/" + strings.ToLower(acc.Spec.Handle)}
	if id := pinnedID(acc); id != "" {
		out = append(out, platform+"/id/"+id)
	}
	return out
}

// pinnedID is the account's id: as declared, else as first observed.
func pinnedID(acc *v1alpha1.SocialAccount) string {
	if acc.Spec.AccountID != "" {
		return acc.Spec.AccountID
	}
	return acc.Status.AccountID
}

// people are the keys of everybody who answers for the account or works on it.
func people(acc *v1alpha1.SocialAccount) []string {
	seen := map[string]bool{}
	var out []string
	add := func(p v1alpha1.PersonName) {
		if key := governance.PersonKey(p); !seen[key] {
			seen[key] = true
			out = append(out, key)
		}
	}
	add(acc.Spec.Owner.Accountable)
	for _, m := range acc.Spec.Team {
		add(m.Person)
	}
	return out
}

// older says whether a's claim precedes b's: the older object wins, and of two
// made in the same second the one with the lower UID.
func older(a, b *v1alpha1.SocialAccount) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.UID < b.UID
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// peers keeps the roster, and enqueues an account and with it those whose verdict
// may hang on what changed. At the start everybody is enqueued anyway.
func (r *Reconciler) peers() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { r.noted(q, e.Object, !e.IsInInitialList) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) { r.noted(q, e.ObjectNew, true) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			key := client.ObjectKeyFromObject(e.Object)
			r.enqueue(q, key, r.roster.drop(key), 0)
		},
	}
}

// noted takes note of an account and enqueues it, with its peers if wanted.
func (r *Reconciler) noted(q queue, o client.Object, withPeers bool) {
	acc, ok := o.(*v1alpha1.SocialAccount)
	if !ok {
		return
	}
	key := client.ObjectKeyFromObject(acc)
	gained, lost := r.roster.put(acc)
	if !withPeers {
		gained, lost = nil, nil
	}
	r.enqueue(q, key, gained, 1)
	r.enqueue(q, key, lost, 0)
}

// enqueue adds an account and its peers by these ties. Rivals for an account are
// always told. The other accounts of a person are told only when the number of
// their accounts passes a limit that some policy sets; gained is 1 for ties that
// are new and 0 for ties that are gone.
func (r *Reconciler) enqueue(q queue, key types.NamespacedName, ties []string, gained int) {
	keys := map[types.NamespacedName]bool{key: true}
	for _, tie := range ties {
		if strings.HasPrefix(tie, personTie("")) && !r.isLimit(r.roster.count(tie)-gained) {
			continue
		}
		for _, peer := range r.roster.sharing(tie) {
			keys[peer] = true
		}
	}
	for key := range keys {
		q.Add(reconcile.Request{NamespacedName: key})
	}
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
