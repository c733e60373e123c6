package handover

import (
	"context"
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// errWaits: the connection's budget does not allow the next call yet. Nothing was sent
// or stored.
var errWaits = errors.New("the next call waits for its connection's budget")

// errUnsent: a call was let through and not made.
var errUnsent = errors.New("the call was not made")

// waitsFor is when to look again at an account that waits for a budget, whose turn wakes
// it: the status may not be further behind the vault than a minute.
const waitsFor = 30 * time.Second

// take asks the budgets of the connection for a call. What is compromised goes first, and
// so does a code, which lives for half a minute on X.
func (r *Reconciler) take(acc *v1alpha1.SocialAccount, v *rotation.Vault, f *facts, job custody.Job) (done func(error), ok bool) {
	charges := []platform.Charge(nil)
	if r.Budgets != nil {
		charges = custody.Charges(job.App, job.Call)
	}
	if len(charges) == 0 {
		return func(error) {}, true
	}
	return r.Budgets.Take(observe.Errand{
		Connection: f.connection, Key: client.ObjectKeyFromObject(acc), ID: f.ref.ID, Charges: charges,
		First: v.Journal.Trigger == rotation.TriggerCompromised || job.Call.Code != "",
	})
}

// waiting tells the wait for a budget from what failed.
func waiting(failed error) (waits bool, other error) {
	if errors.Is(failed, errWaits) {
		return true, nil
	}
	return false, failed
}

// await ends a pass whose next call waits for its budget, with errWaits.
func (r *Reconciler) await(ctx context.Context, acc *v1alpha1.SocialAccount, v *rotation.Vault, f *facts) (ctrl.Result, error) {
	if !r.soon(acc, v) {
		if err := r.show(ctx, acc, project(acc, v, f, r.Clock.Now(), r.Consents.URL)); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: waitsFor}, errWaits
}

// verdict is how a call ended, for its budget.
func verdict(o *rotation.Outcome) error {
	switch {
	case o.Limited:
		return &platform.Error{Kind: platform.KindRateLimited, RetryAfter: o.RetryAfter}
	case o.Kind == rotation.Unavailable, o.Kind == rotation.Ambiguous:
		return &platform.Error{Kind: platform.KindUnavailable}
	}
	return nil
}

// soon says that a status which does not show the present phase yet may stay as it is
// while the next call waits for its budget: there is news of the same rotation, and it is
// not old. So a wait costs no write.
func (r *Reconciler) soon(acc *v1alpha1.SocialAccount, v *rotation.Vault) bool {
	shown := acc.Status.Handover
	return shown != nil && shown.ID == v.Journal.RotationID && r.Clock.Now().Sub(v.Journal.Since) < waitsFor
}
