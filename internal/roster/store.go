package roster

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unique"

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

// members are the accounts, by slots that are used again.
type members struct {
	all   []member
	slots map[id]uint32
	empty []uint32
	// odd are UIDs that are no UUIDs; API servers have none.
	odd map[id]types.UID
}

func newMembers() members { return members{slots: map[id]uint32{}, odd: map[id]types.UID{}} }

func (m *members) find(u id) (uint32, bool) {
	slot, ok := m.slots[u]
	return slot, ok
}

// slot is an account's; a new one if it has none.
func (m *members) slot(u id, uid types.UID) uint32 {
	if slot, ok := m.slots[u]; ok {
		return slot
	}
	if u.uid() != uid {
		m.odd[u] = uid
	}
	slot := uint32(len(m.all))
	if n := len(m.empty); n > 0 {
		slot, m.empty = m.empty[n-1], m.empty[:n-1]
	} else {
		m.all = append(m.all, member{ns: unique.Make("")})
	}
	m.slots[u] = slot
	return slot
}

func (m *members) at(slot uint32) member { return m.all[slot] }

func (m *members) set(slot uint32, next member) { m.all[slot] = next }

func (m *members) free(slot uint32) {
	delete(m.slots, m.all[slot].uid)
	delete(m.odd, m.all[slot].uid)
	m.all[slot] = member{ns: unique.Make("")}
	m.empty = append(m.empty, slot)
}

func (m *members) peer(slot uint32) Peer {
	one := &m.all[slot]
	p := Peer{Key: types.NamespacedName{Namespace: one.ns.Value(), Name: one.name}, created: one.created, uid: one.uid}
	p.UID = one.uid.uid()
	if odd, ok := m.odd[one.uid]; ok {
		p.UID = odd
	}
	return p
}

// index finds the accounts that share a tie. Nearly all ties are one account's, so the
// slot itself is what is stored; only who shares has a list.
type index struct {
	first map[Tie]uint32
	lists [][]uint32
	empty []uint32
}

// shared marks the number of a list.
const shared = 1 << 31

func newIndex() index { return index{first: map[Tie]uint32{}} }

func (x *index) of(t Tie) []uint32 {
	one, ok := x.first[t]
	switch {
	case !ok:
		return nil
	case one&shared == 0:
		return []uint32{one}
	}
	return x.lists[one&^shared]
}

func (x *index) add(t Tie, slot uint32) {
	one, ok := x.first[t]
	switch {
	case !ok:
		x.first[t] = slot
	case one&shared == 0:
		n := uint32(len(x.lists))
		if last := len(x.empty); last > 0 {
			n, x.empty = x.empty[last-1], x.empty[:last-1]
		} else {
			x.lists = append(x.lists, nil)
		}
		x.lists[n] = []uint32{one, slot}
		x.first[t] = n | shared
	default:
		x.lists[one&^shared] = append(x.lists[one&^shared], slot)
	}
}

func (x *index) remove(t Tie, slot uint32) {
	one, ok := x.first[t]
	if !ok {
		return
	}
	if one&shared == 0 {
		delete(x.first, t)
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
		x.first[t] = list[0]
		x.lists[n] = nil
		x.empty = append(x.empty, n)
	}
}
