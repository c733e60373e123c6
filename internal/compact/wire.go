package compact

import (
	"encoding/binary"
	"errors"
	"strings"
)

// errTorn: bytes that this process did not write.
var errTorn = errors.New("unpacking an object: its bytes are torn")

// writer collects the bytes of one value.
type writer struct {
	table *table
	out   []byte
	// own are the strings that were written in full, in their order.
	own []string
}

func (w *writer) uint(n uint64) { w.out = binary.AppendUvarint(w.out, n) }
func (w *writer) int(n int64)   { w.out = binary.AppendVarint(w.out, n) }

// What the two lowest bits of a string's mark say of the rest.
const (
	inFull   = iota // its length, and then its bytes
	inTable         // its number in the table that all values share
	repeated        // its number among the strings that this value holds in full
)

func (w *writer) string(s string) {
	if s == "" {
		w.uint(0)
		return
	}
	for i, one := range w.own {
		if one == s {
			w.uint(uint64(i)<<2 | repeated)
			return
		}
	}
	if id, ok := w.table.number(s); ok {
		w.uint(uint64(id)<<2 | inTable)
		return
	}
	w.own = append(w.own, s)
	w.uint(uint64(len(s)) << 2) // inFull is none of the bits
	w.out = append(w.out, s...)
}

// reader takes a value from its bytes. Strings are copied: whoever keeps one must not
// keep all of them.
type reader struct {
	table *table
	in    string
	own   []string
	err   error
}

func (r *reader) uint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		if len(r.in) == 0 {
			break
		}
		b := r.in[0]
		r.in = r.in[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	r.tear()
	return 0
}

func (r *reader) int() int64 {
	n := r.uint()
	return int64(n>>1) ^ -int64(n&1)
}

// length is that of a slice or map; false: it is nil.
func (r *reader) length() (int, bool) {
	n := r.uint()
	if n > uint64(len(r.in))+1 { // an element takes a byte at least
		r.tear()
		return 0, false
	}
	return int(n) - 1, n > 0
}

func (r *reader) string() string {
	mark := r.uint()
	n := mark >> 2
	switch {
	case mark == 0:
		return ""
	case mark&3 == inFull && n <= uint64(len(r.in)):
		s := strings.Clone(r.in[:n])
		r.in, r.own = r.in[n:], append(r.own, s)
		return s
	case mark&3 == inTable:
		if s, ok := r.table.string(n); ok {
			return s
		}
	case mark&3 == repeated && n < uint64(len(r.own)):
		return r.own[n]
	}
	r.tear()
	return ""
}

func (r *reader) tear() { r.err, r.in = errTorn, "" }
