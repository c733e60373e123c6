// Package platformtest is the suite that every platform adapter must pass.
//
// The adapter is shown a server that speaks the platform's wire format (its
// Fixture) and lies, fails and stalls in every way that the suite knows of.
// Above all it must never take an outage for a statement about an account. The
// same truthful checks can be run against a server of one's own (Endpoint).
package platformtest
