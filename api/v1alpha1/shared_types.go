package v1alpha1

// PlatformName is a social-media platform that the manual covers.
// +kubebuilder:validation:Enum=X;Instagram;Snapchat;YouTube;Facebook
// +enum
type PlatformName string

// The platforms: a closed list.
const (
	PlatformX         PlatformName = "X"
	PlatformInstagram PlatformName = "Instagram"
	PlatformSnapchat  PlatformName = "Snapchat"
	PlatformYouTube   PlatformName = "YouTube"
	PlatformFacebook  PlatformName = "Facebook"
)

// AccountClass says whether an account belongs to the body or to a person.
// +kubebuilder:validation:Enum=Official;Personal
// +enum
type AccountClass string

// The classes: a closed list.
const (
	// ClassOfficial is an account of the body itself.
	ClassOfficial AccountClass = "Official"
	// ClassPersonal is an official's own account: only what is public is read,
	// and it may hold no credentials.
	ClassPersonal AccountClass = "Personal"
)

// Severity orders findings.
// +kubebuilder:validation:Enum=Low;Medium;High;Critical
// +enum
type Severity string

// The severities, least first: a closed list.
const (
	SeverityLow      Severity = "Low"
	SeverityMedium   Severity = "Medium"
	SeverityHigh     Severity = "High"
	SeverityCritical Severity = "Critical"
)

// PersonName names a person, usually by e-mail address.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=254
// +kubebuilder:validation:Pattern=`^[^\s\x00-\x1f\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]+$`
type PersonName string

// TierName names a kind of account, such as directorate or school.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
type TierName string

// RuleName names a rule within its section of a policy.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
type RuleName string

// HexSHA256 is a SHA-256 digest in 64 hexadecimal digits.
// +kubebuilder:validation:MinLength=64
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^[0-9a-fA-F]{64}$`
type HexSHA256 string

// HexPerceptualHash is a 64-bit difference hash of an image in 16 hexadecimal
// digits: images that look alike differ in few bits.
// +kubebuilder:validation:MinLength=16
// +kubebuilder:validation:MaxLength=16
// +kubebuilder:validation:Pattern=`^[0-9a-fA-F]{16}$`
type HexPerceptualHash string

// HTTPSURL is an absolute https URL.
// +kubebuilder:validation:MinLength=9
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:Pattern=`^https://[^\s\x00-\x1f]+$`
type HTTPSURL string

// DomainName is a lower-case DNS name; a domain covers its subdomains.
// +kubebuilder:validation:MinLength=3
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
type DomainName string

// RegularExpression is an RE2 pattern (https://github.com/google/re2/wiki/Syntax).
// It is compiled when the policy is accepted; what does not compile is reported
// in the Accepted condition with its position.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=1024
type RegularExpression string

// Expression is a CEL expression that yields a boolean.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
type Expression string

// Bilingual is a text in Arabic and English.
// +kubebuilder:validation:MinProperties=1
type Bilingual struct {
	// ar is the Arabic text.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	AR string `json:"ar,omitempty"`
	// en is the English text.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	EN string `json:"en,omitempty"`
}

// ObjectName names an object.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
type ObjectName string

// LocalReference names an object of a kind and namespace that the field fixes.
type LocalReference struct {
	// name is the object's name.
	// +required
	Name ObjectName `json:"name,omitempty"`
}
