package world_test

import (
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func TestWhatChangedIsShownByTheNextReadOfIt(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"1", "2", "3"} {
		if err := w.Put(world.Account{Platform: world.X, ID: id, Handle: "edu_" + id}); err != nil {
			t.Fatal(err)
		}
	}
	rename := func(id, name string) {
		t.Helper()
		if _, err := w.Update(world.X, id, func(a *world.Account) error { a.DisplayName = name; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	rename("1", "before anybody looks")
	w.WatchShown(true)
	w.Account(world.X, "1")
	if got := w.Shown(); len(got) != 0 {
		t.Errorf("changed before: %v", got)
	}
	rename("2", "changed")
	rename("3", "changed")
	rename("3", "changed")
	if got := w.Shown(); len(got) != 0 {
		t.Errorf("not read yet: %v", got)
	}
	w.Account(world.X, "2")
	got := w.Shown()
	if len(got) != 1 || got[0].ID != "2" || !got[0].At.Equal(w.Now()) {
		t.Fatalf("got %v", got)
	}
	w.WatchShown(false)
	rename("1", "after")
	w.Account(world.X, "1")
	if got := w.Shown(); len(got) != 0 {
		t.Errorf("nobody watches: %v", got)
	}
}

func TestAFleetOfJSONIsReadAsStrictly(t *testing.T) {
	f, err := world.ParseFleet([]byte(`{"apps":[],"accounts":[{"platform":"X","id":"1","handle":"a","verified":true}]}`))
	if err != nil || len(f.Accounts) != 1 || !f.Accounts[0].Verified {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := world.ParseFleet([]byte(`{"accounts":[{"platform":"X","id":"1","colour":"red"}]}`)); err == nil {
		t.Error("an unknown field is taken")
	}
}
