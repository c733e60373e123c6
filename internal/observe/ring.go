package observe

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// ring holds the targets of one connection, lookup and interval in the order of
// a stable hash, and walks them once per lap. A lap lasts the interval and starts
// at moments that depend only on the clock and the ring's name, so that a restart
// goes on where the clock is. The cursor is a position among the hashes and not
// an index, so that targets that join or leave neither skip nor repeat others.
type ring struct {
	every time.Duration
	batch int
	phase time.Duration

	members []*target
	dirty   bool

	lap int64
	// cursor is the lowest position that this lap has not visited.
	cursor position
}

// position orders targets within a ring.
type position struct {
	hash uint64
	key  string
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.hash, q.hash), cmp.Compare(p.key, q.key))
}

// newRing starts where the clock is: what an earlier process has visited in this
// lap is not visited again.
func newRing(name string, every time.Duration, batch int, now time.Time) *ring {
	r := &ring{every: every, batch: batch, phase: time.Duration(xxhash.Sum64String(name) % uint64(every))}
	r.lap = r.lapAt(now)
	elapsed := float64(now.Sub(r.start(r.lap))) / float64(every)
	r.cursor.hash = uint64(elapsed * math.MaxUint64)
	return r
}

func (r *ring) lapAt(now time.Time) int64 { return (now.UnixNano() - int64(r.phase)) / int64(r.every) }

func (r *ring) start(lap int64) time.Time {
	return time.Unix(0, lap*int64(r.every)+int64(r.phase))
}

func (r *ring) add(t *target) {
	r.members = append(r.members, t)
	r.dirty = true
}

// remove takes effect when the ring is tidied: t must have left already.
func (r *ring) remove() { r.dirty = true }

func (r *ring) tidy() {
	if !r.dirty {
		return
	}
	r.members = slices.DeleteFunc(r.members, func(t *target) bool { return t.ring != r })
	slices.SortFunc(r.members, func(a, b *target) int { return a.position.compare(b.position) })
	r.members = slices.Compact(r.members)
	r.dirty = false
}

// chunks is the number of requests that a lap costs.
func (r *ring) chunks() int { return (len(r.members) + r.batch - 1) / r.batch }

// rank is the number of members that this lap has visited.
func (r *ring) rank() int {
	i, _ := slices.BinarySearchFunc(r.members, r.cursor, func(t *target, p position) int { return t.position.compare(p) })
	return i
}

// due is when the next chunk is to be looked at; false if the ring is empty.
func (r *ring) due(now time.Time) (time.Time, bool) {
	r.tidy()
	if len(r.members) == 0 {
		r.lap, r.cursor = r.lapAt(now), position{}
		return time.Time{}, false
	}
	rank := r.rank()
	if rank == len(r.members) {
		// The lap is done; the next one may be late already.
		r.lap, r.cursor, rank = max(r.lap+1, r.lapAt(now)), position{}, 0
	}
	share := float64(rank/r.batch) / float64(r.chunks())
	return r.start(r.lap).Add(time.Duration(share * float64(r.every))), true
}

// take visits the next chunk.
func (r *ring) take() []*target {
	rank := r.rank()
	chunk := slices.Clone(r.members[rank:min(rank+r.batch, len(r.members))])
	last := chunk[len(chunk)-1].position
	r.cursor = position{last.hash, last.key + "\x00"}
	return chunk
}
