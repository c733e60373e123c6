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
// them.
func (r *Reconciler) saveLast(ctx context.Context) error {
	var list v1alpha1.PlatformConnectionList
	if err := r.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("listing connections: %w", err)
	}
	var all []error
	for i := range list.Items {
		connection := &list.Items[i]
		f := facts{final: true}
		if f.report, f.reported = r.Observer.Report(connection.Name); !f.reported {
			continue
		}
		all = append(all, r.closeOne(ctx, connection, f))
	}
	return errors.Join(all...)
}

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
