package youtube

import (
	"context"
	"errors"
	"time"

	admin "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/option"
	api "google.golang.org/api/youtube/v3"

	"mithaq.dev/mithaq/internal/platform"
)

// Endpoint is YouTube's own base URL.
const Endpoint = "https://youtube.googleapis.com"

// The other hosts, by role. Only people's browsers call the one to authorize.
const (
	roleToken     = "token"
	roleUserinfo  = "userinfo"
	roleAdmin     = "admin"
	roleAuthorize = "authorize"

	hostToken     = "https://oauth2.googleapis.com"
	hostUserinfo  = "https://openidconnect.googleapis.com"
	hostAdmin     = "https://admin.googleapis.com"
	hostAuthorize = "https://accounts.google.com"
)

// The keys of the app Secret, beside platform.KeyClientID and
// platform.KeyClientSecret (the OAuth client, without which no channel can grant
// access).
const (
	// KeyAPIKey is the key for public reads; required.
	KeyAPIKey = "apiKey"
	// KeyWorkspaceToken is the refresh token of a Google Workspace administrator who
	// granted our OAuth client admin.directory.user.security: with it, sessions,
	// grants and app passwords of accounts of that domain can be ended.
	KeyWorkspaceToken = "workspaceRefreshToken"
)

const (
	batch       = 50
	page        = 50
	unitsADay   = 10_000
	searchesADy = 100
	bucketUnits = "units"
	bucketFind  = "search"
	pacific     = "America/Los_Angeles"
	// grantsPace is our own: Google's OAuth, OpenID and directory services publish no
	// limit that holds for every project. Per second.
	bucketGrants = "grants"
	grantsPace   = 20
	opOpen       = "open"

	credentialKey = "API key"
	credentialOwn = "the channel's own token"
)

// Adapter describes YouTube.
func Adapter() platform.Adapter {
	return platform.Adapter{
		Name:     platform.YouTube,
		Endpoint: Endpoint,
		Hosts: map[string]string{
			roleToken: hostToken, roleUserinfo: hostUserinfo, roleAdmin: hostAdmin, roleAuthorize: hostAuthorize,
		},
		MediaHosts: []string{"yt3.ggpht.com", "yt3.googleusercontent.com"},
		Budgets: []platform.Budget{
			{Bucket: bucketUnits, Kind: platform.BudgetDay, Limit: unitsADay, Zone: pacific},
			{Bucket: bucketFind, Kind: platform.BudgetDay, Limit: searchesADy, Zone: pacific},
			{Bucket: bucketGrants, Kind: platform.BudgetBucket, Limit: grantsPace, Window: time.Second, Burst: grantsPace, Handed: 100},
		},
		Profiles: map[platform.Lookup]platform.Read{
			platform.ByID:     unit(batch, credentialKey, "GET "+endpointChannels+"?id="),
			platform.ByHandle: unit(1, credentialKey, "GET "+endpointChannels+"?forHandle="),
		},
		Streams: streams(),
		Rereads: unit(batch, credentialKey, "GET "+endpointVideos+"?id="),
		Custody: custody(),
		Grants:  grantCosts(),
		Gaps:    gaps(),
		Readable: platform.Fields(
			platform.FieldHandle, platform.FieldDisplayName, platform.FieldBio, platform.FieldAvatar,
			platform.FieldBanner, platform.FieldFollowers, platform.FieldPosts,
		),
		Open: open,
	}
}

// grantCosts: of the calls of a grant's life only channels.list is the Data API's, which
// counts units (youtube.md, section 6); asking for the person goes to OpenID. Ending what
// an account has open takes a token, a sign-out, and two lists.
func grantCosts() map[platform.GrantCall][]platform.Charge {
	oauth := func(requests int) platform.Charge {
		return platform.Charge{Bucket: bucketGrants, PerRequest: requests}
	}
	one := []platform.Charge{oauth(1)}
	return map[platform.GrantCall][]platform.Charge{
		platform.CallExchange: one, platform.CallRefresh: one, platform.CallRevoke: one, platform.CallIntrospect: one,
		platform.CallIdentify: {{Bucket: bucketUnits, PerRequest: 1}, oauth(1)},
		platform.CallUnseat:   {oauth(4)},
	}
}

// unit is a read that costs one unit, whatever it names.
func unit(batch int, credential, endpoint string) platform.Read {
	return platform.Read{
		Batch: batch, Charges: []platform.Charge{{Bucket: bucketUnits, PerRequest: 1}},
		Credential: credential, Endpoint: endpoint,
	}
}

func streams() map[platform.Stream]platform.StreamRead {
	return map[platform.Stream]platform.StreamRead{
		platform.StreamPosts: {
			Read:    unit(1, credentialKey, "GET "+endpointItems),
			Actions: []platform.Action{platform.Publish}, Counter: platform.FieldPosts, Ordered: true,
		},
		platform.StreamFollows: {
			Read:    unit(1, credentialKey+", where the channel shows its subscriptions", "GET "+endpointSubscriptions),
			Actions: []platform.Action{platform.Follow},
		},
		platform.StreamLikes: {
			Read:    unit(1, credentialOwn, "GET "+endpointVideos+"?myRating=like"),
			Actions: []platform.Action{platform.Like}, OwnToken: true, Ordered: true,
		},
	}
}

// gaps are what YouTube does not expose (youtube.md, sections 1 to 4).
func gaps() []platform.Gap {
	return []platform.Gap{
		{Subject: "verification badge", Why: "in no answer"},
		{Subject: "links of the channel page", Why: "in no answer"},
		{Subject: "suspended and missing told apart", Why: "both are absent from the answer by id; the channel's own token tells"},
		{Subject: "comments made", Why: "only comments on a channel's own videos are listed"},
		{Subject: "reposts, community posts, stories, live chat", Why: "no endpoint"},
		{Subject: "when the newest video was published", Why: "the channel has the number of videos alone"},
		{Subject: "subscriptions, where the channel hides them", Why: "403 subscriptionForbidden"},
		{Subject: "likes made, without a grant", Why: "readable with the channel's own token alone"},
		{Subject: "people with access", Why: "channel permissions and Brand Account managers are in no endpoint"},
		{Subject: "removing people", Why: "no endpoint; with a Workspace administrator's grant, sessions, grants and app passwords of a Google account can be ended"},
		{Subject: "quota used", Why: "no header tells; units are counted by us"},
	}
}

// open checks cfg and returns a client; it performs no call.
func open(cfg platform.Config) (*platform.Client, error) {
	if err := platform.CheckConfig(cfg); err != nil {
		return nil, invalid(opOpen, err)
	}
	keys, err := keysOf(cfg.App)
	if err != nil {
		return nil, invalid(opOpen, err)
	}
	// The services are built without any call: with an HTTP client of one's own
	// NewService looks for no credentials.
	ctx := context.Background()
	service, err := api.NewService(ctx, option.WithHTTPClient(strict(cfg.HTTP)), option.WithEndpoint(cfg.Endpoint+"/"))
	if err != nil {
		return nil, invalid(opOpen, errService)
	}
	r := &reader{cfg: cfg, service: service, key: keys.api}
	h := &holder{reader: r}
	client := &platform.Client{Observe: r, Activity: r, Reread: r, Identify: h, Introspect: h}
	if keys.clientID == "" {
		return client, nil
	}
	h.oauth = oauthClient(cfg, keys)
	client.Consent, client.Issue, client.Revoke = h.oauth, h.oauth, h
	if keys.workspace == "" {
		return client, nil
	}
	directory, err := admin.NewService(ctx, option.WithHTTPClient(strict(cfg.HTTP)), option.WithEndpoint(cfg.Host(roleAdmin)+"/"))
	if err != nil {
		return nil, invalid(opOpen, errService)
	}
	client.Unseat = newWorkspace(r, h.oauth, directory, keys.workspace)
	administered := custody()
	administered.UnseatDoes = []string{stepSessions}
	client.Custody = &administered
	return client, nil
}

// keys are the app Secret.
type keys struct {
	api, clientID, clientSecret string
	workspace                   platform.Token
}

func keysOf(app platform.Secret) (keys, error) {
	r := platform.ReadSecret(app)
	k := keys{
		api: r.Get(KeyAPIKey), clientID: r.Get(platform.KeyClientID), clientSecret: r.Get(platform.KeyClientSecret),
		workspace: platform.Token(r.Get(KeyWorkspaceToken)),
	}
	if err := r.Malformed(); err != nil {
		return keys{}, err
	}
	needsClient := k.clientID != "" || k.clientSecret != "" || k.workspace != ""
	var missing string
	switch {
	case k.api == "":
		missing = KeyAPIKey
	case needsClient && k.clientID == "":
		missing = platform.KeyClientID
	case needsClient && k.clientSecret == "":
		missing = platform.KeyClientSecret
	}
	if missing != "" {
		return keys{}, errors.New("the app Secret lacks " + missing)
	}
	return k, nil
}

var errService = errors.New("the client cannot be built")

func invalid(op string, err error) *platform.Error {
	return &platform.Error{Kind: platform.KindInvalid, Op: op, Err: err}
}
