// Package compact keeps the accounts of a cache in a fraction of their room, without
// changing what they say: an account of a large fleet is mostly field names, and strings
// that thousands of others hold too.
package compact

import (
	"reflect"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// packed is an account in a fraction of its room: a byte of marks, then its fields in a
// row, without their names, and strings that many accounts hold as numbers. It is never
// changed.
type packed struct {
	in    string
	table *table
}

// Marks are what whoever looks for some of all accounts sees without unpacking one.
const (
	markDeleting byte = 1 << iota
	markCredentials
)

func marksOf(acc *v1alpha1.SocialAccount) (marks byte) {
	if !acc.DeletionTimestamp.IsZero() {
		marks |= markDeleting
	}
	if acc.Spec.Credentials != nil {
		marks |= markCredentials
	}
	return marks
}

func (p *packed) marked(mark byte) bool { return p.in[0]&mark != 0 }

// GetObjectMeta implements metav1.ObjectMetaAccessor: stores file it by name.
func (p *packed) GetObjectMeta() metav1.Object {
	h := &head{}
	p.unpack(heading, h)
	return &h.ObjectMeta
}

// GetObjectKind implements runtime.Object. The kind is packed too, and nobody asks here.
func (p *packed) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements runtime.Object. Nobody can change what is packed.
func (p *packed) DeepCopyObject() runtime.Object { return p }

func strip(acc *v1alpha1.SocialAccount) {
	acc.ManagedFields = nil
	delete(acc.Annotations, corev1.LastAppliedConfigAnnotation)
}

// account unpacks it.
func (p *packed) account() *v1alpha1.SocialAccount {
	acc := &v1alpha1.SocialAccount{}
	p.unpack(whole, acc)
	return acc
}

// unpack panics if what this process packed cannot be read: a cache that lies about an
// account must not go on.
func (p *packed) unpack(c codec, to any) {
	var own [16]string
	r := reader{table: p.table, in: p.in[1:], own: own[:0]}
	c.read(&r, reflect.ValueOf(to).Elem())
	if r.err != nil {
		panic(r.err)
	}
}

// head is how an account begins.
type head struct {
	metav1.TypeMeta
	metav1.ObjectMeta
}

// heading reads how an account begins; whole reads everything.
var (
	heading = mustCodec(reflect.TypeFor[head]())
	whole   = mustCodec(reflect.TypeFor[v1alpha1.SocialAccount]())
)

// mustCodec panics where a field cannot be packed: no build with one passes a test.
func mustCodec(of reflect.Type) codec {
	c, err := newCodec(of, "ManagedFields")
	if err != nil {
		panic(err)
	}
	return c
}

// packer packs accounts. It is safe for concurrent use.
type packer struct {
	mu     sync.Mutex
	table  *table
	w      writer
	recent *recent
}

func newPacker() *packer { return &packer{table: newTable(), recent: newRecent()} }

// pack is a cache's transformation. It drops what Mithaq never reads: who manages which
// field, and what kubectl applied last.
func (p *packer) pack(o any) (any, error) {
	acc, ok := o.(*v1alpha1.SocialAccount)
	if !ok {
		return o, nil // a tombstone, or packed already
	}
	strip(acc)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.table.full() {
		p.table = newTable() // what is packed keeps the one that it was packed with
	}
	p.w.table, p.w.out, p.w.own = p.table, append(p.w.out[:0], marksOf(acc)), p.w.own[:0]
	whole.write(&p.w, reflect.ValueOf(acc).Elem())
	out := &packed{in: string(p.w.out), table: p.table}
	p.recent.put(out, acc)
	return out, nil
}

// unpacked is what readers see of what a store holds.
func unpacked(o any) any { return unpackedBy((*packed).account, o) }

func unpackedBy(account func(*packed) *v1alpha1.SocialAccount, o any) any {
	switch o := o.(type) {
	case *packed:
		return account(o)
	case cache.DeletedFinalStateUnknown:
		o.Obj = unpackedBy(account, o.Obj)
		return o
	}
	return o
}
