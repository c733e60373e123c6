package expr

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

const everyFact = factLocation<<1 - 1

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// everything sets every field of every variable.
func everything() *Vars {
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{
		Name: "riyadh-x", Namespace: "edu-riyadh", Labels: map[string]string{"region": "riyadh"}, CreationTimestamp: metav1.NewTime(today.AddDate(0, -2, 0)),
	}}
	acc.Spec = v1alpha1.SocialAccountSpec{
		Platform: v1alpha1.PlatformX, Handle: "edu_riyadh", AccountID: "2244994945", Class: v1alpha1.ClassOfficial, Tier: "directorate",
		Language: "ar", Purpose: "أخبار إدارة تعليم الرياض",
		Owner: v1alpha1.Owner{Unit: "riyadh", Accountable: "a@edu.example", Contact: "media@edu.example"},
		Team: []v1alpha1.TeamMember{
			{Person: "b@edu.example", Roles: []v1alpha1.Role{v1alpha1.RolePublisher}},
			{Person: "c@edu.example", Roles: []v1alpha1.Role{v1alpha1.RoleApprover, v1alpha1.RoleManager}},
		},
		Profile: &v1alpha1.ApprovedProfile{DisplayName: "إدارة تعليم الرياض", Bio: "الحساب الرسمي", Website: "https://edu.example"},
		Attestations: []v1alpha1.Attestation{{
			Control: "two-factor-enabled", By: "c@edu.example", At: metav1.NewTime(today.AddDate(0, -1, 0)),
			ValidUntil: ptr(metav1.NewTime(today.AddDate(1, 0, 0))), Evidence: "https://edu.example/8812",
		}},
		Acknowledgements: []v1alpha1.Acknowledgement{{Person: "a@edu.example", Policy: "moe-manual", Version: "1.0", At: metav1.NewTime(today)}},
	}
	return &Vars{
		Account: acc, Readable: everyFact, Now: today,
		Live: &v1alpha1.LiveProfile{
			Handle: "edu_riyadh", DisplayName: "إدارة تعليم الرياض", Bio: "الحساب الرسمي لإدارة التعليم", Website: "https://edu.example",
			Location: "الرياض", AvatarURL: "https://cdn.example/a.png", BannerURL: "https://cdn.example/b.png", Verified: ptr(true),
			State: v1alpha1.StateActive, Followers: ptr(int64(1200)), Posts: ptr(int64(300)), LastPostAt: ptr(metav1.NewTime(today.Add(-time.Hour))), ObservedAt: ptr(metav1.NewTime(today)),
		},
		Post: &PostVars{
			ID: "208", Action: v1alpha1.ActionReply, At: today.Add(-time.Hour), EditedAt: today, Text: "رقم الهُويّة", URL: "https://x.example/208",
			Links: []string{"https://edu.example/a"}, Language: "ar", By: "77",
			Target: &TargetVars{ID: "9", Handle: "SPAregions", Known: true, Governed: ptr(false)},
		},
	}
}

func compile(t testing.TB, kind Kind, source string) *Program {
	t.Helper()
	p, fault := Compile(kind, source)
	if fault != nil {
		t.Fatalf("%s: position %d: %s", source, fault.Position, fault.Text)
	}
	return p
}
