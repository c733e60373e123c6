package socialaccount

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
)

const (
	allFacts = governance.FactLocation<<1 - 1
	emblem   = "00ff00ff00ff00ff"
)

var (
	created = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	today   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// spec is an edition with rules on what an account declares and on what is live.
func spec() v1alpha1.GovernancePolicySpec {
	return v1alpha1.GovernancePolicySpec{
		Version:   "1.0",
		Tiers:     []v1alpha1.Tier{{Name: "directorate", MinPeople: 2}},
		Ownership: &v1alpha1.OwnershipRules{AllowedDomains: []v1alpha1.DomainName{"edu.example"}},
		Identity: &v1alpha1.IdentityRules{
			BioMustContain: []string{"الحساب الرسمي"}, Verified: v1alpha1.VerifiedRequired,
			Avatars: []v1alpha1.AvatarRule{{Name: "emblem", PerceptualHash: emblem}},
		},
	}
}

func compile(t testing.TB, name string, s v1alpha1.GovernancePolicySpec) *governance.Policy {
	t.Helper()
	p, problems := governance.Compile(name, &s)
	if len(problems) > 0 {
		t.Fatalf("policy %s does not compile: %v", name, problems)
	}
	return p
}

// inOrder are the facts of an account that is in order and that nobody has
// judged yet.
func inOrder(t testing.TB) facts {
	t.Helper()
	acc := &v1alpha1.SocialAccount{}
	acc.Name, acc.Namespace, acc.UID, acc.Generation = "riyadh-x", "edu-riyadh", "uid-1", 3
	acc.CreationTimestamp = metav1.NewTime(created)
	acc.Spec = v1alpha1.SocialAccountSpec{
		Platform: v1alpha1.PlatformX, Handle: "edu_riyadh", Class: v1alpha1.ClassOfficial, Tier: "directorate",
		Owner:   v1alpha1.Owner{Unit: "riyadh", Accountable: "a@edu.example"},
		Team:    []v1alpha1.TeamMember{{Person: "b@edu.example", Roles: []v1alpha1.Role{v1alpha1.RolePublisher}}},
		Profile: &v1alpha1.ApprovedProfile{DisplayName: "تعليم الرياض", Bio: "الحساب الرسمي"},
	}
	return facts{
		account: acc, policies: []*governance.Policy{compile(t, "moe-manual", spec())},
		cadence:    governance.Cadence{ProfileEvery: time.Hour, StaleAfter: 6 * time.Hour},
		observable: true, readable: allFacts, connection: "x-moe", watched: true,
		view:       observe.View{Snapshot: seen()},
		accountsOf: func(string) int { return 1 },
		since:      sinces{{"moe-manual", created}},
	}
}

// seen is what the platform shows of an account in order.
func seen() *observe.Snapshot {
	return &observe.Snapshot{
		Outcome: observe.Found, AvatarPerceptualHash: emblem, At: today,
		Profile: platform.Profile{
			ID: "42", Handle: "edu_riyadh", DisplayName: "تعليم الرياض", Bio: "الحساب الرسمي",
			AvatarURL: "https://pbs.twimg.com/a.png", Verified: true, Followers: 1000, Posts: 10,
		},
	}
}

// outcome is a snapshot of an account that was seen before and is gone now.
func outcome(o observe.Outcome) *observe.Snapshot {
	s := seen()
	s.Outcome = o
	return s
}

// pass decides, stores the status as the API server would, and goes on.
func pass(f *facts, now time.Time) decision {
	d := decide(*f, now)
	acc := f.account.DeepCopy()
	acc.Status = *d.status.DeepCopy()
	f.account = acc
	return d
}

func condition(t *testing.T, d decision, conditionType string) metav1.Condition {
	t.Helper()
	c := meta.FindStatusCondition(d.status.Conditions, conditionType)
	if c == nil {
		t.Fatalf("there is no condition %s", conditionType)
	}
	return *c
}

func reasons(d decision) []v1alpha1.EventReason {
	var out []v1alpha1.EventReason
	for _, o := range d.events {
		out = append(out, o.reason)
	}
	return out
}

func expectEvents(t *testing.T, d decision, want ...v1alpha1.EventReason) {
	t.Helper()
	got := reasons(d)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", d.events, want)
	}
}

// rules lists the findings of a verdict.
func rules(d decision, verdict v1alpha1.Verdict) []string {
	var out []string
	for _, f := range d.status.Findings {
		if f.Verdict == verdict {
			out = append(out, f.Rule)
		}
	}
	return out
}
