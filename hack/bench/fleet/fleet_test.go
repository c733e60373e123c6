package fleet

import (
	"testing"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
)

func newFleet(t *testing.T, n int) *Fleet {
	t.Helper()
	f, err := New(n, 2500)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFleetIsSpreadAsTheMinistryIs(t *testing.T) {
	for _, n := range []int{500, 10_000, Whole} {
		f := newFleet(t, n)
		platforms, namespaces, tiers := map[v1alpha1.PlatformName]int{}, map[string]int{}, map[string]int{}
		names, ids := map[string]bool{}, map[string]bool{}
		for i := range n {
			a := f.At(i)
			platforms[a.Platform]++
			namespaces[a.Namespace]++
			tiers[a.tier]++
			names[a.Name], ids[string(a.Platform)+a.ID] = true, true
		}
		if len(names) != n || len(ids) != n {
			t.Errorf("%d accounts have %d names and %d ids", n, len(names), len(ids))
		}
		for _, p := range Platforms() {
			if platforms[p] != f.OfPlatform(p) || platforms[p] < n/5 {
				t.Errorf("%d of %s, and OfPlatform says %d", platforms[p], p, f.OfPlatform(p))
			}
		}
		if n >= 10_000 && len(namespaces) != Namespaces {
			t.Errorf("%d namespaces of %d", len(namespaces), Namespaces)
		}
		if tiers[tierSchool] < n*9/10 {
			t.Errorf("%v", tiers)
		}
		if n == Whole && (tiers[tierMinistry] != 100 || tiers[tierDirectorate] != 2500) {
			t.Errorf("the whole has %v", tiers)
		}
	}
	if _, err := New(4, 2500); err == nil {
		t.Error("a fleet with fewer accounts than platforms is taken")
	}
}

func TestTheLoadOfConnectionsIsThatOfTheirAccounts(t *testing.T) {
	f := newFleet(t, Whole)
	counted := map[string]int{}
	for i := range f.N {
		counted[f.At(i).Connection]++
	}
	total := 0
	for _, p := range Platforms() {
		for n, load := range f.Loads(p) {
			total++
			if got := counted[connectionName(p, n)]; got != load {
				t.Errorf("%s serves %d accounts, Loads says %d", connectionName(p, n), got, load)
			}
		}
	}
	if total != len(counted) || len(f.Loads(v1alpha1.PlatformX)) != 1 || len(f.Loads(v1alpha1.PlatformFacebook)) != 11 {
		t.Errorf("%d connections of %d, %d to Facebook", total, len(counted), len(f.Loads(v1alpha1.PlatformFacebook)))
	}
}

func compile(t *testing.T, policy *v1alpha1.GovernancePolicy) *governance.Policy {
	t.Helper()
	compiled, problems := governance.Compile(policy.Name, &policy.Spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return compiled
}

func judge(compiled *governance.Policy, a Account, displayName string) governance.Result {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	acc := a.Declared(now)
	shown := a.Live()
	verified := shown.Verified
	return governance.Evaluate(governance.Input{
		Account: acc, Policies: []*governance.Policy{compiled}, Now: now,
		AccountsOf: func(string) int { return 5 }, EditionSince: func(string) time.Time { return now.AddDate(0, 0, -60) },
		Live: &governance.Live{Readable: 1<<12 - 1, Profile: &v1alpha1.LiveProfile{
			Handle: shown.Handle, DisplayName: displayName, Bio: shown.Bio, Website: shown.Website, AvatarURL: "https://cdn.example/a.png",
			AvatarPerceptualHash: Emblem, Verified: &verified, State: v1alpha1.StateActive,
		}},
	})
}

func TestThirtyRulesJudgeEverybodyAndTheRightOnesBreakThem(t *testing.T) {
	f := newFleet(t, 3000)
	edited := Policy(time.Minute)
	Flip(edited)
	policy, flip := compile(t, Policy(time.Minute)), compile(t, edited)
	drifts, flips := 0, 0
	for i := range 500 {
		a := f.At(i)
		name := a.Live().DisplayName
		before := judge(policy, a, name)
		if len(before.Rules) != Rules || before.Unknown > 0 || (before.Violated > 0) != a.Violating() {
			t.Fatalf("%s: %d rules, %d unknown, %d violated: %+v", a.Name, len(before.Rules), before.Unknown, before.Violated, before.Findings)
		}
		if after := judge(flip, a, name); (after.Violated > before.Violated) != a.Flips() {
			t.Errorf("%s flips: %t, and breaks %d rules after %d", a.Name, a.Flips(), after.Violated, before.Violated)
		}
		if a.Drifts() {
			drifts++
			if after := judge(policy, a, RenamedTo); after.Violated <= before.Violated {
				t.Errorf("%s: a changed name breaks no rule", a.Name)
			}
		}
		if a.Flips() {
			flips++
		}
		if a.Flips() && (a.Drifts() || a.Violating()) {
			t.Errorf("%s is of two kinds", a.Name)
		}
	}
	if drifts != 5 || flips != 5 {
		t.Errorf("%d drift and %d flip of 500", drifts, flips)
	}
}
