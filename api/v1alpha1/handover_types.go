package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CredentialStatus describes the credential in use, never its content.
type CredentialStatus struct {
	// secretVersion identifies the version of the credential.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	SecretVersion string `json:"secretVersion,omitempty"`
	// issuedAt is when the platform issued it.
	// +optional
	IssuedAt *metav1.Time `json:"issuedAt,omitempty"`
	// expiresAt is when it expires; absent when it does not.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
	// lastVerifiedAt is when the platform last accepted it.
	// +optional
	LastVerifiedAt *metav1.Time `json:"lastVerifiedAt,omitempty"`
	// rotationsTotal counts completed rotations.
	// +optional
	// +kubebuilder:validation:Minimum=0
	RotationsTotal *int64 `json:"rotationsTotal,omitempty"`
}

// Handover is a running change of hands.
type Handover struct {
	// id identifies the rotation; automation can use it as an idempotency key.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`
	// trigger says why it runs.
	// +required
	Trigger HandoverTrigger `json:"trigger,omitempty"`
	// from is who hands over.
	// +optional
	From PersonName `json:"from,omitempty"`
	// to is who takes over.
	// +optional
	To PersonName `json:"to,omitempty"`
	// phase is the step of the state machine that runs.
	// +required
	Phase HandoverPhase `json:"phase,omitempty"`
	// since is when the phase was entered.
	// +required
	Since metav1.Time `json:"since,omitzero"`
	// formerAccess says what is known of the former holder's access.
	// +required
	FormerAccess FormerAccess `json:"formerAccess,omitempty"`
	// consentURL is where the new holder gives consent: https, or http on a loopback
	// address in development.
	// +optional
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(https://|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?/)[^\s\x00-\x1f]*$`
	ConsentURL string `json:"consentURL,omitempty"`
	// humanSteps are what only a person can do on the platform.
	// +optional
	// +listType=map
	// +listMapKey=step
	// +kubebuilder:validation:MaxItems=16
	HumanSteps []HumanStep `json:"humanSteps,omitempty"`
	// lastError says what went wrong last, without secrets.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	LastError string `json:"lastError,omitempty"`
	// nextAttempt is when the step is tried again.
	// +optional
	NextAttempt *metav1.Time `json:"nextAttempt,omitempty"`
}

// HandoverTrigger says why a rotation runs.
// +kubebuilder:validation:Enum=AccountableChanged;MemberRemoved;UnitChanged;RotateAfter;Compromised;MaxAge;CredentialLost;FirstCredential
// +enum
type HandoverTrigger string

// The triggers: a closed list.
const (
	TriggerAccountableChanged HandoverTrigger = "AccountableChanged"
	TriggerMemberRemoved      HandoverTrigger = "MemberRemoved"
	TriggerUnitChanged        HandoverTrigger = "UnitChanged"
	TriggerRotateAfter        HandoverTrigger = "RotateAfter"
	TriggerCompromised        HandoverTrigger = "Compromised"
	TriggerMaxAge             HandoverTrigger = "MaxAge"
	// TriggerCredentialLost: the platform no longer accepts the credential, or it
	// ends within two weeks and only a person can renew it.
	TriggerCredentialLost HandoverTrigger = "CredentialLost"
	// TriggerFirstCredential: the account has no credential yet.
	TriggerFirstCredential HandoverTrigger = "FirstCredential"
)

// HandoverPhase is a step of the handover.
// +kubebuilder:validation:Enum=Requested;AwaitingConsent;Issuing;Verifying;Promoted;Overlap;Revoking;Unseating;Proving;Settled
// +enum
type HandoverPhase string

// The phases, in order: a closed list.
const (
	PhaseRequested       HandoverPhase = "Requested"
	PhaseAwaitingConsent HandoverPhase = "AwaitingConsent"
	PhaseIssuing         HandoverPhase = "Issuing"
	PhaseVerifying       HandoverPhase = "Verifying"
	PhasePromoted        HandoverPhase = "Promoted"
	PhaseOverlap         HandoverPhase = "Overlap"
	PhaseRevoking        HandoverPhase = "Revoking"
	PhaseUnseating       HandoverPhase = "Unseating"
	PhaseProving         HandoverPhase = "Proving"
	PhaseSettled         HandoverPhase = "Settled"
)

// FormerAccess says what is known of the former holder's access.
// +kubebuilder:validation:Enum=Present;Removing;Removed;Unproven;Attested
// +enum
type FormerAccess string

// The states of the former holder's access: a closed list.
const (
	FormerAccessPresent  FormerAccess = "Present"
	FormerAccessRemoving FormerAccess = "Removing"
	FormerAccessRemoved  FormerAccess = "Removed"
	FormerAccessUnproven FormerAccess = "Unproven"
	FormerAccessAttested FormerAccess = "Attested"
)

// HumanStep is something only a person can do on the platform.
type HumanStep struct {
	// step names it, as the attestation that closes it does.
	// +required
	Step RuleName `json:"step,omitempty"`
	// state says whether it is done.
	// +required
	State HumanStepState `json:"state,omitempty"`
}

// HumanStepState says whether a human step is done.
// +kubebuilder:validation:Enum=Open;Attested;Proven
// +enum
type HumanStepState string

// The states of a human step: a closed list.
const (
	HumanStepOpen     HumanStepState = "Open"
	HumanStepAttested HumanStepState = "Attested"
	// HumanStepProven: the platform itself shows that it is done.
	HumanStepProven HumanStepState = "Proven"
)

// Custody is a period in which somebody held the account.
type Custody struct {
	// unit held the account.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Unit string `json:"unit,omitempty"`
	// accountable answered for it.
	// +required
	Accountable PersonName `json:"accountable,omitempty"`
	// from is when the period began.
	// +required
	From metav1.Time `json:"from,omitzero"`
	// until is when it ended; absent while it lasts.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
	// provenance says how the end of the former holder's access is known.
	// +required
	Provenance Provenance `json:"provenance,omitempty"`
}

// Provenance says how custody is known.
// +kubebuilder:validation:Enum=Declared;Attested;Proven
// +enum
type Provenance string

// The kinds of provenance, weakest first: a closed list.
const (
	// ProvenanceDeclared: the spec says so.
	ProvenanceDeclared Provenance = "Declared"
	// ProvenanceAttested: a person gave their word.
	ProvenanceAttested Provenance = "Attested"
	// ProvenanceProven: the platform showed it.
	ProvenanceProven Provenance = "Proven"
)
