package handover

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/rotation"
)

// errOutbox: the access token could not be published.
var errOutbox = errors.New("the outbox")

// barred says which right is missing, if that is what failed; empty: it is not.
func (r *Reconciler) barred(acc *v1alpha1.SocialAccount, failed error) string {
	if !apierrors.IsForbidden(failed) {
		return ""
	}
	namespace := r.Keeper.Namespace
	if errors.Is(failed, errOutbox) {
		namespace = acc.Namespace
	}
	return "Mithaq may not write Secrets of namespace " + namespace + ": bind the ClusterRole mithaq-custodian in it to the operator's service account"
}

// locked handles an account whose vault cannot be read: somebody has to look, or to
// give a right. A deletion does not wait for that longer than for a revocation.
func (r *Reconciler) locked(ctx context.Context, acc *v1alpha1.SocialAccount, failed error) (ctrl.Result, error) {
	text := r.barred(acc, failed)
	if text == "" && !unusable(failed) {
		return ctrl.Result{}, failed
	}
	if !acc.DeletionTimestamp.IsZero() {
		return r.leaveLocked(ctx, acc)
	}
	if text != "" {
		return ctrl.Result{RequeueAfter: inboxEvery}, r.show(ctx, acc, withheld(acc, text, r.Clock.Now()))
	}
	return ctrl.Result{}, errors.Join(r.show(ctx, acc, broken(acc, failed, r.Clock.Now())), reconcile.TerminalError(failed))
}

// leaveLocked lets an account go whose grants nobody can read, at its deadline.
func (r *Reconciler) leaveLocked(ctx context.Context, acc *v1alpha1.SocialAccount) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(acc, Finalizer) {
		return ctrl.Result{}, nil
	}
	f := &facts{}
	if err := r.gatherDeletion(ctx, acc, f); err != nil {
		return ctrl.Result{}, err
	}
	if left := f.DeletingSince.Add(rotation.ReleaseAfter).Sub(r.Clock.Now()); left > 0 {
		return ctrl.Result{RequeueAfter: min(left, inboxEvery)}, nil
	}
	r.Consents.Withdraw(string(acc.UID))
	if f.Revoke {
		// The finalizer says that at least one grant lived.
		r.unrevoked(ctx, acc, f, 1, "the vault with what is known of them cannot be read")
	}
	return ctrl.Result{}, r.setFinalizer(ctx, acc, false)
}

// ledgerKeeps is where to look for grants that were not revoked.
const ledgerKeeps = "the ledger in Secret " + custody.SecretPrefix + "<uid> of the operator's namespace keeps them"
