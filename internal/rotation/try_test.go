package rotation

import (
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// lapsedVault is one that is to prove a retiring credential dead whose access token ran
// out: nothing but its refresh token is left to ask with.
func lapsedVault(f *Facts) *Vault {
	v := New("uid-1")
	v.Current = &Slot{CredID: "new", Access: "a2", Refresh: "r2", Client: Alternate, VerifiedAt: epoch}
	v.Retiring = &Slot{CredID: "old", Access: "a1", Refresh: "r1", Client: Primary, ExpiresAt: epoch.Add(-time.Hour)}
	v.Journal.Phase, v.Journal.Trigger, v.Journal.Lapsed, v.Journal.Unproven = Proving, TriggerRotateAfter, true, true
	v.Journal.RevokedGrant, v.Journal.RevokedAccess, v.Journal.RotationID = true, true, "id"
	v.learn(v.Retiring, f, epoch)
	return v
}

// Each answer to the last resort, and what follows from it.
func TestTheLastResortHasAnOutcomeForEachAnswer(t *testing.T) {
	f := &Facts{Fingerprint: Fingerprinter(key), Traits: Traits{SingleUseRefresh: true}}
	for name, c := range map[string]struct {
		outcome  Outcome
		phase    Phase
		dead     Evidence
		unproven bool
		wait     time.Duration
		refresh  redact.Token
	}{
		"refused: it is dead": {Outcome{Kind: Denied}, Proving, EvidenceProbe, false, 0, "r1"},
		"granted: it lives, and is revoked again": {
			Outcome{Kind: Done, Product: &Product{Access: "a3", Refresh: "r3", ExpiresAt: epoch.Add(time.Hour)}}, Revoking, "", true, reviseAfter, "r3",
		},
		"granted without another refresh token": {Outcome{Kind: Done, Product: &Product{Access: "a3"}}, Revoking, "", true, reviseAfter, "r1"},
		"lost":                                  {Outcome{Kind: Ambiguous}, Proving, "", true, reviseAfter, "r1"},
		"unavailable for an hour":               {Outcome{Kind: Unavailable, RetryAfter: time.Hour}, Proving, "", true, time.Hour, "r1"},
		"the app is refused":                    {Outcome{Kind: Misconfigured}, Proving, "", true, reviseAfter, "r1"},
	} {
		t.Run(name, func(t *testing.T) {
			v := lapsedVault(f)
			s := Next(v, f, epoch)
			if s.Call == nil || s.Call.Op == nil || s.Call.Op.Name != OpTry || s.Vault.Journal.Op == nil {
				t.Fatalf("%+v", s)
			}
			v = Record(s.Vault, s.Call, &c.outcome, f, epoch)
			j := &v.Journal
			if j.Op != nil || j.Phase != c.phase || j.OldDead != c.dead || j.Unproven != c.unproven || v.Retiring.Refresh != c.refresh {
				t.Errorf("phase %s, dead %q, unproven %v, refresh token %s", j.Phase, j.OldDead, j.Unproven, string(v.Retiring.Refresh))
			}
			if got := max(j.NextAttempt.Sub(epoch), 0); got != c.wait {
				t.Errorf("goes on after %s, want %s", got, c.wait)
			}
			for _, token := range []redact.Token{v.Retiring.Access, v.Retiring.Refresh} {
				if !v.Knows(f.Fingerprint(token)) {
					t.Error("the ledger lacks a token")
				}
			}
			if c.dead == "" && (v.Retiring == nil || j.Phase == Idle) {
				t.Error("it is settled without a proof")
			}
		})
	}
}

// It is sent twice at most (I3), and without an answer nothing is ever proven by it.
func TestTheLastResortIsSentTwiceAtMost(t *testing.T) {
	f := &Facts{Fingerprint: Fingerprinter(key), Traits: Traits{SingleUseRefresh: true}}
	v, now, sent := lapsedVault(f), epoch, 0
	for range 12 {
		s := Next(v, f, now)
		if s.Vault != nil {
			v = s.Vault
		}
		if s.Call != nil {
			o := Outcome{Kind: Done, Liveness: Expired}
			if s.Call.Op != nil {
				sent++
				o = Outcome{Kind: Ambiguous}
			}
			v = Record(v, s.Call, &o, f, now)
		}
		now = now.Add(longPause)
	}
	if sent != mostTries || v.Journal.OldDead != "" || v.Journal.Phase != Proving || !v.Journal.Unproven {
		t.Errorf("sent %d times, dead %q in %s", sent, v.Journal.OldDead, v.Journal.Phase)
	}
}
