package v1alpha1

// EventReason is a reason of an event: a closed list, the automation contract.
type EventReason string

// EventAction says during which work an event arose: a closed list.
type EventAction string

// The actions of events.
const (
	EventActionObserve  EventAction = "Observe"
	EventActionEvaluate EventAction = "Evaluate"
	EventActionRotate   EventAction = "Rotate"
)

// EventKind describes one event of the catalogue.
type EventKind struct {
	Reason EventReason
	// Warning events need somebody; the others inform.
	Warning bool
	Action  EventAction
	// Regarding is the kind that the event is about.
	Regarding string
	Meaning   string
}

// The event reasons.
const (
	EventProfileDrifted         EventReason = "ProfileDrifted"
	EventProfileSettled         EventReason = "ProfileSettled"
	EventAccountSuspended       EventReason = "AccountSuspended"
	EventAccountMissing         EventReason = "AccountMissing"
	EventAccountRestored        EventReason = "AccountRestored"
	EventHandleReassigned       EventReason = "HandleReassigned"
	EventHandleChanged          EventReason = "HandleChanged"
	EventDuplicateClaim         EventReason = "DuplicateClaim"
	EventViolationFound         EventReason = "ViolationFound"
	EventViolationCleared       EventReason = "ViolationCleared"
	EventExceptionExpired       EventReason = "ExceptionExpired"
	EventAcknowledgementDue     EventReason = "AcknowledgementDue"
	EventAttestationExpired     EventReason = "AttestationExpired"
	EventHandoverStarted        EventReason = "HandoverStarted"
	EventHandoverStepDone       EventReason = "HandoverStepDone"
	EventHandoverAwaitingHuman  EventReason = "HandoverAwaitingHuman"
	EventHandoverCompleted      EventReason = "HandoverCompleted"
	EventRotationFailed         EventReason = "RotationFailed"
	EventRevocationUnproven     EventReason = "RevocationUnproven"
	EventCredentialsExpiring    EventReason = "CredentialsExpiring"
	EventCredentialsRevoked     EventReason = "CredentialsRevoked"
	EventPolicyAccepted         EventReason = "PolicyAccepted"
	EventPolicyRejected         EventReason = "PolicyRejected"
	EventUngovernedAccountFound EventReason = "UngovernedAccountFound"
	EventAccountAdopted         EventReason = "AccountAdopted"
	EventPlatformUnavailable    EventReason = "PlatformUnavailable"
	EventPlatformRecovered      EventReason = "PlatformRecovered"
	EventBudgetExhausted        EventReason = "BudgetExhausted"
	EventMassChange             EventReason = "MassChange"
)

// Events returns the whole catalogue, in a fixed order.
func Events() []EventKind {
	const acc, pol, con, dis = KindSocialAccount, KindGovernancePolicy, KindPlatformConnection, KindDiscoveredAccount
	return []EventKind{
		{EventProfileDrifted, true, EventActionObserve, acc, "The live profile began to differ from the declared one, or differs in other fields than before."},
		{EventProfileSettled, false, EventActionObserve, acc, "The live profile is as declared again."},
		{EventAccountSuspended, true, EventActionObserve, acc, "The platform suspended the account."},
		{EventAccountMissing, true, EventActionObserve, acc, "The platform no longer shows the account."},
		{EventAccountRestored, false, EventActionObserve, acc, "An account that was suspended, missing, reassigned or a duplicate is in order again."},
		{EventHandleReassigned, true, EventActionObserve, acc, "The declared handle belongs to another account now."},
		{EventHandleChanged, true, EventActionObserve, acc, "The account bears another handle than before."},
		{EventDuplicateClaim, true, EventActionObserve, acc, "An older SocialAccount declares the same account."},
		{EventViolationFound, true, EventActionEvaluate, acc, "A rule is violated that was not before, or by another post."},
		{EventViolationCleared, false, EventActionEvaluate, acc, "A rule is no longer violated, or a post that violated it is gone, was edited, or is judged by other rules; the note says which."},
		{EventExceptionExpired, true, EventActionEvaluate, acc, "An exception that covered the account ended."},
		{EventAcknowledgementDue, true, EventActionEvaluate, acc, "Somebody has to read the edition in force."},
		{EventAttestationExpired, true, EventActionEvaluate, acc, "An attestation lapsed."},
		{EventHandoverStarted, false, EventActionRotate, acc, "Credentials begin to change hands."},
		{EventHandoverStepDone, false, EventActionRotate, acc, "A step of the handover is done."},
		{EventHandoverAwaitingHuman, true, EventActionRotate, acc, "The handover waits for a person."},
		{EventHandoverCompleted, false, EventActionRotate, acc, "The handover is settled, with evidence."},
		{EventRotationFailed, true, EventActionRotate, acc, "The handover failed, or a right that it needs is missing."},
		{EventRevocationUnproven, true, EventActionRotate, acc, "It is not proven that the former holder is out, or a deleted account left grants that could not be revoked; in a namespace that is being deleted the PlatformConnection bears the event."},
		{EventCredentialsExpiring, true, EventActionRotate, acc, "The credential ends within two weeks and only a person can renew it; told once, and consent is asked for from then on."},
		{EventCredentialsRevoked, true, EventActionRotate, acc, "The platform no longer accepts the credential."},
		{EventPolicyAccepted, false, EventActionEvaluate, pol, "An edition came into force."},
		{EventPolicyRejected, true, EventActionEvaluate, pol, "An edition does not compile; the last accepted one stays in force."},
		{EventUngovernedAccountFound, true, EventActionObserve, dis, "An account that looks like ours was found and nobody declares it."},
		{EventAccountAdopted, false, EventActionObserve, dis, "A SocialAccount declares an account that had been discovered."},
		{EventPlatformUnavailable, true, EventActionObserve, con, "The platform stopped answering."},
		{EventPlatformRecovered, false, EventActionObserve, con, "The platform answers again."},
		{EventBudgetExhausted, true, EventActionObserve, con, "The money or monthly volume is used up."},
		{EventMassChange, true, EventActionObserve, con, "A share of the connection's accounts changed together; their verdicts are held back."},
	}
}
