package wake_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/internal/wake"
)

// queue records what is added to it.
type queue struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	added map[string]time.Duration
}

func (q *queue) AddAfter(r reconcile.Request, after time.Duration) { q.added[r.Name] = after }

func request(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

func TestWhatIsAddedBeforeTheControllerRunsIsKept(t *testing.T) {
	s, q := wake.NewSource(), &queue{added: map[string]time.Duration{}}
	s.Add(request("early"))
	s.AddAfter(request("later"), time.Minute)
	if err := s.Start(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	s.Add(request("running"))
	want := map[string]time.Duration{"early": 0, "later": time.Minute, "running": 0}
	if len(q.added) != len(want) {
		t.Fatalf("got %v", q.added)
	}
	for name, after := range want {
		if got, ok := q.added[name]; !ok || got != after {
			t.Errorf("%s is added after %s (%v)", name, got, ok)
		}
	}
}

// ranked records the priorities of what is added.
type ranked struct {
	priorityqueue.PriorityQueue[reconcile.Request]
	by map[string]int
}

func (q *ranked) AddWithOpts(o priorityqueue.AddOpts, items ...reconcile.Request) {
	for _, r := range items {
		q.by[r.Name] = *o.Priority
	}
}

// What does not wait goes before what people change, everything else after it.
func TestUrgentSourcesGoFirst(t *testing.T) {
	q := &ranked{by: map[string]int{}}
	for name, s := range map[string]*wake.Source{"usual": wake.NewSource(), "urgent": wake.NewUrgentSource()} {
		s.Add(request(name + "-early"))
		if err := s.Start(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		s.Add(request(name))
	}
	for _, when := range []string{"", "-early"} {
		if q.by["usual"+when] >= 0 || q.by["urgent"+when] <= 0 {
			t.Errorf("priorities %v", q.by)
		}
	}
}
