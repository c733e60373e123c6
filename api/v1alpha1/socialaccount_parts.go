package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AccountCredentials says where an account's credentials come from.
type AccountCredentials struct {
	// secretRef names a Secret in the account's own namespace: the inbox for an
	// imported credential and the outbox for the published access token.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`
	// rotateAfter rotates once if the credential was issued before this moment.
	// +optional
	RotateAfter *metav1.Time `json:"rotateAfter,omitempty"`
	// compromised rotates once if the credential was issued before this moment,
	// as an incident: the old credential gets no overlap.
	// +optional
	Compromised *metav1.Time `json:"compromised,omitempty"`
	// allowGap says that the account may be without a working credential for a
	// while where the platform leaves no other way.
	// +optional
	AllowGap *bool `json:"allowGap,omitempty"`
}

// ApprovedProfile is what the account should look like.
// +kubebuilder:validation:MinProperties=1
type ApprovedProfile struct {
	// displayName is the approved name, compared after Unicode composition and
	// without white space at the ends.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x{202A}-\\\\x{202E}\\\\x{2066}-\\\\x{2069}\\\\x{200B}\\\\x{2060}\\\\x{FEFF}\\\\x{0}-\\\\x{1F}]')",message="must hold no characters that reorder or hide text"
	DisplayName string `json:"displayName,omitempty"`
	// bio is the approved description, compared as displayName is.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1000
	// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x{202A}-\\\\x{202E}\\\\x{2066}-\\\\x{2069}\\\\x{200B}\\\\x{2060}\\\\x{FEFF}]')",message="must hold no characters that reorder or hide text"
	Bio string `json:"bio,omitempty"`
	// website is the approved link, compared without a trailing slash and with
	// its host in lower case.
	// +optional
	Website HTTPSURL `json:"website,omitempty"`
	// avatar is the approved profile image.
	// +optional
	Avatar *ApprovedAvatar `json:"avatar,omitempty"`
}

// ApprovedAvatar names a profile image by its content. A platform that encodes
// images anew changes sha256 but hardly perceptualHash.
// +kubebuilder:validation:ExactlyOneOf=sha256;perceptualHash
type ApprovedAvatar struct {
	// sha256 is the digest of the image file as the platform serves it.
	// +optional
	SHA256 HexSHA256 `json:"sha256,omitempty"`
	// perceptualHash is the image's difference hash; up to 6 differing bits
	// count as the same image.
	// +optional
	PerceptualHash HexPerceptualHash `json:"perceptualHash,omitempty"`
}

// Attestation is a person's word on a fact that no platform shows.
// +kubebuilder:validation:XValidation:rule="!has(self.validUntil) || self.validUntil > self.at",message="validUntil must be after at",fieldPath=".validUntil"
type Attestation struct {
	// control names the fact, as the policies name it.
	// +required
	Control RuleName `json:"control,omitempty"`
	// by is who attests.
	// +required
	By PersonName `json:"by,omitempty"`
	// at is when it was attested.
	// +required
	At metav1.Time `json:"at,omitzero"`
	// validUntil ends the attestation. Default: the policy's own period.
	// +optional
	ValidUntil *metav1.Time `json:"validUntil,omitempty"`
	// evidence points to the record.
	// +optional
	Evidence HTTPSURL `json:"evidence,omitempty"`
}

// Acknowledgement records that a person read an edition of a policy.
type Acknowledgement struct {
	// person names who read it.
	// +required
	Person PersonName `json:"person,omitempty"`
	// policy names the GovernancePolicy.
	// +required
	Policy ObjectName `json:"policy,omitempty"`
	// version is the edition, as in the policy's spec.version.
	// +required
	Version EditionVersion `json:"version,omitempty"`
	// at is when it was read.
	// +required
	At metav1.Time `json:"at,omitzero"`
}

// Suspension pauses observation for a while.
type Suspension struct {
	// until ends the suspension.
	// +required
	Until metav1.Time `json:"until,omitzero"`
	// reason says why.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason,omitempty"`
}
