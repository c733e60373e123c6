package shard

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Watch makes a controller watch the boards of a board's kind, if it is the one that
// adds them up.
func (b *Board) Watch(to *builder.Builder) *builder.Builder {
	if b.Alone() || !b.Leads() {
		return to
	}
	ours := predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetLabels()[LabelBoard] == b.Kind })
	return to.Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(shown), builder.WithPredicates(ours))
}

// shown are the objects that a board is about.
func shown(_ context.Context, o client.Object) []reconcile.Request {
	board, ok := o.(*corev1.ConfigMap)
	if !ok {
		return nil
	}
	var out []reconcile.Request
	for name := range board.Data {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKey{Name: name}})
	}
	return out
}
