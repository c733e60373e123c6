package world

import (
	"fmt"
	"strings"
	"time"
)

// shelf holds one platform's accounts. byHandle keeps pointing at a Deleted
// account until somebody takes the handle: then only its id finds it.
type shelf struct {
	byID     map[string]*Account
	byHandle map[string]string
	// byOwner lists ids in order; nil until somebody asks, and again after a change.
	byOwner map[string][]string
	changes map[string]Change
}

// Put creates or replaces the account with a's platform and id. It fails with
// ErrInvalid, or ErrConflict if another account that is not Deleted holds the
// handle. Handles are the same in any case.
func (w *World) Put(a Account) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(a)
}

// put needs w.mu. It changes nothing if it fails.
func (w *World) put(a Account) error {
	a.normalise()
	if err := a.validate(); err != nil {
		return fmt.Errorf("putting account %s/%s: %w", a.Platform, a.ID, err)
	}
	s := w.shelf(a.Platform)
	handle := strings.ToLower(a.Handle)
	holder, taken := s.holder(handle, a.ID)
	if taken && a.State != Deleted {
		return fmt.Errorf("putting account %s/%s: handle %q belongs to %s: %w", a.Platform, a.ID, a.Handle, holder, ErrConflict)
	}
	old, ok := s.byID[a.ID]
	if !ok || old.Owner != a.Owner {
		s.byOwner = nil
	}
	if s.note(a.ID, old, &a, w.Now()) {
		w.shown.expect(a.Platform, a.ID)
	}
	s.dropHandle(a.ID)
	s.byID[a.ID] = &a
	if handle != "" && !taken {
		s.byHandle[handle] = a.ID
	}
	return nil
}

// holder is who else has a handle; what is deleted has none.
func (s *shelf) holder(handle, id string) (holder string, taken bool) {
	holder, ok := s.byHandle[handle]
	return holder, ok && holder != id && s.byID[holder].State != Deleted
}

func (w *World) shelf(p Platform) *shelf {
	s, ok := w.accounts[p]
	if !ok {
		s = &shelf{byID: map[string]*Account{}, byHandle: map[string]string{}}
		w.accounts[p] = s
	}
	return s
}

// dropHandle frees the handle the account holds, if it holds one.
func (s *shelf) dropHandle(id string) {
	old, ok := s.byID[id]
	if !ok {
		return
	}
	if handle := strings.ToLower(old.Handle); s.byHandle[handle] == id {
		delete(s.byHandle, handle)
	}
}

// Account returns the account with this id, in any state, to show it; see Shown.
func (w *World) Account(p Platform, id string) (Account, bool) {
	a, ok := w.account(p, id)
	if ok {
		w.shown.see(p, id, w.clock)
		w.reads.see(p, id, w.clock)
	}
	return a, ok
}

func (w *World) account(p Platform, id string) (Account, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if s, ok := w.accounts[p]; ok {
		if a, ok := s.byID[id]; ok {
			return *a, true
		}
	}
	return Account{}, false
}

// AccountByHandle returns the holder of a handle, in any case. Where nobody
// holds it any more, it returns the last Deleted holder.
func (w *World) AccountByHandle(p Platform, handle string) (Account, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if s, ok := w.accounts[p]; ok {
		if id, ok := s.byHandle[strings.ToLower(handle)]; ok {
			return *s.byID[id], true
		}
	}
	return Account{}, false
}

// Find returns an account by id or, failing that, by handle; "@name" means the
// handle even if it looks like an id. It fails with ErrNotFound.
func (w *World) Find(p Platform, ref string) (Account, error) {
	if a, ok := w.account(p, ref); ok {
		return a, nil
	}
	if a, ok := w.AccountByHandle(p, strings.TrimPrefix(ref, "@")); ok {
		return a, nil
	}
	return Account{}, fmt.Errorf("account %s/%s: %w", p, ref, ErrNotFound)
}

// Update applies change to the account that Find finds and returns the result.
// It fails like Find and Put, and with ErrInvalid if change touches the
// platform or the id; then nothing changed. Concurrent updates of one account
// are not lost: change runs under the world's lock and must not call the world.
func (w *World) Update(p Platform, ref string, change func(*Account) error) (Account, error) {
	found, err := w.Find(p, ref)
	if err != nil {
		return Account{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	current, ok := w.shelf(p).byID[found.ID]
	if !ok {
		return Account{}, fmt.Errorf("account %s/%s: %w", p, ref, ErrNotFound)
	}
	next := *current
	if err := change(&next); err != nil {
		return Account{}, fmt.Errorf("updating account %s/%s: %w", p, ref, err)
	}
	if next.ID != found.ID || next.Platform != p {
		return Account{}, fmt.Errorf("updating account %s/%s: %w: platform and id cannot change", p, ref, ErrInvalid)
	}
	if err := w.put(next); err != nil {
		return Account{}, err
	}
	return *w.shelf(p).byID[next.ID], nil
}

// Delete forgets an account as if it had never been; to show a deletion, set
// its state instead. It fails with ErrNotFound.
func (w *World) Delete(p Platform, ref string) error {
	a, err := w.Find(p, ref)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.shelf(p)
	s.dropHandle(a.ID)
	s.byOwner = nil
	s.note(a.ID, s.byID[a.ID], nil, w.Now())
	delete(s.byID, a.ID)
	return nil
}

// Recycle deletes an account and gives its handle to a newly created stranger
// with another id, display name and picture, whom it returns. It fails with
// ErrNotFound, ErrInvalid, or ErrConflict if newID exists or the account no
// longer holds its handle; then nothing changed.
func (w *World) Recycle(p Platform, ref, newID string) (Account, error) {
	old, err := w.Find(p, ref)
	if err != nil {
		return Account{}, err
	}
	stranger := Account{
		Platform: p, ID: newID, Handle: old.Handle, DisplayName: "Somebody Else",
		Bio: "Not who was here before.", Image: "foreign", State: Active, CreatedAt: w.Now().UTC().Truncate(time.Second),
	}
	stranger.normalise()
	if err := stranger.validate(); err != nil {
		return Account{}, fmt.Errorf("recycling account %s/%s: %w", p, ref, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.shelf(p)
	if _, exists := s.byID[newID]; exists {
		return Account{}, fmt.Errorf("recycling account %s/%s: id %s exists: %w", p, ref, newID, ErrConflict)
	}
	if s.byHandle[strings.ToLower(old.Handle)] != old.ID {
		return Account{}, fmt.Errorf("recycling account %s/%s: it no longer holds %q: %w", p, ref, old.Handle, ErrConflict)
	}
	gone := *s.byID[old.ID]
	gone.State = Deleted
	s.note(old.ID, s.byID[old.ID], &gone, w.Now())
	s.byID[old.ID] = &gone
	return stranger, w.put(stranger)
}

// Count is the number of accounts of a platform, in any state.
func (w *World) Count(p Platform) int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if s, ok := w.accounts[p]; ok {
		return len(s.byID)
	}
	return 0
}

// Accounts calls yield with each account of a platform, in no order, until it
// returns false. It runs under the world's lock and must not call the world.
func (w *World) Accounts(p Platform, yield func(*Account) bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if s, ok := w.accounts[p]; ok {
		for _, a := range s.byID {
			if !yield(a) {
				return
			}
		}
	}
}
