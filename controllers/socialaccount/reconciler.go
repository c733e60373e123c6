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
	"mithaq.dev/mithaq/internal/roster"
	"mithaq.dev/mithaq/internal/wake"
)

// Reconciler keeps one account's status in line with what is known.
type Reconciler struct {
	Config
	// peersChanged wakes accounts whose peers changed, where others feed the roster too.
	peersChanged *wake.Source
	review       *review
	scopes       scopes
	passes       passes

	mu sync.Mutex
	// limits are the numbers of accounts that policies allow a person.
	limits map[int]bool
	// waiting remembers since when the status of an account waits for a look.
	waiting map[types.UID]time.Time
	// asked remembers which revision of an account the engine was asked to look
	// at, so that a change of it is looked at at once: a hash of it, since there is one
	// for each account.
	asked map[types.NamespacedName]uint64
	// memories are what is kept of what accounts did.
	memories map[types.NamespacedName]memory
}

// New returns a Reconciler.
func New(cfg Config) *Reconciler {
	if cfg.Roster == nil {
		cfg.Roster = roster.New()
	}
	if cfg.Reviewed == nil {
		cfg.Reviewed = func() {}
	}
	r := &Reconciler{
		Config: cfg, peersChanged: wake.NewSource(), limits: map[int]bool{},
		waiting: map[types.UID]time.Time{}, asked: map[types.NamespacedName]uint64{},
		memories: map[types.NamespacedName]memory{},
	}
	r.review = newReview(r)
	return r
}

// Reconcile aligns one account's status with what is known. It never calls a
// platform.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	lock := r.passes.of(req.NamespacedName)
	lock.Lock()
	defer lock.Unlock()
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
	d, wait, err := r.conclude(ctx, acc)
	if err != nil || wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, err
	}
	return r.apply(ctx, acc, d)
}

// conclude decides on all that is known of an account. Where its status still waits for a
// look, wait is for how long, and nothing is decided.
func (r *Reconciler) conclude(ctx context.Context, acc *v1alpha1.SocialAccount) (d decision, wait time.Duration, err error) {
	facts, err := r.gather(ctx, acc)
	if err != nil {
		return decision{}, 0, fmt.Errorf("gathering facts: %w", err)
	}
	now := r.Clock.Now()
	if wait = r.hold(facts, now); wait > 0 {
		return decision{}, wait, nil
	}
	return decide(facts, now), 0, nil
}

// forget drops what this process holds of an account that is gone.
func (r *Reconciler) forget(key client.ObjectKey) {
	r.Observer.Forget(key)
	r.Tally.Drop(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.asked, key)
	delete(r.memories, key)
}

// settled takes note that the status of an account waits no longer.
func (r *Reconciler) settled(uid types.UID) {
	if _, waits := r.waiting[uid]; !waits {
		return
	}
	delete(r.waiting, uid)
	if len(r.waiting) == 0 { // a map keeps the room that a fleet's first looks needed
		r.waiting = map[types.UID]time.Time{}
	}
}

// longestHold bounds how long a status waits while others of its connection are
// answered, in first looks: ten minutes with the default of 15 seconds.
const longestHold = 40

// hold says how long the status still waits for a look that is to be expected: the
// first status of an account for the first look, so that a new account costs one
// write and not two, and any for what the account did, so that other rules that
// change no verdict cost none. What is in force meanwhile is what the status says.
//
// A fleet's first looks take longer than one account's. While its connection answers
// for others, the first status goes on waiting: each that did not would cost the API
// server a second write, at the moment when it has least to spare.
func (r *Reconciler) hold(f facts, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	uid := f.account.UID
	first := len(f.account.Status.Conditions) == 0 && f.awaiting()
	if !first && !f.reading() {
		r.settled(uid)
		return 0
	}
	since, ok := r.waiting[uid]
	if !ok {
		since = now
		r.waiting[uid] = now
	}
	left := r.FirstLook - now.Sub(since)
	if !first || left > 0 {
		return left
	}
	gone, quiet := now.Sub(since), now.Sub(f.view.Heard)
	if quiet >= r.FirstLook || gone >= longestHold*r.FirstLook {
		return left
	}
	// Twice as long each time: the look itself wakes the account.
	return max(r.FirstLook-quiet, min(gone, longestHold*r.FirstLook-gone))
}
