package rotation

import (
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// mostOnward bounds the steps that one compare-and-swap takes in.
const mostOnward = 8

// Onward is Next for a hand that holds v, which goes on from what is stored and may not
// be stored yet; the same pointer: it is. Its step takes in whatever follows at once and
// only stores, so that one compare-and-swap holds it all:
//
//   - a Step without a Call, or with one that changes something, stores Step.Vault first;
//   - before a Call that only reads, Step.Vault is held and not stored: its answer goes on
//     from it. A process that dies meanwhile has lost an answer, which is asked for again;
//   - after a Step with Publish, Step.Vault is held as well: what was published is stored.
//
// What must be stored before it is used always is: the intent of a call, its products
// before any request that shows them, and a promotion before it is published. The result
// of a revocation has no products: it may wait for the probe that follows it, or be stored
// with the intent of the next.
func Onward(stored, v *Vault, f *Facts, now time.Time) Step {
	spent := *f
	for range mostOnward {
		if v.Journal.Phase == Idle && stored.Journal.Phase != Idle {
			return store(v, now) // the end of a rotation is never skipped
		}
		s := Next(v, &spent, now)
		if !s.onlyStores(now) {
			return s.after(stored, v, now)
		}
		v = s.Vault
		spent.Code, spent.Import = "", nil // they are taken in once
	}
	return store(v, now)
}

// onlyStores says that nothing but a store lies between a step and the next.
func (s *Step) onlyStores(now time.Time) bool {
	return s.Vault != nil && s.Call == nil && !s.Publish && !s.Release && !s.At.IsZero() && !s.At.After(now)
}

// after is s where v may not be stored yet: v is stored first, or with it, or held.
func (s *Step) after(stored, v *Vault, now time.Time) Step {
	switch {
	case v == stored:
	case s.Release, s.Publish, s.Call != nil && !deferrable(stored, v, s.Call):
		return store(v, now)
	case s.Vault == nil:
		return Step{Vault: v, Call: s.Call, At: s.At}
	}
	return *s
}

// deferrable says that v, which is not stored, need not be before a call: with the intent
// of one that changes something it is stored anyway, and one that only reads shows no token
// that is not stored. The result of a call with products is stored by itself, that of any
// other waits for an intent, and that of a revocation for the probes that prove it.
func deferrable(stored, v *Vault, call *Call) bool {
	if stored.Journal.Epoch != v.Journal.Epoch {
		return false // it was taken over just now
	}
	if op := stored.Journal.Op; op != nil && !op.Name.waits(call) {
		return false
	}
	s := v.slot(call.Slot)
	return call.Op != nil || s == nil || stored.holds(s.Access) && stored.holds(s.Refresh)
}

// waits says that the result of an operation may be stored after, or with, what follows.
func (n OpName) waits(call *Call) bool {
	switch n {
	case OpRevokeGrant, OpRevokeAccess:
		return call.Op != nil || call.Kind == CallProbe
	case OpUnseat, OpQuarantine, OpQuarantineAccess:
		return call.Op != nil
	default:
		return false
	}
}

// holds says that a token is in one of the slots.
func (v *Vault) holds(token redact.Token) bool {
	if token == "" {
		return true
	}
	for _, which := range []Which{SlotCurrent, SlotPending, SlotRetiring} {
		if s := v.slot(which); s != nil && (s.Access == token || s.Refresh == token) {
			return true
		}
	}
	return false
}
