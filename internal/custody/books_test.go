package custody

import (
	"context"
	"errors"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// tenant takes, renews and gives back the lease as the elector of client-go does.
type tenant struct {
	t     *testing.T
	lock  *resourcelock.LeaseLock
	books *Books
}

func newTenant(t *testing.T, client coordination.LeasesGetter, name string) *tenant {
	b := &Books{identity: name}
	return &tenant{t, &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: "ns", Name: LeaseName}, Client: leases{client, b},
		LockConfig: resourcelock.ResourceLockConfig{Identity: name},
	}, b}
}

// older is a process of a version that knows no books.
func older(t *testing.T, client coordination.LeasesGetter, name string) *tenant {
	h := newTenant(t, client, name)
	h.lock.Client = client
	return h
}

func (h *tenant) do(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *tenant) take() *tenant {
	h.t.Helper()
	record := resourcelock.LeaderElectionRecord{HolderIdentity: h.lock.Identity(), LeaseDurationSeconds: 60}
	was, _, err := h.lock.Get(h.t.Context())
	if apierrors.IsNotFound(err) {
		h.do(h.lock.Create(h.t.Context(), record))
	} else {
		h.do(err)
		record.LeaderTransitions = was.LeaderTransitions + 1
		h.do(h.lock.Update(h.t.Context(), record))
	}
	h.do(h.lock.Update(h.t.Context(), record)) // it renews
	return h
}

func (h *tenant) giveBack() {
	h.t.Helper()
	was, _, err := h.lock.Get(h.t.Context())
	h.do(err)
	h.do(h.lock.Update(h.t.Context(), resourcelock.LeaderElectionRecord{LeaderTransitions: was.LeaderTransitions, LeaseDurationSeconds: 1, RenewTime: metav1.NewTime(time.Unix(1, 0))}))
}

func (h *tenant) closeBooks() *tenant { h.books.Close(); return h }

func TestOnlyBooksThatWereClosedLastAreBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		before func(t *testing.T, client coordination.LeasesGetter)
		want   bool
	}{
		"nobody was there":         {func(*testing.T, coordination.LeasesGetter) {}, false},
		"closed":                   {func(t *testing.T, c coordination.LeasesGetter) { newTenant(t, c, "a").take().closeBooks().giveBack() }, true},
		"given back, not closed":   {func(t *testing.T, c coordination.LeasesGetter) { newTenant(t, c, "a").take().giveBack() }, false},
		"killed":                   {func(t *testing.T, c coordination.LeasesGetter) { newTenant(t, c, "a").take() }, false},
		"killed with closed books": {func(t *testing.T, c coordination.LeasesGetter) { newTenant(t, c, "a").take().closeBooks() }, false},
		"closed, then another was killed": {func(t *testing.T, c coordination.LeasesGetter) {
			newTenant(t, c, "a").take().closeBooks().giveBack()
			newTenant(t, c, "b").take()
		}, false},
		"closed twice": {func(t *testing.T, c coordination.LeasesGetter) {
			newTenant(t, c, "a").take().closeBooks().giveBack()
			newTenant(t, c, "b").take().closeBooks().giveBack()
		}, true},
		"closed, then an older version": {func(t *testing.T, c coordination.LeasesGetter) {
			newTenant(t, c, "a").take().closeBooks().giveBack()
			older(t, c, "old").take().giveBack()
		}, false},
		"closed, then an older version was killed": {func(t *testing.T, c coordination.LeasesGetter) {
			newTenant(t, c, "a").take().closeBooks().giveBack()
			older(t, c, "old").take()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset().CoordinationV1()
			c.before(t, client)
			h := newTenant(t, client, "next")
			if h.books.Orderly() {
				t.Error("believed before the lease is held")
			}
			if got := h.take().books.Orderly(); got != c.want {
				t.Errorf("orderly: %v", got)
			}
		})
	}
}

// What this process does not hold, it knows nothing of.
func TestALeaseThatIsNotTakenSaysNothing(t *testing.T) {
	client := fake.NewClientset().CoordinationV1()
	newTenant(t, client, "a").take().closeBooks().giveBack()
	h := newTenant(t, refusing{client}, "next")
	was, _, err := h.lock.Get(t.Context())
	h.do(err)
	err = h.lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "next", LeaderTransitions: was.LeaderTransitions + 1})
	if !errors.Is(err, errRefused) || h.books.Orderly() {
		t.Errorf("%v, orderly: %v", err, h.books.Orderly())
	}
	var none *Books
	if none.Close(); none.Orderly() {
		t.Error("no books are orderly")
	}
}

var errRefused = errors.New("refused")

type refusing struct{ coordination.LeasesGetter }

func (r refusing) Leases(ns string) coordination.LeaseInterface {
	return refusingLease{r.LeasesGetter.Leases(ns)}
}

type refusingLease struct{ coordination.LeaseInterface }

func (refusingLease) Update(context.Context, *coordinationv1.Lease, metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	return nil, errRefused
}
