package rotation

import (
	"testing"
	"time"
)

// A credential whose access token ran out while it overlapped with the new one is
// proven dead by its refresh token: nothing else of it is left to ask with.
func TestALapsedCredentialIsProvenByItsRefreshToken(t *testing.T) {
	for _, k := range kinds() {
		if k.traits.Lifetime == 0 {
			continue
		}
		w := newWorld(t, k, k.name)
		w.facts.Declared = after
		w.facts.Rules.Overlap = k.traits.Lifetime + time.Hour
		w.run(200)
		w.checkEnd()
		if v := w.load(); !w.settled() {
			t.Errorf("%s: not settled: %+v", k.name, v.Journal)
		}
	}
}

// One that turns out to live is revoked again, with what its refresh token yielded.
func TestALapsedCredentialThatLivesIsRevokedAgain(t *testing.T) {
	w := newWorld(t, kinds()[0], "deaf")
	w.facts.Declared = after
	w.facts.Rules.Overlap = kinds()[0].traits.Lifetime + time.Hour
	w.p.deaf = true
	for range 60 {
		if _, err := w.pass(); err != nil {
			t.Fatal(err)
		}
		if w.load().Journal.Ops[OpTry] > 0 {
			w.p.deaf = false
		}
	}
	w.run(200)
	w.checkEnd()
	if v := w.load(); !w.settled() || v.Journal.Phase != Idle {
		t.Errorf("not settled: %+v", v.Journal)
	}
}

// With one app and a gap allowed, the revocation ends the new credential as well, and
// a third is asked for. That one is not ended for the former credential's sake again.
func TestAGapIsOneGap(t *testing.T) {
	for _, k := range kinds() {
		if !k.wholeGrant {
			continue
		}
		w := newWorld(t, k, k.name)
		w.facts.Declared, w.facts.HasAlternate, w.facts.AllowGap = after, false, true
		w.run(300)
		w.checkEnd()
		if v := w.load(); !w.settled() || w.p.issued > 3 {
			t.Errorf("%s: %d grants were issued, settled: %v: %+v", k.name, w.p.issued, w.settled(), v.Journal)
		}
	}
}
