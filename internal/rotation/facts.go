package rotation

import (
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// Facts are everything that a step rests on beside the vault.
type Facts struct {
	// Declared is whom the spec names now.
	Declared Custodian
	// RotateAfter and Compromised are the moments of the spec; zero: not set.
	RotateAfter, Compromised time.Time
	// AllowGap: the account may be without a working credential for a while.
	AllowGap bool
	// Rules are what the policies say.
	Rules Rules
	// Traits are what the platform really allows.
	Traits Traits
	// HasAlternate: the connection has a second app.
	HasAlternate bool
	// Deleting: the account object is being deleted, since DeletingSince; Revoke: its
	// grants are to be ended.
	Deleting      bool
	DeletingSince time.Time
	Revoke        bool
	// Code is a consent that came back, for the nonce that was given out.
	Code, CodeNonce redact.Token
	// Import is a credential found in the inbox and not in the ledger.
	Import *Product
	// Attested are the moments at which people gave their word, by step.
	Attested map[string]time.Time
	// Rotations is what the status remembers of completed rotations: a vault that
	// knows of fewer was restored.
	Rotations int64
	// AccountID is the platform's id of the account, pinned in its status or spec;
	// empty: not known yet.
	AccountID string
	// OwnAttempt is the attempt that this process has under way; empty: none.
	OwnAttempt string
	// Nonce and Verifier are fresh random values, to be used if a consent URL is made.
	Nonce, Verifier redact.Token
	// Fingerprint is the keyed digest of a token.
	Fingerprint func(redact.Token) string
	// Jitter is a stable number of the account in [0, 1).
	Jitter float64
}

// Rules are what the policies say of credentials. Several policies: the strictest.
type Rules struct {
	// MaxAge is how long a credential may be used; 0: no bound.
	MaxAge time.Duration
	// RotateOn are the changes that start a handover.
	OnAccountable, OnMember, OnUnit bool
	// Overlap is how long the old credential stays alive beside the new one.
	Overlap time.Duration
}

// Traits are what a platform really allows (rotation.md, section 4). What is not
// proven counts as its worst value.
type Traits struct {
	// Mints: the platform issues a token by API, without a person.
	Mints bool
	// PersonPrincipal: a grant belongs to a person and not to the account itself.
	PersonPrincipal bool
	// SingleUseRefresh: a refresh token is spent by its use; RefreshGrace is how long
	// it may be sent again with the same result.
	SingleUseRefresh  bool
	RefreshGrace      time.Duration
	RefreshEndsAccess bool
	// RevokesToken: revoking one token leaves the others of the same principal and
	// client alive. NoRevoke: there is no way to revoke by API.
	RevokesToken, NoRevoke bool
	// RevokesGrant: revoking any token ends every other of its principal and client.
	RevokesGrant bool
	// Introspects: the platform tells whether a token lives without a probe.
	Introspects bool
	// ListsPeople and RemovesPeople: who has access can be read, and changed.
	ListsPeople, RemovesPeople bool
	// UnseatDoes are the human steps that a removal by API does.
	UnseatDoes []string
	// RenewsAccess: an access token without a refresh token is renewed by itself,
	// while it lives.
	RenewsAccess bool
	// Scopes are what a grant must hold, sorted.
	Scopes []string
	// HumanSteps are what only a person can do when somebody loses access.
	HumanSteps []string
	// Lifetime is that of an access token; 0: no end.
	Lifetime time.Duration
}

// Product is what an issue, a refresh or an import yields.
type Product struct {
	Access, Refresh redact.Token
	ExpiresAt       time.Time
	Scopes          []string
	// Principal is known of imported credentials alone.
	Principal string
}

// Member is somebody with access.
type Member struct {
	ID, Email string
	Removable bool
}
