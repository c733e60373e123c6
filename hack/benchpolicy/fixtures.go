package main

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/manual"
	"mithaq.dev/mithaq/internal/governance"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) metav1.Time { return metav1.NewTime(now.AddDate(0, 0, -n)) }

func ptr[T any](v T) *T { return &v }

// fleet is accounts of which every tenth breaks a rule.
func fleet(n int, policy *governance.Policy) []governance.Input {
	inputs := make([]governance.Input, n)
	for i := range inputs {
		acc := account(i)
		in := governance.Input{
			Account: acc, Live: live(i, acc), Policies: []*governance.Policy{policy}, Now: now,
			AccountsOf:   func(string) int { return 3 },
			EditionSince: func(string) time.Time { return daysAgo(60).Time },
		}
		in.Activity = governance.Judge(nil, governance.JudgeInput{
			Account: acc, Policies: in.Policies, Live: in.Live, Acts: acts(i), Coverage: everythingRead(), Now: now,
			Governed: func(v1alpha1.PlatformName, string, string) bool { return true },
		})
		inputs[i] = in
	}
	return inputs
}

func account(i int) *v1alpha1.SocialAccount {
	acc := &v1alpha1.SocialAccount{}
	acc.Name, acc.Namespace = fmt.Sprintf("school-%d", i), "edu-riyadh"
	acc.CreationTimestamp = daysAgo(90)
	people := []v1alpha1.PersonName{
		v1alpha1.PersonName(fmt.Sprintf("head-%d@edu.example", i)), v1alpha1.PersonName(fmt.Sprintf("press-%d@edu.example", i)), v1alpha1.PersonName(fmt.Sprintf("deputy-%d@edu.example", i)),
	}
	acc.Spec = v1alpha1.SocialAccountSpec{
		Platform: v1alpha1.PlatformX, Handle: fmt.Sprintf("edu_school_%d", i), Class: v1alpha1.ClassOfficial, Tier: "school", Language: "ar",
		Purpose: "أخبار المدرسة وأنشطتها",
		Owner:   v1alpha1.Owner{Unit: "riyadh/north", Accountable: people[0], Contact: "media@edu.example"},
		Team: []v1alpha1.TeamMember{
			{Person: people[1], Roles: []v1alpha1.Role{v1alpha1.RolePublisher}}, {Person: people[2], Roles: []v1alpha1.Role{v1alpha1.RoleApprover}},
		},
		Credentials: &v1alpha1.AccountCredentials{},
		Profile:     &v1alpha1.ApprovedProfile{DisplayName: fmt.Sprintf("مدرسة %d", i), Website: "https://edu.example/schools"},
	}
	for _, control := range []v1alpha1.RuleName{"two-factor-enabled", "recovery-address-ours", "shared-devices-none"} {
		acc.Spec.Attestations = append(acc.Spec.Attestations, v1alpha1.Attestation{Control: control, By: people[0], At: daysAgo(100)})
	}
	for _, p := range people {
		acc.Spec.Acknowledgements = append(acc.Spec.Acknowledgements, v1alpha1.Acknowledgement{Person: p, Policy: "moe-manual", Version: "1.0", At: daysAgo(50)})
	}
	acc.Status.Credentials = &v1alpha1.CredentialStatus{IssuedAt: ptr(daysAgo(20))}
	return acc
}

func live(i int, acc *v1alpha1.SocialAccount) *governance.Live {
	website := "https://edu.example/schools"
	if i%10 == 0 {
		website = "https://blog.example/"
	}
	return &governance.Live{Readable: 1<<12 - 1, Profile: &v1alpha1.LiveProfile{
		Handle: acc.Spec.Handle, DisplayName: acc.Spec.Profile.DisplayName, Bio: "الحساب الرسمي للمدرسة", Website: website,
		AvatarURL: "https://cdn.example/a.png", AvatarPerceptualHash: manual.Emblem, Verified: ptr(true), State: v1alpha1.StateActive,
		LastPostAt: ptr(daysAgo(1)), ObservedAt: ptr(metav1.NewTime(now)),
	}}
}

func acts(i int) []governance.Act {
	said := []string{
		"تعلن إدارة المدرسة عن بدء التسجيل في الأنشطة الطلابية هذا الأسبوع وعلى الراغبين التقديم قبل نهاية الدوام",
		"يسر المدرسة أن تدعو أولياء الأمور إلى حضور اللقاء الأول في قاعة المدرسة يوم الأحد القادم بعد صلاة العصر",
		"The school has announced that the science fair will be open for all of the students in the city",
	}
	var all []governance.Act
	for j := range 12 {
		all = append(all, governance.Act{
			ID: fmt.Sprint(i*100 + j), Action: v1alpha1.ActionPublish, At: daysAgo(1 + 2*j).Time, Text: said[j%len(said)], URL: "https://x.example/s/" + fmt.Sprint(j),
		})
	}
	return all
}

func everythingRead() map[v1alpha1.ActivityAction]governance.Coverage {
	read := map[v1alpha1.ActivityAction]governance.Coverage{}
	for _, a := range []v1alpha1.ActivityAction{v1alpha1.ActionPublish, v1alpha1.ActionReply, v1alpha1.ActionRepost, v1alpha1.ActionLike, v1alpha1.ActionFollow} {
		read[a] = governance.Coverage{Since: daysAgo(60).Time, At: now}
	}
	return read
}

// dictionary is n terms of two and three words, as lists of forbidden phrases are.
func dictionary(n int) []string {
	roots := []string{"حساب", "رقم", "هوية", "بطاقة", "سجل", "طالب", "معلم", "مدرسة", "قرض", "تحويل", "مصرف", "عنوان", "جوال", "ولي", "أمر", "ملف", "شهادة", "درجة", "نتيجة", "كشف", "راتب", "عقد"}
	terms := make([]string, 0, n)
	for i := 0; len(terms) < n; i++ {
		a, b, c := roots[i%len(roots)], roots[i/len(roots)%len(roots)], roots[i/len(roots)/len(roots)%len(roots)]
		terms = append(terms, a+" "+b+" "+c)
	}
	return terms
}

// corpus is at least n bytes of posts, most of them in Arabic.
func corpus(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		for _, act := range acts(i) {
			b.WriteString(act.Text)
			b.WriteString("\n")
		}
	}
	return b.String()
}
