package telemetry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/telemetry"
)

// fleet is a cache of accounts.
type fleet struct {
	comes, goes func(*v1alpha1.SocialAccount)
	behind      bool
}

func (f *fleet) Listen(comes, goes func(*v1alpha1.SocialAccount)) (synced func() bool, err error) {
	f.comes, f.goes = comes, goes
	return func() bool { return !f.behind }, nil
}

func account(name string, observed metav1.ConditionStatus, rules ...string) *v1alpha1.SocialAccount {
	acc := &v1alpha1.SocialAccount{}
	acc.Name, acc.Namespace = name, "edu-"+name
	acc.Spec.Platform, acc.Spec.Handle, acc.Spec.Tier, acc.Spec.Class = "X", "edu_"+name, "school", "Official"
	acc.Status.Conditions = []metav1.Condition{{Type: "Observed", Status: observed}}
	for _, rule := range rules {
		acc.Status.Findings = append(acc.Status.Findings, v1alpha1.Finding{Rule: rule, Severity: "High", Verdict: "Violated"})
	}
	return acc
}

// series are the values of gauges and counters, by name and labels.
func series(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := []string{family.GetName()}
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			out[strings.Join(labels, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

func expect(t *testing.T, g prometheus.Gatherer, want map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, series(t, g)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheFleetIsCountedAsItChanges(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	f := &fleet{}
	if err := telemetry.RegisterFleet(reg, f); err != nil {
		t.Fatal(err)
	}
	riyadh, jeddah, abha := account("riyadh", "True", "identity/bio"), account("jeddah", "True"), account("abha", "Unknown", "identity/bio")
	f.comes(riyadh)
	f.comes(jeddah)
	f.comes(abha)
	expect(t, reg, map[string]float64{
		"mithaq_account_conditions class=Official condition=Observed platform=X status=True tier=school":    2,
		"mithaq_account_conditions class=Official condition=Observed platform=X status=Unknown tier=school": 1,
		"mithaq_account_findings platform=X rule=identity/bio severity=High tier=school verdict=Violated":   2,
	})
	f.goes(abha)
	f.comes(account("abha", "True"))
	expect(t, reg, map[string]float64{
		"mithaq_account_conditions class=Official condition=Observed platform=X status=True tier=school":  3,
		"mithaq_account_findings platform=X rule=identity/bio severity=High tier=school verdict=Violated": 1,
	})
	f.goes(riyadh)
	f.goes(jeddah)
	f.goes(account("abha", "True"))
	expect(t, reg, map[string]float64{})
	f.comes(jeddah)
	f.behind = true
	expect(t, reg, map[string]float64{}) // a part is not shown as all
}

func TestRequestsAreCountedByEndpointTemplate(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	observe := telemetry.NewRequests(reg).Of(platform.X)
	observe("/2/users", "200", 20*time.Millisecond)
	observe("/2/users", "200", 30*time.Millisecond)
	observe("/2/users", "timeout", time.Second)
	expect(t, reg, map[string]float64{
		"mithaq_platform_requests_total code=200 endpoint=/2/users platform=X":     2,
		"mithaq_platform_requests_total code=timeout endpoint=/2/users platform=X": 1,
		"mithaq_platform_request_duration_seconds endpoint=/2/users platform=X":    3,
	})
}

func TestTheVersionIsShown(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	telemetry.RegisterVersion(reg, "v0")
	expect(t, reg, map[string]float64{"mithaq_build_info version=v0": 1})
}
