package socialaccount

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/tally"
)

// ministry is a cache of accounts, all of which were seen, and whoever looks at them.
type ministry struct {
	client.Client
	t      testing.TB
	r      *Reconciler
	keys   []types.NamespacedName
	policy *v1alpha1.GovernancePolicy
	lists  atomic.Int64
	fail   error
	// held are the accounts of a cache that costs nothing to ask; nil: there is none.
	held map[types.NamespacedName]*v1alpha1.SocialAccount
}

func (m *ministry) All() iter.Seq[*v1alpha1.SocialAccount]      { return maps.Values(m.held) }
func (m *ministry) Keys(string) ([]types.NamespacedName, error) { return m.keys, nil }
func (m *ministry) Want(observe.Target)                         {}
func (m *ministry) Forget(client.ObjectKey)                     {}
func (m *ministry) Look(client.ObjectKey) (observe.View, bool) {
	return observe.View{Snapshot: seen()}, true
}
func (m *ministry) Accounts() source.Source         { return nil }
func (m *ministry) Judged(client.ObjectKey, uint64) {}
func (m *ministry) RereadActivity(client.ObjectKey) {}
func (m *ministry) List(ctx context.Context, l client.ObjectList, o ...client.ListOption) error {
	if m.lists.Add(1); m.fail != nil {
		return m.fail
	}
	return m.Client.List(ctx, l, o...)
}

func (m *ministry) Get(ctx context.Context, key client.ObjectKey, into client.Object, o ...client.GetOption) error {
	acc, ok := into.(*v1alpha1.SocialAccount)
	if !ok || m.held == nil {
		return m.Client.Get(ctx, key, into, o...)
	}
	*acc = *m.held[key]
	return nil
}

// newMinistry holds n accounts whose statuses say what the first edition of the policy
// makes of them. Every tenth is owned by somebody of another domain.
func newMinistry(t testing.TB, n int) *ministry {
	t.Helper()
	scheme := apiruntime.NewScheme()
	for _, add := range []func(*apiruntime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	m := &ministry{t: t, Client: fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.SocialAccount{}).Build()}
	m.policy = &v1alpha1.GovernancePolicy{Spec: spec()}
	m.policy.Spec.Ownership.AllowedDomains = []v1alpha1.DomainName{"edu.example", "sister.example"}
	m.policy.Name, m.policy.UID, m.policy.Generation = "moe-manual", "uid-policy", 1
	m.create(m.policy)
	yes := true
	m.create(&v1alpha1.PlatformConnection{ObjectMeta: metav1.ObjectMeta{Name: "x-moe"}, Spec: v1alpha1.PlatformConnectionSpec{Platform: v1alpha1.PlatformX, Default: &yes}})
	m.r = New(Config{
		Client: m, Fleet: m, Observer: m, Editions: edition.NewStore("mithaq-system", m, m), Tally: tally.New(func(string) {}),
		Clock: clocktesting.NewFakePassiveClock(today), Readable: map[v1alpha1.PlatformName]governance.Facts{v1alpha1.PlatformX: allFacts},
		Defaults: governance.Cadence{ProfileEvery: time.Hour, StaleAfter: 6 * time.Hour}, FirstLook: time.Second,
	})
	template := inOrder(t).account
	for i := range n {
		acc := template.DeepCopy()
		acc.Name, acc.UID = fmt.Sprintf("account-%04d", i), types.UID(fmt.Sprintf("uid-%d", i))
		if i%10 == 0 {
			acc.Spec.Owner.Accountable = "a@sister.example"
		}
		m.create(acc)
		key := client.ObjectKeyFromObject(acc)
		m.keys = append(m.keys, key)
		m.store(key)
	}
	return m
}

func (m *ministry) create(o client.Object) {
	m.t.Helper()
	if err := m.Create(m.t.Context(), o); err != nil {
		m.t.Fatal(err)
	}
}

// store saves what a pass decides about an account.
func (m *ministry) store(key types.NamespacedName) {
	m.t.Helper()
	acc := &v1alpha1.SocialAccount{}
	if err := m.Get(m.t.Context(), key, acc); err != nil {
		m.t.Fatal(err)
	}
	f, err := m.r.gather(m.t.Context(), acc)
	if err != nil {
		m.t.Fatal(err)
	}
	d := decide(f, today)
	acc.Status = d.status
	if err := m.Status().Update(m.t.Context(), acc); err != nil {
		m.t.Fatal(err)
	}
	m.r.Tally.Set(key, d.policies, d.rules)
}

// hold makes what is stored cost nothing to read.
func (m *ministry) hold() {
	m.t.Helper()
	held := map[types.NamespacedName]*v1alpha1.SocialAccount{}
	for _, key := range m.keys {
		acc := &v1alpha1.SocialAccount{}
		if err := m.Get(m.t.Context(), key, acc); err != nil {
			m.t.Fatal(err)
		}
		held[key] = acc
	}
	m.held = held
}

// edit changes the policy, and tells the controller of it.
func (m *ministry) edit(change func(*v1alpha1.GovernancePolicySpec)) {
	m.t.Helper()
	before := m.policy.DeepCopy()
	change(&m.policy.Spec)
	m.policy.Generation++
	if err := m.Update(m.t.Context(), m.policy); err != nil {
		m.t.Fatal(err)
	}
	m.r.policies().Update(m.t.Context(), event.UpdateEvent{ObjectOld: before, ObjectNew: m.policy}, nil)
}

// enqueued is who was enqueued since it was last asked for, at once and for later.
func enqueued(t testing.TB, m *ministry) (now []string, later int) {
	t.Helper()
	q := &enqueuing{}
	if err := m.r.review.found.Start(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	m.r.review = newReview(m.r)
	slices.Sort(q.now)
	return q.now, q.later
}

type enqueuing struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	now   []string
	later int
}

func (q *enqueuing) Add(req reconcile.Request) { q.now = append(q.now, req.Name) }

func (q *enqueuing) AddAfter(req reconcile.Request, after time.Duration) {
	if after > 0 {
		q.later++
		return
	}
	q.now = append(q.now, req.Name)
}

// turned are the accounts whose owner only the first edition allows.
func (m *ministry) turned() []string {
	var names []string
	for i := 0; i < len(m.keys); i += 10 {
		names = append(names, m.keys[i].Name)
	}
	return names
}

func TestAReviewEnqueuesOnlyWhoseStatusTurns(t *testing.T) {
	m := newMinistry(t, 3*stride+1)
	m.r.review.walk(t.Context())
	if now, _ := enqueued(t, m); now != nil {
		t.Fatalf("an edition that changed nothing enqueues %v", now)
	}
	m.edit(func(s *v1alpha1.GovernancePolicySpec) {
		s.Ownership.AllowedDomains = append(s.Ownership.AllowedDomains, "new.example")
	})
	m.r.review.walk(t.Context())
	if now, _ := enqueued(t, m); now != nil {
		t.Fatalf("an edition that everybody meets enqueues %v", now)
	}
	m.edit(func(s *v1alpha1.GovernancePolicySpec) { s.Ownership.AllowedDomains = s.Ownership.AllowedDomains[:1] })
	m.r.review.walk(t.Context())
	now, _ := enqueued(t, m)
	if diff := cmp.Diff(m.turned(), now); diff != "" {
		t.Errorf("not those whose verdict turns: %s", diff)
	}
	// What a worker saves is counted by the worker: the rest is as it was.
	if counts := m.r.Tally.Policy(m.policy.Name); counts.Selected != len(m.keys) || counts.Compliant != len(m.keys) {
		t.Errorf("%+v before anything was saved", counts)
	}
	for _, name := range now {
		m.store(types.NamespacedName{Namespace: m.keys[0].Namespace, Name: name})
	}
	m.r.review.walk(t.Context())
	if again, _ := enqueued(t, m); again != nil {
		t.Errorf("%v once more after they were saved", again)
	}
	if counts := m.r.Tally.Policy(m.policy.Name); counts.Violating != len(now) || counts.Compliant != len(m.keys)-len(now) {
		t.Errorf("%+v, want %d that violate", counts, len(now))
	}
}

// An edition that changes no status may change what is counted, and when time turns it.
func TestAReviewCountsAndSetsDatesOfWhoStays(t *testing.T) {
	m := newMinistry(t, 20)
	m.edit(func(s *v1alpha1.GovernancePolicySpec) { s.Selector = &v1alpha1.PolicySelector{} })
	for _, key := range m.keys {
		m.r.Tally.Drop(key)
	}
	m.r.review.walk(t.Context())
	if counts := m.r.Tally.Policy(m.policy.Name); counts.Selected != len(m.keys) {
		t.Errorf("%+v, want all %d", counts, len(m.keys))
	}
	for i := range 2 {
		acc := &v1alpha1.SocialAccount{}
		if err := m.Get(t.Context(), m.keys[i], acc); err != nil {
			t.Fatal(err)
		}
		until := metav1.NewTime(today.Add(time.Hour))
		acc.Spec.Suspend = &v1alpha1.Suspension{Reason: "an election", Until: until}
		if err := m.Update(t.Context(), acc); err != nil {
			t.Fatal(err)
		}
		m.store(m.keys[i])
	}
	m.r.review.walk(t.Context())
	if now, later := enqueued(t, m); now != nil || later != 2 {
		t.Errorf("%v at once, %d for later; want none and the 2 that are paused until a date", now, later)
	}
}

func TestAReviewKeepsOutOfTheWayOfWorkers(t *testing.T) {
	m := newMinistry(t, 10)
	lock := m.r.passes.of(m.keys[3])
	lock.Lock()
	m.r.review.walk(t.Context())
	lock.Unlock()
	if now, _ := enqueued(t, m); !slices.Equal(now, []string{m.keys[3].Name}) {
		t.Errorf("enqueued %v, want the one that a worker has", now)
	}
}

// Accounts share locks: two walkers that meet over one look at two accounts, and neither
// has to be enqueued.
func TestWalkersOfAReviewShareALock(t *testing.T) {
	m := newMinistry(t, 10)
	lock := m.r.passes.of(m.keys[3])
	lock.RLock()
	m.r.review.walk(t.Context())
	lock.RUnlock()
	if now, _ := enqueued(t, m); now != nil {
		t.Errorf("enqueued %v, though nobody reconciles it", now)
	}
}

func TestWhatCannotBeReviewedIsEnqueued(t *testing.T) {
	m := newMinistry(t, 3)
	m.r.scopes.changed()
	m.fail = errors.New("the cache cannot be read")
	m.r.review.walk(t.Context())
	if now, _ := enqueued(t, m); len(now) != len(m.keys) {
		t.Errorf("enqueued %v, want all", now)
	}
}

func TestAReviewLeavesWhoIsGoneToTheQueue(t *testing.T) {
	m := newMinistry(t, 2)
	m.keys = append(m.keys, types.NamespacedName{Namespace: "edu-riyadh", Name: "gone"})
	m.r.review.walk(t.Context())
	if now, later := enqueued(t, m); now != nil || later != 0 || m.r.Tally.Accounts() != 2 {
		t.Errorf("%v at once, %d later, %d counted", now, later, m.r.Tally.Accounts())
	}
}

// One list of the policies and one of the connections serve the whole fleet, until
// something of them changes.
func TestTheScopeIsReadOncePerChange(t *testing.T) {
	m := newMinistry(t, 2*stride)
	before := m.lists.Load()
	m.r.review.walk(t.Context())
	if n := m.lists.Load() - before; n != 0 {
		t.Errorf("%d lists though nothing changed", n)
	}
	// A status tells since when an edition is in force: it changes the scope, and wakes nobody.
	m.r.policies().Update(t.Context(), event.UpdateEvent{ObjectOld: m.policy, ObjectNew: m.policy}, nil)
	if len(m.r.review.asked) != 0 {
		t.Error("a change of a policy's status has the fleet reviewed")
	}
	m.r.review.walk(t.Context())
	if n := m.lists.Load() - before; n < 2 || n > 2*int64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%d lists after a change", n)
	}
}

func TestWhatHasTheFleetReviewed(t *testing.T) {
	r := New(Config{})
	old, edited := &v1alpha1.GovernancePolicy{}, &v1alpha1.GovernancePolicy{}
	edited.Generation = 1
	h := r.policies()
	for _, c := range []struct {
		what  string
		tell  func()
		asked int
	}{
		{"a policy that was there at the start", func() { h.Create(t.Context(), event.CreateEvent{Object: old, IsInInitialList: true}, nil) }, 0},
		{"a new policy", func() { h.Create(t.Context(), event.CreateEvent{Object: old}, nil) }, 1},
		{"a status", func() { h.Update(t.Context(), event.UpdateEvent{ObjectOld: old, ObjectNew: old}, nil) }, 0},
		{"an edition", func() { h.Update(t.Context(), event.UpdateEvent{ObjectOld: old, ObjectNew: edited}, nil) }, 1},
		{"an end", func() { h.Delete(t.Context(), event.DeleteEvent{Object: old}, nil) }, 1},
	} {
		version := r.scopes.version.Load()
		c.tell()
		if len(r.review.asked) != c.asked {
			t.Errorf("%s: asked %d times, want %d", c.what, len(r.review.asked), c.asked)
		}
		if r.scopes.version.Load() == version {
			t.Errorf("%s: the scope is not read anew", c.what)
		}
		r.review = newReview(r)
	}
}

// A connection concerns the accounts of its platform, and only a change of its spec does.
func TestAChangedConnectionEnqueuesItsPlatform(t *testing.T) {
	m := newMinistry(t, 3)
	m.hold()
	m.held[m.keys[2]].Spec.Platform = v1alpha1.PlatformYouTube
	old := &v1alpha1.PlatformConnection{Spec: v1alpha1.PlatformConnectionSpec{Platform: v1alpha1.PlatformX}}
	edited := old.DeepCopy()
	edited.Generation = 1
	h := m.r.connections()
	for _, c := range []struct {
		what string
		tell func(queue)
		want int
	}{
		{"one that was there at the start", func(q queue) { h.Create(t.Context(), event.CreateEvent{Object: old, IsInInitialList: true}, q) }, 0},
		{"a new one", func(q queue) { h.Create(t.Context(), event.CreateEvent{Object: old}, q) }, 2},
		{"a status", func(q queue) { h.Update(t.Context(), event.UpdateEvent{ObjectOld: old, ObjectNew: old}, q) }, 0},
		{"a spec", func(q queue) { h.Update(t.Context(), event.UpdateEvent{ObjectOld: old, ObjectNew: edited}, q) }, 2},
		{"an end", func(q queue) { h.Delete(t.Context(), event.DeleteEvent{Object: old}, q) }, 2},
	} {
		version, q := m.r.scopes.version.Load(), &enqueuing{}
		c.tell(q)
		if len(q.now) != c.want {
			t.Errorf("%s: enqueues %v, want %d", c.what, q.now, c.want)
		}
		if m.r.scopes.version.Load() == version {
			t.Errorf("%s: the scope is not read anew", c.what)
		}
	}
}

// A review of accounts that stay as they are.
func BenchmarkReview(b *testing.B) {
	m := newMinistry(b, 1000)
	m.hold()
	b.ReportAllocs()
	for b.Loop() {
		m.r.review.walk(b.Context())
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/account")
}
