package custody

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

type lists struct{}

func (lists) People(context.Context, platform.Token, platform.AccountRef) ([]platform.Member, error) {
	return nil, nil
}

func (lists) Unseat(context.Context, platform.Token, platform.AccountRef, platform.Member) error {
	return nil
}

// A call is charged for everything that it may ask, each bucket once.
func TestACallIsChargedForWhatItMayAsk(t *testing.T) {
	charge := func(bucket string, n int) platform.Charge { return platform.Charge{Bucket: bucket, PerRequest: n} }
	money := platform.Charge{Bucket: "money", PerItem: 10, Once: true}
	adapter := platform.Adapter{Grants: map[platform.GrantCall][]platform.Charge{
		platform.CallExchange: {charge("oauth", 3)}, platform.CallMint: {charge("oauth", 1)}, platform.CallRefresh: {charge("oauth", 1)},
		platform.CallIdentify: {charge("app", 2), money}, platform.CallIntrospect: {charge("app", 1), money}, platform.CallRevoke: {charge("oauth", 2)},
		platform.CallPeople: {charge("app", 5)}, platform.CallUnseat: {charge("app", 1)},
	}}
	probing := &platform.Client{Identify: &answers{}, Introspect: &answers{}}
	introspecting := &platform.Client{Identify: &answers{}, Introspect: &answers{}, Custody: &platform.Custody{Introspects: true}}
	mutates := func(op rotation.OpName) *rotation.Call {
		return &rotation.Call{Kind: rotation.CallMutate, Op: &rotation.Op{Name: op}}
	}
	minting := mutates(rotation.OpIssue)
	minting.Mode = rotation.ByMint
	for name, c := range map[string]struct {
		client *platform.Client
		call   *rotation.Call
		want   []platform.Charge
	}{
		"identify":                  {probing, &rotation.Call{Kind: rotation.CallIdentify}, []platform.Charge{charge("app", 2), money}},
		"probe of what is in use":   {probing, &rotation.Call{Kind: rotation.CallProbe, Slot: rotation.SlotCurrent}, []platform.Charge{charge("app", 2), money}},
		"probe that asks why":       {introspecting, &rotation.Call{Kind: rotation.CallProbe, Slot: rotation.SlotCurrent}, []platform.Charge{charge("app", 3), money}},
		"probe of what is to end":   {probing, &rotation.Call{Kind: rotation.CallProbe, Slot: rotation.SlotRetiring}, []platform.Charge{charge("app", 1), money}},
		"people":                    {probing, &rotation.Call{Kind: rotation.CallPeople}, []platform.Charge{charge("app", 5)}},
		"exchange":                  {probing, mutates(rotation.OpIssue), []platform.Charge{charge("oauth", 3)}},
		"mint":                      {probing, minting, []platform.Charge{charge("oauth", 1)}},
		"refresh":                   {probing, mutates(rotation.OpRefresh), []platform.Charge{charge("oauth", 1)}},
		"revocation":                {probing, mutates(rotation.OpRevokeAccess), []platform.Charge{charge("oauth", 2)}},
		"removal":                   {probing, mutates(rotation.OpUnseat), []platform.Charge{charge("app", 1)}},
		"removal of one of a list":  {&platform.Client{People: lists{}, Unseat: lists{}}, mutates(rotation.OpUnseat), []platform.Charge{charge("app", 6)}},
		"a platform without prices": {&platform.Client{}, nil, nil},
	} {
		app := App{Adapter: adapter, Client: c.client}
		if c.call == nil {
			app.Adapter, c.call = platform.Adapter{}, mutates(rotation.OpIssue)
		}
		if diff := cmp.Diff(c.want, Charges(app, c.call)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// What a platform refuses for a budget that is used up is told apart from what it does not
// answer.
func TestARefusalForABudgetIsTold(t *testing.T) {
	for kind, want := range map[platform.Kind]bool{platform.KindRateLimited: true, platform.KindUnavailable: false, platform.KindUnauthorized: false} {
		if got := outcome(&platform.Error{Kind: kind}).Limited; got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}
