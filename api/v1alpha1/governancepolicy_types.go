package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GovernancePolicy is one edition of the manual: which accounts it selects and
// the rules they must meet. Several policies may select one account: all their
// rules hold and the shortest interval wins.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=gpol,categories=mithaq,path=governancepolicies
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Accepted",type=string,JSONPath=`.status.conditions[?(@.type=="Accepted")].status`
// +kubebuilder:printcolumn:name="Accounts",type=integer,JSONPath=`.status.accounts.selected`
// +kubebuilder:printcolumn:name="Violating",type=integer,JSONPath=`.status.accounts.violating`
// +kubebuilder:printcolumn:name="Unknown",type=integer,JSONPath=`.status.accounts.unknown`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type GovernancePolicy struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is the edition.
	// +required
	Spec GovernancePolicySpec `json:"spec,omitzero"`
	// status is what Mithaq found. People never write it.
	// +optional
	Status GovernancePolicyStatus `json:"status,omitzero"`
}

// GovernancePolicyList is a list of GovernancePolicies.
//
// +kubebuilder:object:root=true
type GovernancePolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []GovernancePolicy `json:"items"`
}

// EditionVersion names an edition of a policy.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._+-]*$`
type EditionVersion string

// GovernancePolicySpec is one edition of the manual. A section that is absent
// says nothing.
type GovernancePolicySpec struct {
	// version names the edition that people acknowledge.
	// +required
	Version EditionVersion `json:"version,omitempty"`
	// mode says what the findings of this policy do.
	// +optional
	// +kubebuilder:default=Enforce
	Mode PolicyMode `json:"mode,omitempty"`
	// selector says which accounts the policy is about. What is absent selects
	// all.
	// +optional
	Selector *PolicySelector `json:"selector,omitempty"`
	// tiers is the closed list of account kinds that this edition permits. A
	// policy without tiers says nothing about tiers.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Tiers []Tier `json:"tiers,omitempty"`
	// ownership says who may hold which power.
	// +optional
	Ownership *OwnershipRules `json:"ownership,omitempty"`
	// identity says what every account must look like.
	// +optional
	Identity *IdentityRules `json:"identity,omitempty"`
	// credentials says how long credentials last and what rotates them.
	// +optional
	Credentials *CredentialRules `json:"credentials,omitempty"`
	// attestations are facts that people must confirm.
	// +optional
	// +listType=map
	// +listMapKey=control
	// +kubebuilder:validation:MaxItems=32
	Attestations []AttestationRule `json:"attestations,omitempty"`
	// activity holds the procedures for publishing, replying, reposting, liking
	// and following. The first match wins; no match is allowed.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Activity []ActivityRule `json:"activity,omitempty"`
	// content judges every observed publish, reply and repost.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Content []ContentRule `json:"content,omitempty"`
	// sources says what must cite its authority.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Sources []SourceRule `json:"sources,omitempty"`
	// languages says in which languages accounts speak.
	// +optional
	Languages *LanguageRules `json:"languages,omitempty"`
	// performance says how alive an account must be.
	// +optional
	Performance *PerformanceRules `json:"performance,omitempty"`
	// rules are anything else, in CEL over account, live, team and now.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Rules []CustomRule `json:"rules,omitempty"`
	// discovery looks for accounts that look like ours and are not declared.
	// +optional
	Discovery *DiscoveryRules `json:"discovery,omitempty"`
	// exceptions suspend rules for a while. Only the policy grants them, and
	// each one ends.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Exceptions []Exception `json:"exceptions,omitempty"`
}

// PolicyMode says what the findings of a policy do.
// +kubebuilder:validation:Enum=Preview;Audit;Enforce
// +enum
type PolicyMode string

// The modes: a closed list.
const (
	// ModePreview only counts, and touches no account.
	ModePreview PolicyMode = "Preview"
	// ModeAudit records findings that do not affect Compliant.
	ModeAudit PolicyMode = "Audit"
	// ModeEnforce records findings that do.
	ModeEnforce PolicyMode = "Enforce"
)

// PolicySelector says which accounts a policy is about.
type PolicySelector struct {
	// platforms limits the policy to these platforms.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=5
	Platforms []PlatformName `json:"platforms,omitempty"`
	// classes limits the policy to these classes.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2
	Classes []AccountClass `json:"classes,omitempty"`
	// namespaceSelector limits the policy to namespaces with these labels.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// accountSelector limits the policy to accounts with these labels.
	// +optional
	AccountSelector *metav1.LabelSelector `json:"accountSelector,omitempty"`
}

// Tier is a kind of account that an edition permits.
type Tier struct {
	// name is what accounts put into spec.tier.
	// +required
	Name TierName `json:"name,omitempty"`
	// observation says how often accounts of the tier are looked at.
	// +optional
	Observation *ObservationIntervals `json:"observation,omitempty"`
	// minPeople is the least number of different people on an account of the
	// tier, the accountable person included.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	MinPeople int32 `json:"minPeople,omitempty"`
}

// ObservationIntervals says how often accounts are looked at.
// +kubebuilder:validation:XValidation:rule="!has(self.profileEvery) || !has(self.staleAfter) || duration(self.staleAfter) >= duration(self.profileEvery)",message="staleAfter must not be shorter than profileEvery",fieldPath=".staleAfter"
type ObservationIntervals struct {
	// profileEvery is the time between two looks at the profile, at least 1s. A
	// look may come up to a fiftieth of it later.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="must be between 1s and 720h"
	ProfileEvery *metav1.Duration `json:"profileEvery,omitempty"`
	// activityEvery is the longest time between two looks at posts, at least 1s.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="must be between 1s and 720h"
	ActivityEvery *metav1.Duration `json:"activityEvery,omitempty"`
	// staleAfter is how old knowledge may be before Observed turns Unknown with
	// reason Stale.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('2160h')",message="must be between 1s and 2160h"
	StaleAfter *metav1.Duration `json:"staleAfter,omitempty"`
}
