package e2e

import (
	"context"
	"fmt"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// TestFaultsOfTheAPIServerLeaveNoTrace fails every n-th request of the operator,
// some of them after the server did what was asked. Once that ends, the state is
// as it would have been, and nobody writes any more.
func TestFaultsOfTheAPIServerLeaveNoTrace(t *testing.T) {
	s := newScene(t)
	lasting := s.healthy(t, "a", "b", "c", "d", "e", "f")
	s.expect(t, all(good(), lasting))
	for n := 2; n <= 7; n++ {
		t.Run(fmt.Sprint("every ", n, "th request fails"), func(t *testing.T) {
			shared.operator.log.expectFaults(true)
			defer shared.operator.log.expectFaults(false)
			struck := shared.proxy.faults()
			shared.proxy.spoil(n)
			defer shared.proxy.spoil(0)

			name := fmt.Sprint("new", n)
			late := s.healthy(t, name)[0]
			s.change(t, "a", func(a *world.Account) { a.State = world.Suspended })
			s.change(t, "b", func(a *world.Account) { a.DisplayName = "Free coins" })
			s.change(t, "c", func(a *world.Account) { a.Verified = false })
			edit(t, lasting[3], func(a *v1alpha1.SocialAccount) { a.Spec.Team = nil })
			edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) { p.Spec.Version = v1alpha1.EditionVersion(fmt.Sprint(n, ".0")) })
			want := map[string]verdict{
				"a": good(seenAs("False/Suspended"), identityUnknown),
				"b": good(violating("identity/approved-profile"), drifting("displayName")),
				"c": good(violating("identity/verified")),
				"d": good(violating("ownership/min-people")),
				"e": good(), "f": good(), name: good(),
			}
			s.expect(t, want)
			remove(t, late)
			s.accounts--
			delete(want, name)
			if shared.proxy.faults() == struck {
				t.Error("no request was spoilt")
			}

			shared.proxy.spoil(0)
			s.change(t, "a", func(a *world.Account) { a.State = world.Active })
			s.change(t, "b", func(a *world.Account) { a.DisplayName = "تعليم " + s.handle("b") })
			s.change(t, "c", func(a *world.Account) { a.Verified = true })
			edit(t, lasting[3], func(a *v1alpha1.SocialAccount) { a.Spec.Team = s.account("d").Spec.Team })
			s.expect(t, all(good(), lasting))
			until(t, func(context.Context) (string, error) {
				p := read(t, s.policy)
				if in := p.Status.InForce; in == nil || in.Version != p.Spec.Version || *p.Status.Accounts.Selected != 6 || *p.Status.Accounts.Compliant != 6 {
					return show(p.Status), nil
				}
				return "", nil
			})
			s.calm(t, func() { s.sweeps(t, 0) })
			before, told := mustWrites(t), shared.proxy.writes()
			s.sweeps(t, 3)
			silent(t, before, told)
			s.expect(t, all(good(), lasting))
			for _, acc := range lasting {
				for i, one := range read(t, acc).Status.Transitions {
					if first := acc.Status.Transitions[0].Sequence; one.Sequence != first+int64(i) {
						t.Errorf("%s: the transitions skip a number: %s", acc.Name, show(acc.Status.Transitions))
					}
				}
			}
		})
	}
}
