package ring

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Position orders the members of a ring: by a stable hash, so that they are spread
// evenly and in the same order after a restart.
type Position struct {
	hash uint64
	key  string
}

// At is the position of a key.
func At(key string) Position { return Position{xxhash.Sum64String(key), key} }

func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(p.hash, q.hash), cmp.Compare(p.key, q.key))
}

// blockSize bounds what one insertion moves.
const blockSize = 512

type member[T any] struct {
	at    Position
	value T
}

// order is a sorted set of members in blocks: an insertion moves one block, and
// a rank is a sum over blocks.
type order[T any] struct {
	blocks [][]member[T]
	size   int
}

// find is the block and the place of a position, or where it would be inserted.
func (o *order[T]) find(p Position) (block, place int, found bool) {
	block, _ = slices.BinarySearchFunc(o.blocks, p, func(b []member[T], p Position) int {
		return b[len(b)-1].at.compare(p)
	})
	if block == len(o.blocks) {
		return block, 0, false
	}
	place, found = slices.BinarySearchFunc(o.blocks[block], p, func(m member[T], p Position) int {
		return m.at.compare(p)
	})
	return block, place, found
}

func (o *order[T]) insert(m member[T]) {
	i, j, found := o.find(m.at)
	switch {
	case found:
		o.blocks[i][j] = m
		return
	case len(o.blocks) == 0:
		o.blocks = append(o.blocks, nil)
	case i == len(o.blocks):
		i--
		j = len(o.blocks[i])
	}
	o.size++
	block := slices.Insert(o.blocks[i], j, m)
	o.blocks[i] = block
	if len(block) > blockSize {
		half := len(block) / 2
		o.blocks[i] = slices.Clone(block[:half])
		o.blocks = slices.Insert(o.blocks, i+1, slices.Clone(block[half:]))
	}
}

func (o *order[T]) remove(p Position) {
	i, j, found := o.find(p)
	if !found {
		return
	}
	o.size--
	o.blocks[i] = slices.Delete(o.blocks[i], j, j+1)
	if len(o.blocks[i]) == 0 {
		o.blocks = slices.Delete(o.blocks, i, i+1)
	}
}

// rank is the number of members before a position.
func (o *order[T]) rank(p Position) int {
	i, j, _ := o.find(p)
	for _, block := range o.blocks[:i] {
		j += len(block)
	}
	return j
}

// slice returns n members from a rank on, or those that there are.
func (o *order[T]) slice(rank, n int) []member[T] {
	out := make([]member[T], 0, n)
	for _, block := range o.blocks {
		if rank >= len(block) {
			rank -= len(block)
			continue
		}
		out = append(out, block[rank:min(len(block), rank+n-len(out))]...)
		if len(out) == n {
			break
		}
		rank = 0
	}
	return out
}
