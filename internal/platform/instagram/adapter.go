package instagram

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

// The base URLs beside the Graph API's.
const (
	// Authorize and AuthorizeInstagram are what browsers call to consent.
	Authorize          = "https://www.facebook.com"
	AuthorizeInstagram = "https://www.instagram.com"
	// InstagramAPI serves tokens of Instagram Login; InstagramTokens spends codes.
	InstagramAPI    = "https://graph.instagram.com"
	InstagramTokens = "https://api.instagram.com"
)

// KeyLogin in the app Secret says how accounts consent: "facebook" (the default) or
// "instagram". With the latter, clientID and clientSecret are those of the Instagram
// app, and a system user's token of the sweep is sent without proof of a secret.
const (
	KeyLogin       = "login"
	loginFacebook  = "facebook"
	loginInstagram = "instagram"
)

const (
	roleAuthorize          = "authorize"
	roleAuthorizeInstagram = "instagram-authorize"
	roleInstagram          = "instagram"
	roleTokens             = "instagram-token"

	opOpen  = "open"
	perPage = 100 // media of one call
	// longLived is the lifetime of a long-lived token of Instagram Login.
	longLived = 60 * 24 * time.Hour
	// storyAge is how long a story can be read.
	storyAge = 24 * time.Hour
)

// The scopes that a grant must hold, sorted (instagram.md, section 1).
var (
	scopes = []string{
		"business_management", "instagram_basic", "instagram_manage_comments", "instagram_manage_insights",
		"pages_read_engagement", "pages_show_list",
	}
	ownScopes = []string{"instagram_business_basic", "instagram_business_manage_comments"}
)

// Adapter describes Instagram.
func Adapter() platform.Adapter {
	read := func(endpoint, credential string, calls, posts int) platform.Read {
		return platform.Read{
			Batch: graph.BatchSize, Charges: graph.Charges(calls, posts), Credential: credential,
			Endpoint: "POST /" + graph.Version + "/ (batch of GET " + endpoint + ")",
		}
	}
	const ours = "system-user token of the portfolio that holds the accounts"
	return platform.Adapter{
		Name:     platform.Instagram,
		Endpoint: graph.Endpoint,
		Hosts: map[string]string{
			roleAuthorize: Authorize, roleAuthorizeInstagram: AuthorizeInstagram,
			roleInstagram: InstagramAPI, roleTokens: InstagramTokens,
		},
		MediaHosts: []string{".cdninstagram.com", ".fbcdn.net"},
		Budgets:    graph.Budgets(),
		Profiles: map[platform.Lookup]platform.Read{
			platform.ByID:     hinted(read("/{ig-user}", ours, 1, 1)),
			platform.ByHandle: read("/{our-ig-user}?fields=business_discovery", ours+", and one of our accounts (igUserID)", 1, 1),
		},
		Streams: map[platform.Stream]platform.StreamRead{
			platform.StreamPosts: {
				Read:    read("/{ig-user}/media and /stories", ours, 2, 2),
				Actions: []platform.Action{platform.Publish}, Counter: platform.FieldPosts, Ordered: true, MaxAge: storyAge,
			},
		},
		Rereads: read("/{ig-media}", ours, 1, 1),
		Custody: systemUser(),
		Grants:  graph.GrantCosts(),
		Gaps:    gaps(),
		Readable: platform.Fields(
			platform.FieldHandle, platform.FieldDisplayName, platform.FieldBio, platform.FieldWebsite,
			platform.FieldAvatar, platform.FieldFollowers, platform.FieldPosts,
		),
		Open: open,
	}
}

// hinted marks a read that knows some accounts by their handle alone.
func hinted(r platform.Read) platform.Read {
	r.Hinted = true
	return r
}

func gaps() []platform.Gap {
	return []platform.Gap{
		{Subject: "personal accounts", Why: "only professional accounts (Business, Creator) can be read"},
		{Subject: "verification badge", Why: "not exposed"},
		{Subject: "banner", Why: "there is none"},
		{Subject: "creation time", Why: "not exposed"},
		{Subject: "protected accounts", Why: "professional accounts are public"},
		{Subject: "suspended or missing", Why: "one error for both (100/33 by id, 110/2207013 by handle)"},
		{Subject: "likes, reposts and direct messages", Why: "not exposed"},
		{Subject: "accounts followed", Why: "only their number is told"},
		{Subject: "replies made elsewhere", Why: "comments are listed by media, of one's own media only"},
		{Subject: "stories", Why: "readable for 24 hours, and media_count does not move with them"},
		{Subject: "edited captions", Why: "no time of the last change is told"},
		{Subject: "who published", Why: "not exposed"},
		{Subject: "people who know the password", Why: "no API lists sessions or the two-factor of the Instagram login"},
	}
}

// humanSteps are what no API does (instagram.md, Rotation on handover).
func humanSteps() []string {
	return []string{"change-password", "change-email-and-phone", "check-two-factor", "end-sessions", "remove-third-party-apps"}
}

// systemUser is what holds with a system user of the portfolio.
func systemUser() platform.Custody {
	return platform.Custody{
		Principal: "system user", Mints: true, Reach: platform.ReachToken, Introspects: true, Scopes: scopes, HumanSteps: humanSteps(),
	}
}

// person is what holds where people consent by Facebook Login.
func person() *platform.Custody {
	return &platform.Custody{
		Principal: "person", Reach: platform.ReachGrant, Introspects: true, RenewsAccess: true, Scopes: scopes, HumanSteps: humanSteps(),
		AccessLifetime: longLived,
	}
}

// account is what holds with Instagram Login. Whether a refresh ends the old token
// is unverified, so it counts as if it did.
func account() *platform.Custody {
	return &platform.Custody{
		Principal: "account", Reach: platform.ReachNone, Scopes: ownScopes, AccessLifetime: longLived, RefreshEndsAccess: true, RenewsAccess: true,
		HumanSteps: append(humanSteps(), "remove-our-app"),
	}
}
