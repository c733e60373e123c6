package x

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Endpoint is X's own base URL.
const Endpoint = "https://api.x.com"

// The keys of the app Secret: either a ready app-only bearer token, or the app's
// key pair, from which one is obtained.
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
	profiles := make(map[platform.Lookup]platform.Read, len(lookups))
	budgets := []platform.Budget{}
	for _, by := range []platform.Lookup{platform.ByID, platform.ByHandle} {
		l := lookups[by]
		profiles[by] = platform.Read{
			Batch: batch, Charges: []platform.Charge{{Bucket: l.bucket, PerRequest: 1}},
			Credential: "app bearer", Endpoint: "GET " + l.endpoint,
		}
		budgets = append(budgets, platform.Budget{Bucket: l.bucket, Kind: platform.BudgetWindow, Limit: requests, Window: window})
	}
	return platform.Adapter{
		Name:       platform.X,
		Endpoint:   Endpoint,
		MediaHosts: []string{"pbs.twimg.com", "abs.twimg.com"},
		Budgets:    budgets,
		Profiles:   profiles,
		Readable: platform.Fields(
			platform.FieldHandle, platform.FieldDisplayName, platform.FieldBio, platform.FieldWebsite,
			platform.FieldAvatar, platform.FieldBanner, platform.FieldVerified, platform.FieldProtected,
			platform.FieldFollowers, platform.FieldPosts, platform.FieldLastPost, platform.FieldLocation,
		),
		Open: open,
	}
}

// open checks cfg and returns a client; it performs no call.
func open(cfg platform.Config) (*platform.Client, error) {
	if !isBase(cfg.Endpoint) {
		return nil, invalid(opOpen, errors.New("the endpoint is no http or https base URL"))
	}
	if cfg.HTTP == nil || cfg.Usage == nil || cfg.Now == nil {
		return nil, invalid(opOpen, errors.New("HTTP, Usage and Now are required"))
	}
	creds, err := credentialsOf(cfg.App)
	if err != nil {
		return nil, invalid(opOpen, err)
	}
	return &platform.Client{Observe: &observer{cfg: cfg, bearer: newBearer(cfg, creds)}}, nil
}

func isBase(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") &&
		u.User == nil && u.RawQuery == "" && u.Fragment == "" && !strings.HasSuffix(u.Path, "/")
}

func invalid(op string, err error) *platform.Error {
	return &platform.Error{Kind: platform.KindInvalid, Op: op, Err: err}
}
