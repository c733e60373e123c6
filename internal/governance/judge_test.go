package governance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// diary is one account whose activity is judged over time.
type diary struct {
	t        *testing.T
	account  *account
	policies []*Policy
	record   *Record
	coverage map[v1alpha1.ActivityAction]Coverage
	now      time.Time
}

func newDiary(t *testing.T, s spec) *diary {
	t.Helper()
	return &diary{t: t, account: newAccount(), policies: []*Policy{compile(t, "moe-manual", &s)}, coverage: everythingRead(), now: today}
}

func (d *diary) judge(acts ...Act) *diary {
	d.record = Judge(d.record, JudgeInput{Account: d.account, Policies: d.policies, Acts: acts, Coverage: d.coverage, Governed: governedIDs(), Now: d.now})
	return d
}

func (d *diary) gone(ids ...string) *diary {
	d.record = Judge(d.record, JudgeInput{Account: d.account, Policies: d.policies, Gone: ids, Coverage: d.coverage, Now: d.now})
	return d
}

func (d *diary) evaluate() Result {
	return Evaluate(Input{Account: d.account, Live: newLive(), Policies: d.policies, Activity: d.record, Now: d.now})
}

// posts are the ids and verdicts of the findings about posts, in order.
func (d *diary) posts() string {
	var told []string
	for _, f := range d.evaluate().Findings {
		if f.Reference != nil {
			told = append(told, f.Reference.ID+" "+string(f.Verdict))
		}
	}
	return strings.Join(told, ", ")
}

func (d *diary) want(posts string, verdict Verdict) *diary {
	d.t.Helper()
	res := d.evaluate()
	if got := d.posts(); got != posts {
		d.t.Fatalf("findings about %q, want %q", got, posts)
	}
	if got := res.Rules[0].Verdict; got != verdict {
		d.t.Fatalf("verdict %v, want %v; findings %+v", got, verdict, res.Findings)
	}
	return d
}

var ibanRule = contentRule(v1alpha1.TextMatch{Terms: []string{"iban"}}, "")

func TestAnActIsJudgedOnceAndRemembered(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"), post("2", 1, "hello")).want("1 Violated", Violated)
	before := d.evaluate().Findings[0]
	d.judge(post("3", 0, "IBAN again")).want("3 Violated, 1 Violated", Violated)
	after := d.evaluate()
	if diff := cmp.Diff(before, after.Findings[1]); diff != "" {
		t.Errorf("an old finding moved:\n%s", diff)
	}
	if after.Violated != 1 || len(after.Rules) != 1 {
		t.Errorf("two posts count as %d of %d rules", after.Violated, len(after.Rules))
	}
}

func TestWhatBringsNothingNewChangesNothing(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"))
	before := d.record
	if d.judge(); d.record != before {
		t.Error("the record was made anew")
	}
	d.coverage = readSince(day(-41).Time)
	if d.judge(); d.record == before {
		t.Error("another coverage was not noted")
	}
}

func TestAnEditedPostIsJudgedAgain(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"), post("2", 1, "hello"))
	d.judge(post("1", 2, "harmless")).want("", Pass)
	d.judge(post("2", 1, "now with IBAN")).want("2 Violated", Violated)
}

func TestAPostThatIsGoneClearsItsFinding(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"), post("2", 1, "IBAN"))
	d.gone("2", "999").want("1 Violated", Violated)
	if n, _, _ := d.record.Posts(today); n != 1 {
		t.Errorf("%d posts are counted, want 1", n)
	}
	d.gone("1").want("", Pass)
	if n, whole, last := d.record.Posts(today); n != 0 || !whole || !last.IsZero() {
		t.Errorf("%d posts, whole %v, last %v", n, whole, last)
	}
}

func TestAnotherEditionJudgesAnew(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"), post("2", 1, "swift"))
	wider := contentRule(v1alpha1.TextMatch{Terms: []string{"iban", "swift"}}, "")
	wider.Version = "1.1"
	d.policies = []*Policy{compile(t, "moe-manual", &wider)}
	d.want("1 Unknown", Unknown) // before Judge has seen it
	d.now = d.now.Add(time.Minute)
	d.judge().want("1 Unknown", Unknown)
	if !d.record.NeedsReread {
		t.Fatal("nobody asks for the window to be read again")
	}
	d.judge().want("1 Unknown", Unknown)
	if d.record.NeedsReread {
		t.Fatal("the window is asked for twice")
	}
	for a := range d.coverage { // the engine begins again
		d.coverage[a] = Coverage{At: d.now}
	}
	d.judge(post("2", 1, "swift")).want("2 Violated, 1 Unknown", Violated)
	d.now = d.now.Add(time.Minute)
	for a := range d.coverage {
		d.coverage[a] = Coverage{Since: day(-30).Time, At: d.now}
	}
	d.judge(post("1", 2, "IBAN")).want("2 Violated, 1 Violated", Violated)
}

func TestWhatAnotherEditionDoesNotFindAgainClears(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"))
	other := contentRule(v1alpha1.TextMatch{Terms: []string{"swift"}}, "")
	d.policies = []*Policy{compile(t, "moe-manual", &other)}
	d.now = d.now.Add(time.Minute)
	d.judge()
	d.now = d.now.Add(time.Minute)
	for a := range d.coverage {
		d.coverage[a] = Coverage{Since: day(-30).Time, At: d.now}
	}
	d.judge(post("1", 2, "IBAN")).want("", Pass)
}

// Reads cost: nothing is read again for what no act is judged under.
func TestAnEditionWithTheSameRulesForActsReadsNothingAgain(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"))
	next := *ibanRule.DeepCopy()
	next.Version, next.Mode = "2.0", v1alpha1.ModeAudit
	next.Content[0].Provision = v1alpha1.Provision{Severity: v1alpha1.SeverityCritical, Message: &v1alpha1.Bilingual{EN: "No account numbers."}}
	next.Performance = &v1alpha1.PerformanceRules{MaxSilenceDays: 30}
	d.policies = []*Policy{compile(t, "moe-manual", &next)}
	d.judge().want("1 Violated", Violated)
	if f := d.evaluate().Findings[0]; d.record.NeedsReread || f.Message != "No account numbers." || f.Severity != v1alpha1.SeverityCritical {
		t.Errorf("reread %v, finding %+v", d.record.NeedsReread, f)
	}
}

func TestARecordNeverChanges(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 2, "IBAN"), post("2", 1, "IBAN"))
	first, before := d.record, d.evaluate()
	d.judge(post("1", 2, "harmless"), post("3", 0, "IBAN")).gone("2")
	d.record = first
	if diff := cmp.Diff(before, d.evaluate()); diff != "" {
		t.Errorf("a later judgement changed the record:\n%s", diff)
	}
}

func TestARecordIsBounded(t *testing.T) {
	many := contentRule(v1alpha1.TextMatch{Terms: []string{"iban"}}, "")
	many.Content = append(many.Content, v1alpha1.ContentRule{Name: "other", AnyOf: v1alpha1.TextMatch{Terms: []string{"swift"}}})
	d := newDiary(t, many).judge(post("old", 29, "swift"))
	var acts []Act
	for i := range 1000 {
		act := post(fmt.Sprint(i), 0, "IBAN")
		act.At = today.Add(-time.Duration(i) * time.Minute)
		acts = append(acts, act)
	}
	d.judge(acts...)
	if len(d.record.acts) != maxActs || len(d.record.matches) != maxMatches {
		t.Fatalf("%d acts and %d matches are remembered", len(d.record.acts), len(d.record.matches))
	}
	if !strings.HasSuffix(d.posts(), ", old Violated") {
		t.Fatalf("the only match of a rule was forgotten: %s", d.posts())
	}
	if size := unsafe.Sizeof(seenAct{}); size != 24 {
		t.Errorf("an act takes %d bytes, the comment says 24", size)
	}
	var gone []string
	for i := range maxMatches {
		gone = append(gone, fmt.Sprint(i))
	}
	d.gone(gone...)
	if v := d.evaluate().Rules[0]; !d.record.NeedsReread || v.Verdict != Unknown {
		t.Errorf("with matches forgotten and all others gone: %v, reread %v", v, d.record.NeedsReread)
	}
}

func TestNothingOfATextIsKeptThatMatchesNothing(t *testing.T) {
	d := newDiary(t, ibanRule).judge(post("1", 1, "a secret that nobody needs to know"))
	if got := fmt.Sprintf("%+v", *d.record); strings.Contains(got, "secret") || len(d.record.matches) > 0 {
		t.Errorf("a record holds text: %s", got)
	}
	d.judge(post("2", 1, "IBAN "+strings.Repeat("word ", 100)+"secret"))
	for _, m := range d.record.matches {
		if got := fmt.Sprintf("%+v %+v", m, *m.reference); strings.Contains(got, "secret") || !strings.Contains(got, "IBAN") {
			t.Errorf("a match holds more than an excerpt: %s", got)
		}
	}
}

func TestUndecidedActsAreUnknownAndClear(t *testing.T) {
	d := newDiary(t, spec{Languages: &v1alpha1.LanguageRules{Allowed: []string{"ar"}}})
	d.judge(post("1", 1, "Qatar Riyadh Jeddah")).want("", Unknown)
	d.gone("1").want("", Pass)
}

func TestSeveralPoliciesJudgeOneAct(t *testing.T) {
	d := newDiary(t, ibanRule)
	d.policies = append(d.policies, compile(t, "a-region", ibanRule.DeepCopy()))
	d.judge(post("1", 1, "IBAN"))
	var policies []string
	for _, f := range d.evaluate().Findings {
		policies = append(policies, string(f.Policy))
	}
	if !slices.Equal(policies, []string{"a-region", "moe-manual"}) {
		t.Errorf("findings of %v", policies)
	}
}

func TestAReferenceIsOneThatTheAPIServerTakes(t *testing.T) {
	act := post("1", 1, "IBAN")
	for _, tc := range []struct{ name, url, want string }{
		{"https", "https://x.example/1", "https://x.example/1"},
		{"another scheme", "javascript:alert(1)", ""},
		{"http", "http://x.example/1", ""},
		{"white space", "https://x.example/1 2", ""},
		{"what reorders text", "https://x.example/\u202e1", ""},
		{"too long", "https://x.example/" + strings.Repeat("x", maxURL), ""},
	} {
		act.URL = tc.url
		f := newDiary(t, ibanRule).judge(act).evaluate().Findings[0]
		if string(f.Reference.URL) != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, f.Reference.URL, tc.want)
		}
	}
}

func TestAnExceptionCoversPostsToo(t *testing.T) {
	s := *ibanRule.DeepCopy()
	s.Exceptions = []v1alpha1.Exception{{Name: "e", Rules: []string{"content/no-personal-data"}, Until: metav1.NewTime(day(1).Time)}}
	d := newDiary(t, s).judge(post("1", 1, "IBAN")).want("", Excepted)
	d.now = day(1).Time
	d.want("1 Violated", Violated)
}
