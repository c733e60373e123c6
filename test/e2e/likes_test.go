package e2e

import (
	"context"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Likes are shown to the account's own token alone: before there is one the rule about
// them is Unknown and says why, and with one a like that is forbidden is found.
func TestLikesAreReadWithTheAccountsOwnToken(t *testing.T) {
	t.Parallel()
	s := newCustodyScene(t)
	const rule = "activity/no-likes"
	edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) {
		for i := range p.Spec.Tiers {
			p.Spec.Tiers[i].Observation.ActivityEvery = &metav1.Duration{Duration: every}
		}
		p.Spec.Activity = []v1alpha1.ActivityRule{{
			Name: "no-likes", Actions: []v1alpha1.ActivityAction{v1alpha1.ActionLike}, Effect: v1alpha1.EffectDeny,
			Provision: v1alpha1.Provision{Severity: v1alpha1.SeverityLow},
		}}
	})
	fan, plain := s.held(t, "fan"), s.healthy(t, "plain")[0]
	found := func(acc *v1alpha1.SocialAccount, verdict v1alpha1.Verdict, message, id string) {
		t.Helper()
		until(t, func(context.Context) (string, error) {
			for _, f := range read(t, acc).Status.Findings {
				if f.Rule == rule && f.Verdict == verdict && (message == "" || f.Message == message) && (id == "" || f.Reference != nil && f.Reference.ID == id) {
					return "", nil
				}
			}
			return "findings: " + show(acc.Status.Findings), nil
		})
	}
	for _, acc := range []*v1alpha1.SocialAccount{fan, plain} {
		found(acc, v1alpha1.VerdictUnknown, "cannot be judged: no token of the account is held", "")
	}
	s.consent(t, fan)
	until(t, func(context.Context) (string, error) {
		for _, f := range read(t, fan).Status.Findings {
			if f.Rule == rule {
				return "still " + show(f), nil
			}
		}
		return "", nil
	})

	other := s.publish(t, "plain", "صباح الخير")
	live, _ := s.world.AccountByHandle(world.X, fan.Spec.Handle)
	if err := s.world.PutPost(world.Post{
		Platform: world.X, Account: live.ID, ID: fmt.Sprint(2_000_000_000_000 + ids.Add(1)), Action: world.Like, Target: other,
	}); err != nil {
		t.Fatal(err)
	}
	found(fan, v1alpha1.VerdictViolated, "", other)
	found(plain, v1alpha1.VerdictUnknown, "cannot be judged: no token of the account is held", "")
}
