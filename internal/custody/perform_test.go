package custody

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// answers plays every capability with one answer.
type answers struct {
	err    error
	state  platform.Liveness
	mutate int
}

func (a *answers) Identify(context.Context, platform.Token, platform.AccountRef) (platform.Identity, error) {
	return platform.Identity{AccountID: "42", Principal: "p"}, a.err
}

func (a *answers) Introspect(context.Context, platform.Token) (platform.Introspection, error) {
	return platform.Introspection{State: a.state}, a.err
}

func (a *answers) Revoke(context.Context, platform.Grant, platform.RevokePart) error {
	a.mutate++
	return a.err
}

func (a *answers) job(kind rotation.CallKind, slot rotation.Which, ends time.Time) Job {
	s := &rotation.Slot{Access: "access", ExpiresAt: ends}
	return Job{
		App:   App{Client: &platform.Client{Identify: a, Introspect: a, Revoke: a}},
		Call:  &rotation.Call{Kind: kind, Slot: slot, Op: &rotation.Op{Name: rotation.OpRevokeGrant}},
		Vault: &rotation.Vault{Current: s, Retiring: s}, Now: now,
	}
}

// A refusal proves that a token is dead only while its time had not run out.
func TestARefusedTokenIsDeadOnlyBeforeItsEnd(t *testing.T) {
	later, earlier := now.Add(time.Hour), now.Add(-time.Hour)
	refused := &platform.Error{Kind: platform.KindUnauthorized}
	for name, c := range map[string]struct {
		slot  rotation.Which
		state platform.Liveness
		err   error
		ends  time.Time
		want  rotation.Liveness
	}{
		"current, refused before its end":  {rotation.SlotCurrent, "", refused, later, rotation.Dead},
		"current, refused after its end":   {rotation.SlotCurrent, "", refused, earlier, rotation.Expired},
		"current, accepted":                {rotation.SlotCurrent, "", nil, later, rotation.Alive},
		"retiring, alive":                  {rotation.SlotRetiring, platform.TokenAlive, nil, later, rotation.Alive},
		"retiring, dead before its end":    {rotation.SlotRetiring, platform.TokenDead, nil, later, rotation.Dead},
		"retiring, unclear before its end": {rotation.SlotRetiring, platform.TokenUnclear, nil, later, rotation.Dead},
		"retiring, unclear after its end":  {rotation.SlotRetiring, platform.TokenUnclear, nil, earlier, rotation.Expired},
		"retiring, unclear, no end known":  {rotation.SlotRetiring, platform.TokenUnclear, nil, time.Time{}, rotation.Unclear},
		"retiring, the platform says so":   {rotation.SlotRetiring, platform.TokenExpired, nil, later, rotation.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answers{err: c.err, state: c.state}
			got := Perform(t.Context(), a.job(rotation.CallProbe, c.slot, c.ends))
			if got.Kind != rotation.Done || got.Liveness != c.want {
				t.Errorf("%s %s, want %s", got.Kind, got.Liveness, c.want)
			}
		})
	}
}

// An answer that was lost is told apart from a refusal, and nothing is sent twice.
func TestOutcomesOfAMutatingCall(t *testing.T) {
	for kind, want := range map[platform.Kind]rotation.OutcomeKind{
		platform.KindUnauthorized: rotation.Denied, platform.KindNotFound: rotation.Denied, platform.KindInvalid: rotation.Misconfigured,
		platform.KindAmbiguous: rotation.Ambiguous, platform.KindUnavailable: rotation.Unavailable,
		platform.KindRateLimited: rotation.Unavailable, platform.KindBudgetExhausted: rotation.Unavailable, "": rotation.Done,
	} {
		a := &answers{}
		if kind != "" {
			a.err = &platform.Error{Kind: kind, RetryAfter: time.Minute}
		}
		got := Perform(t.Context(), a.job(rotation.CallMutate, rotation.SlotRetiring, time.Time{}))
		if got.Kind != want || a.mutate != 1 || kind != "" && got.RetryAfter != time.Minute {
			t.Errorf("%s: %s after %d calls, retry after %s; want %s after one", kind, got.Kind, a.mutate, got.RetryAfter, want)
		}
	}
}

// What a capability is missing for cannot be done, whatever the platform could.
func TestTraitsAreNoMoreThanTheCapabilities(t *testing.T) {
	able := platform.Adapter{Custody: platform.Custody{Mints: true, Reach: platform.ReachToken, Introspects: true}}
	got := Traits(App{Adapter: able, Client: &platform.Client{}})
	if got.Mints || !got.NoRevoke || got.Introspects || got.ListsPeople || got.RemovesPeople {
		t.Errorf("without capabilities: %+v", got)
	}
	unproven := Traits(App{Adapter: platform.Adapter{Custody: platform.Custody{Reach: platform.ReachUnknown}}, Client: &platform.Client{Revoke: &answers{}}})
	if unproven.RevokesToken || unproven.NoRevoke {
		t.Errorf("an unproven reach counts as its worst value: %+v", unproven)
	}
}

// seats plays an account with people.
type seats struct {
	members []platform.Member
	unseat  []platform.Member
}

func (s *seats) People(context.Context, platform.Token, platform.AccountRef) ([]platform.Member, error) {
	return s.members, nil
}

func (s *seats) Unseat(_ context.Context, _ platform.Token, _ platform.AccountRef, m platform.Member) error {
	s.unseat = append(s.unseat, m)
	return nil
}

// Somebody is removed by the seat that the list shows now; who is not on it is out.
func TestAMemberIsRemovedByTheirSeat(t *testing.T) {
	partner := platform.Member{ID: "7", Kind: platform.MemberPartner, Roles: []string{"MANAGE"}, Removable: true}
	for name, c := range map[string]struct {
		people  bool
		subject string
		want    []platform.Member
	}{
		"on the list":   {true, "7", []platform.Member{partner}},
		"off the list":  {true, "8", nil},
		"nobody listed": {false, "old@edu.example", []platform.Member{{ID: "old@edu.example", Email: "old@edu.example", Kind: platform.MemberPerson, Removable: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &seats{members: []platform.Member{partner}}
			client := &platform.Client{Unseat: s}
			if c.people {
				client.People = s
			}
			got := Perform(t.Context(), Job{
				App:   App{Client: client},
				Call:  &rotation.Call{Kind: rotation.CallMutate, Slot: rotation.SlotCurrent, Op: &rotation.Op{Name: rotation.OpUnseat, Subject: c.subject}},
				Vault: &rotation.Vault{Current: &rotation.Slot{Access: "access"}}, Now: now,
			})
			if got.Kind != rotation.Done || !cmp.Equal(s.unseat, c.want) {
				t.Errorf("%s, removed %+v, want %+v", got.Kind, s.unseat, c.want)
			}
		})
	}
}
