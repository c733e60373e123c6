package rotation

import "time"

// probed takes a probe in, by what it was asked for.
func probed(v *Vault, slot Which, o *Outcome, f *Facts, now time.Time) {
	switch {
	case v.slot(slot) == nil:
	case slot == SlotCurrent:
		checked(v, o, f, now)
		if o.Kind == Done && v.weighs() {
			weighNew(v, now)
		}
	case v.Journal.Phase == Proving || v.Journal.Phase == Revoking:
		v.Journal.CheckedAt = now
		provedOld(v, o, f, now)
	default:
		swapBack(v, o, now)
	}
}

// weighs says that a probe of the new credential decides how the rotation goes on.
func (v *Vault) weighs() bool {
	switch v.Journal.Phase {
	case Overlap, Proving:
		return true
	case Revoking:
		return v.Journal.OldDead != ""
	default:
		return false
	}
}

// weighNew weighs a probe of the new credential after its promotion.
func weighNew(v *Vault, now time.Time) {
	j := &v.Journal
	if j.Health != HealthVerified {
		j.GoodChecks = 0
		if j.Health.Bad() && (j.Phase != Overlap || v.Retiring == nil) {
			stranded(v, now)
		}
		return
	}
	j.GoodChecks++
	j.Failed = ""
	if j.Phase == Proving && (v.Retiring == nil || j.OldDead != "") {
		v.settle(now)
	}
}

// Bad says that the platform refuses the credential, or that it is not ours.
func (h Health) Bad() bool {
	return h == HealthExpired || h == HealthRevoked || h == HealthWrong || h == HealthScope
}

// swapBack puts the retiring credential into use again if it is still accepted,
// because the new one is refused after its promotion (effect e19).
func swapBack(v *Vault, o *Outcome, now time.Time) {
	switch {
	case o.Kind != Done:
		v.again(o, now)
	case o.Liveness == Alive:
		v.mark(v.Current.CredID, GrantUnknown, "", now)
		v.Current, v.Retiring = v.Retiring, nil
		v.Journal.Health = HealthVerified
		v.enter(Issuing, now)
	default:
		stranded(v, now)
	}
}

// stranded: nothing that is stored is accepted. Only a new consent helps, and it is asked
// for at once; a platform that mints is left alone for a while.
func stranded(v *Vault, now time.Time) {
	v.Journal.Failed = FailedCurrentDenied
	v.enter(Issuing, now)
	if v.Journal.Mode == ByMint {
		v.again(&Outcome{RetryAfter: longPause}, now)
	}
}
