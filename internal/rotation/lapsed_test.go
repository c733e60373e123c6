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
