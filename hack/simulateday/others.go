package main

import (
	"fmt"
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
	"mithaq.dev/mithaq/internal/platform"
	adapterfacebook "mithaq.dev/mithaq/internal/platform/facebook"
	"mithaq.dev/mithaq/internal/platform/graph"
	adapterinstagram "mithaq.dev/mithaq/internal/platform/instagram"
	adaptersnapchat "mithaq.dev/mithaq/internal/platform/snapchat"
	adapteryoutube "mithaq.dev/mithaq/internal/platform/youtube"
)

// others are the platforms beside X.
func others() []scene {
	return []scene{
		sceneMeta(adapterinstagram.Adapter(), world.Instagram), sceneSnapchat(),
		sceneYouTube(), sceneMeta(adapterfacebook.Adapter(), world.Facebook),
	}
}

func sceneYouTube() scene {
	return scene{
		adapter: adapteryoutube.Adapter(), batch: 50, share: 80,
		handler: func(w *world.World) http.Handler { return youtube.New(w, youtube.Options{}) },
		app:     platform.Secret{adapteryoutube.KeyAPIKey: []byte("key")},
		prepare: func(w *world.World) error {
			return w.PutApp(world.App{Platform: world.YouTube, APIKey: "project", APISecret: "secret", AppToken: "key"})
		},
		account: func(i int) world.Account {
			return world.Account{Platform: world.YouTube, ID: fmt.Sprintf("UC%022d", i), Handle: fmt.Sprintf("edu%d", i)}
		},
		tiers: tiers(15*time.Minute, time.Hour, time.Hour, 6*time.Hour, 6*time.Hour, 72*time.Hour),
	}
}

const organisation = "8fdeefec-f502-4ca8-9a84-6411e0a51053"

func sceneSnapchat() scene {
	const reader = "a71cfcae-895d-4314-9460-e2ffd2515dd0"
	return scene{
		adapter: adaptersnapchat.Adapter(), batch: 100, pages: true, share: 80,
		// The token outlives the day: what its renewal costs is not what is shown here.
		handler: func(w *world.World) http.Handler {
			return snapchat.New(w, snapchat.Options{AccessLife: 100 * time.Hour})
		},
		app: platform.Secret{
			platform.KeyClientID: []byte("client"), platform.KeyClientSecret: []byte("secret"),
			adaptersnapchat.KeyAccessToken: []byte("token"), adaptersnapchat.KeyOrganizations: []byte(organisation),
		},
		prepare: func(w *world.World) error {
			return w.Load(world.Fleet{
				Apps:   []world.App{{Platform: world.Snapchat, APIKey: "client", APISecret: "secret"}},
				People: []world.Person{{Platform: world.Snapchat, ID: reader, Name: "Reader", Organisation: organisation, OrganisationRole: "admin"}},
				Tokens: []world.Mint{{
					Platform: world.Snapchat, Client: "client", Person: reader, Value: "token",
					Scopes: []string{"snapchat-profile-api", "snapchat-marketing-api"},
				}},
			})
		},
		account: func(i int) world.Account {
			return world.Account{
				Platform: world.Snapchat, ID: fmt.Sprintf("76da494b-76bc-4bbb-bb27-%012d", i), Handle: fmt.Sprintf("edu%d", i), Owner: organisation,
			}
		},
		tiers: tiers(time.Hour, 4*time.Hour, 3*time.Hour, 12*time.Hour, 6*time.Hour, 72*time.Hour),
	}
}

func sceneMeta(adapter platform.Adapter, name world.Platform) scene {
	return scene{
		adapter: adapter, batch: 50, share: 80,
		handler: func(w *world.World) http.Handler { return meta.New(w, meta.Options{}) },
		app: platform.Secret{
			platform.KeyClientID: []byte("1000"), platform.KeyClientSecret: []byte("hush"), graph.KeySystemUserToken: []byte("sys"),
		},
		prepare: func(w *world.World) error {
			return w.Load(world.Fleet{
				Apps:   []world.App{{Platform: world.Facebook, APIKey: "1000", APISecret: "hush"}},
				People: []world.Person{{Platform: name, ID: "900", Name: "Reader", Kind: world.System, Organisation: "700", OrganisationRole: "ADMIN"}},
				Roles:  []world.Role{{Platform: name, Account: world.AllAccounts, Person: "900", Tasks: []string{"MANAGE"}}},
				Tokens: []world.Mint{{
					Platform: world.Facebook, Client: "1000", Person: "900", Value: "sys",
					Scopes: []string{"pages_show_list", "pages_read_engagement", "business_management", "instagram_basic"},
				}},
			})
		},
		account: func(i int) world.Account {
			return world.Account{Platform: name, ID: fmt.Sprint(20_000_000_000 + i), Handle: fmt.Sprintf("edu%d", i), Owner: "700"}
		},
		tiers: tiers(15*time.Minute, time.Hour, time.Hour, 6*time.Hour, 6*time.Hour, 72*time.Hour),
	}
}
