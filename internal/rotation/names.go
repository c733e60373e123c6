package rotation

import "time"

// Phase is a step of the handover; the zero Phase: none runs.
type Phase string

// The phases, in order: a closed list.
const (
	Idle            Phase = ""
	Requested       Phase = "Requested"
	AwaitingConsent Phase = "AwaitingConsent"
	Issuing         Phase = "Issuing"
	Verifying       Phase = "Verifying"
	Promoted        Phase = "Promoted"
	Overlap         Phase = "Overlap"
	Revoking        Phase = "Revoking"
	Unseating       Phase = "Unseating"
	Proving         Phase = "Proving"
)

// Trigger says why a rotation runs.
type Trigger string

// The triggers, most urgent first: a closed list.
const (
	TriggerCompromised        Trigger = "Compromised"
	TriggerAccountableChanged Trigger = "AccountableChanged"
	TriggerUnitChanged        Trigger = "UnitChanged"
	TriggerMemberRemoved      Trigger = "MemberRemoved"
	TriggerRotateAfter        Trigger = "RotateAfter"
	TriggerMaxAge             Trigger = "MaxAge"
	// TriggerLost: the credential in use is no longer accepted, or cannot be renewed.
	TriggerLost Trigger = "CredentialLost"
	// TriggerFirst: the account has no credential yet.
	TriggerFirst Trigger = "FirstCredential"
)

// handsOver says that somebody loses access at the end of such a rotation.
func (t Trigger) handsOver() bool {
	return t == TriggerAccountableChanged || t == TriggerUnitChanged || t == TriggerMemberRemoved || t == TriggerCompromised
}

// Mode is how a new grant is had.
type Mode string

// The modes: a closed list.
const (
	ByConsent Mode = "consent"
	ByMint    Mode = "mint"
	ByImport  Mode = "import"
)

// OpName names an operation that changes something on a platform.
type OpName string

// The operations: a closed list. They are effects e5, e12, e13 and e16.
const (
	OpIssue        OpName = "issue"
	OpRefresh      OpName = "refresh"
	OpRevokeGrant  OpName = "revoke-grant"
	OpRevokeAccess OpName = "revoke-access"
	OpUnseat       OpName = "unseat"
	// OpTry spends the refresh token of the retiring credential to learn whether it is
	// dead: the last resort, once its access token ran out.
	OpTry OpName = "try"
	// OpQuarantine and OpQuarantineAccess revoke a pending grant that was for somebody
	// else, and its access token.
	OpQuarantine       OpName = "quarantine"
	OpQuarantineAccess OpName = "quarantine-access"
)

// Op is an operation whose intent is stored.
type Op struct {
	Name OpName `json:"name"`
	// Attempt is rotationID.name.n.
	Attempt string `json:"attempt"`
	// Fingerprint is of the token or code that it spends.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Subject is the member to be removed.
	Subject string `json:"subject,omitempty"`
	Slot    Which  `json:"slot,omitempty"`
	Epoch   int64  `json:"epoch"`
	// SeenAt is when a process first found it open that did not begin it.
	SeenAt time.Time `json:"seenAt,omitzero"`
}

// Budget is how long a call may take, and how long an operation that was found
// open is waited for before it counts as over.
const Budget = 15 * time.Second

// Which names a slot.
type Which string

// The slots.
const (
	SlotCurrent  Which = "current"
	SlotPending  Which = "pending"
	SlotRetiring Which = "retiring"
)

// Failure says why a rotation needs help; the zero value: it does not.
type Failure string

// The failures: a closed list.
const (
	// FailedAppRefused: the platform refuses the app's credentials, or the app may
	// not revoke.
	FailedAppRefused Failure = "AppRefused"
	// FailedCurrentDenied: neither the new credential nor the old one is accepted.
	FailedCurrentDenied Failure = "CurrentDenied"
	// FailedGapNotAllowed: revoking the old grant would end the new one too, there is
	// no second app, and spec.credentials.allowGap is not set.
	FailedGapNotAllowed Failure = "GapNotAllowed"
	// FailedWrongHolder: consent was given for another account, by another person, or
	// for fewer scopes.
	FailedWrongHolder Failure = "WrongHolder"
	// FailedRestored: the vault is older than the status: it was restored from a
	// backup, and nothing in it is spent before a probe.
	FailedRestored Failure = "VaultRestored"
)

// Health is what is known of the credential in use.
type Health string

// The states of health: a closed list.
const (
	HealthUnknown     Health = ""
	HealthVerified    Health = "Verified"
	HealthExpired     Health = "Expired"
	HealthRevoked     Health = "Revoked"
	HealthWrong       Health = "WrongAccount"
	HealthScope       Health = "InsufficientScope"
	HealthUnavailable Health = "PlatformUnavailable"
)
