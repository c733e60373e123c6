// Package policytest evaluates policies against accounts and observations that are
// written down, without a cluster or a platform: `mithaq policy test DIR`. The verdicts
// come from internal/governance, as the operator's do.
package policytest
