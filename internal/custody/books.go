package custody

import (
	"context"
	"strconv"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/ptr"
)

// annotationBooks is on a lease that was given back by a holder whose books were closed:
// all that it had spent was saved. It names the lease's transitions at that time, so that
// it says nothing any more once anybody, of any version, has held the lease since.
const annotationBooks = "mithaq.dev/books-closed-at"

// Books tell a process whether the one before it left its books closed, and the next one
// whether this one does. They are in the lease that is taken and given back anyway: it
// costs no request, and a holder that was killed cannot have said so.
type Books struct {
	identity string

	mu      sync.Mutex
	seen    *coordinationv1.Lease
	orderly bool
	closed  bool
}

// Orderly says that the holder before this process gave the lease back with its books
// closed. It is known once the lease is held. Nil books know nothing.
func (b *Books) Orderly() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.orderly
}

// Close says that all is saved and nothing will be spent any more.
func (b *Books) Close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

// saw takes note of how the lease was when it was read or written.
func (b *Books) saw(l *coordinationv1.Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = l.DeepCopy()
}

// mark puts on a lease that is to be written what its new state says of the books. It
// returns what this process knows of the holder before it, if the write succeeds.
func (b *Books) mark(next *coordinationv1.Lease) (orderly bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(next.Annotations, annotationBooks)
	switch ptr.Deref(next.Spec.HolderIdentity, "") {
	case b.identity:
		if b.seen == nil || ptr.Deref(b.seen.Spec.HolderIdentity, "") == b.identity {
			return b.orderly // it renews
		}
		return closedAt(b.seen)
	case "":
		if b.closed {
			metav1.SetMetaDataAnnotation(&next.ObjectMeta, annotationBooks, transitions(next))
		}
	}
	return b.orderly
}

func closedAt(l *coordinationv1.Lease) bool {
	return ptr.Deref(l.Spec.HolderIdentity, "") == "" && l.Annotations[annotationBooks] == transitions(l)
}

func transitions(l *coordinationv1.Lease) string {
	return strconv.Itoa(int(ptr.Deref(l.Spec.LeaseTransitions, 0)))
}

// leases reads and writes the lease with the books in it.
type leases struct {
	coordination.LeasesGetter
	books *Books
}

// Leases implements coordination.LeasesGetter.
func (l leases) Leases(namespace string) coordination.LeaseInterface {
	return bookedLease{l.LeasesGetter.Leases(namespace), l.books}
}

type bookedLease struct {
	coordination.LeaseInterface
	books *Books
}

// Get implements coordination.LeaseInterface.
func (l bookedLease) Get(ctx context.Context, name string, o metav1.GetOptions) (*coordinationv1.Lease, error) {
	lease, err := l.LeaseInterface.Get(ctx, name, o)
	if err == nil {
		l.books.saw(lease)
	}
	return lease, err //nolint:wrapcheck // the elector looks at it
}

// Update implements coordination.LeaseInterface.
func (l bookedLease) Update(ctx context.Context, next *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	next = next.DeepCopy()
	orderly := l.books.mark(next)
	written, err := l.LeaseInterface.Update(ctx, next, o)
	if err != nil {
		return nil, err //nolint:wrapcheck // the elector looks at it
	}
	l.books.saw(written)
	l.books.mu.Lock()
	defer l.books.mu.Unlock()
	l.books.orderly = orderly
	return written, nil
}
