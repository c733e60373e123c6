package governancepolicy

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/tally"
)

// The counts of every policy wait for all accounts, but not for one whose deletion
// takes an hour to end its grants.
func TestCountsWaitForAllButWhoIsLeaving(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	now := metav1.Now()
	stays := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "edu", Name: "stays"}}
	leaves := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: "edu", Name: "leaves", DeletionTimestamp: &now, Finalizers: []string{"mithaq.dev/custody"},
	}}
	fleet := tally.New(func(string) {})
	r := New(Config{Client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(stays, leaves).Build(), Tally: fleet})
	for _, want := range []bool{false, true} {
		if got, err := r.complete(t.Context()); err != nil || got != want {
			t.Errorf("complete is %t, %v, want %t", got, err, want)
		}
		fleet.Set(client.ObjectKeyFromObject(stays), []string{"manual"}, nil)
	}
}
