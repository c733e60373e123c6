package world_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func withApp(t *testing.T, credits string) *world.World {
	t.Helper()
	w := newWorld(t)
	app := world.App{Platform: world.X, APIKey: "k", APISecret: "s", AppToken: "t", CreditsUSD: credits}
	if err := w.PutApp(app); err != nil {
		t.Fatal(err)
	}
	return w
}

func read(ids ...string) world.Charge {
	return world.Charge{Platform: world.X, APIKey: "k", Resource: "user", IDs: ids, PriceMicroUSD: 10_000}
}

func TestResourceIsPaidOncePerAppAndUTCDay(t *testing.T) {
	w := withApp(t, "")
	other := read("1")
	other.APIKey = "k2"
	for _, step := range []struct {
		name    string
		charge  world.Charge
		advance time.Duration
		want    int64
	}{
		{"first", read("1", "2"), 0, 20_000},
		{"again and one more", read("2", "3"), 0, 10_000},
		{"twice in one answer", read("4", "4"), 0, 10_000},
		{"other app", other, 0, 10_000},
		{"before midnight", read("1"), 9 * time.Minute, 0},
		{"next day", read("1"), time.Minute, 10_000},
	} {
		if _, err := w.Advance(step.advance); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Bill(step.charge); got != step.want || err != nil {
			t.Errorf("%s: cost %d, %v, want %d", step.name, got, err, step.want)
		}
	}
	want := []world.Bill{
		{Platform: world.X, APIKey: "k", Day: "2026-11-23", Resource: "user", Billed: 4, Deduplicated: 3, MicroUSD: 40_000, USD: "0.040000"},
		{Platform: world.X, APIKey: "k", Day: "2026-11-24", Resource: "user", Billed: 1, MicroUSD: 10_000, USD: "0.010000"},
		{Platform: world.X, APIKey: "k2", Day: "2026-11-23", Resource: "user", Billed: 1, MicroUSD: 10_000, USD: "0.010000"},
	}
	if diff := cmp.Diff(want, w.Ledger().Bills); diff != "" {
		t.Error(diff)
	}
}

func TestDayIsUTCWhereverTheClockIs(t *testing.T) {
	riyadh := time.FixedZone("AST", 3*3600)
	w := world.New(clocktesting.NewFakeClock(time.Date(2026, 11, 24, 2, 0, 0, 0, riyadh)))
	if _, err := w.Bill(read("1")); err != nil {
		t.Fatal(err)
	}
	if got := w.Ledger().Bills[0].Day; got != "2026-11-23" {
		t.Errorf("billed on %s", got)
	}
}

func TestCreditsRunOut(t *testing.T) {
	w := withApp(t, "0.03")
	if _, err := w.Bill(read("1", "2")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Bill(read("3", "4")); !errors.Is(err, world.ErrNoCredits) {
		t.Errorf("more than is left: %v", err)
	}
	if cost, err := w.Bill(read("2", "3")); cost != 10_000 || err != nil {
		t.Errorf("what is left was not enough: %d, %v (a refused charge must not be booked)", cost, err)
	}
	if _, err := w.Bill(read("1")); !errors.Is(err, world.ErrNoCredits) {
		t.Errorf("nothing left: %v", err)
	}
	want := []world.Credit{{Platform: world.X, APIKey: "k", USD: "0.000000"}}
	if diff := cmp.Diff(want, w.Ledger().Credits); diff != "" {
		t.Error(diff)
	}
	if err := w.SetCredits(world.X, "k", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Bill(read("9")); err != nil {
		t.Errorf("unlimited: %v", err)
	}
	if err := w.SetCredits(world.X, "zzz", "1"); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("unknown app: %v", err)
	}
}

func TestCreditsAreReadExactly(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "50.00": 50_000_000, "0.000001": 1, "265.2": 265_200_000, "999999999.999999": 999_999_999_999_999} {
		if got := withApp(t, text).Ledger().Credits; len(got) != 1 || got[0].MicroUSD != want {
			t.Errorf("%q: %+v, want %d", text, got, want)
		}
	}
	for _, text := range []string{"-1", "1e3", "1/2", "0.0000001", "$5", " 1", "1."} {
		if err := newWorld(t).PutApp(world.App{Platform: world.X, APIKey: "k", APISecret: "s", CreditsUSD: text}); !errors.Is(err, world.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestResetLedgerForgetsAllButSpending(t *testing.T) {
	w := withApp(t, "1")
	w.CountRequest(world.X, "/e", 200)
	w.CountBudget(world.X, "calls", 3, 1, 75)
	if l := w.Ledger(); l.BudgetExceeded(world.X) != 1 || l.BudgetUnits(world.X, "calls") != 3 {
		t.Errorf("budgets %+v", l.Budgets)
	}
	if _, err := w.Bill(read("1")); err != nil {
		t.Fatal(err)
	}
	w.ResetLedger()
	want := world.Ledger{
		Requests: []world.RequestCount{}, Bills: []world.Bill{}, Budgets: []world.BudgetCount{},
		Credits: []world.Credit{{Platform: world.X, APIKey: "k", MicroUSD: 990_000, USD: "0.990000"}},
	}
	if diff := cmp.Diff(want, w.Ledger()); diff != "" {
		t.Error(diff)
	}
	if cost, err := w.Bill(read("1")); cost != 10_000 || err != nil {
		t.Errorf("cost after reset %d, %v", cost, err)
	}
}

func TestRequestsAreCountedByStatus(t *testing.T) {
	w := newWorld(t)
	for _, status := range []int{200, 503, 200, 0} {
		w.CountRequest(world.X, "/e", status)
	}
	w.CountRequest(world.X, "/d", 200)
	want := []world.RequestCount{{world.X, "/d", 200, 1}, {world.X, "/e", 0, 1}, {world.X, "/e", 200, 2}, {world.X, "/e", 503, 1}}
	l := w.Ledger()
	if diff := cmp.Diff(want, l.Requests); diff != "" {
		t.Error(diff)
	}
	if l.Asked(world.X, "/e") != 4 || l.Asked(world.X, "") != 5 || l.Asked(world.YouTube, "") != 0 {
		t.Error("Asked is wrong")
	}
}

// wantOwner checks whose bearer a token is; "" is nobody's.
func wantOwner(t *testing.T, w *world.World, token, want string) {
	t.Helper()
	if key, ok := w.AppOf(world.X, token); key != want || ok != (want != "") {
		t.Errorf("%q belongs to %q, %v, want %q", token, key, ok, want)
	}
}

func TestAppHasOneTokenUntilRevoked(t *testing.T) {
	w := newWorld(t)
	if err := w.PutApp(world.App{Platform: world.X, APIKey: "k", APISecret: "s"}); err != nil {
		t.Fatal(err)
	}
	first, ok := w.TokenOf(world.X, "k", "s")
	again, _ := w.TokenOf(world.X, "k", "s")
	if !ok || first == "" || first != again {
		t.Fatalf("tokens %q, %q, %v", first, again, ok)
	}
	wantOwner(t, w, first, "k")
	if _, ok := w.TokenOf(world.X, "k", "wrong"); ok {
		t.Error("wrong secret accepted")
	}
	if err := w.RevokeToken(world.X, "k", ""); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, w, first, "")
	wantOwner(t, w, "", "")
	if second, _ := w.TokenOf(world.X, "k", "s"); second == first {
		t.Error("the revoked token was handed out again")
	}
}

func TestRevokingCanInstallTheNextToken(t *testing.T) {
	w := withApp(t, "")
	if err := w.RevokeToken(world.X, "k", "mine"); err != nil {
		t.Fatal(err)
	}
	wantOwner(t, w, "t", "")
	wantOwner(t, w, "mine", "k")
	if _, ok := w.AppOf(world.YouTube, "mine"); ok {
		t.Error("token accepted by another platform")
	}
}

func TestTokensAreNotShared(t *testing.T) {
	w := withApp(t, "")
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"second app, same token": {w.PutApp(world.App{Platform: world.X, APIKey: "k2", APISecret: "s", AppToken: "t"}), world.ErrConflict},
		"no secret":              {w.PutApp(world.App{Platform: world.X, APIKey: "k2"}), world.ErrInvalid},
		"revoking for itself":    {w.RevokeToken(world.X, "k", "t"), world.ErrInvalid},
		"unknown app":            {w.RevokeToken(world.X, "zzz", ""), world.ErrNotFound},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	if key, _ := w.AppOf(world.X, "t"); key != "k" {
		t.Errorf("token belongs to %q", key)
	}
}
