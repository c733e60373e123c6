package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mithaq.dev/mithaq/internal/platform"
)

// meters are the engine's metrics. What describes the present is computed when
// it is scraped.
type meters struct {
	engine   *Engine
	batches  *prometheus.CounterVec
	doubtful *prometheus.CounterVec
	reads    *prometheus.CounterVec
	waits    *prometheus.HistogramVec

	lag, targets, remaining, outage, errands *prometheus.Desc
}

func newMeters(e *Engine, reg prometheus.Registerer) *meters {
	m := &meters{
		engine: e,
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mithaq_observe_batches_total", Help: "Batches of profile lookups, by outcome: answered or the kind of failure.",
		}, []string{"platform", "lookup", "result"}),
		doubtful: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mithaq_observe_unbelieved_total", Help: "Answers about single accounts that were not believed, by why.",
		}, []string{"platform", "why"}),
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mithaq_observe_activity_reads_total", Help: "Reads of activity, by stream and outcome: answered or the kind of failure.",
		}, []string{"platform", "stream", "result"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mithaq_budget_handover_wait_seconds", Help: "How long a call of a handover waited for its connection's budget.",
			Buckets: []float64{0.01, 0.1, 1, 10, 60, 600, 3600},
		}, []string{"platform"}),
		errands:   prometheus.NewDesc("mithaq_budget_handover_waiting", "Calls of handovers that wait for their connection's budget.", []string{"platform"}, nil),
		lag:       prometheus.NewDesc("mithaq_observe_age_seconds", "Age of the oldest knowledge of any account, as of at most 5 seconds ago.", []string{"platform", "tier"}, nil),
		targets:   prometheus.NewDesc("mithaq_observe_accounts", "Accounts that are being looked at, by the way of looking.", []string{"platform", "lookup"}, nil),
		remaining: prometheus.NewDesc("mithaq_budget_remaining_requests", "Requests left in the window of a bucket, as its platform last said.", []string{"platform", "bucket"}, nil),
		outage:    prometheus.NewDesc("mithaq_observe_outage", "1 while a platform is out of reach.", []string{"platform"}, nil),
	}
	if reg != nil {
		reg.MustRegister(m, m.batches, m.doubtful, m.reads, m.waits)
	}
	return m
}

func (m *meters) batch(p platform.Name, by platform.Lookup, result string) {
	m.batches.WithLabelValues(string(p), string(by), result).Inc()
}

func (m *meters) read(p platform.Name, stream platform.Stream, result string) {
	m.reads.WithLabelValues(string(p), string(stream), result).Inc()
}

func (m *meters) waited(p platform.Name, d time.Duration) {
	m.waits.WithLabelValues(string(p)).Observe(d.Seconds())
}

func (m *meters) unbelieved(p platform.Name, why string) {
	m.doubtful.WithLabelValues(string(p), why).Inc()
}

// forget removes the series of a platform that no connection leads to any more.
func (m *meters) forget(p platform.Name) {
	gone := prometheus.Labels{"platform": string(p)}
	m.batches.DeletePartialMatch(gone)
	m.doubtful.DeletePartialMatch(gone)
	m.waits.DeletePartialMatch(gone)
}

// Describe implements prometheus.Collector.
func (m *meters) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lag, m.targets, m.remaining, m.outage, m.errands} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *meters) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for key, age := range m.engine.age() {
		gauge(m.lag, age.Seconds(), key[:]...)
	}
	for key, n := range m.engine.population() {
		gauge(m.targets, float64(n), key[:]...)
	}
	left, outages := m.engine.remaining()
	for key, n := range left {
		gauge(m.remaining, float64(n), key[:]...)
	}
	for p, n := range m.engine.errandsWaiting() {
		gauge(m.errands, float64(n), string(p))
	}
	for p, out := range outages {
		v := 0.0
		if out {
			v = 1
		}
		gauge(m.outage, v, string(p))
	}
}
