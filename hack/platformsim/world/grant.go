package world

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrRefused is about a code or token that is unknown, used, expired, ended or another
// client's (invalid_grant of RFC 6749).
var ErrRefused = errors.New("refused")

// Cause is why a token or code no longer works; empty while it does.
type Cause string

// The causes: a closed list.
const (
	CauseExpired Cause = "Expired"
	// CauseRevoked: the client revoked it.
	CauseRevoked Cause = "Revoked"
	// CauseUsed: single use, and used.
	CauseUsed Cause = "Used"
	// CauseReplayed: somebody used a code or refresh token again.
	CauseReplayed Cause = "Replayed"
	// CauseAppRemoved: the person or the platform removed the app.
	CauseAppRemoved Cause = "AppRemoved"
	CausePassword   Cause = "PasswordChanged"
)

var causes = []Cause{CauseExpired, CauseRevoked, CauseUsed, CauseReplayed, CauseAppRemoved, CausePassword}

// Known says whether it is one of the causes.
func (c Cause) Known() bool { return slices.Contains(causes, c) }

// TokenKind is what a secret is for.
type TokenKind string

// The kinds: a closed list.
const (
	CodeToken    TokenKind = "Code"
	AccessToken  TokenKind = "Access"
	RefreshToken TokenKind = "Refresh"
)

// Reach is how much ends together.
type Reach string

// The reaches, from least to most; empty is ReachToken.
const (
	ReachToken Reach = "Token"
	// ReachFamily: everything that descends from the same consent.
	ReachFamily Reach = "Family"
	// ReachGrant: everything of the same client and person.
	ReachGrant Reach = "Grant"
)

// GrantRules are a platform's habits. Zero lifetimes have no end.
type GrantRules struct {
	// Prefix begins the platform's tokens.
	Prefix string
	// CodeLife defaults to 10 minutes (RFC 6749, section 4.1.2).
	CodeLife, AccessLife, RefreshLife time.Duration
	// Refreshes: consents yield a refresh token; with RefreshScope, only those
	// that have this scope.
	Refreshes    bool
	RefreshScope string
	// SingleUse: a refresh ends the refresh token and yields another. Within Grace
	// of its first use it is answered with the same successors again.
	SingleUse bool
	Grace     time.Duration
	// RefreshEndsAccess: a refresh ends the access tokens issued before.
	RefreshEndsAccess bool
	// ReplayEnds is what the second use of a code or single-use token ends besides
	// being refused; empty is nothing.
	ReplayEnds Reach
	// RevokeEnds is what revoking a token ends.
	RevokeEnds Reach
	// PasswordEnds: a person's new password ends what they granted.
	PasswordEnds bool
	// MaxRefresh is the most live refresh tokens of one grant; the oldest ends
	// silently. 0 is no limit.
	MaxRefresh int
}

// Token is what the world knows of a secret, without the secret.
type Token struct {
	// Fingerprint is keyed; see World.Fingerprint.
	Fingerprint string    `json:"fingerprint"`
	Kind        TokenKind `json:"kind"`
	Platform    Platform  `json:"platform"`
	Client      string    `json:"client"`
	// Person is the principal; on platforms where account and principal are one, it
	// is the account's id.
	Person string `json:"person"`
	// Account is the only account the token acts for; empty is all the person's.
	Account string   `json:"account,omitempty"`
	Scopes  []string `json:"scopes,omitempty"`
	// Derived: made of another token, for one account (a Page token).
	Derived bool `json:"derived,omitempty"`
	// Family numbers the consent or minting that all its descendants share.
	Family int       `json:"family"`
	Issued time.Time `json:"issued"`
	// Expires is zero for a token without an end.
	Expires time.Time `json:"expires,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Cause   Cause     `json:"cause,omitempty"`
	// Uses counts the exchanges and refreshes it was accepted for.
	Uses int `json:"uses"`
}

// Alive says whether the token worked at this time.
func (t Token) Alive(now time.Time) bool { return t.State(now) == "" }

// State is why the token does not work at this time; empty if it does.
func (t Token) State(now time.Time) Cause {
	switch {
	case t.Cause != "":
		return t.Cause
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return CauseExpired
	}
	return ""
}

// record is a token with what must not leave the world.
type record struct {
	Token
	value string
	// parent must work for a derived token to work; with outlives, its expiry does
	// not matter.
	parent   *record
	outlives bool
	// redirect and challenge bind a code.
	redirect, challenge string
	online              bool
	// successors answer a repetition within the grace.
	successors Issued
	firstUse   time.Time
	// derived are tokens made of this one, by account, so that asking again
	// yields the same.
	derived map[string]*record
}

func (r *record) state(now time.Time) Cause {
	if cause := r.State(now); cause != "" || r.parent == nil {
		return cause
	}
	cause := r.parent.state(now)
	if cause == CauseExpired && r.outlives {
		return ""
	}
	return cause
}

type grantKey struct {
	platform       Platform
	client, person string
}

type grantStore struct {
	mu      sync.RWMutex
	rules   map[Platform]GrantRules
	byValue map[postKey]*record
	byGrant map[grantKey][]*record
	// chosen is who consents at a platform's dialog.
	chosen   map[Platform]Choice
	families int
	minted   int
	key      []byte
	// mark is in every secret that is made; see World.MarkSecrets.
	mark string
}

func newGrantStore() grantStore {
	return grantStore{
		rules: map[Platform]GrantRules{}, byValue: map[postKey]*record{}, byGrant: map[grantKey][]*record{},
		chosen: map[Platform]Choice{}, key: []byte("platformsim"),
	}
}

// SetGrantRules says how a platform treats codes and tokens from now on; the
// simulator of the platform calls it.
func (w *World) SetGrantRules(p Platform, r GrantRules) {
	if r.CodeLife == 0 {
		r.CodeLife = 10 * time.Minute
	}
	w.grants.mu.Lock()
	defer w.grants.mu.Unlock()
	w.grants.rules[p] = r
}

// MarkSecrets puts mark into every code and token that is made from now on, so that
// a test finds them wherever they must not be.
func (w *World) MarkSecrets(mark string) {
	w.grants.mu.Lock()
	defer w.grants.mu.Unlock()
	w.grants.mark = mark
}

func (s *grantStore) rulesOf(p Platform) GrantRules {
	r, ok := s.rules[p]
	if !ok {
		r.CodeLife = 10 * time.Minute
	}
	return r
}

// Token returns what is known of a secret, alive or not. Its State follows that
// of the token it was derived from.
func (w *World) Token(p Platform, value string) (Token, bool) {
	w.grants.mu.RLock()
	defer w.grants.mu.RUnlock()
	r, ok := w.grants.byValue[postKey{p, value}]
	if !ok {
		return Token{}, false
	}
	t := r.Token
	if cause := r.state(w.Now()); cause != "" {
		t.Cause = cause
	}
	return t, true
}

// TokenQuery chooses tokens; empty parts take all.
type TokenQuery struct {
	Client, Person, Account string
	Kind                    TokenKind
	// Alive leaves out those that no longer work.
	Alive bool
}

// Tokens lists the tokens of a platform without their secrets, oldest first.
func (w *World) Tokens(p Platform, q TokenQuery) []Token {
	now := w.Now()
	w.grants.mu.RLock()
	defer w.grants.mu.RUnlock()
	out := []Token{}
	for _, r := range w.grants.byValue {
		t := r.Token
		if cause := r.state(now); cause != "" {
			t.Cause = cause
		}
		if t.Platform == p && q.takes(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Token) int {
		if c := a.Issued.Compare(b.Issued); c != 0 {
			return c
		}
		return strings.Compare(a.Fingerprint, b.Fingerprint)
	})
	return out
}

func (q TokenQuery) takes(t Token) bool {
	return (q.Client == "" || q.Client == t.Client) && (q.Person == "" || q.Person == t.Person) &&
		(q.Account == "" || q.Account == t.Account) && (q.Kind == "" || q.Kind == t.Kind) && (!q.Alive || t.Cause == "")
}
