// Package oauth makes the calls of OAuth 2 (RFC 6749, 7009) that spend something:
// an exchange, a refresh, a revocation. Each is sent once and never again, and what
// is not known to have been refused is ambiguous.
package oauth
