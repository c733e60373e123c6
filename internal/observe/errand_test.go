package observe

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

// runner plays the controller: it asks for errands, and again when it is called.
type runner struct {
	*rig
	turns *wakes
	asked map[types.NamespacedName]Errand
	// went is when each was let through.
	went  []time.Time
	order []types.NamespacedName
	// fails is what each ends with.
	fails error
}

func newRunner(r *rig) *runner {
	c := &runner{rig: r, turns: &wakes{n: map[types.NamespacedName]int{}}, asked: map[types.NamespacedName]Errand{}}
	if err := r.engine.turns.Start(r.ctx, c.turns); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// costs is an errand of one request of a bucket.
func costs(i int, bucket string) Errand {
	return Errand{Connection: "x", Key: key(i), ID: id(i), Charges: []platform.Charge{{Bucket: bucket, PerRequest: 1}}}
}

// ask asks for errands, and says how many go at once.
func (c *runner) ask(all ...Errand) (went int) {
	for _, a := range all {
		c.asked[a.Key] = a
		if c.take(a) {
			went++
		}
	}
	return went
}

func (c *runner) take(a Errand) bool {
	done, ok := c.engine.Take(a)
	if ok {
		c.went, c.order = append(c.went, c.clock.Now()), append(c.order, a.Key)
		done(c.fails)
	}
	return ok
}

// until lets time pass, and comes whenever it is called.
func (c *runner) until(end time.Time) {
	for c.clock.Now().Before(end) {
		rest := c.step()
		called := c.turns.take()
		for k := range called {
			if !c.take(c.asked[k]) {
				c.t.Errorf("%s is called and not let through", k)
			}
		}
		if len(called) == 0 {
			c.clock.Step(min(rest, end.Sub(c.clock.Now())))
		}
	}
}

// windows counts what went in each window of 15 minutes.
func (c *runner) windows(n int) (errands, sweep []int) {
	errands, sweep = make([]int, n), make([]int, n)
	at := func(t time.Time) int { return int(t.Sub(epoch) / testEvery) }
	for _, t := range c.went {
		errands[at(t)]++
	}
	for _, r := range c.platform.take() {
		sweep[at(r.at)]++
	}
	return errands, sweep
}

// A thousand handovers at once take at most their part of a budget, so the sweep goes
// on as if there were none.
func TestAThousandErrandsLeaveTheSweepItsPart(t *testing.T) {
	c := newRunner(newRigWith(t, limits(1, 100)))
	c.fleet(70)
	c.until(epoch.Add(testEvery))
	all := make([]Errand, 1000)
	for i := range all {
		all[i] = costs(1000+i, bucketID)
	}
	c.ask(all...)
	for n := range 8 {
		c.until(epoch.Add(time.Duration(n+2) * testEvery))
		for i := range 70 {
			if age := c.clock.Now().Sub(c.peek(i).At); age > testEvery+time.Minute {
				t.Fatalf("account %d was looked at %s ago", i, age)
			}
		}
	}
	errands, sweep := c.windows(9)
	for n := 1; n < 9; n++ {
		if errands[n] != 25 || errands[n]+sweep[n] > 100 {
			t.Errorf("window %d: %d errands beside %d looks, want 25 of 100 requests", n, errands[n], sweep[n])
		}
	}
}

// Where the sweep could use up everything, errands still have the reserve.
func TestASweepLeavesErrandsTheReserve(t *testing.T) {
	c := newRunner(newRigWith(t, limits(1, 100)))
	c.fleet(500)
	c.until(epoch.Add(testEvery))
	all := make([]Errand, 100)
	for i := range all {
		all[i] = costs(1000+i, bucketID)
	}
	c.ask(all...)
	c.until(epoch.Add(5 * testEvery))
	errands, sweep := c.windows(5)
	for n := 1; n < 5; n++ {
		if errands[n] < 5 || sweep[n] < 70 || errands[n]+sweep[n] > 100 {
			t.Errorf("window %d: %d errands beside %d looks", n, errands[n], sweep[n])
		}
	}
}

// Who came first goes first, but what is compromised goes before; and nobody waits for a
// budget that they do not need.
func TestErrandsGoInTheirOrder(t *testing.T) {
	c := newRunner(newRigWith(t, limits(1, 4)))
	first := costs(3, bucketID)
	first.First = true
	if went := c.ask(costs(0, bucketID), costs(1, bucketID), costs(2, bucketID), first, costs(4, bucketBy)); went != 2 {
		t.Errorf("%d went at once, want the first of each bucket", went)
	}
	c.until(epoch.Add(time.Hour))
	want := []types.NamespacedName{key(0), key(4), key(3), key(1), key(2)}
	if !slices.Equal(c.order, want) {
		t.Errorf("they went as %v, want %v", c.order, want)
	}
}

// Asking again while one waits is no second place, and who asks for something else has
// given up the former.
func TestOneErrandAnAccountWaits(t *testing.T) {
	c := newRunner(newRigWith(t, limits(1, 4)))
	c.ask(costs(0, bucketID), costs(1, bucketID), costs(1, bucketID))
	if n := c.engine.errandsWaiting()[platform.X]; n != 1 {
		t.Errorf("%d wait, want 1", n)
	}
	if went := c.ask(costs(1, bucketBy)); went != 1 {
		t.Error("it waits for a budget that it gave up")
	}
	if n := c.engine.errandsWaiting()[platform.X]; n != 0 {
		t.Errorf("%d wait, want none", n)
	}
}

// A refusal pauses the budget for all, the sweep included.
func TestARefusedErrandPausesTheBudget(t *testing.T) {
	c := newRunner(newRigWith(t, limits(1, 1000)))
	c.fails = &platform.Error{Kind: platform.KindRateLimited, RetryAfter: 10 * time.Minute}
	if c.ask(costs(1000, bucketID)) != 1 {
		t.Fatal("the budget is not free")
	}
	c.fails = nil
	if c.ask(costs(1001, bucketID)) != 0 {
		t.Error("the next goes during the pause")
	}
	c.fleet(10)
	c.until(epoch.Add(9 * time.Minute))
	if n := len(c.platform.take()); n != 0 {
		t.Errorf("%d looks during the pause", n)
	}
	c.until(epoch.Add(20 * time.Minute))
	if len(c.went) != 2 || len(c.platform.take()) < 10 {
		t.Errorf("%d errands went", len(c.went))
	}
}

// Whoever is called and does not come holds nobody up for long.
func TestATurnThatIsNotTakenPasses(t *testing.T) {
	c := newRunner(newRigWith(t, limits(1, 8)))
	c.ask(costs(0, bucketID), costs(1, bucketID), costs(2, bucketID), costs(3, bucketID))
	c.asked = nil
	c.run(time.Hour)
	if n := c.engine.errandsWaiting()[platform.X]; n != 0 {
		t.Errorf("%d still wait", n)
	}
	if _, ok := c.engine.Take(costs(5, bucketID)); !ok {
		t.Error("the budget is held by those who never came")
	}
}

// Whoever is called and needs no call any more makes room for the next at once.
func TestWhoLeavesHoldsNobodyUp(t *testing.T) {
	c := newRunner(newRigWith(t, limits(1, 1000)))
	c.header()
	c.fails = &platform.Error{Kind: platform.KindRateLimited, RetryAfter: time.Minute}
	c.ask(costs(100, bucketID))
	for i := range 3 * maxUnderway {
		if c.ask(costs(i, bucketID)) != 0 {
			t.Fatal("it does not wait for the pause")
		}
	}
	c.clock.Step(time.Minute)
	for range 3 {
		c.step()
		called := c.turns.take()
		if len(called) != maxUnderway {
			t.Fatalf("%d are called, want %d", len(called), maxUnderway)
		}
		for k := range called {
			c.engine.Leave(k)
		}
	}
	if n := c.engine.errandsWaiting()[platform.X]; n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// A connection that is not there lets nobody through.
func TestAnErrandNeedsItsConnection(t *testing.T) {
	c := newRig(t)
	if _, ok := c.engine.Take(Errand{Connection: "nobody", Key: key(0)}); ok {
		t.Error("a connection that is not there grants requests")
	}
}

// What the sweep of the day has paid for costs an errand nothing.
func TestAnErrandPaysForAnAccountOnceADay(t *testing.T) {
	r := newRigWith(t, priced(10))
	cn := r.connection("x")
	cn.DailyMicroUSD = 1_000_000
	r.engine.SetConnection(cn)
	r.fleet(10)
	r.run(time.Minute)
	paid := func() int64 {
		report, _ := r.engine.Report("x")
		return report.Ledger[0].Spent
	}
	before := paid()
	for _, i := range []int{3, 3, 77, 77} {
		done, ok := r.engine.Take(Errand{Connection: "x", Key: key(i), ID: id(i), Charges: []platform.Charge{{Bucket: "usd", PerItem: 10_000, Once: true}}})
		if !ok {
			t.Fatal("there is money")
		}
		done(nil)
	}
	if got := paid() - before; before != 100_000 || got != 10_000 {
		t.Errorf("the sweep cost %d and the errands %d, want 100000 and 10000", before, got)
	}
}
