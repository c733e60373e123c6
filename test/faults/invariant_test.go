package faults

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/redact"
	"mithaq.dev/mithaq/internal/rotation"
)

func slots(v *rotation.Vault) []*rotation.Slot {
	var out []*rotation.Slot
	if v != nil {
		for _, s := range []*rotation.Slot{v.Current, v.Pending, v.Retiring} {
			if s != nil {
				out = append(out, s)
			}
		}
	}
	return out
}

func (p *play) alive(token redact.Token) bool {
	t, ok := p.world.Token(p.site.issuer(), string(token))
	return ok && t.Alive(p.clock.Now())
}

// accepted says that a slot still lets the account be used.
func (p *play) accepted(s *rotation.Slot) bool {
	return s != nil && (p.alive(s.Access) || p.alive(s.OldAccess) || p.alive(s.Refresh))
}

// checkSend holds a request against I2 and I12 before it is sent.
func (p *play) checkSend(s *send) {
	if s.host != p.server.URL {
		p.violated("I12: a request goes to %s", s.host)
	}
	for _, token := range s.tokens {
		t, known := p.world.Token(p.site.issuer(), token)
		if !known || p.ours(t) {
			continue
		}
		if t.Kind == world.CodeToken {
			sum := sha256.Sum256([]byte(token))
			if s.stored == nil || s.stored.Journal.CodeHash != hex.EncodeToString(sum[:]) {
				p.violated("I2: a code is sent before its digest is stored (%s)", s.effect)
			}
			continue
		}
		if !p.stores(s, token) && !p.derived(s, t) {
			p.violated("I2: a token is used that no stored vault holds (%s)", s.effect)
		}
	}
}

// ours: the sweep's own credential, of an app Secret, is no account's grant.
func (p *play) ours(t world.Token) bool { return t.Person == reader || t.Person == member(reader) }

// reader is whose token the app Secrets hold.
const reader = "900"

func (p *play) stores(s *send, token string) bool {
	for _, slot := range slots(s.stored) {
		for _, have := range []redact.Token{slot.Access, slot.Refresh, slot.OldAccess, slot.OldRefresh} {
			if string(have) == token {
				return true
			}
		}
	}
	// Where a short token comes first, it is used within the same attempt to get the
	// long one (Meta): the platform gives no other way.
	return p.site.chains && s.effect == "e5 issue" && p.issuedNow(token)
}

// derived says that a token was made of a stored one, without which it does not work,
// for one request (a Page's token).
func (p *play) derived(s *send, t world.Token) bool {
	return t.Derived && slices.ContainsFunc(slots(s.stored), func(slot *rotation.Slot) bool {
		of, known := p.world.Token(p.site.issuer(), string(slot.Access))
		return known && of.Family == t.Family
	})
}

// issuedNow says that the calls of the attempt under way issued the token.
func (p *play) issuedNow(token string) bool {
	fingerprint := p.world.Fingerprint(token)
	for i := len(p.sends) - 1; i >= 0 && p.sends[i].effect == "e5 issue"; i-- {
		for _, c := range p.sends[i].calls {
			if slices.Contains(c.Issued, fingerprint) {
				return true
			}
		}
	}
	return false
}

// checkSent holds what the platform did against I1, I2, I3 and I7.
func (p *play) checkSent(s *send) {
	for _, c := range s.calls {
		if !c.Mutating {
			continue
		}
		p.mutating++
		if s.stored == nil || s.stored.Journal.Op == nil {
			p.violated("I2: %s without an intent in the vault", c.Effect)
			continue
		}
		if c.Effect == "refresh" && p.site.singleUse {
			p.checkRefresh(s, c)
		}
		if (c.Effect == "revoke" || c.Effect == "removeRole") && c.Accepted {
			p.checkLoss(s, c)
		}
	}
}

// checkRefresh is I3: a single-use token is sent a second time only where the first
// answer was lost, or as the last resort, and never a third time.
func (p *play) checkRefresh(s *send, c world.Call) {
	for _, token := range c.Sent {
		if token.Kind != world.RefreshToken || c.Status == http.StatusTooManyRequests {
			continue
		}
		n := p.refreshes[token.Fingerprint]
		p.refreshes[token.Fingerprint]++
		doubt := s.stored.Journal.Op.Name == rotation.OpTry || s.stored.Current != nil && s.stored.Current.RefreshDoubt
		if n > 1 || n == 1 && !doubt {
			p.violated("I3: a refresh token was sent %d times", n+1)
		}
	}
}

// checkLoss is I1, by the platform's own truth: whatever a revocation ended, a stored
// and verified credential is still accepted.
func (p *play) checkLoss(s *send, c world.Call) {
	v := s.stored
	if p.scenario.gap || p.scenario.deletes && p.armed {
		return
	}
	if v.Journal.Op.Slot == rotation.SlotPending && v.Current == nil {
		return // quarantine of a first credential: there is none yet
	}
	if !p.accepted(v.Current) || v.Current.VerifiedAt.IsZero() {
		p.violated("I1: after %s of the %s slot the credential in use is not accepted", c.Effect, v.Journal.Op.Slot)
	}
}

// checkLag is I5: the status follows the vault within 60 s, and claims nothing that
// the vault does not.
func (p *play) checkLag(acc *v1alpha1.SocialAccount, v *rotation.Vault) {
	if acc == nil || v == nil || acc.DeletionTimestamp != nil {
		return
	}
	rotating := v.Journal.Phase != rotation.Idle
	claims := meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete)
	h := acc.Status.Handover
	bad := rotating && (claims || h == nil || h.ID != v.Journal.RotationID || !slices.Contains(
		[]v1alpha1.FormerAccess{v1alpha1.FormerAccessPresent, v1alpha1.FormerAccessRemoving, v1alpha1.FormerAccessUnproven}, h.FormerAccess))
	switch {
	case !bad:
		p.lagSince = time.Time{}
	case p.lagSince.IsZero():
		p.lagSince = p.clock.Now()
	case p.clock.Since(p.lagSince) > time.Minute:
		p.violated("I5: the status is behind the vault since %s: %+v", p.clock.Since(p.lagSince), h)
		p.lagSince = p.clock.Now()
	}
}

// checkHistory holds the watch history against I4, I5, I10 and I11.
func (p *play) checkHistory(t *track) {
	p.previous = nil
	for i, v := range t.vaults {
		if t.sizes[i] > rotation.MaxVault+4096 {
			p.violated("I11: the vault has %d bytes", t.sizes[i])
		}
		p.checkStored(p.previous, v)
		p.previous = v
	}
	settledBefore := int64(0)
	for _, a := range t.accounts {
		n := int64(0)
		if c := a.Status.Credentials; c != nil && c.RotationsTotal != nil {
			n = *c.RotationsTotal
		}
		if n < settledBefore {
			p.violated("I5: the status forgets rotations: %d after %d", n, settledBefore)
		}
		settledBefore = n
		if h := a.Status.Handover; h != nil && h.FormerAccess == v1alpha1.FormerAccessRemoved {
			p.violated("I5: formerAccess Removed while a rotation runs")
		}
	}
}

func credID(s *rotation.Slot) string {
	if s == nil {
		return ""
	}
	return s.CredID
}

// checkStored holds one stored change against I4, I7 and I10.
func (p *play) checkStored(before, after *rotation.Vault) {
	if before == nil {
		before = rotation.New(after.UID)
	}
	if after.Journal.Revision != before.Journal.Revision+1 {
		p.violated("I10: revision %d follows %d", after.Journal.Revision, before.Journal.Revision)
	}
	if after.Journal.Epoch < before.Journal.Epoch {
		p.violated("I7: the epoch went back from %d to %d", before.Journal.Epoch, after.Journal.Epoch)
	}
	if was, is := credID(before.Current), credID(after.Current); is != was {
		p.checkPromoted(before, after)
	}
	from, to := before.Journal.Phase, after.Journal.Phase
	if from != to && !leads(from, to, before.Journal.OldDead != "", len(path)) {
		p.violated("I10: the vault went from %q to %q", from, to)
	}
	if before.Retiring != nil && after.Retiring == nil && to != rotation.Idle && credID(after.Current) != before.Retiring.CredID {
		p.violated("I10: the retiring slot was wiped in phase %q", to)
	}
	if a, b := before.Journal.Op, after.Journal.Op; a != nil && b != nil && a.Attempt != b.Attempt && !closed(a, before, after) {
		p.violated("I7: %s was opened while %s was open", b.Attempt, a.Attempt)
	}
}

// checkPromoted is I4, by the platform's own truth.
func (p *play) checkPromoted(before, after *rotation.Vault) {
	c := after.Current
	if c == nil {
		p.violated("I1: the slot in use was emptied")
		return
	}
	if c.CredID == credID(before.Retiring) {
		return // the swap back of e19
	}
	if c.CredID != credID(before.Pending) || c.VerifiedAt.IsZero() {
		p.violated("I4: current became a credential that was not verified")
	}
	t, known := p.world.Token(p.site.issuer(), string(c.Access))
	if want := p.site.choice(p.at, string(after.Journal.To.Accountable)); p.site.byConsent && (!known || t.Person != cmp.Or(want.Person, want.Account)) {
		p.violated("I4: current is a credential of %s, not of %s", t.Person, want.Person)
	}
}

// closed says that what is stored shows the result of an operation: it may be stored with
// the intent of the next.
func closed(op *rotation.Op, before, after *rotation.Vault) bool {
	if s := before.Slot(op.Slot); s != nil && op.Name != rotation.OpUnseat && !slices.ContainsFunc(after.Unended(), func(e rotation.Entry) bool { return e.CredID == s.CredID }) {
		return true
	}
	a, b := &before.Journal, &after.Journal
	switch op.Name {
	case rotation.OpRevokeGrant, rotation.OpQuarantine:
		return b.RevokedGrant || b.Tries > 0
	case rotation.OpRevokeAccess, rotation.OpQuarantineAccess:
		return b.RevokedAccess || b.Tries > 0
	case rotation.OpUnseat:
		return len(b.Removed)+len(b.Kept) > len(a.Removed)+len(a.Kept)
	default:
		return false
	}
}

// leads says that the design allows what was stored: from one phase to another, through
// phases that wait for nothing. The overlap is one where the old credential is dead.
func leads(from, to rotation.Phase, dead bool, most int) bool {
	for _, next := range path[from] {
		passes := slices.Contains([]rotation.Phase{rotation.Requested, rotation.Issuing, rotation.Revoking, rotation.Unseating, rotation.Proving}, next) ||
			next == rotation.Overlap && dead
		if next == to || passes && most > 0 && leads(next, to, dead, most-1) {
			return true
		}
	}
	return false
}

// path is the order of phases in the handover's design: from which to which.
var path = map[rotation.Phase][]rotation.Phase{
	rotation.Idle:            {rotation.Requested, rotation.AwaitingConsent, rotation.Issuing, rotation.Verifying},
	rotation.Requested:       {rotation.AwaitingConsent, rotation.Issuing, rotation.Verifying, rotation.Idle},
	rotation.AwaitingConsent: {rotation.Issuing, rotation.Verifying, rotation.Requested, rotation.Idle},
	rotation.Issuing:         {rotation.Verifying, rotation.AwaitingConsent},
	rotation.Verifying:       {rotation.Promoted, rotation.AwaitingConsent, rotation.Issuing, rotation.Requested, rotation.Idle},
	rotation.Promoted:        {rotation.Overlap, rotation.Idle},
	rotation.Overlap:         {rotation.Revoking, rotation.Unseating, rotation.Proving, rotation.Issuing},
	rotation.Revoking:        {rotation.Unseating, rotation.Proving},
	rotation.Unseating:       {rotation.Proving},
	rotation.Proving:         {rotation.Idle, rotation.Revoking, rotation.Issuing},
}

// checkLedger is I3, and I7 as far as calls of one account overlap.
func (p *play) checkLedger() { p.checkCalls(p.world.History().Calls) }

func (p *play) checkCalls(calls []world.Call) {
	sent := map[string]int{}
	var open []world.Call
	for _, c := range calls {
		if !c.Mutating || c.Effect == "" {
			continue
		}
		for _, o := range open {
			if o.EndedSeq == 0 || o.EndedSeq > c.BeganSeq {
				p.overlapping++
				p.violated("I7: %s began before %s had ended", c.Effect, o.Effect)
			}
		}
		open = append(open, c)
		for _, s := range c.Sent {
			if c.Status == http.StatusTooManyRequests {
				continue // it was turned away unread
			}
			if s.Kind == world.CodeToken || p.site.singleUse && s.Kind == world.RefreshToken && c.Effect == "refresh" {
				sent[string(s.Kind)+" "+s.Fingerprint]++
			}
		}
	}
	for what, n := range sent {
		allowed := 1
		if what[:4] != "Code" {
			allowed = 2
		}
		if n > allowed {
			p.violated("I3: a %s was sent %d times", what[:4], n)
		}
	}
}

// families are the grants of our clients that live, by the platform's own truth.
func (p *play) families() map[int]world.Token {
	out := map[int]world.Token{}
	for _, t := range p.world.Tokens(p.site.issuer(), world.TokenQuery{Alive: true}) {
		if t.Kind != world.CodeToken && !p.ours(t) {
			out[t.Family] = t
		}
	}
	return out
}

// knownFamilies are those of which the ledger holds a fingerprint.
func (p *play) knownFamilies(v *rotation.Vault) map[int]bool {
	known := map[int]bool{}
	fingerprint := rotation.Fingerprinter(p.c.key)
	for _, raw := range p.raw {
		if t, ok := p.world.Token(p.site.issuer(), raw); ok && v.Knows(fingerprint(redact.Token(raw))) {
			known[t.Family] = true
		}
	}
	return known
}

// checkEnd holds the end of a run against I1, I5, I6 and I11.
func (p *play) checkEnd(acc *v1alpha1.SocialAccount, v *rotation.Vault, t *track) {
	if v == nil {
		p.violated("I6: there is no vault")
		return
	}
	known, lost, unknown := p.knownFamilies(v), 0, 0
	for _, e := range v.Ledger {
		if e.State == rotation.GrantUnknown && len(e.Fingerprints) == 0 {
			lost++
		}
	}
	for family := range p.families() {
		if !known[family] {
			unknown++
		}
	}
	if unknown > min(lost, p.mayLose()) {
		p.violated("I6: %d live grants are not in the ledger, which counts %d; %d may be", unknown, lost, p.mayLose())
	}
	if p.scenario.deletes {
		p.checkGone(acc, v)
		return
	}
	p.checkSettled(acc, v, known)
	if n := len(t.outbox); v.Current != nil && (n == 0 || t.outbox[n-1] != string(v.Current.Access)) {
		p.violated("e10: the outbox does not hold the credential in use")
	}
}

// mayLose is how many grants the fault of the plan can have made unknown: that of an
// issue whose answer, or whose process, was lost.
func (p *play) mayLose() int {
	if p.where == atCall && p.struckAt == "call e5 issue" || p.where == atAPI && (p.fault == crashBefore || p.fault == crashAfter) && p.afterIssue {
		return 1
	}
	return 0
}

// checkGone is the end of a deletion: what could be revoked is.
func (p *play) checkGone(acc *v1alpha1.SocialAccount, v *rotation.Vault) {
	if acc != nil {
		p.violated("the account hangs: %v", acc.Finalizers)
	}
	left := len(p.families())
	told := len(v.Unended())
	if left > told+p.mayLose() && !p.site.noRevoke {
		p.violated("I6: the account is gone, %d grants live and the ledger has %d", left, told)
	}
}

// checkSettled is the end of a rotation.
func (p *play) checkSettled(acc *v1alpha1.SocialAccount, v *rotation.Vault, known map[int]bool) {
	if !p.accepted(v.Current) {
		p.violated("I1: settled, and the credential in use is not accepted: %s", stand(v))
	}
	if !meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete) {
		p.violated("I5: settled, and the status does not say so")
	}
	ours := 0
	if t, ok := p.world.Token(p.site.issuer(), string(v.Current.Access)); ok {
		ours = t.Family
	}
	for family, t := range p.families() {
		if family != ours && known[family] && t.Issued.Before(p.began) && !p.site.noRevoke {
			p.violated("I6: settled, and a grant of %s from before the rotation lives", t.Person)
		}
	}
	for _, c := range acc.Status.Custody {
		if c.Provenance == v1alpha1.ProvenanceProven && p.site.human && len(p.scenario.leaves) > 0 && c.Until == nil {
			p.violated("I5: custody is Proven where people gave their word")
		}
	}
	for _, who := range p.scenario.leaves {
		if role, there := p.world.RoleOf(p.site.on, p.at.id, ids[who]); there && p.site.removes {
			p.violated("I5: settled, and %s still has %v", who, role.Tasks)
		}
	}
	p.checkProof()
}

// showsOf says that a request shows a token of a slot.
func (s *send) showsOf(slot *rotation.Slot) bool {
	return slices.Contains(s.tokens, string(slot.Access)) || slot.Refresh != "" && slices.Contains(s.tokens, string(slot.Refresh))
}

// checkProof: the old credential was asked for after its last revocation, and refused.
// A grant of somebody else that is got rid of meanwhile is none of it.
func (p *play) checkProof() {
	var revoked bool
	proven := false
	for _, s := range p.sends {
		for _, c := range s.calls {
			if c.Effect == "revoke" && s.stored != nil && s.stored.Retiring != nil && (!strings.HasPrefix(s.effect, "quarantine") || s.showsOf(s.stored.Retiring)) {
				revoked, proven = true, false
			}
		}
		// The last resort, its refresh token refused, is a proof as well.
		if s.effect == "e18 probe old" || s.effect == "try" && len(s.calls) > 0 && !s.calls[0].Accepted {
			proven = true
		}
	}
	if revoked && !proven {
		p.violated("I5: settled without a probe of the former credential")
	}
}

// summary is what a report says of a play.
func (p *play) summary() string {
	return fmt.Sprintf("%d writes, %d events, %d calls, %d mutating", p.writes, p.events, p.calls, p.mutating)
}
