package platform

import (
	"context"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// Token is a token, code, verifier or client secret that never prints itself.
type Token = redact.Token

// Grant is what a platform issued for an account.
type Grant struct {
	Access Token
	// Refresh is empty where the platform has none.
	Refresh Token
	// ExpiresAt is when Access ends; the zero time: it has no end.
	ExpiresAt time.Time
	// Scopes are what was granted, sorted.
	Scopes []string
}

// GrantStore keeps a connection's own rotating grant: what came back of a single
// use refresh is stored before it is used (rotation of refresh tokens at X and
// Snapchat).
type GrantStore interface {
	// Load returns the stored grant; the zero Grant: none yet, begin with the app
	// Secret.
	Load(ctx context.Context) (Grant, error)
	// Save stores next in place of prev and fails if another stood there: then load
	// again.
	Save(ctx context.Context, prev, next Grant) error
}

// Identity is who stands behind a token.
type Identity struct {
	// AccountID is the platform's id of the account that the token acts for.
	AccountID string
	// Principal is the platform's id of the person or system user who consented;
	// where account and principal are one (X), the account's id.
	Principal string
	// Email is the principal's address, where the platform tells; empty otherwise.
	Email  string
	Handle string
	// Scopes are nil where the platform does not tell.
	Scopes []string
}

// ConsentRequest is what a consent URL is made of.
type ConsentRequest struct {
	RedirectURI string
	// State and Challenge are opaque here; Challenge is S256 (RFC 7636) and empty
	// where the platform knows no PKCE.
	State, Challenge string
	// LoginHint is the handle or address of who should consent, where the platform
	// takes one.
	LoginHint string
}

// Consenter makes the address at which a person consents. It performs no call.
type Consenter interface {
	ConsentURL(ConsentRequest) string
}

// ExchangeRequest turns a code into a grant.
type ExchangeRequest struct {
	Code, Verifier Token
	RedirectURI    string
	// Ref is the account that the grant is for, where one consent can cover several
	// (Facebook Pages); may be zero.
	Ref AccountRef
}

// Issuer makes grants. Each method sends its mutating request once and never
// again; KindAmbiguous where the answer was lost after sending, KindUnauthorized
// where the code or token is refused (invalid_grant), KindInvalid where the app's
// own credentials are (invalid_client).
type Issuer interface {
	// Exchange spends a code. On platforms that issue short tokens first (Meta), it
	// goes on to the long one.
	Exchange(ctx context.Context, req ExchangeRequest) (Grant, error)
	// Refresh spends a refresh token, or renews an access token where the platform
	// has no refresh tokens (Instagram login, 60 days).
	Refresh(ctx context.Context, g Grant) (Grant, error)
	// Mint issues a token by API, without a person; KindInvalid where Custody.Mints
	// is false.
	Mint(ctx context.Context, ref AccountRef) (Grant, error)
}

// Identifier asks whom a token acts for.
type Identifier interface {
	// Identify fails with KindUnauthorized where the token is refused.
	Identify(ctx context.Context, token Token, ref AccountRef) (Identity, error)
}

// Liveness is what is known of a token.
type Liveness string

// The states of a token: a closed list.
const (
	TokenAlive Liveness = "Alive"
	// TokenDead: refused, and not because its time ran out.
	TokenDead Liveness = "Dead"
	// TokenExpired: its time ran out, which proves nothing about a revocation.
	TokenExpired Liveness = "Expired"
	// TokenUnclear: refused, without saying why (X, Snapchat, Google). Whoever knows
	// that the token's time has not run out may take it for dead.
	TokenUnclear Liveness = "Unclear"
)

// Introspection is what a platform tells of a token.
type Introspection struct {
	State     Liveness
	ExpiresAt time.Time
	Principal string
	Scopes    []string
}

// Introspector asks the platform whether a token lives: by introspection where
// there is such a call, else by a probe. It changes nothing.
type Introspector interface {
	Introspect(ctx context.Context, token Token) (Introspection, error)
}

// RevokePart says what to revoke.
type RevokePart string

// The parts: a closed list.
const (
	// RevokeGrant: the refresh token, or the whole grant where that is the unit.
	RevokeGrant RevokePart = "Grant"
	// RevokeAccess: the access token.
	RevokeAccess RevokePart = "Access"
)

// Revoker ends a grant. A success is the platform's word, not proof. A token that
// is dead already is a success.
type Revoker interface {
	Revoke(ctx context.Context, g Grant, part RevokePart) error
}

// Member is somebody with access to an account.
type Member struct {
	// ID is the platform's id, as Unseat takes it.
	ID, Name, Email string
	Kind            MemberKind
	// Roles are the platform's own names.
	Roles []string
	// Pending: invited, not in yet.
	Pending bool
	// TwoFactor is nil where the platform does not tell.
	TwoFactor *bool
	// Removable: Unseat can remove it by API.
	Removable bool
}

// MemberKind says what has access.
type MemberKind string

// The kinds of member: a closed list.
const (
	MemberPerson  MemberKind = "Person"
	MemberSystem  MemberKind = "System"
	MemberPartner MemberKind = "Partner"
)

// People lists who has access to an account.
type People interface {
	People(ctx context.Context, token Token, ref AccountRef) ([]Member, error)
}

// Unseater removes somebody's access. Somebody who is not there is a success where
// People lists who is; where nobody is listed it is KindNotFound, for it is not known
// whom the platform does not know.
type Unseater interface {
	Unseat(ctx context.Context, token Token, ref AccountRef, member Member) error
}

// GrantCall is a call of the life of a grant, as far as budgets go.
type GrantCall string

// The calls: a closed list.
const (
	CallExchange   GrantCall = "exchange"
	CallMint       GrantCall = "mint"
	CallRefresh    GrantCall = "refresh"
	CallIdentify   GrantCall = "identify"
	CallIntrospect GrantCall = "introspect"
	CallRevoke     GrantCall = "revoke"
	CallPeople     GrantCall = "people"
	CallUnseat     GrantCall = "unseat"
)

// Keys of an app Secret that have one meaning on every platform.
const (
	KeyClientID     = "clientID"
	KeyClientSecret = "clientSecret"
)

// RevokeReach says what a revocation really ends, as far as it is proven.
type RevokeReach string

// The reaches: a closed list. What is unproven counts as its worst value.
const (
	// ReachToken: that token alone.
	ReachToken RevokeReach = "Token"
	// ReachGrant: every token of the same principal and client.
	ReachGrant RevokeReach = "Grant"
	// ReachUnknown: unproven.
	ReachUnknown RevokeReach = "Unknown"
	// ReachNone: there is no way to revoke by API.
	ReachNone RevokeReach = "None"
)

// Custody says what a platform really allows at a handover (rotation.md, section
// 4).
type Custody struct {
	// Principal is "account", "person" or "system user".
	Principal string
	// Mints: the platform issues a token by API, without a person's consent.
	Mints bool
	// PKCE: the platform takes a challenge (RFC 7636).
	PKCE bool
	// SingleUseRefresh: a refresh token is spent by its use.
	SingleUseRefresh bool
	// RefreshGrace is how long a spent refresh token may be sent again with the same
	// result; 0: never.
	RefreshGrace time.Duration
	// RefreshEndsAccess: a refresh ends the old access token at once.
	RefreshEndsAccess bool
	// Introspects: the platform tells of a token whether it lives, ran out or was
	// revoked, without being probed with it.
	Introspects bool
	Reach       RevokeReach
	// Scopes are what a grant must hold, sorted.
	Scopes []string
	// AccessLifetime is the documented lifetime of an access token; 0: no end.
	AccessLifetime time.Duration
	// HumanSteps are what only a person can do at a handover, as names of
	// attestations: end-sessions, change-password.
	HumanSteps []string
	// UnseatDoes are those of HumanSteps that a successful Unseat does for the member.
	UnseatDoes []string
	// RenewsAccess: where there is no refresh token, Refresh renews the access token
	// itself, while it lives (Instagram, 60 days).
	RenewsAccess bool
}
