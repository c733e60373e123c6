package compact

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// Bounds of what is shared. Longer strings are hardly ever the same. A table that is
// full takes no more, and another begins, so that nobody can make one grow for ever by
// what they declare.
const (
	maxLength  = 160
	maxStrings = 1 << 14
	// often is how many objects must hold a string before it is shared.
	often = 16
	// counters are those of strings that are not shared yet, and faded is how many
	// strings are counted until all counters are halved: twice as many, so that a
	// counter of strings that came once each stays far below often.
	counters = 1 << 16
	faded    = 2 * counters
)

// table numbers strings that many objects hold. It never forgets one. It is safe for
// concurrent use, and reading takes no lock.
type table struct {
	strings [maxStrings]atomic.Pointer[string]

	mu      sync.RWMutex
	numbers map[string]uint32
	seed    maphash.Seed
	seen    []uint8
	counted int
}

func newTable() *table {
	return &table{numbers: map[string]uint32{}, seed: maphash.MakeSeed(), seen: make([]uint8, counters)}
}

// number is that of a string, if many objects hold it.
func (t *table) number(s string) (uint32, bool) {
	if len(s) > maxLength {
		return 0, false
	}
	t.mu.RLock()
	n, ok := t.numbers[s]
	t.mu.RUnlock()
	if ok {
		return n, true
	}
	return t.admit(s)
}

// string is the one of a number; false: there is none.
func (t *table) string(n uint64) (string, bool) {
	if n >= maxStrings {
		return "", false
	}
	s := t.strings[n].Load()
	if s == nil {
		return "", false
	}
	return *s, true
}

// admit counts a string, and takes it in once it came often. Strings that share a
// counter are taken in early, which costs a place and nothing else.
func (t *table) admit(s string) (uint32, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := t.numbers[s]; ok {
		return n, true // it came in between
	}
	if t.full() {
		return 0, false
	}
	if t.counted++; t.counted >= faded {
		for i := range t.seen {
			t.seen[i] /= 2
		}
		t.counted = 0
	}
	counter := &t.seen[maphash.String(t.seed, s)%counters]
	if *counter++; *counter < often {
		return 0, false
	}
	*counter = 0
	n, one := uint32(len(t.numbers)), strings.Clone(s) // a part of something long would hold all of it
	t.strings[n].Store(&one)
	t.numbers[one] = n
	if t.full() {
		t.seen = nil
	}
	return n, true
}

func (t *table) full() bool { return len(t.numbers) == maxStrings }
