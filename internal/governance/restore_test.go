package governance

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// save writes what the account's controller would write.
func (d *diary) save() {
	res := d.evaluate()
	d.account.Status.Findings = res.Findings[:min(len(res.Findings), maxStatusFindings)]
	d.account.Status.Evaluation = &v1alpha1.Evaluation{Digest: v1alpha1.HexSHA256(res.Digest)}
	count, whole, last := d.record.Posts(d.now)
	a := &v1alpha1.ActivityStatus{Digest: v1alpha1.HexSHA256(d.record.Digest)}
	if whole {
		a.PostsLast30Days = ptr(int32(count))
	}
	if !last.IsZero() {
		a.LastPostAt = ptr(metav1.NewTime(last))
	}
	for stream, actions := range streamActions {
		if c := d.coverage[actions[0]]; !c.Since.IsZero() {
			a.Streams = append(a.Streams, v1alpha1.ActivityStream{Stream: stream, Since: ptr(metav1.NewTime(c.Since)), ReadAt: ptr(metav1.NewTime(c.At))})
		}
	}
	d.account.Status.Activity = a
}

var talkative = spec{
	Content: ibanRule.Content, Sources: []v1alpha1.SourceRule{{Name: "cite", When: v1alpha1.TextMatch{Terms: []string{"figure"}}, LinkDomains: []v1alpha1.DomainName{"edu.example"}}},
	Languages:   &v1alpha1.LanguageRules{Allowed: []string{"en"}, Primary: v1alpha1.PrimaryFromAccount},
	Performance: &v1alpha1.PerformanceRules{MaxSilenceDays: 5, MinPostsPer30Days: 2},
	Activity:    []v1alpha1.ActivityRule{{Name: "no-likes", Effect: v1alpha1.EffectDeny, Actions: []v1alpha1.ActivityAction{v1alpha1.ActionLike}}},
}

const english = "The ministry has announced that the schools will be open for all of the students in the city"

func TestARestartIsNoEvidence(t *testing.T) {
	for _, tc := range []struct {
		name string
		acts []Act
		read map[v1alpha1.ActivityAction]Coverage
	}{
		{"everything in order", []Act{post("1", 1, english), post("2", 2, english)}, everythingRead()},
		{"posts that violate", []Act{post("1", 1, english+" IBAN"), post("2", 8, english+" figure")}, everythingRead()},
		{"too seldom", []Act{post("1", 1, english)}, everythingRead()},
		{"silent", nil, everythingRead()},
		{"a language that nobody can tell", []Act{post("1", 1, english), post("2", 2, "Qatar Riyadh Jeddah")}, everythingRead()},
		{"an action that cannot be read", []Act{post("1", 1, english), post("2", 2, english)}, except(v1alpha1.ActionLike, Coverage{Missing: "no token with scope like.read"})},
		{"the wrong language leads", []Act{post("1", 1, "تعلن إدارة التعليم عن بدء التسجيل في المدارس هذا الأسبوع وعلى الراغبين التقديم"), post("2", 3, english)}, everythingRead()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDiary(t, talkative)
			d.account.Spec.Language = "en"
			d.coverage = tc.read
			d.judge(tc.acts...).save()
			before := d.evaluate()
			d.record = Restore(d.account)
			d.record.Coverage = missingOnly(tc.read) // what the engine knows at once
			if diff := cmp.Diff(before, d.evaluate()); diff != "" {
				t.Errorf("before anything was read:\n%s", diff)
			}
			d.judge()
			if diff := cmp.Diff(before, d.evaluate()); diff != "" || d.record.NeedsReread || !d.record.Restored {
				t.Errorf("reread %v, restored %v:\n%s", d.record.NeedsReread, d.record.Restored, diff)
			}
			for a, c := range d.coverage {
				if c.Missing == "" {
					d.coverage[a] = Coverage{Since: c.Since, At: today.Add(time.Minute)}
				}
			}
			if diff := cmp.Diff(before, d.judge().evaluate()); diff != "" {
				t.Errorf("after the next reading:\n%s", diff)
			}
		})
	}
}

func missingOnly(read map[v1alpha1.ActivityAction]Coverage) map[v1alpha1.ActivityAction]Coverage {
	out := map[v1alpha1.ActivityAction]Coverage{}
	for a, c := range read {
		if c.Missing != "" {
			out[a] = c
		}
	}
	return out
}

func TestAfterARestartNewActsAreJudged(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"))
	d.save()
	d.record = Restore(d.account)
	d.judge(post("2", 0, "IBAN")).want("2 Violated, 1 Violated", Violated)
	d.gone("1").want("2 Violated", Violated).gone("2").want("", Pass)
}

func TestAfterARestartUnderAnotherEditionNothingPasses(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"), post("2", 2, "swift"))
	d.save()
	other := contentRule(v1alpha1.TextMatch{Terms: []string{"swift"}}, "")
	d.policies = []*Policy{compile(t, "moe-manual", &other)}
	d.record = Restore(d.account)
	d.want("1 Unknown", Unknown)
	d.judge().want("1 Unknown", Unknown)
	if !d.record.NeedsReread {
		t.Error("nobody asks for the window to be read again")
	}
}

func TestARestartInTheMiddleOfJudgingAnewBeginsAgain(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"))
	other := contentRule(v1alpha1.TextMatch{Terms: []string{"iban", "swift"}}, "")
	d.policies = []*Policy{compile(t, "moe-manual", &other)}
	d.judge().want("1 Unknown", Unknown).save()
	d.record = Restore(d.account)
	if d.judge(); !d.record.NeedsReread {
		t.Error("what waited to be confirmed is forgotten")
	}
	d.want("1 Unknown", Unknown)
}

func TestAnActionThatCanBeReadSinceARestartEndsOldDoubts(t *testing.T) {
	s := spec{Activity: []v1alpha1.ActivityRule{{Name: "quiet", Effect: v1alpha1.EffectDeny, Actions: []v1alpha1.ActivityAction{v1alpha1.ActionReply, v1alpha1.ActionLike}}}}
	d := newDiary(t, s)
	d.coverage = except(v1alpha1.ActionLike, Coverage{Missing: "no token"})
	d.judge(post("1", 2, "نص")).want("", Unknown).save()
	d.record = Restore(d.account)
	d.judge().want("", Unknown)
	if d.record.NeedsReread {
		t.Fatal("a restart alone asks for the window")
	}
	d.coverage = everythingRead()
	if d.judge().want("", Unknown); !d.record.NeedsReread {
		t.Fatal("nobody asks for the window to be read again")
	}
	d.now = d.now.Add(time.Minute)
	for a := range d.coverage {
		d.coverage[a] = Coverage{Since: day(-30).Time, At: d.now}
	}
	d.judge(post("1", 2, "نص")).want("", Pass)
}

func TestWhatTheStatusHadNoRoomForIsNoPass(t *testing.T) {
	s := *talkative.DeepCopy()
	s.Performance, s.Languages = nil, nil
	d := newDiary(t, s)
	var acts []Act
	for i := range 30 {
		acts = append(acts, post(fmt.Sprint(i), 1, "IBAN figure"))
	}
	d.judge(acts...).save()
	d.record = Restore(d.account)
	for _, r := range d.evaluate().Rules {
		if r.Verdict == Pass {
			t.Errorf("%s passes, though findings were cut off", r.Rule)
		}
	}
}

func TestAnExceptionThatEndedSinceIsNoPass(t *testing.T) {
	s := *ibanRule.DeepCopy()
	s.Exceptions = []v1alpha1.Exception{{Name: "e", Rules: []string{"content/no-personal-data"}, Until: day(1)}}
	d := newDiary(t, s).judge(post("1", 1, "IBAN"))
	d.save()
	d.record = Restore(d.account)
	d.want("", Excepted)
	d.now = day(2).Time
	d.want("", Unknown)
}

func TestAWholeWindowEndsTheRestoration(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"))
	d.save()
	d.record = Restore(d.account)
	d.judge()
	d.now = day(31).Time
	d.judge()
	if d.record.Restored || d.record.NeedsReread {
		t.Errorf("restored %v, reread %v", d.record.Restored, d.record.NeedsReread)
	}
	d.want("1 Violated", Violated)
}

func TestASecondRestartWithoutFiguresReadsAgain(t *testing.T) {
	d := newDiary(t, talkative)
	d.account.Spec.Language = "en"
	d.judge(post("1", 1, english), post("2", 2, english)).save()
	d.record = Restore(d.account)
	d.judge().save() // the number of posts is not known now
	d.record = Restore(d.account)
	if d.judge(); !d.record.NeedsReread {
		t.Error("a verdict stands that nothing supports any more")
	}
}

func TestAnAccountThatWasNeverEvaluatedHasNothingToRestore(t *testing.T) {
	if r := Restore(newAccount()); r != nil {
		t.Errorf("%+v", r)
	}
}
