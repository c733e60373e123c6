// Package redact holds the one type of secrets that are text.
package redact

import (
	"fmt"
	"io"
)

// Shown is what a secret shows of itself.
const Shown = "[redacted]"

// Token is a token, code, verifier or client secret. It never prints itself,
// whatever the verb or the encoder; string(t) is its value.
type Token string

// String hides the value.
func (Token) String() string { return Shown }

// GoString hides the value.
func (Token) GoString() string { return Shown }

// Format hides the value from every verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Shown) }

// MarshalJSON hides the value from structured logs.
func (Token) MarshalJSON() ([]byte, error) { return []byte(`"` + Shown + `"`), nil }
