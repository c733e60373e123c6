package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Provision is what a rule implements, carried into every finding.
type Provision struct {
	// severity orders the rule's findings. Default: Medium.
	// +optional
	Severity Severity `json:"severity,omitempty"`
	// control names what the rule implements, such as a control of a standard.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Control string `json:"control,omitempty"`
	// legalBasis names the law or decree behind the rule.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	LegalBasis string `json:"legalBasis,omitempty"`
	// message tells people what is wrong and what would be right.
	// +optional
	Message *Bilingual `json:"message,omitempty"`
}

// AttestationRule is a fact that a person must confirm.
type AttestationRule struct {
	// control names the fact, as the account's attestation does.
	// +required
	Control RuleName `json:"control,omitempty"`
	// everyDays is how many days an attestation lasts.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	EveryDays int32 `json:"everyDays,omitempty"`
	// severity orders the findings. Default: Medium.
	// +optional
	Severity Severity `json:"severity,omitempty"`
	// legalBasis names the law or decree behind the rule.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	LegalBasis string `json:"legalBasis,omitempty"`
}

// ActivityAction is something an account does.
// +kubebuilder:validation:Enum=Publish;Reply;Repost;Like;Follow
// +enum
type ActivityAction string

// The actions: a closed list.
const (
	ActionPublish ActivityAction = "Publish"
	ActionReply   ActivityAction = "Reply"
	ActionRepost  ActivityAction = "Repost"
	ActionLike    ActivityAction = "Like"
	ActionFollow  ActivityAction = "Follow"
)

// Effect says what a procedure does with what it matches.
// +kubebuilder:validation:Enum=Deny;Allow
// +enum
type Effect string

// The effects: a closed list.
const (
	EffectDeny  Effect = "Deny"
	EffectAllow Effect = "Allow"
)

// ActivityRule is a procedure for some actions.
type ActivityRule struct {
	// name names the rule.
	// +required
	Name RuleName `json:"name,omitempty"`
	// actions are what the rule is about.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Actions []ActivityAction `json:"actions,omitempty"`
	// effect says what happens to what matches.
	// +required
	Effect Effect `json:"effect,omitempty"`
	// targets limits the rule to actions towards these accounts.
	// +optional
	Targets   *ActivityTargets `json:"targets,omitempty"`
	Provision `json:",inline"`
}

// ActivityTargets says towards whom an action goes.
type ActivityTargets struct {
	// governed limits to accounts that are declared here (true) or that are not
	// (false).
	// +optional
	Governed *bool `json:"governed,omitempty"`
	// exceptHandles are left out, each as platform and handle: X:SPAregions.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=80
	// +kubebuilder:validation:items:Pattern=`^(X|Instagram|Snapchat|YouTube|Facebook):[^@\s].*$`
	ExceptHandles []string `json:"exceptHandles,omitempty"`
}

// Fold says how text is made comparable.
// +kubebuilder:validation:Enum=Arabic;None
// +enum
type Fold string

// The folds: a closed list.
const (
	FoldArabic Fold = "Arabic"
	FoldNone   Fold = "None"
)

// TextMatch matches a text; one hit of any part is enough.
// +kubebuilder:validation:MinProperties=1
type TextMatch struct {
	// terms are words and phrases.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=10000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	Terms []string `json:"terms,omitempty"`
	// patterns are RE2 patterns.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Patterns []RegularExpression `json:"patterns,omitempty"`
	// expression is CEL over account, live, team, now and post.
	// +optional
	Expression Expression `json:"expression,omitempty"`
}

// ContentRule judges what is published.
type ContentRule struct {
	// name names the rule.
	// +required
	Name RuleName `json:"name,omitempty"`
	// anyOf says what violates the rule.
	// +required
	AnyOf TextMatch `json:"anyOf,omitzero"`
	// fold says how text and terms are made comparable.
	// +optional
	Fold      Fold `json:"fold,omitempty"`
	Provision `json:",inline"`
}

// SourceRule says what must cite its authority.
type SourceRule struct {
	// name names the rule.
	// +required
	Name RuleName `json:"name,omitempty"`
	// when says which text must cite.
	// +required
	When TextMatch `json:"when,omitzero"`
	// linkDomains are the authorities' domains, one of which must be linked.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	LinkDomains []DomainName `json:"linkDomains,omitempty"`
	Provision   `json:",inline"`
}

// LanguageRules say in which languages accounts speak.
type LanguageRules struct {
	// allowed are BCP 47 tags.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=2
	// +kubebuilder:validation:items:MaxLength=35
	Allowed []string `json:"allowed,omitempty"`
	// primary says which language leads.
	// +optional
	Primary PrimaryLanguage `json:"primary,omitempty"`
}

// PrimaryLanguage says which language leads.
// +kubebuilder:validation:Enum=FromAccount;Any
// +enum
type PrimaryLanguage string

// The choices of the leading language: a closed list.
const (
	// PrimaryFromAccount: the language that the account declares.
	PrimaryFromAccount PrimaryLanguage = "FromAccount"
	// PrimaryAny: any of the allowed ones.
	PrimaryAny PrimaryLanguage = "Any"
)

// PerformanceRules say how alive an account must be.
type PerformanceRules struct {
	// maxSilenceDays is the longest time without a post.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	MaxSilenceDays int32 `json:"maxSilenceDays,omitempty"`
	// minPostsPer30Days is the least number of posts in any 30 days.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MinPostsPer30Days int32 `json:"minPostsPer30Days,omitempty"`
}

// CustomRule is anything else, in CEL.
type CustomRule struct {
	// name names the rule.
	// +required
	Name RuleName `json:"name,omitempty"`
	// expression must yield true for an account that meets the rule.
	// +required
	Expression Expression `json:"expression,omitempty"`
	Provision  `json:",inline"`
}

// DiscoveryRules look for accounts that look like ours.
type DiscoveryRules struct {
	// every is the time between two searches, at least 1h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h') && duration(self) <= duration('720h')",message="must be between 1h and 720h"
	Every *metav1.Duration `json:"every,omitempty"`
	// platforms are searched by name. Instagram has no name search.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=5
	Platforms []PlatformName `json:"platforms,omitempty"`
	// terms are searched for.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=2
	// +kubebuilder:validation:items:MaxLength=100
	Terms []string `json:"terms,omitempty"`
	// lookalike says what counts as looking like ours.
	// +optional
	Lookalike *LookalikeRule `json:"lookalike,omitempty"`
}

// LookalikeRule says what counts as looking like ours.
type LookalikeRule struct {
	// minSimilarity is in percent.
	// +required
	// +kubebuilder:validation:Minimum=50
	// +kubebuilder:validation:Maximum=100
	MinSimilarity int32 `json:"minSimilarity,omitempty"`
}

// Exception suspends rules for some accounts for a while.
type Exception struct {
	// name names the exception.
	// +required
	Name RuleName `json:"name,omitempty"`
	// rules are suspended, each as section and name: performance/max-silence.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^(ownership|identity|credentials|attestations|activity|content|sources|languages|performance|rules)/[a-z0-9-]+$`
	Rules []string `json:"rules,omitempty"`
	// accountSelector limits the exception to accounts with these labels.
	// +optional
	AccountSelector *metav1.LabelSelector `json:"accountSelector,omitempty"`
	// until ends the exception.
	// +required
	Until metav1.Time `json:"until,omitzero"`
	// approvedBy names the authority that granted it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=254
	ApprovedBy string `json:"approvedBy,omitempty"`
	// document is the number of the decision.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Document string `json:"document,omitempty"`
}
