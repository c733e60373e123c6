// Package ring walks a changing set of members once per lap, a chunk at a time.
package ring

import (
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Ring holds members in the order of a stable hash and walks them once per lap. A
// lap lasts an interval. It starts at moments that depend only on the clock and
// on the ring's name, so that a restart goes on where the clock is. The chunks of
// a lap are spread evenly over it, so that an unchanged set of n costs exactly
// ceil(n/batch) chunks a lap, each at the same moment of every lap.
//
// The walk remembers a position among the hashes and not an index: members that
// join or leave make it neither skip nor repeat others.
type Ring[T any] struct {
	every time.Duration
	phase time.Duration
	batch int

	members order[T]
	lap     int64
	// cursor is the lowest position that this lap has not visited.
	cursor Position
	// born is when the walk begins, until its first chunk. What is due before it
	// was an earlier process's to visit.
	born  time.Time
	fresh bool
}

// New returns an empty ring that walks from now on.
func New[T any](name string, every time.Duration, batch int, now time.Time) *Ring[T] {
	phase := time.Duration(xxhash.Sum64String(name) % uint64(every))
	return &Ring[T]{every: every, phase: phase, batch: max(batch, 1), born: now, fresh: true}
}

// Add adds a member, or replaces the one at its position.
func (r *Ring[T]) Add(at Position, value T) { r.members.insert(member[T]{at, value}) }

// Remove removes the member at a position.
func (r *Ring[T]) Remove(at Position) { r.members.remove(at) }

// Len is the number of members.
func (r *Ring[T]) Len() int { return r.members.size }

// Every is how long a lap lasts.
func (r *Ring[T]) Every() time.Duration { return r.every }

// SetBatch changes the size of the chunks that follow.
func (r *Ring[T]) SetBatch(batch int) { r.batch = max(batch, 1) }

// Chunks is the number of chunks in a lap.
func (r *Ring[T]) Chunks() int { return (r.members.size + r.batch - 1) / r.batch }

func (r *Ring[T]) lapAt(now time.Time) int64 {
	return (now.UnixNano() - int64(r.phase)) / int64(r.every)
}

// Due is when the next chunk is to be visited; false if the ring is empty. It
// may lie in the past: a walk that is late goes on, and skips whole laps only.
func (r *Ring[T]) Due(now time.Time) (time.Time, bool) {
	if r.members.size == 0 {
		r.born, r.fresh = now, true
		return time.Time{}, false
	}
	return r.due(r.next(now)), true
}

// Take visits the next chunk.
func (r *Ring[T]) Take(now time.Time) []T {
	chunk := r.members.slice(r.next(now), r.batch)
	if len(chunk) == 0 {
		return nil
	}
	r.fresh = false
	last := chunk[len(chunk)-1].at
	r.cursor = Position{last.hash, last.key + "\x00"}
	values := make([]T, len(chunk))
	for i, m := range chunk {
		values[i] = m.value
	}
	return values
}

// next is the rank of the next chunk's first member.
func (r *Ring[T]) next(now time.Time) int {
	if r.fresh {
		return r.first()
	}
	rank := r.members.rank(r.cursor)
	if rank == r.members.size {
		// The lap is done; the next one may be late already.
		r.lap, r.cursor, rank = max(r.lap+1, r.lapAt(now)), Position{}, 0
	}
	return rank
}

// first is next before the first chunk: the first one that was not due yet when
// the walk began. What was due before is visited in the next lap, which is within
// one interval.
func (r *Ring[T]) first() int {
	r.lap = r.lapAt(r.born)
	elapsed := float64(r.born.Sub(r.start())) / float64(r.every)
	chunk := int(math.Ceil(elapsed*float64(r.members.size)/float64(r.batch) - 1e-9))
	if rank := chunk * r.batch; rank < r.members.size {
		return rank
	}
	r.lap++
	return 0
}

func (r *Ring[T]) start() time.Time { return time.Unix(0, r.lap*int64(r.every)+int64(r.phase)) }

// due is the moment of the chunk that the member at a rank belongs to.
func (r *Ring[T]) due(rank int) time.Time {
	done := float64(rank/r.batch*r.batch) / float64(r.members.size)
	return r.start().Add(time.Duration(done * float64(r.every)))
}
