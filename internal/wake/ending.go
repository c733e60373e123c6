package wake

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Ending is a reconciler for which it is no failure that its process ends: what was under
// way then is done by the next one, and whoever is woken by errors in a log should not be.
// A reconciliation that took too long is a failure as before.
func Ending(r reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		result, err := r.Reconcile(ctx, req)
		if errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled) {
			log.FromContext(ctx).V(1).Info("Ended before it was done", "why", err.Error())
			return reconcile.Result{}, nil
		}
		return result, err
	})
}
