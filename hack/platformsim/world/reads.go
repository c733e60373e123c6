package world

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// Reads is how an account was read by its id, while WatchReads is on.
type Reads struct {
	// Accounts were read at least once, Since of them at or after the moment asked for.
	Accounts int `json:"accounts"`
	Since    int `json:"since"`
	// LongestSeconds is the longest time between two reads of one account.
	LongestSeconds float64 `json:"longestSeconds"`
}

// reads remembers, while it is on, when each account was last read, and the longest time
// that one was not.
type reads struct {
	on      atomic.Bool
	mu      sync.Mutex
	last    map[seenKey]time.Time
	longest time.Duration
}

func (r *reads) see(p Platform, id string, c clock.PassiveClock) {
	if !r.on.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now, key := c.Now(), seenKey{p, id}
	if before, ok := r.last[key]; ok {
		r.longest = max(r.longest, now.Sub(before))
	}
	r.last[key] = now
}

// WatchReads forgets how accounts were read, and takes note of it from now on, or no
// longer.
func (w *World) WatchReads(on bool) {
	w.reads.mu.Lock()
	defer w.reads.mu.Unlock()
	w.reads.last, w.reads.longest = map[seenKey]time.Time{}, 0
	w.reads.on.Store(on)
}

// Reads tells how accounts were read, and how many since a moment.
func (w *World) Reads(since time.Time) Reads {
	w.reads.mu.Lock()
	defer w.reads.mu.Unlock()
	out := Reads{Accounts: len(w.reads.last), LongestSeconds: w.reads.longest.Seconds()}
	if since.IsZero() {
		out.Since = out.Accounts
		return out
	}
	for _, at := range w.reads.last {
		if !at.Before(since) {
			out.Since++
		}
	}
	return out
}
