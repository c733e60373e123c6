package socialaccount

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// enrolled is an account with a handle and people, made so many seconds after the
// first.
func enrolled(name string, seconds int, handle string, persons ...v1alpha1.PersonName) *v1alpha1.SocialAccount {
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: "edu", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(created.Add(time.Duration(seconds) * time.Second)),
	}}
	acc.Spec.Platform, acc.Spec.Handle, acc.Spec.Owner.Accountable = v1alpha1.PlatformX, handle, persons[0]
	for _, p := range persons[1:] {
		acc.Spec.Team = append(acc.Spec.Team, v1alpha1.TeamMember{Person: p})
	}
	return acc
}

func TestTheOldestRivalIsFoundAndOnlyForTheYounger(t *testing.T) {
	r := newRoster()
	first, second, third := enrolled("a", 0, "moe", "p"), enrolled("b", 1, "MOE", "p"), enrolled("c", 2, "moe", "p")
	for _, acc := range []*v1alpha1.SocialAccount{third, first, second} {
		r.put(acc)
	}
	if rival := r.rival(first); rival != nil {
		t.Errorf("the oldest has rival %s", rival.Name)
	}
	for _, acc := range []*v1alpha1.SocialAccount{second, third} {
		if rival := r.rival(acc); rival == nil || rival.Name != "a" {
			t.Errorf("%s has rival %v, want a", acc.Name, rival)
		}
	}
	now := metav1.NewTime(created)
	first.DeletionTimestamp = &now
	r.put(first)
	if rival := r.rival(third); rival == nil || rival.Name != "b" {
		t.Errorf("while a is being deleted: rival %v, want b", rival)
	}
	r.drop(client.ObjectKeyFromObject(first))
	r.drop(client.ObjectKeyFromObject(second))
	if rival := r.rival(third); rival != nil {
		t.Errorf("alone: rival %s", rival.Name)
	}
}

// TestRosterIsARecount compares the roster with a recount after any sequence of
// changes.
func TestRosterIsARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRoster()
		fleet := map[types.NamespacedName]*v1alpha1.SocialAccount{}
		person := rapid.SampledFrom([]v1alpha1.PersonName{"p", "q", "P"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			acc := enrolled(fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "name")), 0, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "handle"),
				person.Draw(t, "accountable"), person.Draw(t, "member"))
			key := client.ObjectKeyFromObject(acc)
			if rapid.Bool().Draw(t, "drop") {
				r.drop(key)
				delete(fleet, key)
			} else {
				r.put(acc)
				fleet[key] = acc
			}
		}
		want := map[string]int{}
		for _, acc := range fleet {
			for _, tie := range tiesOf(acc) {
				want[tie]++
			}
		}
		if len(want) != len(r.ties) {
			t.Fatalf("%d ties, want %d", len(r.ties), len(want))
		}
		for tie, n := range want {
			if r.count(tie) != n || len(r.sharing(tie)) != n {
				t.Fatalf("%s: %d, want %d", tie, r.count(tie), n)
			}
		}
	})
}

func TestPeersAreToldOnlyWhenItMatters(t *testing.T) {
	r := New(Config{})
	r.limits[2] = true
	peers := r.peers()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	told := func(change func()) []string {
		change()
		var names []string
		for queue.Len() > 0 {
			req, _ := queue.Get()
			queue.Done(req)
			names = append(names, req.Name)
		}
		slices.Sort(names)
		return names
	}
	create := func(acc *v1alpha1.SocialAccount, initial bool) []string {
		return told(func() { peers.Create(t.Context(), event.CreateEvent{Object: acc, IsInInitialList: initial}, queue) })
	}
	one, two, three := enrolled("one", 0, "h1", "p"), enrolled("two", 0, "h2", "p"), enrolled("three", 0, "h3", "p")
	for _, step := range []struct {
		what      string
		got, want []string
	}{
		{"at the start", create(one, true), []string{"one"}},
		{"the second account of a person, below the limit", create(two, false), []string{"two"}},
		{"the third, past the limit", create(three, false), []string{"one", "three", "two"}},
		{"a rival claim", create(enrolled("four", 1, "h1", "q"), false), []string{"four", "one"}},
		{"the rival gone", told(func() {
			peers.Delete(t.Context(), event.DeleteEvent{Object: enrolled("four", 1, "h1", "q")}, queue)
		}), []string{"four", "one"}},
		{"back to the limit", told(func() { peers.Delete(t.Context(), event.DeleteEvent{Object: three}, queue) }), []string{"one", "three", "two"}},
		{"nothing changed", told(func() { peers.Update(t.Context(), event.UpdateEvent{ObjectOld: two, ObjectNew: two}, queue) }), []string{"two"}},
	} {
		if !slices.Equal(step.got, step.want) {
			t.Errorf("%s: told %v, want %v", step.what, step.got, step.want)
		}
	}
}
