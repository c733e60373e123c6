package world

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// AppPassword is a password that a person made for one program (Google).
type AppPassword struct {
	ID   int    `json:"id"`
	Name string `json:"name,omitempty"`
}

// Security is what guards a person's own login, beside tokens.
type Security struct {
	// Sessions counts the devices on which the person is logged in.
	Sessions     int           `json:"sessions"`
	AppPasswords []AppPassword `json:"appPasswords,omitempty"`
	// PasswordChanged is zero if it never was.
	PasswordChanged       time.Time `json:"passwordChanged,omitzero"`
	ChangePasswordAtLogin bool      `json:"changePasswordAtLogin,omitempty"`
	RecoveryEmail         string    `json:"recoveryEmail,omitempty"`
	RecoveryPhone         string    `json:"recoveryPhone,omitempty"`
}

func (s Security) clone() Security {
	s.AppPasswords = slices.Clone(s.AppPasswords)
	return s
}

// SecurityOf returns what guards a person's login; nothing for strangers.
func (w *World) SecurityOf(p Platform, person string) Security {
	w.people.mu.RLock()
	defer w.people.mu.RUnlock()
	return w.people.security[postKey{p, person}].clone()
}

// UpdateSecurity applies change, which must not call the world. It fails with
// ErrNotFound for an unknown person, with ErrInvalid for negative sessions or
// app passwords that share an id.
func (w *World) UpdateSecurity(p Platform, person string, change func(*Security)) error {
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	key := postKey{p, person}
	if _, ok := w.people.people[key]; !ok {
		return fmt.Errorf("person %s/%s: %w", p, person, ErrNotFound)
	}
	next := w.people.security[key].clone()
	change(&next)
	slices.SortFunc(next.AppPasswords, func(a, b AppPassword) int { return cmp.Compare(a.ID, b.ID) })
	for i, a := range next.AppPasswords {
		if i > 0 && next.AppPasswords[i-1].ID == a.ID {
			return fmt.Errorf("person %s/%s: %w: app password %d is there twice", p, person, ErrInvalid, a.ID)
		}
	}
	if next.Sessions < 0 {
		return fmt.Errorf("person %s/%s: %w: negative sessions", p, person, ErrInvalid)
	}
	w.people.security[key] = next
	return nil
}
