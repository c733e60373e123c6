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
}

// NewSource returns an empty source.
func NewSource() *Source { return &Source{pending: map[reconcile.Request]time.Duration{}} }

// Start is called by the controller; it hands over what was added before.
func (s *Source) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = queue
	for req, after := range s.pending {
		add(queue, req, after)
	}
	s.pending = nil
	return nil
}

// Add enqueues a request with low priority: what people change comes first.
func (s *Source) Add(req reconcile.Request) { s.AddAfter(req, 0) }

// AddAfter enqueues a request when after has passed.
func (s *Source) AddAfter(req reconcile.Request, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue == nil {
		s.pending[req] = after
		return
	}
	add(s.queue, req, after)
}

func add(queue workqueue.TypedRateLimitingInterface[reconcile.Request], req reconcile.Request, after time.Duration) {
	if pq, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		low := handler.LowPriority
		pq.AddWithOpts(priorityqueue.AddOpts{After: after, Priority: &low}, req)
		return
	}
	queue.AddAfter(req, after)
}
