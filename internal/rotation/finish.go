package rotation

import (
	"slices"
	"strings"
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
	if v.Journal.Trigger == TriggerCompromised {
		next.Journal.OverlapUntil = now
	}
	next.enter(Overlap, now)
	return s
}

// overlap waits until the new credential has shown that it works.
func overlap(v *Vault, f *Facts, now time.Time) Step {
	j := &v.Journal
	if j.Health.bad() && v.Retiring != nil {
		return probe(v, SlotRetiring)
	}
	if j.GoodChecks < goodChecks {
		if at := j.CheckedAt.Add(checkPause); j.GoodChecks > 0 && now.Before(at) {
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

// revoke ends the retiring credential, if that cannot end the new one.
func revoke(v *Vault, f *Facts, now time.Time) Step { //nolint:gocyclo // one decision, read from top to bottom; to be split
	r := v.Retiring
	if r == nil || f.Traits.NoRevoke {
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
		if token := r.tokenFor(op); token != "" && !done {
			return Step{Vault: next, Call: next.intend(op, SlotRetiring, f.Fingerprint(token))}
		}
	}
	next.enter(Unseating, now)
	return begun(next, unseat(next, f, now), now)
}

// begun stores a phase together with the first thing that it stores itself.
func begun(entered *Vault, first Step, now time.Time) Step {
	if first.Vault != nil {
		return first
	}
	return store(entered, now)
}

// tokenFor is the token that an operation spends; empty: there is nothing to do.
func (s *Slot) tokenFor(op OpName) redact.Token {
	if op == OpRevokeAccess || op == OpQuarantineAccess {
		if s.Refresh == "" {
			return "" // the access token is the grant
		}
		return s.Access
	}
	if s.Refresh != "" {
		return s.Refresh
	}
	return s.Access
}

// unseat takes the people who lose access off the account.
func unseat(v *Vault, f *Facts, now time.Time) Step { //nolint:gocyclo // one decision, read from top to bottom; to be split
	next := v.copy()
	if len(leavers(v)) == 0 && v.Journal.Trigger != TriggerCompromised || !v.Journal.Trigger.handsOver() {
		next.enter(Proving, now)
		return store(next, now)
	}
	if v.Journal.Leaver != "" {
		next.Journal.Op = next.newOp(OpUnseat, SlotCurrent, "")
		next.Journal.Op.Subject = v.Journal.Leaver
		return Step{Vault: next, Call: next.callOf(next.Journal.Op)}
	}
	if f.Traits.ListsPeople && !v.Journal.Listed {
		return Step{Call: &Call{Kind: CallPeople, Slot: SlotCurrent, Client: v.Current.Client}}
	}
	if len(v.Journal.HumanSteps) == 0 {
		for _, name := range f.Traits.HumanSteps {
			next.ask(name, now)
		}
	}
	open := false
	for i := range next.Journal.HumanSteps {
		step := &next.Journal.HumanSteps[i]
		step.Attested = step.Attested || !f.Attested[step.Name].Before(step.Since) && !f.Attested[step.Name].IsZero()
		open = open || !step.Attested
	}
	if !open {
		next.enter(Proving, now)
		return store(next, now)
	}
	if sameSteps(next.Journal.HumanSteps, v.Journal.HumanSteps) {
		return rest(time.Time{})
	}
	return Step{Vault: next}
}

func sameSteps(a, b []HumanStep) bool {
	return slices.EqualFunc(a, b, func(x, y HumanStep) bool {
		return x.Name == y.Name && x.Attested == y.Attested && x.Since.Equal(y.Since)
	})
}

func (v *Vault) ask(name string, now time.Time) {
	known := slices.ContainsFunc(v.Journal.HumanSteps, func(s HumanStep) bool { return s.Name == name })
	if !known && len(v.Journal.HumanSteps) < maxSteps {
		v.Journal.HumanSteps = append(v.Journal.HumanSteps, HumanStep{Name: name, Since: now})
	}
}

// leavers are the people who had access and are not declared any more.
func leavers(v *Vault) []string {
	j := &v.Journal
	declared := append([]string{j.To.Accountable}, j.To.Team...)
	had := j.From.Team
	if j.From.Accountable != "" {
		had = append([]string{j.From.Accountable}, had...)
	}
	return removed(had, declared)
}

// listed weighs who has access: the first leaver who can be removed by API is,
// who cannot is a person's work.
func listed(v *Vault, o *Outcome, f *Facts, now time.Time) {
	if o.Kind != Done {
		v.again(o, now)
		return
	}
	v.Journal.Tries = 0
	gone := leavers(v)
	for _, m := range o.Members {
		if !slices.ContainsFunc(gone, func(p string) bool { return strings.EqualFold(p, m.Email) }) {
			continue
		}
		if m.Removable && f.Traits.RemovesPeople {
			v.Journal.Leaver = m.ID
			return
		}
		v.ask("remove-from-account", now)
	}
	v.Journal.Listed = true
}

// prove asks the platform whether the old credential is dead and the new one
// lives.
func prove(v *Vault, f *Facts, now time.Time) Step {
	j := &v.Journal
	if v.Retiring != nil && j.OldDead == "" {
		if f.Traits.NoRevoke {
			return waitOut(v, now)
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
			v.enter(Revoking, now)
			j.RevokedGrant, j.RevokedAccess = false, false
			j.NextAttempt = now.Add(reviseAfter)
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
	v.Journal.Unproven = true
	v.again(&Outcome{RetryAfter: reviseAfter}, now)
	if v.Journal.Tries > 1 && v.Journal.RevokedGrant && f.Traits.ListsPeople && v.Journal.Listed {
		v.Journal.OldDead, v.Journal.Unproven = EvidenceRoleList, false
	}
}

// settle closes the rotation.
func (v *Vault) settle(now time.Time) {
	j := &v.Journal
	evidence := j.OldDead
	for _, s := range j.HumanSteps {
		if s.Attested {
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
