package text

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
)

// A symbol stands for a folded letter. 0 stands for every letter that no term has.
type symbol = uint16

// dense is how many symbols a node tells apart by a bit; further ones, of terms in
// several more scripts, are looked up in a map.
const dense = 128

// trie finds word forms by their letters. It costs 24 bytes a node, at most one for
// each letter of each word.
type trie struct {
	nodes []node
	far   map[edge]int32
	// forms are the lists that nodes point to, each ended by a negative number.
	forms []int32
}

type node struct {
	// has says which symbols lead on; the children stand in a row, by symbol.
	has   [2]uint64
	first int32
	// forms is an index into trie.forms; 0: no word ends here.
	forms int32
}

type edge struct {
	node int32
	sym  symbol
}

// next follows a symbol; 0 is the root, to which nothing leads.
func (t *trie) next(n int32, sym symbol) int32 {
	if sym >= dense {
		return t.far[edge{n, sym}]
	}
	at := &t.nodes[n]
	half, bit := sym>>6, uint64(1)<<(sym&63)
	if at.has[half]&bit == 0 {
		return 0
	}
	before := bits.OnesCount64(at.has[half] & (bit - 1))
	if half == 1 {
		before += bits.OnesCount64(at.has[0])
	}
	return at.first + int32(before)
}

// builder grows a trie.
type builder struct {
	children []map[symbol]int32
	forms    [][]int32
}

func newBuilder() *builder {
	return &builder{children: []map[symbol]int32{{}}, forms: [][]int32{nil}}
}

func (b *builder) add(word []symbol, form int32) {
	n := int32(0)
	for _, sym := range word {
		next, ok := b.children[n][sym]
		if !ok {
			next = int32(len(b.children))
			if b.children[n] == nil {
				b.children[n] = map[symbol]int32{}
			}
			b.children[n][sym] = next
			b.children = append(b.children, nil)
			b.forms = append(b.forms, nil)
		}
		n = next
	}
	b.forms[n] = append(b.forms[n], form)
}

// build lays the nodes out so that the children of each stand in a row.
func (b *builder) build() *trie {
	t := &trie{nodes: make([]node, 1, len(b.children)), far: map[edge]int32{}, forms: []int32{-1}}
	order := []int32{0} // of old nodes, by new number
	for at := int32(0); int(at) < len(order); at++ {
		children := b.children[order[at]]
		t.nodes[at].first = int32(len(t.nodes))
		for _, sym := range slices.SortedFunc(maps.Keys(children), cmp.Compare[symbol]) {
			if sym < dense {
				t.nodes[at].has[sym>>6] |= 1 << (sym & 63)
			} else {
				t.far[edge{at, sym}] = int32(len(t.nodes))
			}
			t.nodes = append(t.nodes, node{})
			order = append(order, children[sym])
		}
		if forms := b.forms[order[at]]; len(forms) > 0 {
			t.nodes[at].forms = int32(len(t.forms))
			t.forms = append(append(t.forms, forms...), -1)
		}
	}
	return t
}
