// Package youtube serves the parts of Google's APIs that govern YouTube channels,
// from a world: the YouTube Data API v3, Google's OAuth endpoints and the Admin
// SDK's directory, all on one origin, as their paths do not meet. It is written
// from Google's discovery documents and public pages and refuses what they do
// not allow. Where they contradict each other or are silent, Options choose.
//
// In the world, an app is a Google Cloud project: its API key and secret are the
// OAuth client's, its app token is the project's key for public reads. A person
// is a Google account, whose organisation is a Workspace domain; with the
// organisation role "admin" they may use the Admin SDK. An account that is
// Protected keeps its subscriptions private.
package youtube

import (
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Endpoints, as the ledger, the history and faults name them.
const (
	EndpointChannels       = "/youtube/v3/channels"
	EndpointPlaylistItems  = "/youtube/v3/playlistItems"
	EndpointVideos         = "/youtube/v3/videos"
	EndpointSubscriptions  = "/youtube/v3/subscriptions"
	EndpointSearch         = "/youtube/v3/search"
	EndpointCommentThreads = "/youtube/v3/commentThreads"
	EndpointAuthorize      = "/o/oauth2/v2/auth"
	EndpointToken          = "/token"
	EndpointRevoke         = "/revoke"
	EndpointTokenInfo      = "/tokeninfo"
	EndpointUserInfo       = "/v1/userinfo"
	EndpointUser           = "/admin/directory/v1/users/{userKey}"
	EndpointSignOut        = "/admin/directory/v1/users/{userKey}/signOut"
	EndpointTokens         = "/admin/directory/v1/users/{userKey}/tokens"
	EndpointTokensOf       = "/admin/directory/v1/users/{userKey}/tokens/{clientId}"
	EndpointASPs           = "/admin/directory/v1/users/{userKey}/asps"
	EndpointASP            = "/admin/directory/v1/users/{userKey}/asps/{codeId}"
	EndpointImages         = "/ytc"
	endpointUnknown        = "unknown"
)

// Buckets of the ledger's budgets.
const (
	BucketUnits    = "units"
	BucketSearches = "search.list"
	BucketMinute   = "per minute"
)

// Options alter the platform. The zero value is YouTube as documented.
type Options struct {
	// BaseURL begins picture URLs; empty takes the address the client used.
	BaseURL string
	// DailyUnits per project and Pacific day; 0 is 10,000. DailySearches is the
	// bucket of search.list; 0 is 100 (data/determine_quota_cost, since 2026-06-01).
	DailyUnits, DailySearches int
	// PerMinute is the most requests of a project in a minute, PerUserMinute those
	// of one user; 0 is no limit, as none is published.
	PerMinute, PerUserMinute int
	// Throttle429 refuses what is too fast with 429 RESOURCE_EXHAUSTED instead of 403.
	Throttle429 bool
	// TruncateIDs answers the first 50 of more ids instead of refusing them; which
	// of the two is true is unverified.
	TruncateIDs bool
	// ProbeTells lets subscriptions.list say that an account is suspended or closed
	// (docs/errors names the reasons, not the calls) instead of not finding it.
	ProbeTells bool
	// HideSubscribers hides all subscriber counts, as a channel's owner may.
	HideSubscribers bool
	// LowerCaseHandles writes customUrl in lower case.
	LowerCaseHandles bool
	// FreeNotModified lets an answer 304 cost nothing.
	FreeNotModified bool
	// TokenInfoNumbers writes the times of /tokeninfo as numbers, not strings.
	TokenInfoNumbers bool
	// RefreshLife ends refresh tokens: 7 days in projects in status "Testing"; 0 is never.
	RefreshLife time.Duration
}

type server struct {
	world *world.World
	opts  Options
	quota *quota
}

// New returns a handler of Google's APIs over w.
func New(w *world.World, opts Options) http.Handler {
	if opts.DailyUnits == 0 {
		opts.DailyUnits = 10_000
	}
	if opts.DailySearches == 0 {
		opts.DailySearches = 100
	}
	s := &server{world: w, opts: opts, quota: newQuota(w, opts)}
	w.SetGrantRules(world.YouTube, grantRules(opts))
	w.ServeEndpoints(world.YouTube, EndpointChannels, EndpointPlaylistItems, EndpointVideos, EndpointSubscriptions,
		EndpointSearch, EndpointCommentThreads, EndpointAuthorize, EndpointToken, EndpointRevoke, EndpointTokenInfo,
		EndpointUserInfo, EndpointUser, EndpointSignOut, EndpointTokens, EndpointTokensOf, EndpointASPs, EndpointASP,
		EndpointImages)
	return s.routes()
}

func (s *server) routes() http.Handler {
	g := gate.Gate{World: s.world, Platform: world.YouTube, Render: renderer{}, Window: time.Minute}
	mux := http.NewServeMux()
	for _, m := range s.methods() {
		mux.Handle("GET "+m.endpoint, g.Recorded(m.endpoint, gate.Reads, s.data(m)))
	}
	s.oauthRoutes(mux, g)
	s.adminRoutes(mux, g)
	mux.Handle("GET /ytc/{version}/{file}", g.Static(EndpointImages, http.HandlerFunc(s.picture)))
	mux.Handle("/", g.API(endpointUnknown, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		renderer{}.Status(w, http.StatusNotFound)
	})))
	return mux
}
