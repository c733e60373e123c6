package faults

import (
	"fmt"
	"net/http"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/facebook"
	"mithaq.dev/mithaq/internal/platform/instagram"
	adaptersnapchat "mithaq.dev/mithaq/internal/platform/snapchat"
	adapterx "mithaq.dev/mithaq/internal/platform/x"
	adapteryoutube "mithaq.dev/mithaq/internal/platform/youtube"
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
	// singleUse: a refresh token is spent by its use.
	singleUse bool
	// chains: a code yields a short token, and that the long one; removes: people are
	// removed by API.
	chains, removes bool
	// tokens is the platform whose tokens they are; empty: on.
	tokens world.Platform
	// out is what people do when they are asked to remove somebody; removeApp: they
	// remove the former app from the account.
	out       func(*world.World, place, string) error
	removeApp bool
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

// issuer is the platform whose tokens they are.
func (s *site) issuer() world.Platform {
	if s.tokens != "" {
		return s.tokens
	}
	return s.on
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
func sites() []*site {
	return []*site{onX(), onYouTube(), onSnapchat(), onFacebook(), onFacebookByPeople(), onInstagram(), onInstagramItself()}
}

func onX() *site {
	return &site{
		singleUse: true, name: "X", human: true, on: world.X, adapter: adapterx.Adapter(), id: "%d", handle: "edu_", byConsent: true,
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

// ids are the platform's own of the people, by address.
var ids = map[string]string{former: "811", successor: "812", leaver: "813", stays: "814", stranger: "815"}

const (
	portfolio    = "700"
	organisation = "8fdeefec-f502-4ca8-9a84-6411e0a51053"
)

// seat puts people into a world, each with a role on the account; the stranger has
// one on the stranger's.
func seat(w *world.World, on world.Platform, p place, organisation, role string, form func(string) string) error {
	for address, id := range ids {
		person := world.Person{Platform: on, ID: form(id), Name: "P" + id, Email: address, Organisation: organisation, OrganisationRole: role}
		if err := w.PutPerson(person); err != nil {
			return err
		}
		account := p.id
		if address == stranger {
			account = p.stranger
		}
		if address == successor && role != "" && on != world.Snapchat {
			continue // the new person is given access by the consent alone
		}
		if err := w.PutRole(world.Role{Platform: on, Account: account, Person: form(id), Tasks: []string{"MANAGE"}}); err != nil {
			return err
		}
	}
	return nil
}

func plain(id string) string { return id }

func onYouTube() *site {
	return &site{
		name: "YouTube", on: world.YouTube, adapter: adapteryoutube.Adapter(), id: "UC%022d", handle: "edu_", byConsent: true, human: true,
		serve: func(w *world.World) http.Handler { return youtube.New(w, youtube.Options{DailyUnits: 1 << 30}) },
		furnish: func(w *world.World, p place) error {
			if err := apps(w, world.YouTube); err != nil {
				return err
			}
			if err := put(w, world.YouTube, p, ""); err != nil {
				return err
			}
			return seat(w, world.YouTube, p, "edu.example", "", plain)
		},
		secret: func(which rotation.App) platform.Secret {
			s := ownKeys(which)
			s["apiKey"] = []byte(mark + "-bearer-" + string(which))
			return s
		},
		choice: func(p place, who string) world.Choice {
			account := p.id
			if who == stranger {
				account = p.stranger
			}
			return world.Choice{Person: ids[who], Account: account}
		},
	}
}

// member is the form of Snapchat's ids.
func member(id string) string { return "a71cfcae-895d-4314-9460-e2ffd2519" + id }

func onSnapchat() *site {
	return &site{
		singleUse: true, name: "Snapchat", on: world.Snapchat, adapter: adaptersnapchat.Adapter(), id: "76da494b-76bc-4bbb-bb27-%012d", handle: "edu_", byConsent: true, human: true,
		serve: func(w *world.World) http.Handler {
			return snapchat.New(w, snapchat.Options{TokenRate: 1 << 20, AppRate: 1 << 20, ReplayEndsFamily: true})
		},
		furnish: func(w *world.World, p place) error {
			if err := apps(w, world.Snapchat); err != nil {
				return err
			}
			if err := put(w, world.Snapchat, p, organisation); err != nil {
				return err
			}
			for _, which := range []rotation.App{rotation.Primary, rotation.Alternate} {
				_, _, err := w.Mint(world.Mint{
					Platform: world.Snapchat, Client: clientID(which), Person: member(reader), Kind: world.RefreshToken, Value: mark + "-reads-" + string(which),
					Scopes: []string{"snapchat-profile-api"},
				})
				if err != nil {
					return err
				}
			}
			return seat(w, world.Snapchat, p, organisation, "admin", member)
		},
		secret: func(which rotation.App) platform.Secret {
			s := ownKeys(which)
			s["refreshToken"] = []byte(mark + "-reads-" + string(which))
			return s
		},
		choice: func(p place, who string) world.Choice {
			account := p.id
			if who == stranger {
				account = p.stranger
			}
			return world.Choice{Person: member(ids[who]), Account: account}
		},
		out: func(w *world.World, p place, who string) error {
			return w.RemovePerson(world.Snapchat, member(ids[who]))
		},
	}
}

func serveMeta(w *world.World) http.Handler {
	return meta.New(w, meta.Options{Engaged: 1 << 30, DailyUsers: 1 << 30, UserCalls: 1 << 30})
}

// furnishMeta puts an account, the portfolio's people and its system user into a world.
func furnishMeta(on world.Platform, employees string) func(*world.World, place) error {
	return func(w *world.World, p place) error {
		if err := apps(w, world.Facebook); err != nil {
			return err
		}
		if err := put(w, on, p, portfolio); err != nil {
			return err
		}
		for _, pl := range []world.Platform{world.Facebook, world.Instagram} {
			for _, id := range []string{systemUser, reader} {
				if err := w.PutPerson(world.Person{Platform: pl, ID: id, Name: "System", Kind: world.System, Organisation: portfolio, OrganisationRole: "ADMIN"}); err != nil {
					return err
				}
			}
			if pl != on {
				for address, id := range ids {
					if err := w.PutPerson(world.Person{Platform: pl, ID: id, Name: "P" + id, Email: address, Organisation: portfolio, OrganisationRole: employees}); err != nil {
						return err
					}
				}
			}
		}
		for _, id := range []string{systemUser, reader} {
			if err := w.PutRole(world.Role{Platform: on, Account: p.id, Person: id, Tasks: []string{"MANAGE"}}); err != nil {
				return err
			}
		}
		for _, which := range []rotation.App{rotation.Primary, rotation.Alternate} {
			_, _, err := w.Mint(world.Mint{Platform: world.Facebook, Client: clientID(which), Person: reader, Value: mark + "-system-" + string(which), Scopes: []string{
				"business_management", "instagram_basic", "pages_read_engagement", "pages_read_user_content", "pages_show_list", "pages_manage_metadata",
			}})
			if err != nil {
				return err
			}
		}
		return seat(w, on, p, portfolio, employees, plain)
	}
}

// systemUser is whose tokens are minted.
const systemUser = "901"

func systemKeys(which rotation.App) platform.Secret {
	s := ownKeys(which)
	s["systemUserToken"], s["systemUserID"], s["businessID"] = []byte(mark+"-system-"+string(which)), []byte(systemUser), []byte(portfolio)
	return s
}

func onFacebook() *site {
	return &site{
		removes: true, name: "Facebook, system user", on: world.Facebook, adapter: facebook.Adapter(), id: "%d", handle: "edu.", human: true, oneApp: true,
		serve: serveMeta, furnish: furnishMeta(world.Facebook, "EMPLOYEE"), secret: systemKeys,
		choice: func(place, string) world.Choice { return world.Choice{Person: systemUser} },
		out:    func(w *world.World, p place, who string) error { return w.RemoveRole(world.Facebook, p.id, ids[who]) },
	}
}

func onFacebookByPeople() *site {
	return &site{
		chains: true, name: "Facebook, by consent", on: world.Facebook, adapter: facebook.Adapter(), id: "%d", handle: "edu.", byConsent: true, human: true,
		serve: serveMeta, furnish: func(w *world.World, p place) error {
			if err := furnishMeta(world.Facebook, "EMPLOYEE")(w, p); err != nil {
				return err
			}
			return w.PutRole(world.Role{Platform: world.Facebook, Account: p.id, Person: ids[successor], Tasks: []string{"MANAGE"}})
		},
		secret: ownKeys,
		choice: func(_ place, who string) world.Choice { return world.Choice{Person: ids[who]} },
	}
}

func onInstagram() *site {
	return &site{
		removes: true, name: "Instagram, system user", on: world.Instagram, tokens: world.Facebook, adapter: instagram.Adapter(), id: "1784%d", handle: "edu_", human: true, oneApp: true,
		serve: serveMeta, furnish: furnishMeta(world.Instagram, "EMPLOYEE"), secret: func(which rotation.App) platform.Secret {
			s := systemKeys(which)
			s["igUserID"] = []byte("17841400000000001")
			return s
		},
		choice: func(place, string) world.Choice { return world.Choice{Person: systemUser} },
		out:    func(w *world.World, p place, who string) error { return w.RemoveRole(world.Instagram, p.id, ids[who]) },
	}
}

func onInstagramItself() *site {
	return &site{
		chains: true, name: "Instagram, own login", on: world.Instagram, adapter: instagram.Adapter(), id: "1784%d", handle: "edu_", byConsent: true, human: true, noRevoke: true,
		serve: serveMeta, furnish: func(w *world.World, p place) error {
			if err := apps(w, world.Instagram); err != nil {
				return err
			}
			return put(w, world.Instagram, p, "")
		},
		secret: func(which rotation.App) platform.Secret {
			s := ownKeys(which)
			s["login"], s["appToken"] = []byte("instagram"), []byte(mark+"-bearer")
			return s
		},
		choice: func(p place, who string) world.Choice {
			if who == stranger {
				return world.Choice{Account: p.stranger}
			}
			return world.Choice{Account: p.id}
		},
		removeApp: true,
	}
}
