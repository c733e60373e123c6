package governancepolicy

import (
	"iter"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/tally"
)

// living is a cache that holds so many accounts that are not being deleted.
type living int

func (n living) Living() (int, error) { return int(n), nil }

func (n living) All() iter.Seq[*v1alpha1.SocialAccount] { return these() }

// these are some accounts.
func these(accounts ...v1alpha1.SocialAccount) iter.Seq[*v1alpha1.SocialAccount] {
	return func(yield func(*v1alpha1.SocialAccount) bool) {
		for i := range accounts {
			if !yield(&accounts[i]) {
				return
			}
		}
	}
}

// The counts of every policy wait for all accounts, but not for one whose deletion
// takes an hour to end its grants.
func TestCountsWaitForAllButWhoIsLeaving(t *testing.T) {
	judged := tally.New(func(string) {})
	r := New(Config{Fleet: living(1), Tally: judged})
	for _, want := range []bool{false, true} {
		if got, err := r.complete(); err != nil || got != want {
			t.Errorf("complete is %t, %v, want %t", got, err, want)
		}
		judged.Set(client.ObjectKey{Namespace: "edu", Name: "stays"}, []string{"manual"}, nil)
	}
}
