package platformconnection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// lastWrites bounds what is written when the process ends. The manager waits for
// half a minute.
const lastWrites = 20 * time.Second

// closer saves the last figures when the process ends, so that the next one goes on
// exactly where it stopped. It is a leader-only Runnable.
type closer struct{ r *Reconciler }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (c closer) NeedLeaderElection() bool { return true }

// Start waits for the end.
func (c closer) Start(ctx context.Context) error {
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	select {
	case <-c.r.Observer.Ended():
	case <-last.Done():
		return errors.New("the engine did not end, so the last figures of the budgets are not saved")
	}
	return c.r.saveLast(last)
}

// saveLast writes the final figures of all connections whose status does not hold
// them. Where all that were counted are exact then, the books are closed, and the next
// process knows that from the lease; else each status says it for itself.
func (r *Reconciler) saveLast(ctx context.Context) error {
	r.books.Lock()
	defer r.books.Unlock()
	r.closed = true
	var list v1alpha1.PlatformConnectionList
	if err := r.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("listing connections: %w", err)
	}
	finals := make([]facts, len(list.Items))
	// What failed before may still arrive, after what is written now.
	booked := r.booked() && len(r.unsure) == 0
	for i := range list.Items {
		finals[i] = facts{final: true}
		finals[i].report, finals[i].reported = r.Observer.Report(list.Items[i].Name)
		booked = booked && (finals[i].counted() || !ptr.Deref(list.Items[i].Status.Counting, false))
	}
	if err := r.closeAll(ctx, list.Items, finals, !booked); err != nil || !booked {
		return err
	}
	r.Books.Close()
	return nil
}

// booked says that the lease can tell how this process ended.
func (r *Reconciler) booked() bool { return r.Books != nil && r.Board.Alone() }

// closeAll writes the final figures of the connections that this process kept count of.
func (r *Reconciler) closeAll(ctx context.Context, connections []v1alpha1.PlatformConnection, finals []facts, unmarked bool) error {
	var all []error
	for i := range connections {
		// Figures of an earlier process that this one never went on with are not ours to
		// call exact.
		if f := finals[i]; f.counted() {
			f.unmarked = unmarked
			all = append(all, r.closeOne(ctx, &connections[i], f))
		}
	}
	return errors.Join(all...)
}

// counted says that this process kept count of the connection.
func (f facts) counted() bool { return f.reported && len(f.report.Ledger) > 0 }

// closeOne writes the final figures where what is written does not say them.
func (r *Reconciler) closeOne(ctx context.Context, connection *v1alpha1.PlatformConnection, f facts) error {
	if r.Board.Alone() {
		if !ptr.Deref(connection.Status.Counting, false) {
			return nil
		}
		return r.apply(ctx, connection, f)
	}
	mine, err := r.mine(ctx, connection)
	if err != nil || mine == nil || !ptr.Deref(mine.Status.Counting, false) {
		return err
	}
	return r.share(ctx, connection, f)
}
