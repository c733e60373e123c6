package roster

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
)

var created = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

// enrolled is an account with a handle and people, made so many seconds after the
// first.
func enrolled(name string, seconds int, handle string, persons ...v1alpha1.PersonName) *v1alpha1.SocialAccount {
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: "edu", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(created.Add(time.Duration(seconds) * time.Second)),
	}}
	acc.Spec.Platform, acc.Spec.Handle, acc.Spec.Owner.Accountable = v1alpha1.PlatformX, handle, persons[0]
	for _, p := range persons[1:] {
		acc.Spec.Team = append(acc.Spec.Team, v1alpha1.TeamMember{Person: p})
	}
	return acc
}

func TestTheOldestRivalIsFoundAndOnlyForTheYounger(t *testing.T) {
	r := New()
	first, second, third := enrolled("a", 0, "moe", "p"), enrolled("b", 1, "MOE", "p"), enrolled("c", 2, "moe", "p")
	for _, acc := range []*v1alpha1.SocialAccount{third, first, second} {
		r.Put(acc)
	}
	if rival, ok := r.Rival(first); ok {
		t.Errorf("the oldest has rival %s", rival.Key)
	}
	for _, acc := range []*v1alpha1.SocialAccount{second, third} {
		if rival, ok := r.Rival(acc); !ok || rival.Key.Name != "a" || rival.UID != "uid-a" || !rival.Created().Equal(created) {
			t.Errorf("%s has rival %v, want a", acc.Name, rival)
		}
	}
	now := metav1.NewTime(created)
	first.DeletionTimestamp = &now
	r.Put(first)
	if rival, ok := r.Rival(third); !ok || rival.Key.Name != "b" {
		t.Errorf("while a is being deleted: rival %v, want b", rival)
	}
	r.Drop(first.UID)
	r.Drop(second.UID)
	if rival, ok := r.Rival(third); ok {
		t.Errorf("alone: rival %s", rival.Key)
	}
}

// Of two made in the same second the one with the lower UID wins: as text, and so as
// it is kept.
func TestTheOlderClaimWinsAndTheOrderIsTotal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := New()
		var all []*v1alpha1.SocialAccount
		for i := range rapid.IntRange(2, 6).Draw(rt, "accounts") {
			acc := enrolled(fmt.Sprint(i), rapid.IntRange(0, 2).Draw(rt, "age"), "moe", "p")
			acc.UID = types.UID(rapid.StringMatching("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").Draw(rt, "uid"))
			r.Put(acc)
			all = append(all, acc)
		}
		slices.SortFunc(all, func(a, b *v1alpha1.SocialAccount) int {
			if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
				return c
			}
			if a.UID < b.UID {
				return -1
			}
			return 1
		})
		for i, acc := range all {
			rival, ok := r.Rival(acc)
			if ok != (i > 0) || ok && rival.UID != all[0].UID {
				rt.Fatalf("%s is number %d and has rival %v", acc.UID, i, rival)
			}
		}
	})
}

// TestRosterIsARecount compares the roster with a recount after any sequence of
// changes.
func TestRosterIsARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := New()
		heard := map[Tie]int{}
		r.Watch(func(c Change) {
			for _, tie := range c.Gained {
				heard[tie]++
			}
			for _, tie := range c.Lost {
				heard[tie]--
			}
		})
		fleet := map[types.UID]*v1alpha1.SocialAccount{}
		person := rapid.SampledFrom([]v1alpha1.PersonName{"p", "q", "P"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			acc := enrolled(fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "name")), 0, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "handle"),
				person.Draw(t, "accountable"), person.Draw(t, "member"))
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				r.Drop(acc.UID)
				delete(fleet, acc.UID)
			case 1:
				keep := map[types.UID]struct{}{}
				for uid := range fleet {
					if rapid.Bool().Draw(t, "stays") {
						keep[uid] = struct{}{}
					} else {
						delete(fleet, uid)
					}
				}
				r.Keep(keep)
			default:
				r.Put(acc)
				fleet[acc.UID] = acc
			}
		}
		want := map[Tie]int{}
		for _, acc := range fleet {
			for _, tie := range TiesOf(acc) {
				want[tie]++
			}
		}
		if held := len(r.ties.people.first) + len(r.ties.claims.first); len(want) != held || r.Accounts() != len(fleet) {
			t.Fatalf("%d ties, want %d; %d accounts, want %d", held, len(want), r.Accounts(), len(fleet))
		}
		for tie, n := range want {
			if r.Count(tie) != n || len(r.Sharing(tie)) != n || heard[tie] != n {
				t.Fatalf("%x: %d, heard of %d, want %d", tie, r.Count(tie), heard[tie], n)
			}
		}
	})
}

// twins are the first two texts that the same 32 bits lead to.
func twins(t *testing.T, short func(string) uint32, text func(int) string) (first, second string) {
	t.Helper()
	seen := map[uint32]string{}
	for i := range 1 << 20 {
		next := text(i)
		if was, ok := seen[short(next)]; ok {
			return was, next
		}
		seen[short(next)] = next
	}
	t.Fatal("no two texts lead to the same place")
	return "", ""
}

// 32 bits lead to a claim and to a UID, and others may have the same ones.
func TestWhatIsFoundInTheSamePlaceIsNotTheSame(t *testing.T) {
	x, y := twins(t, func(handle string) uint32 { return Handle("X", handle).short() }, func(i int) string { return fmt.Sprint("edu", i) })
	u, v := twins(t, func(uid string) uint32 { return idOf(types.UID(uid)).short() }, func(i int) string { return fmt.Sprintf("%08d-0000-4000-8000-000000000000", i) })
	r := New()
	one, other := enrolled("a", 0, x, "p"), enrolled("b", 1, y, "q")
	one.UID, other.UID = types.UID(u), types.UID(v)
	r.Put(one)
	r.Put(other)
	if rival, ok := r.Rival(other); ok {
		t.Errorf("%s and %s are no rivals, and %s is said to be one", x, y, rival.Key)
	}
	check := func(handle string, want ...types.UID) {
		t.Helper()
		var got []types.UID
		for _, peer := range r.Sharing(Handle("X", handle)) {
			got = append(got, peer.UID)
		}
		if n := r.Count(Handle("X", handle)); n != len(want) || !slices.Equal(got, want) {
			t.Errorf("%s is claimed by %d, %v, want %v", handle, n, got, want)
		}
	}
	check(x, one.UID)
	check(y, other.UID)
	r.Drop(one.UID)
	check(x)
	check(y, other.UID)
	if n := r.Accounts(); n != 1 {
		t.Errorf("%d accounts are left, want 1", n)
	}
}

// Two watches feed it, one of which lags behind.
func TestTheNewerStateStays(t *testing.T) {
	r := New()
	old, newer := enrolled("a", 0, "moe", "p"), enrolled("a", 0, "ministry", "q")
	old.ResourceVersion, newer.ResourceVersion = "9", "10"
	r.Put(newer)
	if c := r.Put(old); len(c.Gained)+len(c.Lost) > 0 {
		t.Errorf("the older state changed %+v", c)
	}
	for tie, want := range map[Tie]int{Handle("X", "ministry"): 1, Handle("X", "moe"): 0, Person(governance.PersonKey("q")): 1} {
		if got := r.Count(tie); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestClaimsAndPeople(t *testing.T) {
	acc := enrolled("a", 0, "Edu_Riyadh", "a@edu.example", "b@edu.example", "A@edu.example")
	p := []Tie{Person(governance.PersonKey("a@edu.example")), Person(governance.PersonKey("b@edu.example"))}
	check := func(what string, want ...Tie) {
		t.Helper()
		if got := TiesOf(acc); !slices.Equal(got, append(want, p...)) {
			t.Errorf("%s: got %x", what, got)
		}
	}
	check("by handle", Handle("X", "edu_riyadh"))
	acc.Status.AccountID = "42"
	check("pinned", Handle("X", "edu_riyadh"), ID("X", "42"))
	acc.Spec.AccountID = "7"
	check("declared", Handle("X", "edu_riyadh"), ID("X", "7"))
	for _, tie := range TiesOf(acc) {
		if tie.IsPerson() != slices.Contains(p, tie) {
			t.Errorf("%x is a person: %v", tie, tie.IsPerson())
		}
	}
}

// A ministry's account has a handle, an id, an accountable and a team of two. What a
// replica pays for each account of the fleet that is not its own is this.
func TestBytesPerAccount(t *testing.T) {
	const n, most = 30_000, 320
	r := New()
	before := heap()
	for i := range n {
		acc := enrolled(fmt.Sprintf("school-%06d-account", i), i, fmt.Sprintf("edu_school_%06d", i), "a", v1alpha1.PersonName(fmt.Sprintf("head-%d@edu.example", i)),
			v1alpha1.PersonName(fmt.Sprintf("team-%d@edu.example", i/4)))
		acc.UID, acc.Status.AccountID = uuid.NewUUID(), fmt.Sprint(1_000_000_000+i)
		r.Put(acc)
	}
	got := (heap() - before) / n
	t.Logf("%d bytes per account", got)
	if got > most || got < 100 {
		t.Errorf("%d bytes per account, want at most %d", got, most)
	}
	runtime.KeepAlive(r)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
