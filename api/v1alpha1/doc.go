// Package v1alpha1 is the contract of Mithaq: the kinds that people and GitOps
// write, the status that auditors and automation read, and the only catalogue
// of condition types, reasons and events. It imports nothing but apimachinery,
// so that other programs can import it.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package=applyconfiguration
// +groupName=mithaq.dev
package v1alpha1
