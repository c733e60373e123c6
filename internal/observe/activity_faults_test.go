package observe

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

func posts(numbers ...string) func(*ActivityWant) {
	return func(w *ActivityWant) {
		for _, n := range numbers {
			w.Posts = append(w.Posts, PostWant{n, platform.Publish})
		}
	}
}

// A post that a finding is about and that is gone is told to be gone, once, after a
// second look; one that was edited is told anew.
func TestPostsOfFindingsAreLookedUpAgain(t *testing.T) {
	r := newReader(t, active(1))
	r.crowd(1)
	r.active.publish(id(0), 2, epoch.Add(-time.Minute))
	r.run(5 * time.Second)
	first, second := id(0)+"-1", id(0)+"-2"
	r.judge(0)
	r.follow(0, posts(first, second))
	r.run(2 * testEvery)
	if got := r.judge(0); len(got.Acts) != 2 || len(got.Gone) > 0 {
		t.Errorf("as they are: %v, gone %v", ids(got.Acts), got.Gone)
	}
	r.accounts.take()
	r.run(3 * testEvery)
	if got := r.judge(0); len(got.Acts)+len(got.Gone) > 0 || len(r.accounts.take()) > 0 {
		t.Errorf("unchanged: %v, gone %v", ids(got.Acts), got.Gone)
	}
	r.active.edit(id(0), 2, "another text")
	r.run(2 * testEvery)
	if got := r.judge(0); !slices.Equal(ids(got.Acts), []string{second}) || got.Acts[0].Text != "another text" || len(got.Gone) > 0 {
		t.Errorf("edited: %v, gone %v", ids(got.Acts), got.Gone)
	}
	r.active.read()
	r.active.erase(id(0), 1)
	r.run(2 * testEvery)
	if got := r.view(0).Activity; !slices.Equal(got.Gone, []string{first}) || len(got.Acts) > 0 {
		t.Errorf("deleted: %v, gone %v", ids(got.Acts), got.Gone)
	}
	looks := 0
	for _, q := range of(streamRereads, r.active.read()) {
		for _, ref := range q.refs {
			if ref.ID == first {
				looks++
			}
		}
	}
	if looks != 2 {
		t.Errorf("it was looked up %d times", looks)
	}
	r.run(2 * testEvery)
	if got := r.judge(0).Gone; !slices.Equal(got, []string{first}) {
		t.Errorf("told to be gone: %v", got)
	}
	r.follow(0, posts(second))
	r.active.read()
	r.run(2 * testEvery)
	for _, q := range of(streamRereads, r.active.read()) {
		if len(q.refs) != 1 {
			t.Errorf("looked up %v", q.refs)
		}
	}
}

// What one look does not find may be a mistake; and an account that is not shown
// itself says nothing about its posts.
func TestAPostThatIsMissedOnceIsNotGone(t *testing.T) {
	r := newReader(t, active(1))
	r.crowd(2)
	r.run(5 * time.Second)
	for i := range 2 {
		r.judge(i)
		r.follow(i, posts(id(i)+"-1"))
	}
	held := r.active.posts[id(0)]
	r.active.posts[id(0)] = nil
	looks := 0
	r.active.failReread = func() error {
		if looks++; looks > 1 {
			r.active.posts[id(0)] = held
		}
		return nil
	}
	r.platform.suspend(id(1))
	r.active.posts[id(1)] = nil
	r.run(3 * testEvery)
	for i := range 2 {
		if got := r.judge(i).Gone; len(got) > 0 {
			t.Errorf("account %d: gone %v", i, got)
		}
	}
}

// Posts are looked up again in batches, whosever they are.
func TestRereadsGoInBatches(t *testing.T) {
	t.Parallel()
	const n = 250
	r := newReader(t, active(50))
	r.crowd(n)
	r.run(5 * time.Second)
	for i := range n {
		r.judge(i)
		r.follow(i, posts(id(i)+"-1"))
	}
	r.run(2 * testEvery)
	r.active.read()
	fails := 0
	r.active.failReread = func() error {
		if fails++; fails == 2 {
			return &platform.Error{Kind: platform.KindUnavailable, Op: "reread"}
		}
		return nil
	}
	r.run(2 * testEvery)
	looked := map[string]int{}
	calls := of(streamRereads, r.active.read())
	for _, q := range calls {
		for _, ref := range q.refs {
			looked[ref.ID]++
		}
	}
	if len(calls) < 6 || len(calls) > 8 || len(looked) != n {
		t.Errorf("two laps of %d posts cost %d calls about %d", n, len(calls), len(looked))
	}
}

// A list that is read whole tells what is new and what is gone, the latter once two
// lists lack it.
func TestAListThatIsReadWhole(t *testing.T) {
	r := newReader(t, active(1))
	r.active.page = 2
	r.platform.set(id(0), handle(0))
	following := func(who ...string) {
		r.active.follows[id(0)] = nil
		for _, w := range who {
			r.active.follows[id(0)] = append(r.active.follows[id(0)], platform.Act{ID: w, Action: platform.Follow})
		}
	}
	following("a", "b", "c", "d", "e")
	want := func() {
		r.follow(0, actions(platform.Follow), func(w *ActivityWant) { w.Posts = []PostWant{{"old", platform.Follow}} })
	}
	want()
	lap := func(acts, gone string) {
		t.Helper()
		r.run(testEvery)
		got := r.judge(0)
		if strings.Join(ids(got.Acts), "") != acts || strings.Join(got.Gone, "") != gone {
			t.Errorf("told %v, gone %v; want %q and %q", ids(got.Acts), got.Gone, acts, gone)
		}
	}
	r.run(5 * time.Second)
	if got := ids(r.judge(0).Acts); len(got) != 5 {
		t.Errorf("told %v", got)
	}
	lap("", "old")
	following("a", "c", "d", "e", "f")
	lap("f", "")
	lap("", "b")
	following("a", "b", "c", "d", "e", "f")
	lap("b", "")
	following()
	lap("", "")
	following("a", "b", "c", "d", "e", "f")
	lap("", "")
}

// Likes are the account's own to show.
func TestStreamsThatNeedATokenOfTheAccount(t *testing.T) {
	r := newReader(t, active(1))
	r.platform.set(id(0), handle(0))
	like := actions(platform.Like)
	r.follow(0, like)
	missing := func(why string) {
		t.Helper()
		r.run(testEvery)
		got := r.view(0).Activity.Coverage[platform.Like]
		if got.Missing != why || got.Unobservable || why != "" && len(r.active.read()) > 0 {
			t.Errorf("got %+v, want %q", got, why)
		}
	}
	missing("no token of the account is held")
	own := func(w *ActivityWant) { w.Own = true }
	r.follow(0, like, own)
	missing("") // whether its vault holds one was not found out yet
	if got := r.active.read(); len(got) > 0 || !r.view(0).Activity.Coverage[platform.Like].At.IsZero() {
		t.Errorf("asked without a token: %v", got)
	}
	r.tokens[key(0)] = ""
	missing("no token of the account is held")
	r.tokens[key(0)] = "broken"
	missing("")
	if got := r.active.read(); len(got) > 0 {
		t.Errorf("asked although the vault cannot be opened: %v", got)
	}
	r.tokens[key(0)] = "secret"
	missing("")
	if got := r.active.read(); len(got) == 0 || got[0].asks[0].Token != "secret" {
		t.Errorf("asked %v", got)
	}
	r.active.refuse = func(platform.Stream, string) error { return &platform.Error{Kind: platform.KindUnauthorized} }
	r.run(testEvery)
	r.active.read()
	missingNow := r.view(0).Activity.Coverage[platform.Like].Missing
	if missingNow != "the platform refuses the token of the account" {
		t.Errorf("refused: %q", missingNow)
	}
	r.active.refuse = nil
	missing("")
	r.active.read()
	r.follow(0, like, own, func(w *ActivityWant) { w.Public = true })
	missing("only what is public is read of a personal account")
	r.follow(0, like, own)
	r.engine.cfg.Tokens = nil
	missing("no token of the account is held")
}

func TestWhatThePlatformDoesNotShow(t *testing.T) {
	adapter := active(1)
	delete(adapter.Streams, platform.StreamLikes)
	r := newReader(t, adapter)
	r.crowd(1)
	r.follow(0, actions(platform.Like, platform.Reply))
	r.run(5 * time.Second)
	got := r.view(0).Activity.Coverage
	if c := got[platform.Like]; c.Missing != "the platform does not show likes" || !c.Unobservable {
		t.Errorf("likes: %+v", c)
	}
	if c := got[platform.Reply]; c.Missing != "" || c.At.IsZero() {
		t.Errorf("replies: %+v", c)
	}
	r.platform.change(id(0), func(p *platform.Profile) { p.Protected = true })
	r.run(testEvery)
	if c := r.view(0).Activity.Coverage[platform.Reply]; c.Missing != "the account hides its posts" || c.At.IsZero() {
		t.Errorf("hidden replies: %+v", c)
	}
	c := r.connection("x")
	r.engine.SetConnection(c)
	if c := r.view(0).Activity.Coverage[platform.Reply]; c.Missing != "the connection does not read posts" {
		t.Errorf("without a reader: %+v", c)
	}
	r.engine.DropConnection("x")
	if got := r.view(0).Activity; got != nil {
		t.Errorf("without a connection: %+v", got)
	}
}

// What the platform refuses for one account is missing for that one, and no outage.
func TestOneAccountIsRefused(t *testing.T) {
	for kind, why := range map[platform.Kind]string{
		platform.KindUnauthorized: "the platform refuses access to the posts",
		platform.KindNotFound:     "the platform does not find the posts",
		platform.KindInvalid:      "the platform refuses the question about the posts",
	} {
		for name, whole := range map[string]bool{"alone": false, "with its batch": true} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				r := newReader(t, active(8))
				refusing := true
				refused := &platform.Error{Kind: kind, Op: "activity"}
				if whole {
					r.active.fail = func(_ platform.Stream, asks []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
						if refusing && slices.ContainsFunc(asks, func(a platform.ActivityAsk) bool { return a.Ref.ID == id(3) }) {
							return nil, refused
						}
						return nil, nil
					}
				} else {
					r.active.refuse = func(_ platform.Stream, who string) error {
						if refusing && who == id(3) {
							return refused
						}
						return nil
					}
				}
				r.crowd(8)
				r.run(10 * time.Second)
				if got, most := len(r.active.read()), 8; got > most {
					t.Errorf("%d calls", got)
				}
				for i := range 8 {
					c := r.view(i).Activity.Coverage[platform.Publish]
					if want := map[bool]string{true: why}[i == 3]; c.Missing != want || c.At.IsZero() != (i == 3) {
						t.Errorf("account %d: %+v", i, c)
					}
					if r.view(i).Lane.Reason != "" {
						t.Errorf("account %d: the lane is %v", i, r.view(i).Lane)
					}
				}
				r.run(testEvery)
				r.active.read()
				r.accounts.take()
				r.run(2 * testEvery)
				if got := len(r.active.read()); got > 2*8 {
					t.Errorf("two laps cost %d calls", got)
				}
				if got := r.accounts.take(); len(got) > 0 {
					t.Errorf("woken: %v", got)
				}
				refusing = false
				r.run(testEvery)
				r.expectWakes(3, 1)
				if got := r.judge(3); len(got.Acts) != 1 || got.Coverage[platform.Publish].Missing != "" {
					t.Errorf("in the end: %+v", got)
				}
			})
		}
	}
}

// A platform that is out of reach is so for the profiles too, and they say it. What
// was to be read is read afterwards.
func TestActivityDuringAnOutage(t *testing.T) {
	r := newReader(t, active(1))
	r.crowd(20)
	r.run(10 * time.Second)
	for i := range 20 {
		r.judge(i)
		r.active.publish(id(i), 1, r.clock.Now())
	}
	r.platform.kind(platform.KindUnavailable, 0)
	r.active.fail = func(platform.Stream, []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
		return nil, errBroken
	}
	r.run(testEvery)
	if got := r.view(0).Lane.Reason; got != LanePlatformUnavailable {
		t.Errorf("the lane is %q", got)
	}
	r.active.read()
	r.run(testEvery)
	if got := r.active.read(); len(got) > 1 {
		t.Errorf("%d calls into an outage that is known", len(got))
	}
	r.platform.fail(nil)
	r.active.fail = nil
	r.run(2 * testEvery)
	for i := range 20 {
		if got := r.judge(i); len(got.Acts) != 1 || r.view(i).Lane.Reason != "" {
			t.Errorf("account %d: told %v, the lane is %q", i, ids(got.Acts), r.view(i).Lane.Reason)
		}
	}
}

// Where only activity fails, the profiles are looked at on, nobody is said to be out
// of reach, and it is tried again at a pace.
func TestOnlyActivityFails(t *testing.T) {
	for _, kind := range []platform.Kind{platform.KindUnavailable, platform.KindBudgetExhausted, platform.KindRateLimited} {
		r := newReader(t, active(1))
		r.crowd(20)
		r.run(10 * time.Second)
		r.active.fail = func(platform.Stream, []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
			return nil, &platform.Error{Kind: kind, Op: "activity"}
		}
		r.active.read()
		r.run(2 * testEvery)
		if got := len(r.active.read()); got == 0 || got > 4*31 { // at most maxReading a minute
			t.Errorf("%s: %d calls in half an hour", kind, got)
		}
		for i := range 20 {
			if got := r.view(i); got.Lane.Reason != "" || r.clock.Since(got.Snapshot.At) > testEvery {
				t.Errorf("%s: account %d: the lane is %q, seen %s ago", kind, i, got.Lane.Reason, r.clock.Since(got.Snapshot.At))
			}
		}
		r.active.fail = nil
		r.active.publish(id(4), 1, r.clock.Now())
		r.run(2*time.Hour + testEvery)
		if got := r.judge(4); len(got.Acts) != 2 {
			t.Errorf("%s: in the end %v", kind, ids(got.Acts))
		}
	}
}

// Profiles have the first claim on a budget that both draw on, and the shorter
// interval goes before the longer one; what is known to be new before either.
func TestWhoGoesFirst(t *testing.T) {
	t.Parallel()
	adapter := active(1)
	shared := platform.Budget{Bucket: "units", Kind: platform.BudgetWindow, Limit: 60, Window: 15 * time.Minute}
	adapter.Budgets = append(adapter.Budgets, shared)
	charge := func(r platform.Read) platform.Read {
		r.Charges = []platform.Charge{{Bucket: "units", PerRequest: 1}}
		return r
	}
	adapter.Profiles[platform.ByID] = charge(adapter.Profiles[platform.ByID])
	read := adapter.Streams[platform.StreamPosts]
	read.Read = charge(read.Read)
	adapter.Streams[platform.StreamPosts] = read
	r := newReader(t, adapter)
	const n = 300 // many more timelines than the budget allows
	for i := range n {
		r.platform.set(id(i), handle(i))
		w := restored(i)
		w.Activity = &ActivityWant{
			Every: time.Hour, Actions: []platform.Action{platform.Publish},
			Restored: []Reading{{Stream: platform.StreamPosts, Counter: "0", Since: epoch.Add(-time.Hour), At: epoch.Add(-time.Hour)}},
		}
		if i < 5 {
			w.Activity.Every = testEvery
		}
		r.engine.Want(w)
	}
	r.run(2 * testEvery)
	r.forgetAll()
	r.active.read()
	r.active.publish(id(200), 1, r.clock.Now())
	const hours = 4
	r.run(hours * time.Hour)
	looks := map[string]int{}
	for _, q := range by(platform.ByID, r.platform.take()) {
		for _, ref := range q.refs {
			looks[ref.ID]++
		}
	}
	requests := r.active.read()
	reads := askedFor(requests)
	for i := range n {
		if got := looks[id(i)]; got < 4*hours-1 {
			t.Fatalf("the profile of account %d was looked at %d times in %d hours", i, got, hours)
		}
		if i < 5 && reads[id(i)] < 3*hours {
			t.Errorf("account %d, of the higher tier, was read %d times", i, reads[id(i)])
		}
		if reads[id(i)] == 0 {
			t.Errorf("account %d starves", i)
		}
	}
	at := slices.IndexFunc(requests, func(q readRequest) bool { return q.asks[0].Ref.ID == id(200) })
	if since := requests[at].at.Sub(requests[0].at); since > testEvery+15*time.Minute {
		t.Errorf("what was new was read after %s", since)
	}
	for i := 60; i < len(requests); i++ {
		if took := requests[i].at.Sub(requests[i-60].at); took < 15*time.Minute {
			t.Fatalf("61 calls in %s, of 60 in 15 minutes", took)
		}
	}
}

// Only accounts that are there are read, and those that are others by now begin
// anew.
func TestAccountsThatAreNotThere(t *testing.T) {
	r := newReader(t, active(1))
	w := wanted(0)
	w.ID = ""
	w.Activity = &ActivityWant{Every: testEvery, Actions: []platform.Action{platform.Publish}}
	r.engine.Want(w)
	r.run(2 * testEvery)
	if got := r.active.read(); len(got) > 0 {
		t.Errorf("nobody was read: %v", got)
	}
	r.platform.set(id(0), handle(0))
	r.active.publish(id(0), 1, r.clock.Now())
	r.run(24 * time.Hour)
	if got := ids(r.judge(0).Acts); !slices.Equal(got, []string{id(0) + "-1"}) {
		t.Errorf("once it is found: %v", got)
	}
	r.platform.suspend(id(0))
	r.run(2 * testEvery)
	r.active.read()
	r.run(2 * testEvery)
	if got := r.active.read(); len(got) > 0 {
		t.Errorf("a suspended account was read: %v", got)
	}
	r.platform.set(id(1), handle(0))
	r.active.publish(id(1), 2, r.clock.Now())
	w.ID = id(1)
	r.engine.Want(w)
	r.run(time.Minute)
	if got := ids(r.judge(0).Acts); !slices.Equal(got, []string{id(1) + "-2", id(1) + "-1"}) {
		t.Errorf("of another account: %v", got)
	}
	r.engine.Forget(key(0))
	r.active.read()
	r.run(2 * testEvery)
	if got := r.active.read(); len(got) > 0 {
		t.Errorf("a forgotten account was read: %v", got)
	}
}
