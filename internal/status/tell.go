package status

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"mithaq.dev/mithaq/api/v1alpha1"
)

var kinds = func() map[v1alpha1.EventReason]v1alpha1.EventKind {
	kinds := map[v1alpha1.EventReason]v1alpha1.EventKind{}
	for _, kind := range v1alpha1.Events() {
		kinds[kind.Reason] = kind
	}
	return kinds
}()

// EventKind is what the catalogue says of an event; false: it does not know the reason.
func EventKind(reason v1alpha1.EventReason) (v1alpha1.EventKind, bool) {
	kind, known := kinds[reason]
	return kind, known
}

// Tell tells an event with the severity and action of the catalogue. It is for what is
// saved already. Related may be nil.
func Tell(recorder events.EventRecorder, about, related runtime.Object, reason v1alpha1.EventReason, note string) {
	kind := kinds[reason]
	severity := corev1.EventTypeNormal
	if kind.Warning {
		severity = corev1.EventTypeWarning
	}
	recorder.Eventf(about, related, severity, string(reason), string(kind.Action), "%s", note)
}
