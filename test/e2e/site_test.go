package e2e

import (
	"net/http"

	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

// site is how a scene plays a platform.
type site struct {
	serve  func(*world.World) http.Handler
	fleet  world.Fleet
	secret map[string][]byte
	// id is the form of its ids, of a number of 12 digits; handle how handles begin,
	// owner who owns accounts, and reader whoever needs a role on each.
	id, handle, owner, reader string
}

const (
	portfolio    = "700"
	organisation = "8fdeefec-f502-4ca8-9a84-6411e0a51053"
	reader       = "a71cfcae-895d-4314-9460-e2ffd2515dd0"
	systemUser   = "900"
	// eye is the account of ours through which Instagram's are found.
	eye = "17841400000000001"
)

func serveMeta(w *world.World) http.Handler {
	return meta.New(w, meta.Options{Engaged: 1_000_000, DailyUsers: 1_000_000})
}

// metaFleet is a portfolio with the system user whose token reads, and with others.
func metaFleet(accounts ...world.Account) world.Fleet {
	f := world.Fleet{
		Apps:     []world.App{{Platform: world.Facebook, APIKey: "1000", APISecret: "secret"}},
		Accounts: accounts,
		Tokens: []world.Mint{{Platform: world.Facebook, Client: "1000", Person: systemUser, Value: token, Scopes: []string{
			"business_management", "instagram_basic", "pages_read_engagement", "pages_read_user_content", "pages_show_list",
		}}},
	}
	for _, p := range []world.Platform{world.Facebook, world.Instagram} {
		f.Roles = append(f.Roles, world.Role{Platform: p, Account: world.AllAccounts, Person: systemUser, Tasks: []string{"MANAGE"}})
		f.People = append(f.People, world.Person{Platform: p, ID: systemUser, Name: "Reader", Kind: world.System, Organisation: portfolio, OrganisationRole: "ADMIN"})
	}
	return f
}

var sites = map[world.Platform]site{
	world.X: {
		serve:  func(w *world.World) http.Handler { return x.New(w, x.Options{Limit: 1_000_000}) },
		fleet:  world.Fleet{Apps: []world.App{{Platform: world.X, APIKey: "key", APISecret: "secret", AppToken: token}}},
		secret: map[string][]byte{"appToken": []byte(token)}, id: "%d", handle: "edu_",
	},
	world.YouTube: {
		serve:  func(w *world.World) http.Handler { return youtube.New(w, youtube.Options{DailyUnits: 1_000_000}) },
		fleet:  world.Fleet{Apps: []world.App{{Platform: world.YouTube, APIKey: "key", APISecret: "secret", AppToken: token}}},
		secret: map[string][]byte{"apiKey": []byte(token)}, id: "UC%022d", handle: "edu_",
	},
	world.Snapchat: {
		serve: func(w *world.World) http.Handler { return snapchat.New(w, snapchat.Options{}) },
		fleet: world.Fleet{
			Apps:   []world.App{{Platform: world.Snapchat, APIKey: "key", APISecret: "secret"}},
			People: []world.Person{{Platform: world.Snapchat, ID: reader, Name: "Reader", Organisation: organisation, OrganisationRole: "admin"}},
			Tokens: []world.Mint{{Platform: world.Snapchat, Client: "key", Person: reader, Kind: world.RefreshToken, Value: token, Scopes: []string{"snapchat-profile-api"}}},
		},
		secret: map[string][]byte{"clientID": []byte("key"), "clientSecret": []byte("secret"), "refreshToken": []byte(token)},
		id:     "76da494b-76bc-4bbb-bb27-%012d", handle: "edu_", owner: organisation,
	},
	world.Facebook: {
		serve: serveMeta, fleet: metaFleet(),
		secret: map[string][]byte{"clientID": []byte("1000"), "clientSecret": []byte("secret"), "systemUserToken": []byte(token)},
		id:     "%d", handle: "edu.", owner: portfolio, reader: systemUser,
	},
	world.Instagram: {
		serve:  serveMeta,
		fleet:  metaFleet(world.Account{Platform: world.Instagram, ID: eye, Handle: "edu_eye", DisplayName: "Ours", Image: "emblem", Owner: portfolio}),
		secret: map[string][]byte{"clientID": []byte("1000"), "clientSecret": []byte("secret"), "systemUserToken": []byte(token), "igUserID": []byte(eye)},
		id:     "1784%d", handle: "edu_", owner: portfolio, reader: systemUser,
	},
}
