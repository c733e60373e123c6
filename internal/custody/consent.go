package custody

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

// Challenge is the S256 challenge of a verifier (RFC 7636, section 4.2).
func Challenge(verifier platform.Token) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Random is a fresh secret of 256 bits, in the alphabet of RFC 7636.
func Random() platform.Token {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return platform.Token(base64.RawURLEncoding.EncodeToString(secret))
}

// State is what a platform hands back with the code: the account and the nonce of
// its offer.
func State(uid string, nonce platform.Token) string { return uid + "." + string(nonce) }

// ParseState takes a state apart; false: it is not one of ours.
func ParseState(state string) (uid string, nonce platform.Token, ok bool) {
	uid, text, ok := strings.Cut(state, ".")
	return uid, platform.Token(text), ok && uid != "" && text != ""
}
