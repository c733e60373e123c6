// Package expr compiles and evaluates the CEL expressions of policies: over account,
// live, team and now, and for texts also over post. It is pure, and the one evaluator
// of the operator, the preview and the policy tests.
//
// docs/policy.md describes the variables; a test compares it with what is declared.
package expr
