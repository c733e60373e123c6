package world_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

var start = time.Date(2026, 11, 23, 23, 50, 0, 0, time.UTC)

func newWorld(t *testing.T, accounts ...world.Account) *world.World {
	t.Helper()
	w := world.New(clocktesting.NewFakeClock(start))
	for _, a := range accounts {
		if err := w.Put(a); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func account(id, handle string) world.Account {
	return world.Account{Platform: world.X, ID: id, Handle: handle}
}

func TestAccountIsFoundByIDAndByHandleInAnyCase(t *testing.T) {
	w := newWorld(t, account("7", "Edu_Riyadh"), account("8", "7"))
	want := world.Account{Platform: world.X, ID: "7", Handle: "Edu_Riyadh", DisplayName: "Edu_Riyadh", State: world.Active}
	for _, ref := range []string{"7", "edu_riyadh", "@EDU_RIYADH"} {
		got, err := w.Find(world.X, ref)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Find(%q): %v %s", ref, err, diff)
		}
	}
	if got, err := w.Find(world.X, "@7"); err != nil || got.ID != "8" {
		t.Errorf(`Find("@7") = %s, %v, want the holder of the handle 7`, got.ID, err)
	}
	if _, err := w.Find(world.Instagram, "7"); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("other platform: %v", err)
	}
}

func TestRenameMovesTheHandle(t *testing.T) {
	w := newWorld(t, account("1", "old"), account("2", "taken"))
	rename := func(to string) error {
		_, err := w.Update(world.X, "1", func(a *world.Account) error { a.Handle = to; return nil })
		return err
	}
	if err := rename("TAKEN"); !errors.Is(err, world.ErrConflict) {
		t.Errorf("taking another's handle: %v", err)
	}
	if _, ok := w.AccountByHandle(world.X, "old"); !ok {
		t.Error("a refused rename freed the handle")
	}
	if err := rename("new"); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.AccountByHandle(world.X, "old"); ok {
		t.Error("the old handle still works")
	}
	if a, _ := w.AccountByHandle(world.X, "new"); a.ID != "1" {
		t.Errorf("new handle belongs to %q", a.ID)
	}
	if err := w.Put(account("3", "old")); err != nil {
		t.Errorf("taking the freed handle: %v", err)
	}
}

func TestUpdateKeepsIDAndPlatform(t *testing.T) {
	w := newWorld(t, account("1", "a"))
	for name, change := range map[string]func(*world.Account) error{
		"id":       func(a *world.Account) error { a.ID = "2"; return nil },
		"platform": func(a *world.Account) error { a.Platform = world.Facebook; return nil },
	} {
		if _, err := w.Update(world.X, "1", change); !errors.Is(err, world.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.Count(world.X) != 1 || w.Count(world.Facebook) != 0 {
		t.Error("a refused update left something behind")
	}
}

func TestRecycledHandleBelongsToTheStranger(t *testing.T) {
	w := newWorld(t, account("1", "edu"), account("5", "other"))
	got, err := w.Recycle(world.X, "edu", "99")
	if err != nil || got.ID != "99" || got.Handle != "edu" || got.Image != "foreign" || !got.CreatedAt.Equal(start) {
		t.Errorf("stranger %+v, %v", got, err)
	}
	if old, _ := w.Account(world.X, "1"); old.State != world.Deleted {
		t.Errorf("old account is %s", old.State)
	}
	if a, _ := w.AccountByHandle(world.X, "EDU"); a.ID != "99" {
		t.Errorf("handle belongs to %s", a.ID)
	}
	_, err = w.Update(world.X, "1", func(a *world.Account) error { a.State = world.Active; return nil })
	if !errors.Is(err, world.ErrConflict) {
		t.Errorf("reviving an account whose handle is taken: %v", err)
	}
}

func TestRecycleRefusals(t *testing.T) {
	w := newWorld(t, account("1", "edu"), account("5", "other"))
	if _, err := w.Recycle(world.X, "edu", "99"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ref, id string
		want    error
	}{
		"again":   {"1", "98", world.ErrConflict},
		"used id": {"edu", "5", world.ErrConflict},
		"bad id":  {"edu", "x", world.ErrInvalid},
		"nobody":  {"zzz", "97", world.ErrNotFound},
	} {
		if _, err := w.Recycle(world.X, c.ref, c.id); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestDeletedAccountIsFoundUntilItsHandleIsTaken(t *testing.T) {
	gone := account("1", "edu")
	gone.State = world.Deleted
	w := newWorld(t, gone)
	if a, ok := w.AccountByHandle(world.X, "edu"); !ok || a.State != world.Deleted {
		t.Errorf("got %+v, %v", a, ok)
	}
	if err := w.Put(account("2", "edu")); err != nil {
		t.Fatal(err)
	}
	if err := w.Put(gone); err != nil {
		t.Fatal(err)
	}
	if a, _ := w.AccountByHandle(world.X, "edu"); a.ID != "2" {
		t.Errorf("the deleted account took the handle back: %s", a.ID)
	}
	if err := w.Delete(world.X, "edu"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Find(world.X, "2"); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("after Delete: %v", err)
	}
	if err := w.Delete(world.X, "2"); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("second Delete: %v", err)
	}
}

func TestPutRefusesBadValues(t *testing.T) {
	good := account("1", "a")
	for name, spoil := range map[string]func(*world.Account){
		"platform":     func(a *world.Account) { a.Platform = "Friendster" },
		"id":           func(a *world.Account) { a.ID = "12345678901234567890" },
		"handle":       func(a *world.Account) { a.Handle = "sixteen_letters_" },
		"state":        func(a *world.Account) { a.State = "Gone" },
		"verifiedType": func(a *world.Account) { a.VerifiedType = "gold" },
		"image":        func(a *world.Account) { a.Image = "cat" },
		"banner":       func(a *world.Account) { a.Banner = "../etc" },
		"website":      func(a *world.Account) { a.Website = "example.gov" },
		"post":         func(a *world.Account) { a.LastPostID = "x" },
		"pinned":       func(a *world.Account) { a.PinnedPostID = "x" },
		"count":        func(a *world.Account) { a.Followers = -1 },
	} {
		a := good
		spoil(&a)
		if err := newWorld(t).Put(a); !errors.Is(err, world.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := newWorld(t).Put(good); err != nil {
		t.Errorf("good account: %v", err)
	}
}

func TestPlatformNames(t *testing.T) {
	if p, err := world.ParsePlatform("youtube"); p != world.YouTube || err != nil {
		t.Errorf("got %q, %v", p, err)
	}
	if _, err := world.ParsePlatform("MySpace"); !errors.Is(err, world.ErrInvalid) {
		t.Errorf("unknown: %v", err)
	}
}

func TestAdvance(t *testing.T) {
	base := clocktesting.NewFakeClock(start)
	shifted := world.NewShiftedClock(base)
	w := world.New(shifted)
	now, err := w.Advance(time.Hour)
	if err != nil || !now.Equal(start.Add(time.Hour)) || !w.Now().Equal(now) || shifted.Since(start) != time.Hour {
		t.Errorf("advanced to %s, %v", now, err)
	}
	if !base.Now().Equal(start) {
		t.Error("the base clock moved")
	}
	for _, d := range []time.Duration{-1, 11 * 365 * 24 * time.Hour} {
		if _, err := w.Advance(d); !errors.Is(err, world.ErrInvalid) {
			t.Errorf("advancing by %s: %v", d, err)
		}
	}
	if _, err := world.New(clock.RealClock{}).Advance(1); !errors.Is(err, world.ErrClockFixed) {
		t.Errorf("real clock: %v", err)
	}
}

func TestConcurrentUseLosesNothing(t *testing.T) {
	w := newWorld(t, account("1", "a"))
	if err := w.PutApp(world.App{Platform: world.X, APIKey: "k", APISecret: "s"}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			id := fmt.Sprint(100 + i)
			if err := w.Put(account(id, "h"+id)); err != nil {
				t.Error(err)
			}
			if _, err := w.Update(world.X, "1", func(a *world.Account) error { a.Posts++; return nil }); err != nil {
				t.Error(err)
			}
			if _, err := w.Bill(world.Charge{Platform: world.X, APIKey: "k", Resource: "user", IDs: []string{id, "1"}, PriceMicroUSD: 10}); err != nil {
				t.Error(err)
			}
			w.CountRequest(world.X, "/e", 200)
			w.NextFault(world.X, "/e", false)
			w.TokenOf(world.X, "k", "s")
			w.Ledger()
		})
	}
	wg.Wait()
	if a, _ := w.Account(world.X, "1"); a.Posts != 50 || w.Count(world.X) != 51 {
		t.Errorf("posts %d, accounts %d", a.Posts, w.Count(world.X))
	}
	if l := w.Ledger(); l.Cost(world.X) != 510 || l.Asked(world.X, "/e") != 50 {
		t.Errorf("ledger %+v", l)
	}
}
