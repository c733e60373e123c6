package compact

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	fcache "k8s.io/client-go/tools/cache/testing"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// heard are the notifications of a listener.
type heard chan string

func (h heard) OnAdd(o any, _ bool) { h <- "added " + name(o) }
func (h heard) OnUpdate(before, after any) {
	h <- "updated " + name(before) + " to " + after.(*v1alpha1.SocialAccount).Spec.Handle
}
func (h heard) OnDelete(o any) { h <- "deleted " + name(o) }

func name(o any) string { return o.(*v1alpha1.SocialAccount).Name }

func TestReadersAndListenersOfAPackedCacheSeeAccounts(t *testing.T) {
	source := fcache.NewFakeControllerSource()
	a, b := account(t, 1), account(t, 2)
	b.Namespace, b.Spec.Credentials = "edu-jeddah", &v1alpha1.AccountCredentials{}
	source.Add(a)
	source.Add(b)
	i := Informer(source, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	if err := i.AddIndexers(cache.Indexers{"handle": func(o any) ([]string, error) { return []string{o.(*v1alpha1.SocialAccount).Spec.Handle}, nil }}); err != nil {
		t.Fatal(err)
	}
	events := make(heard, 10)
	if _, err := i.AddEventHandler(events); err != nil {
		t.Fatal(err)
	}
	go i.RunWithContext(t.Context())
	if got := []string{<-events, <-events}; !slices.Contains(got, "added a1") || !slices.Contains(got, "added a2") {
		t.Errorf("heard %v", got)
	}

	indexer := i.GetIndexer()
	held, _, _ := i.(informer).SharedIndexInformer.GetIndexer().GetByKey("edu-riyadh/a1")
	if _, ok := held.(*packed); !ok {
		t.Errorf("the store holds a %T", held)
	}
	got, ok, err := indexer.GetByKey("edu-riyadh/a1")
	if !ok || err != nil {
		t.Fatalf("found %t, %v", ok, err)
	}
	a.ResourceVersion = got.(*v1alpha1.SocialAccount).ResourceVersion
	if diff := cmp.Diff(any(a), got); diff != "" {
		t.Error(diff)
	}
	got.(*v1alpha1.SocialAccount).Spec.Handle = "mine"
	for what, read := range map[string]func() ([]any, error){
		"all": func() ([]any, error) { return indexer.List(), nil }, "by namespace": func() ([]any, error) { return indexer.ByIndex(cache.NamespaceIndex, "edu-riyadh") },
		"by handle": func() ([]any, error) { return indexer.ByIndex("handle", "edu_1") }, "like": func() ([]any, error) { return indexer.Index("handle", a) },
	} {
		if found, err := read(); err != nil || !slices.ContainsFunc(found, func(o any) bool { return cmp.Equal(o, any(a)) }) {
			t.Errorf("%s: %v, %v", what, found, err)
		}
	}

	all := newAccounts(i.(informer))
	here := make(chan map[string]int, 10)
	counts := map[string]int{}
	tell := func(n int) func(acc *v1alpha1.SocialAccount) {
		return func(acc *v1alpha1.SocialAccount) { counts[acc.Spec.Handle] += n; here <- maps.Clone(counts) }
	}
	synced, err := all.Listen(tell(1), tell(-1))
	if err != nil {
		t.Fatal(err)
	}
	<-here
	if got := <-here; got["edu_1"] != 1 || got["edu_2"] != 1 {
		t.Errorf("came: %v", got)
	}
	if n, err := all.Living(); n != 2 || err != nil {
		t.Errorf("%d accounts live, %v", n, err)
	}
	leaving := b.DeepCopy()
	leaving.Spec.Handle, leaving.DeletionTimestamp = "leaving", &metav1.Time{Time: a.CreationTimestamp.Time}
	source.Modify(leaving)
	if got := <-events; got != "updated a2 to leaving" {
		t.Errorf("heard %s", got)
	}
	<-here
	if got := <-here; got["edu_2"] != 0 || got["leaving"] != 1 || !synced() {
		t.Errorf("after a change: %v", got)
	}
	if n, err := all.Living(); n != 1 || err != nil {
		t.Errorf("while one is being deleted %d live, %v", n, err)
	}
	var walked []string
	for acc := range all.All() {
		walked = append(walked, acc.Name)
	}
	if slices.Sort(walked); !slices.Equal(walked, []string{"a1", "a2"}) {
		t.Errorf("walked %v", walked)
	}
	var custody []string
	for acc := range all.WithCredentials() {
		custody = append(custody, acc.Name)
	}
	if !slices.Equal(custody, []string{"a2"}) {
		t.Errorf("with credentials: %v", custody)
	}
	for namespace, want := range map[string]string{"": "edu-jeddah/a2 edu-riyadh/a1", "edu-jeddah": "edu-jeddah/a2", "none": ""} {
		keys, err := all.Keys(namespace)
		slices.SortFunc(keys, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
		if text := fmt.Sprint(keys); err != nil || text != "["+want+"]" {
			t.Errorf("names in %q: %s, %v", namespace, text, err)
		}
	}
	source.Delete(leaving)
	if got := <-events; got != "deleted a2" {
		t.Errorf("heard %s", got)
	}
	if got := <-here; got["leaving"] != 0 {
		t.Errorf("after it was deleted: %v", got)
	}
	if indexers := slices.Sorted(maps.Keys(indexer.GetIndexers())); !slices.Equal(indexers, []string{"handle", deletingIndex, cache.NamespaceIndex}) {
		t.Errorf("indexes %v", indexers)
	}
}

// Each listener is told of the same account, as it was decoded; who reads gets another.
func TestListenersShareWhatReadersDoNot(t *testing.T) {
	source := fcache.NewFakeControllerSource()
	source.Add(account(t, 1))
	i := Informer(source, 0, cache.Indexers{})
	told := make(chan *v1alpha1.SocialAccount, 4)
	tell := cache.ResourceEventHandlerFuncs{AddFunc: func(o any) { told <- o.(*v1alpha1.SocialAccount) }}
	for range 2 {
		if _, err := i.AddEventHandler(tell); err != nil {
			t.Fatal(err)
		}
	}
	go i.RunWithContext(t.Context())
	first, second := <-told, <-told
	read, ok, err := i.GetStore().GetByKey("edu-riyadh/a1")
	if !ok || err != nil {
		t.Fatalf("found %t, %v", ok, err)
	}
	if first != second || any(first) == read {
		t.Errorf("listeners were told of %p and %p, a reader gets %p", first, second, read)
	}
	// What is told was decoded and never packed: it says the same.
	if diff := cmp.Diff(any(first), read); diff != "" {
		t.Error(diff)
	}
}
