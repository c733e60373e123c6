package rotation

import (
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// Vault is everything that is stored of one account's credentials. Functions of
// this package never change a Vault that they are given; they return another.
type Vault struct {
	// UID is the account object's, AccountID the platform's id of the account.
	UID       string `json:"uid"`
	AccountID string `json:"accountID,omitempty"`
	// Current is the credential in use, Pending one that is not verified yet,
	// Retiring the one that a handover replaces.
	Current  *Slot   `json:"current,omitempty"`
	Pending  *Slot   `json:"pending,omitempty"`
	Retiring *Slot   `json:"retiring,omitempty"`
	Journal  Journal `json:"journal"`
	// Ledger holds every grant ever minted or adopted, tokens apart. The oldest dead
	// ones are dropped beyond maxLedger.
	Ledger []Entry `json:"ledger,omitempty"`
}

// Slot is one credential.
type Slot struct {
	CredID string `json:"credID"`
	// Principal is the platform's id of the person or system user who consented.
	Principal string `json:"principal,omitempty"`
	// Email is the principal's address where the platform tells.
	Email string `json:"email,omitempty"`
	// Client is the app that the grant belongs to.
	Client  App          `json:"client"`
	Access  redact.Token `json:"-"`
	Refresh redact.Token `json:"-"`
	// OldAccess and OldRefresh are the pair before the last refresh. They stay until
	// the new pair has passed a probe.
	OldAccess  redact.Token `json:"-"`
	OldRefresh redact.Token `json:"-"`
	Scopes     []string     `json:"scopes,omitempty"`
	IssuedAt   time.Time    `json:"issuedAt"`
	// RefreshedAt is when Access was issued; ExpiresAt when it ends, zero: never.
	RefreshedAt time.Time `json:"refreshedAt,omitzero"`
	ExpiresAt   time.Time `json:"expiresAt,omitzero"`
	VerifiedAt  time.Time `json:"verifiedAt,omitzero"`
	// RefreshDoubt: a refresh was sent and its answer lost. RefreshRetried: the same
	// refresh token was sent a second time, which is the last.
	RefreshDoubt   bool `json:"refreshDoubt,omitempty"`
	RefreshRetried bool `json:"refreshRetried,omitempty"`
}

// App says which of a connection's two apps a grant belongs to.
type App string

// The two apps.
const (
	Primary   App = "primary"
	Alternate App = "alternate"
)

func (a App) other() App {
	if a == Alternate {
		return Primary
	}
	return Alternate
}

// Entry is one grant in the ledger.
type Entry struct {
	CredID string `json:"credID"`
	// Fingerprints are keyed digests of its tokens; none of a grant whose issue was
	// never answered.
	Fingerprints []string   `json:"fingerprints,omitempty"`
	Principal    string     `json:"principal,omitempty"`
	Client       App        `json:"client"`
	RotationID   string     `json:"rotationID,omitempty"`
	State        GrantState `json:"state"`
	// Evidence says how Dead is known.
	Evidence Evidence  `json:"evidence,omitempty"`
	At       time.Time `json:"at"`
}

// GrantState is what is known of a grant.
type GrantState string

// The states of a grant.
const (
	GrantLive    GrantState = "Live"
	GrantDead    GrantState = "Dead"
	GrantUnknown GrantState = "Unknown"
)

// Evidence says how the end of a grant or of somebody's access is known.
type Evidence string

// The kinds of evidence, strongest first.
const (
	EvidenceIntrospection Evidence = "introspection"
	EvidenceProbe         Evidence = "probe"
	EvidenceRoleList      Evidence = "role list"
	EvidenceLifetime      Evidence = "lifetime passed"
	// EvidenceAttested is a person's word: never proof.
	EvidenceAttested Evidence = "attested"
)

// Proven says that the evidence is the platform's own.
func (e Evidence) Proven() bool { return e != "" && e != EvidenceAttested }

// Journal is where a rotation stands. The zero Phase: none runs.
type Journal struct {
	// Revision numbers what was stored; every part's HMAC covers it, so that parts of
	// two revisions cannot be mixed.
	Revision   int64     `json:"revision"`
	RotationID string    `json:"rotationID,omitempty"`
	Trigger    Trigger   `json:"trigger,omitempty"`
	From       Custodian `json:"from,omitzero"`
	To         Custodian `json:"to,omitzero"`
	// Epoch counts the hands through which the vault went: it grows whenever an
	// operation is found open that this process did not begin.
	Epoch int64 `json:"epoch"`
	Phase Phase `json:"phase,omitempty"`
	// Since is when the phase was entered, StartedAt when the rotation was.
	Since     time.Time `json:"since,omitzero"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	// Client is the app that the new grant is for; Mode how it is had.
	Client App  `json:"client,omitempty"`
	Mode   Mode `json:"mode,omitempty"`
	// Verifier (RFC 7636) and Nonce belong to the consent URL that is out.
	Verifier redact.Token `json:"-"`
	Nonce    redact.Token `json:"-"`
	// CodeHash is the SHA-256 of the code that was spent last.
	CodeHash string `json:"codeHash,omitempty"`
	Op       *Op    `json:"op,omitempty"`
	// Ops counts the operations of the rotation by name: attempts have names of
	// their own.
	Ops map[OpName]int `json:"ops,omitempty"`
	// Tries are failures in a row in this phase; NextAttempt when to go on.
	Tries       int       `json:"tries,omitempty"`
	NextAttempt time.Time `json:"nextAttempt,omitzero"`
	// OverlapUntil is when the old credential may end; GoodChecks are the checks in
	// a row that the new one passed since its promotion.
	OverlapUntil time.Time `json:"overlapUntil,omitzero"`
	GoodChecks   int       `json:"goodChecks,omitempty"`
	// RevokedGrant and RevokedAccess: the platform said so, which proves nothing.
	RevokedGrant  bool        `json:"revokedGrant,omitempty"`
	RevokedAccess bool        `json:"revokedAccess,omitempty"`
	HumanSteps    []HumanStep `json:"humanSteps,omitempty"`
	// Leaver is the platform's id of somebody who is to be removed next.
	Leaver string `json:"leaver,omitempty"`
	// Listed: the list of people was read in this phase, and the former holder is
	// not on it, or cannot be removed by API.
	Listed   bool      `json:"listed,omitempty"`
	ListedAt time.Time `json:"listedAt,omitzero"`
	// Removed are those whom the API removed, by the id of the list, or by address
	// where there is none; Kept those whom it could not.
	Removed []string `json:"removed,omitempty"`
	Kept    []string `json:"kept,omitempty"`
	// OldDead says how the end of the retiring credential is known.
	OldDead Evidence `json:"oldDead,omitempty"`
	// Lapsed: the retiring access token ran out before it was shown to be dead, which
	// says nothing of its refresh token.
	Lapsed bool `json:"lapsed,omitempty"`
	// Unproven: the retiring credential was still accepted after its revocation.
	Unproven bool `json:"unproven,omitempty"`
	// Leaving is the slot that is being ended before the account goes.
	Leaving Which `json:"leaving,omitempty"`
	// Failed says why the rotation cannot go on without somebody's help.
	Failed Failure `json:"failed,omitempty"`
	// Published is the fingerprint of the access token in the outbox.
	Published string `json:"published,omitempty"`
	// SettledFor is whom the credential in use was rotated for.
	SettledFor Custodian `json:"settledFor,omitzero"`
	// Custody is who held the account, the last maxCustody.
	Custody   []Tenure `json:"custody,omitempty"`
	Rotations int64    `json:"rotations,omitempty"`
	// CheckedAt is when the current credential was last tried.
	CheckedAt time.Time `json:"checkedAt,omitzero"`
	// Health is what the last try of the current credential showed.
	Health Health `json:"health,omitempty"`
}

// Custodian is who holds an account, as the spec declares it.
type Custodian struct {
	Unit        string `json:"unit,omitempty"`
	Accountable string `json:"accountable,omitempty"`
	// Team are the people with access, sorted.
	Team []string `json:"team,omitempty"`
}

// Tenure is a period of custody.
type Tenure struct {
	Unit        string    `json:"unit"`
	Accountable string    `json:"accountable"`
	From        time.Time `json:"from"`
	Until       time.Time `json:"until,omitzero"`
	Evidence    Evidence  `json:"evidence,omitempty"`
}

// HumanStep is something that only a person can do.
type HumanStep struct {
	Name string `json:"name"`
	// Since is when it was asked for; a word given before does not close it.
	Since time.Time `json:"since"`
	// Attested: somebody gave their word. Proven: the platform's own list shows it.
	Attested bool `json:"attested,omitempty"`
	Proven   bool `json:"proven,omitempty"`
}

// Bounds of what is stored.
const (
	maxLedger  = 64
	maxCustody = 10
	maxSteps   = 16
)
