// Command benchpolicy measures the rule engine on one core: how many accounts it
// judges under a policy of 30 rules, 6 of them in CEL, and how much text it folds and
// searches for 10,000 terms. A second is one of CPU time, the garbage collector's work
// included, so that whatever else the machine does counts less. It prints a table and
// writes the figures as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/manual"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/text"
)

const (
	accounts  = 2_000
	terms     = 10_000
	textBytes = 4 << 20
	wantRules = 30
)

// figures are what is measured.
type figures struct {
	AccountsPerSecondPerCore float64 `json:"accountsPerSecondPerCore"`
	TextMBPerSecond          float64 `json:"textMBPerSecond"`
	AllocsPerEvaluation      int64   `json:"allocsPerEvaluation"`
	BytesPerEvaluation       int64   `json:"bytesPerEvaluation"`
	PostsJudgedPerSecond     float64 `json:"postsJudgedPerSecond"`
}

func main() {
	out := flag.String("out", "", "write the figures to this file")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the evaluation to this file")
	flag.Parse()
	if err := run(*out, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "benchpolicy:", err)
		os.Exit(1)
	}
}

func run(out, profile string) error {
	policy, problems := governance.Compile("moe-manual", manual.Spec())
	if len(problems) > 0 {
		return fmt.Errorf("the policy does not compile: %v", problems)
	}
	inputs := fleet(accounts, policy)
	if err := check(inputs); err != nil {
		return err
	}
	matcher, err := text.NewMatcher(dictionary(terms), text.Arabic)
	if err != nil {
		return fmt.Errorf("preparing the terms: %w", err)
	}
	evaluated, err := profiled(profile, func() testing.BenchmarkResult { return evaluate(inputs) })
	if err != nil {
		return err
	}
	judged, searched := judge(inputs), search(matcher, corpus(textBytes))
	f := figures{
		AccountsPerSecondPerCore: perSecond(evaluated, 1),
		AllocsPerEvaluation:      evaluated.AllocsPerOp(), BytesPerEvaluation: evaluated.AllocedBytesPerOp(),
		PostsJudgedPerSecond: perSecond(judged, float64(len(acts(0)))),
		TextMBPerSecond:      perSecond(searched, float64(searched.Bytes)/1e6),
	}
	fmt.Fprintf(os.Stdout, "%-44s %12.0f\n", "accounts evaluated per second and core", f.AccountsPerSecondPerCore)
	fmt.Fprintf(os.Stdout, "%-44s %12d\n", "allocations per evaluation", f.AllocsPerEvaluation)
	fmt.Fprintf(os.Stdout, "%-44s %12d\n", "bytes per evaluation", f.BytesPerEvaluation)
	fmt.Fprintf(os.Stdout, "%-44s %12.0f\n", "posts judged per second and core", f.PostsJudgedPerSecond)
	fmt.Fprintf(os.Stdout, "%-44s %12.0f\n", "MB of text per second, 10,000 terms", f.TextMBPerSecond)
	return write(out, f)
}

// check makes sure that the benchmark measures what it says.
func check(inputs []governance.Input) error {
	violating := 0
	for _, in := range inputs {
		res := governance.Evaluate(in)
		if len(res.Rules) != wantRules {
			return fmt.Errorf("%d rules apply to %s, not %d", len(res.Rules), in.Account.Name, wantRules)
		}
		if res.Unknown > 0 {
			return fmt.Errorf("%s: %s", in.Account.Name, res.Findings[0].Message)
		}
		if res.Violated > 0 {
			violating++
		}
	}
	if violating == 0 || violating == len(inputs) {
		return errors.New("either all accounts break a rule or none does")
	}
	return nil
}

func profiled(path string, measure func() testing.BenchmarkResult) (testing.BenchmarkResult, error) {
	if path == "" {
		return measure(), nil
	}
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		return testing.BenchmarkResult{}, fmt.Errorf("profiling: %w", err)
	}
	result := measure()
	pprof.StopCPUProfile()
	if err := os.WriteFile(path, raw.Bytes(), 0o600); err != nil {
		return testing.BenchmarkResult{}, fmt.Errorf("writing the profile: %w", err)
	}
	return result, nil
}

func evaluate(inputs []governance.Input) testing.BenchmarkResult {
	return measure(0, func(i int) { governance.Evaluate(inputs[i%len(inputs)]) })
}

// judge takes in all the posts of an account anew.
func judge(inputs []governance.Input) testing.BenchmarkResult {
	said := make([][]governance.Act, len(inputs))
	for i := range said {
		said[i] = acts(i)
	}
	return measure(0, func(i int) {
		in := &inputs[i%len(inputs)]
		governance.Judge(nil, governance.JudgeInput{
			Account: in.Account, Policies: in.Policies, Live: in.Live, Acts: said[i%len(said)], Coverage: in.Activity.Coverage, Now: in.Now,
		})
	})
}

func search(matcher *text.Matcher, corpus string) testing.BenchmarkResult {
	return measure(len(corpus), func(int) { matcher.Find(corpus, 0) })
}

// cpuTime is the metric of a result: CPU nanoseconds for each operation.
const cpuTime = "cpu-ns/op"

func measure(bytes int, op func(i int)) testing.BenchmarkResult {
	return testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(bytes))
		begun, i := spent(), 0
		for b.Loop() {
			op(i)
			i++
		}
		b.ReportMetric(float64(spent()-begun)/float64(i), cpuTime)
	})
}

// spent is the CPU time of this process.
func spent() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // the kernel refuses only what no caller can ask
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// perSecond is how much is done in a second of CPU time, at so much an operation.
func perSecond(r testing.BenchmarkResult, each float64) float64 {
	return each * float64(time.Second) / r.Extra[cpuTime]
}

func write(path string, f figures) error {
	if path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the figures: %w", err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}
