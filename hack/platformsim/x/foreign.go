package x

import (
	"fmt"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// twist puts strangers into an answer where a fault says so.
func twist(accounts []world.Account, lie world.FaultKind) []world.Account {
	switch lie {
	case world.FaultShuffleForeign:
		out := make([]world.Account, len(accounts))
		for i := range accounts {
			out[i] = stranger(accounts[i])
		}
		return out
	case world.FaultExtraForeign:
		if len(accounts) > 0 {
			return append(accounts, stranger(accounts[0]))
		}
	default:
	}
	return accounts
}

// stranger is an account nobody asked for, with the profile of one somebody
// did, so that a client matching by anything but the id is caught.
func stranger(a world.Account) world.Account {
	h := gate.Mix("stranger " + a.ID)
	a.ID = fmt.Sprintf("9%017d", h%100_000_000_000_000_000)
	a.Handle = fmt.Sprintf("other_%08x", h>>32)
	return a
}
