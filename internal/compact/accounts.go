package compact

import (
	"context"
	"fmt"
	"iter"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Accounts reads all accounts of a cache without holding more than one of them
// unpacked. A list of a large fleet would need its room several times.
type Accounts struct {
	store  cache.Indexer
	synced func() bool
}

// Synced says that all accounts are known.
func (a *Accounts) Synced() bool { return a.synced() }

// Of is the accounts of a cache that was told to make Informer the informer of
// accounts. It need not have been started.
//
// Errors: the cache cannot watch accounts, or was not told so.
func Of(ctx context.Context, c ctrlcache.Cache) (*Accounts, error) {
	found, err := c.GetInformer(ctx, &v1alpha1.SocialAccount{}, ctrlcache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("reading the accounts of a cache: %w", err)
	}
	in, ok := found.(informer)
	if !ok {
		return nil, fmt.Errorf("reading the accounts of a cache: its informer is a %T", found)
	}
	return &Accounts{in.SharedIndexInformer.GetIndexer(), in.HasSynced}, nil
}

// All are the accounts, in no order. They must not be changed.
func (a *Accounts) All() iter.Seq[*v1alpha1.SocialAccount] {
	return func(yield func(*v1alpha1.SocialAccount) bool) {
		for _, o := range a.store.List() {
			if acc, ok := unpacked(o).(*v1alpha1.SocialAccount); ok && !yield(acc) {
				return
			}
		}
	}
}

// Keys are the accounts' names, in no order: those of a namespace, or of all if it is
// empty.
//
// Errors: the cache has no index by namespace, or a key that is no name.
func (a *Accounts) Keys(namespace string) ([]types.NamespacedName, error) {
	all, err := a.keys(namespace)
	if err != nil {
		return nil, fmt.Errorf("listing accounts of the cache: %w", err)
	}
	out := make([]types.NamespacedName, len(all))
	for i, key := range all {
		if out[i].Namespace, out[i].Name, err = cache.SplitMetaNamespaceKey(key); err != nil {
			return nil, fmt.Errorf("listing accounts of the cache: %w", err)
		}
	}
	return out, nil
}

// Living is the number of accounts that are not being deleted.
//
// Errors: the cache has no index of those that are.
func (a *Accounts) Living() (int, error) {
	leaving, err := a.store.IndexKeys(deletingIndex, "")
	if err != nil {
		return 0, fmt.Errorf("counting accounts of the cache: %w", err)
	}
	return len(a.store.ListKeys()) - len(leaving), nil
}

func (a *Accounts) keys(namespace string) ([]string, error) {
	if namespace == "" {
		return a.store.ListKeys(), nil
	}
	return a.store.IndexKeys(cache.NamespaceIndex, namespace)
}
