package world_test

import (
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func TestTheLongestTimeBetweenTwoReadsIsTold(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"1", "2"} {
		if err := w.Put(world.Account{Platform: world.X, ID: id, Handle: "edu_" + id}); err != nil {
			t.Fatal(err)
		}
	}
	w.Account(world.X, "1")
	if got := w.Reads(time.Time{}); got != (world.Reads{}) {
		t.Errorf("nobody watches: %+v", got)
	}
	w.WatchReads(true)
	w.Account(world.X, "1")
	w.Account(world.X, "2")
	w.Account(world.X, "unknown")
	if _, err := w.Advance(90 * time.Second); err != nil {
		t.Fatal(err)
	}
	moment := w.Now()
	w.Account(world.X, "2")
	if _, err := w.Advance(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	w.Account(world.X, "2")
	if got, want := w.Reads(moment), (world.Reads{Accounts: 2, Since: 1, LongestSeconds: 90}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	w.WatchReads(false)
	w.Account(world.X, "1")
	if got := w.Reads(time.Time{}); got.Accounts != 0 {
		t.Errorf("it was ended: %+v", got)
	}
}
