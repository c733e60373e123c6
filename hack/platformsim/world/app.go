package world

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"sync"
)

// App is a developer's app: the credentials the operator reads with.
type App struct {
	Platform  Platform `json:"platform"`
	APIKey    string   `json:"apiKey"`
	APISecret string   `json:"apiSecret"`
	// AppToken is the bearer; if empty, the first request for one makes it.
	AppToken string `json:"appToken,omitempty"`
	// CreditsUSD is the balance in dollars, at most six decimals; empty is unlimited.
	CreditsUSD string `json:"creditsUSD,omitempty"`
	// RedirectURIs are where consents may return to; none is anywhere.
	RedirectURIs []string `json:"redirectURIs,omitempty"`
	// Name is what people see; DailyUsers counts those who use the app, for limits
	// that depend on it.
	Name       string `json:"name,omitempty"`
	DailyUsers int64  `json:"dailyUsers,omitempty"`
	// Denied: the platform does not admit the app to its API, such as a client id
	// that is not on Snapchat's list or a Google project whose API is off.
	Denied bool `json:"denied,omitempty"`
}

type appKey struct {
	platform Platform
	key      string
}

// appStore keeps one live token per app, the rule on X (docs.x.com, app-only
// authentication), and finds the app of a token.
type appStore struct {
	mu      sync.RWMutex
	apps    map[appKey]*App
	byToken map[appKey]string
	minted  map[appKey]int
}

func newAppStore() appStore {
	return appStore{apps: map[appKey]*App{}, byToken: map[appKey]string{}, minted: map[appKey]int{}}
}

// PutApp creates or replaces an app, its token and its credits. It fails with
// ErrInvalid, or ErrConflict if another app has the token.
func (w *World) PutApp(a App) error {
	if _, ok := rules[a.Platform]; !ok || a.APIKey == "" || a.APISecret == "" {
		return fmt.Errorf("putting app %s/%s: %w: platform, apiKey and apiSecret are required", a.Platform, a.APIKey, ErrInvalid)
	}
	credits, err := parseUSD(a.CreditsUSD)
	if err != nil {
		return fmt.Errorf("putting app %s/%s: %w", a.Platform, a.APIKey, err)
	}
	w.apps.mu.Lock()
	defer w.apps.mu.Unlock()
	id := appKey{a.Platform, a.APIKey}
	if err := w.apps.setToken(id, &a, a.AppToken); err != nil {
		return fmt.Errorf("putting app %s/%s: %w", a.Platform, a.APIKey, err)
	}
	w.apps.apps[id] = &a
	w.ledger.setCredits(id, credits)
	return nil
}

// App returns an app by its key.
func (w *World) App(p Platform, key string) (App, bool) {
	w.apps.mu.RLock()
	defer w.apps.mu.RUnlock()
	a, ok := w.apps.apps[appKey{p, key}]
	if !ok {
		return App{}, false
	}
	return *a, true
}

// AppSecretIs says whether this is the secret of the app.
func (w *World) AppSecretIs(p Platform, key, secret string) bool {
	a, ok := w.App(p, key)
	return ok && subtle.ConstantTimeCompare([]byte(a.APISecret), []byte(secret)) == 1
}

// setToken makes token the only one of the app; empty leaves none.
func (s *appStore) setToken(id appKey, a *App, token string) error {
	next := appKey{id.platform, token}
	if owner, taken := s.byToken[next]; token != "" && taken && owner != id.key {
		return fmt.Errorf("%w: the token belongs to another app", ErrConflict)
	}
	if old, ok := s.apps[id]; ok {
		delete(s.byToken, appKey{id.platform, old.AppToken})
	}
	a.AppToken = token
	if token != "" {
		s.byToken[next] = id.key
	}
	return nil
}

// TokenOf returns an app's bearer, the same one until it is revoked, for its
// key and secret; ok is false if they are wrong.
func (w *World) TokenOf(p Platform, key, secret string) (token string, ok bool) {
	w.apps.mu.Lock()
	defer w.apps.mu.Unlock()
	id := appKey{p, key}
	a, found := w.apps.apps[id]
	if !found || subtle.ConstantTimeCompare([]byte(a.APISecret), []byte(secret)) != 1 {
		return "", false
	}
	if a.AppToken == "" {
		w.apps.minted[id]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", p, key, w.apps.minted[id]))
		if err := w.apps.setToken(id, a, "AAAA"+base64.RawURLEncoding.EncodeToString(sum[:])); err != nil {
			return "", false
		}
	}
	return a.AppToken, true
}

// AppOf returns the API key of the app whose bearer this is.
func (w *World) AppOf(p Platform, token string) (apiKey string, ok bool) {
	w.apps.mu.RLock()
	defer w.apps.mu.RUnlock()
	apiKey, ok = w.apps.byToken[appKey{p, token}]
	return apiKey, ok
}

// RevokeToken ends an app's bearer. next becomes the new one; if empty, the
// next TokenOf makes one. It fails with ErrNotFound, with ErrInvalid if next is
// the bearer being ended, or with ErrConflict if another app has it.
func (w *World) RevokeToken(p Platform, apiKey, next string) error {
	w.apps.mu.Lock()
	defer w.apps.mu.Unlock()
	id := appKey{p, apiKey}
	a, ok := w.apps.apps[id]
	if !ok {
		return fmt.Errorf("revoking the token of app %s/%s: %w", p, apiKey, ErrNotFound)
	}
	if next != "" && next == a.AppToken {
		return fmt.Errorf("revoking the token of app %s/%s: %w: the new token is the old one", p, apiKey, ErrInvalid)
	}
	if err := w.apps.setToken(id, a, next); err != nil {
		return fmt.Errorf("revoking the token of app %s/%s: %w", p, apiKey, err)
	}
	return nil
}
