// Package x serves the parts of the X API v2 that govern accounts, from a world:
// profiles, posts, likes, follows, OAuth 2 and usage. It is written from X's public documentation (docs.x.com) and OpenAPI
// description 2.159 and refuses what they do not allow. Where they contradict
// each other or are silent, Options choose.
package x

import (
	"fmt"
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Spelling is the naming of posts on the wire, of which X's sources show two.
type Spelling string

const (
	// SpellingTweet is OpenAPI 2.159: tweet.fields, tweet_count and so on.
	SpellingTweet Spelling = "tweet"
	// SpellingPost is OpenAPI 2.167: post.fields, post_count and so on; the old
	// names are refused, and post ids are asked for by expansion.
	SpellingPost Spelling = "post"
	// SpellingMixed accepts both in requests and answers with the new names.
	SpellingMixed Spelling = "mixed"
)

// Endpoints, as the ledger, Options.Limits and faults name them.
const (
	EndpointToken      = "/oauth2/token"
	EndpointUsers      = "/2/users"
	EndpointUsersBy    = "/2/users/by"
	EndpointUser       = "/2/users/{id}"
	EndpointByUsername = "/2/users/by/username/{username}"
	EndpointTimeline   = "/2/users/{id}/tweets"
	EndpointLiked      = "/2/users/{id}/liked_tweets"
	EndpointFollowing  = "/2/users/{id}/following"
	EndpointPosts      = "/2/tweets"
	EndpointPost       = "/2/tweets/{id}"
	EndpointRecent     = "/2/tweets/search/recent"
	EndpointUsage      = "/2/usage/tweets"
	EndpointAuthorize  = "/i/oauth2/authorize"
	EndpointUserToken  = "/2/oauth2/token"
	EndpointRevoke     = "/2/oauth2/revoke"
	EndpointImages     = "/profile_images"
	EndpointBanners    = "/profile_banners"
	endpointMe         = "/2/users/me"
	endpointSearch     = "/2/users/search"
	endpointUnknown    = "unknown"
)

// Options alter the platform. The zero value is X as documented.
type Options struct {
	// BaseURL begins picture URLs; empty takes the address the client used.
	BaseURL string
	// Spelling defaults to SpellingTweet.
	Spelling Spelling
	// Window is the length of a rate limit window; 0 is 15 minutes (docs.x.com,
	// rate limits). Resets are whole seconds, so shorter than 1 s makes no sense.
	Window time.Duration
	// Limit is the number of requests per app, endpoint and window; 0 is 300.
	Limit int
	// Limits override it for an endpoint, and UserLimits the limit per user of an app.
	Limits, UserLimits map[string]int
	// PlainThrottle refuses with the Problem body of X's own playground instead
	// of the documented error code 88.
	PlainThrottle bool
	// SingleNotFound404 answers a lookup of one missing user with 404, as
	// documented, instead of 200 with errors, as seen in the wild.
	SingleNotFound404 bool
	// UserPriceMicroUSD is the price of a user read; 0 is 10,000 millionths of a
	// dollar (docs.x.com, pricing).
	UserPriceMicroUSD int64
	// PublicClients may ask for tokens without a secret, with client_id in the form.
	PublicClients bool
	// InvalidGrant refuses dead refresh tokens and codes with invalid_grant, instead
	// of the invalid_request that public code quotes.
	InvalidGrant bool
	// RevokeGrant lets a revocation end all of the user's tokens of the app, instead
	// of the one token; which is true is unverified.
	RevokeGrant bool
	// ReplayEndsFamily ends all that came of a consent when a code or refresh token
	// comes a second time; Grace answers a refresh token again within that time.
	ReplayEndsFamily bool
	Grace            time.Duration
	// RefreshLife ends refresh tokens (six months is often said); 0 is never.
	RefreshLife time.Duration
}

type server struct {
	world   *world.World
	opts    Options
	names   vocabulary
	errors  problems
	limiter *limiter
}

// New returns a handler of X's API over w. An unknown spelling is a bug of the
// caller and panics.
func New(w *world.World, opts Options) http.Handler {
	opts = withDefaults(opts)
	names, ok := vocabularies[opts.Spelling]
	if !ok {
		panic(fmt.Sprintf("x: unknown spelling %q", opts.Spelling))
	}
	s := &server{
		world:   w,
		opts:    opts,
		names:   names,
		errors:  problems{base: names.problemBase, plainThrottle: opts.PlainThrottle},
		limiter: newLimiter(w, opts),
	}
	w.SetGrantRules(world.X, grantRules(opts))
	w.ServeEndpoints(world.X, EndpointTimeline, EndpointLiked, EndpointFollowing, EndpointPosts, EndpointPost, EndpointRecent,
		EndpointUsage, EndpointAuthorize, EndpointUserToken, EndpointRevoke, EndpointToken, EndpointUsers, EndpointUsersBy, EndpointUser,
		EndpointByUsername, EndpointImages, EndpointBanners, endpointMe, endpointSearch)
	return s.routes()
}

func withDefaults(o Options) Options {
	if o.Spelling == "" {
		o.Spelling = SpellingTweet
	}
	if o.Window == 0 {
		o.Window = 15 * time.Minute
	}
	if o.Limit == 0 {
		o.Limit = 300
	}
	if o.UserPriceMicroUSD == 0 {
		o.UserPriceMicroUSD = 10_000
	}
	return o
}

func (s *server) routes() http.Handler {
	g := gate.Gate{World: s.world, Platform: world.X, Render: s.errors, Window: s.opts.Window}
	mux := http.NewServeMux()
	mux.Handle("POST /oauth2/token", g.API(EndpointToken, http.HandlerFunc(s.token)))
	for _, l := range s.lookups() {
		mux.Handle("GET "+l.endpoint, g.Recorded(l.endpoint, gate.Reads, s.metered(l.endpoint, access{scopes: reading}, l.serve)))
	}
	for endpoint, e := range map[string]struct {
		need  access
		serve handler
	}{
		endpointMe:        {access{userOnly: true, scopes: reading}, s.me},
		endpointSearch:    {access{userOnly: true, scopes: reading}, s.searchUsers},
		EndpointTimeline:  {access{scopes: reading}, s.timeline},
		EndpointLiked:     {access{userOnly: true, scopes: append([]string{"like.read"}, reading...)}, s.liked},
		EndpointFollowing: {access{scopes: append([]string{"follows.read"}, reading...)}, s.following},
		EndpointPosts:     {access{scopes: reading}, s.posts},
		EndpointPost:      {access{scopes: reading}, s.post},
		EndpointRecent:    {access{scopes: reading}, s.recent},
		EndpointUsage:     {access{appOnly: true}, s.usage},
	} {
		mux.Handle("GET "+endpoint, g.Recorded(endpoint, gate.Reads, s.metered(endpoint, e.need, e.serve)))
	}
	s.oauthRoutes(mux, g)
	mux.Handle("GET /profile_images/{version}/{file}", g.Static(EndpointImages, http.HandlerFunc(s.profileImage)))
	mux.Handle("GET /profile_banners/{id}/{version}", g.Static(EndpointBanners, http.HandlerFunc(s.banner)))
	mux.Handle("/", g.API(endpointUnknown, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.errors.Status(w, http.StatusNotFound)
	})))
	return mux
}

// wrongAuthentication refuses a kind of token that an endpoint does not take.
func (s *server) wrongAuthentication(w http.ResponseWriter, kind, supported string) {
	s.errors.write(w, http.StatusForbidden, problem{
		Title: "Unsupported Authentication", Status: http.StatusForbidden, Type: s.errors.base + "unsupported-authentication",
		Detail: "Authenticating with " + kind + " is forbidden for this endpoint.  Supported authentication types are [" + supported + "].",
	})
}
