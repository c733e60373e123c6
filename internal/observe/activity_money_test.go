package observe

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
)

// Where reads cost money, no day costs more than allowed, whatever is published and
// whatever fails, and nobody's profile is given up for somebody's posts.
func TestMoneyIsForProfilesFirst(t *testing.T) {
	t.Parallel()
	const (
		n, posts, days       = 10, 25, 4
		perUser, perPost     = 10_000, 5_000
		daily            int = 500_000
	)
	adapter := active(1)
	adapter.Budgets = append(adapter.Budgets, platform.Budget{Bucket: "money", Kind: platform.BudgetMoney, Zone: "UTC"})
	costs := func(r platform.Read, each int) platform.Read {
		r.Charges = append(r.Charges, platform.Charge{Bucket: "money", PerItem: each, Once: true})
		return r
	}
	for by, read := range adapter.Profiles {
		adapter.Profiles[by] = costs(read, perUser)
	}
	read := adapter.Streams[platform.StreamPosts]
	read.Read = costs(read.Read, perPost)
	adapter.Streams[platform.StreamPosts] = read
	r := newReader(t, adapter)
	c := r.connection("x")
	c.DailyMicroUSD = int64(daily)
	c.Client = &platform.Client{Observe: r.platform, Activity: r.active, Reread: r.active}
	r.engine.SetConnection(c)

	bill := map[string]map[string]int{} // by day and resource
	charge := func(id string, price int) {
		day := r.clock.Now().UTC().Format(time.DateOnly)
		if bill[day] == nil {
			bill[day] = map[string]int{}
		}
		bill[day][id] = price
	}
	r.platform.after = func(_ platform.Lookup, answers []platform.Observation) {
		for _, o := range answers {
			charge("user "+o.Ref.ID, perUser)
		}
	}
	r.active.billed = func(ids []string) {
		for _, id := range ids {
			charge("post "+id, perPost)
		}
	}
	r.crowd(n)
	r.clock.SetTime(epoch.Truncate(24 * time.Hour).Add(24 * time.Hour))
	for range days {
		for i := range n {
			r.active.publish(id(i), posts, r.clock.Now())
		}
		for range 24 {
			r.run(time.Hour)
			for i := range n {
				r.judge(i)
				if age := r.clock.Since(r.peek(i).At); age > testEvery+time.Minute {
					t.Fatalf("the profile of account %d is %s old at %s", i, age, r.clock.Now())
				}
			}
		}
	}
	for day, resources := range bill {
		users, read := 0, 0
		for _, price := range resources {
			if price == perUser {
				users++
			} else {
				read++
			}
		}
		if sum := users*perUser + read*perPost; sum > daily {
			t.Errorf("%s cost %d of %d", day, sum, daily)
		}
		if want := (daily*95/100 - n*perUser) / perPost; day > epoch.Format(time.DateOnly) && len(resources) > n && read < want-2*firstActs/10 {
			t.Errorf("on %s %d posts were read, of %d that could be paid for", day, read, want)
		}
	}
	if len(bill) < days {
		t.Errorf("the bill has %d days", len(bill))
	}
}

// Everything at once, for the race detector.
func TestConcurrentActivity(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := newReader(t, active(10))
	r.crowd(50)
	s := start(r.rig)
	jobs := []func(i int){
		func(i int) { r.follow(i%50, posts(id(i%50)+"-1")) },
		func(i int) { r.follow(i%50, func(w *ActivityWant) { w.Every = time.Duration(1+i%3) * time.Minute }) },
		func(i int) {
			if v, ok := r.engine.Look(key(i % 60)); ok && v.Activity != nil {
				r.engine.Judged(key(i%60), v.Activity.Sequence)
			}
		},
		func(i int) { r.engine.RereadActivity(key(i % 60)) },
		func(i int) { r.engine.Forget(key(50 + i%10)); r.engine.Want(wanted(50 + i%10)) },
		func(i int) { r.active.publish(id(i%50), 1, r.clock.Now()) },
	}
	var busy sync.WaitGroup
	for _, job := range jobs {
		busy.Go(func() {
			for i := range 200 {
				job(i)
			}
		})
	}
	busy.Wait()
	for i := range 50 {
		r.follow(i)
	}
	s.until(t, "everybody was read", func() bool {
		for i := range 50 {
			if v := r.view(i); v.Activity == nil || v.Activity.Coverage[platform.Publish].At.IsZero() {
				return false
			}
		}
		return true
	})
	s.stop(t)
}
