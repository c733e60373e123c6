package socialaccount

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/wake"
)

// review judges the whole fleet anew after an edition has changed, in one walk over the
// cache. Most verdicts stay as they are, and cost neither a place in the queue nor its
// bookkeeping; whose status says something else by now is enqueued, with low priority.
// It is a leader-only Runnable.
type review struct {
	r     *Reconciler
	found *wake.Source
	asked chan struct{}
}

func newReview(r *Reconciler) *review {
	return &review{r: r, found: wake.NewSource(), asked: make(chan struct{}, 1)}
}

// ask has the fleet walked once more, from the start.
func (v *review) ask() {
	select {
	case v.asked <- struct{}{}:
	default:
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*review) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable: it walks when asked, until ctx ends.
func (v *review) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.asked:
			v.walk(ctx)
		}
	}
}

// stride is how many accounts a walker takes at a time.
const stride = 64

// walk looks at every account, with as many walkers as there are processors.
func (v *review) walk(ctx context.Context) {
	began := v.r.Clock.Now()
	keys, err := v.r.Fleet.Keys("")
	if err != nil {
		log.FromContext(ctx).Error(err, "The accounts cannot be reviewed, since their names cannot be listed")
		return
	}
	var next, changed atomic.Int64
	var walkers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		walkers.Go(func() {
			// One account at a time, each in the place of the last: nobody keeps it.
			acc := &v1alpha1.SocialAccount{}
			for ctx.Err() == nil {
				from := int(next.Add(stride)) - stride
				if from >= len(keys) {
					return
				}
				for _, key := range keys[from:min(from+stride, len(keys))] {
					if v.look(ctx, key, acc) {
						changed.Add(1)
					}
				}
			}
		})
	}
	walkers.Wait()
	log.FromContext(ctx).V(1).Info("Reviewed the fleet under the policies in force", "accounts", len(keys), "enqueued", changed.Load(), "took", v.r.Clock.Since(began))
}

// look judges one account, and says whether it had to be enqueued.
func (v *review) look(ctx context.Context, key types.NamespacedName, acc *v1alpha1.SocialAccount) bool {
	defer v.r.Reviewed()
	lock := v.r.passes.of(key)
	if !lock.TryRLock() { // it is being reconciled, perhaps under what was in force before
		v.found.Add(reconcile.Request{NamespacedName: key})
		return true
	}
	defer lock.RUnlock()
	settled, err := v.judge(ctx, key, acc)
	if err != nil || !settled { // the queue tries again, and says what is wrong
		v.found.Add(reconcile.Request{NamespacedName: key})
		return true
	}
	return false
}

// judge says that an account's status says what it should.
func (v *review) judge(ctx context.Context, key types.NamespacedName, acc *v1alpha1.SocialAccount) (bool, error) {
	*acc = v1alpha1.SocialAccount{}
	if err := v.r.Client.Get(ctx, key, acc); err != nil {
		if apierrors.IsNotFound(err) {
			return true, nil // whoever deleted it has it enqueued
		}
		return false, fmt.Errorf("reading the account: %w", err)
	}
	if !acc.DeletionTimestamp.IsZero() {
		return true, nil
	}
	d, wait, err := v.r.conclude(ctx, acc)
	if err != nil {
		return false, err
	}
	if wait == 0 {
		if !d.unchanged {
			return false, nil
		}
		wait = v.r.count(acc, d)
	}
	if wait > 0 {
		v.found.AddAfter(reconcile.Request{NamespacedName: key}, wait)
	}
	return true, nil
}

// passes keeps two passes over one account apart: that of a worker, which holds the lock
// alone, and that of a review, whose walkers never meet over an account and share it.
// Accounts share locks too; there are many more of them than workers.
type passes [4096]sync.RWMutex

func (p *passes) of(key types.NamespacedName) *sync.RWMutex {
	return &p[xxhash.Sum64String(key.Namespace+"/"+key.Name)%uint64(len(p))]
}
