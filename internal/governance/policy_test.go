package governance

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestSelects(t *testing.T) {
	labels := func(kv ...string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{kv[0]: kv[1]}}
	}
	notIn := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "region", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"riyadh"}}}}
	for _, tc := range []struct {
		name     string
		selector *v1alpha1.PolicySelector
		account  func(*account)
		want     bool
	}{
		{name: "no selector", want: true},
		{name: "empty selector", selector: &v1alpha1.PolicySelector{NamespaceSelector: &metav1.LabelSelector{}, AccountSelector: &metav1.LabelSelector{}}, want: true},
		{name: "platform", selector: &v1alpha1.PolicySelector{Platforms: []v1alpha1.PlatformName{"YouTube", "X"}}, want: true},
		{name: "other platform", selector: &v1alpha1.PolicySelector{Platforms: []v1alpha1.PlatformName{"YouTube"}}},
		{name: "class", selector: &v1alpha1.PolicySelector{Classes: []v1alpha1.AccountClass{"Official"}}, want: true},
		{name: "class by default", selector: &v1alpha1.PolicySelector{Classes: []v1alpha1.AccountClass{"Official"}}, account: func(a *account) { a.Spec.Class = "" }, want: true},
		{name: "other class", selector: &v1alpha1.PolicySelector{Classes: []v1alpha1.AccountClass{"Personal"}}},
		{name: "namespace", selector: &v1alpha1.PolicySelector{NamespaceSelector: labels("body", "moe")}, want: true},
		{name: "other namespace", selector: &v1alpha1.PolicySelector{NamespaceSelector: labels("region", "riyadh")}},
		{name: "account", selector: &v1alpha1.PolicySelector{AccountSelector: labels("region", "riyadh")}, want: true},
		{name: "other account", selector: &v1alpha1.PolicySelector{AccountSelector: notIn}},
		{name: "account without labels", selector: &v1alpha1.PolicySelector{AccountSelector: notIn}, account: func(a *account) { a.Labels = nil }, want: true},
		{name: "all parts must hold", selector: &v1alpha1.PolicySelector{AccountSelector: labels("region", "riyadh"), NamespaceSelector: labels("body", "moc")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			acc := newAccount()
			if tc.account != nil {
				tc.account(acc)
			}
			p := compile(t, "p", &spec{Selector: tc.selector})
			if got := p.Selects(acc, map[string]string{"body": "moe"}); got != tc.want {
				t.Errorf("selects %v, want %v", got, tc.want)
			}
		})
	}
}

// tiered is a policy with one tier, school.
func tiered(t *testing.T, name string, mode v1alpha1.PolicyMode, profile, activity, stale time.Duration) *Policy {
	t.Helper()
	of := func(d time.Duration) *metav1.Duration {
		if d == 0 {
			return nil
		}
		return &metav1.Duration{Duration: d}
	}
	o := &v1alpha1.ObservationIntervals{ProfileEvery: of(profile), ActivityEvery: of(activity), StaleAfter: of(stale)}
	return compile(t, name, &spec{Mode: mode, Tiers: []v1alpha1.Tier{{Name: "school", Observation: o}, {Name: "club"}}})
}

func TestIntervals(t *testing.T) {
	const h, audit, enforce, preview = time.Hour, v1alpha1.ModeAudit, v1alpha1.ModeEnforce, v1alpha1.ModePreview
	defaults := Cadence{ProfileEvery: 24 * h, ActivityEvery: 12 * h, StaleAfter: 72 * h}
	wide := tiered(t, "wide", enforce, 10*h, 8*h, 30*h)
	for _, tc := range []struct {
		name     string
		policies []*Policy
		tier     v1alpha1.TierName
		want     Cadence
	}{
		{name: "nobody says anything", want: defaults},
		{name: "one policy", policies: []*Policy{wide}, want: Cadence{10 * h, 8 * h, 30 * h}},
		{name: "tier without intervals", policies: []*Policy{wide}, tier: "club", want: defaults},
		{name: "tier that is not listed", policies: []*Policy{wide}, tier: "ministry", want: defaults},
		{name: "the shortest of each wins", policies: []*Policy{tiered(t, "a", enforce, 2*h, 9*h, 40*h), wide}, want: Cadence{2 * h, 8 * h, 30 * h}},
		{name: "a policy cannot widen the default of what it names", policies: []*Policy{tiered(t, "a", enforce, 48*h, 0, 0)}, want: Cadence{48 * h, 12 * h, 96 * h}},
		{name: "audit counts", policies: []*Policy{wide, tiered(t, "a", audit, 1*h, 0, 0)}, want: Cadence{1 * h, 8 * h, 30 * h}},
		{name: "preview does not", policies: []*Policy{wide, tiered(t, "a", preview, 1*h, 1*h, 1*h)}, want: Cadence{10 * h, 8 * h, 30 * h}},
		{name: "a promised bound shortens another policy's interval", policies: []*Policy{wide, tiered(t, "a", enforce, 0, 0, 3*h)}, want: Cadence{3 * h, 8 * h, 3 * h}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Intervals(tc.policies, or(tc.tier, "school"), defaults); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestTierPermitted(t *testing.T) {
	lists := func(name string, mode v1alpha1.PolicyMode) *Policy { return tiered(t, name, mode, 0, 0, 0) }
	silent := compile(t, "a-silent", &spec{})
	for _, tc := range []struct {
		name     string
		policies []*Policy
		tier     v1alpha1.TierName
		by       string
	}{
		{name: "no policy", tier: "school"},
		{name: "listed", policies: []*Policy{lists("m", v1alpha1.ModeEnforce), silent}, tier: "school"},
		{name: "a policy without tiers says nothing", policies: []*Policy{silent}, tier: "ministry"},
		{name: "refused by the first by name", policies: []*Policy{lists("z", v1alpha1.ModeEnforce), lists("m", v1alpha1.ModeEnforce), silent}, tier: "ministry", by: "m"},
		{name: "audit refuses too", policies: []*Policy{lists("m", v1alpha1.ModeAudit)}, tier: "ministry", by: "m"},
		{name: "preview refuses nothing", policies: []*Policy{lists("m", v1alpha1.ModePreview)}, tier: "ministry"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if ok, by := TierPermitted(tc.policies, tc.tier); by != tc.by || ok != (tc.by == "") {
				t.Errorf("permitted %v, refused by %q, want %q", ok, by, tc.by)
			}
		})
	}
}

func TestTier(t *testing.T) {
	p := tiered(t, "p", v1alpha1.ModeEnforce, 0, 0, 0)
	if tier, listed, has := p.Tier("club"); tier == nil || tier.Name != "club" || !listed || !has {
		t.Errorf("club: %v %v %v", tier, listed, has)
	}
	if tier, listed, has := p.Tier("ministry"); tier != nil || listed || !has {
		t.Errorf("ministry: %v %v %v", tier, listed, has)
	}
	if tier, listed, has := compile(t, "q", &spec{}).Tier("club"); tier != nil || listed || has {
		t.Errorf("policy without tiers: %v %v %v", tier, listed, has)
	}
}
