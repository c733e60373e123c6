package governancepolicy

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	apply "mithaq.dev/mithaq/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/status"
	"mithaq.dev/mithaq/internal/tally"
)

// Reconciler accepts or rejects one policy at a time.
type Reconciler struct {
	Config
	// uids remembers the policies by name, to forget them when they are gone.
	uids map[string]types.UID
	// counted is when a policy's counts were last written.
	counted map[string]time.Time
	// shared is when they were last shown to the other shards.
	shared map[string]time.Time
	// previews are the last ones of policies of mode Preview.
	previews map[string]previewed
}

// New returns a Reconciler. It is not safe for concurrent use: one worker.
func New(cfg Config) *Reconciler {
	return &Reconciler{Config: cfg, uids: map[string]types.UID{}, counted: map[string]time.Time{}, shared: map[string]time.Time{}, previews: map[string]previewed{}}
}

// Reconcile aligns one policy's status with its spec and with the fleet.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	policy := &v1alpha1.GovernancePolicy{}
	if err := r.Client.Get(ctx, req.NamespacedName, policy); err != nil {
		if apierrors.IsNotFound(err) {
			r.Editions.Forget(r.uids[req.Name])
			delete(r.uids, req.Name)
			delete(r.counted, req.Name)
			delete(r.shared, req.Name)
			delete(r.previews, req.Name)
			if !r.Board.Alone() {
				return ctrl.Result{}, r.Board.Drop(ctx, req.Name)
			}
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the policy: %w", err)
	}
	r.uids[policy.Name] = policy.UID
	known, err := r.Editions.Of(ctx, policy)
	if err != nil {
		return ctrl.Result{}, err
	}
	if len(known.Problems) == 0 {
		if err := r.Editions.Keep(ctx, policy); err != nil {
			return ctrl.Result{}, err
		}
	}
	complete, err := r.complete()
	if err != nil {
		return ctrl.Result{}, err
	}
	preview, err := r.preview(ctx, policy.Name, known)
	if err != nil {
		return ctrl.Result{}, err
	}
	mine := &part{UID: policy.UID, Epoch: r.Epoch, Counts: r.Tally.Policy(policy.Name), Preview: preview}
	f := facts{edition: known, complete: complete}
	if r.Board.Alone() {
		f.take(mine)
		return r.apply(ctx, policy, f)
	}
	return r.share(ctx, policy, f, mine)
}

// share shows what this shard counts, and writes what all count where that is ours to
// do.
func (r *Reconciler) share(ctx context.Context, policy *v1alpha1.GovernancePolicy, f facts, mine *part) (ctrl.Result, error) {
	now := r.Clock.Now()
	if f.complete {
		// Counts alone are shown at most once every Settle.
		if wait := r.shared[policy.Name].Add(r.Settle).Sub(now); wait > 0 {
			return ctrl.Result{RequeueAfter: wait}, nil
		}
		if err := r.Board.Put(ctx, policy.Name, mine); err != nil {
			return ctrl.Result{}, err
		}
		r.shared[policy.Name] = now
	}
	f.preview = mine.Preview
	if !r.Board.Leads() {
		return r.again(f), nil
	}
	var own *part
	if f.complete {
		own = mine
	}
	sum, complete, err := r.together(ctx, policy, own)
	if err != nil {
		return ctrl.Result{}, err
	}
	f.complete, f.partial = complete, true
	if complete {
		f.take(sum)
		f.partial = sum.Preview == nil && mine.Preview != nil
	}
	return r.apply(ctx, policy, f)
}

// take takes in what the whole fleet counts.
func (f *facts) take(p *part) {
	f.counts, f.preview, f.partial = p.Counts, p.Preview, false
}

// complete says whether every account of the cache has been judged by this
// process: before, the counts would tell of a fleet that is too small.
func (r *Reconciler) complete() (bool, error) {
	// What is being deleted is judged no more; its grants may take an hour to end.
	wanted, err := r.Fleet.Living()
	return err == nil && r.Tally.Accounts() >= wanted, err
}

// facts is everything that a decision about a policy rests on.
type facts struct {
	edition  edition.Edition
	complete bool
	counts   tally.Policy
	// preview is nil for a policy that is not in mode Preview, and where not all shards
	// show one of the same edition yet; then partial says that the last one stays.
	preview *previewPart
	partial bool
}

// apply writes what is new. Acceptance is written at once; counts alone at most
// once every Settle.
func (r *Reconciler) apply(ctx context.Context, policy *v1alpha1.GovernancePolicy, f facts) (ctrl.Result, error) {
	now := r.Clock.Now()
	if wait := r.counted[policy.Name].Add(r.Settle).Sub(now); wait > 0 && policy.Status.ObservedGeneration == policy.Generation {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	next, events := decide(policy, f, now)
	if status.Same(policy.Status, next) {
		return r.again(f), nil
	}
	ac, err := status.As[apply.GovernancePolicyStatusApplyConfiguration](next)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := status.Apply(ctx, r.Client, Name, apply.GovernancePolicy(policy.Name).WithUID(policy.UID).WithStatus(ac)); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.counted[policy.Name] = now
	for _, e := range events {
		status.Tell(r.Recorder, policy, nil, e.reason, e.note)
	}
	return r.again(f), nil
}

// again looks once more while the fleet is not wholly judged: nobody wakes the
// controller when the last account turns out to be under no policy. A preview follows
// the fleet slowly.
func (r *Reconciler) again(f facts) ctrl.Result {
	switch {
	case !f.complete:
		return ctrl.Result{RequeueAfter: max(r.Settle, time.Second)}
	case f.preview != nil:
		return ctrl.Result{RequeueAfter: r.previewEvery()}
	default:
		return ctrl.Result{}
	}
}
