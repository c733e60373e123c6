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
	for range maxSteps {
		now := r.Clock.Now()
		f.renew(r.Random)
		step = rotation.Next(stored.Vault, &f.Facts, now)
		if step.Release {
			return ctrl.Result{}, r.release(ctx, acc, stored, f)
		}
		if step.Vault == nil && step.Call == nil {
			break
		}
		if stored, failed = r.perform(ctx, acc, stored, step, f); failed != nil {
			break
		}
		f.Code, f.Import = "", nil // spent, or refused
	}
	waits, failed := waiting(failed)
	f.barred = r.barred(acc, failed)
	if err := r.guardDeletion(ctx, acc, stored.Vault); err != nil {
		failed = errors.Join(failed, err)
	}
	r.Wallet.Note(client.ObjectKeyFromObject(acc), acc.UID, stored.Vault.Current != nil)
	r.offer(acc, stored.Vault, f)
	if waits && failed == nil {
		return r.await(ctx, acc, stored.Vault, f)
	}
	failed = errors.Join(failed, r.show(ctx, acc, project(acc, stored.Vault, f, r.Clock.Now(), r.Consents.URL)))
	return r.rest(step, stored.Vault, f, failed)
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

// errClosed: the app that a call needs is not open. Nothing was sent or stored.
var errClosed = errors.New("the app that the next call needs is not open")

// perform does one step: budget, intent, guard, effect, result. Nothing is written of a
// call that has to wait for its budget.
func (r *Reconciler) perform(ctx context.Context, acc *v1alpha1.SocialAccount, stored custody.Stored, s rotation.Step, f *facts) (custody.Stored, error) {
	sent := errUnsent // what became of the call, for its budget
	job := custody.Job{Call: s.Call, Ref: f.ref, RedirectURI: r.Consents.RedirectURI()}
	if s.Call != nil {
		open := false
		if job.App, open = r.Apps.Get(f.connection, s.Call.Client); !open {
			return stored, errClosed
		}
		if err := r.guard(ctx, s.Call); err != nil {
			return stored, err
		}
		answered, ok := r.take(acc, stored.Vault, f, job)
		if !ok {
			return stored, errWaits
		}
		defer func() { answered(sent) }()
	}
	if err := r.holdDeletion(ctx, acc, s); err != nil {
		return stored, err
	}
	stored, err := r.store(ctx, acc, stored, s)
	if err != nil || s.Call == nil {
		return stored, err
	}
	job.Vault, job.Now = stored.Vault, r.Clock.Now()
	outcome, held := rotation.Outcome{Kind: rotation.Unavailable}, r.guard(ctx, s.Call)
	if held == nil {
		outcome = r.Perform(ctx, job)
		sent = verdict(&outcome)
	}
	now := r.Clock.Now()
	stored, err = r.record(ctx, acc, stored, result{s.Call, func(v *rotation.Vault) *rotation.Vault {
		return rotation.Record(v, s.Call, &outcome, &f.Facts, now)
	}})
	return stored, errors.Join(held, err)
}

// guard asks, before the intent and again right before the effect, whether this
// process may change something.
func (r *Reconciler) guard(ctx context.Context, call *rotation.Call) error {
	if call.Kind != rotation.CallMutate {
		return nil
	}
	return r.Guard.Check(ctx)
}

// store publishes and stores what a step says.
func (r *Reconciler) store(ctx context.Context, acc *v1alpha1.SocialAccount, stored custody.Stored, s rotation.Step) (custody.Stored, error) {
	if s.Publish {
		if err := r.publish(ctx, acc, s.Vault); err != nil {
			return stored, errors.Join(errOutbox, err)
		}
	}
	if s.Vault == nil {
		return stored, nil
	}
	next, err := r.Keeper.Save(ctx, client.ObjectKeyFromObject(acc), stored, s.Vault)
	if err != nil {
		return stored, err
	}
	r.Told.Step(acc.Spec.Platform, string(next.Vault.Journal.Phase))
	return next, nil
}

// recordFor is how long the result of a call is tried to be stored, even while
// the process is being ended: nothing of it may be lost. ShutdownPatience is what the
// process has to wait at its end for that.
const (
	recordFor        = 90 * time.Second
	ShutdownPatience = recordFor + 2*time.Second
)

// result is what a call yielded, to be taken into whatever vault is stored.
type result struct {
	call *rotation.Call
	into func(*rotation.Vault) *rotation.Vault
}

// record stores a result. If the vault changed meanwhile, the result of a call that
// changed something is taken into the new one as long as its attempt is open there:
// its products exist nowhere else. Once somebody closed it, their word counts.
func (r *Reconciler) record(ctx context.Context, acc *v1alpha1.SocialAccount, stored custody.Stored, got result) (custody.Stored, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordFor)
	defer cancel()
	err := retry(ctx, func() error {
		next, err := r.Keeper.Save(ctx, client.ObjectKeyFromObject(acc), stored, got.into(stored.Vault))
		if err == nil {
			stored = next
			return nil
		}
		if !apierrors.IsConflict(err) || got.call.Op == nil {
			return err
		}
		fresh, errLoad := r.Keeper.Load(ctx, acc.UID)
		if errLoad != nil {
			return errLoad
		}
		stored = fresh
		if op := fresh.Vault.Journal.Op; op == nil || op.Attempt != got.call.Op.Attempt {
			return nil
		}
		return errStillOpen
	})
	return stored, err
}

// errStillOpen: the result is stored at the next try.
var errStillOpen = errors.New("the vault changed, and the attempt is open")
