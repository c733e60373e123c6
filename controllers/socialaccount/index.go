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

// The cache's indexes. claimIndex finds who declares the same account;
// personIndex finds the accounts of a person; platformIndex those of a platform.
const (
	claimIndex    = "mithaq.claim"
	personIndex   = "mithaq.person"
	platformIndex = "mithaq.platform"
)

func index(ctx context.Context, indexer client.FieldIndexer) error {
	for name, extract := range map[string]func(*v1alpha1.SocialAccount) []string{
		claimIndex:  claims,
		personIndex: people,
		platformIndex: func(a *v1alpha1.SocialAccount) []string {
			return []string{string(a.Spec.Platform)}
		},
	} {
		if err := indexer.IndexField(ctx, &v1alpha1.SocialAccount{}, name, func(o client.Object) []string {
			return extract(o.(*v1alpha1.SocialAccount))
		}); err != nil {
			return err
		}
	}
	return nil
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

// peers enqueues an account, and with it those whose verdict may hang on what
// changed: rival claims and accounts of the same people. At the start everybody
// is enqueued anyway.
func (r *Reconciler) peers() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			var ties []client.ListOption
			if !e.IsInInitialList {
				ties = changedTies(nil, e.Object)
			}
			r.enqueue(ctx, q, e.Object, ties)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			r.enqueue(ctx, q, e.ObjectNew, changedTies(e.ObjectOld, e.ObjectNew))
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			r.enqueue(ctx, q, e.Object, changedTies(e.Object, nil))
		},
	}
}

// changedTies selects the accounts that share a claim or a person which one of
// the two states of an object has and the other has not.
func changedTies(before, after client.Object) []client.ListOption {
	var ties []client.ListOption
	for name, extract := range map[string]func(*v1alpha1.SocialAccount) []string{claimIndex: claims, personIndex: people} {
		has := map[string]int{}
		for _, o := range []client.Object{before, after} {
			if acc, ok := o.(*v1alpha1.SocialAccount); ok && acc != nil {
				for _, value := range extract(acc) {
					has[value]++
				}
			}
		}
		for value, n := range has {
			if n == 1 {
				ties = append(ties, client.MatchingFields{name: value})
			}
		}
	}
	return ties
}

func (r *Reconciler) enqueue(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], o client.Object, ties []client.ListOption) {
	keys := map[types.NamespacedName]bool{client.ObjectKeyFromObject(o): true}
	for _, tie := range ties {
		r.collect(ctx, keys, tie)
	}
	for key := range keys {
		q.Add(reconcile.Request{NamespacedName: key})
	}
}

func (r *Reconciler) collect(ctx context.Context, keys map[types.NamespacedName]bool, selection client.ListOption) {
	accounts, err := r.list(ctx, selection)
	if err != nil {
		log.FromContext(ctx).Error(err, "listing accounts of the cache")
		return
	}
	for i := range accounts {
		keys[client.ObjectKeyFromObject(&accounts[i])] = true
	}
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
