package rotation

import (
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// Step is the one next thing to do.
type Step struct {
	// Vault is to be stored by one compare-and-swap; nil: nothing changes. With a
	// Call that changes something it holds the intent and is stored before.
	Vault *Vault
	// Call is to be performed once, after Vault was stored.
	Call *Call
	// Publish: the current access token is to be written to the outbox before Vault
	// is stored. Writing it again is harmless.
	Publish bool
	// At is when to look again without any news; zero: never.
	At time.Time
	// Release: nothing is left to do for an account that is being deleted.
	Release bool
}

// CallKind says what a call asks for.
type CallKind string

// The calls: a closed list. Only those with an Op change something.
const (
	CallMutate   CallKind = "mutate"
	CallIdentify CallKind = "identify"
	CallProbe    CallKind = "probe"
	CallPeople   CallKind = "people"
)

// Call is one call to a platform.
type Call struct {
	Kind CallKind
	// Op is set if and only if Kind is CallMutate.
	Op *Op
	// Slot holds the token that the call is about.
	Slot Which
	// Client is the app through which it goes.
	Client App
	Mode   Mode
	// Code and Verifier are spent by an issue.
	Code, Verifier redact.Token
	Member         Member
}

// OutcomeKind classes the answer to a call.
type OutcomeKind string

// The outcomes: a closed list.
const (
	// Done: the platform did, or answered, what was asked.
	Done OutcomeKind = "Done"
	// Denied: the token or code is refused.
	Denied OutcomeKind = "Denied"
	// Misconfigured: the app is refused, or may not do this.
	Misconfigured OutcomeKind = "Misconfigured"
	// Ambiguous: it may or may not have taken effect.
	Ambiguous OutcomeKind = "Ambiguous"
	// Unavailable: nothing was done; try again later.
	Unavailable OutcomeKind = "Unavailable"
)

// Liveness is what is known of a token that was tried.
type Liveness string

// The states of a token.
const (
	Alive   Liveness = "Alive"
	Dead    Liveness = "Dead"
	Expired Liveness = "Expired"
	Unclear Liveness = "Unclear"
)

// Outcome is the answer to a call.
type Outcome struct {
	Kind OutcomeKind
	// RetryAfter is how long to wait, where the platform said so.
	RetryAfter time.Duration
	// Limited: it is Unavailable because a budget of requests is used up.
	Limited bool
	// Product of an issue or a refresh that is Done.
	Product *Product
	// Identity of an identify, or of a probe where the platform tells.
	Identity Identity
	// Liveness of a probe that is Done.
	Liveness Liveness
	// Members of a list of people that is Done.
	Members []Member
}

// Identity is who stands behind a token.
type Identity struct {
	AccountID, Principal, Email string
	// Scopes are nil where the platform does not tell.
	Scopes []string
}

// Waits between tries.
const (
	firstPause = 2 * time.Second
	longPause  = 15 * time.Minute
	// reviseAfter is when a former credential that still works is revoked again.
	reviseAfter = 15 * time.Minute
	// checkPause lies between the two checks of a new credential.
	checkPause = 15 * time.Second
	// goodChecks is how many checks in a row a new credential has to pass.
	goodChecks = 2
	// incidentPatience is how long a compromised credential waits for its successor
	// before it is revoked without one, where a gap is allowed.
	incidentPatience = time.Hour
	// ReleaseAfter is how long a deletion waits for a revocation at most.
	ReleaseAfter = time.Hour
	// checkEvery is how often a credential at rest is tried.
	checkEvery = 6 * time.Hour
)

// pause is how long to wait after so many failures in a row.
func pause(tries int, asked time.Duration) time.Duration {
	wait := firstPause << min(max(tries-1, 0), 12)
	return max(min(wait, longPause), asked)
}

// store is a step that stores v and goes on at once.
func store(v *Vault, now time.Time) Step { return Step{Vault: v, At: now} }

// rest is a step that waits.
func rest(at time.Time) Step { return Step{At: at} }
