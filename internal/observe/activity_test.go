package observe

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/internal/platform"
)

// The first reading is in full batches; after that a lap costs as few calls as the
// batch allows, and nobody is woken for nothing.
func TestActivityGoesInBatches(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 50} {
		const n = 120
		r := newReader(t, active(batch))
		r.crowd(n)
		r.run(10 * time.Second)
		first := r.active.read()
		if got, want := len(first), ceil(n, batch); got != want {
			t.Errorf("batch %d: the first reading cost %d calls, want %d", batch, got, want)
		}
		for i := range n {
			if got := ids(r.judge(i).Acts); !slices.Equal(got, []string{id(i) + "-1"}) {
				t.Fatalf("account %d: %v", i, got)
			}
		}
		r.run(2 * testEvery)
		r.active.read()
		r.forgetAll()
		r.run(3 * testEvery)
		requests := r.active.read()
		if got, want := len(requests), 3*ceil(n, batch); got != want {
			t.Errorf("batch %d: three laps cost %d calls, want %d", batch, got, want)
		}
		for who, times := range askedFor(requests) {
			if times != 3 {
				t.Errorf("batch %d: %s was read %d times in three laps", batch, who, times)
			}
		}
		if woken := r.accounts.take(); len(woken) != 0 {
			t.Errorf("batch %d: %d accounts were woken", batch, len(woken))
		}
	}
}

// What the profile tells is read at once, and only that.
func TestACounterThatMovedJumpsTheLap(t *testing.T) {
	t.Parallel()
	r := newReader(t, active(1))
	r.every = 24 * time.Hour
	r.crowd(20)
	r.run(time.Minute)
	r.active.read()
	for i := range 20 {
		r.judge(i)
	}
	r.active.publish(id(7), 2, r.clock.Now())
	r.run(testEvery + time.Second)
	if got := askedFor(r.active.read()); len(got) > 2 || got[id(7)] != 1 {
		t.Errorf("asked for %v", got)
	}
	if got := ids(r.judge(7).Acts); !slices.Equal(got, []string{id(7) + "-3", id(7) + "-2"}) {
		t.Errorf("told %v", got)
	}
	r.run(2 * testEvery)
	if got := askedFor(r.active.read()); got[id(7)] > 0 {
		t.Errorf("read again although nothing moved: %v", got)
	}
}

// Streams that no rule is about are not read: they cost money.
func TestOnlyWhatIsWantedIsRead(t *testing.T) {
	r := newReader(t, active(1))
	r.platform.set(id(0), handle(0))
	r.engine.Want(wanted(0))
	r.run(2 * testEvery)
	if got := r.active.read(); len(got) > 0 {
		t.Errorf("read %v", got)
	}
	if r.view(0).Activity != nil {
		t.Error("something is known")
	}
	r.follow(0, actions(platform.Follow))
	r.run(2 * testEvery)
	if got := r.active.read(); len(of(platform.StreamFollows, got)) != len(got) || len(got) == 0 {
		t.Errorf("read %v", got)
	}
	r.follow(0, func(w *ActivityWant) { w.Actions = nil })
	r.run(2 * testEvery)
	if got := r.active.read(); len(got) > 0 {
		t.Errorf("read %v", got)
	}
}

// A long list is caught up with, page by page, and a very long one in several laps.
func TestMoreGoesOnUntilCaughtUp(t *testing.T) {
	for _, c := range []struct{ posts, page, first int }{{30, 7, 30}, {99, 10, 99}, {105, 5, 50}} {
		r := newReader(t, active(1))
		r.platform.set(id(0), handle(0))
		r.follow(0)
		r.run(5 * time.Second)
		r.judge(0)
		r.active.page = c.page
		r.active.publish(id(0), c.posts, r.clock.Now())
		r.engine.mu.Lock()
		t0 := r.engine.targets[nameOf(key(0))]
		seen, _ := t0.snapshot()
		seen.Profile.Posts = int64(c.posts)
		t0.keep(&seen)
		r.engine.pursue(t0)
		r.engine.mu.Unlock()
		r.run(30 * time.Second)
		if got := len(r.view(0).Activity.Acts); got != c.first {
			t.Errorf("%+v: %d acts at once", c, got)
		}
		r.run(3 * testEvery)
		got := ids(r.judge(0).Acts)
		if slices.Sort(got); len(slices.Compact(got)) != c.posts {
			t.Errorf("%+v: %d acts in the end", c, len(got))
		}
	}
}

// The first reading goes back 30 days, and a hundred acts at most; what is older is
// not told later either.
func TestTheFirstReadingIsBounded(t *testing.T) {
	for _, c := range []struct {
		posts, page, want int
		since             time.Time
	}{
		{60, 100, 60, epoch.Add(-firstWindow)}, {250, 100, 100, epoch.Add(-time.Hour)}, {250, 30, 100, epoch.Add(-time.Hour)},
	} {
		r := newReader(t, active(1))
		r.active.page = c.page
		r.platform.set(id(0), handle(0))
		r.active.publish(id(0), 5, epoch.Add(-31*24*time.Hour))
		r.active.publish(id(0), c.posts/2, epoch.Add(-2*time.Hour))
		r.active.publish(id(0), c.posts-c.posts/2, epoch.Add(-time.Hour))
		r.follow(0)
		r.run(time.Minute)
		got := r.view(0).Activity
		if len(got.Acts) != c.want {
			t.Errorf("%+v: %d acts", c, len(got.Acts))
		}
		cover := got.Coverage[platform.Publish]
		if cover.Missing != "" || cover.At.IsZero() || cover.Since.Sub(c.since).Abs() > 10*time.Second {
			t.Errorf("%+v: %+v", c, cover)
		}
		r.judge(0)
		r.active.publish(id(0), 1, r.clock.Now())
		r.run(2 * testEvery)
		if got := r.judge(0); len(got.Acts) != 1 {
			t.Errorf("%+v: later %v", c, ids(got.Acts))
		}
	}
}

// A new process with the cursors of the old one reads nothing twice, and only in
// its laps.
func TestARestartReadsNothingTwice(t *testing.T) {
	t.Parallel()
	const n = 40
	r := newReader(t, active(1))
	r.crowd(n)
	r.run(2 * testEvery)
	readings := map[int][]Reading{}
	for i := range n {
		readings[i] = r.judge(i).Readings
	}
	r.active.read()
	r.begin()
	for i := range n {
		w := restored(i)
		w.Activity = &ActivityWant{Every: testEvery, Actions: []platform.Action{platform.Publish}, Restored: readings[i]}
		r.engine.Want(w)
	}
	if got := r.view(3).Activity; len(got.Coverage) != 1 || got.Coverage[platform.Publish].Since.IsZero() || got.Readings[0] != readings[3][0] {
		t.Errorf("at first: %+v", got)
	}
	r.run(testEvery / 10)
	if got := len(r.active.read()); got > n/10+2 {
		t.Errorf("%d calls in the first tenth of a lap", got)
	}
	r.run(2 * testEvery)
	for i := range n {
		if got := r.judge(i); len(got.Acts) > 0 {
			t.Fatalf("account %d: told again %v", i, ids(got.Acts))
		}
	}
	r.active.publish(id(5), 1, r.clock.Now())
	r.run(2 * testEvery)
	if got := ids(r.judge(5).Acts); !slices.Equal(got, []string{id(5) + "-2"}) {
		t.Errorf("told %v", got)
	}
}

// Other rules: everything of the window comes once more.
func TestRereadActivity(t *testing.T) {
	r := newReader(t, active(1))
	r.crowd(1)
	r.run(5 * time.Second)
	r.judge(0)
	r.active.publish(id(0), 1, r.clock.Now())
	r.engine.RereadActivity(key(0))
	if got := r.view(0).Activity.Coverage[platform.Publish]; !got.Since.IsZero() || got.Missing != "" {
		t.Errorf("what was read under other rules counts: %+v", got)
	}
	r.run(5 * time.Second)
	if got := ids(r.judge(0).Acts); !slices.Equal(got, []string{id(0) + "-2", id(0) + "-1"}) {
		t.Errorf("told %v", got)
	}
	r.engine.RereadActivity(key(9))
	r.engine.Judged(key(9), 1)
}

// News stay until they are judged, and those that came since stay longer.
func TestNewsWaitToBeJudged(t *testing.T) {
	r := newReader(t, active(1))
	r.crowd(1)
	r.run(5 * time.Second)
	before := r.view(0).Activity
	if again := r.view(0).Activity; !slices.Equal(ids(again.Acts), ids(before.Acts)) || again.Sequence != before.Sequence {
		t.Errorf("before %+v, again %+v", before, again)
	}
	r.active.publish(id(0), 1, r.clock.Now())
	r.run(2 * testEvery)
	r.engine.Judged(key(0), before.Sequence)
	if got := ids(r.view(0).Activity.Acts); !slices.Equal(got, []string{id(0) + "-2"}) {
		t.Errorf("left %v", got)
	}
}

// An account of which too much waits to be judged is not read on, and nothing of it
// is lost.
func TestNobodyJudges(t *testing.T) {
	t.Parallel()
	r := newReader(t, active(1))
	r.platform.set(id(0), handle(0))
	r.follow(0)
	r.run(5 * time.Second)
	for range 4 {
		r.active.publish(id(0), 400, r.clock.Now())
		r.run(2 * testEvery)
	}
	if got := len(r.view(0).Activity.Acts); got < maxHeld || got >= maxHeld+firstActs {
		t.Errorf("%d acts wait", got)
	}
	told := map[string]bool{}
	for range 4 {
		for _, a := range r.judge(0).Acts {
			told[a.ID] = true
		}
		r.run(2 * testEvery)
	}
	if len(told) != 1600 {
		t.Errorf("%d of 1600 acts were told", len(told))
	}
}

// Whatever fails, is cut short, grows or restarts: every act is told, and once.
func TestNoActIsLostOrToldTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		const most = 4
		r := newReader(t, active(rapid.IntRange(1, 3).Draw(rt, "batch")))
		r.active.page = rapid.IntRange(4, 30).Draw(rt, "page")
		told, made := map[string]int{}, 0
		readings := map[int][]Reading{}
		take := func(i int) {
			got := r.judge(i)
			readings[i] = got.Readings
			for _, a := range got.Acts {
				told[a.ID]++
			}
		}
		for i := range most {
			r.platform.set(id(i), handle(i))
			r.follow(i)
		}
		r.run(5 * time.Second)
		for i := range most {
			take(i)
		}
		failing := false
		r.active.fail = func(platform.Stream, []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
			if !failing {
				return nil, nil
			}
			kind := rapid.SampledFrom([]platform.Kind{platform.KindUnavailable, platform.KindRateLimited, platform.KindInvalid, platform.KindUnauthorized}).Draw(rt, "kind")
			return nil, &platform.Error{Kind: kind, Op: "activity"}
		}
		r.active.lost = func() bool { return failing }
		r.active.refuse = func(platform.Stream, string) error {
			if failing && rapid.Bool().Draw(rt, "refuse") {
				return &platform.Error{Kind: platform.KindUnavailable, Op: "activity"}
			}
			return nil
		}
		for range rapid.IntRange(1, 12).Draw(rt, "operations") {
			i := rapid.IntRange(0, most-1).Draw(rt, "who")
			switch rapid.SampledFrom([]string{"publish", "publish", "pass", "take", "fail", "heal", "restart", "retier", "reopen"}).Draw(rt, "what") {
			case "publish":
				n := rapid.IntRange(1, 40).Draw(rt, "n")
				r.active.publish(id(i), n, r.clock.Now())
				made += n
			case "pass":
				r.run(time.Duration(rapid.Int64Range(0, int64(testEvery)).Draw(rt, "pause")))
			case "take":
				take(i)
			case "fail":
				failing = true
			case "heal":
				failing = false
			case "retier":
				r.follow(i, func(w *ActivityWant) { w.Every = testEvery / 3 })
			case "reopen":
				c := r.connection("x")
				c.Client = &platform.Client{Observe: r.platform, Activity: r.active, Reread: r.active}
				r.engine.SetConnection(c)
			case "restart":
				for j := range most {
					take(j) // what a status holds was judged
				}
				r.begin()
				for j := range most {
					w := restored(j)
					w.Activity = &ActivityWant{Every: testEvery, Actions: []platform.Action{platform.Publish}, Restored: readings[j]}
					r.engine.Want(w)
				}
			}
		}
		failing = false
		r.run(14 * testEvery) // 480 posts at most, forty a lap at least
		for i := range most {
			take(i)
		}
		for i := range most {
			for n := range r.active.posts[id(i)] {
				if got := told[fmt.Sprintf("%s-%d", id(i), n+1)]; got != 1 {
					rt.Fatalf("act %d of %s was told %d times", n+1, id(i), got)
				}
			}
		}
		if len(told) != made {
			rt.Errorf("%d acts were told, %d made", len(told), made)
		}
	})
}
