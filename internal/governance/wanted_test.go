package governance

import (
	"slices"
	"strings"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestActionsAreThoseThatSomeRuleIsAbout(t *testing.T) {
	follow := v1alpha1.ActivityRule{Name: "follow", Actions: []v1alpha1.ActivityAction{v1alpha1.ActionFollow}, Effect: v1alpha1.EffectDeny}
	allow := follow
	allow.Effect = v1alpha1.EffectAllow
	for _, c := range []struct {
		name   string
		change func(*v1alpha1.GovernancePolicySpec)
		want   string
	}{
		{"identity alone", func(*v1alpha1.GovernancePolicySpec) {}, ""},
		{"what is allowed needs no reading", func(s *v1alpha1.GovernancePolicySpec) { s.Activity = []v1alpha1.ActivityRule{allow} }, ""},
		{"what is denied does", func(s *v1alpha1.GovernancePolicySpec) { s.Activity = []v1alpha1.ActivityRule{follow} }, "Follow"},
		{"content", func(s *v1alpha1.GovernancePolicySpec) {
			s.Content = []v1alpha1.ContentRule{{Name: "c", AnyOf: v1alpha1.TextMatch{Terms: []string{"x"}}}}
		}, "Publish Reply Repost Like"},
		{"performance", func(s *v1alpha1.GovernancePolicySpec) { s.Performance = &v1alpha1.PerformanceRules{MaxSilenceDays: 3} }, "Publish Reply Repost"},
		{"a preview reads nothing", func(s *v1alpha1.GovernancePolicySpec) {
			s.Mode, s.Performance = v1alpha1.ModePreview, &v1alpha1.PerformanceRules{MaxSilenceDays: 3}
		}, ""},
	} {
		s := v1alpha1.GovernancePolicySpec{Version: "1.0"}
		c.change(&s)
		var got []string
		for _, a := range Actions([]*Policy{compile(t, "p", &s)}) {
			got = append(got, string(a))
		}
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", c.name, got, want)
		}
	}
}
