package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Accounts tells of every account that comes to a cache, and of each that leaves it or
// is about to become another. synced says that all that there were have come.
type Accounts interface {
	Listen(comes, goes func(*v1alpha1.SocialAccount)) (synced func() bool, err error)
}

// fleet counts accounts as they change: a scrape of a large fleet costs no more than
// one of a small one. Series of what is gone are gone.
type fleet struct {
	conditions, findings *prometheus.Desc
	synced               func() bool

	mu     sync.Mutex
	counts map[series]int
}

// series is one of the fleet's: its metric and its labels.
type series struct {
	of     *prometheus.Desc
	labels [5]string
}

// RegisterFleet registers the metrics that describe the accounts of a cache.
//
// Errors: the cache tells of none.
func RegisterFleet(reg prometheus.Registerer, accounts Accounts) error {
	f := &fleet{
		conditions: prometheus.NewDesc("mithaq_account_conditions",
			"Accounts by status of each condition.", []string{"platform", "tier", "class", "condition", "status"}, nil),
		findings: prometheus.NewDesc("mithaq_account_findings",
			"Accounts by rule that they do not pass, as far as their statuses list findings.", []string{"platform", "tier", "rule", "severity", "verdict"}, nil),
		counts: map[series]int{},
	}
	var err error
	f.synced, err = accounts.Listen(func(acc *v1alpha1.SocialAccount) { f.count(acc, 1) }, func(acc *v1alpha1.SocialAccount) { f.count(acc, -1) })
	if err != nil {
		return err
	}
	reg.MustRegister(f)
	return nil
}

// Describe implements prometheus.Collector.
func (f *fleet) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.conditions
	ch <- f.findings
}

// Collect implements prometheus.Collector. Until the cache is in sync there are no
// series: a part of the fleet is not to be taken for all of it.
func (f *fleet) Collect(ch chan<- prometheus.Metric) {
	if !f.synced() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s, n := range f.counts {
		ch <- prometheus.MustNewConstMetric(s.of, prometheus.GaugeValue, float64(n), s.labels[:]...)
	}
}

func (f *fleet) count(acc *v1alpha1.SocialAccount, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	platform, tier := string(acc.Spec.Platform), string(acc.Spec.Tier)
	for _, c := range acc.Status.Conditions {
		f.add(series{f.conditions, [5]string{platform, tier, string(acc.Spec.Class), c.Type, string(c.Status)}}, n)
	}
	for _, found := range acc.Status.Findings {
		f.add(series{f.findings, [5]string{platform, tier, found.Rule, string(found.Severity), string(found.Verdict)}}, n)
	}
}

func (f *fleet) add(s series, n int) {
	if f.counts[s] += n; f.counts[s] == 0 {
		delete(f.counts, s)
	}
}
