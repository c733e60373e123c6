// Package shard divides the accounts among several processes. Each account belongs
// to one shard by a hash of its UID, which never changes; each shard is held by one
// process at a time, by a lease. What is known of the whole fleet is in
// internal/roster and on the shards' boards (docs/design/0010-shards.md).
package shard

import (
	"fmt"
	"hash/fnv"
	"math/bits"

	"k8s.io/apimachinery/pkg/types"
)

// Max is how many shards there may be. Each divides every budget once more.
const Max = 64

// Layout is into how many shards the accounts are divided.
type Layout struct{ shards int }

// NewLayout divides into n shards, 1 to Max.
func NewLayout(n int) (Layout, error) {
	if n < 1 || n > Max {
		return Layout{}, fmt.Errorf("there can be 1 to %d shards, not %d", Max, n)
	}
	return Layout{n}, nil
}

// Shards is the number of shards.
func (l Layout) Shards() int { return l.shards }

// Of is the shard of an account, from 0. The hash and the ranges are those of the API
// server's shardSelector (k8s.io/apimachinery/pkg/sharding: FNV-1a of 64 bits, ranges
// of hashes), so that it makes no difference which side divides.
func (l Layout) Of(uid types.UID) int { return l.OfHash(Hash(uid)) }

// OfHash is the shard of an account whose UID has the hash.
func (l Layout) OfHash(hash uint64) int {
	shard, _ := bits.Mul64(hash, uint64(max(l.shards, 1)))
	return int(shard)
}

// Hash is an account's place among all, whatever the layout.
func Hash(uid types.UID) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(uid)) // it never fails
	return h.Sum64()
}

// Selector asks the API server for a shard's accounts alone, as the shardSelector of a
// list or watch.
func (l Layout) Selector(shard int) string {
	return fmt.Sprintf("shardRange(object.metadata.uid, '%s', '%s')", l.bound(shard), l.bound(shard+1))
}

// bound is the lowest hash of a shard: 16 hexadecimal digits, or 2^64 as the end of the
// last shard.
func (l Layout) bound(shard int) string {
	if shard >= l.shards {
		return "0x10000000000000000"
	}
	// The lowest hash h with h*shards >= shard*2^64, so that Of agrees to the last bit.
	low, rest := bits.Div64(uint64(shard), 0, uint64(l.shards))
	if rest > 0 {
		low++
	}
	return fmt.Sprintf("0x%016x", low)
}
