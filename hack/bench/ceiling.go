package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/figures"
)

// ceilingNamespace holds the copies; their names do not begin as the fleet's.
const (
	ceilingNamespace = "bench-ceiling"
	ceilingPrefix    = "copy-"
	ceilingOwner     = "mithaq-bench"
)

// platformName shortens the signatures.
type platformName = v1alpha1.PlatformName

// ceiling applies the statuses that the operator wrote to copies of its accounts that
// have none, by a bare client, while the operator does not run.
func (b *bench) ceiling(ctx context.Context) error {
	bodies, err := b.copies(ctx)
	if err != nil {
		return err
	}
	// Nobody governs the copies while the operator is away; they are gone before it is back.
	if err := b.stopOperator(); err != nil {
		return err
	}
	if err := b.createCopies(ctx, bodies); err != nil {
		return err
	}
	begun := time.Now()
	if err := b.parallel(ctx, "raw status writes", len(bodies), func(ctx context.Context, i int) error {
		return b.raw.Patch(types.ApplyPatchType).Namespace(ceilingNamespace).Resource("socialaccounts").Name(ceilingPrefix+fmt.Sprint(i)).SubResource("status").
			Param("fieldManager", ceilingOwner).Param("force", "true").Body(bodies[i].status).Do(ctx).Error()
	}); err != nil {
		return err
	}
	took := time.Since(begun)
	c := &ceiling{Objects: len(bodies), Writers: b.writers}
	if c.WritesPerSecond, err = figures.PerSecond(len(bodies), took); err != nil {
		return err
	}
	c.ObjectBytes = meanSize(bodies)
	b.result.Ceiling = c
	if conv := b.result.Convergence; conv != nil {
		conv.CeilingWritesPerSecond, conv.ObjectBytes = c.WritesPerSecond, c.ObjectBytes
		conv.Ratio = conv.WritesPerSecond / c.WritesPerSecond
		conv.WritingRatio = float64(conv.Writes) / conv.WritingSeconds / c.WritesPerSecond
	}
	return b.parallel(ctx, "copies deleted", len(bodies), func(ctx context.Context, i int) error {
		return b.cluster.Client.Delete(ctx, &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: ceilingNamespace, Name: ceilingPrefix + fmt.Sprint(i)}})
	})
}

// body is a copy's spec, the status to apply to it as JSON, and the size of the object
// that it is a copy of.
type body struct {
	spec   v1alpha1.SocialAccountSpec
	labels map[string]string
	status []byte
	size   int
}

// meanSize is the mean of the sizes of at least one object, in whole bytes.
func meanSize(bodies []body) int {
	sum := 0
	for _, body := range bodies {
		sum += body.size
	}
	return sum / len(bodies)
}

// copies reads converged accounts.
func (b *bench) copies(ctx context.Context) ([]body, error) {
	var list v1alpha1.SocialAccountList
	want := min(b.ceilingObjects, b.fleet.N)
	var out []body
	for len(out) < want {
		if err := b.cluster.Client.List(ctx, &list, client.Limit(500), client.Continue(list.Continue)); err != nil {
			return nil, err
		}
		for i := range list.Items {
			if len(out) == want {
				break
			}
			one, err := copyOf(&list.Items[i], len(out))
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
		if list.Continue == "" && len(out) < want {
			return nil, fmt.Errorf("there are %d accounts, not %d", len(out), want)
		}
	}
	return out, nil
}

func copyOf(acc *v1alpha1.SocialAccount, n int) (body, error) {
	whole, err := json.Marshal(acc)
	if err != nil {
		return body{}, err
	}
	status, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": v1alpha1.KindSocialAccount,
		"metadata": map[string]string{"name": ceilingPrefix + fmt.Sprint(n), "namespace": ceilingNamespace},
		"status":   acc.Status,
	})
	return body{*acc.Spec.DeepCopy(), acc.Labels, status, len(whole)}, err
}

func (b *bench) createCopies(ctx context.Context, bodies []body) error {
	if err := b.cluster.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ceilingNamespace}}); err != nil {
		return err
	}
	return b.parallel(ctx, "copies created", len(bodies), func(ctx context.Context, i int) error {
		return b.cluster.Client.Create(ctx, &v1alpha1.SocialAccount{
			ObjectMeta: metav1.ObjectMeta{Namespace: ceilingNamespace, Name: ceilingPrefix + fmt.Sprint(i), Labels: bodies[i].labels}, Spec: bodies[i].spec,
		})
	})
}

// bareInformer is how long an informer that does nothing takes to hold all accounts.
func (b *bench) bareInformer(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begun := time.Now()
	informer := cache.NewSharedInformer(cache.NewListWatchFromClient(b.raw, "socialaccounts", metav1.NamespaceAll, fields.Everything()), &v1alpha1.SocialAccount{}, 0)
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return 0, fmt.Errorf("waiting for a bare informer: %w", ctx.Err())
	}
	took := time.Since(begun)
	if n := len(informer.GetStore().ListKeys()); n < b.fleet.N {
		return 0, fmt.Errorf("the bare informer holds %d accounts of %d", n, b.fleet.N)
	}
	return took, nil
}
