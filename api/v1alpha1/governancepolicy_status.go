package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GovernancePolicyStatus is what Mithaq found about a policy.
type GovernancePolicyStatus struct {
	// conditions are Accepted and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that was looked at.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// inForce is the edition that is being enforced: the last one that was
	// accepted, which need not be the one in spec.
	// +optional
	InForce *EditionInForce `json:"inForce,omitempty"`
	// accounts counts the accounts that the edition in force selects.
	// +optional
	Accounts *PolicyAccounts `json:"accounts,omitempty"`
	// rules counts findings by rule, worst first, at most 64.
	// +optional
	// +listType=map
	// +listMapKey=rule
	// +kubebuilder:validation:MaxItems=64
	Rules []RuleCount `json:"rules,omitempty"`
	// preview is what the policy would change, in mode Preview.
	// +optional
	Preview *PolicyPreview `json:"preview,omitempty"`
}

// EditionInForce names an accepted edition.
type EditionInForce struct {
	// generation is the generation of the spec that was accepted.
	// +required
	// +kubebuilder:validation:Minimum=1
	Generation int64 `json:"generation,omitempty"`
	// version is its edition.
	// +required
	Version EditionVersion `json:"version,omitempty"`
	// since is when it came into force. It starts the time that people have to
	// acknowledge it.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// digest is the SHA-256 of its rules.
	// +required
	Digest HexSHA256 `json:"digest,omitempty"`
}

// PolicyAccounts counts accounts. selected = compliant + violating + unknown.
type PolicyAccounts struct {
	// selected is the number of accounts that the policy selects.
	// +required
	// +kubebuilder:validation:Minimum=0
	Selected *int32 `json:"selected,omitempty"`
	// compliant is the number of accounts that pass all its rules.
	// +required
	// +kubebuilder:validation:Minimum=0
	Compliant *int32 `json:"compliant,omitempty"`
	// violating is the number of accounts that violate one of its rules.
	// +required
	// +kubebuilder:validation:Minimum=0
	Violating *int32 `json:"violating,omitempty"`
	// unknown is the number of accounts for which evidence is missing.
	// +required
	// +kubebuilder:validation:Minimum=0
	Unknown *int32 `json:"unknown,omitempty"`
}

// RuleCount counts a rule's findings over the fleet.
type RuleCount struct {
	// rule is the rule's section and name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Rule string `json:"rule,omitempty"`
	// violated is the number of accounts that violate it.
	// +required
	// +kubebuilder:validation:Minimum=0
	Violated *int32 `json:"violated,omitempty"`
	// unknown is the number of accounts for which evidence is missing.
	// +required
	// +kubebuilder:validation:Minimum=0
	Unknown *int32 `json:"unknown,omitempty"`
}

// PolicyPreview is what a policy would change: the verdicts of the accounts that it
// selects if it alone was enforced, against those of the policies in force, both from
// recorded observations. No account is touched and no platform is asked.
type PolicyPreview struct {
	// accounts is the number of accounts that the policy selects.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Accounts *int32 `json:"accounts,omitempty"`
	// unknown is the number of accounts that would not violate a rule, and for which
	// evidence of some rule is missing.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unknown *int32 `json:"unknown,omitempty"`
	// unjudged names rules that recorded observations cannot judge, at most 64: the
	// texts of posts are not kept. They count as unknown.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Unjudged []string `json:"unjudged,omitempty"`
	// computedAt is when the numbers last changed.
	// +optional
	ComputedAt *metav1.Time `json:"computedAt,omitempty"`
	// newlyViolating is the number of accounts that would start to violate.
	// +required
	// +kubebuilder:validation:Minimum=0
	NewlyViolating *int32 `json:"newlyViolating,omitempty"`
	// newlyClean is the number of accounts that would stop violating. An account of
	// which it would not be known any more does not count.
	// +required
	// +kubebuilder:validation:Minimum=0
	NewlyClean *int32 `json:"newlyClean,omitempty"`
	// tiers breaks the difference down by tier.
	// +optional
	// +listType=map
	// +listMapKey=tier
	// +kubebuilder:validation:MaxItems=64
	Tiers []TierPreview `json:"tiers,omitempty"`
	// rules breaks it down by rule.
	// +optional
	// +listType=map
	// +listMapKey=rule
	// +kubebuilder:validation:MaxItems=64
	Rules []RulePreview `json:"rules,omitempty"`
	// examples names at most 20 of these accounts, as namespace/name, those that would
	// start to violate first.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=317
	Examples []string `json:"examples,omitempty"`
}

// TierPreview is the difference within a tier.
type TierPreview struct {
	// tier is the accounts' tier.
	// +required
	Tier TierName `json:"tier,omitempty"`
	// newlyViolating is the number of accounts that would start to violate.
	// +required
	// +kubebuilder:validation:Minimum=0
	NewlyViolating *int32 `json:"newlyViolating,omitempty"`
	// newlyClean is the number of accounts that would stop violating.
	// +required
	// +kubebuilder:validation:Minimum=0
	NewlyClean *int32 `json:"newlyClean,omitempty"`
}

// RulePreview is the difference within a rule.
type RulePreview struct {
	// rule is the rule's section and name; tiers/permitted for accounts of a tier that
	// an edition does not list.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Rule string `json:"rule,omitempty"`
	// newlyViolating is the number of accounts that would start to violate it.
	// +required
	// +kubebuilder:validation:Minimum=0
	NewlyViolating *int32 `json:"newlyViolating,omitempty"`
	// newlyClean is the number of accounts that would stop violating it.
	// +required
	// +kubebuilder:validation:Minimum=0
	NewlyClean *int32 `json:"newlyClean,omitempty"`
	// unknown is the number of accounts for which evidence would be missing.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unknown *int32 `json:"unknown,omitempty"`
}
