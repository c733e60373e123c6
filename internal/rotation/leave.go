package rotation

import "time"

// leave ends what is held of an account that is being deleted. Nothing is minted.
// With Retain nothing is touched but what was never verified; the deletion waits
// for a revocation an hour at most, and the ledger keeps what was not ended.
func leave(v *Vault, f *Facts, now time.Time) Step {
	late := !now.Before(f.DeletingSince.Add(ReleaseAfter))
	if f.Traits.NoRevoke || late {
		return Step{Release: true}
	}
	for _, which := range []Which{SlotPending, SlotRetiring, SlotCurrent} {
		if s := v.slot(which); s != nil && !v.ended(s) && (f.Revoke || which == SlotPending && v.dispensable(f)) {
			return v.endSlot(which, f, now)
		}
	}
	return Step{Release: true}
}

// dispensable says that the pending grant can be revoked without ending the one in use.
func (v *Vault) dispensable(f *Facts) bool { return v.Current == nil || safe(v.Pending, v.Current, f) }

// endSlot sends one revocation, or proves that the last one took effect.
func (v *Vault) endSlot(which Which, f *Facts, now time.Time) Step {
	if now.Before(v.Journal.NextAttempt) {
		return rest(earlier(v.Journal.NextAttempt, f.DeletingSince.Add(ReleaseAfter)))
	}
	next := v.copy()
	s := v.slot(which)
	if v.Journal.Leaving != which {
		next.Journal.Leaving = which
		next.Journal.RevokedGrant, next.Journal.RevokedAccess = false, false
	}
	for _, op := range []OpName{OpRevokeGrant, OpRevokeAccess} {
		done := op == OpRevokeGrant && next.Journal.RevokedGrant || op == OpRevokeAccess && next.Journal.RevokedAccess
		if token := s.tokenFor(op, f); token != "" && !done {
			return Step{Vault: next, Call: next.intend(op, which, f.Fingerprint(token))}
		}
	}
	next.mark(s.CredID, GrantUnknown, "", now) // the platform's word; the wish is fulfilled, not proven
	return store(next, now)
}

// ended says that nothing more is to be done about a slot.
func (v *Vault) ended(s *Slot) bool {
	for i := range v.Ledger {
		if v.Ledger[i].CredID == s.CredID {
			return v.Ledger[i].State != GrantLive
		}
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Unended are the grants that may still live.
func (v *Vault) Unended() []Entry {
	var out []Entry
	for _, e := range v.Ledger {
		if e.State == GrantLive {
			out = append(out, e)
		}
	}
	return out
}
