package socialaccount

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Reconciler keeps one account's status in line with what is known.
type Reconciler struct {
	Config
	roster *roster

	mu sync.Mutex
	// limits are the numbers of accounts that policies allow a person.
	limits map[int]bool
	// waiting remembers since when the first status of an account waits for its
	// first look.
	waiting map[types.UID]time.Time
	// asked remembers which revision of an account the engine was asked to look
	// at, so that a change of it is looked at at once.
	asked map[types.NamespacedName]string
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler {
	return &Reconciler{
		Config: cfg, roster: newRoster(), limits: map[int]bool{},
		waiting: map[types.UID]time.Time{}, asked: map[types.NamespacedName]string{},
	}
}

// Reconcile aligns one account's status with what is known. It never calls a
// platform.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	acc := &v1alpha1.SocialAccount{}
	if err := r.Client.Get(ctx, req.NamespacedName, acc); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the account: %w", err)
	}
	if !acc.DeletionTimestamp.IsZero() {
		r.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	facts, err := r.gather(ctx, acc)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("gathering facts: %w", err)
	}
	now := r.Clock.Now()
	if wait := r.holdFirst(facts, now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	return r.apply(ctx, acc, decide(facts, now))
}

// forget drops what this process holds of an account that is gone.
func (r *Reconciler) forget(key client.ObjectKey) {
	r.Observer.Forget(key)
	r.Tally.Drop(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.asked, key)
}

// holdFirst says how long the first status still waits for the first look, so
// that a new account costs one write and not two. It waits only where a look is
// to be expected.
func (r *Reconciler) holdFirst(f facts, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	uid := f.account.UID
	if len(f.account.Status.Conditions) > 0 || !f.awaiting() {
		delete(r.waiting, uid)
		return 0
	}
	since, ok := r.waiting[uid]
	if !ok {
		since = now
		r.waiting[uid] = now
	}
	left := r.FirstLook - now.Sub(since)
	if left <= 0 {
		delete(r.waiting, uid)
	}
	return left
}
