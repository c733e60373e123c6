package world

import (
	"fmt"
	"slices"
	"time"
)

// Mint asks for a token without a consent, such as a system user's, or one that
// a fleet begins with.
type Mint struct {
	Platform Platform  `json:"platform"`
	Client   string    `json:"client"`
	Person   string    `json:"person"`
	Account  string    `json:"account,omitempty"`
	Scopes   []string  `json:"scopes,omitempty"`
	Kind     TokenKind `json:"kind,omitempty"`
	// Value is the secret; empty makes one.
	Value string `json:"value,omitempty"`
	// LifeSeconds is 0 for no end.
	LifeSeconds int64 `json:"lifeSeconds,omitempty"`
	// Derived: the fleet begins with it as if it had been derived for the account.
	Derived bool `json:"derived,omitempty"`
	// Family continues an earlier consent; 0 begins a new one.
	Family int `json:"family,omitempty"`
}

// Mint makes a token, an access token unless it says otherwise. It fails with
// ErrNotFound for an unknown app, ErrInvalid, or ErrConflict if the value exists.
func (w *World) Mint(m Mint) (value string, t Token, err error) {
	if m.Kind == "" {
		m.Kind = AccessToken
	}
	if _, ok := w.App(m.Platform, m.Client); !ok {
		return "", Token{}, fmt.Errorf("minting: app %s/%s: %w", m.Platform, m.Client, ErrNotFound)
	}
	if m.Person == "" || m.LifeSeconds < 0 || m.Kind != AccessToken && m.Kind != RefreshToken {
		return "", Token{}, fmt.Errorf("minting: %w: person, life or kind", ErrInvalid)
	}
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.byValue[postKey{m.Platform, m.Value}]; m.Value != "" && taken {
		return "", Token{}, fmt.Errorf("minting: %w: the value exists", ErrConflict)
	}
	if m.Family == 0 {
		s.families++
		m.Family = s.families
	}
	r := s.add(w.Now(), record{value: m.Value, Token: Token{
		Kind: m.Kind, Platform: m.Platform, Client: m.Client, Person: m.Person, Account: m.Account,
		Scopes: slices.Clone(m.Scopes), Family: m.Family, Derived: m.Derived,
	}}, time.Duration(m.LifeSeconds)*time.Second)
	return r.value, r.Token, nil
}

// Derive makes an access token for one account out of another token, with which
// it ends, and returns the same one each time (Meta's Page tokens); with outlives
// it does not expire with it. It fails with ErrRefused.
func (w *World) Derive(p Platform, value, account string, outlives bool) (string, error) {
	now := w.Now()
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	parent, ok := s.byValue[postKey{p, value}]
	if !ok || parent.Kind != AccessToken || parent.state(now) != "" {
		return "", fmt.Errorf("deriving: %w", ErrRefused)
	}
	if made, ok := parent.derived[account]; ok && made.Cause == "" {
		return made.value, nil
	}
	t := parent.child(AccessToken)
	t.Account, t.Derived = account, true
	made := s.add(now, record{parent: parent, outlives: outlives, Token: t}, 0)
	if parent.derived == nil {
		parent.derived = map[string]*record{}
	}
	parent.derived[account] = made
	return made.value, nil
}

// Revoke ends a token and what else the platform's rules say. It is false if
// there was nothing alive to end.
func (w *World) Revoke(p Platform, value string) bool {
	w.grants.mu.RLock()
	reach := w.grants.rulesOf(p).RevokeEnds
	w.grants.mu.RUnlock()
	return w.End(p, value, reach, CauseRevoked)
}

// End ends a token, its family or its grant. It is false if the token is unknown
// or did not work any more; what the reach covers besides ends nevertheless.
func (w *World) End(p Platform, value string, reach Reach, cause Cause) bool {
	now := w.Now()
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.byValue[postKey{p, value}]
	if !ok {
		return false
	}
	alive := r.state(now) == ""
	s.end(r, reach, cause, now, nil)
	return alive
}

// end needs s.mu. Only what filter takes ends; nil takes all.
func (s *grantStore) end(r *record, reach Reach, cause Cause, now time.Time, filter func(*record) bool) {
	for _, o := range s.byGrant[r.grant()] {
		covered := o == r || reach == ReachGrant || reach == ReachFamily && o.Family == r.Family
		if covered && o.Cause == "" && (filter == nil || filter(o)) {
			o.Cause, o.Ended = cause, now
		}
	}
}

// EndGrants ends every token that q takes and that works, and returns how many:
// an outside hand, such as a person removing the app.
func (w *World) EndGrants(p Platform, q TokenQuery, cause Cause) (int, error) {
	if !cause.Known() {
		return 0, fmt.Errorf("ending grants: %w: cause %q is not one of %v", ErrInvalid, cause, causes)
	}
	now := w.Now()
	q.Alive = true
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := 0
	for _, r := range s.byValue {
		if r.Platform == p && r.state(now) == "" && q.takes(r.Token) {
			r.Cause, r.Ended = cause, now
			ended++
		}
	}
	return ended, nil
}

// ChangePassword is a person's (or account's) new password. It returns how many
// tokens ended, none where the platform's rules do not say so.
func (w *World) ChangePassword(p Platform, person string) (int, error) {
	w.grants.mu.RLock()
	ends := w.grants.rulesOf(p).PasswordEnds
	w.grants.mu.RUnlock()
	if !ends {
		return 0, nil
	}
	return w.EndGrants(p, TokenQuery{Person: person}, CausePassword)
}

// Extend gives a live token a new lifetime from now on. It is false for others.
func (w *World) Extend(p Platform, value string, life time.Duration) bool {
	now := w.Now()
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.byValue[postKey{p, value}]
	if !ok || r.state(now) != "" {
		return false
	}
	r.Issued, r.Expires = now, now.Add(life)
	return true
}

// DropScope takes one scope out of everything a person granted a client.
func (w *World) DropScope(p Platform, client, person, scope string) {
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.byGrant[grantKey{p, client, person}] {
		r.Scopes = slices.DeleteFunc(slices.Clone(r.Scopes), func(have string) bool { return have == scope })
	}
}

// Choice is who consents at a platform's dialog, and to what.
type Choice struct {
	// Person or Account may be empty, as in Consent.
	Person  string `json:"person,omitempty"`
	Account string `json:"account,omitempty"`
	// Scopes are what the person leaves ticked; empty is all that were asked for.
	Scopes []string `json:"scopes,omitempty"`
	// Deny: the person refuses.
	Deny bool `json:"deny,omitempty"`
}

// Choose says who consents at the platform's dialog from now on.
func (w *World) Choose(p Platform, c Choice) {
	w.grants.mu.Lock()
	defer w.grants.mu.Unlock()
	w.grants.chosen[p] = c
}

// Chosen is who consents at the platform's dialog; ok is false if nobody was chosen.
func (w *World) Chosen(p Platform) (c Choice, ok bool) {
	w.grants.mu.RLock()
	defer w.grants.mu.RUnlock()
	c, ok = w.grants.chosen[p]
	return c, ok
}

// Granted are the scopes that stay of those asked for.
func (c Choice) Granted(asked []string) []string {
	if len(c.Scopes) == 0 {
		return asked
	}
	return slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return !slices.Contains(c.Scopes, s) })
}
