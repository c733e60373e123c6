// Package roster knows, over the whole fleet, who shares what with whom: which accounts
// claim the same account, and how many accounts a person has. Answers cost what they
// return, however many accounts a person has.
//
// It holds less than 300 bytes for an account, so that a process that acts for a
// part of the fleet can know of all the others what its own verdicts hang on.
package roster

import (
	"iter"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Change is what an account gained and lost of its ties.
type Change struct {
	Key          types.NamespacedName
	Gained, Lost []Tie
}

// Peer is an account that shares a tie.
type Peer struct {
	Key     types.NamespacedName
	UID     types.UID
	created int64
	uid     id
}

// Roster is safe for concurrent use. Several watches may feed it: of two states of an
// account the newer stays.
type Roster struct {
	mu      sync.RWMutex
	members members
	ties    ties

	watching sync.RWMutex
	next     int
	watchers map[int]func(Change)
}

// New returns an empty roster.
func New() *Roster {
	return &Roster{members: newMembers(), ties: newTies(), watchers: map[int]func(Change){}}
}

// Put takes note of an account as it is now, tells whoever watches, and returns the
// ties that it gained and lost. What is older than what is known changes nothing.
func (r *Roster) Put(acc *v1alpha1.SocialAccount) Change {
	change := r.put(acc, TiesOf(acc))
	r.tell(change)
	return change
}

func (r *Roster) put(acc *v1alpha1.SocialAccount, ties []Tie) Change {
	change := Change{Key: types.NamespacedName{Namespace: acc.Namespace, Name: acc.Name}}
	next := member{
		uid: idOf(acc.UID), version: version(acc.ResourceVersion), created: acc.CreationTimestamp.Unix(), deleting: !acc.DeletionTimestamp.IsZero(),
	}
	next.pack(ties, acc.Name)
	r.mu.Lock()
	defer r.mu.Unlock()
	slot := r.members.slot(next.uid, acc.UID)
	was := r.members.at(slot)
	if next.version != 0 && next.version < was.version {
		return change
	}
	for _, tie := range ties {
		if !was.has(tie) {
			change.Gained = append(change.Gained, tie)
			r.ties.add(tie, slot)
		}
	}
	for i := range int(was.ties) {
		if tie := was.tie(i); !next.has(tie) {
			change.Lost = append(change.Lost, tie)
			r.ties.remove(tie, slot)
		}
	}
	next.ns = r.members.space(acc.Namespace)
	*was = next
	return change
}

// Drop forgets an account, tells whoever watches, and returns the ties that it had.
func (r *Roster) Drop(uid types.UID) Change {
	change := r.drop(idOf(uid))
	r.tell(change)
	return change
}

func (r *Roster) drop(uid id) Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	slot, ok := r.members.find(uid)
	if !ok {
		return Change{}
	}
	was := r.members.at(slot)
	change := Change{Key: r.members.key(was), Lost: make([]Tie, was.ties)}
	for i := range change.Lost {
		change.Lost[i] = was.tie(i)
		r.ties.remove(change.Lost[i], slot)
	}
	r.members.free(slot)
	return change
}

// Keep drops everybody who is not named.
func (r *Roster) Keep(uids map[types.UID]struct{}) {
	keep := make(map[id]struct{}, len(uids))
	for uid := range uids {
		keep[idOf(uid)] = struct{}{}
	}
	r.mu.RLock()
	var gone []id
	for slot := range r.members.used {
		one := r.members.at(slot)
		if _, ok := keep[one.uid]; !ok && one.packed != "" {
			gone = append(gone, one.uid)
		}
	}
	r.mu.RUnlock()
	for _, uid := range gone {
		r.tell(r.drop(uid))
	}
}

// Watch hears of every change from now on, until stop is called. It must not block, nor
// ask for a change of the roster.
func (r *Roster) Watch(hear func(Change)) (stop func()) {
	r.watching.Lock()
	defer r.watching.Unlock()
	n := r.next
	r.next++
	r.watchers[n] = hear
	return func() {
		r.watching.Lock()
		defer r.watching.Unlock()
		delete(r.watchers, n)
	}
}

func (r *Roster) tell(c Change) {
	if len(c.Gained) == 0 && len(c.Lost) == 0 {
		return
	}
	r.watching.RLock()
	defer r.watching.RUnlock()
	for _, hear := range r.watchers {
		hear(c)
	}
}

// Accounts is the number of accounts.
func (r *Roster) Accounts() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.members.len()
}

// Count is the number of accounts that share a tie.
func (r *Roster) Count(tie Tie) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if tie.IsPerson() {
		return r.ties.people.count(tie)
	}
	n := 0
	for range r.claimants(tie) {
		n++
	}
	return n
}

// Sharing lists the accounts that share a tie.
func (r *Roster) Sharing(tie Tie) []Peer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	slots := r.claimants(tie)
	if tie.IsPerson() {
		slots = r.ties.people.of(tie)
	}
	var out []Peer
	for slot := range slots {
		out = append(out, r.members.peer(slot))
	}
	return out
}

// claimants are the slots of those who have a claim.
func (r *Roster) claimants(claim Tie) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for slot := range r.ties.claims.of(claim.short()) {
			if r.members.at(slot).has(claim) && !yield(slot) {
				return
			}
		}
	}
}

// Rival is the oldest other account that claims the same one and is older than acc;
// false if there is none. The older object wins, and of two made in the same second the
// one with the lower UID.
func (r *Roster) Rival(acc *v1alpha1.SocialAccount) (Peer, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	oldest := Peer{created: acc.CreationTimestamp.Unix(), uid: idOf(acc.UID)}
	found := false
	for _, claim := range claims(acc) {
		for slot := range r.claimants(claim) {
			if r.members.at(slot).deleting {
				continue
			}
			if p := r.members.peer(slot); p.olderThan(oldest) {
				oldest, found = p, true
			}
		}
	}
	return oldest, found
}

// olderThan is a total order: nobody is older than itself.
func (p Peer) olderThan(q Peer) bool {
	if p.created != q.created {
		return p.created < q.created
	}
	return p.uid.less(q.uid)
}

// Created is when the account was declared.
func (p Peer) Created() time.Time { return time.Unix(p.created, 0).UTC() }

// version orders the states of an object (they are whole numbers since Kubernetes
// 1.35); 0: not known.
func version(resourceVersion string) uint64 {
	n, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
