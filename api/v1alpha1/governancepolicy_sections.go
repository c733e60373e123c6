package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// OwnershipRules say who may hold which power.
type OwnershipRules struct {
	// incompatibleRoles are sets of roles of which one person may not hold any two
	// on one account.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	IncompatibleRoles []RoleSet `json:"incompatibleRoles,omitempty"`
	// maxAccountsPerPerson is the most accounts one person may answer for or
	// work on, counted over the whole fleet.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MaxAccountsPerPerson int32 `json:"maxAccountsPerPerson,omitempty"`
	// allowedDomains are the e-mail domains of people and mailboxes.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	AllowedDomains []DomainName `json:"allowedDomains,omitempty"`
	// acknowledgement says by when people must have read this edition.
	// +optional
	Acknowledgement *AcknowledgementRule `json:"acknowledgement,omitempty"`
}

// RoleSet is a set of roles that exclude each other.
// +kubebuilder:validation:MinItems=2
// +kubebuilder:validation:MaxItems=4
// +listType=set
type RoleSet []Role

// AcknowledgementRule says by when people must have read an edition.
type AcknowledgementRule struct {
	// withinDays is how many days after the account or the edition appeared a
	// person has.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	WithinDays int32 `json:"withinDays,omitempty"`
	// renewEveryDays is how many days an acknowledgement lasts.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	RenewEveryDays int32 `json:"renewEveryDays,omitempty"`
}

// IdentityRules say what every account must look like.
type IdentityRules struct {
	// handlePattern must match the live handle in lower case; without anchors, a
	// part of it.
	// +optional
	HandlePattern RegularExpression `json:"handlePattern,omitempty"`
	// displayNamePattern must match the live name.
	// +optional
	DisplayNamePattern RegularExpression `json:"displayNamePattern,omitempty"`
	// bioMustContain are texts that the live description must all contain.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	BioMustContain []string `json:"bioMustContain,omitempty"`
	// websiteDomains are the domains that the live link may lead to.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	WebsiteDomains []DomainName `json:"websiteDomains,omitempty"`
	// verified says whether the platform's badge is required.
	// +optional
	Verified VerifiedRule `json:"verified,omitempty"`
	// avatars are the profile images of the visual identity; a live image must
	// resemble one of them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Avatars []AvatarRule `json:"avatars,omitempty"`
}

// VerifiedRule says whether the platform's badge is required.
// +kubebuilder:validation:Enum=Required;Preferred;Ignored
// +enum
type VerifiedRule string

// The badge rules: a closed list.
const (
	VerifiedRequired VerifiedRule = "Required"
	// VerifiedPreferred records a Low finding that never counts against
	// Compliant.
	VerifiedPreferred VerifiedRule = "Preferred"
	VerifiedIgnored   VerifiedRule = "Ignored"
)

// AvatarRule is one profile image of the visual identity.
type AvatarRule struct {
	// name names the image.
	// +required
	Name RuleName `json:"name,omitempty"`
	// perceptualHash is the image's 64-bit difference hash.
	// +required
	PerceptualHash HexPerceptualHash `json:"perceptualHash,omitempty"`
	// maxDistance is how many of the 64 bits may differ. Default: 6.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=32
	MaxDistance *int32 `json:"maxDistance,omitempty"`
}

// CredentialRules say how long credentials last and what rotates them.
type CredentialRules struct {
	// maxAgeDays is how many days a credential may be used.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	MaxAgeDays int32 `json:"maxAgeDays,omitempty"`
	// rotateOn are the changes of spec that start a handover.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=3
	RotateOn []RotateOn `json:"rotateOn,omitempty"`
	// overlap is how long the old credential stays alive beside the new one, at
	// most 168h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('168h')",message="must be between 0s and 168h"
	Overlap *metav1.Duration `json:"overlap,omitempty"`
}

// RotateOn is a change of spec that starts a handover.
// +kubebuilder:validation:Enum=AccountableChanged;MemberRemoved;UnitChanged
// +enum
type RotateOn string

// The changes that start a handover: a closed list.
const (
	RotateOnAccountableChanged RotateOn = "AccountableChanged"
	RotateOnMemberRemoved      RotateOn = "MemberRemoved"
	RotateOnUnitChanged        RotateOn = "UnitChanged"
)
