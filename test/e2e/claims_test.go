package e2e

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

func duplicate(v *verdict) { seenAs("False/DuplicateClaim")(v); identityUnknown(v) }

// older waits until an object made now is younger than acc by its timestamp.
func older(t *testing.T, acc *v1alpha1.SocialAccount) {
	t.Helper()
	born := read(t, acc).CreationTimestamp.Time
	until(t, func(context.Context) (string, error) {
		if time.Since(born) < 1100*time.Millisecond {
			return "the clock stands still", nil
		}
		return "", nil
	})
}

func TestTheOlderClaimOwnsAndTheYoungerTakesOver(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	first := s.healthy(t, "fine")[0]
	older(t, first)
	twin := s.account("twin", func(a *v1alpha1.SocialAccount) {
		a.Spec.Handle = first.Spec.Handle
		a.Spec.Profile.DisplayName = first.Spec.Profile.DisplayName
	})
	create(t, twin) // not of s.accounts: nobody looks at it
	want := map[string]verdict{"fine": good(), "twin": good(duplicate)}
	s.expect(t, want)
	condition(t, twin, ofAccount, "Observed", "False/DuplicateClaim", s.name+"/fine")
	s.sweeps(t, 2)
	s.expect(t, want)
	expectEvents(t, first)
	expectEvents(t, twin, "DuplicateClaim×1")
	if p := read(t, twin).Status; p.Profile != nil || p.AccountID != "" {
		t.Errorf("the younger was looked at: %s", show(p))
	}

	// Another name for the same account is the same claim, once it is known by id.
	byID := s.account("byid", func(a *v1alpha1.SocialAccount) { a.Spec.AccountID = read(t, first).Status.AccountID })
	create(t, byID)
	s.expect(t, map[string]verdict{"fine": good(), "byid": good(duplicate)})
	remove(t, byID)

	remove(t, first)
	s.expect(t, map[string]verdict{"twin": good()})
	expectEvents(t, twin, "DuplicateClaim×1", "AccountRestored×1")
}

func TestSelectionFollowsLabelsAndPolicies(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(s *scene) {
		s.policy.Spec.Selector.AccountSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"governed": "yes"}}
	})
	fine := s.healthy(t, "fine")[0]
	none := good(func(v *verdict) {
		v.governed, v.ready, v.compliant = "False/NoPolicyMatched", "False/NoPolicyMatched", "Unknown/EvidenceMissing"
	})
	s.expect(t, map[string]verdict{"fine": none})
	edit(t, fine, func(a *v1alpha1.SocialAccount) { a.Labels = map[string]string{"governed": "yes"} })
	s.expect(t, map[string]verdict{"fine": good()})
	edit(t, fine, func(a *v1alpha1.SocialAccount) { a.Labels = nil })
	s.expect(t, map[string]verdict{"fine": none})
	edit(t, fine, func(a *v1alpha1.SocialAccount) { a.Labels = map[string]string{"governed": "yes"} })
	s.expect(t, map[string]verdict{"fine": good()})

	edit(t, s.namespace, func(n *corev1.Namespace) { n.Labels["scene"] = "elsewhere" })
	s.expect(t, map[string]verdict{"fine": none})
	edit(t, s.namespace, func(n *corev1.Namespace) { n.Labels["scene"] = s.name })
	s.expect(t, map[string]verdict{"fine": good()})
	until(t, func(context.Context) (string, error) {
		if a := read(t, s.policy).Status.Accounts; a == nil || *a.Selected != 1 || *a.Compliant != 1 {
			return "the policy counts " + show(a), nil
		}
		return "", nil
	})

	// A second policy can only tighten; a Preview touches nobody; an Audit counts
	// against nobody.
	narrow := &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: s.name + "-narrow"}}
	narrow.Spec = v1alpha1.GovernancePolicySpec{
		Version: "2", Mode: v1alpha1.ModePreview, Selector: s.policy.Spec.Selector.DeepCopy(),
		Identity: &v1alpha1.IdentityRules{BioMustContain: []string{"نص لا يوجد"}},
	}
	create(t, narrow)
	condition(t, narrow, ofPolicy, "Accepted", "True/Accepted")
	s.sweeps(t, 1)
	s.expect(t, map[string]verdict{"fine": good()})
	edit(t, narrow, func(p *v1alpha1.GovernancePolicy) { p.Spec.Mode = v1alpha1.ModeAudit })
	s.expect(t, map[string]verdict{"fine": good(func(v *verdict) { v.violated = "identity/bio-must-contain" })})
	edit(t, narrow, func(p *v1alpha1.GovernancePolicy) { p.Spec.Mode = v1alpha1.ModeEnforce })
	s.expect(t, map[string]verdict{"fine": good(violating("identity/bio-must-contain"))})
	remove(t, narrow)
	s.expect(t, map[string]verdict{"fine": good()})

	remove(t, s.policy)
	s.expect(t, map[string]verdict{"fine": none})
	s.policy.ResourceVersion, s.policy.UID = "", ""
	create(t, s.policy)
	s.expect(t, map[string]verdict{"fine": good()})
}

func TestAPauseEndsByItself(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	accounts := s.healthy(t, "fine", "other")
	s.expect(t, all(good(), accounts))
	pause := func(d time.Duration) func(*v1alpha1.SocialAccount) {
		return func(a *v1alpha1.SocialAccount) {
			a.Spec.Suspend = &v1alpha1.Suspension{Until: metav1.NewTime(time.Now().Add(d)), Reason: "migration"}
		}
	}
	edit(t, accounts[0], pause(time.Hour))
	s.expect(t, map[string]verdict{"fine": good(seenAs("Unknown/Paused")), "other": good()})
	condition(t, accounts[0], ofAccount, "Observed", "Unknown/Paused", "migration")
	s.change(t, "fine", func(a *world.Account) { a.State = world.Suspended })
	s.sweeps(t, 2)
	s.expect(t, map[string]verdict{"fine": good(seenAs("Unknown/Paused")), "other": good()})
	s.change(t, "fine", func(a *world.Account) { a.State = world.Active })

	edit(t, accounts[0], func(a *v1alpha1.SocialAccount) { a.Spec.Suspend = nil })
	s.expect(t, all(good(), accounts))
	edit(t, accounts[0], pause(4*time.Second))
	s.expect(t, map[string]verdict{"fine": good(seenAs("Unknown/Paused"))})
	s.expect(t, all(good(), accounts))
	expectEvents(t, accounts[0])
}

func TestARequestedCheckIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(s *scene) {
		s.policy.Spec.Tiers[0].Observation = &v1alpha1.ObservationIntervals{
			ProfileEvery: &metav1.Duration{Duration: 24 * time.Hour}, StaleAfter: &metav1.Duration{Duration: 72 * time.Hour},
		}
	})
	fine := s.healthy(t, "fine")[0]
	s.expect(t, map[string]verdict{"fine": good()})
	s.change(t, "fine", func(a *world.Account) { a.Verified = false })
	asked := s.world.Ledger().Asked(world.X, "")
	edit(t, fine, func(a *v1alpha1.SocialAccount) {
		a.Annotations = map[string]string{"mithaq.dev/check-requested": "2026-11-23T12:00:00Z"}
	})
	s.expect(t, map[string]verdict{"fine": good(violating("identity/verified"))})
	if n := s.world.Ledger().Asked(world.X, "") - asked; n != 1 {
		t.Errorf("a requested check cost %d requests", n)
	}

	// A new spec is looked at at once too.
	s.change(t, "fine", func(a *world.Account) { a.Verified = true })
	edit(t, fine, func(a *v1alpha1.SocialAccount) { a.Spec.Purpose = "أخبار" })
	s.expect(t, map[string]verdict{"fine": good()})
}
