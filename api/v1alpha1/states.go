package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// State is one permitted combination of condition type, status and reason. Only
// this package can make one, so no other combination can be written: the list
// is closed.
type State struct {
	kind    string
	typ     string
	status  metav1.ConditionStatus
	reason  string
	meaning string
}

// Kind is the kind whose status holds the condition.
func (s State) Kind() string { return s.kind }

// Type is the condition's type.
func (s State) Type() string { return s.typ }

// Status is the condition's status.
func (s State) Status() metav1.ConditionStatus { return s.status }

// Reason is the condition's reason.
func (s State) Reason() string { return s.reason }

// Meaning says, in a sentence for docs/reasons.md, what the state tells.
func (s State) Meaning() string { return s.meaning }

// IsZero says that the state was never set.
func (s State) IsZero() bool { return s.typ == "" }

// The kinds of this package.
const (
	KindSocialAccount      = "SocialAccount"
	KindGovernancePolicy   = "GovernancePolicy"
	KindPlatformConnection = "PlatformConnection"
	KindDiscoveredAccount  = "DiscoveredAccount"
)

var catalogue []State

// States returns the whole catalogue, in a fixed order.
func States() []State { return append([]State(nil), catalogue...) }

func declare(kind, typ string, status metav1.ConditionStatus, reason, meaning string) State {
	s := State{kind: kind, typ: typ, status: status, reason: reason, meaning: meaning}
	catalogue = append(catalogue, s)
	return s
}

func account(typ string, status metav1.ConditionStatus, reason, meaning string) State {
	return declare(KindSocialAccount, typ, status, reason, meaning)
}

func policy(typ string, status metav1.ConditionStatus, reason, meaning string) State {
	return declare(KindGovernancePolicy, typ, status, reason, meaning)
}

func connection(typ string, status metav1.ConditionStatus, reason, meaning string) State {
	return declare(KindPlatformConnection, typ, status, reason, meaning)
}

const (
	yes     = metav1.ConditionTrue
	no      = metav1.ConditionFalse
	unknown = metav1.ConditionUnknown
)

// Observed of a SocialAccount.
var (
	ObservedFresh               = account(ConditionObserved, yes, ReasonFresh, "The platform showed the account within its tier's bound.")
	ObservedNotFound            = account(ConditionObserved, no, ReasonNotFound, "The platform says, on two ways of asking, that there is no such account.")
	ObservedSuspended           = account(ConditionObserved, no, ReasonSuspended, "The platform says, on two ways of asking, that it suspended the account.")
	ObservedDeactivated         = account(ConditionObserved, no, ReasonDeactivated, "The platform says that the account was deactivated by its holder.")
	ObservedHandleReassigned    = account(ConditionObserved, no, ReasonHandleReassigned, "The declared handle belongs to another account now. The pinned account id does not move.")
	ObservedDuplicateClaim      = account(ConditionObserved, no, ReasonDuplicateClaim, "An older SocialAccount declares the same account. This one is not observed.")
	ObservedAwaiting            = account(ConditionObserved, unknown, ReasonAwaitingObservation, "The platform has not been asked yet; the message says what is waited for.")
	ObservedPlatformUnavailable = account(ConditionObserved, unknown, ReasonPlatformUnavailable, "The platform does not answer, or answers nothing that can be believed. Other verdicts rest on what was seen last.")
	ObservedThrottled           = account(ConditionObserved, unknown, ReasonThrottled, "The platform refuses requests because of their number, for longer than the tier's bound allows.")
	ObservedBudgetExhausted     = account(ConditionObserved, unknown, ReasonBudgetExhausted, "The connection's money or monthly volume is used up.")
	ObservedUnauthorized        = account(ConditionObserved, unknown, ReasonUnauthorized, "The platform refuses the connection's app credentials, or there are none.")
	ObservedStale               = account(ConditionObserved, unknown, ReasonStale, "The newest knowledge is older than the tier's bound.")
	ObservedNotObservable       = account(ConditionObserved, unknown, ReasonNotObservable, "This version has no adapter for the platform, or the platform offers no such read.")
	ObservedPaused              = account(ConditionObserved, unknown, ReasonPaused, "spec.suspend pauses observation until its end.")
)

// Governed of a SocialAccount.
var (
	GovernedMatched       = account(ConditionGoverned, yes, ReasonPolicyMatched, "At least one policy selects the account, and every one that lists tiers permits its tier.")
	GovernedNoPolicy      = account(ConditionGoverned, no, ReasonNoPolicyMatched, "No policy selects the account.")
	GovernedTier          = account(ConditionGoverned, no, ReasonTierNotPermitted, "A policy that selects the account does not permit its tier.")
	GovernedPolicyInvalid = account(ConditionGoverned, unknown, ReasonPolicyInvalid, "A policy that selects the account has no accepted edition.")
)

// Compliant of a SocialAccount.
var (
	CompliantAllPass         = account(ConditionCompliant, yes, ReasonAllRulesPass, "Every enforced rule passes, with evidence.")
	CompliantViolated        = account(ConditionCompliant, no, ReasonRulesViolated, "At least one enforced rule is violated; status.findings names it.")
	CompliantEvidenceMissing = account(ConditionCompliant, unknown, ReasonEvidenceMissing, "No enforced rule is known to be violated, and at least one cannot be judged, or there is none.")
	CompliantAwaiting        = account(ConditionCompliant, unknown, ReasonAwaitingObservation, "No enforced rule is known to be violated, and the account has not been seen yet.")
)

// CredentialsHealthy of a SocialAccount.
var (
	CredentialsVerified            = account(ConditionCredentialsHealthy, yes, ReasonVerified, "The platform accepted the credential, for this account.")
	CredentialsNotRequired         = account(ConditionCredentialsHealthy, yes, ReasonNotRequired, "The account declares no credentials; it is observed through its connection's app.")
	CredentialsSecretMissing       = account(ConditionCredentialsHealthy, no, ReasonSecretMissing, "The Secret of spec.credentials does not exist.")
	CredentialsSecretMalformed     = account(ConditionCredentialsHealthy, no, ReasonSecretMalformed, "The Secret of spec.credentials lacks a key or holds a malformed one.")
	CredentialsExpired             = account(ConditionCredentialsHealthy, no, ReasonExpired, "The credential has expired.")
	CredentialsRevoked             = account(ConditionCredentialsHealthy, no, ReasonRevoked, "The platform no longer accepts the credential.")
	CredentialsWrongAccount        = account(ConditionCredentialsHealthy, no, ReasonWrongAccount, "The credential belongs to another account.")
	CredentialsInsufficientScope   = account(ConditionCredentialsHealthy, no, ReasonInsufficientScope, "The credential lacks a scope that is needed.")
	CredentialsNotYetVerified      = account(ConditionCredentialsHealthy, unknown, ReasonNotYetVerified, "The credential has not been tried yet.")
	CredentialsPlatformUnavailable = account(ConditionCredentialsHealthy, unknown, ReasonPlatformUnavailable, "The platform does not answer, so the credential cannot be tried.")
)

// HandoverComplete of a SocialAccount.
var (
	HandoverSettled            = account(ConditionHandoverComplete, yes, ReasonSettled, "No change of hands is pending.")
	HandoverInProgress         = account(ConditionHandoverComplete, no, ReasonRotationInProgress, "Credentials are changing hands.")
	HandoverAwaitingHuman      = account(ConditionHandoverComplete, no, ReasonAwaitingHuman, "A person has to act; status.handover says how.")
	HandoverFailed             = account(ConditionHandoverComplete, no, ReasonRotationFailed, "The change of hands failed, or a right that it needs is missing; the message and status.handover say which.")
	HandoverRevocationUnproven = account(ConditionHandoverComplete, no, ReasonRevocationUnproven, "It is not proven that the former holder is out.")
)

// ReadyReconciled is the Ready of a SocialAccount that repeats no other
// condition's reason; see ReadyFrom.
var ReadyReconciled = account(ConditionReady, yes, ReasonReconciled, "Observed, Governed, CredentialsHealthy and HandoverComplete are True.")

// Reconciling and Stalled of a SocialAccount: present only while true.
var (
	AccountReconciling       = account(ConditionReconciling, yes, ReasonAwaitingObservation, "The account is about to be looked at.")
	AccountConnectionMissing = account(ConditionStalled, yes, ReasonConnectionMissing, "The PlatformConnection that the account names, or the platform's default, does not exist.")
)

// Conditions of a GovernancePolicy.
var (
	PolicyAccepted           = policy(ConditionAccepted, yes, ReasonAccepted, "Everything in the policy compiles; this generation is in force.")
	PolicyInvalidExpression  = policy(ConditionAccepted, no, ReasonInvalidExpression, "A pattern or expression does not compile; the message names the rule and the position. The last accepted generation stays in force.")
	PolicyInvalidSelector    = policy(ConditionAccepted, no, ReasonInvalidSelector, "A label selector is malformed. The last accepted generation stays in force.")
	PolicyReady              = policy(ConditionReady, yes, ReasonReconciled, "This generation is accepted and in force.")
	PolicyNotReadyExpression = policy(ConditionReady, no, ReasonInvalidExpression, "Accepted is False for this reason.")
	PolicyNotReadySelector   = policy(ConditionReady, no, ReasonInvalidSelector, "Accepted is False for this reason.")
	PolicyStalledExpression  = policy(ConditionStalled, yes, ReasonInvalidExpression, "Nothing moves until the policy is edited.")
	PolicyStalledSelector    = policy(ConditionStalled, yes, ReasonInvalidSelector, "Nothing moves until the policy is edited.")
)

// Conditions of a PlatformConnection.
var (
	AvailableReachable       = connection(ConditionAvailable, yes, ReasonReachable, "The platform's last answer was an answer.")
	AvailableUnavailable     = connection(ConditionAvailable, no, ReasonUnavailable, "The platform does not answer, or answers nothing that can be believed.")
	AvailableThrottled       = connection(ConditionAvailable, no, ReasonThrottled, "The platform refuses requests because of their number.")
	AvailableBudgetExhausted = connection(ConditionAvailable, no, ReasonBudgetExhausted, "The money, the day's units or the monthly volume is used up, and accounts are past their bounds because of it.")
	AvailableUnauthorized    = connection(ConditionAvailable, no, ReasonAppUnauthorized, "The platform refuses the app's credentials, or there are none; the message names the Secret.")
	AvailableMassChange      = connection(ConditionAvailable, unknown, ReasonMassChange, "Many accounts seem to have changed together, which is more likely the platform's or a shared tool's doing: what is told of them is held back until a further look has confirmed it.")
	AvailableNotYetCalled    = connection(ConditionAvailable, unknown, ReasonNotYetCalled, "The platform has not been called yet.")

	FreshnessWithinBudget = connection(ConditionFreshnessFeasible, yes, ReasonWithinBudget, "The budget can keep the policies' promise.")
	FreshnessTooSmall     = connection(ConditionFreshnessFeasible, no, ReasonBudgetTooSmall, "The budget cannot keep the policies' promise; the message says what would.")
	FreshnessNothing      = connection(ConditionFreshnessFeasible, unknown, ReasonNothingToPlan, "The connection observes no account, or its platform cannot be observed.")

	ConnectionReady                = connection(ConditionReady, yes, ReasonReconciled, "The connection is in use.")
	ConnectionMassChange           = connection(ConditionReady, unknown, ReasonMassChange, "Available is Unknown for this reason.")
	ConnectionNotYetCalled         = connection(ConditionReady, unknown, ReasonNotYetCalled, "The platform has not been called yet.")
	ConnectionUnavailable          = connection(ConditionReady, no, ReasonUnavailable, "Available is False for this reason.")
	ConnectionThrottled            = connection(ConditionReady, no, ReasonThrottled, "Available is False for this reason.")
	ConnectionBudgetExhausted      = connection(ConditionReady, no, ReasonBudgetExhausted, "Available is False for this reason.")
	ConnectionUnauthorized         = connection(ConditionReady, no, ReasonAppUnauthorized, "The platform refuses the app's credentials.")
	ConnectionSecretMissing        = connection(ConditionReady, no, ReasonAppSecretMissing, "The Secret of spec.appSecretRef does not exist in the operator's namespace.")
	ConnectionSecretMalformed      = connection(ConditionReady, no, ReasonAppSecretMalformed, "The Secret of spec.appSecretRef lacks a key or holds a malformed one.")
	ConnectionEndpointNotAllowed   = connection(ConditionReady, no, ReasonEndpointNotAllowed, "The operator's flags do not allow the endpoint's host.")
	ConnectionPlatformNotSupported = connection(ConditionReady, no, ReasonPlatformNotSupported, "This version has no adapter for the platform.")
	ConnectionDuplicateDefault     = connection(ConditionReady, no, ReasonDuplicateDefault, "Another connection of the platform is marked default too, so neither is.")

	StalledSecretMissing        = connection(ConditionStalled, yes, ReasonAppSecretMissing, "Nothing moves until the Secret exists.")
	StalledSecretMalformed      = connection(ConditionStalled, yes, ReasonAppSecretMalformed, "Nothing moves until the Secret is mended.")
	StalledEndpointNotAllowed   = connection(ConditionStalled, yes, ReasonEndpointNotAllowed, "Nothing moves until the endpoint or the operator's flags change.")
	StalledPlatformNotSupported = connection(ConditionStalled, yes, ReasonPlatformNotSupported, "Nothing moves until a version with an adapter runs.")
	StalledDuplicateDefault     = connection(ConditionStalled, yes, ReasonDuplicateDefault, "Nothing moves until one of the defaults is withdrawn.")
)

// Governed of a DiscoveredAccount.
var (
	DiscoveredAdopted     = declare(KindDiscoveredAccount, ConditionGoverned, yes, ReasonAdopted, "A SocialAccount declares the account.")
	DiscoveredNotDeclared = declare(KindDiscoveredAccount, ConditionGoverned, no, ReasonNotDeclared, "No SocialAccount declares the account.")
)

// readyStates are the Ready states of a SocialAccount that repeat the reason of
// another condition.
var readyStates = deriveReady()

func deriveReady() map[State]State {
	derived := map[State]State{}
	byReason := map[string]State{}
	for _, s := range States() {
		switch s.typ {
		case ConditionObserved, ConditionGoverned, ConditionCredentialsHealthy, ConditionHandoverComplete:
		default:
			continue
		}
		if s.kind != KindSocialAccount || s.status == yes {
			continue
		}
		key := string(s.status) + s.reason
		ready, ok := byReason[key]
		if !ok {
			ready = account(ConditionReady, s.status, s.reason, s.typ+" is "+string(s.status)+" for this reason.")
			byReason[key] = ready
		}
		derived[s] = ready
	}
	return derived
}

// ReadyFrom is the Ready state of a SocialAccount that repeats the reason of s,
// a state of Observed, Governed, CredentialsHealthy or HandoverComplete. For any
// other state, and for one that is True, it is ReadyReconciled.
func ReadyFrom(s State) State {
	if ready, ok := readyStates[s]; ok {
		return ready
	}
	return ReadyReconciled
}

// FindState looks a state up by what a condition stores.
func FindState(kind string, c metav1.Condition) (State, bool) {
	for _, s := range catalogue {
		if s.kind == kind && s.typ == c.Type && s.status == c.Status && s.reason == c.Reason {
			return s, true
		}
	}
	return State{}, false
}
