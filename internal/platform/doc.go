// Package platform says what Mithaq asks of a social-media platform: small
// interfaces by capability, the values they exchange, and the closed list of
// ways a call can fail. It knows nothing of Kubernetes.
//
// One package below this one implements each platform; main.go alone imports
// them. A capability that a platform does not offer is nil, never a body that
// says so.
package platform
