package compact

import (
	"runtime"
	"testing"
)

// BenchmarkHeld tells what an account holds, as a decoder makes it and packed.
func BenchmarkHeld(b *testing.B) {
	p := newPacker()
	for name, keep := range map[string]func(any) (any, error){"decoded": func(o any) (any, error) { return o, nil }, "packed": p.pack} {
		b.Run(name, func(b *testing.B) {
			const n = 5000
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				held := held(b, n, keep)
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/account")
				runtime.KeepAlive(held)
			}
		})
	}
}

func held(b *testing.B, n int, keep func(any) (any, error)) []any {
	b.Helper()
	all := []any{}
	for i := range n {
		o, err := keep(account(b, i))
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func BenchmarkPack(b *testing.B) {
	p, acc := newPacker(), account(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		pack(b, p, acc)
	}
}

func BenchmarkUnpack(b *testing.B) {
	p := newPacker()
	for n := range 2 * often {
		pack(b, p, account(b, n))
	}
	is := pack(b, p, account(b, 1))
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			is.account()
		}
	})
	b.Run("metadata", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			is.GetObjectMeta()
		}
	})
}
