package socialaccount

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/roster"
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

// Where this process judges a part, the roster hears of all accounts, and wakes ours.
func TestChangesOfOthersWakeOurs(t *testing.T) {
	fleet := roster.New()
	ours := func(uid types.UID) bool { return uid == "uid-one" || uid == "uid-two" }
	r := New(Config{Roster: fleet, Mine: ours})
	r.limits[2] = true
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	if err := r.peersChanged.Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	stop := r.follow()
	peers := r.peers()
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
	put := func(acc *v1alpha1.SocialAccount) []string { return told(func() { fleet.Put(acc) }) }
	create := func(acc *v1alpha1.SocialAccount) []string {
		return told(func() { peers.Create(t.Context(), event.CreateEvent{Object: acc}, queue) })
	}
	one, two := enrolled("one", 1, "h1", "p"), enrolled("two", 0, "h2", "p")
	theirs, rival := enrolled("theirs", 0, "h3", "p"), enrolled("rival", 0, "h1", "q")
	for _, step := range []struct {
		what      string
		got, want []string
	}{
		{"ours, heard of by the roster first", put(one), []string{"one"}},
		{"and then by our watch", create(one), []string{"one"}},
		{"ours, heard of by our watch first", create(two), []string{"two"}},
		{"and then by the roster", put(two), nil},
		{"another's, which takes the person past the limit", put(theirs), []string{"one", "two"}},
		{"another's rival claim", put(rival), []string{"one"}},
		{"the rival gone", told(func() { fleet.Drop(rival.UID) }), []string{"one"}},
		{"another's gone", told(func() { fleet.Drop(theirs.UID) }), []string{"one", "two"}},
		{"after the part has moved away", told(func() { stop(); fleet.Put(rival) }), nil},
	} {
		if !slices.Equal(step.got, step.want) {
			t.Errorf("%s: told %v, want %v", step.what, step.got, step.want)
		}
	}
}
