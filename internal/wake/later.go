package wake

import (
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// Later leaves out what was there at the start. Who is enqueued by what a watch brings
// of itself needs no second reason there: with a large fleet, one for each connection and
// namespace would take longer than everything else.
func Later() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList }}
}
