package wake

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/event"
)

func TestLater(t *testing.T) {
	later := Later()
	if later.Create(event.CreateEvent{IsInInitialList: true}) {
		t.Error("what was there at the start wakes")
	}
	if !later.Create(event.CreateEvent{}) || !later.Update(event.UpdateEvent{}) || !later.Delete(event.DeleteEvent{}) || !later.Generic(event.GenericEvent{}) {
		t.Error("what comes later does not wake")
	}
}
