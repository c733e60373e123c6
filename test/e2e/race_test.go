//go:build race

package e2e

// buildFlags build the operator with the race detector too: its log is read.
var buildFlags = []string{"-race"}
