// Package wake lets code outside a controller enqueue requests into it. Adding
// never blocks, the queue removes duplicates, and what is added before the
// controller runs is kept.
package wake

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Source is a source.Source that other code adds to.
type Source struct {
	mu      sync.Mutex
	queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
	pending map[reconcile.Request]time.Duration
	// priority of what is added, in queues that have any.
	priority int
}

// NewSource returns an empty source, whose requests have low priority: what people change
// comes first.
func NewSource() *Source { return newSource(handler.LowPriority) }

// NewUrgentSource returns an empty source whose requests go before what people change:
// for what does not wait.
func NewUrgentSource() *Source { return newSource(urgent) }

const urgent = 100

func newSource(priority int) *Source {
	return &Source{pending: map[reconcile.Request]time.Duration{}, priority: priority}
}

// Start is called by the controller; it hands over what was added before.
func (s *Source) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = queue
	for req, after := range s.pending {
		s.add(req, after)
	}
	s.pending = nil
	return nil
}

// Add enqueues a request.
func (s *Source) Add(req reconcile.Request) { s.AddAfter(req, 0) }

// AddAfter enqueues a request when after has passed.
func (s *Source) AddAfter(req reconcile.Request, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue == nil {
		s.pending[req] = after
		return
	}
	s.add(req, after)
}

func (s *Source) add(req reconcile.Request, after time.Duration) {
	if pq, ok := s.queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		pq.AddWithOpts(priorityqueue.AddOpts{After: after, Priority: &s.priority}, req)
		return
	}
	s.queue.AddAfter(req, after)
}
