package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Finding is one rule that an account does not pass.
type Finding struct {
	// rule is the rule's section and name: content/no-personal-data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Rule string `json:"rule,omitempty"`
	// policy is the GovernancePolicy that holds the rule.
	// +required
	Policy ObjectName `json:"policy,omitempty"`
	// policyVersion is the edition that was judged.
	// +required
	PolicyVersion EditionVersion `json:"policyVersion,omitempty"`
	// control names what the rule implements.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Control string `json:"control,omitempty"`
	// legalBasis names the law or decree behind the rule.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	LegalBasis string `json:"legalBasis,omitempty"`
	// severity is the rule's severity.
	// +required
	Severity Severity `json:"severity,omitempty"`
	// verdict is Violated, or Unknown where evidence is missing.
	// +required
	Verdict Verdict `json:"verdict,omitempty"`
	// mode says whether the finding counts against Compliant.
	// +required
	Mode FindingMode `json:"mode,omitempty"`
	// evidence says how the verdict is known.
	// +required
	Evidence Evidence `json:"evidence,omitempty"`
	// responsible is who was accountable when it was found. A later handover
	// never rewrites it.
	// +optional
	Responsible PersonName `json:"responsible,omitempty"`
	// since is when it was first found.
	// +required
	Since metav1.Time `json:"since,omitzero"`
	// message says what is wrong and what would be right.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
	// reference points to the post or action, where the finding is about one.
	// +optional
	Reference *FindingReference `json:"reference,omitempty"`
}

// FindingReference points to a post or action.
type FindingReference struct {
	// action is what was done.
	// +required
	Action ActivityAction `json:"action,omitempty"`
	// id is the platform's id of the post or target.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
	// url is the public address.
	// +optional
	URL HTTPSURL `json:"url,omitempty"`
	// sha256 is the digest of the text that was judged.
	// +optional
	SHA256 HexSHA256 `json:"sha256,omitempty"`
	// excerpt is a short part of the text; never kept for Personal accounts.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	Excerpt string `json:"excerpt,omitempty"`
}

// Verdict is the outcome of a rule that does not pass.
// +kubebuilder:validation:Enum=Violated;Unknown
// +enum
type Verdict string

// The verdicts: a closed list.
const (
	VerdictViolated Verdict = "Violated"
	VerdictUnknown  Verdict = "Unknown"
)

// FindingMode says whether a finding counts against Compliant.
// +kubebuilder:validation:Enum=Enforce;Audit
// +enum
type FindingMode string

// The finding modes: a closed list.
const (
	FindingEnforce FindingMode = "Enforce"
	FindingAudit   FindingMode = "Audit"
)

// Evidence says how a verdict is known.
// +kubebuilder:validation:Enum=Observed;Attested;Unobservable
// +enum
type Evidence string

// The kinds of evidence: a closed list.
const (
	// EvidenceObserved was read from the platform or from the declared spec.
	EvidenceObserved Evidence = "Observed"
	// EvidenceAttested is a person's word.
	EvidenceAttested Evidence = "Attested"
	// EvidenceUnobservable: nothing that Mithaq can read shows it.
	EvidenceUnobservable Evidence = "Unobservable"
)

// Evaluation counts the rules that were judged. rules = passed + violated +
// unknown + excepted.
type Evaluation struct {
	// digest is the SHA-256 of the policies and editions that were judged when
	// this status was written. A new edition that changes no verdict of the
	// account does not write it: it moves with another change, or once a day.
	// +required
	Digest HexSHA256 `json:"digest,omitempty"`
	// rules is the number of rules that apply, by digest.
	// +required
	// +kubebuilder:validation:Minimum=0
	Rules *int32 `json:"rules,omitempty"`
	// passed is the number of rules with evidence that they are met, by digest.
	// +required
	// +kubebuilder:validation:Minimum=0
	Passed *int32 `json:"passed,omitempty"`
	// violated is the number of rules with evidence that they are not met.
	// +required
	// +kubebuilder:validation:Minimum=0
	Violated *int32 `json:"violated,omitempty"`
	// unknown is the number of rules without evidence either way.
	// +required
	// +kubebuilder:validation:Minimum=0
	Unknown *int32 `json:"unknown,omitempty"`
	// excepted is the number of rules that a policy's exception suspends.
	// +required
	// +kubebuilder:validation:Minimum=0
	Excepted *int32 `json:"excepted,omitempty"`
}
