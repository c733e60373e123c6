package telemetry

import "github.com/prometheus/client_golang/prometheus"

// NewReviews registers the count of accounts that were judged because an edition of a
// policy changed, and returns what counts one.
func NewReviews(reg prometheus.Registerer) func() {
	reviewed := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "mithaq_policy_reviewed_accounts_total",
		Help: "Accounts that were judged anew because an edition of a policy changed.",
	})
	reg.MustRegister(reviewed)
	return reviewed.Inc
}
