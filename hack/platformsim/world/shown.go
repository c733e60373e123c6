package world

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// Showing is when a changed account was first read for an answer after its change.
type Showing struct {
	Platform Platform  `json:"platform"`
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
}

// shown remembers, while it is on, when each account that changes is next read by its
// id. That is no later than the answer that shows the change, so that what is measured
// from it is never too short.
type shown struct {
	on   atomic.Bool
	mu   sync.Mutex
	when map[seenKey]time.Time
}

type seenKey struct {
	platform Platform
	id       string
}

func (s *shown) expect(p Platform, id string) {
	if !s.on.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.when[seenKey{p, id}] = time.Time{}
}

func (s *shown) see(p Platform, id string, c clock.PassiveClock) {
	if !s.on.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, expected := s.when[seenKey{p, id}]; expected && at.IsZero() {
		s.when[seenKey{p, id}] = c.Now()
	}
}

// WatchShown forgets what was shown, and takes note of it from now on, or no longer.
func (w *World) WatchShown(on bool) {
	w.shown.mu.Lock()
	defer w.shown.mu.Unlock()
	w.shown.when = map[seenKey]time.Time{}
	w.shown.on.Store(on)
}

// Shown lists the accounts that changed since WatchShown and were read again, by
// platform and id.
func (w *World) Shown() []Showing {
	w.shown.mu.Lock()
	defer w.shown.mu.Unlock()
	out := []Showing{}
	for k, at := range w.shown.when {
		if !at.IsZero() {
			out = append(out, Showing{k.platform, k.id, at})
		}
	}
	slices.SortFunc(out, func(a, b Showing) int { return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.ID, b.ID)) })
	return out
}
