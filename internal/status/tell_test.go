package status

import (
	"testing"

	"k8s.io/client-go/tools/events"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestAnEventIsAsSevereAsTheCatalogueSays(t *testing.T) {
	for _, kind := range v1alpha1.Events() {
		recorder := events.NewFakeRecorder(1)
		Tell(recorder, &v1alpha1.GovernancePolicy{}, nil, kind.Reason, "100% of it")
		severity := "Normal"
		if kind.Warning {
			severity = "Warning"
		}
		if got, want := <-recorder.Events, severity+" "+string(kind.Reason)+" 100% of it"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if found, known := EventKind(kind.Reason); !known || found != kind {
			t.Errorf("%s is %+v", kind.Reason, found)
		}
	}
	if _, known := EventKind("Whatever"); known {
		t.Error("an unknown reason is known")
	}
}
