package observe

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Thousands can join in a second. A ring takes them in once in a while, and does
// not walk before most of those have joined that a restart brings.
const (
	tidyEvery = time.Second
	settle    = 30 * time.Second
)

// ring holds the targets of one connection, lookup (or stream of activity) and
// interval in the order of a stable hash, and walks them once per lap. A lap lasts the interval and starts
// at moments that depend only on the clock and the ring's name, so that a restart
// goes on where the clock is. The cursor is a position among the hashes and not
// an index, so that targets that join or leave neither skip nor repeat others;
// and a chunk is due when the clock is at its first member's hash, so that they
// hardly move others in time either.
type ring struct {
	key   ringKey
	every time.Duration
	batch int
	phase time.Duration
	// has says that a target belongs to the ring.
	has func(*target) bool

	// size is the number of members now; members are those of the last tidying.
	size    int
	members []*target
	dirty   bool
	tidied  time.Time
	// hold is when the walk begins, from the moment from which it goes on.
	hold, from time.Time

	// groups are the members' promises by tier, as of the last tidying.
	groups  []group
	grouped bool
	// owed is how many have yet to be paid for on the day of owedAt.
	owed   int
	owedAt time.Time

	lap int64
	// cursor is the lowest position that this lap has not visited, or the last one that
	// it has (passed). visited is how many members are below it, below 0: that was not
	// counted since they were tidied.
	cursor  position
	passed  bool
	visited int
}

// position orders targets within a ring.
type position struct {
	hash     uint64
	ns, name string
}

func (t *target) position() position { return position{t.hash, t.ns.Value(), t.name.name} }

// compare looks at names only where hashes are the same, which two of a million
// accounts hardly ever have.
func (p position) compare(q position) int {
	if p.hash != q.hash {
		return cmp.Compare(p.hash, q.hash)
	}
	return cmp.Or(cmp.Compare(p.ns, q.ns), cmp.Compare(p.name, q.name))
}

func newRing(name string, every time.Duration, batch int) *ring {
	r := &ring{every: every, batch: batch, phase: time.Duration(xxhash.Sum64String(name) % uint64(every))}
	r.has = func(t *target) bool { return t.ring == r }
	return r
}

// restart goes on where the clock was at from, when an earlier process walked the ring
// last: what that has visited in this lap is not visited again, and what it missed since
// is due at once.
func (r *ring) restart(now, from time.Time) {
	r.hold = now.Add(min(r.every/10, settle))
	r.resume(now, from)
}

// resume goes back by a lap at most: whoever was missed for longer is due by then.
func (r *ring) resume(now, from time.Time) {
	if earliest := now.Add(-r.every); from.Before(earliest) {
		from = earliest
	}
	if from.After(now) { // by another clock
		from = now
	}
	r.from, r.lap = from, r.lapAt(from)
	elapsed := float64(from.Sub(r.start(r.lap))) / float64(r.every)
	r.cursor, r.passed, r.visited = position{hash: uint64(elapsed * math.MaxUint64)}, false, -1
}

func (r *ring) lapAt(now time.Time) int64 { return (now.UnixNano() - int64(r.phase)) / int64(r.every) }

func (r *ring) start(lap int64) time.Time {
	return time.Unix(0, lap*int64(r.every)+int64(r.phase))
}

// add takes in a target that was looked at until from, by another process if that is
// before now.
func (r *ring) add(t *target, now, from time.Time) {
	switch {
	case r.size == 0:
		r.restart(now, from)
	case now.Before(r.hold) && from.Before(r.from): // the first was new
		r.resume(now, from)
	}
	r.size++
	r.members = append(r.members, t)
	r.dirty, r.grouped = true, false
}

// remove takes effect when the ring is tidied: t must have left already.
func (r *ring) remove() {
	r.size--
	r.dirty = true
}

func (r *ring) tidy(now time.Time) {
	if !r.dirty {
		return
	}
	r.members = slices.DeleteFunc(r.members, func(t *target) bool { return !r.has(t) })
	slices.SortFunc(r.members, func(a, b *target) int { return a.position().compare(b.position()) })
	r.members = slices.Compact(r.members)
	r.dirty, r.tidied, r.grouped, r.visited = false, now, false, -1
}

// group is what the members of one tier were promised.
type group struct {
	tier     string
	accounts int
	promised time.Duration
}

// tiers are the ring's groups, in the order of their names.
func (r *ring) tiers() []group {
	if r.grouped {
		return r.groups
	}
	byTier := map[string]*group{}
	for _, t := range r.members {
		if t.ring != r {
			continue
		}
		g, ok := byTier[t.tier]
		if !ok {
			g = &group{tier: t.tier, promised: t.staleAfter}
			byTier[t.tier] = g
		}
		g.accounts++
		g.promised = min(g.promised, t.staleAfter)
	}
	r.groups, r.grouped = r.groups[:0], true
	for _, name := range slices.Sorted(maps.Keys(byTier)) {
		r.groups = append(r.groups, *byTier[name])
	}
	return r.groups
}

// bound is the shortest promise to any member.
func (r *ring) bound() time.Duration {
	bound := time.Duration(math.MaxInt64)
	for _, g := range r.tiers() {
		if g.promised > 0 {
			bound = min(bound, g.promised)
		}
	}
	if bound == math.MaxInt64 {
		return patience * r.every
	}
	return bound
}

// chunks is the number of requests that a lap costs.
func (r *ring) chunks() int { return (r.size + r.batch - 1) / r.batch }

// rank is the number of members that this lap has visited.
func (r *ring) rank() int {
	if r.visited < 0 {
		r.visited, _ = slices.BinarySearchFunc(r.members, r.cursor, func(t *target, p position) int {
			if n := t.position().compare(p); n != 0 || !r.passed {
				return n
			}
			return -1
		})
	}
	return r.visited
}

// due is when to come back for the next chunk; false if the ring is empty.
func (r *ring) due(now time.Time) (time.Time, bool) {
	if r.size == 0 {
		return time.Time{}, false
	}
	if now.Before(r.hold) {
		return r.hold, true
	}
	if again := r.tidied.Add(tidyEvery); r.dirty && now.Before(again) {
		return again, true
	}
	r.tidy(now)
	rank := r.rank()
	if rank == len(r.members) {
		// The lap is done, but who joins ahead of the cursor still belongs to it.
		// The next lap may be late already.
		lap := max(r.lap+1, r.lapAt(now))
		if now.Before(r.start(lap)) {
			return r.start(lap), true
		}
		r.lap, r.cursor, r.passed, r.visited, rank = lap, position{}, false, 0, 0
	}
	share := float64(r.members[rank].hash) / math.MaxUint64
	return r.start(r.lap).Add(time.Duration(share * float64(r.every))), true
}

// peek is the chunk that is due, of at most n.
func (r *ring) peek(n int) []*target {
	rank := r.rank()
	return slices.Clone(r.members[rank:min(rank+n, len(r.members))])
}

// take visits the first n of the chunk that is due.
func (r *ring) take(n int) {
	r.visited = r.rank() + n
	r.cursor, r.passed = r.members[r.visited-1].position(), true
}

// coming is whose turn is next in this lap, and when; nil: nobody's.
func (r *ring) coming(now time.Time) (*target, time.Time) {
	at, ok := r.due(now)
	if !ok || r.dirty || now.Before(r.hold) || r.rank() == len(r.members) {
		return nil, at
	}
	return r.first(), at
}

// first is the first of the chunk that is due.
func (r *ring) first() *target { return r.members[r.rank()] }
