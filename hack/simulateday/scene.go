package main

import (
	"fmt"
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/internal/platform"
	adapterx "mithaq.dev/mithaq/internal/platform/x"
)

// morning is when the day begins: midnight UTC, when X begins to count money anew.
var morning = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// tier is a kind of account, in the proportions of a ministry: itself and its
// leadership, its agencies and directorates, their offices, and schools.
type tier struct {
	name              string
	accounts          int // 0: all that are left
	every, staleAfter time.Duration
}

// scene is one platform: what is simulated, and what the connection allows.
type scene struct {
	adapter platform.Adapter
	handler func(*world.World) http.Handler
	// app are the app's credentials, prepare what the world holds besides accounts.
	app     platform.Secret
	prepare func(*world.World) error
	account func(i int) world.Account
	// dailyUSD is spec.budget.dailySpendUSD, in micro-dollars; 0: none.
	dailyUSD int64
	share    int
	tiers    []tier
	// batch is how many accounts one request can show at most; pages: not those that are
	// asked for, but the next ones of all.
	batch int
	pages bool
}

// scenes are the platforms, each with the share that an administrator would give it
// and with intervals that its contract suggests.
func scenes() []scene {
	return append([]scene{sceneX()}, others()...)
}

func sceneX() scene {
	return scene{
		adapter: adapterx.Adapter(), batch: 100, share: 100, dailyUSD: 300_000_000,
		handler: func(w *world.World) http.Handler { return x.New(w, x.Options{}) },
		app:     platform.Secret{adapterx.KeyAPIKey: []byte("key"), adapterx.KeyAPISecret: []byte("secret")},
		prepare: func(w *world.World) error {
			return w.PutApp(world.App{Platform: world.X, APIKey: "key", APISecret: "secret"})
		},
		account: func(i int) world.Account {
			return world.Account{Platform: world.X, ID: fmt.Sprint(1_000_000_000 + i), Handle: fmt.Sprintf("edu_%d", i)}
		},
		tiers: tiers(15*time.Minute, time.Hour, time.Hour, 6*time.Hour, 6*time.Hour, 72*time.Hour),
	}
}

// tiers are those of a ministry, with the intervals and promises of its top, of its
// directorates and of its schools.
func tiers(top, topStale, middle, middleStale, rest, restStale time.Duration) []tier { //nolint:revive // as its caller reads it
	return []tier{
		{"ministry", 20, top, topStale},
		{"directorate", 500, middle, middleStale},
		{"school", 0, rest, restStale},
	}
}
