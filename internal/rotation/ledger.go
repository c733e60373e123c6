package rotation

import (
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// learn keeps the ledger complete: every fingerprint of a slot's tokens.
func (v *Vault) learn(s *Slot, f *Facts, now time.Time) {
	i := slices.IndexFunc(v.Ledger, func(e Entry) bool { return e.CredID == s.CredID })
	if i < 0 {
		v.Ledger = append(v.Ledger, Entry{CredID: s.CredID, RotationID: v.Journal.RotationID, State: GrantLive, At: now})
		i = len(v.Ledger) - 1
	}
	e := &v.Ledger[i]
	e.Principal, e.Client = s.Principal, s.Client
	e.Fingerprints = slices.Clone(e.Fingerprints)
	for _, token := range []redact.Token{s.Access, s.Refresh} {
		if fp := f.Fingerprint(token); token != "" && !slices.Contains(e.Fingerprints, fp) {
			e.Fingerprints = append(e.Fingerprints, fp)
		}
	}
	const kept = 4 // the pairs before the last two are spent
	if n := len(e.Fingerprints); n > kept {
		e.Fingerprints = e.Fingerprints[n-kept:]
	}
	v.trim()
}

func (v *Vault) mark(credID string, state GrantState, evidence Evidence, now time.Time) {
	for i := range v.Ledger {
		if e := &v.Ledger[i]; e.CredID == credID {
			e.State, e.Evidence, e.At = state, evidence, now
		}
	}
}

// trim drops the oldest dead grants beyond the bound.
func (v *Vault) trim() {
	for i := 0; i < len(v.Ledger) && len(v.Ledger) > maxLedger; {
		if v.Ledger[i].State == GrantDead {
			v.Ledger = slices.Delete(v.Ledger, i, i+1)
			continue
		}
		i++
	}
}

// Knows says that a token's fingerprint is in the ledger: it is never imported
// again.
func (v *Vault) Knows(fingerprint string) bool {
	return slices.ContainsFunc(v.Ledger, func(e Entry) bool { return slices.Contains(e.Fingerprints, fingerprint) })
}
