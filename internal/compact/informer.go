package compact

import (
	"maps"
	"time"

	"k8s.io/client-go/tools/cache"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Informer is an informer of accounts that keeps them packed. Whoever reads gets an
// account of its own, so that nothing needs a copy and nobody can change what others
// see; who listens is told of one that all listeners share, as of any informer. It is a
// constructor like cache.NewSharedIndexInformer.
func Informer(lw cache.ListerWatcher, resync time.Duration, indexers cache.Indexers) cache.SharedIndexInformer {
	indexers = onPacked(indexers)
	indexers[deletingIndex] = deleting
	i := informer{cache.NewSharedIndexInformer(lw, &v1alpha1.SocialAccount{}, resync, indexers), newPacker()}
	if err := i.SetTransform(nil); err != nil {
		panic(err) // only one that runs refuses it
	}
	return i
}

// deletingIndex holds the accounts that are being deleted, and no others.
const deletingIndex = "mithaq.deleting"

func deleting(o any) ([]string, error) {
	if p, ok := o.(*packed); ok && p.marked(markDeleting) {
		return []string{""}, nil
	}
	return nil, nil
}

type informer struct {
	cache.SharedIndexInformer
	packer *packer
}

// SetTransform implements cache.SharedInformer: what is kept is packed last.
func (i informer) SetTransform(before cache.TransformFunc) error {
	return i.SharedIndexInformer.SetTransform(func(o any) (any, error) {
		if before != nil {
			var err error
			if o, err = before(o); err != nil {
				return nil, err
			}
		}
		return i.packer.pack(o)
	})
}

// GetStore implements cache.SharedInformer.
func (i informer) GetStore() cache.Store { return i.GetIndexer() }

// GetIndexer implements cache.SharedIndexInformer.
func (i informer) GetIndexer() cache.Indexer { return view{i.SharedIndexInformer.GetIndexer()} }

// AddIndexers implements cache.SharedIndexInformer.
func (i informer) AddIndexers(indexers cache.Indexers) error {
	return i.SharedIndexInformer.AddIndexers(onPacked(indexers))
}

// AddEventHandler implements cache.SharedInformer.
func (i informer) AddEventHandler(h cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	return i.SharedIndexInformer.AddEventHandler(i.listener(h))
}

// AddEventHandlerWithResyncPeriod implements cache.SharedInformer.
func (i informer) AddEventHandlerWithResyncPeriod(h cache.ResourceEventHandler, resync time.Duration) (cache.ResourceEventHandlerRegistration, error) {
	return i.SharedIndexInformer.AddEventHandlerWithResyncPeriod(i.listener(h), resync)
}

// AddEventHandlerWithOptions implements cache.SharedInformer.
func (i informer) AddEventHandlerWithOptions(h cache.ResourceEventHandler, o cache.HandlerOptions) (cache.ResourceEventHandlerRegistration, error) {
	return i.SharedIndexInformer.AddEventHandlerWithOptions(i.listener(h), o)
}

// onPacked makes indexers read what is packed. The one by namespace reads metadata
// alone, which a packed account has.
func onPacked(indexers cache.Indexers) cache.Indexers {
	out := maps.Clone(indexers)
	for name, of := range indexers {
		if name != cache.NamespaceIndex {
			out[name] = func(o any) ([]string, error) { return of(unpacked(o)) }
		}
	}
	return out
}

// listener hands unpacked accounts on, the same to all who listen.
type listener struct {
	to     cache.ResourceEventHandler
	recent *recent
}

func (i informer) listener(h cache.ResourceEventHandler) listener {
	return listener{h, i.packer.recent}
}

// OnAdd implements cache.ResourceEventHandler.
func (l listener) OnAdd(o any, initial bool) { l.to.OnAdd(l.unpacked(o), initial) }

// OnUpdate implements cache.ResourceEventHandler.
func (l listener) OnUpdate(before, after any) { l.to.OnUpdate(l.unpacked(before), l.unpacked(after)) }

// OnDelete implements cache.ResourceEventHandler.
func (l listener) OnDelete(o any) { l.to.OnDelete(l.unpacked(o)) }

func (l listener) unpacked(o any) any { return unpackedBy(l.recent.account, o) }

// view reads an indexer of packed accounts.
type view struct{ cache.Indexer }

// Get implements cache.Store.
func (v view) Get(o any) (any, bool, error) { return one(v.Indexer.Get(o)) }

// GetByKey implements cache.Store.
func (v view) GetByKey(key string) (any, bool, error) { return one(v.Indexer.GetByKey(key)) }

// List implements cache.Store. It unpacks every account at once: see Accounts.
func (v view) List() []any { return each(v.Indexer.List()) }

// Index implements cache.Indexer.
func (v view) Index(name string, o any) ([]any, error) {
	all, err := v.Indexer.Index(name, o)
	return each(all), err
}

// ByIndex implements cache.Indexer.
func (v view) ByIndex(name, value string) ([]any, error) {
	all, err := v.Indexer.ByIndex(name, value)
	return each(all), err
}

func one(o any, ok bool, err error) (any, bool, error) { return unpacked(o), ok, err }

func each(all []any) []any {
	for i := range all {
		all[i] = unpacked(all[i])
	}
	return all
}
