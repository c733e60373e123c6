package fleet

import (
	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/manual"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// SnapchatSecret is Snapchat's app Secret, and OrganizationsKey its key for the
// organisations whose profiles are read page by page; see docs/platforms.md.
const (
	SnapchatSecret   = "snapchat-moe-app"
	OrganizationsKey = "organizationIDs"
)

// The organisations that hold the accounts, and who reads for them.
const (
	portfolio    = "700"
	Organisation = "8fdeefec-f502-4ca8-9a84-6411e0a51053"
	systemUser   = "900"
	reader       = "a71cfcae-895d-4314-9460-e2ffd2515dd0"
	metaApp      = "1000"
	snapchatApp  = "bench-client"
)

// XBearer is the token with which X is read.
const XBearer = "bench-bearer"

// RenamedTo is the display name of a profile that somebody changed.
const RenamedTo = "Free coins"

// Emblem is the hash of the picture that all accounts show.
const Emblem = manual.Emblem

// World is what the simulated platforms start with.
func (f *Fleet) World() world.Fleet {
	w := world.Fleet{
		Apps: []world.App{
			{Platform: world.X, APIKey: "bench-key", APISecret: "bench-secret", AppToken: XBearer},
			{Platform: world.YouTube, APIKey: "bench-project", APISecret: "bench-project-secret", AppToken: "bench-youtube-key"},
			{Platform: world.Snapchat, APIKey: snapchatApp, APISecret: "bench-client-secret"},
			{Platform: world.Facebook, APIKey: metaApp, APISecret: "bench-meta-secret", DailyUsers: 100_000},
		},
		People: []world.Person{
			{Platform: world.Facebook, ID: systemUser, Name: "Mithaq", Kind: world.System, Organisation: portfolio, OrganisationRole: "ADMIN"},
			{Platform: world.Instagram, ID: systemUser, Name: "Mithaq", Kind: world.System, Organisation: portfolio, OrganisationRole: "ADMIN"},
			{Platform: world.Snapchat, ID: reader, Name: "Mithaq", Organisation: Organisation, OrganisationRole: "admin"},
		},
		Roles: []world.Role{
			{Platform: world.Facebook, Account: world.AllAccounts, Person: systemUser, Tasks: []string{"MANAGE"}},
			{Platform: world.Instagram, Account: world.AllAccounts, Person: systemUser, Tasks: []string{"CONTENT", "COMMUNITY_ACTIVITY"}},
		},
		Tokens: []world.Mint{
			{
				Platform: world.Facebook, Client: metaApp, Person: systemUser, Value: "bench-system-token",
				Scopes: []string{
					"pages_show_list", "pages_manage_metadata", "pages_read_engagement", "pages_read_user_content", "business_management",
					"instagram_basic", "instagram_manage_comments", "instagram_manage_insights",
				},
			},
			{
				Platform: world.Snapchat, Client: snapchatApp, Person: reader, Kind: world.RefreshToken, Value: "bench-snapchat-refresh",
				Scopes: []string{"snapchat-profile-api", "snapchat-marketing-api"},
			},
		},
	}
	for i := range f.N {
		w.Accounts = append(w.Accounts, f.At(i).Live())
	}
	return w
}

// Live is the account as its platform shows it.
func (a Account) Live() world.Account {
	out := world.Account{
		Platform: world.Platform(a.Platform), ID: a.ID, Handle: a.Handle, DisplayName: a.displayName(),
		Bio: "الحساب الرسمي للمدرسة", Website: website, Image: "emblem", Verified: true,
		Followers: int64(1000 + a.Index%9000), Posts: int64(a.Index % 500),
	}
	if a.Violating() {
		out.Website = "https://blog.example/"
	}
	switch a.Platform {
	case v1alpha1.PlatformX:
		out.VerifiedType = "government"
	case v1alpha1.PlatformFacebook, v1alpha1.PlatformInstagram:
		out.Owner = portfolio
	case v1alpha1.PlatformSnapchat:
		out.Owner = Organisation
	case v1alpha1.PlatformYouTube:
	}
	return out
}
