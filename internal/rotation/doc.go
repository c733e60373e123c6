// Package rotation is the pure state machine of a handover: it turns what is
// stored (Vault) and what is known (Facts) into the one next Step, and the outcome
// of a step into the next Vault. It has no client, no clock and no randomness of
// its own, so every crash and every answer can be played through in a test.
//
// The controller performs a step like this: a Step with a Call first stores
// Step.Vault (the intent, one compare-and-swap), then performs the call once, then
// stores Record(vault, outcome) with the call's products in the same update, and
// uses no product before. A Step without a Call stores Step.Vault, or waits.
//
// One thing happens at a time: an open operation in the vault that this process
// did not begin is ambiguous, never repeated blindly.
package rotation
