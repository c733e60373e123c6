package faults

import (
	"fmt"
	"net/http"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/internal/platform"
	adapterx "mithaq.dev/mithaq/internal/platform/x"
	"mithaq.dev/mithaq/internal/rotation"
)

// mark is in every secret of the sweep, whoever made it: it must be found nowhere.
const mark = "KanaryBird"

// The people of every account.
const (
	former    = "old@edu.example"
	successor = "new@edu.example"
	leaver    = "gone@edu.example"
	stays     = "stays@edu.example"
	stranger  = "stranger@edu.example"
)

// site is a platform as an account of the ministry stands on it.
type site struct {
	name    string
	on      world.Platform
	adapter platform.Adapter
	// serve plays the platform as badly as its documents permit.
	serve func(*world.World) http.Handler
	// furnish puts the account, its apps and its people into a world.
	furnish func(*world.World, place) error
	// secret is the app Secret of one of the two apps.
	secret func(rotation.App) platform.Secret
	// id and handle are the forms of an account's.
	id, handle string
	// person is who consents as the holder of an address; account is where the consent
	// is for one account.
	choice func(place, string) world.Choice
	// byConsent: new grants are had by consent; oneApp: there is no second app.
	byConsent, oneApp bool
	// noRevoke: there is no way to revoke by API; human: people give their word at the end.
	noRevoke, human bool
}

// place is one account on a platform.
type place struct {
	id, handle, stranger string
}

func (s *site) place(serial int) place {
	return place{
		id: fmt.Sprintf(s.id, 100_000_000_000+2*int64(serial)), stranger: fmt.Sprintf(s.id, 100_000_000_001+2*int64(serial)),
		handle: fmt.Sprintf("%s%d", s.handle, serial),
	}
}

func connectionOf(p v1alpha1.PlatformName) string {
	return map[v1alpha1.PlatformName]string{
		v1alpha1.PlatformX: "x", v1alpha1.PlatformYouTube: "youtube", v1alpha1.PlatformFacebook: "facebook",
		v1alpha1.PlatformInstagram: "instagram", v1alpha1.PlatformSnapchat: "snapchat",
	}[p]
}

func clientID(which rotation.App) string {
	if which == rotation.Alternate {
		return "1002"
	}
	return "1001"
}

func clientSecret(which rotation.App) string { return mark + "-secret-" + string(which) }

// apps puts both apps into a world.
func apps(w *world.World, p world.Platform) error {
	for _, which := range []rotation.App{rotation.Primary, rotation.Alternate} {
		err := w.PutApp(world.App{Platform: p, APIKey: clientID(which), APISecret: clientSecret(which), AppToken: mark + "-bearer-" + string(which), DailyUsers: 1 << 30})
		if err != nil {
			return err
		}
	}
	return nil
}

func ownKeys(which rotation.App) platform.Secret {
	return platform.Secret{platform.KeyClientID: []byte(clientID(which)), platform.KeyClientSecret: []byte(clientSecret(which))}
}

// sites are all platforms, each in the ways in which grants are had on it.
func sites() []*site { return []*site{onX()} }

func onX() *site {
	return &site{
		name: "X", human: true, on: world.X, adapter: adapterx.Adapter(), id: "%d", handle: "edu_", byConsent: true,
		serve: func(w *world.World) http.Handler {
			return x.New(w, x.Options{Limit: 1 << 30, RevokeGrant: true, ReplayEndsFamily: true})
		},
		furnish: func(w *world.World, p place) error {
			if err := apps(w, world.X); err != nil {
				return err
			}
			return put(w, world.X, p, "")
		},
		secret: func(which rotation.App) platform.Secret {
			s := ownKeys(which)
			s["appToken"] = []byte(mark + "-bearer-" + string(which))
			return s
		},
		choice: func(p place, who string) world.Choice {
			if who == stranger {
				return world.Choice{Person: p.stranger}
			}
			return world.Choice{Person: p.id}
		},
	}
}

// put puts the account and a stranger's into a world.
func put(w *world.World, on world.Platform, p place, owner string) error {
	for id, handle := range map[string]string{p.id: p.handle, p.stranger: p.handle + "x"} {
		err := w.Put(world.Account{Platform: on, ID: id, Handle: handle, DisplayName: "Account", Image: "emblem", Owner: owner})
		if err != nil {
			return err
		}
	}
	return nil
}
