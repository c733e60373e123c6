package custody

import (
	"slices"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// Charges are what a call costs of its connection's budgets: all that it may take, each
// bucket once.
func Charges(app App, call *rotation.Call) []platform.Charge {
	var all []platform.Charge
	for _, one := range grantCalls(app, call) {
		for _, charge := range app.Adapter.Grants[one] {
			i := slices.IndexFunc(all, func(c platform.Charge) bool { return c.Bucket == charge.Bucket && c.Once == charge.Once })
			if i < 0 {
				all = append(all, charge)
				continue
			}
			all[i].PerRequest += charge.PerRequest
			if !charge.Once {
				all[i].PerItem += charge.PerItem
			}
		}
	}
	return all
}

// grantCalls are the adapter's calls that Perform may make for a call.
func grantCalls(app App, call *rotation.Call) []platform.GrantCall {
	switch call.Kind {
	case rotation.CallIdentify:
		return []platform.GrantCall{platform.CallIdentify}
	case rotation.CallPeople:
		return []platform.GrantCall{platform.CallPeople}
	case rotation.CallProbe:
		switch {
		case call.Slot != rotation.SlotCurrent || app.Client.Identify == nil:
			return []platform.GrantCall{platform.CallIntrospect}
		case app.Custody().Introspects:
			return []platform.GrantCall{platform.CallIdentify, platform.CallIntrospect}
		}
		return []platform.GrantCall{platform.CallIdentify}
	case rotation.CallMutate:
	}
	return mutations(app, call)
}

func mutations(app App, call *rotation.Call) []platform.GrantCall {
	switch call.Op.Name {
	case rotation.OpIssue:
		if call.Mode == rotation.ByMint {
			return []platform.GrantCall{platform.CallMint}
		}
		return []platform.GrantCall{platform.CallExchange}
	case rotation.OpRefresh, rotation.OpTry:
		return []platform.GrantCall{platform.CallRefresh}
	case rotation.OpUnseat:
		if app.Client.People != nil {
			return []platform.GrantCall{platform.CallPeople, platform.CallUnseat}
		}
		return []platform.GrantCall{platform.CallUnseat}
	case rotation.OpRevokeGrant, rotation.OpRevokeAccess, rotation.OpQuarantine, rotation.OpQuarantineAccess:
	}
	return []platform.GrantCall{platform.CallRevoke}
}
