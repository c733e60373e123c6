package custody

import (
	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

// Offer is what a consent page shows of an account, and where it leads.
type Offer struct {
	// UID names the account; Nonce belongs to this offer alone.
	UID     string
	Account types.NamespacedName
	Nonce   platform.Token
	// Platform, Handle, Unit and Person are shown to who opens the page.
	Platform, Handle, Unit, Person string
	// Authorize is the platform's address, with Nonce as its state.
	Authorize string
}
