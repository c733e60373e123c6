package roster

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"k8s.io/apimachinery/pkg/types"
)

// id is a UID in 16 bytes. Those of API servers are UUIDs in lower case, and keep their
// order; any other text is kept as it is while it fits, and hashed when it does not.
type id [16]byte

func idOf(uid types.UID) id {
	var out id
	if u, ok := parse(string(uid)); ok {
		return u
	}
	if len(uid) <= len(out) {
		copy(out[:], uid)
		return out
	}
	sum := sha256.Sum256([]byte(uid))
	copy(out[:], sum[:])
	return out
}

// parse reads the canonical form alone: what is written back is the same text.
func parse(s string) (id, bool) {
	var out id
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' || strings.ToLower(s) != s {
		return out, false
	}
	n, err := hex.Decode(out[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:]))
	return out, err == nil && n == len(out)
}

func (i id) uid() types.UID {
	h := hex.EncodeToString(i[:])
	return types.UID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

func (i id) less(j id) bool { return bytes.Compare(i[:], j[:]) < 0 }

// short leads to an id in an index: others may have the same.
func (i id) short() uint32 { return uint32(xxhash.Sum64(i[:])) }

// member is one account. packed is its ties and then its name, in one piece: a handle, an
// id and at most 51 people (the schema), and no account is without any.
type member struct {
	uid      id
	version  uint64
	created  int64
	ns       uint32
	ties     uint16
	deleting bool
	packed   string
}

func (m *member) pack(ties []Tie, name string) {
	var b strings.Builder
	b.Grow(len(ties)*len(Tie{}) + len(name))
	for i := range ties {
		b.Write(ties[i][:])
	}
	b.WriteString(name)
	m.ties, m.packed = uint16(len(ties)), b.String()
}

func (m *member) name() string { return m.packed[int(m.ties)*len(Tie{}):] }

func (m *member) tie(i int) Tie {
	var t Tie
	copy(t[:], m.packed[i*len(t):])
	return t
}

func (m *member) has(t Tie) bool {
	for i := range int(m.ties) {
		if m.packed[i*len(t):(i+1)*len(t)] == string(t[:]) {
			return true
		}
	}
	return false
}

// page is how many members lie in one piece, so that growing copies nobody.
const page = 1024

// members are the accounts, by slots that are used again.
type members struct {
	pages []*[page]member
	used  uint32
	byUID index[uint32]
	empty []uint32
	// spaces are the numbers of namespaces, names the other way.
	spaces map[string]uint32
	names  []string
	// odd are UIDs that are no UUIDs; API servers have none.
	odd map[id]types.UID
}

func newMembers() members {
	return members{byUID: newIndex[uint32](), spaces: map[string]uint32{}, odd: map[id]types.UID{}}
}

func (m *members) len() int { return int(m.used) - len(m.empty) }

func (m *members) at(slot uint32) *member { return &m.pages[slot/page][slot%page] }

func (m *members) find(u id) (uint32, bool) {
	for slot := range m.byUID.of(u.short()) {
		if m.at(slot).uid == u {
			return slot, true
		}
	}
	return 0, false
}

// slot is an account's; a new one if it has none.
func (m *members) slot(u id, uid types.UID) uint32 {
	if slot, ok := m.find(u); ok {
		return slot
	}
	if u.uid() != uid {
		m.odd[u] = uid
	}
	slot := m.used
	if n := len(m.empty); n > 0 {
		slot, m.empty = m.empty[n-1], m.empty[:n-1]
	} else {
		if slot%page == 0 {
			m.pages = append(m.pages, new([page]member))
		}
		m.used++
	}
	m.at(slot).uid = u
	m.byUID.add(u.short(), slot)
	return slot
}

func (m *members) free(slot uint32) {
	one := m.at(slot)
	m.byUID.remove(one.uid.short(), slot)
	delete(m.odd, one.uid)
	*one = member{}
	m.empty = append(m.empty, slot)
}

// space is a namespace's number. Namespaces are few, and are never forgotten.
func (m *members) space(namespace string) uint32 {
	n, ok := m.spaces[namespace]
	if !ok {
		n = uint32(len(m.names))
		namespace = strings.Clone(namespace)
		m.spaces[namespace], m.names = n, append(m.names, namespace)
	}
	return n
}

func (m *members) key(one *member) types.NamespacedName {
	return types.NamespacedName{Namespace: m.names[one.ns], Name: one.name()}
}

func (m *members) peer(slot uint32) Peer {
	one := m.at(slot)
	p := Peer{Key: m.key(one), UID: one.uid.uid(), created: one.created, uid: one.uid}
	if odd, ok := m.odd[one.uid]; ok {
		p.UID = odd
	}
	return p
}

// index finds the slots of a key. Nearly all keys are one account's, so the slot itself
// is what is stored; only who shares has a list.
type index[K comparable] struct {
	first map[K]uint32
	lists [][]uint32
	empty []uint32
}

// shared marks the number of a list.
const shared = 1 << 31

func newIndex[K comparable]() index[K] { return index[K]{first: map[K]uint32{}} }

// of walks over the slots of a key.
func (x *index[K]) of(k K) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		one, ok := x.first[k]
		switch {
		case !ok:
		case one&shared == 0:
			yield(one)
		default:
			slices.Values(x.lists[one&^shared])(yield)
		}
	}
}

func (x *index[K]) count(k K) int {
	one, ok := x.first[k]
	switch {
	case !ok:
		return 0
	case one&shared == 0:
		return 1
	}
	return len(x.lists[one&^shared])
}

func (x *index[K]) add(k K, slot uint32) {
	one, ok := x.first[k]
	switch {
	case !ok:
		x.first[k] = slot
	case one&shared == 0:
		n := uint32(len(x.lists))
		if last := len(x.empty); last > 0 {
			n, x.empty = x.empty[last-1], x.empty[:last-1]
		} else {
			x.lists = append(x.lists, nil)
		}
		x.lists[n] = []uint32{one, slot}
		x.first[k] = n | shared
	default:
		x.lists[one&^shared] = append(x.lists[one&^shared], slot)
	}
}

func (x *index[K]) remove(k K, slot uint32) {
	one, ok := x.first[k]
	if !ok {
		return
	}
	if one&shared == 0 {
		delete(x.first, k)
		return
	}
	n := one &^ shared
	list := x.lists[n]
	for i, other := range list {
		if other == slot {
			list[i] = list[len(list)-1]
			list = list[:len(list)-1]
			break
		}
	}
	x.lists[n] = list
	if len(list) == 1 {
		x.first[k] = list[0]
		x.lists[n] = nil
		x.empty = append(x.empty, n)
	}
}

// ties find who shares one. A person has an entry, since people are counted often and
// have many accounts. A claim is nearly always one account's, and the whole of it lies
// with that: 32 bits of it lead there, and whoever was found is asked.
type ties struct {
	people index[Tie]
	claims index[uint32]
}

func newTies() ties { return ties{newIndex[Tie](), newIndex[uint32]()} }

func (x *ties) add(t Tie, slot uint32) {
	if t.IsPerson() {
		x.people.add(t, slot)
		return
	}
	x.claims.add(t.short(), slot)
}

func (x *ties) remove(t Tie, slot uint32) {
	if t.IsPerson() {
		x.people.remove(t, slot)
		return
	}
	x.claims.remove(t.short(), slot)
}
