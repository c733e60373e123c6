package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// schoolBio holds what the first edition asks for, not what the next one does.
const schoolBio = "الحساب الرسمي للمدرسة"

// staffed makes a fleet of an office's and a few schools' accounts, all in order
// under the scene's policy, and waits until nothing is left to write.
func (s *scene) staffed(t *testing.T, offices, schools int) map[string]verdict {
	t.Helper()
	want := map[string]verdict{}
	for i := range offices + schools {
		name := fmt.Sprint("n", i)
		a, text := s.live(name), bio
		if i >= offices {
			text = schoolBio
		}
		a.Bio = text
		s.put(t, a)
		s.declare(t, s.account(name, func(acc *v1alpha1.SocialAccount) { acc.Spec.Profile.Bio = text }))
		want[name] = good()
	}
	s.expect(t, want)
	s.counted(t, want)
	s.quiet(t)
	return want
}

// versions are the resource versions of the scene's accounts, by name.
func (s *scene) versions(t *testing.T, want map[string]verdict) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name := range want {
		out[name] = read(t, s.account(name)).ResourceVersion
	}
	return out
}

// changed names the accounts that were written in between.
func changed(before, after map[string]string) string {
	var names []string
	for name, version := range after {
		if before[name] != version {
			names = append(names, name)
		}
	}
	return sorted(names)
}

// A next edition judges everybody anew, writes each account whose verdict it changes
// once, and no other. One that does not compile is refused with rule and position,
// and the good one stays in force. It counts the API server's writes: nothing may run
// beside it.
func TestAnEditionJudgesTheFleetAnewAndWritesOnlyWhatFlips(t *testing.T) {
	const offices, schools = 57, 3
	s := newScene(t)
	want := s.staffed(t, offices, schools)
	versions, before, told := s.versions(t, want), mustWrites(t), shared.proxy.writes()

	edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) {
		p.Spec.Version = "2.0"
		p.Spec.Identity.BioMustContain = []string{"الحساب الرسمي", "إدارة"}
		p.Spec.Rules = []v1alpha1.CustomRule{{Name: "short-handle", Expression: "account.handle.size() < 40"}}
	})
	var flips []string
	for i := offices; i < offices+schools; i++ {
		name := fmt.Sprint("n", i)
		want[name] = good(violating("identity/bio-must-contain"))
		flips = append(flips, name)
	}
	s.expect(t, want)
	s.counted(t, want)
	s.quiet(t)
	if got := changed(versions, s.versions(t, want)); got != sorted(flips) {
		t.Errorf("written: %s, want %s", got, sorted(flips))
	}
	if n := since(before, mustWrites(t))["APPLY socialaccounts/status"]; n != schools {
		t.Errorf("%d flips cost %d writes\n%s", schools, n, strings.Join(shared.proxy.since(told), "\n"))
	}
	inForce := show(read(t, s.policy).Status.InForce)
	versions = s.versions(t, want)

	for _, c := range []struct {
		what  string
		spoil func(*v1alpha1.GovernancePolicySpec)
		words []string
	}{
		{"CEL with a syntax error", func(p *v1alpha1.GovernancePolicySpec) {
			p.Rules = []v1alpha1.CustomRule{{Name: "short-handle", Expression: "account.handle.size() <"}}
		}, []string{"rules/short-handle", "spec.rules[0].expression, position 23"}},
		{"CEL of another type", func(p *v1alpha1.GovernancePolicySpec) {
			p.Rules = []v1alpha1.CustomRule{{Name: "short-handle", Expression: "account.handle.size()"}}
		}, []string{"rules/short-handle", "spec.rules[0].expression, position 0: the expression yields int"}},
		{"an RE2 with an open group", func(p *v1alpha1.GovernancePolicySpec) {
			p.Identity.HandlePattern = "^edu("
		}, []string{"identity/handle-pattern", "spec.identity.handlePattern, position 4"}},
	} {
		good := read(t, s.policy).Spec.DeepCopy()
		edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) { c.spoil(&p.Spec) })
		condition(t, s.policy, ofPolicy, "Accepted", "False/InvalidExpression", c.words...)
		s.sweeps(t, 2)
		if got := show(read(t, s.policy).Status.InForce); got != inForce {
			t.Errorf("%s: in force is %s, want %s", c.what, got, inForce)
		}
		s.expect(t, want)
		if got := changed(versions, s.versions(t, want)); got != "" {
			t.Errorf("%s wrote %s", c.what, got)
		}
		edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) { p.Spec = *good })
		condition(t, s.policy, ofPolicy, "Accepted", "True/Accepted")
		inForce = show(read(t, s.policy).Status.InForce)
	}
}

// A preview tells what an edition would change, and neither asks the platform nor
// writes an account. It counts: nothing may run beside it.
func TestAPreviewTellsAndTouchesNothing(t *testing.T) {
	const offices, schools = 27, 23
	s := newScene(t)
	want := s.staffed(t, offices, schools)
	// Nobody is due for a look while the preview is computed.
	edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) {
		for i := range p.Spec.Tiers {
			o := p.Spec.Tiers[i].Observation
			o.ProfileEvery.Duration, o.StaleAfter.Duration = 12*time.Hour, 24*time.Hour
		}
	})
	condition(t, s.policy, ofPolicy, "Accepted", "True/Accepted")
	s.expect(t, want)
	versions, before, asked := s.versions(t, want), mustWrites(t), s.world.Ledger().Asked(world.X, "")

	next := &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: s.name + "-next"}, Spec: policySpec(s.name)}
	next.Spec.Version, next.Spec.Mode = "2.0", v1alpha1.ModePreview
	next.Spec.Identity.BioMustContain = []string{"إدارة"}
	create(t, next)
	t.Cleanup(func() { _ = shared.admin.Delete(context.Background(), next) })
	until(t, func(context.Context) (string, error) {
		p := read(t, next).Status.Preview
		if p == nil || ptr.Deref(p.NewlyViolating, -1) != schools {
			return "the preview is " + show(p), nil
		}
		return "", nil
	})
	p := next.Status.Preview
	if *p.Accounts != offices+schools || *p.NewlyClean != 0 || len(p.Examples) != 20 || !slices.IsSorted(p.Examples) {
		t.Errorf("the preview is %s", show(p))
	}
	if len(p.Rules) != 1 || p.Rules[0].Rule != "identity/bio-must-contain" || *p.Rules[0].NewlyViolating != schools {
		t.Errorf("by rule: %s", show(&p.Rules))
	}
	if len(p.Tiers) != 1 || p.Tiers[0].Tier != "school" || *p.Tiers[0].NewlyViolating != schools {
		t.Errorf("by tier: %s", show(&p.Tiers))
	}
	if got := changed(versions, s.versions(t, want)); got != "" {
		t.Errorf("the preview wrote %s", got)
	}
	if n := since(before, mustWrites(t))["APPLY socialaccounts/status"]; n != 0 {
		t.Errorf("the preview cost %d writes of accounts", n)
	}
	if n := s.world.Ledger().Asked(world.X, "") - asked; n != 0 {
		t.Errorf("the preview asked the platform %d times", n)
	}
	s.expect(t, want)
}
