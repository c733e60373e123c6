// Package install proves that config/ and charts/mithaq install the same objects,
// that a real API server accepts them, and that the roles in them permit what is
// meant and nothing else. It has tests only.
//
// The tests need bin/helm and bin/kustomize beside the control plane: `make test`
// puts them there. MITHAQ_SKIP_INSTALL=1 skips them all.
package install
