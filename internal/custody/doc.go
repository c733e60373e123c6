// Package custody is the working side of a handover: it keeps vaults in Secrets
// of the operator's namespace, knows the apps of each connection, guards calls that
// change something with the leader's lease, and performs the calls that
// internal/rotation decides on. It decides nothing itself.
package custody
