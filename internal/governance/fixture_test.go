package governance

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/text"
)

type (
	spec    = v1alpha1.GovernancePolicySpec
	account = v1alpha1.SocialAccount
	profile = v1alpha1.LiveProfile
)

const (
	allFacts = FactLocation<<1 - 1
	moeHash  = "00ff00ff00ff00ff"
)

var (
	created = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	today   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func day(n int) metav1.Time { return metav1.NewTime(today.AddDate(0, 0, n)) }

func ptr[T any](v T) *T { return &v }

// newAccount is an account in order.
func newAccount() *account {
	acc := &account{}
	acc.Name, acc.Namespace = "riyadh-x", "edu-riyadh"
	acc.CreationTimestamp = metav1.NewTime(created)
	acc.Labels = map[string]string{"region": "riyadh"}
	acc.Spec = v1alpha1.SocialAccountSpec{
		Platform: v1alpha1.PlatformX, Handle: "edu_riyadh", Class: v1alpha1.ClassOfficial, Tier: "directorate",
		Owner: v1alpha1.Owner{Unit: "riyadh", Accountable: "a@edu.example", Contact: "media@edu.example"},
		Team: []v1alpha1.TeamMember{
			{Person: "b@edu.example", Roles: []v1alpha1.Role{v1alpha1.RolePublisher}},
			{Person: "c@edu.example", Roles: []v1alpha1.Role{v1alpha1.RoleApprover, v1alpha1.RoleManager}},
		},
	}
	return acc
}

// newLive is what the platform shows of newAccount.
func newLive() *Live {
	return &Live{Readable: allFacts, Profile: &profile{
		Handle: "Edu_Riyadh", DisplayName: "إدارة تعليم الرياض", Bio: "الحساب الرسمي لإدارة التعليم",
		Website: "https://edu.example/riyadh", AvatarURL: "https://cdn.example/a.png",
		AvatarPerceptualHash: moeHash, Verified: ptr(true), State: v1alpha1.StateActive,
	}}
}

func compile(t testing.TB, name string, s *spec) *Policy {
	t.Helper()
	if s.Version == "" {
		s.Version = "1.0"
	}
	p, problems := Compile(name, s)
	if len(problems) > 0 {
		t.Fatalf("policy %s does not compile: %v", name, problems)
	}
	return p
}

// scene is one judgement of one policy.
type scene struct {
	name    string
	rule    string
	policy  spec
	account func(*account)
	live    func(*Live)
	noLive  bool
	missing string
	fleet   map[string]int
	edition time.Time
	// acts are judged under the policy; nil with a nil coverage: no record.
	acts     []Act
	coverage map[v1alpha1.ActivityAction]Coverage
	governed func(platform v1alpha1.PlatformName, id, handle string) bool

	want     Verdict // 0: the rule does not apply
	message  string
	next     time.Time
	evidence v1alpha1.Evidence // default: Observed
	severity v1alpha1.Severity // default: High
	mode     v1alpha1.FindingMode
	// reference is compared where it is given.
	reference *v1alpha1.FindingReference
}

func (sc *scene) input(t testing.TB) Input {
	t.Helper()
	in := Input{Account: newAccount(), Live: newLive(), LiveMissing: sc.missing, Now: today}
	if sc.account != nil {
		sc.account(in.Account)
	}
	if sc.live != nil {
		sc.live(in.Live)
	}
	if sc.noLive {
		in.Live = nil
	}
	if sc.fleet != nil {
		in.AccountsOf = func(person string) int { return sc.fleet[person] }
	}
	in.EditionSince = func(string) time.Time { return sc.edition }
	in.Policies = []*Policy{compile(t, "moe-manual", sc.policy.DeepCopy())}
	if sc.acts != nil || sc.coverage != nil {
		in.Activity = Judge(nil, JudgeInput{
			Account: in.Account, Policies: in.Policies, Live: in.Live, Acts: sc.acts, Coverage: sc.coverage, Governed: sc.governed, Now: today,
		})
	}
	return in
}

func runScenes(t *testing.T, scenes []scene) {
	t.Helper()
	for _, sc := range scenes {
		t.Run(sc.rule+"/"+sc.name, func(t *testing.T) { sc.check(t, Evaluate(sc.input(t))) })
	}
}

func (sc *scene) check(t *testing.T, res Result) {
	t.Helper()
	var got Verdict
	for _, r := range res.Rules {
		if r.Rule == sc.rule {
			got = r.Verdict
		}
	}
	if got != sc.want {
		t.Fatalf("verdict %v, want %v; findings %+v", got, sc.want, res.Findings)
	}
	if !res.NextChange.Equal(sc.next) {
		t.Errorf("next change %v, want %v", res.NextChange, sc.next)
	}
	var found *v1alpha1.Finding
	for i := range res.Findings {
		if res.Findings[i].Rule == sc.rule {
			found = &res.Findings[i]
		}
	}
	if (found != nil) != (sc.want == Violated || sc.want == Unknown) {
		t.Fatalf("verdict %v with finding %+v", sc.want, found)
	}
	if found != nil {
		sc.checkFinding(t, found)
	}
}

func (sc *scene) checkFinding(t *testing.T, f *v1alpha1.Finding) {
	t.Helper()
	want := v1alpha1.Finding{
		Rule: sc.rule, Policy: "moe-manual", PolicyVersion: "1.0", Message: sc.message,
		Control: f.Control, LegalBasis: f.LegalBasis, Reference: f.Reference,
		Verdict:  v1alpha1.VerdictViolated,
		Evidence: or(sc.evidence, v1alpha1.EvidenceObserved),
		Severity: or(sc.severity, v1alpha1.SeverityHigh),
		Mode:     or(sc.mode, v1alpha1.FindingEnforce),
	}
	if sc.want == Unknown {
		want.Verdict, want.Evidence = v1alpha1.VerdictUnknown, v1alpha1.EvidenceUnobservable
	}
	if sc.reference != nil {
		want.Reference = sc.reference
	}
	if !cmp.Equal(*f, want) {
		t.Errorf("finding\n got %+v\nwant %+v", *f, want)
	}
}

func or[T ~string](v, otherwise T) T {
	if v == "" {
		return otherwise
	}
	return v
}

// everythingRead: every action was read, from 40 days ago until now.
func everythingRead() map[v1alpha1.ActivityAction]Coverage {
	return readSince(day(-40).Time)
}

func readSince(since time.Time) map[v1alpha1.ActivityAction]Coverage {
	read := map[v1alpha1.ActivityAction]Coverage{}
	for _, a := range actions {
		read[a] = Coverage{Since: since, At: today}
	}
	return read
}

// except is what was read, with one action otherwise.
func except(action v1alpha1.ActivityAction, c Coverage) map[v1alpha1.ActivityAction]Coverage {
	read := everythingRead()
	read[action] = c
	return read
}

// post is what the account published some days ago.
func post(id string, daysAgo int, text string) Act {
	return Act{ID: id, Action: v1alpha1.ActionPublish, At: day(-daysAgo).Time, Text: text, URL: "https://x.example/edu_riyadh/status/" + id}
}

// towards is what the account did to another one.
func towards(action v1alpha1.ActivityAction, id, targetID, handle string) Act {
	return Act{ID: id, Action: action, At: day(-1).Time, Target: Target{ID: targetID, Handle: handle, Known: true}}
}

// governedIDs says that these accounts are declared.
func governedIDs(ids ...string) func(v1alpha1.PlatformName, string, string) bool {
	return func(_ v1alpha1.PlatformName, id, _ string) bool { return slices.Contains(ids, id) }
}

// fits says that a text may be shown and is short enough.
func fits(s string, limit int) bool { return text.Visible(s, limit) == s }
