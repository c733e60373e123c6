package platform

import (
	"fmt"
	"io"
)

// redacted is what a Secret shows of itself.
const redacted = "[redacted]"

// Secret is the content of a connection's app Secret. It never prints itself,
// whatever the verb or the encoder.
type Secret map[string][]byte

// String hides the content.
func (Secret) String() string { return redacted }

// GoString hides the content.
func (Secret) GoString() string { return redacted }

// Format hides the content from the verbs that do not ask String, such as %d.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON hides the content from structured logs.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
