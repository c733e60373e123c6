package governance

import (
	"fmt"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// benchmarkInput is an account in order under one policy of 22 rules.
func benchmarkInput(b *testing.B) Input {
	b.Helper()
	s := everything()
	in := Input{Account: newAccount(), Live: newLive(), Now: today, Policies: []*Policy{compile(b, "moe-manual", &s)}}
	in.Account.Spec.Profile = &v1alpha1.ApprovedProfile{DisplayName: in.Live.Profile.DisplayName, Bio: in.Live.Profile.Bio, Website: "https://edu.example/riyadh/"}
	in.Account.Spec.Attestations = []v1alpha1.Attestation{{Control: "two-factor-enabled", At: day(-1)}}
	in.Account.Spec.Acknowledgements = []v1alpha1.Acknowledgement{ack("a@edu.example", day(-9)), ack("b@edu.example", day(-9)), ack("c@edu.example", day(-9))}
	in.AccountsOf = func(string) int { return 1 }
	in.Account.Spec.Credentials, in.Account.Spec.Language = &v1alpha1.AccountCredentials{}, "ar"
	in.Account.Status.Credentials = &v1alpha1.CredentialStatus{IssuedAt: ptr(day(-1))}
	in.Activity = Judge(nil, JudgeInput{Account: in.Account, Policies: in.Policies, Acts: benchmarkActs(), Coverage: everythingRead(), Governed: governedIDs(), Now: today})
	return in
}

func run(b *testing.B, in Input) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(in)
	}
}

func benchmarkActs() []Act {
	acts := make([]Act, 20)
	for i := range acts {
		acts[i] = post(fmt.Sprint(i), i+1, "تعلن إدارة التعليم عن بدء التسجيل في المدارس هذا الأسبوع وعلى الراغبين التقديم")
	}
	return acts
}

func BenchmarkEvaluateEverySection(b *testing.B) {
	in := benchmarkInput(b)
	if res := Evaluate(in); len(res.Findings) > 0 || res.Passed < 22 {
		b.Fatalf("not clean: %+v", res)
	}
	run(b, in)
}

func BenchmarkJudge(b *testing.B) {
	in, acts := benchmarkInput(b), benchmarkActs()
	b.ReportAllocs()
	for b.Loop() {
		Judge(nil, JudgeInput{Account: in.Account, Policies: in.Policies, Acts: acts, Coverage: in.Activity.Coverage, Now: in.Now})
	}
}

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
