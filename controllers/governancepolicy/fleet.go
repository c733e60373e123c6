package governancepolicy

import (
	"context"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
)

// previewed is a preview and what it was computed from.
type previewed struct {
	digest string
	fleet  uint64
	at     time.Time
	result *previewPart
}

// previewEvery is how often a preview follows the fleet at most. A changed policy is
// computed at once.
func (r *Reconciler) previewEvery() time.Duration { return max(12*r.Settle, time.Minute) }

// preview computes what an edition of mode Preview would change, from the cache alone;
// nil for another mode.
func (r *Reconciler) preview(ctx context.Context, name string, known edition.Edition) (*previewPart, error) {
	if known.InForce == nil || known.InForce.Mode() != v1alpha1.ModePreview {
		delete(r.previews, name)
		return nil, nil
	}
	now, last := r.Clock.Now(), r.previews[name]
	if last.digest == known.InForce.Digest() && now.Before(last.at.Add(r.previewEvery())) {
		return last.result, nil
	}
	f, mark, err := r.fleet(ctx)
	if err != nil {
		return nil, err
	}
	next := previewed{digest: known.InForce.Digest(), fleet: mark, at: now, result: last.result}
	if last.result == nil || last.digest != next.digest || last.fleet != mark {
		next.result = compare(known.InForce.Enforced(), f, now)
	}
	r.previews[name] = next
	return next.result, nil
}

// fleet reads what a preview rests on, with a mark that changes with it. The objects
// are the cache's own.
func (r *Reconciler) fleet(ctx context.Context) (*fleet, uint64, error) {
	f := &fleet{namespaces: map[string]map[string]string{}, since: map[string]time.Time{}, readable: r.Readable, accountsOf: r.AccountsOf}
	var namespaces corev1.NamespaceList
	var policies v1alpha1.GovernancePolicyList
	for what, list := range map[string]client.ObjectList{"namespaces": &namespaces, "policies": &policies} {
		if err := r.Client.List(ctx, list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
			return nil, 0, fmt.Errorf("listing %s for a preview: %w", what, err)
		}
	}
	mark := uint64(0)
	f.accounts = r.Fleet.All()
	for acc := range f.accounts {
		mark += xxhash.Sum64String(string(acc.UID) + acc.ResourceVersion)
	}
	for i := range namespaces.Items {
		n := &namespaces.Items[i]
		f.namespaces[n.Name] = n.Labels
		mark += xxhash.Sum64String(string(n.UID) + n.ResourceVersion)
	}
	for i := range policies.Items {
		inForce, err := r.inForce(ctx, f, &policies.Items[i])
		if err != nil {
			return nil, 0, err
		}
		if inForce != nil {
			mark += xxhash.Sum64String(inForce.Digest())
		}
	}
	return f, mark, nil
}

// inForce adds a policy that is in force to the fleet.
func (r *Reconciler) inForce(ctx context.Context, f *fleet, policy *v1alpha1.GovernancePolicy) (*governance.Policy, error) {
	known, err := r.Editions.Of(ctx, policy)
	if err != nil || known.InForce == nil || known.InForce.Mode() == v1alpha1.ModePreview {
		return nil, err
	}
	f.inForce = append(f.inForce, known.InForce)
	if in := policy.Status.InForce; in != nil && in.Since != nil {
		f.since[policy.Name] = in.Since.Time
	}
	return known.InForce, nil
}
