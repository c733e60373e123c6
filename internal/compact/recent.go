package compact

import (
	"hash/maphash"
	"sync/atomic"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// recents is how many accounts are remembered unpacked. An event goes to each listener
// in turn, so that all but the slowest find what the first one unpacked.
const recents = 512

// recent remembers accounts that were decoded or unpacked a moment ago, so that an event
// costs one of them and not one for each listener. Those that it hands out are shared:
// nobody may change them. It is safe for concurrent use.
type recent struct {
	seed  maphash.Seed
	slots [recents]atomic.Pointer[pair]
}

// pair is an account, packed and not.
type pair struct {
	packed *packed
	whole  *v1alpha1.SocialAccount
}

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

func (r *recent) slot(p *packed) *atomic.Pointer[pair] {
	return &r.slots[maphash.String(r.seed, p.in)%recents]
}

func (r *recent) put(p *packed, acc *v1alpha1.SocialAccount) { r.slot(p).Store(&pair{p, acc}) }

// account unpacks p, unless that was done a moment ago.
func (r *recent) account(p *packed) *v1alpha1.SocialAccount {
	if one := r.slot(p).Load(); one != nil && one.packed == p {
		return one.whole
	}
	acc := p.account()
	r.put(p, acc)
	return acc
}
