package x

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Endpoint is X's own base URL.
const Endpoint = "https://api.x.com"

// hostAuthorize is where people consent: their browsers call it, we never do.
const (
	roleAuthorize = "authorize"
	hostAuthorize = "https://x.com"
)

// The keys of the app Secret: either a ready app-only bearer token, or the app's
// key pair, from which one is obtained. platform.KeyClientID, and for a confidential
// client platform.KeyClientSecret, are those of the app's OAuth2 client: without
// them no account can grant access.
const (
	KeyAppToken  = "appToken"
	KeyAPIKey    = "apiKey"
	KeyAPISecret = "apiSecret"
)

// The published limits, per app.
const (
	batch    = 100
	requests = 300
	window   = 15 * time.Minute
)

const opOpen = "open"

// Adapter describes X.
func Adapter() platform.Adapter {
	return platform.Adapter{
		Name:       platform.X,
		Endpoint:   Endpoint,
		Hosts:      map[string]string{roleAuthorize: hostAuthorize},
		MediaHosts: []string{"pbs.twimg.com", "abs.twimg.com"},
		Budgets:    budgets(),
		Profiles:   profiles(),
		Streams:    streamReads(),
		Rereads: platform.Read{
			Batch: batch, Charges: charges(bucketPosts, pricePost, true),
			Credential: credentialApp, Endpoint: "GET " + endpointPosts,
		},
		Custody: custody(),
		Grants:  grantCosts(),
		Gaps:    gaps(),
		Readable: platform.Fields(
			platform.FieldHandle, platform.FieldDisplayName, platform.FieldBio, platform.FieldWebsite,
			platform.FieldAvatar, platform.FieldBanner, platform.FieldVerified, platform.FieldProtected,
			platform.FieldFollowers, platform.FieldPosts, platform.FieldLastPost, platform.FieldLocation,
		),
		Open: open,
	}
}

// open checks cfg and returns a client; it performs no call. A grant's life is
// supported where the app Secret names the OAuth2 client.
func open(cfg platform.Config) (*platform.Client, error) {
	if err := platform.CheckConfig(cfg); err != nil {
		return nil, invalid(opOpen, err)
	}
	creds, err := credentialsOf(cfg.App)
	if err != nil {
		return nil, invalid(opOpen, err)
	}
	s := &sender{cfg: cfg, bearer: newBearer(cfg, creds)}
	c := &platform.Client{
		Observe:    &observer{sender: s},
		Activity:   &reader{sender: s},
		Reread:     &reader{sender: s},
		Identify:   &holder{sender: s},
		Introspect: &holder{sender: s},
	}
	if creds.clientID != "" {
		h := &holder{sender: s, oauth: oauthClient(cfg, creds)}
		c.Consent, c.Issue, c.Revoke = h.oauth, h.oauth, h
	}
	return c, nil
}

func invalid(op string, err error) *platform.Error {
	return &platform.Error{Kind: platform.KindInvalid, Op: op, Err: err}
}
