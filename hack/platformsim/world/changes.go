package world

import (
	"cmp"
	"slices"
	"time"
)

// ChangeKind is what became of an account.
type ChangeKind string

// The kinds: a closed list.
const (
	Created  ChangeKind = "created"
	Modified ChangeKind = "modified"
	Gone     ChangeKind = "deleted"
)

// Change is the last change of an account.
type Change struct {
	ID   string
	Kind ChangeKind
	At   time.Time
}

// note remembers the last change of an account and says whether there was one; old is
// nil for a new one, next for one that is forgotten.
func (s *shelf) note(id string, old, next *Account, now time.Time) bool {
	kind := Modified
	switch {
	case next == nil || next.State != Active:
		kind = Gone
	case old == nil || old.State != Active:
		kind = Created
	case *old == *next:
		return false
	}
	if s.changes == nil {
		s.changes = map[string]Change{}
	}
	s.changes[id] = Change{id, kind, now}
	return true
}

// ChangesSince returns the last change of each account that changed at or after
// this time, by time and id.
func (w *World) ChangesSince(p Platform, since time.Time) []Change {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var out []Change
	if s, ok := w.accounts[p]; ok {
		for _, c := range s.changes {
			if !c.At.Before(since) {
				out = append(out, c)
			}
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out
}
