package rotation

import (
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// renewable says that the platform renews the credential without a person.
func (s *Slot) renewable(f *Facts) bool {
	return (s.Refresh != "" || f.Traits.RenewsAccess) && !s.RefreshRetried
}

// renews is the token that a renewal spends.
func (s *Slot) renews() redact.Token {
	if s.Refresh != "" {
		return s.Refresh
	}
	return s.Access
}

// refreshAt is when the access token is renewed: at half of its life, up to a
// tenth of it later, so that a fleet does not renew at once. Zero: never.
func (s *Slot) refreshAt(f *Facts) time.Time {
	if s.ExpiresAt.IsZero() || !s.renewable(f) {
		return time.Time{}
	}
	life := s.ExpiresAt.Sub(s.RefreshedAt)
	if s.RefreshDoubt {
		// A replay may end the family: the old token is tried once, shortly before
		// everything ends anyway.
		return s.ExpiresAt.Add(-life / 10)
	}
	return s.RefreshedAt.Add(life/2 + time.Duration(f.Jitter*float64(life/10)))
}

// notice is how long before its end a credential is asked for anew that only a person
// can renew.
const notice = 14 * 24 * time.Hour

// Expiring says that the credential in use ends soon and only a person can renew it, and
// when it ends.
func (v *Vault) Expiring(f *Facts, now time.Time) (ends time.Time, soon bool) {
	c := v.Current
	if c == nil || c.ExpiresAt.IsZero() || c.renewable(f) && !c.RefreshDoubt {
		return time.Time{}, false
	}
	return c.ExpiresAt, !now.Before(c.ExpiresAt.Add(-notice))
}

// maintain renews and tries the credential in use, within its own times.
func maintain(v *Vault, f *Facts, now time.Time) Step {
	c := v.Current
	if c.OldAccess != "" || c.OldRefresh != "" || v.Journal.CheckedAt.IsZero() {
		return probe(v, SlotCurrent)
	}
	if at := c.refreshAt(f); !at.IsZero() && !now.Before(at) && v.Journal.Failed != FailedRestored {
		return refresh(v, f, now)
	}
	if at := v.wakeUp(f, now); now.Before(at) {
		return rest(at)
	}
	return probe(v, SlotCurrent)
}

// renewalAt is when the credential in use is renewed while a rotation waits; zero:
// it is not. One that is compromised is not kept alive.
func (v *Vault) renewalAt(f *Facts) time.Time {
	if v.Current == nil || v.Journal.Failed == FailedRestored {
		return time.Time{}
	}
	switch v.Journal.Phase {
	case AwaitingConsent:
		if v.Journal.Trigger == TriggerCompromised || v.Journal.Trigger == TriggerLost && v.Journal.Health.Bad() {
			return time.Time{}
		}
	case Overlap, Revoking, Unseating, Proving:
	default:
		return time.Time{}
	}
	return v.Current.refreshAt(f)
}

// recheckAt is when the credential in use is tried again while people are waited for;
// zero: it is not.
func (v *Vault) recheckAt() time.Time {
	waits := v.Journal.Phase == AwaitingConsent || v.Journal.Phase == Unseating
	if !waits || v.Current == nil || v.Journal.CheckedAt.IsZero() {
		return time.Time{}
	}
	return v.Journal.CheckedAt.Add(checkEvery)
}

// earliest is the earlier of two moments, of which the zero time is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// renew keeps the credential in use alive while a rotation waits for a person or
// for time to pass.
func renew(v *Vault, f *Facts, now time.Time) *Step {
	if at := v.recheckAt(); !at.IsZero() && !now.Before(at) {
		s := probe(v, SlotCurrent)
		return &s
	}
	at := v.renewalAt(f)
	if at.IsZero() {
		return nil
	}
	if v.Current.OldAccess != "" {
		s := probe(v, SlotCurrent)
		return &s
	}
	if now.Before(at) {
		return nil
	}
	s := refresh(v, f, now)
	return &s
}

// refresh spends the refresh token, by intent and result.
func refresh(v *Vault, f *Facts, _ time.Time) Step {
	next := v.copy()
	if next.Current.RefreshDoubt {
		next.Current.RefreshRetried = true
	}
	call := next.intend(OpRefresh, SlotCurrent, f.Fingerprint(v.Current.renews()))
	return Step{Vault: next, Call: call}
}

// refreshed takes the outcome of a refresh in. The old pair stays until the new
// one has passed a probe.
func refreshed(v *Vault, o *Outcome, f *Facts, now time.Time) {
	c := v.Current
	switch o.Kind {
	case Done:
		c.OldAccess, c.OldRefresh = c.Access, c.Refresh
		c.Access, c.ExpiresAt, c.RefreshedAt = o.Product.Access, o.Product.ExpiresAt, now
		if o.Product.Refresh != "" {
			c.Refresh = o.Product.Refresh
		}
		c.RefreshDoubt, c.RefreshRetried = false, false
		v.learn(c, f, now)
		v.Journal.Tries = 0
	case Ambiguous:
		if f.Traits.SingleUseRefresh {
			c.RefreshDoubt = true
		}
		v.again(o, now)
	case Denied:
		// It says nothing of the access token: a probe shows whether that still works.
		c.Refresh, c.RefreshRetried = "", true
		v.Journal.CheckedAt = time.Time{}
	default:
		c.RefreshRetried = false
		v.again(o, now)
	}
}

// again puts the next try off.
func (v *Vault) again(o *Outcome, now time.Time) {
	v.Journal.Tries++
	v.Journal.NextAttempt = now.Add(pause(v.Journal.Tries, o.RetryAfter))
}

// checked takes a probe of the credential in use in.
func checked(v *Vault, o *Outcome, f *Facts, now time.Time) {
	j, c := &v.Journal, v.Current
	j.CheckedAt = now
	if o.Kind != Done {
		j.Health = HealthUnavailable
		v.again(o, now)
		return
	}
	j.Tries = 0
	switch o.Liveness {
	case Alive:
		if j.Health = c.health(&o.Identity, v.AccountID, f); j.Health == HealthVerified {
			v.verified(now)
		}
	case Expired:
		if j.Health != HealthRevoked { // what was revoked runs out too
			j.Health = HealthExpired
		}
	case Dead:
		j.Health = HealthRevoked
		if c.OldAccess != "" && !f.Traits.RefreshEndsAccess && c.Access != c.OldAccess {
			// The new pair is refused: the old one stays in use.
			c.Access, c.Refresh, c.OldAccess, c.OldRefresh = c.OldAccess, c.OldRefresh, "", ""
			j.Health = HealthUnknown
		}
	default:
		j.Health = HealthUnknown
		v.again(o, now)
	}
}

// verified: the pair before the last renewal is not needed any more, and a restored
// vault holds what works.
func (v *Vault) verified(now time.Time) {
	c := v.Current
	c.VerifiedAt, c.OldAccess, c.OldRefresh = now, "", ""
	if v.Journal.Failed == FailedRestored {
		v.Journal.Failed = ""
	}
}

// health weighs what a platform says of a token that it accepts.
func (s *Slot) health(id *Identity, account string, f *Facts) Health {
	switch {
	case id.AccountID != "" && account != "" && id.AccountID != account:
		return HealthWrong
	case id.Scopes != nil && !covers(id.Scopes, f.Traits.Scopes):
		return HealthScope
	}
	return HealthVerified
}

// covers says that have holds all of want.
func covers(have, want []string) bool {
	held := make(map[string]bool, len(have))
	for _, s := range have {
		held[s] = true
	}
	for _, s := range want {
		if !held[s] {
			return false
		}
	}
	return true
}
