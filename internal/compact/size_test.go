package compact

import (
	"runtime"
	"testing"
)

// BenchmarkHeld tells what a decoded account holds, as it is and transformed.
func BenchmarkHeld(b *testing.B) {
	transform := Account()
	for name, keep := range map[string]func(any) (any, error){"decoded": func(o any) (any, error) { return o, nil }, "compact": transform} {
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
