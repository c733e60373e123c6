package handover

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/rotation"
)

// hand is what one pass holds of an account's vault.
type hand struct {
	custody.Stored
	// ahead goes on from what is stored, by answers that were read and steps that only
	// store (rotation.Onward); Stored.Vault itself: nothing is ahead of it.
	ahead *rotation.Vault
	// result is that of a call that changed something, while only ahead holds it.
	result *result
	// sent is what became of the last call, for its budget.
	sent error
}

// result is what a call yielded, to be taken into whatever vault is stored.
type result struct {
	call *rotation.Call
	into func(*rotation.Vault) *rotation.Vault
}

// errClosed: the app that a call needs is not open. Nothing was sent or stored.
var errClosed = errors.New("the app that the next call needs is not open")

// perform does one step: budget, intent, guard, effect, result. Nothing is written of a
// call that has to wait for its budget.
func (r *Reconciler) perform(ctx context.Context, acc *v1alpha1.SocialAccount, h *hand, s rotation.Step, f *facts) error {
	if s.Call != nil {
		return r.call(ctx, acc, h, s, f)
	}
	if err := r.holdDeletion(ctx, acc, s); err != nil {
		return err
	}
	if !s.Publish {
		_, err := r.keep(ctx, acc, h, s.Vault)
		return err
	}
	if err := r.publish(ctx, acc, s.Vault); err != nil {
		return errors.Join(errOutbox, err)
	}
	h.ahead = s.Vault
	return nil
}

// call makes the call of a step, once the budget of its connection allows it.
func (r *Reconciler) call(ctx context.Context, acc *v1alpha1.SocialAccount, h *hand, s rotation.Step, f *facts) error {
	job := custody.Job{Call: s.Call, Ref: f.ref, RedirectURI: r.Consents.RedirectURI()}
	open := false
	if job.App, open = r.Apps.Get(f.connection, s.Call.Client); !open {
		return errClosed
	}
	if err := r.guard(ctx, s.Call); err != nil {
		return err
	}
	answered, ok := r.take(acc, h.ahead, f, job)
	if !ok {
		return errWaits
	}
	h.sent = errUnsent
	defer func() { answered(h.sent) }()
	if err := r.holdDeletion(ctx, acc, s); err != nil {
		return err
	}
	if s.Call.Op != nil {
		job.Vault = s.Vault
		return r.mutate(ctx, acc, h, job, f)
	}
	if s.Vault != nil {
		h.ahead = s.Vault
	}
	job.Vault, job.Now = h.ahead, r.Clock.Now()
	outcome := r.Perform(ctx, job)
	h.sent = verdict(&outcome)
	h.ahead = rotation.Record(h.ahead, s.Call, &outcome, &f.Facts, r.Clock.Now())
	return nil
}

// mutate stores the vault of a job, which holds the intent of its call, and makes the
// call if it was this process that stored it. Its result is ahead of what is stored then.
func (r *Reconciler) mutate(ctx context.Context, acc *v1alpha1.SocialAccount, h *hand, job custody.Job, f *facts) error {
	if kept, err := r.keep(ctx, acc, h, job.Vault); err != nil || !kept {
		return err
	}
	job.Vault, job.Now = h.Vault, r.Clock.Now()
	outcome, held := rotation.Outcome{Kind: rotation.Unavailable}, r.guard(ctx, job.Call)
	if held == nil {
		outcome = r.Perform(ctx, job)
		h.sent = verdict(&outcome)
	}
	now := r.Clock.Now()
	h.result = &result{job.Call, func(v *rotation.Vault) *rotation.Vault {
		return rotation.Record(v, job.Call, &outcome, &f.Facts, now)
	}}
	h.ahead = h.result.into(h.Vault)
	return held
}

// guard asks, before the intent and again right before the effect, whether this
// process may change something.
func (r *Reconciler) guard(ctx context.Context, call *rotation.Call) error {
	if call.Kind != rotation.CallMutate {
		return nil
	}
	return r.Guard.Check(ctx)
}

// recordFor is how long the result of a call is tried to be stored, even while
// the process is being ended: nothing of it may be lost. ShutdownPatience is what the
// process has to wait at its end for that.
const (
	recordFor        = 90 * time.Second
	ShutdownPatience = recordFor + 2*time.Second
)

// flush stores what is ahead.
func (r *Reconciler) flush(ctx context.Context, acc *v1alpha1.SocialAccount, h *hand) error {
	if h.ahead == h.Vault {
		return nil
	}
	_, err := r.keep(ctx, acc, h, h.ahead)
	return err
}

// keep stores next by one compare-and-swap; kept: it is what is stored now. Where
// something is ahead that would be lost it tries again, for as long as recordFor. After
// it nothing is ahead.
func (r *Reconciler) keep(ctx context.Context, acc *v1alpha1.SocialAccount, h *hand, next *rotation.Vault) (kept bool, err error) {
	if h.ahead == h.Vault {
		kept, err = r.swap(ctx, acc, h, next)
	} else {
		kept, err = r.record(ctx, acc, h, next)
	}
	h.ahead, h.result = h.Vault, nil
	return kept, err
}

// swap is one compare-and-swap.
func (r *Reconciler) swap(ctx context.Context, acc *v1alpha1.SocialAccount, h *hand, next *rotation.Vault) (bool, error) {
	stored, err := r.Keeper.Save(ctx, client.ObjectKeyFromObject(acc), h.Stored, next)
	if err != nil {
		return false, err
	}
	h.Stored = stored
	r.Told.Step(acc.Spec.Platform, string(stored.Vault.Journal.Phase))
	return true, nil
}

// record stores what is ahead. If the vault changed meanwhile, the result of a call that
// changed something is taken into the new one as long as its attempt is open there:
// its products exist nowhere else. Once somebody closed it, their word counts.
func (r *Reconciler) record(ctx context.Context, acc *v1alpha1.SocialAccount, h *hand, next *rotation.Vault) (kept bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordFor)
	defer cancel()
	whole := true
	err = retry(ctx, func() error {
		saved, err := r.swap(ctx, acc, h, next)
		if kept = saved && whole; err == nil || !apierrors.IsConflict(err) || h.result == nil {
			return err
		}
		fresh, errLoad := r.Keeper.Load(ctx, acc.UID)
		if errLoad != nil {
			return errLoad
		}
		h.Stored = fresh
		if op := fresh.Vault.Journal.Op; op == nil || op.Attempt != h.result.call.Op.Attempt {
			return nil
		}
		next, whole = h.result.into(fresh.Vault), false
		return errStillOpen
	})
	return kept, err
}

// errStillOpen: the result is stored at the next try.
var errStillOpen = errors.New("the vault changed, and the attempt is open")
