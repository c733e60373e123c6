package telemetry

import (
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Scope registers metrics of one of several like parts of a process, told apart by a
// label, and takes them back when that part is over.
type Scope struct {
	prometheus.Registerer

	mu  sync.Mutex
	all []prometheus.Collector
}

// NewScope registers with reg, with a label of a closed set.
func NewScope(reg prometheus.Registerer, label, value string) *Scope {
	return &Scope{Registerer: prometheus.WrapRegistererWith(prometheus.Labels{label: value}, reg)}
}

// Register implements prometheus.Registerer.
func (s *Scope) Register(c prometheus.Collector) error {
	if err := s.Registerer.Register(c); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, c)
	return nil
}

// MustRegister implements prometheus.Registerer.
func (s *Scope) MustRegister(all ...prometheus.Collector) {
	var failed error
	for _, c := range all {
		failed = errors.Join(failed, s.Register(c))
	}
	if failed != nil {
		panic(failed)
	}
}

// Close takes back what was registered.
func (s *Scope) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		s.Unregister(c)
	}
	s.all = nil
}

// Foreign counts what comes from the API server of other shards.
type Foreign struct{ total prometheus.Counter }

// NewForeign registers the count.
func NewForeign(reg prometheus.Registerer) *Foreign {
	f := &Foreign{total: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "mithaq_shard_foreign_objects_total",
		Help: "Accounts of other shards that the API server sent and that were dropped; none where it divides by itself (ShardedListAndWatch).",
	})}
	reg.MustRegister(f.total)
	return f
}

// Dropped counts one.
func (f *Foreign) Dropped() { f.total.Inc() }
