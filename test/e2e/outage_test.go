package e2e

import (
	"strings"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// troubled declares accounts in every state that an outage must not touch.
func (s *scene) troubled(t *testing.T) ([]*v1alpha1.SocialAccount, map[string]verdict) {
	t.Helper()
	accounts := s.healthy(t, "fine", "suspend", "deface", "badge", "recycle")
	s.change(t, "suspend", func(a *world.Account) { a.State = world.Suspended })
	s.change(t, "deface", func(a *world.Account) { a.DisplayName, a.Bio = "Free coins", "DM me" })
	s.change(t, "badge", func(a *world.Account) { a.Verified = false })
	missing := s.account("missing")
	byID := s.account("nobody", func(a *v1alpha1.SocialAccount) { a.Spec.AccountID = s.unused(7) })
	s.declare(t, missing, byID)
	want := map[string]verdict{
		"fine":    good(),
		"suspend": good(seenAs("False/Suspended"), identityUnknown),
		"deface":  good(violating("identity/approved-profile", "identity/bio-must-contain"), drifting("bio displayName")),
		"badge":   good(violating("identity/verified")),
		"recycle": good(),
		"missing": good(seenAs("False/NotFound"), identityUnknown),
		"nobody":  good(seenAs("False/NotFound"), identityUnknown),
	}
	s.expect(t, want)
	if _, err := s.world.Recycle(world.X, s.handle("recycle"), s.unused(6)); err != nil {
		t.Fatal(err)
	}
	want["recycle"] = good(seenAs("False/HandleReassigned"), identityUnknown)
	s.expect(t, want)
	return append(accounts, missing, byID), want
}

func TestAnOutageTurnsObservedUnknownAndNothingElse(t *testing.T) {
	t.Parallel()
	t.Run("no answer", func(t *testing.T) {
		outage(t, world.Fault{Kind: world.FaultStatus, Status: 503}, world.Fault{Kind: world.FaultRefuse}, world.Fault{Kind: world.FaultCutOff}, world.Fault{Kind: world.FaultTruncated})
	})
	t.Run("no such answer", func(t *testing.T) {
		outage(t, world.Fault{Kind: world.FaultHTML}, world.Fault{Kind: world.FaultGarbage}, world.Fault{Kind: world.FaultEmpty}, world.Fault{Kind: world.FaultStatus, Status: 500})
	})
}

func outage(t *testing.T, faults ...world.Fault) {
	t.Parallel()
	s := newScene(t)
	accounts, want := s.troubled(t)
	condition(t, s.connection, ofConnection, "Available", "True/Reachable")
	condition(t, s.connection, ofConnection, "FreshnessFeasible", "True/WithinBudget")
	before, told := map[string]string{}, map[string]string{}
	for _, acc := range accounts {
		before[acc.Name] = remainder(t, acc)
		var err error
		if told[acc.Name], err = events(t.Context(), acc); err != nil {
			t.Fatal(err)
		}
	}
	expectEvents(t, s.connection)

	out := map[string]verdict{}
	for name, v := range want {
		seenAs("Unknown/PlatformUnavailable")(&v)
		if name == "missing" || name == "nobody" || name == "suspend" || name == "recycle" {
			v.compliant = "Unknown/EvidenceMissing"
		}
		out[name] = v
	}
	for i, fault := range faults {
		s.faults(t, fault)
		s.expect(t, out)
		s.asks(t, 2)
		for _, acc := range accounts {
			if during := remainder(t, acc); during != before[acc.Name] {
				t.Errorf("%s: %s changed\nbefore %s\nduring %s", fault.Kind, acc.Name, before[acc.Name], during)
			}
		}
		condition(t, s.connection, ofConnection, "Available", "False/Unavailable", "X does not answer")
		condition(t, s.connection, ofConnection, "Ready", "False/Unavailable")

		s.faults(t)
		s.expect(t, want)
		s.sweeps(t, 1)
		s.expect(t, want)
		for _, acc := range accounts {
			if after := remainder(t, acc); after != before[acc.Name] {
				t.Errorf("after %s: %s changed\nbefore %s\nafter %s", fault.Kind, acc.Name, before[acc.Name], after)
			}
			expectEvents(t, acc, strings.Fields(told[acc.Name])...)
		}
		condition(t, s.connection, ofConnection, "Available", "True/Reachable")
		if i == 0 {
			expectEvents(t, s.connection, "PlatformUnavailable×1", "PlatformRecovered×1")
		}
	}
}

func TestAThrottledPlatformIsNoOutage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	accounts := s.healthy(t, "fine", "other")
	s.expect(t, all(good(), accounts))
	written := read(t, accounts[0]).ResourceVersion
	s.faults(t, world.Fault{Kind: world.FaultThrottle, DelaySeconds: 2, Requests: 2})
	s.sweeps(t, 4)
	if got := read(t, accounts[0]); got.ResourceVersion != written {
		t.Errorf("a pause that breaks no promise was written: %s", show(got.Status.Conditions))
	}
	expectEvents(t, s.connection)

	// Two hours of it break the promise of a minute.
	s.faults(t, world.Fault{Kind: world.FaultThrottle, DelaySeconds: 7200, Requests: 1})
	s.expect(t, all(good(seenAs("Unknown/Throttled")), accounts))
	condition(t, s.connection, ofConnection, "Available", "False/Throttled", "X refuses further requests")
}

func TestAPlatformThatWantsMoneyIsNoOutage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	accounts := s.healthy(t, "fine", "other")
	s.expect(t, all(good(), accounts))
	before := remainder(t, accounts[0])
	if err := s.world.SetCredits(world.X, "key", "0"); err != nil {
		t.Fatal(err)
	}
	s.expect(t, all(good(seenAs("Unknown/BudgetExhausted")), accounts))
	condition(t, s.connection, ofConnection, "Available", "False/BudgetExhausted")
	expectEvents(t, s.connection, "BudgetExhausted×1")
	if during := remainder(t, accounts[0]); during != before {
		t.Errorf("before %s\nduring %s", before, during)
	}
}
