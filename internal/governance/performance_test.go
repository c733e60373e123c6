package governance

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestMaxSilence(t *testing.T) {
	const r = ruleMaxSilence
	rules := spec{Performance: &v1alpha1.PerformanceRules{MaxSilenceDays: 30}}
	told := func(last, seen metav1.Time) func(*Live) {
		return func(l *Live) { l.Profile.LastPostAt, l.Profile.ObservedAt = &last, &seen }
	}
	untold := func(l *Live) { l.Readable &^= FactLastPost }
	readAt := func(at metav1.Time) map[v1alpha1.ActivityAction]Coverage {
		read := everythingRead()
		for a, c := range read {
			c.At = at.Time
			read[a] = c
		}
		return read
	}
	silent := func(from metav1.Time) string {
		return "no post since " + stamp(from.Time) + "; at most 30 days may pass"
	}
	reply := post("1", 3, "نعم")
	reply.Action = v1alpha1.ActionReply
	runScenes(t, []scene{
		{name: "a post", rule: r, policy: rules, acts: []Act{post("1", 3, "نص")}, coverage: everythingRead(), want: Pass, next: day(27).Time},
		{name: "a reply is a sign of life", rule: r, policy: rules, acts: []Act{reply}, coverage: everythingRead(), want: Pass, next: day(27).Time},
		{name: "the profile tells", rule: r, policy: rules, live: told(day(-2), day(0)), want: Pass, next: day(28).Time},
		{name: "silent for too long", rule: r, policy: rules, acts: []Act{post("1", 35, "نص")}, coverage: everythingRead(), want: Violated, severity: medSev, message: silent(day(-35))},
		{name: "silent as long as anything was read", rule: r, policy: rules, coverage: everythingRead(), want: Violated, severity: medSev, message: silent(day(-40))},
		{name: "the profile tells that it is silent", rule: r, policy: rules, live: told(day(-31), day(0)), want: Violated, severity: medSev, message: silent(day(-31))},
		{name: "the newer of profile and posts counts", rule: r, policy: rules, live: told(day(-31), day(0)), acts: []Act{post("1", 3, "نص")}, coverage: everythingRead(), want: Pass, next: day(27).Time},
		{name: "not read for long enough", rule: r, policy: rules, live: untold, coverage: readSince(day(-10).Time), want: Unknown, severity: medSev, next: day(20).Time, message: "no post has been seen since " + stamp(day(-10).Time) + ", and earlier ones have not been read"},
		{name: "an outage is no silence", rule: r, policy: rules, acts: []Act{post("1", 31, "نص")}, coverage: readAt(day(-5)), want: Unknown, severity: medSev, message: "posts were last read on " + stamp(day(-5).Time) + "; whether the account has been silent since is not known"},
		{name: "nothing is known", rule: r, policy: rules, live: untold, want: Unknown, severity: medSev, message: "cannot be judged: what the account does has not been read"},
		{name: "posts cannot be read", rule: r, policy: rules, coverage: except(v1alpha1.ActionPublish, Coverage{Missing: "no token of the account"}), want: Unknown, severity: medSev, message: "cannot be judged: no token of the account"},
	})
}

func TestMinPosts(t *testing.T) {
	const r = ruleMinPosts
	rules := spec{Performance: &v1alpha1.PerformanceRules{MinPostsPer30Days: 3}}
	posts := func(daysAgo ...int) []Act {
		var acts []Act
		for i, d := range daysAgo {
			acts = append(acts, post(fmt.Sprint(i), d, "نص"))
		}
		return acts
	}
	stale := except(v1alpha1.ActionPublish, Coverage{Since: day(-60).Time, At: day(-9).Time})
	const few = "fewer than 3 posts in 30 days"
	runScenes(t, []scene{
		{name: "often enough", rule: r, policy: rules, acts: posts(1, 2, 10, 29), coverage: everythingRead(), want: Pass, next: day(20).Time},
		{name: "too seldom", rule: r, policy: rules, acts: posts(1, 2, 31), coverage: everythingRead(), want: Violated, severity: medSev, message: few},
		{name: "never", rule: r, policy: rules, coverage: everythingRead(), want: Violated, severity: medSev, message: few},
		{name: "often enough within what was read", rule: r, policy: rules, acts: posts(1, 2, 3), coverage: readSince(day(-5).Time), want: Pass, next: day(27).Time},
		{name: "not read for long enough", rule: r, policy: rules, acts: posts(1), coverage: readSince(day(-5).Time), want: Unknown, severity: medSev, next: day(25).Time, message: "fewer than 3 posts are known, of the time since " + stamp(day(-5).Time) + "; 30 days have not been read yet"},
		{name: "an outage hides posts", rule: r, policy: rules, acts: posts(20, 31, 32), coverage: stale, want: Unknown, severity: medSev, message: "posts were last read on " + stamp(day(-9).Time) + "; how many there have been since is not known"},
		{name: "too seldom even before an outage", rule: r, policy: rules, acts: posts(20), coverage: stale, want: Violated, severity: medSev, message: few},
		{name: "nothing was read", rule: r, policy: rules, want: Unknown, severity: medSev, message: "cannot be judged: what the account does has not been read"},
		{name: "posts cannot be read", rule: r, policy: rules, coverage: except(v1alpha1.ActionPublish, Coverage{Missing: "no token of the account"}), want: Unknown, severity: medSev, message: "cannot be judged: no token of the account"},
		{name: "posts were not read yet", rule: r, policy: rules, coverage: map[v1alpha1.ActivityAction]Coverage{}, want: Unknown, severity: medSev, message: "cannot be judged: posts have not been read yet"},
	})
}

func TestCredentialAge(t *testing.T) {
	const r = ruleMaxAge
	rules := spec{Credentials: &v1alpha1.CredentialRules{MaxAgeDays: 90}}
	held := func(issued *metav1.Time) func(*account) {
		return func(a *account) {
			a.Spec.Credentials = &v1alpha1.AccountCredentials{}
			a.Status.Credentials = &v1alpha1.CredentialStatus{IssuedAt: issued}
		}
	}
	runScenes(t, []scene{
		{name: "young", rule: r, policy: rules, account: held(ptr(day(-1))), want: Pass, next: day(89).Time},
		{name: "too old", rule: r, policy: rules, account: held(ptr(day(-90))), want: Violated, severity: medSev, message: "the credential was issued on " + stamp(day(-90).Time) + "; it may be used for 90 days"},
		{name: "age not known", rule: r, policy: rules, account: held(nil), want: Unknown, severity: medSev, message: "cannot be judged: when the account's credential was issued is not known"},
		{name: "never seen", rule: r, policy: rules, account: func(a *account) { a.Spec.Credentials = &v1alpha1.AccountCredentials{} }, want: Unknown, severity: medSev, message: "cannot be judged: when the account's credential was issued is not known"},
		{name: "no credential is declared", rule: r, policy: rules, account: func(a *account) {}},
	})
}
