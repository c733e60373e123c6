package socialaccount

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/status"
)

// expectSame says that two decisions differ in nothing but Observed and Ready,
// and the record of them.
func expectSame(t *testing.T, before, after decision) {
	t.Helper()
	rest := func(d decision) v1alpha1.SocialAccountStatus {
		s := *d.status.DeepCopy()
		s.Transitions = nil
		s.Conditions = slices.DeleteFunc(s.Conditions, func(c metav1.Condition) bool {
			return c.Type == v1alpha1.ConditionObserved || c.Type == v1alpha1.ConditionReady
		})
		return s
	}
	if diff := cmp.Diff(rest(before), rest(after)); diff != "" {
		t.Errorf("more than Observed changed (-before +after):\n%s", diff)
	}
}

func TestGoverned(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*testing.T, *facts)
		want    v1alpha1.State
		message string
	}{
		{"one policy", func(*testing.T, *facts) {}, v1alpha1.GovernedMatched, "governed by moe-manual"},
		{"two policies", func(t *testing.T, f *facts) {
			f.policies = append(f.policies, compile(t, "narrow", v1alpha1.GovernancePolicySpec{Version: "2"}))
		}, v1alpha1.GovernedMatched, "governed by moe-manual, narrow"},
		{"none", func(_ *testing.T, f *facts) { f.policies = nil }, v1alpha1.GovernedNoPolicy, "no policy selects the account"},
		{"unknown tier", func(_ *testing.T, f *facts) { f.account.Spec.Tier = "bakery" }, v1alpha1.GovernedTier, "spec.tier: policy moe-manual does not permit tier bakery"},
		{"a policy that was never accepted", func(_ *testing.T, f *facts) { f.invalid = []string{"new"} }, v1alpha1.GovernedPolicyInvalid, "no edition was ever accepted of policy new"},
		{"only policies that were never accepted", func(_ *testing.T, f *facts) { f.policies, f.invalid = nil, []string{"a", "b"} }, v1alpha1.GovernedPolicyInvalid, "no edition was ever accepted of policy a, b"},
		{"unknown tier beats an unaccepted policy", func(_ *testing.T, f *facts) { f.account.Spec.Tier, f.invalid = "bakery", []string{"new"} }, v1alpha1.GovernedTier, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			c.change(t, &f)
			got := condition(t, decide(f, today), v1alpha1.ConditionGoverned)
			if got.Reason != c.want.Reason() || got.Status != c.want.Status() || c.message != "" && got.Message != c.message {
				t.Errorf("%s/%s %q, want %s %q", got.Status, got.Reason, got.Message, c.want.Reason(), c.message)
			}
		})
	}
}

func TestCompliantIsThreeValued(t *testing.T) {
	audit := spec()
	audit.Mode = v1alpha1.ModeAudit
	for _, c := range []struct {
		name    string
		change  func(*testing.T, *facts)
		want    v1alpha1.State
		message string
	}{
		{"all pass", func(*testing.T, *facts) {}, v1alpha1.CompliantAllPass, "every enforced rule passes"},
		{"one violated", func(_ *testing.T, f *facts) { f.view.Snapshot.Profile.Verified = false }, v1alpha1.CompliantViolated, "violated: identity/verified"},
		{"violated beats unknown", func(_ *testing.T, f *facts) {
			f.view.Snapshot.Profile.Verified, f.view.Snapshot.AvatarPerceptualHash = false, ""
		}, v1alpha1.CompliantViolated, "violated: identity/verified"},
		{"one unknown", func(_ *testing.T, f *facts) { f.view.Snapshot.AvatarPerceptualHash = "" }, v1alpha1.CompliantEvidenceMissing, "not known: identity/avatar"},
		{"what the platform does not tell is no pass", func(_ *testing.T, f *facts) { f.readable &^= governance.FactVerified }, v1alpha1.CompliantEvidenceMissing, "not known: identity/verified"},
		{"no policy", func(_ *testing.T, f *facts) { f.policies = nil }, v1alpha1.CompliantEvidenceMissing, "no rule applies to the account"},
		{"not seen yet", func(_ *testing.T, f *facts) { unseen(f) }, v1alpha1.CompliantAwaiting, "the account has not been seen yet"},
		{"not seen yet, but violated on paper", func(_ *testing.T, f *facts) { unseen(f); f.account.Spec.Team = nil }, v1alpha1.CompliantViolated, "violated: ownership/min-people"},
		{"suspended", func(_ *testing.T, f *facts) { says(observe.Suspended)(f) }, v1alpha1.CompliantEvidenceMissing, "not known: identity/approved-profile, identity/avatar, identity/bio-must-contain, identity/verified"},
		{"no adapter", func(_ *testing.T, f *facts) { unobservable(f) }, v1alpha1.CompliantEvidenceMissing, ""},
		{"audit only", func(t *testing.T, f *facts) {
			f.policies = []*governance.Policy{compile(t, "moe-manual", audit)}
			f.view.Snapshot.Profile.Verified = false
		}, v1alpha1.CompliantAllPass, "every enforced rule passes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			c.change(t, &f)
			got := condition(t, decide(f, today), v1alpha1.ConditionCompliant)
			if got.Reason != c.want.Reason() || got.Status != c.want.Status() {
				t.Fatalf("%s/%s %q, want %s/%s", got.Status, got.Reason, got.Message, c.want.Status(), c.want.Reason())
			}
			if c.message != "" && !sameWords(got.Message, c.message) {
				t.Errorf("message %q, want %q", got.Message, c.message)
			}
		})
	}
}

// sameWords compares messages whose lists follow the order of a policy's
// sections, which is not the subject here.
func sameWords(a, b string) bool {
	words := func(s string) []string {
		w := slices.Collect(splitSeq(s))
		slices.Sort(w)
		return w
	}
	return slices.Equal(words(a), words(b))
}

func splitSeq(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		start := 0
		for i := 0; i <= len(s); i++ {
			if i == len(s) || s[i] == ' ' || s[i] == ',' {
				if i > start && !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
	}
}

func TestALongListOfRulesIsCut(t *testing.T) {
	if got := brief([]string{"a", "b", "c", "d", "e", "f", "g"}); got != "a, b, c, d, e and 2 more" {
		t.Errorf("got %q", got)
	}
	if got := brief([]string{"a", "b", "c", "d", "e"}); got != "a, b, c, d, e" {
		t.Errorf("got %q", got)
	}
}

func TestTheAccountIDIsPinnedOnce(t *testing.T) {
	for _, c := range []struct{ name, declared, pinned, seen, want string }{
		{"first look", "", "", "42", "42"},
		{"never seen", "", "", "", ""},
		{"declared", "7", "", "", "7"},
		{"declared later than pinned", "7", "42", "42", "7"},
		{"an answer about another account does not move it", "", "42", "666", "42"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			f.account.Spec.AccountID, f.account.Status.AccountID, f.view.Snapshot.Profile.ID = c.declared, c.pinned, c.seen
			if got := decide(f, today).status.AccountID; got != c.want {
				t.Errorf("pinned %q, want %q", got, c.want)
			}
		})
	}
}

func TestFindingsKeepSinceAndResponsible(t *testing.T) {
	f := inOrder(t)
	f.view.Snapshot.Profile.Verified = false
	pass(&f, today)
	f.account.Spec.Owner.Accountable = "successor@edu.example"
	second := pass(&f, today.Add(48*time.Hour))
	got := second.status.Findings[0]
	if got.Rule != "identity/verified" || got.Responsible != "a@edu.example" || !got.Since.Time.Equal(today) {
		t.Errorf("a later handover rewrote %+v", got)
	}
	expectEvents(t, second)

	f.view.Snapshot.Profile.Verified = true
	expectEvents(t, pass(&f, today.Add(72*time.Hour)), v1alpha1.EventViolationCleared)
	f.view.Snapshot.Profile.Verified = false
	again := pass(&f, today.Add(96*time.Hour))
	expectEvents(t, again, v1alpha1.EventViolationFound)
	if got := again.status.Findings[0]; got.Responsible != "successor@edu.example" || !got.Since.Time.Equal(today.Add(96*time.Hour)) {
		t.Errorf("a violation that came again is %+v", got)
	}
}

func TestAViolationThatCouldNotBeSeenForAWhileIsTheSame(t *testing.T) {
	for _, hidden := range []struct {
		name string
		by   func(*facts)
	}{
		{"suspended", says(observe.Suspended)},
		{"not found", says(observe.NotFound)},
		{"the platform did not tell", func(f *facts) { f.readable &^= governance.FactVerified }},
	} {
		t.Run(hidden.name, func(t *testing.T) {
			f := inOrder(t)
			f.view.Snapshot.Profile.Verified = false
			expectEvents(t, pass(&f, today), v1alpha1.EventViolationFound)
			view, readable := f.view, f.readable
			hidden.by(&f)
			during := pass(&f, today.Add(time.Hour))
			if slices.Contains(reasons(during), v1alpha1.EventViolationCleared) {
				t.Error("what cannot be judged counts as cleared")
			}
			if got := rules(during, v1alpha1.VerdictUnknown); !slices.Contains(got, "identity/verified") {
				t.Errorf("unknown: %v", got)
			}
			f.view, f.readable = view, readable
			f.account.Spec.Owner.Accountable = "successor@edu.example"
			after := pass(&f, today.Add(2*time.Hour))
			if slices.Contains(reasons(after), v1alpha1.EventViolationFound) {
				t.Error("the violation is told twice")
			}
			if got := after.status.Findings[0]; got.Responsible != "a@edu.example" || !got.Since.Time.Equal(today) {
				t.Errorf("it lost since when or who was responsible: %+v", got)
			}
		})
	}
}

func TestAViolationThatEndsUnseenIsClearedOnce(t *testing.T) {
	f := inOrder(t)
	f.view.Snapshot.Profile.Verified = false
	pass(&f, today)
	says(observe.Suspended)(&f)
	pass(&f, today)
	f.view.Snapshot = seen()
	expectEvents(t, pass(&f, today), v1alpha1.EventAccountRestored, v1alpha1.EventViolationCleared)
	expectEvents(t, pass(&f, today))
}

func TestAnUnknownFindingNamesNobodyAsResponsible(t *testing.T) {
	f := inOrder(t)
	f.view.Snapshot.AvatarPerceptualHash = ""
	d := pass(&f, today)
	if got := d.status.Findings[0]; got.Verdict != v1alpha1.VerdictUnknown || got.Responsible != "" {
		t.Errorf("got %+v", got)
	}
	expectEvents(t, d)
	f.view.Snapshot.AvatarPerceptualHash = "ffffffffffffffff"
	d = pass(&f, today.Add(time.Hour))
	expectEvents(t, d, v1alpha1.EventViolationFound)
	if got := d.status.Findings[0]; got.Responsible != "a@edu.example" || !got.Since.Time.Equal(today.Add(time.Hour)) {
		t.Errorf("got %+v", got)
	}
}

func TestFindingsAreCappedAndCountsAreNot(t *testing.T) {
	f := inOrder(t)
	many := spec()
	for i := range 25 {
		many.Attestations = append(many.Attestations, v1alpha1.AttestationRule{Control: v1alpha1.RuleName(fmt.Sprintf("control-%02d", i)), EveryDays: 30})
	}
	f.policies = []*governance.Policy{compile(t, "moe-manual", many)}
	f.view.Snapshot.Profile.Verified = false
	d := pass(&f, today)
	if n := len(d.status.Findings); n != 20 {
		t.Errorf("%d findings", n)
	}
	if e := d.status.Evaluation; *e.Unknown != 25 || *e.Violated != 1 || *e.Rules != 31 || *e.Passed != 5 || *e.Excepted != 0 {
		t.Errorf("counts %+v", e)
	}
	if d.status.Findings[0].Rule != "identity/verified" {
		t.Errorf("the worst is %s", d.status.Findings[0].Rule)
	}
	expectEvents(t, pass(&f, today.Add(time.Hour)))
}

func TestDriftIsDatedFromWhenEachValueWasFirstSeen(t *testing.T) {
	f := inOrder(t)
	pass(&f, today)
	f.view.Snapshot.Profile.DisplayName = "Hacked"
	d := pass(&f, today.Add(time.Hour))
	expectEvents(t, d, v1alpha1.EventProfileDrifted, v1alpha1.EventViolationFound)
	f.view.Snapshot.Profile.Bio = "الحساب الرسمي المؤقت"
	d = pass(&f, today.Add(2*time.Hour))
	expectEvents(t, d, v1alpha1.EventProfileDrifted)
	want := []v1alpha1.Drift{
		{Field: "displayName", Want: "تعليم الرياض", Got: "Hacked", Since: status.Time(today.Add(time.Hour))},
		{Field: "bio", Want: "الحساب الرسمي", Got: "الحساب الرسمي المؤقت", Since: status.Time(today.Add(2 * time.Hour))},
	}
	if diff := cmp.Diff(want, d.status.Drift); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.view.Snapshot.Profile.DisplayName = "Hacked again"
	d = pass(&f, today.Add(3*time.Hour))
	expectEvents(t, d, v1alpha1.EventProfileDrifted)
	if !d.status.Drift[0].Since.Time.Equal(today.Add(3*time.Hour)) || !d.status.Drift[1].Since.Time.Equal(today.Add(2*time.Hour)) {
		t.Errorf("since %v and %v", d.status.Drift[0].Since, d.status.Drift[1].Since)
	}
	f.view.Snapshot.Profile.DisplayName = "تعليم الرياض"
	expectEvents(t, pass(&f, today.Add(4*time.Hour)))
	f.view.Snapshot.Profile.Bio = "الحساب الرسمي"
	d = pass(&f, today.Add(5*time.Hour))
	expectEvents(t, d, v1alpha1.EventProfileSettled, v1alpha1.EventViolationCleared)
	if len(d.status.Drift) != 0 {
		t.Errorf("drift %v", d.status.Drift)
	}
}

func TestDriftStaysWhileTheAccountCannotBeRead(t *testing.T) {
	f := inOrder(t)
	f.view.Snapshot.Profile.DisplayName = "Hacked"
	before := pass(&f, today)
	f.view.Snapshot = outcome(observe.Suspended)
	d := pass(&f, today.Add(time.Hour))
	if diff := cmp.Diff(before.status.Drift, d.status.Drift); diff != "" {
		t.Errorf("(-before +suspended):\n%s", diff)
	}
	rivalled(&f)
	if d := pass(&f, today.Add(2*time.Hour)); d.status.Drift != nil {
		t.Errorf("an account that is another's drifts: %v", d.status.Drift)
	}
}

func TestDriftStaysWhileItsFieldIsNotTold(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*facts)
		hide   func(*facts)
	}{
		{"displayName", func(f *facts) { f.view.Snapshot.Profile.DisplayName = "Hacked" }, func(f *facts) { f.readable &^= governance.FactDisplayName }},
		{"bio", func(f *facts) { f.view.Snapshot.Profile.Bio = "" }, func(f *facts) { f.readable &^= governance.FactBio }},
		{"handle", func(f *facts) { f.view.Snapshot.Profile.Handle = "other" }, func(f *facts) { f.readable &^= governance.FactHandle }},
		{"avatar", func(f *facts) { f.view.Snapshot.AvatarPerceptualHash = "ffffffffffffffff" }, func(f *facts) { f.view.Snapshot.AvatarPerceptualHash = "" }},
		{"avatar", func(f *facts) { f.view.Snapshot.Profile.AvatarURL = "" }, func(f *facts) { f.readable &^= governance.FactAvatar }},
	} {
		f := inOrder(t)
		f.account.Spec.Profile.Avatar = &v1alpha1.ApprovedAvatar{PerceptualHash: emblem}
		c.change(&f)
		before := pass(&f, today)
		if len(before.status.Drift) != 1 || before.status.Drift[0].Field != c.field {
			t.Fatalf("drift %+v", before.status.Drift)
		}
		c.hide(&f)
		after := pass(&f, today.Add(time.Hour))
		if diff := cmp.Diff(before.status.Drift, after.status.Drift); diff != "" {
			t.Errorf("%s (-told +not told):\n%s", c.field, diff)
		}
		expectEvents(t, after)
	}
}

func TestWhatTheHandoverOwnsIsCarriedOver(t *testing.T) {
	f := inOrder(t)
	f.account.Status.Credentials = &v1alpha1.CredentialStatus{SecretVersion: "3"}
	f.account.Status.Handover = &v1alpha1.Handover{ID: "h"}
	f.account.Status.Custody = []v1alpha1.Custody{{Unit: "riyadh"}}
	d := decide(f, today)
	if d.status.Credentials.SecretVersion != "3" || d.status.Handover.ID != "h" || len(d.status.Custody) != 1 {
		t.Errorf("got %+v", d.status)
	}
}

func TestADecisionIsAFunctionOfItsFacts(t *testing.T) {
	f := inOrder(t)
	f.view.Snapshot.Profile.DisplayName, f.view.Snapshot.Profile.Bio, f.view.Snapshot.Profile.Verified = "x", "y", false
	account := f.account.DeepCopy()
	snapshot := *f.view.Snapshot
	first := decide(f, today)
	for range 20 {
		if diff := cmp.Diff(first.status, decide(f, today).status); diff != "" {
			t.Fatalf("the same facts, another decision:\n%s", diff)
		}
	}
	if diff := cmp.Diff(account, f.account); diff != "" {
		t.Errorf("the account of the cache was changed:\n%s", diff)
	}
	if snapshot != *f.view.Snapshot {
		t.Error("the engine's snapshot was changed")
	}
}

// Whoever decides a condition, its changes stand among the account's transitions,
// and Ready sums it up.
func TestWhatTheHandoverDecidesIsSummedUpAndRemembered(t *testing.T) {
	f := inOrder(t)
	f.account.Spec.Credentials = &v1alpha1.AccountCredentials{}
	put := func(status metav1.ConditionStatus, reason string) {
		meta.SetStatusCondition(&f.account.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionCredentialsHealthy, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonVerified})
		meta.SetStatusCondition(&f.account.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionHandoverComplete, Status: status, Reason: reason})
	}
	put(metav1.ConditionFalse, v1alpha1.ReasonAwaitingHuman)
	d := pass(&f, today)
	ready := meta.FindStatusCondition(d.status.Conditions, v1alpha1.ConditionReady)
	if ready.Status != metav1.ConditionFalse || ready.Reason != v1alpha1.ReasonAwaitingHuman {
		t.Errorf("Ready is %s/%s", ready.Status, ready.Reason)
	}
	put(metav1.ConditionTrue, v1alpha1.ReasonSettled)
	d = pass(&f, today.Add(time.Hour))
	var reasons []string
	for _, transition := range d.status.Transitions {
		if transition.Condition == v1alpha1.ConditionHandoverComplete {
			reasons = append(reasons, transition.Reason)
		}
	}
	if want := []string{v1alpha1.ReasonAwaitingHuman, v1alpha1.ReasonSettled}; !slices.Equal(reasons, want) {
		t.Errorf("transitions %v, want %v", reasons, want)
	}
	again := pass(&f, today.Add(2*time.Hour))
	if len(again.status.Transitions) != len(d.status.Transitions) {
		t.Error("a transition is recorded twice")
	}
	for _, c := range ours(f.account, d.status.Conditions) {
		if c.Type == v1alpha1.ConditionHandoverComplete {
			t.Error("this controller writes what the handover decides")
		}
	}
}
