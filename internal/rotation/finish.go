package rotation

import (
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// promoted publishes the new credential.
func promoted(v *Vault, f *Facts, now time.Time) Step {
	next := v.copy()
	s := Step{Vault: next, At: now}
	if pub := publish(v, f, now); pub != nil {
		next, s = pub.Vault, *pub
	}
	if v.Retiring == nil && !v.Journal.Trigger.handsOver() {
		next.settle(now)
		return s
	}
	next.Journal.OverlapUntil = now.Add(f.Rules.Overlap)
	if v.Journal.Trigger == TriggerCompromised || v.Journal.OldDead != "" {
		next.Journal.OverlapUntil = now
	}
	next.enter(Overlap, now)
	return s
}

// overlap waits until the new credential has shown that it works.
func overlap(v *Vault, f *Facts, now time.Time) Step {
	j := &v.Journal
	if j.Health.Bad() && v.Retiring != nil {
		return probe(v, SlotRetiring)
	}
	if j.GoodChecks < goodChecks {
		if at := v.lastCheckAt(); now.Before(at) {
			return rest(at)
		}
		return probe(v, SlotCurrent)
	}
	if now.Before(j.OverlapUntil) {
		return rest(j.OverlapUntil)
	}
	next := v.copy()
	next.enter(Revoking, now)
	next.Journal.RevokedGrant, next.Journal.RevokedAccess = false, false
	return revoke(next, f, now)
}

// lastCheckAt is when the new credential is tried a second time: at the end of the overlap,
// right before the old one is ended. Where that is dead already, nothing is to wait for.
func (v *Vault) lastCheckAt() time.Time {
	j := &v.Journal
	if j.GoodChecks == 0 || j.OldDead != "" {
		return time.Time{}
	}
	if at := j.CheckedAt.Add(checkPause); at.After(j.OverlapUntil) {
		return at
	}
	return j.OverlapUntil
}

// revoke ends the retiring credential, if that cannot end the new one.
func revoke(v *Vault, f *Facts, now time.Time) Step { //nolint:gocyclo // one decision, read from top to bottom; to be split
	r := v.Retiring
	// One that is proven dead is left alone: ending its grant once more would end the
	// credential that came after it.
	if r == nil || f.Traits.NoRevoke || v.Journal.OldDead != "" {
		if v.inDoubt(f) {
			return probe(v, SlotCurrent)
		}
		next := v.copy()
		next.enter(Unseating, now)
		return begun(next, unseat(next, f, now), now)
	}
	if !safe(r, v.Current, f) && !f.AllowGap {
		if v.Journal.Failed == FailedGapNotAllowed {
			return rest(time.Time{})
		}
		next := v.copy()
		next.Journal.Failed = FailedGapNotAllowed
		return Step{Vault: next}
	}
	next := v.copy()
	next.Journal.Failed = ""
	for _, op := range []OpName{OpRevokeGrant, OpRevokeAccess} {
		done := op == OpRevokeGrant && v.Journal.RevokedGrant || op == OpRevokeAccess && v.Journal.RevokedAccess
		if token := r.tokenFor(op, f); token != "" && !done {
			return Step{Vault: next, Call: next.intend(op, SlotRetiring, f.Fingerprint(token))}
		}
	}
	if v.Journal.OldDead == "" && !v.Journal.Unproven {
		// At once, while a refusal cannot be the end of its lifetime: people take days.
		return probe(v, SlotRetiring)
	}
	next.enter(Unseating, now)
	return begun(next, unseat(next, f, now), now)
}

// inDoubt: a revocation that may have ended the new credential as well was sent, and it
// was not tried since. It is tried before people are waited for: a gap is to be short.
func (v *Vault) inDoubt(f *Facts) bool {
	j := &v.Journal
	return v.Retiring != nil && j.RevokedGrant && j.GoodChecks == goodChecks && !safe(v.Retiring, v.Current, f)
}

// begun stores a phase together with the first thing that it stores itself.
func begun(entered *Vault, first Step, now time.Time) Step {
	if first.Vault != nil {
		return first
	}
	return store(entered, now)
}

// tokenFor is the token that an operation spends; empty: there is nothing to do.
func (s *Slot) tokenFor(op OpName, f *Facts) redact.Token {
	if op == OpRevokeAccess || op == OpQuarantineAccess {
		if s.Refresh == "" || f.Traits.RevokesGrant {
			return "" // the access token is the grant, or ends with it
		}
		return s.Access
	}
	if s.Refresh != "" {
		return s.Refresh
	}
	return s.Access
}

// prove asks the platform whether the old credential is dead and the new one
// lives.
func prove(v *Vault, f *Facts, now time.Time) Step {
	j := &v.Journal
	if v.Retiring != nil && j.OldDead == "" {
		if f.Traits.NoRevoke {
			return waitOut(v, now)
		}
		if j.Lapsed && j.RevokedGrant && j.Ops[OpTry] < mostTries {
			next := v.copy()
			return Step{Vault: next, Call: next.intend(OpTry, SlotRetiring, f.Fingerprint(v.Retiring.Refresh))}
		}
		return probe(v, SlotRetiring)
	}
	return probe(v, SlotCurrent)
}

// waitOut: a token that nobody can revoke dies with its lifetime, or by a
// person's hand, which a probe then shows.
func waitOut(v *Vault, now time.Time) Step {
	if v.Journal.CheckedAt.Before(v.Journal.Since) || !now.Before(v.Journal.NextAttempt) {
		return probe(v, SlotRetiring)
	}
	return rest(v.Journal.NextAttempt)
}

// provedOld takes a probe of the retiring credential in.
func provedOld(v *Vault, o *Outcome, f *Facts, now time.Time) {
	j := &v.Journal
	if o.Kind != Done {
		v.again(o, now)
		return
	}
	switch o.Liveness {
	case Dead:
		j.OldDead, j.Unproven = EvidenceProbe, false
		if f.Traits.Introspects {
			j.OldDead = EvidenceIntrospection
		}
	case Expired:
		v.lapsed(f, now)
	case Alive:
		// It is revoked again, unless there is no way to.
		j.Unproven = true
		j.Tries, j.NextAttempt = 0, now.Add(reviseAfter)
		if !f.Traits.NoRevoke {
			v.revokeAgain(now)
		}
	default:
		j.Unproven = true
		v.again(&Outcome{RetryAfter: reviseAfter}, now)
	}
}

// lapsed: an access token that ran out proves nothing of a refresh token. Without
// one, its lifetime has passed and that is the end of it.
func (v *Vault) lapsed(f *Facts, now time.Time) {
	if v.Retiring.Refresh == "" {
		v.Journal.OldDead, v.Journal.Unproven = EvidenceLifetime, false
		return
	}
	v.Journal.Unproven, v.Journal.Lapsed = true, true
	if v.Journal.Phase == Revoking || v.Journal.Ops[OpTry] == 0 && !f.Traits.ListsPeople {
		return // its refresh token shows it
	}
	v.again(&Outcome{RetryAfter: reviseAfter}, now)
	if v.Journal.Tries > 1 && v.Journal.RevokedGrant && f.Traits.ListsPeople && v.Journal.Listed {
		v.Journal.OldDead, v.Journal.Unproven = EvidenceRoleList, false
	}
}

// mostTries is how often the refresh token of a retiring credential is sent (I3).
const mostTries = 2

// tried: a refusal of the refresh token proves that the grant is dead. A success
// proves that it is not, and what came of it is to be revoked like the rest.
func tried(v *Vault, o *Outcome, f *Facts, now time.Time) {
	j := &v.Journal
	switch o.Kind {
	case Denied:
		j.OldDead, j.Unproven = EvidenceProbe, false
	case Done:
		r := v.Retiring
		r.Access, r.ExpiresAt, r.RefreshedAt = o.Product.Access, o.Product.ExpiresAt, now
		if o.Product.Refresh != "" {
			r.Refresh = o.Product.Refresh
		}
		v.learn(r, f, now)
		j.Lapsed = false
		v.revokeAgain(now)
	default:
		v.again(&Outcome{RetryAfter: max(reviseAfter, o.RetryAfter)}, now)
	}
}

// revokeAgain: what still lives is revoked once more, after a while.
func (v *Vault) revokeAgain(now time.Time) {
	v.Journal.Unproven = true
	v.enter(Revoking, now)
	v.Journal.RevokedGrant, v.Journal.RevokedAccess = false, false
	v.Journal.NextAttempt = now.Add(reviseAfter)
}

// settle closes the rotation.
func (v *Vault) settle(now time.Time) {
	j := &v.Journal
	evidence := j.OldDead
	for _, s := range j.HumanSteps {
		if s.Attested && !s.Proven {
			evidence = EvidenceAttested // one word among proofs makes the whole a word
		}
	}
	if v.Retiring != nil {
		v.mark(v.Retiring.CredID, GrantDead, j.OldDead, now)
		v.Retiring = nil
	}
	v.succeed(evidence, now)
	ended := j.ended()
	ended.Rotations++
	ended.SettledFor = j.To
	v.Journal = ended
}

// succeed records who holds the account from now on.
func (v *Vault) succeed(evidence Evidence, now time.Time) {
	j := &v.Journal
	if n := len(j.Custody); n > 0 {
		last := &j.Custody[n-1]
		if last.Unit == j.To.Unit && last.Accountable == j.To.Accountable {
			return
		}
		last.Until = now
	}
	j.Custody = append(j.Custody, Tenure{Unit: j.To.Unit, Accountable: j.To.Accountable, From: now, Evidence: evidence})
	if n := len(j.Custody); n > maxCustody {
		j.Custody = slices.Clone(j.Custody[n-maxCustody:])
	}
}
