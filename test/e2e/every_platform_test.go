package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// platforms are all that the operator speaks to.
var platforms = []world.Platform{world.X, world.YouTube, world.Snapchat, world.Facebook, world.Instagram}

// claims are what Observed must never say because of an outage.
var claims = []string{
	v1alpha1.ReasonNotFound, v1alpha1.ReasonSuspended, v1alpha1.ReasonDeactivated, v1alpha1.ReasonHandleReassigned,
}

// An outage of any platform turns what is known there unknown, claims nothing, and is
// over when the platform is back. A silent platform costs the minute that requests may
// take, and a host that is not found or not trusted has no place on loopback: those
// run on a clock that is stepped.
func TestAnOutageOfAnyPlatformClaimsNothing(t *testing.T) {
	t.Parallel()
	for _, on := range platforms {
		for name, faults := range map[string][]world.Fault{
			"no answer":      {{Kind: world.FaultRefuse}, {Kind: world.FaultStatus, Status: 503}, {Kind: world.FaultCutOff}},
			"half an answer": {{Kind: world.FaultTruncated}, {Kind: world.FaultEmpty}, {Kind: world.FaultHTML}},
			"too much":       {{Kind: world.FaultHugeBody}, {Kind: world.FaultGzipBomb}},
		} {
			t.Run(fmt.Sprintf("%s/%s", on, name), func(t *testing.T) {
				t.Parallel()
				s := newSceneOn(t, on)
				s.healthy(t, "fine")
				known := s.live("known")
				s.put(t, known)
				s.declare(t, s.account("known", func(a *v1alpha1.SocialAccount) { a.Spec.AccountID = known.ID }))
				s.observed(t, "True/Fresh")
				for _, fault := range faults {
					s.goesAndComesBack(t, fault)
				}
			})
		}
	}
}

// A pause that the platform asks for breaks the promise of freshness at last, and claims
// nothing either.
func TestAThrottleOfAnyPlatformClaimsNothing(t *testing.T) {
	t.Parallel()
	for _, on := range platforms {
		for _, kind := range []world.FaultKind{world.FaultThrottle, world.FaultThrottleNoReset} {
			t.Run(fmt.Sprintf("%s/%s", on, kind), func(t *testing.T) {
				t.Parallel()
				s := newSceneOn(t, on, func(s *scene) {
					for i := range s.policy.Spec.Tiers {
						s.policy.Spec.Tiers[i].Observation.StaleAfter.Duration = 5 * time.Second
					}
				})
				s.healthy(t, "fine", "other")
				s.observed(t, "True/Fresh")
				s.faults(t, world.Fault{Kind: kind})
				s.observed(t, "Unknown")
			})
		}
	}
}

// goesAndComesBack watches every status that is written from the fault to the end.
func (s *scene) goesAndComesBack(t *testing.T, fault world.Fault) {
	t.Helper()
	began := time.Now()
	s.faults(t, fault)
	s.observed(t, "Unknown/PlatformUnavailable")
	down := time.Since(began)
	s.asks(t, 2)
	began = time.Now()
	s.faults(t)
	s.observed(t, "True/Fresh")
	t.Logf("%s: unknown after %s, known again after %s", fault.Kind, down.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// observed waits until every account of the scene is observed as wanted, status/reason or
// the status alone, and fails if one is said to be gone on the way.
func (s *scene) observed(t *testing.T, want string) {
	t.Helper()
	until(t, func(ctx context.Context) (string, error) {
		var list v1alpha1.SocialAccountList
		if err := shared.admin.List(ctx, &list, client.InNamespace(s.name)); err != nil {
			return "", err
		}
		amiss := ""
		for i := range list.Items {
			acc := &list.Items[i]
			for _, tr := range acc.Status.Transitions {
				if tr.Condition == v1alpha1.ConditionObserved && slices.Contains(claims, tr.Reason) {
					return "", fmt.Errorf("%s on %s was said to be %s", acc.Name, s.on, tr.Reason)
				}
			}
			c := meta.FindStatusCondition(acc.Status.Conditions, v1alpha1.ConditionObserved)
			if c == nil {
				amiss += acc.Name + " has no Observed; "
				continue
			}
			if got := string(c.Status) + "/" + c.Reason; got != want && string(c.Status) != want {
				amiss += fmt.Sprintf("%s is %s (%s), want %s; ", acc.Name, got, c.Message, want)
			}
		}
		return amiss, nil
	})
}
