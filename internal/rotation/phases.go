package rotation

import (
	"slices"
	"strings"
	"time"
)

// request chooses how the new grant is had and through which app.
func request(v *Vault, f *Facts, now time.Time) Step {
	next := v.copy()
	j := &next.Journal
	j.Client, j.Mode = Primary, ByConsent
	if v.Current != nil {
		j.Client = v.Current.Client
		if !plannedSafe(v, f) && f.HasAlternate {
			j.Client = j.Client.other()
		}
	}
	switch {
	case f.Import != nil:
		return store(next.imported(f, now), now)
	case f.Traits.Mints:
		j.Mode = ByMint
		next.enter(Issuing, now)
	default:
		next.invite(f, now)
	}
	return store(next, now)
}

// plannedSafe says that revoking the grant in use will not end the new one, as far
// as can be told before there is one.
func plannedSafe(v *Vault, f *Facts) bool {
	other := f.Traits.PersonPrincipal && v.Journal.Trigger == TriggerAccountableChanged
	return f.Traits.RevokesToken || other
}

// invite makes a consent URL possible. A new nonce voids the old one.
func (v *Vault) invite(f *Facts, now time.Time) {
	j := &v.Journal
	j.Verifier, j.Nonce, j.Mode = f.Verifier, f.Nonce, ByConsent
	v.enter(AwaitingConsent, now)
}

// await waits for a consent or an import.
func await(v *Vault, f *Facts, now time.Time) Step {
	j := &v.Journal
	switch {
	case f.Import != nil:
		return store(v.copy().imported(f, now), now)
	case f.Code != "" && f.CodeNonce == j.Nonce && j.Nonce != "" && codeHash(f.Code) != j.CodeHash:
		next := v.copy()
		next.Journal.CodeHash = codeHash(f.Code)
		next.enter(Issuing, now)
		call := next.intend(OpIssue, SlotPending, next.Journal.CodeHash)
		call.Code, call.Verifier = f.Code, j.Verifier
		// It is for one exchange: a lost answer asks for a new consent.
		next.Journal.Nonce, next.Journal.Verifier = "", ""
		return Step{Vault: next, Call: call}
	}
	if s := cutShort(v, f, now); s != nil {
		return *s
	}
	if j.Trigger == TriggerCompromised {
		return rest(j.StartedAt.Add(incidentPatience))
	}
	return rest(time.Time{})
}

// cutShort ends a compromised credential before it has a successor, where the
// account may be without one.
func cutShort(v *Vault, f *Facts, now time.Time) *Step { //nolint:gocyclo // one decision, read from top to bottom; to be split
	j := &v.Journal
	late := !now.Before(j.StartedAt.Add(incidentPatience))
	if j.Trigger != TriggerCompromised || !f.AllowGap || !late || v.Current == nil || f.Traits.NoRevoke {
		return nil
	}
	for _, op := range []OpName{OpRevokeGrant, OpRevokeAccess} {
		done := op == OpRevokeGrant && j.RevokedGrant || op == OpRevokeAccess && j.RevokedAccess
		if token := v.Current.tokenFor(op, f); token != "" && !done {
			next := v.copy()
			return &Step{Vault: next, Call: next.intend(op, SlotCurrent, f.Fingerprint(token))}
		}
	}
	return nil
}

// reissue mints. By consent there is nothing to send: an issue whose outcome was
// lost is never sent again.
func reissue(v *Vault, f *Facts, now time.Time) Step {
	next := v.copy()
	if v.Journal.Mode == ByMint {
		return Step{Vault: next, Call: next.intend(OpIssue, SlotPending, "")}
	}
	next.invite(f, now)
	return store(next, now)
}

// imported takes a credential of the inbox as the new one. It is verified like any
// other.
func (v *Vault) imported(f *Facts, now time.Time) *Vault {
	v.Journal.Mode = ByImport
	v.Journal.Client = Primary
	v.Journal.Nonce, v.Journal.Verifier = "", ""
	v.accept(f.Import, f, now)
	return v
}

// accept stores a product as pending, and its grant in the ledger.
func (v *Vault) accept(p *Product, f *Facts, now time.Time) {
	v.Pending = &Slot{
		CredID: v.number("cred"), Principal: p.Principal, Client: v.Journal.Client,
		Access: p.Access, Refresh: p.Refresh, Scopes: slices.Clone(p.Scopes),
		IssuedAt: now, RefreshedAt: now, ExpiresAt: p.ExpiresAt,
	}
	v.learn(v.Pending, f, now)
	v.Journal.Failed = ""
	v.enter(Verifying, now)
}

// verify asks whose the new credential is, and promotes it.
func verify(v *Vault, f *Facts, now time.Time) Step {
	if v.Pending == nil {
		return reissue(v, f, now)
	}
	if v.Journal.Failed == FailedWrongHolder {
		return quarantine(v, f, now)
	}
	if v.tooNarrow(f) {
		next := v.copy()
		next.Journal.Failed = FailedWrongHolder
		return store(next, now)
	}
	if v.Pending.VerifiedAt.IsZero() {
		return Step{Call: &Call{Kind: CallIdentify, Slot: SlotPending, Client: v.Pending.Client}}
	}
	next := v.copy()
	if v.Retiring == nil {
		next.Retiring = next.Current
	} else {
		// The credential that the one before it could not replace is dead already.
		next.mark(v.Current.CredID, GrantDead, EvidenceProbe, now)
	}
	next.Current, next.Pending = next.Pending, nil
	next.Journal.GoodChecks, next.Journal.Health = 0, HealthVerified
	next.enter(Promoted, now)
	return store(next, now)
}

// tooNarrow says that the platform told, with the product, that people granted too few
// scopes: with such a token it may not even be asked whose it is.
func (v *Vault) tooNarrow(f *Facts) bool {
	p := v.Pending
	return v.Journal.Mode == ByConsent && p.VerifiedAt.IsZero() && len(p.Scopes) > 0 && !covers(p.Scopes, f.Traits.Scopes)
}

// identified weighs who stands behind the new credential.
func identified(v *Vault, o *Outcome, f *Facts, now time.Time) {
	switch {
	case o.Kind == Denied:
		// What was just issued is refused: it is of no use. An access token whose time is
		// over says nothing of its refresh token.
		if p := v.Pending; p.Refresh == "" || p.ExpiresAt.IsZero() || now.Before(p.ExpiresAt) {
			v.mark(p.CredID, GrantDead, EvidenceProbe, now)
		}
		v.Pending = nil
		v.Journal.Failed = ""
		v.enter(Issuing, now)
		v.again(o, now)
		return
	case o.Kind != Done:
		v.again(o, now)
		return
	}
	p := v.Pending
	p.Principal, p.Email = firstOf(o.Identity.Principal, p.Principal), o.Identity.Email
	if o.Identity.Scopes != nil {
		p.Scopes = slices.Clone(o.Identity.Scopes)
	}
	v.learn(p, f, now)
	if v.rightHolder(&o.Identity, f) {
		if v.AccountID == "" {
			v.AccountID = o.Identity.AccountID
		}
		p.VerifiedAt, v.Journal.Failed = now, ""
		return
	}
	v.Journal.Failed = FailedWrongHolder
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// rightHolder says that the new credential is for this account, from the declared
// person as far as the platform tells, and with the scopes that are needed.
func (v *Vault) rightHolder(id *Identity, f *Facts) bool { //nolint:gocyclo // one decision, read from top to bottom; to be split
	want := firstOf(v.AccountID, f.AccountID)
	if id.AccountID == "" || want != "" && id.AccountID != want {
		return false
	}
	if !covers(v.Pending.Scopes, f.Traits.Scopes) {
		return false
	}
	if !f.Traits.PersonPrincipal || v.Journal.Mode == ByMint {
		return true
	}
	if id.Email != "" {
		return strings.EqualFold(id.Email, v.Journal.To.Accountable)
	}
	// The platform does not tell the person: at least it is not the former one.
	former := v.former()
	same := former != nil && former.Principal != "" && former.Principal == id.Principal
	return v.Journal.Trigger != TriggerAccountableChanged || !same
}

// former is the credential from before the rotation; nil: there was none. One that the
// rotation itself issued, and that died before its end, is the new holder's.
func (v *Vault) former() *Slot {
	if v.Retiring != nil {
		return v.Retiring
	}
	return v.Current
}

// quarantine gets rid of a grant that was for somebody else, if that cannot end the
// one in use, and asks for consent anew.
func quarantine(v *Vault, f *Facts, now time.Time) Step {
	next := v.copy()
	if s := next.discard(f); s != nil {
		return *s
	}
	if f.Traits.Mints {
		next.enter(Issuing, now)
		next.again(&Outcome{RetryAfter: longPause}, now)
		return store(next, next.Journal.NextAttempt)
	}
	next.invite(f, now)
	return store(next, now)
}

// discard drops a pending grant that is not to be used, after it was revoked where
// that cannot end the one in use; nil: it is dropped. What was not revoked stays Live
// in the ledger.
func (v *Vault) discard(f *Facts) *Step {
	if v.Pending == nil {
		return nil
	}
	j := &v.Journal
	if j.Leaving != SlotPending {
		j.Leaving, j.RevokedGrant, j.RevokedAccess = SlotPending, false, false
	}
	if op := v.toQuarantine(f); op != "" && !f.Traits.NoRevoke && v.dispensable(f) {
		return &Step{Vault: v, Call: v.intend(op, SlotPending, f.Fingerprint(v.Pending.tokenFor(op, f)))}
	}
	v.Pending = nil
	j.Leaving, j.RevokedGrant, j.RevokedAccess = "", false, false
	return nil
}

// toQuarantine is the part of the pending grant that is still to be revoked; empty:
// none.
func (v *Vault) toQuarantine(f *Facts) OpName {
	switch j := &v.Journal; {
	case !j.RevokedGrant && v.Pending.tokenFor(OpQuarantine, f) != "":
		return OpQuarantine
	case !j.RevokedAccess && v.Pending.tokenFor(OpQuarantineAccess, f) != "":
		return OpQuarantineAccess
	}
	return ""
}

// safe says that revoking gone cannot end kept.
func safe(gone, kept *Slot, f *Facts) bool {
	otherPrincipal := gone.Principal != "" && kept.Principal != "" && gone.Principal != kept.Principal
	return f.Traits.RevokesToken || gone.Client != kept.Client || otherPrincipal
}
