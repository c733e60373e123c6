package socialaccount

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/status"
)

// engine is an Observer that the test holds in its hands: one account of it.
type engine struct {
	view   observe.View
	wanted observe.Target
	// judged is the last sequence that was let go; rereads counts orders to read anew.
	judged  uint64
	rereads int
}

func (e *engine) Want(t observe.Target)                      { e.wanted = t }
func (e *engine) Forget(client.ObjectKey)                    {}
func (e *engine) Accounts() source.Source                    { return nil }
func (e *engine) told() *observe.Activity                    { return e.view.Activity }
func (e *engine) answered(at time.Time)                      { e.cover(at.Add(-30*24*time.Hour), at) }
func (e *engine) Look(client.ObjectKey) (observe.View, bool) { return e.view, true }

func (e *engine) Judged(_ client.ObjectKey, sequence uint64) {
	e.judged = sequence
	next := *e.view.Activity
	next.Acts, next.Gone = nil, nil
	e.view.Activity = &next
}

func (e *engine) RereadActivity(client.ObjectKey) {
	e.rereads++
	e.cover(time.Time{}, time.Time{})
	e.view.Activity.Readings = nil
}

// cover says what was read of the posts.
func (e *engine) cover(since, at time.Time) {
	next := observe.Activity{Coverage: map[platform.Action]observe.Coverage{}}
	if e.view.Activity != nil {
		next = *e.view.Activity
		next.Coverage = map[platform.Action]observe.Coverage{}
	}
	for _, a := range []platform.Action{platform.Publish, platform.Reply, platform.Repost} {
		next.Coverage[a] = observe.Coverage{Since: since, At: at}
	}
	next.Coverage[platform.Like] = observe.Coverage{Missing: "the platform does not show likes", Unobservable: true}
	next.Readings = []observe.Reading{{Stream: platform.StreamPosts, Cursor: platform.Cursor(fmt.Sprint("up to ", at.Unix())), Counter: "9", Since: since, At: at}}
	next.Sequence++
	e.view.Activity = &next
}

// desk is a reconciler's pass without API server: what is decided is stored.
type desk struct {
	t      *testing.T
	r      *Reconciler
	engine *engine
	clock  *clocktesting.FakeClock
	facts  facts
}

// noID is a rule about what is published.
func noID() v1alpha1.GovernancePolicySpec {
	s := spec()
	s.Content = []v1alpha1.ContentRule{{Name: "no-id", AnyOf: v1alpha1.TextMatch{Terms: []string{"password"}}, Provision: v1alpha1.Provision{Severity: v1alpha1.SeverityHigh}}}
	return s
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, engine: &engine{}, clock: clocktesting.NewFakeClock(today), facts: inOrder(t)}
	d.engine.view = observe.View{Snapshot: seen()}
	d.engine.answered(today)
	d.begin()
	d.obey(noID())
	return d
}

// begin is a new process.
func (d *desk) begin() {
	d.r = New(Config{Observer: d.engine, Clock: d.clock, FirstLook: 15 * time.Second})
}

// obey puts another edition in force.
func (d *desk) obey(s v1alpha1.GovernancePolicySpec) {
	d.facts.policies = []*governance.Policy{compile(d.t, "moe-manual", s)}
}

// post is made as many minutes before noon as its id says.
func post(id, text string) platform.Act {
	minutes, err := strconv.Atoi(id)
	if err != nil {
		panic(err)
	}
	return platform.Act{ID: id, Action: platform.Publish, At: today.Add(-time.Duration(minutes) * time.Minute), Text: text, URL: "https://x.com/edu_riyadh/status/" + id}
}

// told makes the engine tell of acts, and of posts that are gone.
func (d *desk) told(gone []string, acts ...platform.Act) {
	d.engine.answered(d.clock.Now())
	d.engine.view.Activity.Acts, d.engine.view.Activity.Gone = acts, gone
}

// decide takes what is known, as gather does, and decides. hold says how long the
// status would wait.
func (d *desk) decide() (dec decision, hold time.Duration) {
	f := d.facts
	f.view, f.watched = d.engine.view, true
	f.actions = governance.Actions(f.policies)
	d.r.judge(&f)
	return decide(f, d.clock.Now()), d.r.hold(f, d.clock.Now())
}

// pass decides, and stores the status as the API server would.
func (d *desk) pass() decision {
	d.t.Helper()
	dec, _ := d.decide()
	acc := d.facts.account.DeepCopy()
	acc.Status = *dec.status.DeepCopy()
	d.facts.account = acc
	d.clock.Step(time.Minute)
	return dec
}

// silent fails if a pass would write or tell anything.
func (d *desk) silent(why string) {
	d.t.Helper()
	dec, _ := d.decide()
	if diff := cmp.Diff(d.facts.account.Status, dec.status); !status.Same(d.facts.account.Status, dec.status) {
		d.t.Errorf("%s: written again (-before +after):\n%s", why, diff)
	}
	expectEvents(d.t, dec)
}

// cited are the posts that findings are about.
func cited(d decision) (out []string) {
	for _, f := range d.status.Findings {
		if f.Reference != nil {
			out = append(out, f.Reference.ID+" "+string(f.Verdict))
		}
	}
	return out
}

func note(d decision, reason v1alpha1.EventReason) string {
	for _, o := range d.events {
		if o.reason == reason {
			return o.note
		}
	}
	return ""
}

func TestAPostBecomesAFindingAndClearsWhenItIsGone(t *testing.T) {
	d := newDesk(t)
	expectEvents(t, d.pass())
	d.told(nil, post("1", "good morning"), post("2", "our password is secret"), post("3", "password"))
	dec := d.pass()
	expectEvents(t, dec, v1alpha1.EventViolationFound)
	if got := cited(dec); !slices.Equal(got, []string{"2 Violated", "3 Violated"}) {
		t.Fatalf("findings about %v", got)
	}
	f := dec.status.Findings[0]
	if f.Rule != "content/no-id" || f.Responsible != "a@edu.example" || f.Reference.URL == "" || f.Reference.Excerpt == "" || f.Reference.Action != v1alpha1.ActionPublish || !f.Since.Time.Equal(today.Add(time.Minute)) {
		t.Errorf("the finding is %+v", f)
	}
	if got := *dec.status.Evaluation.Violated; got != 1 {
		t.Errorf("%d rules count as violated", got)
	}
	d.silent("the same again")
	d.pass()
	want := d.engine.wanted
	if d.engine.judged != d.engine.told().Sequence || want.Activity != nil {
		t.Errorf("judged up to %d of %d", d.engine.judged, d.engine.told().Sequence)
	}

	// Another person answers for the account now: not for what was.
	d.facts.account.Spec.Owner.Accountable = "new@edu.example"
	d.told([]string{"2"})
	dec = d.pass()
	expectEvents(t, dec, v1alpha1.EventViolationCleared)
	if got := note(dec, v1alpha1.EventViolationCleared); got != "no longer violated: content/no-id (the post is gone)" {
		t.Errorf("note %q", got)
	}
	if f := dec.status.Findings[0]; !slices.Equal(cited(dec), []string{"3 Violated"}) || f.Responsible != "a@edu.example" || !f.Since.Time.Equal(today.Add(time.Minute)) {
		t.Errorf("the finding is %+v", f)
	}
	d.told(nil, post("3", "good evening"))
	dec = d.pass()
	expectEvents(t, dec, v1alpha1.EventViolationCleared)
	if got := note(dec, v1alpha1.EventViolationCleared); got != "no longer violated: content/no-id (the post was edited)" || len(dec.status.Findings) > 0 {
		t.Errorf("note %q, findings %v", got, dec.status.Findings)
	}
	d.silent("in the end")
}

// Why a post is gone is told even if the pass that heard of it could not write.
func TestAFailedWriteLosesNothing(t *testing.T) {
	d := newDesk(t)
	d.told(nil, post("2", "password"))
	d.pass()
	d.told([]string{"2"})
	d.decide()
	dec := d.pass()
	if got := note(dec, v1alpha1.EventViolationCleared); !strings.Contains(got, "(the post is gone)") {
		t.Errorf("note %q", got)
	}
	d.told(nil, post("4", "password"))
	d.decide()
	if got := cited(d.pass()); !slices.Equal(got, []string{"4 Violated"}) {
		t.Errorf("findings about %v", got)
	}
}

func TestAnotherEditionJudgesAnew(t *testing.T) {
	d := newDesk(t)
	d.told(nil, post("2", "password"))
	first := d.pass().status.Findings[0]
	s := noID()
	s.Version, s.Content[0].AnyOf.Terms = "2.0", []string{"password", "secret"}
	d.obey(s)
	_, hold := d.decide()
	if d.engine.rereads != 1 || hold != 15*time.Second {
		t.Errorf("%d orders to read anew, the status waits %s", d.engine.rereads, hold)
	}
	d.clock.Step(20 * time.Second)
	if _, hold = d.decide(); hold > 0 || d.engine.rereads != 1 {
		t.Errorf("it still waits %s, %d orders", hold, d.engine.rereads)
	}
	dec := d.pass()
	expectEvents(t, dec)
	if got := cited(dec); !slices.Equal(got, []string{"2 Unknown"}) {
		t.Errorf("while it is read anew: findings about %v", got)
	}
	d.clock.Step(time.Minute)
	d.told(nil, post("2", "password"), post("1", "secret"))
	dec = d.pass()
	expectEvents(t, dec, v1alpha1.EventViolationFound)
	i := slices.IndexFunc(dec.status.Findings, func(f v1alpha1.Finding) bool { return f.Reference.ID == "2" })
	if f := dec.status.Findings[i]; len(dec.status.Findings) != 2 || f.Verdict != v1alpha1.VerdictViolated || !f.Since.Equal(&first.Since) || f.Responsible != first.Responsible || f.PolicyVersion != "2.0" {
		t.Errorf("judged anew: %+v", dec.status.Findings)
	}

	s.Version, s.Content[0].AnyOf.Terms = "3.0", []string{"secret"}
	d.obey(s)
	d.decide()
	d.clock.Step(time.Minute)
	d.told(nil, post("2", "password"), post("1", "secret"))
	dec = d.pass()
	expectEvents(t, dec, v1alpha1.EventViolationCleared)
	if got := note(dec, v1alpha1.EventViolationCleared); got != "no longer violated: content/no-id (the policy changed)" {
		t.Errorf("note %q", got)
	}
	d.facts.policies = nil
	dec = d.pass()
	if got := note(dec, v1alpha1.EventViolationCleared); got != "no longer violated: content/no-id (policy moe-manual no longer selects the account)" {
		t.Errorf("note %q", got)
	}
	if dec.status.Activity != nil || len(d.r.memories) > 0 {
		t.Errorf("what nobody asks for is remembered: %+v", dec.status.Activity)
	}
}

// An edition that says the same of acts, or that changes no verdict, writes nothing.
func TestAnEditionThatChangesNoVerdictOfActsWritesNothing(t *testing.T) {
	d := newDesk(t)
	d.told(nil, post("1", "good morning"))
	d.pass()
	s := noID()
	s.Version = "1.1"
	d.obey(s)
	d.silent("another version")
	if d.engine.rereads > 0 {
		t.Errorf("%d orders to read anew", d.engine.rereads)
	}
	s.Content[0].AnyOf.Terms = []string{"secret"}
	d.obey(s)
	if _, hold := d.decide(); hold <= 0 {
		t.Error("it does not wait for what is being read")
	}
	d.clock.Step(5 * time.Second)
	d.told(nil, post("1", "good morning"))
	if _, hold := d.decide(); hold > 0 {
		t.Errorf("it waits %s although everything was read", hold)
	}
	d.silent("judged anew")
}

func TestActivityAloneWritesNothing(t *testing.T) {
	d := newDesk(t)
	d.told(nil, post("1", "good morning"))
	d.pass()
	first := d.facts.account.Status.Activity
	if first == nil || first.Digest == "" || len(first.Streams) != 1 || first.Streams[0].Stream != v1alpha1.StreamPosts || *first.PostsLast30Days != 1 || first.LastPostAt == nil {
		t.Fatalf("written: %+v", first)
	}
	for hour := 1; hour <= 49; hour++ {
		d.clock.SetTime(today.Add(time.Duration(hour) * time.Hour))
		d.engine.view.Snapshot = seen()
		d.engine.view.Snapshot.At = d.clock.Now()
		d.told(nil, post(fmt.Sprint(100+hour), "good evening"))
		dec, _ := d.decide()
		if got, want := !status.Same(d.facts.account.Status, dec.status), hour%24 == 0; got != want {
			t.Fatalf("after %d hours: written %v, want %v", hour, got, want)
		}
		if hour%24 == 0 {
			d.pass()
			if got := d.facts.account.Status.Activity; *got.PostsLast30Days != int32(1+hour) || got.Streams[0].Cursor == first.Streams[0].Cursor {
				t.Errorf("the heartbeat left %+v", got)
			}
		}
	}
}

// What a status holds is enough to go on with, before the connection is open, before
// anything was read, and after.
func TestARestartIsNoEvidenceOfActs(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*desk)
	}{
		{"in order", func(d *desk) { d.told(nil, post("1", "good morning")) }},
		{"violated", func(d *desk) { d.told(nil, post("1", "password"), post("2", "password"), post("3", "fine")) }},
		{"nothing published", func(*desk) {}},
		{"refused", func(d *desk) {
			for a := range d.engine.view.Activity.Coverage {
				d.engine.view.Activity.Coverage[a] = observe.Coverage{Missing: "the platform refuses access to the posts"}
			}
			d.engine.view.Activity.Readings = nil
		}},
		{"with figures", func(d *desk) {
			s := noID()
			s.Performance = &v1alpha1.PerformanceRules{MaxSilenceDays: 5, MinPostsPer30Days: 1}
			d.obey(s)
			d.told(nil, post("1", "password"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			c.change(d)
			d.pass()
			d.silent("the same process")
			told := d.engine.view.Activity

			d.begin()
			d.engine.view = observe.View{Snapshot: remembered(d.facts.account), Restored: true, Lane: observe.LaneState{Reason: observe.LaneConnectionMissing}}
			d.silent("before the connection is open")
			d.engine.view.Lane = observe.LaneState{}
			d.silent("while nobody knows how it is read")
			again := *told
			again.Acts, again.Gone = nil, nil
			d.engine.view.Activity = &again
			d.silent("with the readings of the old process")
			if d.engine.rereads > 0 {
				t.Errorf("%d orders to read anew", d.engine.rereads)
			}
		})
	}
}

// What is wanted of the engine: the actions that rules are about, where the old
// process stopped, and the posts that findings are about.
func TestWhatIsWantedOfActivity(t *testing.T) {
	d := newDesk(t)
	d.told(nil, post("1", "password"), post("2", "password"))
	d.pass()
	f := d.facts
	f.cadence.ActivityEvery = time.Hour
	f.actions = governance.Actions(f.policies)
	want := wantActivity(&f)
	if want.Every != time.Hour || want.Public || !slices.Contains(want.Actions, platform.Publish) ||
		!slices.Equal(want.Posts, []observe.PostWant{{ID: "1", Action: platform.Publish}, {ID: "2", Action: platform.Publish}}) {
		t.Errorf("wanted %+v", want)
	}
	read := d.engine.told().Readings[0]
	if r := want.Restored[0]; len(want.Restored) != 1 || r.Stream != platform.StreamPosts || !strings.HasPrefix(string(r.Cursor), "up to ") || r.Counter != read.Counter || !r.At.Equal(read.At) || !r.Since.Equal(read.Since) {
		t.Errorf("restored %+v, read %+v", want.Restored, read)
	}
	f.account.Spec.Class = v1alpha1.ClassPersonal
	if !wantActivity(&f).Public {
		t.Error("of a person's own account more than the public part is wanted")
	}
	f.actions = nil
	if wantActivity(&f) != nil {
		t.Error("something is wanted although no rule is about it")
	}
}

func TestNothingOfAPersonsPostIsKept(t *testing.T) {
	d := newDesk(t)
	d.facts.account.Spec.Class = v1alpha1.ClassPersonal
	d.told(nil, post("1", "my password is secret"))
	dec := d.pass()
	if got := cited(dec); !slices.Equal(got, []string{"1 Violated"}) {
		t.Fatalf("findings about %v", got)
	}
	if ref := dec.status.Findings[0].Reference; ref.Excerpt != "" || strings.Contains(fmt.Sprint(dec.status.Findings, dec.events), "secret") {
		t.Errorf("kept: %+v", dec.status.Findings)
	}
}

// The worst come first, but no rule is crowded out by another's posts.
func TestTwentyFindings(t *testing.T) {
	d := newDesk(t)
	s := noID()
	low := v1alpha1.ContentRule{Name: "zz", AnyOf: v1alpha1.TextMatch{Terms: []string{"coin"}}, Provision: v1alpha1.Provision{Severity: v1alpha1.SeverityLow}}
	s.Content = append(s.Content, low)
	d.obey(s)
	var acts []platform.Act
	for i := range 30 {
		acts = append(acts, post(fmt.Sprint(100+i), "password"))
	}
	d.told(nil, append(acts, post("7", "coin"), post("8", "coin"))...)
	dec := d.pass()
	if n := len(dec.status.Findings); n != maxFindings {
		t.Fatalf("%d findings", n)
	}
	if last := dec.status.Findings[maxFindings-1]; last.Rule != "content/zz" || dec.status.Findings[maxFindings-2].Rule != "content/no-id" {
		t.Errorf("the last is %+v", last)
	}
	if got := *dec.status.Evaluation.Violated; got != 2 {
		t.Errorf("%d rules count as violated", got)
	}
	d.silent("the same again")
}

func TestGovernedIsTheWholeFleet(t *testing.T) {
	r := New(Config{})
	acc := inOrder(t).account
	acc.Status.AccountID = "42"
	r.Roster.Put(acc)
	for _, c := range []struct {
		platform   v1alpha1.PlatformName
		id, handle string
		want       bool
	}{
		{"X", "42", "", true}, {"X", "", "Edu_Riyadh", true}, {"X", "42", "renamed", true},
		{"X", "43", "other", false}, {"YouTube", "42", "edu_riyadh", false}, {"X", "", "", false},
	} {
		if got := r.governed(c.platform, c.id, c.handle); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

// The first status waits for the first reading too, but not for one that will not
// come.
func TestTheFirstStatusWaitsForTheFirstReading(t *testing.T) {
	d := newDesk(t)
	d.engine.cover(time.Time{}, time.Time{})
	if _, hold := d.decide(); hold != 15*time.Second {
		t.Errorf("waits %s", hold)
	}
	d.engine.view.Lane.Reason = observe.LanePlatformUnavailable
	if _, hold := d.decide(); hold > 0 {
		t.Errorf("waits %s although the platform is away", hold)
	}
	d.engine.view.Lane.Reason = ""
	d.engine.view.Snapshot.Outcome = observe.Suspended
	if _, hold := d.decide(); hold > 0 {
		t.Errorf("waits %s although the account is suspended", hold)
	}
	d.engine.view.Snapshot.Outcome = observe.Found
	for a := range d.engine.view.Activity.Coverage {
		d.engine.view.Activity.Coverage[a] = observe.Coverage{Missing: "no token of the account is held"}
	}
	if _, hold := d.decide(); hold > 0 {
		t.Errorf("waits %s although nothing can be read", hold)
	}
}
