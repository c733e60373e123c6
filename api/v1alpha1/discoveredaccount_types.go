package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DiscoveredAccount is an account that looks like ours and that no SocialAccount
// declares. The operator creates it; people write only its disposition.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=dacct,categories=mithaq
// +kubebuilder:printcolumn:name="Platform",type=string,JSONPath=`.status.platform`
// +kubebuilder:printcolumn:name="Handle",type=string,JSONPath=`.status.handle`
// +kubebuilder:printcolumn:name="Name",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="Disposition",type=string,JSONPath=`.spec.disposition`
// +kubebuilder:printcolumn:name="Governed",type=string,JSONPath=`.status.conditions[?(@.type=="Governed")].status`
// +kubebuilder:printcolumn:name="Followers",type=integer,priority=1,JSONPath=`.status.followers`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type DiscoveredAccount struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is what people decided.
	// +optional
	Spec DiscoveredAccountSpec `json:"spec,omitzero"`
	// status is what Mithaq found. People never write it.
	// +optional
	Status DiscoveredAccountStatus `json:"status,omitzero"`
}

// DiscoveredAccountList is a list of DiscoveredAccounts.
//
// +kubebuilder:object:root=true
type DiscoveredAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []DiscoveredAccount `json:"items"`
}

// DiscoveredAccountSpec is what people decided.
// +kubebuilder:validation:XValidation:rule="!has(self.disposition) || self.disposition == 'Pending' || has(self.reason)",message="a decision needs a reason",fieldPath=".reason"
type DiscoveredAccountSpec struct {
	// disposition is the decision.
	// +optional
	// +kubebuilder:default=Pending
	Disposition Disposition `json:"disposition,omitempty"`
	// reason says why.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`
}

// Disposition is a decision about a discovered account.
// +kubebuilder:validation:Enum=Pending;Dismissed;Impersonation
// +enum
type Disposition string

// The dispositions: a closed list.
const (
	DispositionPending       Disposition = "Pending"
	DispositionDismissed     Disposition = "Dismissed"
	DispositionImpersonation Disposition = "Impersonation"
)

// DiscoveredAccountStatus is what Mithaq found.
type DiscoveredAccountStatus struct {
	// conditions are Governed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// platform hosts the account.
	// +optional
	Platform PlatformName `json:"platform,omitempty"`
	// accountID is the platform's id.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	AccountID string `json:"accountID,omitempty"`
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
	// url is the public address.
	// +optional
	URL HTTPSURL `json:"url,omitempty"`
	// followers is the number of followers when this status was written.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Followers *int64 `json:"followers,omitempty"`
	// verified says whether the account bears the platform's badge.
	// +optional
	Verified *bool `json:"verified,omitempty"`
	// firstSeen is when the account was found.
	// +optional
	FirstSeen *metav1.Time `json:"firstSeen,omitempty"`
	// lastSeen is when it was last found, when this status was written.
	// +optional
	LastSeen *metav1.Time `json:"lastSeen,omitempty"`
	// matches say why it was found.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Matches []DiscoveryMatch `json:"matches,omitempty"`
	// governedBy names the SocialAccount that declares it.
	// +optional
	GovernedBy *NamespacedReference `json:"governedBy,omitempty"`
}

// DiscoveryMatch says why an account was found.
type DiscoveryMatch struct {
	// policy names the GovernancePolicy that searched.
	// +required
	Policy ObjectName `json:"policy,omitempty"`
	// term is what was searched for, or the handle it resembles.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Term string `json:"term,omitempty"`
	// similarity is in percent.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Similarity int32 `json:"similarity,omitempty"`
}

// NamespacedReference names an object of a kind that the field fixes.
type NamespacedReference struct {
	// namespace is the object's namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// name is the object's name.
	// +required
	Name ObjectName `json:"name,omitempty"`
}
