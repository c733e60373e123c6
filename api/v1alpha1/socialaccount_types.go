package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SocialAccount is one account on one platform: who owns it, at which tier, and
// what it should look like.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=sacct,categories=mithaq
// +kubebuilder:printcolumn:name="Platform",type=string,JSONPath=`.spec.platform`
// +kubebuilder:printcolumn:name="Handle",type=string,JSONPath=`.spec.handle`
// +kubebuilder:printcolumn:name="Tier",type=string,JSONPath=`.spec.tier`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.owner.unit`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Compliant",type=string,JSONPath=`.status.conditions[?(@.type=="Compliant")].status`
// +kubebuilder:printcolumn:name="Findings",type=integer,JSONPath=`.status.evaluation.violated`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Accountable",type=string,priority=1,JSONPath=`.spec.owner.accountable`
// +kubebuilder:printcolumn:name="Followers",type=integer,priority=1,JSONPath=`.status.profile.followers`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Observed",type=date,priority=1,JSONPath=`.status.profile.observedAt`
type SocialAccount struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is what GitOps declares.
	// +required
	Spec SocialAccountSpec `json:"spec,omitzero"`
	// status is what Mithaq found. People never write it.
	// +optional
	Status SocialAccountStatus `json:"status,omitzero"`
}

// SocialAccountList is a list of SocialAccounts.
//
// +kubebuilder:object:root=true
type SocialAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SocialAccount `json:"items"`
}

// SocialAccountSpec declares an account.
//
// Handle rules: X `^[A-Za-z0-9_]{1,15}$` (X's OpenAPI 2.159); YouTube handles may
// be written in Arabic and other scripts.
//
// +kubebuilder:validation:XValidation:rule="self.platform != 'X' || self.handle.matches('^[A-Za-z0-9_]{1,15}$')",message="an X handle has 1 to 15 letters a-z, digits or underscores, without the @",fieldPath=".handle"
// +kubebuilder:validation:XValidation:rule="self.platform != 'Instagram' || self.handle.matches('^[A-Za-z0-9_]([A-Za-z0-9._]{0,28}[A-Za-z0-9_])?$')",message="an Instagram handle has 1 to 30 letters a-z, digits, underscores or inner periods, without the @",fieldPath=".handle"
// +kubebuilder:validation:XValidation:rule="self.platform != 'Snapchat' || self.handle.matches('^[A-Za-z][A-Za-z0-9._-]{1,13}[A-Za-z0-9]$')",message="a Snapchat handle has 3 to 15 letters a-z, digits, periods, hyphens or underscores, starts with a letter and ends with a letter or digit",fieldPath=".handle"
// +kubebuilder:validation:XValidation:rule="self.platform != 'YouTube' || self.handle.matches('^[\\\\p{L}\\\\p{N}]([\\\\p{L}\\\\p{M}\\\\p{N}_.·-]{1,28}[\\\\p{L}\\\\p{M}\\\\p{N}])$')",message="a YouTube handle has 3 to 30 letters or digits of any script, or inner underscores, hyphens, periods or middle dots, without the @",fieldPath=".handle"
// +kubebuilder:validation:XValidation:rule="self.platform != 'Facebook' || self.handle.matches('^[A-Za-z0-9.]{5,50}$')",message="a Facebook username has 5 to 50 letters a-z, digits or periods",fieldPath=".handle"
// +kubebuilder:validation:XValidation:rule="!has(self.accountID) || !(self.platform in ['X', 'Instagram', 'Facebook']) || self.accountID.matches('^[0-9]{1,20}$')",message="the account id on this platform is a decimal number, in quotes",fieldPath=".accountID"
// +kubebuilder:validation:XValidation:rule="!has(self.accountID) || self.platform != 'YouTube' || self.accountID.matches('^UC[A-Za-z0-9_-]{22}$')",message="a YouTube account id is a channel id: UC and 22 characters",fieldPath=".accountID"
// +kubebuilder:validation:XValidation:rule="!has(self.accountID) || self.platform != 'Snapchat' || self.accountID.matches('^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')",message="a Snapchat account id is the lower-case UUID of the public profile",fieldPath=".accountID"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.accountID) || (has(self.accountID) && self.accountID == oldSelf.accountID)",message="accountID is immutable once set",fieldPath=".accountID"
// +kubebuilder:validation:XValidation:rule="!has(self.class) || self.class != 'Personal' || !has(self.credentials)",message="a Personal account may hold no credentials",fieldPath=".credentials"
// +kubebuilder:validation:XValidation:rule="!has(self.class) || self.class != 'Personal' || !has(self.deletionPolicy) || self.deletionPolicy == 'Retain'",message="a Personal account holds nothing that could be revoked: deletionPolicy must be Retain",fieldPath=".deletionPolicy"
type SocialAccountSpec struct {
	// platform hosts the account. Immutable: an account does not move.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="platform is immutable"
	Platform PlatformName `json:"platform,omitempty"`
	// handle is the account's public name, without the leading @.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=60
	Handle string `json:"handle,omitempty"`
	// accountID is the platform's own immutable id of the account. Without it
	// the id is found through the handle at the first observation and pinned in
	// the status. Immutable once set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	AccountID string `json:"accountID,omitempty"`
	// class says whether the account belongs to the body or to a person.
	// +optional
	// +kubebuilder:default=Official
	Class AccountClass `json:"class,omitempty"`
	// tier is the kind of account; it must be named by the policies that select
	// the account.
	// +required
	Tier TierName `json:"tier,omitempty"`
	// language is the account's leading language, as a BCP 47 tag.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=35
	// +kubebuilder:validation:Pattern=`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`
	Language string `json:"language,omitempty"`
	// purpose says what the account is for.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x{202A}-\\\\x{202E}\\\\x{2066}-\\\\x{2069}\\\\x{200B}\\\\x{2060}\\\\x{FEFF}]')",message="must hold no characters that reorder or hide text"
	Purpose string `json:"purpose,omitempty"`
	// owner is who answers for the account.
	// +required
	Owner Owner `json:"owner,omitzero"`
	// team is who works on the account.
	// +optional
	// +listType=map
	// +listMapKey=person
	// +kubebuilder:validation:MaxItems=50
	Team []TeamMember `json:"team,omitempty"`
	// connectionRef names the PlatformConnection through which the account is
	// observed. Default: the only one of the platform that is marked default.
	// +optional
	ConnectionRef *LocalReference `json:"connectionRef,omitempty"`
	// credentials says where the account's credentials come from and when they
	// are rotated.
	// +optional
	Credentials *AccountCredentials `json:"credentials,omitempty"`
	// profile is the approved profile. What differs live is drift; a field that
	// is absent is not compared.
	// +optional
	Profile *ApprovedProfile `json:"profile,omitempty"`
	// attestations are facts that no platform shows, each confirmed by a person.
	// +optional
	// +listType=map
	// +listMapKey=control
	// +kubebuilder:validation:MaxItems=32
	Attestations []Attestation `json:"attestations,omitempty"`
	// acknowledgements record who read which edition of a policy.
	// +optional
	// +listType=map
	// +listMapKey=person
	// +listMapKey=policy
	// +listMapKey=version
	// +kubebuilder:validation:MaxItems=200
	Acknowledgements []Acknowledgement `json:"acknowledgements,omitempty"`
	// suspend pauses observation. It always ends by itself.
	// +optional
	Suspend *Suspension `json:"suspend,omitempty"`
	// deletionPolicy says what happens on the platform when this object is
	// deleted.
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// DeletionPolicy says what the deletion of a SocialAccount does to the platform.
// +kubebuilder:validation:Enum=Retain;RevokeAccess
// +enum
type DeletionPolicy string

// The deletion policies: a closed list.
const (
	// DeletionRetain leaves the platform untouched.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionRevokeAccess revokes the credentials that Mithaq holds.
	DeletionRevokeAccess DeletionPolicy = "RevokeAccess"
)

// Owner is who answers for an account.
type Owner struct {
	// unit is the organisational unit as a slash-separated path, largest first:
	// riyadh/north/school-1042.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(/[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`
	Unit string `json:"unit,omitempty"`
	// accountable is the one person who answers for the account.
	// +required
	Accountable PersonName `json:"accountable,omitempty"`
	// contact is the unit's official mailbox.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^@\s]+@[^@\s]+$`
	Contact string `json:"contact,omitempty"`
}

// TeamMember is a person who works on an account.
type TeamMember struct {
	// person names the person.
	// +required
	Person PersonName `json:"person,omitempty"`
	// roles are the powers the person holds on this account.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Roles []Role `json:"roles,omitempty"`
}

// Role is a power over an account.
// +kubebuilder:validation:Enum=Manager;Publisher;Approver;Analyst
// +kubebuilder:validation:MaxLength=16
// +enum
type Role string

// The roles: a closed list.
const (
	RoleManager   Role = "Manager"
	RolePublisher Role = "Publisher"
	RoleApprover  Role = "Approver"
	RoleAnalyst   Role = "Analyst"
)
