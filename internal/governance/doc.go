// Package governance is the manual as pure functions. Compile turns one edition
// of a GovernancePolicy into rules; Evaluate judges one account against all the
// policies that select it. There is no client, no context and no clock here: the
// caller hands over what is known and which moment it is, so the operator, a
// preview and a test get the same verdicts.
//
// A verdict has three values. Missing evidence is Unknown, never a pass, and the
// message says which evidence is missing.
package governance
