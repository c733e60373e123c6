package shard

import (
	"context"
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func accounts(n int) *v1alpha1.SocialAccountList {
	list := &v1alpha1.SocialAccountList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}}
	for i := range n {
		acc := v1alpha1.SocialAccount{}
		acc.Name, acc.UID = fmt.Sprint("a-", i), uuid.NewUUID()
		list.Items = append(list.Items, acc)
	}
	return list
}

// An API server that knows nothing of shards sends everything.
func TestOneShardComesThrough(t *testing.T) {
	const n = 3
	everybody := accounts(60)
	l := Layout{n}
	var asked []string
	fake := watch.NewFakeWithChanSize(100, false)
	all := &cache.ListWatch{
		ListWithContextFunc: func(_ context.Context, o metav1.ListOptions) (runtime.Object, error) {
			asked = append(asked, o.ShardSelector)
			return everybody.DeepCopy(), nil
		},
		WatchFuncWithContext: func(_ context.Context, o metav1.ListOptions) (watch.Interface, error) {
			asked = append(asked, o.ShardSelector)
			return fake, nil
		},
	}
	dropped, listed := 0, 0
	f := Filter{Layout: l, Shard: 1, Dropped: func() { dropped++ }}
	from := cache.ToListerWatcherWithContext(f.Of(all))
	got, err := from.ListWithContext(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	list := got.(*v1alpha1.SocialAccountList)
	for i := range list.Items {
		listed++
		if l.Of(list.Items[i].UID) != 1 {
			t.Errorf("%s of shard %d is listed", list.Items[i].Name, l.Of(list.Items[i].UID))
		}
	}
	if listed == 0 || listed+dropped != 60 || list.ResourceVersion != "7" {
		t.Errorf("%d are listed at %s, %d dropped", listed, list.ResourceVersion, dropped)
	}
	w, err := from.WatchWithContext(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	every := everybody
	for i := range every.Items {
		fake.Action([]watch.EventType{watch.Added, watch.Modified, watch.Deleted}[i%3], &every.Items[i])
	}
	bookmark := &v1alpha1.SocialAccount{}
	fake.Action(watch.Bookmark, bookmark)
	fake.Stop()
	events, marks := 0, 0
	for e := range w.ResultChan() {
		if e.Type == watch.Bookmark {
			marks++
			continue
		}
		events++
		if o := e.Object.(*v1alpha1.SocialAccount); l.Of(o.UID) != 1 {
			t.Errorf("%s of shard %d comes through", o.Name, l.Of(o.UID))
		}
	}
	if events != listed || marks != 1 {
		t.Errorf("%d events and %d bookmarks come through, of %d accounts", events, marks, listed)
	}
	if want := []string{l.Selector(1), l.Selector(1)}; !slices.Equal(asked, want) {
		t.Errorf("the API server was asked for %q", asked)
	}
}
