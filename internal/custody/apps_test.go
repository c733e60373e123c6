package custody

import (
	"slices"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// Whoever waits for a connection hears of its opening, also of one before, and not of
// its closing.
func TestAnOpeningIsTold(t *testing.T) {
	apps := NewApps()
	open := map[rotation.App]App{rotation.Primary: {}}
	apps.Set("before", open)
	var told []string
	apps.OnOpen(func(connection string) {
		if _, ok := apps.Get(connection, rotation.Primary); !ok {
			t.Errorf("%s is told of and not open", connection)
		}
		told = append(told, connection)
	})
	apps.Set("after", open)
	apps.Set("after", nil)
	if want := []string{"before", "after"}; !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
}

// What holds for an app Secret stands in for what the platform allows in general.
func TestAnAppsOwnCustodyHolds(t *testing.T) {
	general := platform.Adapter{Custody: platform.Custody{Mints: true, Reach: platform.ReachToken}}
	own := &platform.Client{Custody: &platform.Custody{Principal: "person", Reach: platform.ReachGrant}, Revoke: &answers{}}
	if got := Traits(App{Adapter: general, Client: own}); !got.PersonPrincipal || !got.RevokesGrant || got.RevokesToken {
		t.Errorf("%+v", got)
	}
}
