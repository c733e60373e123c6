package socialaccount

import (
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// roster knows, over the whole fleet, who shares what with whom: which accounts
// claim the same account, and how many accounts a person has. It is fed by the
// watch, which delivers every account before the first reconcile. Answers cost
// what they return, however many accounts a person has.
type roster struct {
	mu      sync.RWMutex
	members map[types.NamespacedName]member
	ties    map[string]map[types.NamespacedName]struct{}
}

// member is one account of the roster.
type member struct {
	uid      types.UID
	created  metav1.Time
	deleting bool
	ties     []string
}

func newRoster() *roster {
	return &roster{members: map[types.NamespacedName]member{}, ties: map[string]map[types.NamespacedName]struct{}{}}
}

// personTie is the tie between the accounts of a person.
func personTie(person string) string { return "person/" + person }

func tiesOf(acc *v1alpha1.SocialAccount) []string {
	ties := claims(acc)
	for _, person := range people(acc) {
		ties = append(ties, personTie(person))
	}
	return ties
}

// put takes note of an account as it is now, and returns the ties that it gained
// and lost.
func (r *roster) put(acc *v1alpha1.SocialAccount) (gained, lost []string) {
	key := client.ObjectKeyFromObject(acc)
	next := member{acc.UID, acc.CreationTimestamp, !acc.DeletionTimestamp.IsZero(), tiesOf(acc)}
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.members[key]
	for _, tie := range next.ties {
		if !slices.Contains(was.ties, tie) {
			gained = append(gained, tie)
			r.tie(tie, key)
		}
	}
	for _, tie := range was.ties {
		if !slices.Contains(next.ties, tie) {
			lost = append(lost, tie)
			r.untie(tie, key)
		}
	}
	r.members[key] = next
	return gained, lost
}

// drop forgets an account, and returns the ties that it had.
func (r *roster) drop(key types.NamespacedName) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.members[key]
	for _, tie := range was.ties {
		r.untie(tie, key)
	}
	delete(r.members, key)
	return was.ties
}

func (r *roster) tie(tie string, key types.NamespacedName) {
	if r.ties[tie] == nil {
		r.ties[tie] = map[types.NamespacedName]struct{}{}
	}
	r.ties[tie][key] = struct{}{}
}

func (r *roster) untie(tie string, key types.NamespacedName) {
	delete(r.ties[tie], key)
	if len(r.ties[tie]) == 0 {
		delete(r.ties, tie)
	}
}

// count is the number of accounts that share a tie.
func (r *roster) count(tie string) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.ties[tie])
}

// sharing lists the accounts that share a tie.
func (r *roster) sharing(tie string) []types.NamespacedName {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]types.NamespacedName, 0, len(r.ties[tie]))
	for key := range r.ties[tie] {
		out = append(out, key)
	}
	return out
}

// rival is the oldest other account that claims the same one and is older than
// acc; nil if there is none.
func (r *roster) rival(acc *v1alpha1.SocialAccount) *v1alpha1.SocialAccount {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var oldest *v1alpha1.SocialAccount
	for _, claim := range claims(acc) {
		for key := range r.ties[claim] {
			m := r.members[key]
			other := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{
				Namespace: key.Namespace, Name: key.Name, UID: m.uid, CreationTimestamp: m.created,
			}}
			if m.uid == acc.UID || m.deleting || !older(other, acc) {
				continue
			}
			if oldest == nil || older(other, oldest) {
				oldest = other
			}
		}
	}
	return oldest
}
