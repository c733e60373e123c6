package handover

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/rotation"
)

// Reconciler takes one account's credentials one step further at a time.
type Reconciler struct{ Config }

// New returns a Reconciler.
func New(cfg Config) *Reconciler {
	if cfg.Wallet == nil {
		cfg.Wallet = custody.NewWallet(cfg.Keeper)
	}
	return &Reconciler{cfg}
}

// maxSteps bounds one pass; a rotation without waits takes fewer.
const maxSteps = 32

// inboxEvery is how often the inbox is looked at while a credential is awaited.
const inboxEvery = time.Minute

// Reconcile goes on until something has to be waited for, and then shows where
// the vault stands.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	result, err := r.pass(ctx, req)
	if errors.Is(err, errWaits) {
		return result, nil
	}
	if r.Budgets != nil {
		// It waits for no call any more: a turn that nobody takes would hold up all others.
		r.Budgets.Leave(req.NamespacedName)
	}
	return result, err
}

// pass is one look at an account. Its error is errWaits where its next call does.
func (r *Reconciler) pass(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	acc := &v1alpha1.SocialAccount{}
	if err := r.Client.Get(ctx, req.NamespacedName, acc); err != nil {
		if apierrors.IsNotFound(err) {
			r.Wallet.Forget(req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the account: %w", err)
	}
	if acc.Spec.Credentials == nil && acc.DeletionTimestamp.IsZero() {
		r.Wallet.Note(req.NamespacedName, acc.UID, false)
		return ctrl.Result{}, r.withdraw(ctx, acc)
	}
	stored, err := r.Keeper.Load(ctx, acc.UID)
	if err != nil {
		return r.locked(ctx, acc, err)
	}
	r.Wallet.Note(req.NamespacedName, acc.UID, stored.Vault.Current != nil)
	facts, err := r.gather(ctx, acc, stored.Vault)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("gathering facts: %w", err)
	}
	if facts.closed != "" && !facts.Deleting {
		return ctrl.Result{RequeueAfter: closedEvery}, r.showClosed(ctx, acc, stored.Vault, facts)
	}
	return r.advance(ctx, acc, stored, facts)
}

// closedEvery is how often a connection that is not open is asked for again, should
// its opening not have been told of.
const closedEvery = time.Minute

// showClosed shows an account whose connection is not open. What was found out of
// its credential before stays: a restart is no evidence.
func (r *Reconciler) showClosed(ctx context.Context, acc *v1alpha1.SocialAccount, v *rotation.Vault, f *facts) error {
	if meta.FindStatusCondition(acc.Status.Conditions, v1alpha1.ConditionCredentialsHealthy) != nil && acc.Status.Credentials != nil {
		return nil
	}
	return r.show(ctx, acc, project(acc, v, f, r.Clock.Now(), r.Consents.URL))
}

// advance performs steps until one waits.
func (r *Reconciler) advance(ctx context.Context, acc *v1alpha1.SocialAccount, stored custody.Stored, f *facts) (ctrl.Result, error) {
	var failed error
	var step rotation.Step
	h := &hand{Stored: stored, ahead: stored.Vault}
	for range maxSteps {
		f.renew(r.Random)
		step = rotation.Onward(h.Vault, h.ahead, &f.Facts, r.Clock.Now())
		if step.Release {
			return ctrl.Result{}, r.release(ctx, acc, h.Stored, f)
		}
		if step.Vault == nil && step.Call == nil {
			break
		}
		if failed = r.perform(ctx, acc, h, step, f); failed != nil {
			break
		}
		f.Code, f.Import = "", nil // spent, or refused
	}
	waits, failed := waiting(failed)
	failed = errors.Join(failed, r.flush(ctx, acc, h))
	f.barred = r.barred(acc, failed)
	if err := r.guardDeletion(ctx, acc, h.Vault); err != nil {
		failed = errors.Join(failed, err)
	}
	r.Wallet.Note(client.ObjectKeyFromObject(acc), acc.UID, h.Vault.Current != nil)
	r.offer(acc, h.Vault, f)
	if waits && failed == nil {
		return r.await(ctx, acc, h.Vault, f)
	}
	failed = errors.Join(failed, r.show(ctx, acc, project(acc, h.Vault, f, r.Clock.Now(), r.Consents.URL)))
	return r.rest(step, h.Vault, f, failed)
}

// rest says when to look again. What only has to be waited for is no error.
func (r *Reconciler) rest(step rotation.Step, v *rotation.Vault, f *facts, failed error) (ctrl.Result, error) {
	switch {
	case failed == nil:
		return ctrl.Result{RequeueAfter: r.again(step, v, f)}, nil
	case apierrors.IsConflict(failed):
		return ctrl.Result{RequeueAfter: time.Second}, nil // the vault changed: read it again
	case errors.Is(failed, custody.ErrNotOurs):
		return ctrl.Result{RequeueAfter: 5 * time.Second}, nil
	case apierrors.IsForbidden(failed):
		return ctrl.Result{RequeueAfter: inboxEvery}, nil // the status says which right is missing
	case errors.Is(failed, errClosed):
		return ctrl.Result{RequeueAfter: closedEvery}, nil
	}
	return ctrl.Result{}, failed
}

// again says when to look again.
func (r *Reconciler) again(step rotation.Step, v *rotation.Vault, f *facts) time.Duration {
	wait, now := time.Duration(0), r.Clock.Now()
	for _, at := range []time.Time{step.At, f.ahead} {
		if in := max(at.Sub(now), 0) + time.Millisecond; !at.IsZero() && (wait == 0 || in < wait) {
			wait = in
		}
	}
	if v.Journal.Phase == rotation.AwaitingConsent && (wait == 0 || wait > inboxEvery) {
		wait = inboxEvery
	}
	return wait
}
