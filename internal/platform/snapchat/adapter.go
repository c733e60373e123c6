package snapchat

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Endpoint is the base URL of the Public Profile API.
const Endpoint = "https://businessapi.snapchat.com"

// The other hosts, by role; browsers call the one to authorize.
const (
	roleAds       = "ads"
	roleAccounts  = "accounts"
	roleAuthorize = "authorize"

	hostAds      = "https://adsapi.snapchat.com"
	hostAccounts = "https://accounts.snapchat.com"
)

// The keys of the app Secret, beside platform.KeyClientID and
// platform.KeyClientSecret, both required: Snapchat admits OAuth clients one by one.
const (
	// KeyRefreshToken begins the app's own grant; what comes of it is kept by
	// platform.Config.Grant. Without a store it is kept in memory and lost at a
	// restart, and the token in the Secret is spent by then.
	KeyRefreshToken = "refreshToken"
	// KeyAccessToken is a ready access token, used until it is refused; either it or
	// the refresh token is required.
	KeyAccessToken = "accessToken"
	// KeyOrganizations are the ids of organisations whose profiles are read page by
	// page, parted by commas or white space; optional.
	KeyOrganizations = "organizationIDs"
	// KeyRevokePath is the path of the revocation at the accounts host, which no page
	// of this API documents; optional.
	KeyRevokePath = "revokePath"
)

const (
	bucketToken = "token"
	bucketApp   = "app"
	// The published averages per second, of the Marketing API.
	perToken = 10
	perApp   = 20
	// burst is how many may go at once: what fits into one second.
	burst = 8
	// grantsPace is our own: for the OAuth endpoints nothing is published. Per second.
	bucketGrants = "grants"
	grantsPace   = 20

	pageLimit = 100
	opOpen    = "open"

	defaultRevokePath = "/accounts/oauth2/revoke"
	credentialApp     = "the app's grant (client admitted by Snapchat)"
	credentialEither  = "the account's own token, or the app's grant where it was let in"
)

// Adapter describes Snapchat.
func Adapter() platform.Adapter {
	return platform.Adapter{
		Name:     platform.Snapchat,
		Endpoint: Endpoint,
		Hosts: map[string]string{
			roleAds: hostAds, roleAccounts: hostAccounts, roleAuthorize: hostAccounts,
		},
		MediaHosts: []string{"cf-st.sc-cdn.net"},
		Budgets: []platform.Budget{
			{Bucket: bucketToken, Kind: platform.BudgetBucket, Limit: perToken, Window: time.Second, Burst: burst},
			{Bucket: bucketApp, Kind: platform.BudgetBucket, Limit: perApp, Window: time.Second, Burst: 2 * burst, Handed: 100 - 100*perToken/perApp},
			{Bucket: bucketGrants, Kind: platform.BudgetBucket, Limit: grantsPace, Window: time.Second, Burst: grantsPace, Handed: 100},
		},
		Profiles: map[platform.Lookup]platform.Read{
			platform.ByID:     read(1, 1, "GET "+endpointPublic),
			platform.ByHandle: silent(read(1, 2, "GET "+endpointSearch)),
		},
		Listing: read(pageLimit, 1, "GET "+endpointOrganization),
		Streams: map[platform.Stream]platform.StreamRead{
			platform.StreamPosts: {
				Read: platform.Read{
					Batch: 1, Charges: charges(1), Credential: credentialEither, Endpoint: "GET " + endpointSpotlights,
				},
				Actions: []platform.Action{platform.Publish}, Ordered: true,
			},
		},
		Custody: custody(),
		Grants:  grantCosts(),
		Gaps:    gaps(),
		Readable: platform.Fields(
			platform.FieldHandle, platform.FieldDisplayName, platform.FieldBio, platform.FieldWebsite,
			platform.FieldAvatar, platform.FieldVerified, platform.FieldFollowers, platform.FieldLocation,
		),
		Open: open,
	}
}

// grantCosts: an account's own token has the rate of a token for itself, and shares the
// app's with the sweep, whose own token can use no more than half of it. A list of people
// asks for the profile, the members, and the roles of each: four are reckoned with, and
// more are not foreseen.
func grantCosts() map[platform.GrantCall][]platform.Charge {
	own := func(requests int) []platform.Charge {
		return []platform.Charge{{Bucket: bucketApp, PerRequest: requests}}
	}
	oauth := []platform.Charge{{Bucket: bucketGrants, PerRequest: 1}}
	return map[platform.GrantCall][]platform.Charge{
		platform.CallExchange: oauth, platform.CallRefresh: oauth, platform.CallRevoke: oauth,
		platform.CallIdentify: own(2), platform.CallIntrospect: own(1), platform.CallPeople: own(6),
	}
}

func charges(requests int) []platform.Charge {
	return []platform.Charge{{Bucket: bucketToken, PerRequest: requests}, {Bucket: bucketApp, PerRequest: requests}}
}

func read(batch, requests int, endpoint string) platform.Read {
	return platform.Read{Batch: batch, Charges: charges(requests), Credential: credentialApp, Endpoint: endpoint}
}

// gaps are what Snapchat does not expose (snapchat.md, sections 1 to 4).
func gaps() []platform.Gap {
	return []platform.Gap{
		{Subject: "accounts without a Public Profile", Why: "only Public Profiles are visible, to clients that Snapchat admitted"},
		{Subject: "many given profiles at once", Why: "no endpoint; pages of whole organisations alone"},
		{Subject: "a handle that is free", Why: "only a search finds handles, and what it leaves out may exist"},
		{Subject: "suspended and missing told apart", Why: "not documented"},
		{Subject: "banner", Why: "in no answer"},
		{Subject: "protected accounts", Why: "in no answer"},
		{Subject: "number of posts, newest post", Why: "in no answer: nothing tells that there is a new Spotlight"},
		{Subject: "stories and saved stories", Why: "that they can be read is not verified"},
		{Subject: "replies, reposts, likes and follows made", Why: "no endpoint"},
		{Subject: "looking single posts up again", Why: "only one by one, for which no batch is declared"},
		{Subject: "profile roles", Why: "no endpoint; members and roles of the organisation are listed"},
		{Subject: "removing people", Why: "the calls exist, but how they are made is not verified; a person does it"},
		{Subject: "token introspection", Why: "no endpoint; /v1/me is a probe, and a refusal does not dependably say why"},
		{Subject: "whether a revocation worked", Why: "no page of this API documents one; only a refused refresh proves it"},
		{Subject: "rate limits", Why: "no header tells; a bare 429 does, too late"},
	}
}

// open checks cfg and returns a client; it performs no call.
func open(cfg platform.Config) (*platform.Client, error) {
	if err := platform.CheckConfig(cfg); err != nil {
		return nil, invalid(opOpen, err)
	}
	k, err := keysOf(cfg.App)
	if err != nil {
		return nil, invalid(opOpen, err)
	}
	auth := oauthClient(cfg, k)
	s := newSender(cfg, newAppGrant(cfg, auth, k))
	h := &holder{sender: s, oauth: auth}
	client := &platform.Client{
		Activity: &reader{sender: s}, People: h,
		Consent: auth, Issue: auth, Identify: h, Introspect: h, Revoke: h,
	}
	o := &observer{sender: s}
	if len(k.organizations) > 0 {
		o.pages = &pages{sender: s, organizations: k.organizations}
		client.List = o.pages
	}
	client.Observe = o
	return client, nil
}

// keys are the app Secret.
type keys struct {
	clientID, clientSecret, revokePath string
	access, refresh                    platform.Token
	organizations                      []string
}

func keysOf(app platform.Secret) (keys, error) {
	r := platform.ReadSecret(app)
	k := keys{
		clientID: r.Get(platform.KeyClientID), clientSecret: r.Get(platform.KeyClientSecret),
		access: platform.Token(r.Get(KeyAccessToken)), refresh: platform.Token(r.Get(KeyRefreshToken)),
		revokePath: r.Get(KeyRevokePath), organizations: r.List(KeyOrganizations),
	}
	if slices.ContainsFunc(k.organizations, func(id string) bool { return !isID(id) }) {
		r.Reject(KeyOrganizations)
	}
	k.revokePath = cmp.Or(k.revokePath, defaultRevokePath)
	if !strings.HasPrefix(k.revokePath, "/") || strings.ContainsAny(k.revokePath, "?#") {
		r.Reject(KeyRevokePath)
	}
	if err := r.Malformed(); err != nil {
		return keys{}, err
	}
	switch {
	case k.clientID == "":
		return keys{}, errors.New("the app Secret lacks " + platform.KeyClientID)
	case k.clientSecret == "":
		return keys{}, errors.New("the app Secret lacks " + platform.KeyClientSecret)
	case k.access == "" && k.refresh == "":
		return keys{}, errors.New("the app Secret lacks " + KeyRefreshToken + ", or " + KeyAccessToken)
	}
	return k, nil
}

func invalid(op string, err error) *platform.Error {
	return &platform.Error{Kind: platform.KindInvalid, Op: op, Err: err}
}

// silent marks a read that finds accounts and never says that there is none.
func silent(r platform.Read) platform.Read {
	r.Silent = true
	return r
}
