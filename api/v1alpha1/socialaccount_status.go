package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SocialAccountStatus is what Mithaq found about an account.
type SocialAccountStatus struct {
	// conditions are Observed, Governed, Compliant, CredentialsHealthy,
	// HandoverComplete and Ready, all positive and all present after the first
	// pass; Reconciling and Stalled appear only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status judges.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// accountID is the platform's id, pinned at the first observation. A rename
	// keeps it; a recycled handle does not move it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	AccountID string `json:"accountID,omitempty"`
	// profile is the profile as last seen.
	// +optional
	Profile *LiveProfile `json:"profile,omitempty"`
	// drift lists where the live profile differs from the declared one.
	// +optional
	// +listType=map
	// +listMapKey=field
	// +kubebuilder:validation:MaxItems=10
	Drift []Drift `json:"drift,omitempty"`
	// findings are the rules that do not pass, worst first, at most 20; the
	// counts of evaluation are exact.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Findings []Finding `json:"findings,omitempty"`
	// evaluation counts the rules that were judged.
	// +optional
	Evaluation *Evaluation `json:"evaluation,omitempty"`
	// activity is what was read of what the account does, and how far.
	// +optional
	Activity *ActivityStatus `json:"activity,omitempty"`
	// credentials describe the credential in use, never its content.
	// +optional
	Credentials *CredentialStatus `json:"credentials,omitempty"`
	// handover is present while credentials change hands.
	// +optional
	Handover *Handover `json:"handover,omitempty"`
	// custody tells who held the account and when: the last 10.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Custody []Custody `json:"custody,omitempty"`
	// transitions are the last 10 changes of a condition. The sequence never
	// skips, so a consumer that missed an event sees the gap.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Transitions []Transition `json:"transitions,omitempty"`
}

// LiveProfile is a profile as last seen. Text is made safe to show: control and
// bidi-override characters are spelled out.
type LiveProfile struct {
	// handle is the live handle.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Handle string `json:"handle,omitempty"`
	// displayName is the live name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	DisplayName string `json:"displayName,omitempty"`
	// bio is the live description.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Bio string `json:"bio,omitempty"`
	// website is the target of the live link.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Website string `json:"website,omitempty"`
	// location is the live location.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Location string `json:"location,omitempty"`
	// avatarURL is where the platform serves the profile image.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	AvatarURL string `json:"avatarURL,omitempty"`
	// avatarSHA256 is the digest of the profile image.
	// +optional
	AvatarSHA256 HexSHA256 `json:"avatarSHA256,omitempty"`
	// avatarPerceptualHash is the difference hash of the profile image.
	// +optional
	AvatarPerceptualHash HexPerceptualHash `json:"avatarPerceptualHash,omitempty"`
	// bannerURL is where the platform serves the banner.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	BannerURL string `json:"bannerURL,omitempty"`
	// verified says whether the account bears the platform's badge; absent where
	// the platform does not tell.
	// +optional
	Verified *bool `json:"verified,omitempty"`
	// state is the account's state on the platform.
	// +optional
	State LiveState `json:"state,omitempty"`
	// followers is the number of followers when this status was written.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Followers *int64 `json:"followers,omitempty"`
	// posts is the number of posts when this status was written.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Posts *int64 `json:"posts,omitempty"`
	// lastPostAt is when the newest known post was made.
	// +optional
	LastPostAt *metav1.Time `json:"lastPostAt,omitempty"`
	// observedAt is when the platform gave the answer that this status rests on.
	// It moves with another change, or at most once a day; how fresh knowledge
	// is meanwhile stands in the PlatformConnection and in metrics.
	// +optional
	ObservedAt *metav1.Time `json:"observedAt,omitempty"`
}

// LiveState is an account's state on its platform.
// +kubebuilder:validation:Enum=Active;Protected;Suspended;NotFound;Deactivated;HandleReassigned
// +enum
type LiveState string

// The live states: a closed list.
const (
	StateActive           LiveState = "Active"
	StateProtected        LiveState = "Protected"
	StateSuspended        LiveState = "Suspended"
	StateNotFound         LiveState = "NotFound"
	StateDeactivated      LiveState = "Deactivated"
	StateHandleReassigned LiveState = "HandleReassigned"
)

// Drift is one difference between the declared and the live profile.
type Drift struct {
	// field is the field of spec.profile, or handle.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Field string `json:"field,omitempty"`
	// want is the declared value.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Want string `json:"want,omitempty"`
	// got is the live value; absent when the platform shows none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Got string `json:"got,omitempty"`
	// since is when the difference was first seen.
	// +required
	Since metav1.Time `json:"since,omitzero"`
}

// Transition is one change of a condition.
type Transition struct {
	// sequence numbers the account's transitions from 1, without gaps.
	// +required
	// +kubebuilder:validation:Minimum=1
	Sequence int64 `json:"sequence,omitempty"`
	// at is when the change was recorded.
	// +required
	At metav1.Time `json:"at,omitzero"`
	// condition is the condition's type.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Condition string `json:"condition,omitempty"`
	// from is the status before.
	// +required
	// +kubebuilder:validation:Enum=True;False;Unknown
	From metav1.ConditionStatus `json:"from,omitempty"`
	// to is the status since.
	// +required
	// +kubebuilder:validation:Enum=True;False;Unknown
	To metav1.ConditionStatus `json:"to,omitempty"`
	// reason is the reason since.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`
}
