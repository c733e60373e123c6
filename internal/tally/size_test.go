package tally_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/tally"
)

// BenchmarkHeld tells what a tally holds of an account under two policies with 30 rules,
// of which every tenth account fails some.
func BenchmarkHeld(b *testing.B) {
	const n = 20_000
	keys := make([]types.NamespacedName, n)
	for i := range keys {
		keys[i] = types.NamespacedName{Namespace: fmt.Sprint("body-", i%48), Name: fmt.Sprint("account-", i)}
	}
	b.ReportAllocs()
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		counts := tally.New(func(string) {})
		for i, key := range keys {
			var results []governance.RuleResult
			for rule := range 30 {
				r := governance.RuleResult{Policy: "manual", Rule: fmt.Sprint("identity/rule-", rule), Verdict: governance.Pass, Mode: "Enforce"}
				if i%10 == 0 && (rule+i/10)%9 == 0 {
					r.Verdict = governance.Violated
				}
				results = append(results, r)
			}
			counts.Set(key, []string{strings.Clone("ethics"), strings.Clone("manual")}, results)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/account")
		runtime.KeepAlive(counts)
	}
}
