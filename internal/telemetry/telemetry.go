// Package telemetry holds the metrics of Mithaq. Labels come from closed sets,
// never a handle or a name; what describes the fleet is computed when it is
// scraped, so series of what is gone are gone.
package telemetry

import (
	"errors"
	"iter"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
)

// Requests counts the requests to platforms.
type Requests struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewRequests registers the request metrics.
func NewRequests(reg prometheus.Registerer) *Requests {
	r := &Requests{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mithaq_platform_requests_total",
			Help: "Requests to platforms, by endpoint template and HTTP status or kind of failure.",
		}, []string{"platform", "endpoint", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "mithaq_platform_request_duration_seconds",
			Help:    "Duration of requests to platforms, the reading of the answer included.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 13),
		}, []string{"platform", "endpoint"}),
	}
	reg.MustRegister(r.total, r.duration)
	return r
}

// Of is the observer of one platform's requests.
func (r *Requests) Of(p platform.Name) func(endpoint, code string, d time.Duration) {
	return func(endpoint, code string, d time.Duration) {
		r.total.WithLabelValues(string(p), endpoint, code).Inc()
		r.duration.WithLabelValues(string(p), endpoint).Observe(d.Seconds())
	}
}

// fleet computes the fleet's metrics from the cache when they are scraped.
type fleet struct {
	accounts   Accounts
	conditions *prometheus.Desc
	findings   *prometheus.Desc
}

// Accounts are those of a cache.
type Accounts interface {
	// Synced says that all are known.
	Synced() bool
	All() iter.Seq[*v1alpha1.SocialAccount]
}

// RegisterFleet registers the metrics that describe the accounts of the cache.
func RegisterFleet(reg prometheus.Registerer, accounts Accounts) {
	reg.MustRegister(&fleet{
		accounts: accounts,
		conditions: prometheus.NewDesc("mithaq_account_conditions",
			"Accounts by status of each condition.", []string{"platform", "tier", "class", "condition", "status"}, nil),
		findings: prometheus.NewDesc("mithaq_account_findings",
			"Accounts by rule that they do not pass, as far as their statuses list findings.", []string{"platform", "tier", "rule", "severity", "verdict"}, nil),
	})
}

// errNotSynced: a part of the fleet is not to be taken for all of it.
var errNotSynced = errors.New("the cache of accounts is not in sync")

// Describe implements prometheus.Collector.
func (f *fleet) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.conditions
	ch <- f.findings
}

// Collect implements prometheus.Collector.
func (f *fleet) Collect(ch chan<- prometheus.Metric) {
	if !f.accounts.Synced() {
		ch <- prometheus.NewInvalidMetric(f.conditions, errNotSynced)
		return
	}
	conditions, findings := map[[5]string]float64{}, map[[5]string]float64{}
	for acc := range f.accounts.All() {
		count(acc, conditions, findings)
	}
	for l, n := range conditions {
		ch <- prometheus.MustNewConstMetric(f.conditions, prometheus.GaugeValue, n, l[:]...)
	}
	for l, n := range findings {
		ch <- prometheus.MustNewConstMetric(f.findings, prometheus.GaugeValue, n, l[:]...)
	}
}

func count(acc *v1alpha1.SocialAccount, conditions, findings map[[5]string]float64) {
	platform, tier := string(acc.Spec.Platform), string(acc.Spec.Tier)
	for _, c := range acc.Status.Conditions {
		conditions[[5]string{platform, tier, string(acc.Spec.Class), c.Type, string(c.Status)}]++
	}
	for _, f := range acc.Status.Findings {
		findings[[5]string{platform, tier, f.Rule, string(f.Severity), string(f.Verdict)}]++
	}
}

// RegisterVersion registers the build's version.
func RegisterVersion(reg prometheus.Registerer, version string) {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mithaq_build_info", Help: "1, labelled with the version."}, []string{"version"})
	info.WithLabelValues(version).Set(1)
	reg.MustRegister(info)
}
