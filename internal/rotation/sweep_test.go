package rotation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// kind is a platform as rotation.md describes it.
type kind struct {
	name       string
	traits     Traits
	wholeGrant bool
}

var scopes = []string{"read", "write"}

func kinds() []kind {
	return []kind{
		{"X", Traits{SingleUseRefresh: true, Lifetime: 2 * time.Hour, Scopes: scopes, HumanSteps: []string{"remove-delegates", "end-sessions", "change-password"}}, true},
		{"X revoking one token", Traits{SingleUseRefresh: true, RevokesToken: true, Lifetime: 2 * time.Hour, Scopes: scopes}, false},
		{"YouTube", Traits{PersonPrincipal: true, Introspects: true, Lifetime: time.Hour, Scopes: scopes, HumanSteps: []string{"remove-channel-permissions"}}, true},
		{"Facebook system user", Traits{Mints: true, RevokesToken: true, Introspects: true, ListsPeople: true, RemovesPeople: true, Scopes: scopes}, false},
		{"Facebook person", Traits{PersonPrincipal: true, Introspects: true, ListsPeople: true, RemovesPeople: true, Scopes: scopes}, true},
		{"Snapchat", Traits{PersonPrincipal: true, SingleUseRefresh: true, ListsPeople: true, Lifetime: time.Hour, Scopes: scopes, HumanSteps: []string{"end-sessions"}}, true},
	}
}

var (
	before = Custodian{Unit: "riyadh", Accountable: "old@edu.example", Team: []string{"gone@edu.example", "stays@edu.example"}}
	after  = Custodian{Unit: "riyadh", Accountable: "new@edu.example", Team: []string{"stays@edu.example"}}
)

// newWorld is an account whose first credential is settled.
func newWorld(t *testing.T, k kind, plan string) *world {
	t.Helper()
	data, err := Encode(New("uid-1").Bumped(), key)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, plan: plan, p: newPlatform(k.traits, k.wholeGrant), now: epoch, data: data, started: epoch.Add(-time.Hour)}
	w.facts = Facts{
		Declared: before, Traits: k.traits, HasAlternate: true, AccountID: "acc-1",
		Rules: Rules{OnAccountable: true, OnMember: true, OnUnit: true, Overlap: time.Hour},
	}
	w.p.members = map[string]string{"m-old": before.Accountable, "m-gone": "gone@edu.example", "m-stays": "stays@edu.example"}
	w.run(60)
	v := w.load()
	if v.Journal.Rotations != 1 || v.Current == nil {
		t.Fatalf("%s: no first credential: %+v", plan, v.Journal)
	}
	w.now = w.now.Add(time.Minute)
	w.started = w.now
	w.effects, w.stores, w.p.mutating = 0, 0, 0
	return w
}

// scenario is what happens to the account.
type scenario struct {
	name   string
	change func(*world)
}

func scenarios() []scenario {
	return []scenario{
		{"planned", func(w *world) { w.facts.Declared = after }},
		{"compromised", func(w *world) { w.facts.Compromised = w.now }},
		{"compromised, gap allowed, no consent for long", func(w *world) {
			w.facts.Compromised, w.facts.AllowGap, w.noAnswer = w.now, true, true
		}},
		{"member removed", func(w *world) { w.facts.Declared.Team = after.Team }},
		{"drill", func(w *world) { w.facts.RotateAfter = w.now }},
		{"deletion", func(w *world) { w.facts.Deleting, w.facts.DeletingSince, w.facts.Revoke = true, w.now, true }},
		{"deletion amid a handover", func(w *world) {
			w.facts.Declared = after
			for range 3 {
				if _, err := w.pass(); errors.Is(err, errCrash) {
					w.own = ""
				}
			}
			w.facts.Deleting, w.facts.DeletingSince, w.facts.Revoke = true, w.now, true
		}},
	}
}

// play runs a scenario with one fault at one effect and checks everything. It
// returns the number of effects.
func play(t *testing.T, k kind, s scenario, at int, f fault) *world {
	t.Helper()
	w := newWorld(t, k, fmt.Sprintf("%s, %s, %s at effect %d", k.name, s.name, f, at))
	w.at, w.fault = at, f
	s.change(w)
	w.run(200)
	if w.noAnswer {
		w.noAnswer = false
		w.run(200)
	}
	w.checkEnd()
	if !w.facts.Deleting && !w.settled() {
		v := w.load()
		w.violated("not settled once the faults stopped: phase %q, failed %q, health %q, ops %v, steps %v", v.Journal.Phase, v.Journal.Failed, v.Journal.Health, v.Journal.Ops, v.Journal.HumanSteps)
	}
	w.checkRest()
	return w
}

// Every effect of every scenario on every platform, with every fault: all of them
// with MITHAQ_FAULTS=all, else every second, the other half by seed.
func TestNoFaultBreaksAnInvariant(t *testing.T) {
	stride, least := 2, 2800
	if os.Getenv("MITHAQ_FAULTS") == "all" {
		stride, least = 1, 6500
	}
	offset, plans, n := rand.IntN(stride), 0, 0
	for _, k := range kinds() {
		for _, s := range scenarios() {
			effects := play(t, k, s, 0, none).effects
			for at := 1; at <= effects; at++ {
				for _, f := range allFaults {
					if n++; n%stride == offset {
						play(t, k, s, at, f)
						plans++
					}
				}
			}
		}
	}
	t.Logf("%d plans, every %d from %d", plans, stride, offset)
	if plans < least {
		t.Errorf("%d plans are fewer than %d", plans, least)
	}
}

// Without faults a rotation is cheap.
func TestARotationIsBounded(t *testing.T) {
	for _, k := range kinds() {
		w := newWorld(t, k, k.name)
		w.facts.Declared = after
		w.facts.Rules.Overlap = 10 * time.Minute
		delete(w.p.members, "m-gone") // one person leaves by API
		w.run(100)
		if !w.settled() {
			t.Errorf("%s: not settled: %+v", k.name, w.load().Journal)
		}
		if w.p.mutating > 4 {
			t.Errorf("I11: %s: %d mutating calls", k.name, w.p.mutating)
		}
		if w.stores > 20 {
			t.Errorf("%s: %d writes", k.name, w.stores)
		}
		t.Logf("%s: %d mutating calls, %d stores", k.name, w.p.mutating, w.stores)
	}
}
