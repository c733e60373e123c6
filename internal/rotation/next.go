package rotation

import (
	"slices"
	"time"
)

// Next says what to do next. It is pure: the same vault, facts and moment give the
// same step.
func Next(v *Vault, f *Facts, now time.Time) Step { //nolint:gocyclo // one decision, read from top to bottom; to be split
	if op := v.Journal.Op; op != nil {
		return takeOver(v, op, f, now)
	}
	if now.Before(v.Journal.NextAttempt) && !f.Deleting && f.Code == "" && f.Import == nil {
		return rest(v.Journal.NextAttempt)
	}
	switch {
	case f.Deleting:
		return leave(v, f, now)
	case f.Rotations > v.Journal.Rotations && v.Journal.Failed != FailedRestored:
		return restored(v, f, now)
	}
	if v.Journal.Phase == Idle {
		return idle(v, f, now)
	}
	if s := superseded(v, f, now); s != nil {
		return *s
	}
	if s := renew(v, f, now); s != nil {
		return *s
	}
	s := phases[v.Journal.Phase](v, f, now)
	if at := earliest(v.renewalAt(f), v.recheckAt()); s.Vault == nil && s.Call == nil && !at.IsZero() && (s.At.IsZero() || at.Before(s.At)) {
		s.At = at
	}
	return s
}

// phases are what each phase does. Issuing has no step of its own: it is an open
// operation.
var phases = map[Phase]func(*Vault, *Facts, time.Time) Step{
	Requested: request, AwaitingConsent: await, Issuing: reissue, Verifying: verify, Promoted: promoted,
	Overlap: overlap, Revoking: revoke, Unseating: unseat, Proving: prove,
}

// takeOver handles an operation that is open. Its own process waits for its
// outcome. Any other waits for as long as the call could have lasted, takes the
// vault over, and treats the outcome as ambiguous.
func takeOver(v *Vault, op *Op, f *Facts, now time.Time) Step {
	if f.OwnAttempt == op.Attempt {
		return rest(time.Time{})
	}
	next := v.copy()
	if op.SeenAt.IsZero() {
		next.Journal.Op.SeenAt = now
		return Step{Vault: next, At: now.Add(Budget)}
	}
	if over := op.SeenAt.Add(Budget); now.Before(over) {
		return rest(over)
	}
	next.Journal.Epoch++
	return store(settleOp(next, &Outcome{Kind: Ambiguous}, f, now), now)
}

// restored: the status remembers more rotations than the vault. What a restored
// vault holds may be spent long ago, so nothing of it is spent; a probe shows
// whether it still works.
func restored(v *Vault, f *Facts, now time.Time) Step {
	next := v.copy()
	next.Journal.Failed, next.Journal.Health, next.Journal.CheckedAt = FailedRestored, HealthUnknown, time.Time{}
	next.Journal.Rotations = f.Rotations
	next.Pending = nil
	if next.Journal.Phase != Idle {
		next.Journal = next.Journal.ended()
	}
	return store(next, now)
}

// trigger says whether a rotation is due, and why; the most urgent reason wins.
func (v *Vault) trigger(f *Facts, now time.Time) (Trigger, bool) { //nolint:gocyclo // one decision, read from top to bottom; to be split
	c := v.Current
	if c == nil {
		return TriggerFirst, true
	}
	was := &v.Journal.SettledFor
	switch {
	case f.Compromised.After(c.IssuedAt) && !now.Before(f.Compromised):
		return TriggerCompromised, true
	case f.Rules.OnAccountable && was.Accountable != f.Declared.Accountable:
		return TriggerAccountableChanged, true
	case f.Rules.OnUnit && was.Unit != f.Declared.Unit:
		return TriggerUnitChanged, true
	case f.Rules.OnMember && len(removed(was.Team, f.Declared.Team)) > 0:
		return TriggerMemberRemoved, true
	case f.RotateAfter.After(c.IssuedAt) && !now.Before(f.RotateAfter):
		return TriggerRotateAfter, true
	case f.Rules.MaxAge > 0 && !now.Before(c.IssuedAt.Add(f.Rules.MaxAge)):
		return TriggerMaxAge, true
	case v.expiring(f, now) || v.Journal.Health == HealthRevoked || v.Journal.Health == HealthExpired && !c.renewable(f):
		return TriggerLost, true
	}
	return "", false
}

func (v *Vault) expiring(f *Facts, now time.Time) bool {
	_, soon := v.Expiring(f, now)
	return soon && !v.Journal.CheckedAt.IsZero() // a probe comes first: it may be dead already
}

// removed are the people of before who are not in after.
func removed(before, after []string) []string {
	var gone []string
	for _, p := range before {
		if !slices.Contains(after, p) {
			gone = append(gone, p)
		}
	}
	return gone
}

// begin starts a rotation.
func (v *Vault) begin(why Trigger, f *Facts, now time.Time) *Vault {
	next := v.copy()
	j := next.Journal.ended()
	j.Trigger, j.From, j.To = why, v.Journal.SettledFor, f.Declared
	if why == TriggerFirst {
		j.From = Custodian{}
	}
	j.RotationID = rotationID(v.UID, j.Rotations, why, &j.From, f)
	j.Phase, j.Since, j.StartedAt = Requested, now, now
	next.Journal = j
	return next
}

// superseded restarts a rotation whose reason was overtaken before anything was
// promoted. Later it waits its turn.
func superseded(v *Vault, f *Facts, now time.Time) *Step {
	j := &v.Journal
	switch j.Phase {
	case Requested, AwaitingConsent, Verifying:
	default:
		return nil
	}
	if v.Retiring != nil {
		return nil // something was promoted already
	}
	why, due := v.trigger(f, now)
	if due && why == j.Trigger && j.To.same(&f.Declared) {
		return nil
	}
	next := v.copy()
	if s := next.discard(f); s != nil {
		return s
	}
	if due {
		next = next.begin(why, f, now)
	} else {
		next.Journal = next.Journal.ended()
	}
	s := store(next, now)
	return &s
}

// idle keeps a credential at rest alive.
func idle(v *Vault, f *Facts, now time.Time) Step {
	if v.Journal.Failed == FailedRestored && v.Current != nil && v.Journal.Health == HealthUnknown {
		return probe(v, SlotCurrent)
	}
	if v.Current == nil && firstOf(v.AccountID, f.AccountID) == "" {
		return rest(time.Time{}) // whose token would it be? The account is found first.
	}
	if f.Import != nil && v.Current == nil {
		return request(v.begin(TriggerFirst, f, now), f, now)
	}
	if why, due := v.trigger(f, now); due {
		return request(v.begin(why, f, now), f, now)
	}
	if s := publish(v, f, now); s != nil {
		return *s
	}
	return maintain(v, f, now)
}

// publish keeps the outbox in line with the vault.
func publish(v *Vault, f *Facts, now time.Time) *Step {
	want := f.Fingerprint(v.Current.Access)
	if v.Journal.Published == want {
		return nil
	}
	next := v.copy()
	next.Journal.Published = want
	return &Step{Vault: next, Publish: true, At: now}
}

func probe(v *Vault, slot Which) Step {
	return Step{Call: &Call{Kind: CallProbe, Slot: slot, Client: v.slot(slot).Client}}
}

// wakeUp is the next moment at which time alone makes something due.
func (v *Vault) wakeUp(f *Facts, now time.Time) time.Time {
	c := v.Current
	at := v.Journal.CheckedAt.Add(checkEvery + time.Duration(f.Jitter*float64(checkEvery/6)))
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(at) {
			at = t
		}
	}
	if f.Rules.MaxAge > 0 {
		sooner(c.IssuedAt.Add(f.Rules.MaxAge))
	}
	sooner(f.RotateAfter)
	sooner(f.Compromised)
	sooner(c.refreshAt(f))
	sooner(c.ExpiresAt)
	sooner(c.ExpiresAt.Add(-notice))
	return at
}
