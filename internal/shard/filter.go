package shard

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// Filter lets the objects of one shard through, of lists and watches of all.
type Filter struct {
	Layout Layout
	Shard  int
	// Dropped hears of each object of another shard that the API server sent. One that
	// divides by itself sends none.
	Dropped func()
}

// Of reads lists and watches through the filter. The API server is asked for the part
// alone; one that knows no shardSelector ignores that (as it does any unknown
// parameter, and this one while the gate ShardedListAndWatch is off) and sends
// everything. So all that comes is looked at again, as early as this side can:
// nothing of another shard reaches a store.
func (f Filter) Of(lw cache.ListerWatcher) cache.ListerWatcher {
	from := cache.ToListerWatcherWithContext(lw)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.ShardSelector = f.Layout.Selector(f.Shard)
			list, err := from.ListWithContext(ctx, o)
			if err != nil {
				return nil, err
			}
			return list, f.list(list)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.ShardSelector = f.Layout.Selector(f.Shard)
			all, err := from.WatchWithContext(ctx, o)
			if err != nil {
				return nil, err
			}
			return watch.Filter(all, f.event), nil
		},
	}
}

// list takes the others' objects out.
func (f Filter) list(list runtime.Object) error {
	var ours []runtime.Object
	err := meta.EachListItem(list, func(o runtime.Object) error {
		if f.ours(o) {
			ours = append(ours, o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return meta.SetList(list, ours)
}

// event lets bookmarks and errors through, which are about no object.
func (f Filter) event(e watch.Event) (watch.Event, bool) {
	switch e.Type {
	case watch.Added, watch.Modified, watch.Deleted:
		return e, f.ours(e.Object)
	case watch.Bookmark, watch.Error:
	}
	return e, true
}

// ours says that an object is of the shard. What has no metadata is none of an object,
// and the store's to refuse.
func (f Filter) ours(o runtime.Object) bool {
	object, err := meta.Accessor(o)
	if err != nil || f.Layout.Of(object.GetUID()) == f.Shard {
		return true
	}
	if f.Dropped != nil {
		f.Dropped()
	}
	return false
}
