package world

import "slices"

// owned lists the ids of an owner's accounts, in order; the list must not be
// changed.
func (w *World) owned(p Platform, owner string) []string {
	w.mu.RLock()
	s, ok := w.accounts[p]
	if !ok || s.byOwner != nil {
		defer w.mu.RUnlock()
		if !ok {
			return nil
		}
		return s.byOwner[owner]
	}
	w.mu.RUnlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	s.index()
	return s.byOwner[owner]
}

// index lists all owners' accounts at once, as a fleet is read page by page and
// sorting it for each page would cost more than the answer.
func (s *shelf) index() {
	if s.byOwner != nil {
		return
	}
	s.byOwner = map[string][]string{}
	for id, a := range s.byID {
		s.byOwner[a.Owner] = append(s.byOwner[a.Owner], id)
	}
	for _, ids := range s.byOwner {
		slices.Sort(ids)
	}
}

// Owned lists the accounts of an owner, in any state, by id.
func (w *World) Owned(p Platform, owner string) []Account {
	var out []Account
	for a := range w.OwnedAfter(p, owner, "") {
		out = append(out, a)
	}
	return out
}

// OwnedAfter yields the accounts of an owner whose id is greater than after, in
// any state, by id.
func (w *World) OwnedAfter(p Platform, owner, after string) func(yield func(Account) bool) {
	return func(yield func(Account) bool) {
		ids := w.owned(p, owner)
		from, found := slices.BinarySearch(ids, after)
		if found {
			from++
		}
		for _, id := range ids[from:] {
			if a, ok := w.Account(p, id); ok && !yield(a) {
				return
			}
		}
	}
}
