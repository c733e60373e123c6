package handover

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/rotation"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func TestAWordDatedAheadCountsFromThenOn(t *testing.T) {
	words := []v1alpha1.Attestation{
		{Control: "end-sessions", At: metav1.NewTime(noon)},
		{Control: "change-password", At: metav1.NewTime(noon.Add(time.Hour))},
		{Control: "remove-delegates", At: metav1.NewTime(noon.Add(time.Minute))},
	}
	f := &facts{}
	f.gatherWords(words, noon)
	if len(f.Attested) != 1 || !f.Attested["end-sessions"].Equal(noon) || !f.ahead.Equal(noon.Add(time.Minute)) {
		t.Errorf("counts %v, next at %s", f.Attested, f.ahead)
	}
	f = &facts{}
	f.gatherWords(words[:1], noon)
	if !f.ahead.IsZero() {
		t.Error("it looks again for what has come")
	}
}

// consents has no open offer.
type consents struct{ Consents }

func (consents) RedirectURI() string { return "" }

// Nothing is stored or sent for a call whose app is not open: the intent would be
// taken for a call whose answer was lost. The reconciler has no keeper here, so that
// storing would panic.
func TestACallWaitsForItsApp(t *testing.T) {
	r := New(Config{Apps: custody.NewApps(), Consents: consents{}, Perform: func(context.Context, custody.Job) rotation.Outcome {
		t.Error("it was sent")
		return rotation.Outcome{}
	}})
	step := rotation.Step{Vault: rotation.New("uid"), Call: &rotation.Call{Kind: rotation.CallMutate, Op: &rotation.Op{}}}
	if err := r.perform(t.Context(), &v1alpha1.SocialAccount{}, &hand{}, step, &facts{}); !errors.Is(err, errClosed) {
		t.Errorf("%v", err)
	}
	result, err := r.rest(step, nil, &facts{}, errClosed)
	if err != nil || result.RequeueAfter != closedEvery {
		t.Errorf("it is told as an error: %v, %v", result, err)
	}
}

// budgets lets nobody through, and knows who waits.
type budgets struct {
	Budgets
	waiting map[types.NamespacedName]bool
}

func (b budgets) Leave(account types.NamespacedName) { delete(b.waiting, account) }

// An account that is gone waits for nothing.
func TestWhoNeedsNoCallLeavesTheLine(t *testing.T) {
	gone := types.NamespacedName{Namespace: "edu", Name: "gone"}
	b := budgets{waiting: map[types.NamespacedName]bool{gone: true}}
	known := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(known); err != nil {
		t.Fatal(err)
	}
	r := New(Config{Client: fake.NewClientBuilder().WithScheme(known).Build(), Budgets: b})
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: gone}); err != nil || b.waiting[gone] {
		t.Errorf("%v; it waits: %t", err, b.waiting[gone])
	}
}
