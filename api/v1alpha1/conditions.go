package v1alpha1

// The condition types. This file, states.go and events.go are the only
// catalogue of them; docs/reasons.md is generated from it.
const (
	// ConditionObserved: the platform shows the account, and recently enough.
	ConditionObserved = "Observed"
	// ConditionGoverned: a policy selects the account and permits its tier. On a
	// DiscoveredAccount: a SocialAccount declares it.
	ConditionGoverned = "Governed"
	// ConditionCompliant: every enforced rule passes, with evidence.
	ConditionCompliant = "Compliant"
	// ConditionCredentialsHealthy: the account's credential works.
	ConditionCredentialsHealthy = "CredentialsHealthy"
	// ConditionHandoverComplete: nobody but the declared people has access.
	ConditionHandoverComplete = "HandoverComplete"
	// ConditionReady sums up the others, Compliant apart.
	ConditionReady = "Ready"
	// ConditionAccepted: the policy's expressions compile.
	ConditionAccepted = "Accepted"
	// ConditionAvailable: the platform answers and accepts the app's credentials.
	ConditionAvailable = "Available"
	// ConditionFreshnessFeasible: the budget can keep the policies' promise.
	ConditionFreshnessFeasible = "FreshnessFeasible"
	// ConditionReconciling is present only while true (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present only while true (kstatus): nothing will move
	// until somebody changes an object.
	ConditionStalled = "Stalled"
)

// The reasons. Each means one thing, whatever the condition.
const (
	ReasonFresh               = "Fresh"
	ReasonNotFound            = "NotFound"
	ReasonSuspended           = "Suspended"
	ReasonDeactivated         = "Deactivated"
	ReasonHandleReassigned    = "HandleReassigned"
	ReasonDuplicateClaim      = "DuplicateClaim"
	ReasonAwaitingObservation = "AwaitingObservation"
	ReasonPlatformUnavailable = "PlatformUnavailable"
	ReasonThrottled           = "Throttled"
	ReasonBudgetExhausted     = "BudgetExhausted"
	ReasonUnauthorized        = "Unauthorized"
	ReasonStale               = "Stale"
	ReasonNotObservable       = "NotObservable"
	ReasonPaused              = "Paused"

	ReasonPolicyMatched    = "PolicyMatched"
	ReasonNoPolicyMatched  = "NoPolicyMatched"
	ReasonTierNotPermitted = "TierNotPermitted"
	ReasonPolicyInvalid    = "PolicyInvalid"

	ReasonAllRulesPass    = "AllRulesPass"
	ReasonRulesViolated   = "RulesViolated"
	ReasonEvidenceMissing = "EvidenceMissing"

	ReasonVerified          = "Verified"
	ReasonNotRequired       = "NotRequired"
	ReasonSecretMissing     = "SecretMissing"
	ReasonSecretMalformed   = "SecretMalformed"
	ReasonExpired           = "Expired"
	ReasonRevoked           = "Revoked"
	ReasonWrongAccount      = "WrongAccount"
	ReasonInsufficientScope = "InsufficientScope"
	ReasonNotYetVerified    = "NotYetVerified"

	ReasonSettled            = "Settled"
	ReasonRotationInProgress = "RotationInProgress"
	ReasonAwaitingHuman      = "AwaitingHuman"
	ReasonRotationFailed     = "RotationFailed"
	ReasonRevocationUnproven = "RevocationUnproven"

	ReasonReconciled = "Reconciled"

	ReasonAccepted          = "Accepted"
	ReasonInvalidExpression = "InvalidExpression"
	ReasonInvalidSelector   = "InvalidSelector"

	ReasonReachable            = "Reachable"
	ReasonUnavailable          = "Unavailable"
	ReasonAppUnauthorized      = "AppUnauthorized"
	ReasonNotYetCalled         = "NotYetCalled"
	ReasonMassChange           = "MassChange"
	ReasonWithinBudget         = "WithinBudget"
	ReasonBudgetTooSmall       = "BudgetTooSmall"
	ReasonNothingToPlan        = "NothingToPlan"
	ReasonAppSecretMissing     = "AppSecretMissing"
	ReasonAppSecretMalformed   = "AppSecretMalformed"
	ReasonEndpointNotAllowed   = "EndpointNotAllowed"
	ReasonPlatformNotSupported = "PlatformNotSupported"
	ReasonDuplicateDefault     = "DuplicateDefault"
	ReasonConnectionMissing    = "ConnectionMissing"

	ReasonAdopted     = "Adopted"
	ReasonNotDeclared = "NotDeclared"
)
