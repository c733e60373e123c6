package rotation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// New is the vault of an account that holds nothing yet.
func New(uid string) *Vault { return &Vault{UID: uid} }

func (v *Vault) copy() *Vault {
	next := *v
	next.Current, next.Pending, next.Retiring = v.Current.copy(), v.Pending.copy(), v.Retiring.copy()
	next.Ledger = slices.Clone(v.Ledger)
	j := &next.Journal
	j.HumanSteps, j.Custody, j.Ops = slices.Clone(j.HumanSteps), slices.Clone(j.Custody), maps.Clone(j.Ops)
	j.Removed, j.Kept = slices.Clone(j.Removed), slices.Clone(j.Kept)
	if j.Op != nil {
		op := *j.Op
		j.Op = &op
	}
	return &next
}

func (s *Slot) copy() *Slot {
	if s == nil {
		return nil
	}
	next := *s
	return &next
}

func (v *Vault) slot(which Which) *Slot {
	switch which {
	case SlotPending:
		return v.Pending
	case SlotRetiring:
		return v.Retiring
	default:
		return v.Current
	}
}

// Slot is the credential that a call is about; nil: it is gone.
func (v *Vault) Slot(which Which) *Slot { return v.slot(which) }

// enter begins a phase.
func (v *Vault) enter(phase Phase, now time.Time) {
	v.Journal.Phase, v.Journal.Since = phase, now
	v.Journal.Tries, v.Journal.NextAttempt = 0, time.Time{}
	v.Journal.Listed = false
}

// ended is the journal without a rotation: what belongs to the account stays.
func (j *Journal) ended() Journal {
	failed := Failure("")
	if j.Failed == FailedRestored {
		failed = j.Failed
	}
	return Journal{
		Revision: j.Revision, Epoch: j.Epoch, Published: j.Published, SettledFor: j.SettledFor, Custody: j.Custody, Rotations: j.Rotations, CheckedAt: j.CheckedAt,
		Health: j.Health, Failed: failed,
	}
}

// same says that two custodians are the same people in the same unit.
func (c *Custodian) same(o *Custodian) bool {
	return c.Unit == o.Unit && c.Accountable == o.Accountable && slices.Equal(c.Team, o.Team)
}

// rotationID is a digest of the account, what was settled and what is declared, so
// that the same change has the same id after a crash.
func rotationID(uid string, rotations int64, why Trigger, from *Custodian, f *Facts) string {
	text, err := json.Marshal([]any{uid, rotations, why, from, f.Declared, f.RotateAfter.Unix(), f.Compromised.Unix()})
	if err != nil {
		panic(err) // strings and numbers alone
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:16]
}

func codeHash(code redact.Token) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// number names the next operation, and counts it: rotationID.name.n. Outside of a
// rotation the number of completed ones stands for it.
func (v *Vault) number(name OpName) string {
	if v.Journal.Ops == nil {
		v.Journal.Ops = map[OpName]int{}
	}
	v.Journal.Ops[name]++
	id := v.Journal.RotationID
	if id == "" {
		id = fmt.Sprintf("rest-%d-%d", v.Journal.Rotations, v.Journal.Epoch)
	}
	return fmt.Sprintf("%s.%s.%d", id, name, v.Journal.Ops[name])
}

func (v *Vault) newOp(name OpName, slot Which, fingerprint string) *Op {
	return &Op{Name: name, Attempt: v.number(name), Fingerprint: fingerprint, Slot: slot, Epoch: v.Journal.Epoch}
}

// intend writes an intent and describes its call.
func (v *Vault) intend(name OpName, slot Which, fingerprint string) *Call {
	v.Journal.Op = v.newOp(name, slot, fingerprint)
	return v.callOf(v.Journal.Op)
}

func (v *Vault) callOf(op *Op) *Call {
	call := &Call{Kind: CallMutate, Op: op, Slot: op.Slot, Client: v.Journal.Client, Mode: v.Journal.Mode, Member: Member{ID: op.Subject}}
	if s := v.slot(op.Slot); s != nil {
		call.Client = s.Client
	}
	return call
}

// Record takes the outcome of a call in. The result is to be stored before any
// product in it is used.
func Record(v *Vault, call *Call, o *Outcome, f *Facts, now time.Time) *Vault {
	next := v.copy()
	switch call.Kind {
	case CallMutate:
		if op := next.Journal.Op; op == nil || op.Attempt != call.Op.Attempt {
			return next // somebody else has closed it: its word counts
		}
		return settleOp(next, o, f, now)
	case CallIdentify:
		if next.Pending != nil {
			identified(next, o, f, now)
		}
	case CallPeople:
		listed(next, o, f, now)
	case CallProbe:
		probed(next, call.Slot, o, f, now)
	}
	return next
}

// settleOp closes the open operation.
func settleOp(v *Vault, o *Outcome, f *Facts, now time.Time) *Vault {
	op := v.Journal.Op
	v.Journal.Op = nil
	switch op.Name {
	case OpIssue:
		issued(v, o, f, now)
	case OpRefresh:
		if v.Current != nil {
			refreshed(v, o, f, now)
		}
	case OpTry:
		if v.Retiring != nil {
			tried(v, o, f, now)
		}
	case OpUnseat:
		unseated(v, o, f, now)
	case OpQuarantine, OpQuarantineAccess, OpRevokeGrant, OpRevokeAccess:
		revoked(v, op, o, now)
	}
	return v
}

// issued takes the outcome of an issue in.
func issued(v *Vault, o *Outcome, f *Facts, now time.Time) {
	switch o.Kind { //nolint:exhaustive // the others need nothing
	case Done:
		v.accept(o.Product, f, now)
		return
	case Ambiguous:
		// There may be a grant that nobody holds.
		v.Ledger = append(v.Ledger, Entry{
			CredID: fmt.Sprintf("%s.lost.%d", v.Journal.RotationID, v.Journal.Ops[OpIssue]), Client: v.Journal.Client,
			RotationID: v.Journal.RotationID, State: GrantUnknown, At: now,
		})
	case Misconfigured:
		v.Journal.Failed = FailedAppRefused
	}
	v.enter(Issuing, now)
	if v.Journal.Mode == ByMint {
		v.again(o, now)
	}
}

// revoked takes the outcome of a revocation in. Done and Denied both mean: go and
// prove.
func revoked(v *Vault, op *Op, o *Outcome, now time.Time) {
	quarantined := op.Name == OpQuarantine || op.Name == OpQuarantineAccess
	switch o.Kind {
	case Done, Denied:
		v.Journal.Tries = 0
		v.Journal.sent(op.Name)
		if quarantined && v.Pending != nil {
			v.mark(v.Pending.CredID, GrantUnknown, "", now)
		}
	case Misconfigured:
		if quarantined {
			v.Journal.sent(op.Name) // the ledger keeps it as Live
			return
		}
		v.Journal.Failed = FailedAppRefused
		v.again(&Outcome{RetryAfter: longPause}, now)
	default:
		v.again(o, now)
	}
}

// sent remembers which part was revoked.
func (j *Journal) sent(op OpName) {
	if op == OpRevokeAccess || op == OpQuarantineAccess {
		j.RevokedAccess = true
		return
	}
	j.RevokedGrant = true
}
