package rotation

import (
	"testing"
	"time"
)

// What one compare-and-swap takes in, and what is stored by itself.
func TestWhatIsStoredTogether(t *testing.T) {
	f := &Facts{Fingerprint: Fingerprinter(key), HasAlternate: true, Nonce: "n", Verifier: "v"}
	base := func(phase Phase) *Vault {
		v := New("uid-1")
		v.AccountID = "acc-1"
		v.Current = &Slot{CredID: "new", Access: "a2", Refresh: "r2", Client: Alternate, VerifiedAt: epoch}
		v.Retiring = &Slot{CredID: "old", Access: "a1", Refresh: "r1", Client: Primary}
		v.Journal.Phase, v.Journal.Trigger, v.Journal.RotationID, v.Journal.GoodChecks = phase, TriggerRotateAfter, "id", goodChecks
		return v
	}
	open := func(v *Vault, name OpName, slot Which) *Vault {
		v.Journal.Op = &Op{Name: name, Attempt: "id." + string(name) + ".1", Slot: slot}
		return v
	}
	answer := func(stored *Vault, o Outcome) *Vault {
		return Record(stored, &Call{Kind: CallMutate, Op: stored.Journal.Op, Slot: stored.Journal.Op.Slot}, &o, f, epoch)
	}
	product := Outcome{Kind: Done, Product: &Product{Access: "a3", Refresh: "r3"}}

	stored := open(base(Revoking), OpRevokeGrant, SlotRetiring)
	if s := Onward(stored, answer(stored, Outcome{Kind: Done}), f, epoch); s.Call == nil || s.Call.Op == nil || s.Call.Op.Name != OpRevokeAccess || !s.Vault.Journal.RevokedGrant {
		t.Errorf("the result of a revocation is not stored with the intent of the next: %+v", s)
	}
	stored = open(base(Revoking), OpRevokeAccess, SlotRetiring)
	stored.Journal.RevokedGrant = true
	if s := Onward(stored, answer(stored, Outcome{Kind: Done}), f, epoch); s.Call == nil || s.Call.Kind != CallProbe || s.Call.Slot != SlotRetiring || s.Vault == nil {
		t.Errorf("the result of a revocation does not wait for its proof: %+v", s)
	}
	stored = open(base(Revoking), OpRevokeGrant, SlotRetiring)
	if s := Onward(stored, answer(stored, Outcome{Kind: Unavailable}), f, epoch); s.Call != nil || s.Vault == nil || s.Vault.Journal.Op != nil || !s.At.After(epoch) {
		t.Errorf("a revocation that is to be repeated later is not stored at once: %+v", s)
	}
	stored = base(Issuing)
	stored.Retiring = nil
	stored = open(stored, OpIssue, SlotPending)
	if s := Onward(stored, answer(stored, product), f, epoch); s.Call != nil || s.Vault == nil || s.Vault.Pending == nil {
		t.Errorf("a product is used before it is stored: %+v", s)
	}
	stored = open(base(Overlap), OpRefresh, SlotCurrent)
	if s := Onward(stored, answer(stored, product), f, epoch); s.Call != nil || s.Vault == nil || s.Vault.Current.Access != "a3" {
		t.Errorf("a renewed token is used before it is stored: %+v", s)
	}
	stored = base(Verifying)
	stored.Retiring, stored.Pending = nil, &Slot{CredID: "next", Access: "a3", Client: Primary}
	verified := Record(stored, &Call{Kind: CallIdentify, Slot: SlotPending}, &Outcome{Kind: Done, Identity: Identity{AccountID: "acc-1"}}, f, epoch)
	f.RotateAfter, stored.Current.IssuedAt, verified.Current.IssuedAt = epoch, epoch.Add(-time.Hour), epoch.Add(-time.Hour)
	s := Onward(stored, verified, f, epoch)
	if s.Publish || s.Call != nil || s.Vault == nil || s.Vault.Journal.Phase != Promoted || s.Vault.Current.CredID != "next" {
		t.Errorf("a verification is not stored with its promotion, before it is published: %+v", s)
	}
	if s = Onward(s.Vault, s.Vault, f, epoch); !s.Publish || s.Vault.Journal.Phase != Overlap {
		t.Errorf("a promotion that is stored is not published: %+v", s)
	}
	stored = base(Proving)
	stored.Journal.OldDead = EvidenceProbe
	closed := Record(stored, &Call{Kind: CallProbe, Slot: SlotCurrent}, &Outcome{Kind: Done, Liveness: Alive, Identity: Identity{AccountID: "acc-1"}}, f, epoch)
	f.RotateAfter = epoch.Add(time.Hour) // another one would be due at once
	if s := Onward(stored, closed, f, epoch.Add(2*time.Hour)); s.Vault == nil || s.Vault.Journal.Phase != Idle {
		t.Errorf("the end of a rotation is stored with the begin of the next: %+v", s)
	}
}

// An operation that was found open is taken over by itself: nothing is sent in the same
// breath.
func TestWhatIsTakenOverIsStoredFirst(t *testing.T) {
	f := &Facts{Fingerprint: Fingerprinter(key)}
	v := New("uid-1")
	v.Current = &Slot{CredID: "new", Access: "a2", Refresh: "r2", Client: Alternate, VerifiedAt: epoch}
	v.Retiring = &Slot{CredID: "old", Access: "a1", Refresh: "r1", Client: Primary}
	v.Journal.Phase, v.Journal.Trigger = Revoking, TriggerRotateAfter
	v.Journal.Op = &Op{Name: OpUnseat, Attempt: "id.unseat.1", SeenAt: epoch}
	s := Onward(v, v, f, epoch.Add(Budget))
	if s.Call != nil || s.Vault == nil || s.Vault.Journal.Epoch != 1 || s.Vault.Journal.Op != nil {
		t.Errorf("%+v", s)
	}
}
