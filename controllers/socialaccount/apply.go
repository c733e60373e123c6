package socialaccount

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	apply "mithaq.dev/mithaq/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"mithaq.dev/mithaq/internal/status"
)

// apply saves a decision if it says anything new, and only then tells events and
// counts. A pass that learned nothing writes nothing.
func (r *Reconciler) apply(ctx context.Context, acc *v1alpha1.SocialAccount, d decision) (ctrl.Result, error) {
	if !d.unchanged {
		if err := r.save(ctx, acc, d); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: r.count(acc, d)}, nil
}

// count takes an account into the fleet's counts, and says how long time alone changes
// nothing about it; 0: it never does.
func (r *Reconciler) count(acc *v1alpha1.SocialAccount, d decision) time.Duration {
	r.Tally.Set(client.ObjectKeyFromObject(acc), d.policies, d.rules)
	if d.next.IsZero() {
		return 0
	}
	return max(d.next.Sub(r.Clock.Now()), 0) + 1
}

// save writes what this controller owns: all but what the handover writes.
func (r *Reconciler) save(ctx context.Context, acc *v1alpha1.SocialAccount, d decision) error {
	mine := d.status
	mine.Credentials, mine.Handover, mine.Custody = nil, nil, nil
	mine.Conditions = ours(acc, mine.Conditions)
	next, err := status.As[apply.SocialAccountStatusApplyConfiguration](mine)
	if err != nil {
		return err
	}
	object := apply.SocialAccount(acc.Name, acc.Namespace).WithUID(acc.UID).WithStatus(next)
	if err := status.Apply(ctx, r.Client, Name, object); err != nil {
		return client.IgnoreNotFound(err)
	}
	for _, o := range d.events {
		status.Tell(r.Recorder, acc, o.related(d.connection), o.reason, o.note)
	}
	return nil
}
