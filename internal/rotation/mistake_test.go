package rotation

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// mistake is a bug that somebody might write. The sweep has to catch each.
type mistake struct {
	name string
	kind int // of kinds()
	// step changes what is done next, record what is stored of an outcome.
	step     func(w *world, v *Vault, s Step) Step
	record   func(w *world, c *Call, o *Outcome, next *Vault)
	noIntent bool
	// setup changes the world before the rotation begins.
	setup func(w *world)
}

func mistakes() []mistake {
	return []mistake{
		{name: "the old credential is revoked before the new one is in use", step: func(w *world, v *Vault, s Step) Step {
			if w.ahead == nil && v.Journal.Phase == Verifying && v.Journal.Op == nil && v.Current != nil && v.Journal.Ops[OpRevokeGrant] == 0 {
				next := v.copy()
				return Step{Vault: next, Call: next.intend(OpRevokeGrant, SlotCurrent, "fp")}
			}
			return s
		}},
		{name: "no intent is stored", noIntent: true},
		{name: "a product is used before it is stored", record: func(w *world, c *Call, o *Outcome, next *Vault) {
			if c.Op != nil && c.Op.Name == OpIssue && o.Product != nil {
				w.checkSent(&Call{Kind: CallMutate, Slot: SlotPending, Op: &Op{Name: OpQuarantine, Attempt: "early"}}, next)
			}
		}},
		{name: "the vault is read from a cache", kind: 3, step: func(w *world, v *Vault, s Step) Step {
			if s.Call != nil && s.Call.Op != nil && s.Call.Op.Name == OpIssue && v.Journal.Ops[OpIssue] == 0 {
				stale := v.copy()
				return Step{Vault: nil, Call: stale.intend(OpIssue, SlotPending, "")} // it believes that the intent is stored
			}
			return s
		}},
		{name: "a code is sent again", step: func(w *world, v *Vault, s Step) Step {
			if w.ahead == nil && v.Journal.Phase == Verifying && v.Journal.Ops[OpIssue] == 1 && v.Pending != nil && v.Pending.VerifiedAt.IsZero() {
				for code := range w.p.sentCodes {
					if w.p.sentCodes[code] == 1 && w.p.issued > 1 {
						next := v.copy()
						call := next.intend(OpIssue, SlotPending, codeHash(code))
						call.Code = code
						return Step{Vault: next, Call: call}
					}
				}
			}
			return s
		}},
		{name: "a credential is promoted without being verified", step: func(w *world, v *Vault, s Step) Step {
			if v.Journal.Phase == Verifying && v.Pending != nil && v.Pending.VerifiedAt.IsZero() {
				next := v.copy()
				next.Retiring, next.Current, next.Pending = v.Current, next.Pending, nil
				next.enter(Promoted, w.now)
				return store(next, w.now)
			}
			return s
		}},
		{name: "a 200 is taken as proof", setup: func(w *world) { w.p.deaf = true }, step: func(w *world, v *Vault, s Step) Step {
			if v.Journal.Phase == Proving && v.Journal.OldDead == "" {
				next := v.copy()
				next.Journal.OldDead = EvidenceProbe
				return store(next, w.now)
			}
			return s
		}},
		{name: "the old slot is wiped early", record: func(_ *world, _ *Call, _ *Outcome, next *Vault) {
			if next.Journal.Phase == Overlap {
				next.Retiring = nil
			}
		}},
		{name: "a refresh token is sent twice", setup: func(w *world) { w.facts.Rules.Overlap = 3 * time.Hour }, step: func(w *world, v *Vault, s Step) Step {
			if c := v.Current; w.ahead == nil && c != nil && c.OldRefresh != "" && w.p.sentRefresh[c.OldRefresh] == 1 && v.Journal.Op == nil {
				next := v.copy()
				next.Current.Refresh, next.Current.OldRefresh = c.OldRefresh, ""
				return Step{Vault: next, Call: next.intend(OpRefresh, SlotCurrent, "fp")}
			}
			return s
		}},
		{name: "a grant is missing in the ledger", record: func(_ *world, c *Call, _ *Outcome, next *Vault) {
			if c.Op != nil && c.Op.Name == OpIssue && len(next.Ledger) > 1 {
				next.Ledger = next.Ledger[:1]
			}
		}, step: func(_ *world, v *Vault, s Step) Step {
			if s.Vault != nil && len(s.Vault.Ledger) > 1 {
				s.Vault.Ledger = slices.Clone(s.Vault.Ledger[:1])
			}
			return s
		}},
		{name: "the overlap with the same app is ignored", setup: func(w *world) { w.facts.HasAlternate = false }, step: func(w *world, v *Vault, s Step) Step {
			if v.Journal.Phase == Revoking && v.Journal.Op == nil && v.Retiring != nil && v.Journal.Failed == FailedGapNotAllowed {
				next := v.copy()
				return Step{Vault: next, Call: next.intend(OpRevokeGrant, SlotRetiring, "fp")}
			}
			return s
		}},
		{name: "it is settled without a probe", setup: func(w *world) { w.p.deaf = true }, step: func(w *world, v *Vault, s Step) Step {
			if v.Journal.Phase == Proving {
				next := v.copy()
				next.settle(w.now)
				return store(next, w.now)
			}
			return s
		}},
		{name: "an open operation is simply done again", kind: 3, setup: func(w *world) { w.at, w.fault = 2, crashAfter }, step: func(w *world, v *Vault, s Step) Step {
			if op := v.Journal.Op; op != nil && w.own == "" {
				next := v.copy()
				next.Journal.Op = nil
				return store(next, w.now)
			}
			return s
		}},
	}
}

// The check of the check: every mistake is caught by an invariant.
func TestTheSweepCatchesSeededMistakes(t *testing.T) {
	caught := 0
	for _, m := range mistakes() {
		k := kinds()[m.kind]
		w := newWorld(t, k, m.name)
		var violations []string
		w.report = func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
		w.mistake = m
		w.facts.Declared = after
		if m.setup != nil {
			m.setup(w)
		}
		w.run(120)
		w.checkEnd()
		if len(violations) == 0 {
			t.Errorf("not caught: %s", m.name)
			continue
		}
		caught++
		t.Logf("%s: %s", m.name, violations[0])
	}
	if caught < 12 {
		t.Errorf("%d mistakes are caught, at least 12 have to be", caught)
	}
}
