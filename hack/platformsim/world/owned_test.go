package world_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func owned(id, owner string) world.Account {
	return world.Account{Platform: world.Snapchat, ID: id, Handle: "h" + id, Owner: owner}
}

func TestOwnersListsFollowEveryChange(t *testing.T) {
	w := newWorld(t, owned("3", "a"), owned("1", "a"), owned("2", "b"))
	list := func(owner, after string) string {
		out := ""
		for a := range w.OwnedAfter(world.Snapchat, owner, after) {
			out += a.ID
		}
		return out
	}
	if got := list("a", ""); got != "13" {
		t.Fatalf("a has %s", got)
	}
	if got := list("a", "1") + " " + list("a", "2") + " " + list("a", "3") + " " + list("c", ""); got != "3 3  " {
		t.Errorf("pages %q", got)
	}
	if _, err := w.Update(world.Snapchat, "2", func(a *world.Account) error { a.Owner = "a"; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := list("a", "") + " " + list("b", ""); got != "123 " {
		t.Errorf("after a move %q", got)
	}
	if err := w.Delete(world.Snapchat, "1"); err != nil {
		t.Fatal(err)
	}
	if err := w.Put(owned("9", "a")); err != nil {
		t.Fatal(err)
	}
	if got := list("a", ""); got != "239" {
		t.Errorf("after deletion and creation %q", got)
	}
	if got := len(w.Owned(world.Snapchat, "a")); got != 3 || w.Owned(world.X, "a") != nil {
		t.Errorf("%d owned", got)
	}
}

func TestChangesNameTheLastChangeOfEach(t *testing.T) {
	clk := clocktesting.NewFakeClock(start)
	w := world.New(clk)
	put := func(a world.Account) {
		t.Helper()
		if err := w.Put(a); err != nil {
			t.Fatal(err)
		}
	}
	put(owned("1", ""))
	put(owned("2", ""))
	put(owned("3", ""))
	clk.Step(time.Minute)
	changed, gone := owned("1", ""), owned("2", "")
	changed.Bio, gone.State = "new", world.Suspended
	put(changed)
	put(gone)
	put(owned("3", "")) // nothing new
	if err := w.Put(owned("4", "")); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, c := range w.ChangesSince(world.Snapchat, start.Add(time.Second)) {
		got += fmt.Sprint(c.ID, c.Kind, " ")
	}
	if want := "1modified 2deleted 4created "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := len(w.ChangesSince(world.Snapchat, start)); got != 4 {
		t.Errorf("%d since the start", got)
	}
}

func TestSecurityOfAPerson(t *testing.T) {
	w := newWorld(t)
	if err := w.PutPerson(world.Person{Platform: world.YouTube, ID: "p"}); err != nil {
		t.Fatal(err)
	}
	set := func(person string, s world.Security) error {
		return w.UpdateSecurity(world.YouTube, person, func(next *world.Security) { *next = s })
	}
	if err := set("p", world.Security{Sessions: 2, AppPasswords: []world.AppPassword{{ID: 2}, {ID: 1}}}); err != nil {
		t.Fatal(err)
	}
	if got := w.SecurityOf(world.YouTube, "p"); got.Sessions != 2 || got.AppPasswords[0].ID != 1 {
		t.Errorf("%+v", got)
	}
	for name, c := range map[string]struct {
		person string
		value  world.Security
		want   error
	}{
		"nobody":            {"q", world.Security{}, world.ErrNotFound},
		"negative sessions": {"p", world.Security{Sessions: -1}, world.ErrInvalid},
		"same id twice":     {"p", world.Security{AppPasswords: []world.AppPassword{{ID: 1}, {ID: 1}}}, world.ErrInvalid},
	} {
		if err := set(c.person, c.value); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.RemovePerson(world.YouTube, "p"); err != nil {
		t.Fatal(err)
	}
	if got := w.SecurityOf(world.YouTube, "p"); got.Sessions != 0 {
		t.Errorf("after removal %+v", got)
	}
}

func TestDailyBudgetsAreKeptByDay(t *testing.T) {
	w := newWorld(t)
	w.AddBudget(world.BudgetCount{Platform: world.YouTube, Bucket: "units", Day: "2026-11-23", Units: 3, Peak: 30})
	w.AddBudget(world.BudgetCount{Platform: world.YouTube, Bucket: "units", Day: "2026-11-24", Units: 1, Exceeded: 2, Peak: 100})
	l := w.Ledger()
	if len(l.Budgets) != 2 || l.Budgets[0].Day != "2026-11-23" || l.Budgets[1].Peak != 100 {
		t.Errorf("%+v", l.Budgets)
	}
	if l.BudgetUnits(world.YouTube, "units") != 4 || l.BudgetExceeded(world.YouTube) != 2 {
		t.Errorf("sums %+v", l.Budgets)
	}
}
