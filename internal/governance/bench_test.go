package governance

import (
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// benchmarkInput is an account in order under one policy of 22 rules, of which
// this version evaluates 13.
func benchmarkInput(b *testing.B) Input {
	b.Helper()
	s := everything()
	in := Input{Account: newAccount(), Live: newLive(), Now: today, Policies: []*Policy{compile(b, "moe-manual", &s)}}
	in.Account.Spec.Profile = &v1alpha1.ApprovedProfile{DisplayName: in.Live.Profile.DisplayName, Bio: in.Live.Profile.Bio, Website: "https://edu.example/riyadh/"}
	in.Account.Spec.Attestations = []v1alpha1.Attestation{{Control: "two-factor-enabled", At: day(-1)}}
	in.Account.Spec.Acknowledgements = []v1alpha1.Acknowledgement{ack("a@edu.example", day(-9)), ack("b@edu.example", day(-9)), ack("c@edu.example", day(-9))}
	in.AccountsOf = func(string) int { return 1 }
	return in
}

func run(b *testing.B, in Input) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(in)
	}
}

// Only the rules that this version evaluates: no findings.
func BenchmarkEvaluateClean(b *testing.B) {
	in := benchmarkInput(b)
	s := everything()
	s.Credentials, s.Activity, s.Content, s.Sources, s.Languages, s.Performance, s.Rules = nil, nil, nil, nil, nil, nil, nil
	in.Policies = []*Policy{compile(b, "moe-manual", &s)}
	if res := Evaluate(in); len(res.Findings) > 0 || res.Passed < 12 {
		b.Fatalf("not clean: %+v", res)
	}
	run(b, in)
}

func BenchmarkEvaluateEverySection(b *testing.B) { run(b, benchmarkInput(b)) }

func BenchmarkEvaluateThreePolicies(b *testing.B) {
	in := benchmarkInput(b)
	s := everything()
	in.Policies = append(in.Policies, compile(b, "n-region", &s), compile(b, "o-schools", &s))
	run(b, in)
}

func BenchmarkEvaluateNotSeen(b *testing.B) {
	in := benchmarkInput(b)
	in.Live, in.LiveMissing = nil, "the account is suspended"
	run(b, in)
}

func BenchmarkCompile(b *testing.B) {
	s := everything()
	b.ReportAllocs()
	for b.Loop() {
		compile(b, "moe-manual", &s)
	}
}
