package telemetry_test

import (
	"iter"
	"slices"
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
	accounts []*v1alpha1.SocialAccount
	behind   bool
}

func (f *fleet) Synced() bool { return !f.behind }

func (f *fleet) All() iter.Seq[*v1alpha1.SocialAccount] { return slices.Values(f.accounts) }

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

func TestTheFleetIsCountedWhenItIsAskedFor(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	f := &fleet{accounts: []*v1alpha1.SocialAccount{account("riyadh", "True", "identity/bio"), account("jeddah", "True"), account("abha", "Unknown", "identity/bio")}}
	telemetry.RegisterFleet(reg, f)
	expect(t, reg, map[string]float64{
		"mithaq_account_conditions class=Official condition=Observed platform=X status=True tier=school":    2,
		"mithaq_account_conditions class=Official condition=Observed platform=X status=Unknown tier=school": 1,
		"mithaq_account_findings platform=X rule=identity/bio severity=High tier=school verdict=Violated":   2,
	})
	f.accounts = nil
	expect(t, reg, map[string]float64{})
	f.behind = true
	if _, err := reg.Gather(); err == nil {
		t.Error("a fleet that cannot be read is shown as empty")
	}
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
