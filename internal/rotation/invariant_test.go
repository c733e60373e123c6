package rotation

import (
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// checkSent holds a request against I1, I2, I3 and I4 at the moment it is sent.
func (w *world) checkSent(c *Call, v *Vault) {
	stored := w.load()
	if c.Kind == CallMutate && (stored.Journal.Op == nil || stored.Journal.Op.Attempt != c.Op.Attempt) {
		w.violated("I2: %s is sent without its intent in the vault", c.Op.Attempt)
	}
	if c.Kind != CallMutate {
		return
	}
	switch c.Op.Name {
	case OpIssue:
		if w.p.sentCodes[c.Code] > 0 && c.Mode != ByMint {
			w.violated("I3: a code is sent twice")
		}
	case OpRefresh:
		if n := w.p.sentRefresh[v.Current.Refresh]; w.p.traits.SingleUseRefresh && (n > 1 || n == 1 && !v.Current.RefreshDoubt) {
			w.violated("I3: a refresh token is sent %d times", n+1)
		}
	case OpRevokeGrant, OpRevokeAccess:
		w.checkRevoke(c, stored)
	}
	if s := stored.Slot(c.Slot); c.Op.Name != OpIssue && s == nil {
		w.violated("I2: %s uses a slot that is not stored", c.Op.Name)
	}
}

// checkRevoke is I1: nothing is revoked that the account still needs.
func (w *world) checkRevoke(c *Call, v *Vault) {
	if w.facts.AllowGap || w.facts.Deleting && w.facts.Revoke {
		return
	}
	gone, kept := v.Slot(c.Slot), v.Current
	if kept == nil || kept.CredID == gone.CredID || kept.VerifiedAt.IsZero() || !safe(gone, kept, &w.facts) {
		w.violated("I1: %s is sent without another verified credential that it cannot end", c.Op.Name)
	}
}

// checkStored holds a stored vault against I4, I6 and I10.
func (w *world) checkStored(before, after *Vault) {
	if a, b := before.Current, after.Current; b != nil && (a == nil || a.CredID != b.CredID) {
		swapped := before.Retiring != nil && before.Retiring.CredID == b.CredID
		if b.VerifiedAt.IsZero() || !swapped && (before.Pending == nil || before.Pending.CredID != b.CredID) {
			w.violated("I4: current changed to a credential that was not verified")
		}
	}
	if before.Retiring != nil && after.Retiring == nil && after.Journal.Phase != Idle {
		if after.Current.CredID != before.Retiring.CredID {
			w.violated("I10: the retiring slot was wiped in phase %s", after.Journal.Phase)
		}
	}
	if from, to := before.Journal.Phase, after.Journal.Phase; from != to && !leads(from, to, before.Journal.OldDead != "", len(path)) {
		w.violated("I10: the vault went from %q to %q", from, to)
	}
	if a, b := before.Journal.Op, after.Journal.Op; a != nil && b != nil && a.Attempt != b.Attempt && !closed(a, before, after) {
		w.violated("I7: %s was opened while %s was open", b.Attempt, a.Attempt)
	}
	if after.Journal.Epoch < before.Journal.Epoch {
		w.violated("I7: the epoch went back")
	}
}

// closed says that what is stored shows the result of an operation.
func closed(op *Op, before, after *Vault) bool {
	if s := before.Slot(op.Slot); s != nil && after.ended(s) {
		return true
	}
	switch op.Name {
	case OpRevokeGrant, OpQuarantine:
		return after.Journal.RevokedGrant || after.Journal.Tries > 0
	case OpRevokeAccess, OpQuarantineAccess:
		return after.Journal.RevokedAccess || after.Journal.Tries > 0
	case OpUnseat:
		return len(after.Journal.Removed)+len(after.Journal.Kept) > len(before.Journal.Removed)+len(before.Journal.Kept)
	default:
		return false
	}
}

// leads says that section 3 allows what was stored: from one phase to another, through
// phases that wait for nothing. The overlap is one where the old credential is dead.
func leads(from, to Phase, dead bool, most int) bool {
	for _, next := range path[from] {
		passes := next == Requested || next == Issuing || next == Revoking || next == Unseating || next == Proving || next == Overlap && dead
		if next == to || passes && most > 0 && leads(next, to, dead, most-1) {
			return true
		}
	}
	return false
}

// path is section 3 of the handover's design: from which phase to which.
var path = map[Phase][]Phase{
	Idle:            {Requested, AwaitingConsent, Issuing, Verifying},
	Requested:       {AwaitingConsent, Issuing, Verifying, Idle},
	AwaitingConsent: {Issuing, Verifying, Requested, Idle},
	Issuing:         {Verifying, AwaitingConsent},
	Verifying:       {Promoted, AwaitingConsent, Issuing, Requested, Idle},
	Promoted:        {Overlap, Idle},
	Overlap:         {Revoking, Unseating, Proving, Issuing},
	Revoking:        {Unseating, Proving},
	Unseating:       {Proving},
	Proving:         {Idle, Revoking, Issuing},
}

// checkEnd holds the end of a run against I1, I5, I6 and I11.
func (w *world) checkEnd() {
	v := w.load()
	if v.Current != nil && !w.p.accepts(v.Current.Access, w.now) && !w.facts.AllowGap && !w.facts.Deleting {
		if alive := w.p.of(v.Current.Access); alive == nil || alive.dead {
			w.violated("I1: the credential in use is dead: phase %q, failed %q", v.Journal.Phase, v.Journal.Failed)
		}
	}
	unknown := 0
	for _, g := range w.p.live() {
		if !w.inLedger(v, append(g.had, g.access, g.refresh)...) {
			unknown++
		}
	}
	lost := 0
	for _, e := range v.Ledger {
		if e.State == GrantUnknown && len(e.Fingerprints) == 0 {
			lost++
		}
	}
	if unknown > min(w.ambig, lost) {
		w.violated("I6: %d live grants are not in the ledger, %d issues were ambiguous, %d counted", unknown, w.ambig, lost)
	}
	if !w.settled() {
		return
	}
	for _, g := range w.p.live() {
		if g.at.Before(w.started) && !w.p.traits.NoRevoke {
			w.violated("I6: settled, and a grant older than the rotation lives")
		}
	}
	for id, email := range w.p.members {
		if !slices.Contains(w.facts.Declared.Team, email) && email != w.facts.Declared.Accountable && w.p.traits.ListsPeople {
			w.violated("I5: settled, and %s (%s) still has access", id, email)
		}
	}
	if w.outbox != string(v.Current.Access) {
		w.violated("e10: the outbox does not hold the credential in use")
	}
	if size := len(w.data[keyLedger]) + len(w.data[keyJournal]); size > MaxVault {
		w.violated("I11: the vault has %d bytes", size)
	}
}

func (w *world) inLedger(v *Vault, tokens ...redact.Token) bool {
	fp := Fingerprinter(key)
	for _, e := range v.Ledger {
		for _, token := range tokens {
			if token != "" && slices.Contains(e.Fingerprints, fp(token)) {
				return true
			}
		}
	}
	return false
}

// checkRest is I9: when faults stop, it is at rest within ten reconciles, and then
// writes nothing. What fell due meanwhile, and the rotation that asks for a new consent
// where the answer to a renewal was lost, have to fit in.
func (w *world) checkRest() {
	w.fault = none
	const most = 10
	for n := 0; ; n++ {
		if wrote, waited := w.reconcile(); wrote == 0 && !waited {
			break
		}
		if n == most {
			w.violated("I9: not at rest after %d reconciles, but in phase %s", most, w.load().Journal.Phase)
			break
		}
	}
	for range 3 {
		if wrote, _ := w.reconcile(); wrote > 0 {
			w.violated("I9: %d writes at rest", wrote)
		}
	}
}

// reconcile performs steps until there is none, or one waits for its time; it returns
// how often it wrote, and whether it waited.
func (w *world) reconcile() (wrote int, waited bool) {
	before, now := w.stores, w.now
	for more := true; more && w.now.Equal(now); {
		var err error
		if more, err = w.pass(); err != nil {
			w.violated("I9: at rest, and %v", err)
			break
		}
	}
	return w.stores - before, !w.now.Equal(now)
}

var epoch = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
