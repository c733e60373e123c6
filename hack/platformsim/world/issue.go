package world

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Consent is what a person agrees to at a platform's dialog.
type Consent struct {
	Platform Platform
	// Client is the API key of the app.
	Client string
	// Person is the principal; empty is the account itself.
	Person string
	// Account is the only account agreed to; empty is all the person's.
	Account     string
	Scopes      []string
	RedirectURI string
	// Challenge is S256 of RFC 7636; empty is no PKCE.
	Challenge string
	// Online consents yield no refresh token, whatever the rules say (Google's
	// access_type).
	Online bool
}

// Issued is a pair of secrets; Refresh may be empty. Expires is the access
// token's end, zero for none.
type Issued struct {
	Access, Refresh         string
	Client, Person, Account string
	Scopes                  []string
	Expires                 time.Time
}

// Authorize is a consent that happened now; it returns the code. It fails with
// ErrNotFound for an unknown app or account, with ErrInvalid if the app does not
// have the redirect URI or nobody consents.
func (w *World) Authorize(c Consent) (code string, err error) {
	app, ok := w.App(c.Platform, c.Client)
	if !ok {
		return "", fmt.Errorf("consenting: app %s/%s: %w", c.Platform, c.Client, ErrNotFound)
	}
	if len(app.RedirectURIs) > 0 && !slices.Contains(app.RedirectURIs, c.RedirectURI) {
		return "", fmt.Errorf("consenting: %w: redirect URI is not registered", ErrInvalid)
	}
	if _, known := w.Account(c.Platform, c.Account); c.Account != "" && !known {
		return "", fmt.Errorf("consenting: account %s/%s: %w", c.Platform, c.Account, ErrNotFound)
	}
	c.Person = cmp.Or(c.Person, c.Account)
	if c.Person == "" {
		return "", fmt.Errorf("consenting: %w: neither person nor account", ErrInvalid)
	}
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families++
	life := s.rulesOf(c.Platform).CodeLife
	r := s.add(w.Now(), record{redirect: c.RedirectURI, challenge: c.Challenge, online: c.Online, Token: Token{
		Kind: CodeToken, Platform: c.Platform, Client: c.Client, Person: c.Person, Account: c.Account,
		Scopes: slices.Clone(c.Scopes), Family: s.families,
	}}, life)
	return r.value, nil
}

// Exchange is what a client sends for a code. The client's own secret is the
// caller's to check.
type Exchange struct {
	Platform                            Platform
	Client, Code, RedirectURI, Verifier string
}

// Exchange spends a code. It fails with ErrRefused; a second use ends what the
// rules say.
func (w *World) Exchange(e Exchange) (Issued, error) {
	now := w.Now()
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.take(e.Platform, CodeToken, e.Client, e.Code, now)
	switch {
	case err != nil:
		return Issued{}, fmt.Errorf("exchanging code: %w", err)
	case r.redirect != e.RedirectURI:
		return Issued{}, fmt.Errorf("exchanging code: %w: redirect URI differs", ErrRefused)
	case !verifies(r.challenge, e.Verifier):
		return Issued{}, fmt.Errorf("exchanging code: %w: verifier", ErrRefused)
	}
	r.use(now)
	return s.issue(r, now), nil
}

func verifies(challenge, verifier string) bool {
	if challenge == "" {
		return true
	}
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) == 1
}

// Refresh spends a refresh token, or renews by one that is not single use; then
// Issued.Refresh is empty. It fails with ErrRefused.
func (w *World) Refresh(p Platform, client, value string) (Issued, error) {
	now := w.Now()
	s := &w.grants
	s.mu.Lock()
	defer s.mu.Unlock()
	rules := s.rulesOf(p)
	if r, ok := s.byValue[postKey{p, value}]; ok && r.Cause == CauseUsed && r.Client == client && now.Before(r.firstUse.Add(rules.Grace)) {
		return r.successors, nil
	}
	r, err := s.take(p, RefreshToken, client, value, now)
	if err != nil {
		return Issued{}, fmt.Errorf("refreshing: %w", err)
	}
	if rules.RefreshEndsAccess {
		s.end(r, ReachFamily, CauseUsed, now, func(o *record) bool { return o.Kind == AccessToken })
	}
	if !rules.SingleUse {
		r.Uses++
		access := s.add(now, record{Token: r.child(AccessToken)}, rules.AccessLife)
		return access.issued(""), nil
	}
	r.use(now)
	r.successors = s.issue(r, now)
	return r.successors, nil
}

// take finds a live secret of a kind and client. A used one that comes again
// ends what the rules say.
func (s *grantStore) take(p Platform, kind TokenKind, client, value string, now time.Time) (*record, error) {
	r, ok := s.byValue[postKey{p, value}]
	if !ok || r.Kind != kind || r.Client != client {
		return nil, ErrRefused
	}
	cause := r.state(now)
	if ends := s.rulesOf(p).ReplayEnds; cause == CauseUsed && ends != "" {
		s.end(r, ends, CauseReplayed, now, nil)
	}
	if cause != "" {
		return nil, fmt.Errorf("%w: %s", ErrRefused, cause)
	}
	return r, nil
}

func (r *record) use(now time.Time) {
	r.Uses++
	r.Cause, r.Ended, r.firstUse = CauseUsed, now, now
}

func (r *record) child(kind TokenKind) Token {
	return Token{
		Kind: kind, Platform: r.Platform, Client: r.Client, Person: r.Person, Account: r.Account,
		Scopes: r.Scopes, Family: r.Family,
	}
}

// issue makes the tokens that follow a code or a single-use refresh token.
func (s *grantStore) issue(from *record, now time.Time) Issued {
	rules := s.rulesOf(from.Platform)
	access := s.add(now, record{Token: from.child(AccessToken)}, rules.AccessLife)
	if !rules.Refreshes || from.online || rules.RefreshScope != "" && !slices.Contains(from.Scopes, rules.RefreshScope) {
		return access.issued("")
	}
	refresh := s.add(now, record{Token: from.child(RefreshToken)}, rules.RefreshLife)
	s.trim(refresh, rules.MaxRefresh, now)
	return access.issued(refresh.value)
}

// trim ends the oldest refresh tokens of a grant that has more than most.
func (s *grantStore) trim(newest *record, most int, now time.Time) {
	if most == 0 {
		return
	}
	var alive []*record
	for _, r := range s.byGrant[newest.grant()] {
		if r.Kind == RefreshToken && r.Alive(now) {
			alive = append(alive, r)
		}
	}
	for _, r := range alive[:max(len(alive)-most, 0)] {
		r.Cause, r.Ended = CauseRevoked, now
	}
}

func (r *record) issued(refresh string) Issued {
	return Issued{
		Access: r.value, Refresh: refresh, Client: r.Client, Person: r.Person, Account: r.Account,
		Scopes: r.Scopes, Expires: r.Expires,
	}
}

func (r *record) grant() grantKey { return grantKey{r.Platform, r.Client, r.Person} }

// add makes a secret and files it; it needs s.mu.
func (s *grantStore) add(now time.Time, r record, life time.Duration) *record {
	if r.value == "" {
		s.minted++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%s/%s/%d", r.Platform, r.Kind, r.Client, r.Person, s.minted))
		r.value = s.rulesOf(r.Platform).Prefix + s.mark + strings.NewReplacer("-", "A", "_", "B").Replace(base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	r.Issued = now
	if life > 0 {
		r.Expires = now.Add(life)
	}
	r.Fingerprint = s.fingerprint(r.value)
	s.byValue[postKey{r.Platform, r.value}] = &r
	s.byGrant[r.grant()] = append(s.byGrant[r.grant()], &r)
	return &r
}

func (s *grantStore) fingerprint(value string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Fingerprint is what stands for a secret in tokens and calls: the same for the
// same secret, and of no use in guessing it.
func (w *World) Fingerprint(value string) string { return w.grants.fingerprint(value) }
