// Package telemetry holds the metrics of Mithaq. Labels come from closed sets,
// never a handle or a name.
package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// RegisterVersion registers the build's version.
func RegisterVersion(reg prometheus.Registerer, version string) {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mithaq_build_info", Help: "1, labelled with the version."}, []string{"version"})
	info.WithLabelValues(version).Set(1)
	reg.MustRegister(info)
}
