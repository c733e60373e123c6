// Package observe looks at accounts within the platforms' budgets. Reconcilers
// never call a platform: they say what they want to know (Want), read what is
// known (Look), and are woken when it changed.
//
// The engine works in rings. All targets of a connection that are looked up the
// same way at the same interval form a ring, ordered by a stable hash. A ring is
// walked once per interval, a batch at a time, so an unchanged fleet of N costs
// exactly ceil(N/batch) requests a round, at the same moments after a restart as
// before it. What is new or changed jumps the ring through a small queue.
package observe

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// Target is an account to be looked at.
type Target struct {
	// Key names the SocialAccount.
	Key types.NamespacedName
	// Connection names the PlatformConnection.
	Connection string
	// ID is the platform's id, declared or pinned; empty: to be found by Handle.
	ID string
	// Handle is the declared handle, without @.
	Handle string
	// Tier is the account's tier, for promises and metrics.
	Tier string
	// Every is the time between two looks; one may come a fiftieth of it later.
	Every time.Duration
	// StaleAfter is the age at which knowledge is stale.
	StaleAfter time.Duration
	// Urgent asks for a look as soon as the budget allows.
	Urgent bool
	// Activity says what is wanted of what the account does; nil: nothing.
	Activity *ActivityWant
	// Restored is what the object's own status remembers of an earlier process.
	// It is used until the first look.
	Restored *Snapshot
}

// Outcome is what is believed of an account after all doubts are cleared.
type Outcome string

// The outcomes: a closed list.
const (
	Found       Outcome = "Found"
	Suspended   Outcome = "Suspended"
	NotFound    Outcome = "NotFound"
	Deactivated Outcome = "Deactivated"
	// HandleReassigned: the declared handle belongs to another account now.
	HandleReassigned Outcome = "HandleReassigned"
)

// Snapshot is what is known of an account. It is never changed once published.
type Snapshot struct {
	Outcome Outcome
	// Profile is the last profile that was seen; it outlives a suspension.
	Profile platform.Profile
	// AvatarSHA256 and AvatarPerceptualHash describe the image behind
	// Profile.AvatarURL; empty: not known.
	AvatarSHA256, AvatarPerceptualHash string
	// HolderID is who has the declared handle, of HandleReassigned.
	HolderID string
	// At is when the platform answered.
	At time.Time
}

// View is what the engine knows of a target.
type View struct {
	// Snapshot is nil until something is known.
	Snapshot *Snapshot
	// Restored: this process has not looked yet; Snapshot is only remembered.
	Restored bool
	// Lane says what keeps the engine from looking.
	Lane LaneState
	// Heard is when the connection last answered for anybody; zero: never yet.
	Heard time.Time
	// Stale: the snapshot is older than the target's bound.
	Stale bool
	// Untold: nothing is known, although the platform was asked twice and answered: it
	// left this account out, or gave an error for it alone.
	Untold bool
	// Activity is nil if nothing is wanted, or nobody knows yet how it is read.
	Activity *Activity
}

// LaneReason is what keeps the engine from asking through a connection.
type LaneReason string

// The reasons: a closed list; the empty one is none.
const (
	// LaneConnectionMissing: the engine does not hold the connection (yet).
	LaneConnectionMissing   LaneReason = "ConnectionMissing"
	LanePlatformUnavailable LaneReason = "PlatformUnavailable"
	LaneThrottled           LaneReason = "Throttled"
	LaneBudgetExhausted     LaneReason = "BudgetExhausted"
	LaneUnauthorized        LaneReason = "Unauthorized"
	LaneNotObservable       LaneReason = "NotObservable"
)

// LaneState is a reason with its deterministic message.
type LaneState struct {
	Reason  LaneReason
	Message string
}

// Connection is a way to a platform.
type Connection struct {
	Name     string
	Platform platform.Name
	Adapter  platform.Adapter
	// Client is nil if the connection cannot be used; State says why.
	Client *platform.Client
	State  LaneState
	// Share is the percentage of the published limits that may be used.
	Share int
	// DailyMicroUSD is the most that a day's reads may cost, in millionths of a US
	// dollar; 0: no limit.
	DailyMicroUSD int64
	// Units replace the published limits of buckets, by their names.
	Units map[string]int
	// Part is the part of all this that is this process's.
	Part budget.Part
	// Persist: what is spent of a day is saved (see Engine.Saved), and Saved is what an
	// earlier process left. Only the first opening reads Saved.
	Persist bool
	Saved   Saved
	// Media fetches profile images; nil: images stay unknown.
	Media MediaFetcher
}

// MediaFetcher reduces a profile image to its hashes.
type MediaFetcher interface {
	// Fetch returns the image's SHA-256 and its 64-bit difference hash in hex.
	Fetch(ctx context.Context, url string) (sha256, perceptualHash string, err error)
}

// Report is how a connection does.
type Report struct {
	// State is what keeps the engine from asking; Answered says that the platform
	// has answered this process.
	State    LaneState
	Answered bool
	Accounts int
	Buckets  []platform.Usage
	// Ledger is what was spent of the day's budgets; Save says that it is to be saved
	// now, not only with the next change.
	Ledger []budget.Line
	Save   bool
	// Sweep is the last round in which every account was looked at.
	Sweep Sweep
	// Freshness compares promise and plan by tier.
	Freshness []TierFreshness
	// Feasible says that the budget can keep every promise; Advice says what it
	// would take, or what it takes.
	Feasible bool
	Advice   string
	// MassChange is set while many accounts seem to change together.
	MassChange *MassChange
}

// MassChange is a change of many accounts together, which is more likely the
// platform's or a shared tool's than theirs: what is told of them is held back.
type MassChange struct {
	Since time.Time
	// What is the outcome or the profile field that changed.
	What string
	// Accounts is how many had changed when it was noticed, Share that in percent of
	// those that were looked at.
	Accounts, Share int
}

// Sweep is a round in which every account of a connection was looked at.
type Sweep struct {
	Accounts, Requests                        int
	StartedAt, CompletedAt, OldestObservation time.Time
}

// TierFreshness compares, for a tier, the promised bound with the worst age that
// budget and batches allow for, and with the worst age now.
type TierFreshness struct {
	Tier                         string
	Promised, Achieved, Measured time.Duration
}
