package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Handovers counts what happens to credentials.
type Handovers struct {
	steps     *prometheus.CounterVec
	unrevoked *prometheus.CounterVec
}

// NewHandovers registers the handover's metrics.
func NewHandovers(reg prometheus.Registerer) *Handovers {
	h := &Handovers{
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mithaq_handover_steps_total",
			Help: "Steps of handovers that were stored, by the phase that they led to; Idle: at rest.",
		}, []string{"platform", "phase"}),
		unrevoked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mithaq_handover_unrevoked_grants_total",
			Help: "Grants that could not be revoked before their account was deleted.",
		}, []string{"platform"}),
	}
	reg.MustRegister(h.steps, h.unrevoked)
	return h
}

// Step counts a step.
func (h *Handovers) Step(platform v1alpha1.PlatformName, phase string) {
	if phase == "" {
		phase = "Idle"
	}
	h.steps.WithLabelValues(string(platform), phase).Inc()
}

// Unrevoked counts grants.
func (h *Handovers) Unrevoked(platform v1alpha1.PlatformName, grants int) {
	h.unrevoked.WithLabelValues(string(platform)).Add(float64(grants))
}
