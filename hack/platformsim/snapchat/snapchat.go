// Package snapchat serves the parts of Snap's APIs that govern Public Profiles,
// from a world: the Public Profile API, the organisations, members and roles of
// the Ads API, and OAuth, all on one origin, as their paths do not meet. It is
// written from Snap's public pages and from a third party's OpenAPI of them.
// Much of what the pages leave open is known to nobody: Options play it both ways.
//
// In the world, an app is an OAuth client, which Snap has to admit (Denied is one
// that is not on the list); an account's owner is an organisation; a person is a
// member of theirs. Members with the organisation role "admin" or
// "business_admin" see all its profiles, others those they have a role on.
package snapchat

import (
	"net/http"
	"sync/atomic"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Endpoints, as the ledger, the history and faults name them.
const (
	EndpointAuthorize     = "/login/oauth2/authorize"
	EndpointToken         = "/login/oauth2/access_token"
	EndpointRevoke        = "revoke"
	EndpointOrganization  = "/v1/organizations/{id}/public_profiles"
	EndpointMyProfile     = "/v1/public_profiles/my_profile"
	EndpointProfile       = "/v1/public_profiles/{id}"
	EndpointPublicProfile = "/public/v1/public_profiles/{id}"
	EndpointSearch        = "/public/v1/public_profiles/search"
	EndpointChangeLogs    = "/public/v1/public_profiles/change_logs"
	EndpointSpotlights    = "/v1/public_profiles/{id}/spotlights"
	EndpointSpotlight     = "/v1/public_profiles/{id}/spotlights/{spotlight}"
	EndpointMe            = "/v1/me"
	EndpointOrganizations = "/v1/me/organizations"
	EndpointMembers       = "/v1/organizations/{id}/members"
	EndpointRoles         = "/v1/members/{id}/roles"
	EndpointOrgRoles      = "/v1/organizations/{id}/roles"
	EndpointRemoveRole    = "DELETE role"
	EndpointRemoveMember  = "DELETE member"
	EndpointImages        = "/sc-cdn"
	endpointChangeLogFile = "/change_logs"
	endpointUnknown       = "unknown"
)

// Buckets of the ledger's budgets: averages of requests per second.
const (
	BucketToken = "per token"
	BucketApp   = "per app"
)

// Revocation is what the revoke endpoint does; which of these is true is unverified.
type Revocation string

const (
	// RevokeWorks ends what Options.RevokeReach says; the default.
	RevokeWorks Revocation = "works"
	// RevokeIgnored is a 200 that does nothing.
	RevokeIgnored Revocation = "ignored"
	// RevokeMissing is a 404.
	RevokeMissing Revocation = "missing"
)

// Options alter the platform. The zero value is Snapchat as documented, and where
// that says nothing, as the majority of implementers report.
type Options struct {
	// BaseURL begins picture URLs and links to pages; empty takes the address the
	// client used.
	BaseURL string
	// TokenRate and AppRate are requests per second, 0 being the published 10 and
	// 20; Burst is how many seconds of them may come at once, 0 being 1.
	TokenRate, AppRate, Burst int
	// MaxLimit is the largest page; 0 is 1000, the most of Snap's Ads API. Larger
	// limits are refused, or cut if CapLimit.
	MaxLimit int
	CapLimit bool
	// NumericCounts writes subscriber_count as a number, not a string.
	NumericCounts bool
	// LowerCaseStatus writes success instead of SUCCESS, as old samples do.
	LowerCaseStatus bool
	// Missing200 answers for a missing profile with 200 and an error of the
	// sub-request instead of 404.
	Missing200 bool
	// ListMissing keeps profiles that are gone in the organisation's list, as failed
	// sub-requests.
	ListMissing bool
	// Forbidden403Body writes AUTHORIZATION_PERMISSION_DENIED for clients that are
	// not admitted, instead of nothing.
	Forbidden403Body bool
	// AccessLife is an access token's; 0 is an hour (older pages: 1800 s). The
	// refresh token's RefreshLife is unknown; 0 has no end.
	AccessLife, RefreshLife time.Duration
	// KeepRefresh lets refresh tokens be used again and leaves them out of answers.
	KeepRefresh bool
	// ReplayEndsFamily ends all that came of a consent when a refresh token comes
	// a second time; Grace answers it again within that time.
	ReplayEndsFamily bool
	Grace            time.Duration
	// TokenAlias serves /login/oauth2/token as well, which one page shows.
	TokenAlias bool
	// Revoke is what the revoke endpoint does; empty is RevokeWorks. RevokePath is
	// where it is; empty is Login Kit's /accounts/oauth2/revoke. RevokeReach is what
	// a revocation ends; empty is the whole grant, the worst for a client.
	Revoke      Revocation
	RevokePath  string
	RevokeReach world.Reach
	// RemovesPeople lets members and roles be deleted; without it that is 405.
	RemovesPeople bool
	// OrganizationRoles serves /v1/organizations/{id}/roles.
	OrganizationRoles bool
}

type server struct {
	world   *world.World
	opts    Options
	limiter *limiter
	// items counts profiles in answers, for faults that strike some of them.
	items atomic.Int64
}

// New returns a handler of Snap's APIs over w.
func New(w *world.World, opts Options) http.Handler {
	opts = withDefaults(opts)
	s := &server{world: w, opts: opts, limiter: newLimiter(w, opts)}
	rules := world.GrantRules{
		Prefix: "snap.", AccessLife: opts.AccessLife, RefreshLife: opts.RefreshLife, Refreshes: true, SingleUse: !opts.KeepRefresh,
		Grace: opts.Grace, RevokeEnds: opts.RevokeReach,
	}
	if opts.ReplayEndsFamily {
		rules.ReplayEnds = world.ReachFamily
	}
	w.SetGrantRules(world.Snapchat, rules)
	w.ServeEndpoints(world.Snapchat, EndpointAuthorize, EndpointToken, EndpointRevoke, EndpointOrganization, EndpointMyProfile,
		EndpointProfile, EndpointPublicProfile, EndpointSearch, EndpointChangeLogs, EndpointSpotlights, EndpointSpotlight, EndpointMe,
		EndpointOrganizations, EndpointMembers, EndpointRoles, EndpointOrgRoles, EndpointRemoveRole, EndpointRemoveMember, EndpointImages)
	return s.routes()
}

func withDefaults(o Options) Options {
	for value, otherwise := range map[*int]int{&o.TokenRate: 10, &o.AppRate: 20, &o.Burst: 1, &o.MaxLimit: 1000} {
		if *value == 0 {
			*value = otherwise
		}
	}
	if o.AccessLife == 0 {
		o.AccessLife = time.Hour
	}
	if o.Revoke == "" {
		o.Revoke = RevokeWorks
	}
	if o.RevokePath == "" {
		o.RevokePath = "/accounts/oauth2/revoke"
	}
	if o.RevokeReach == "" {
		o.RevokeReach = world.ReachGrant
	}
	return o
}

const (
	scopeProfile   = "snapchat-profile-api"
	scopeMarketing = "snapchat-marketing-api"
)

func (s *server) routes() http.Handler {
	g := gate.Gate{World: s.world, Platform: world.Snapchat, Render: renderer{s.opts}}
	mux := http.NewServeMux()
	for endpoint, serve := range map[string]handler{
		EndpointOrganization: s.organizationProfiles, EndpointMyProfile: s.myProfile, EndpointProfile: s.authorizedProfile,
		EndpointPublicProfile: s.publicProfile, EndpointSearch: s.search, EndpointChangeLogs: s.changeLogs,
		EndpointSpotlights: s.spotlights, EndpointSpotlight: s.spotlight,
	} {
		mux.Handle("GET "+endpoint, g.Recorded(endpoint, gate.Reads, s.api(scopeProfile, serve)))
	}
	for endpoint, serve := range map[string]handler{
		EndpointMe: s.me, EndpointOrganizations: s.organizations, EndpointMembers: s.members, EndpointRoles: s.memberRoles,
		EndpointOrgRoles: s.organizationRoles,
	} {
		mux.Handle("GET "+endpoint, g.Recorded(endpoint, gate.Reads, s.api(scopeMarketing, serve)))
	}
	// Which of the paths is Snap's is unverified: the same resources, by DELETE.
	for path, serve := range map[string]handler{
		"/v1/roles/{role}": s.removeRole, "/v1/members/{id}/roles/{role}": s.removeRole, "/v1/organizations/{org}/roles/{role}": s.removeRole,
	} {
		mux.Handle("DELETE "+path, g.Recorded(EndpointRemoveRole, gate.Always("removeRole"), s.api(scopeMarketing, serve)))
	}
	for _, path := range []string{"/v1/members/{id}", "/v1/organizations/{org}/members/{id}"} {
		mux.Handle("DELETE "+path, g.Recorded(EndpointRemoveMember, gate.Always("removePerson"), s.api(scopeMarketing, s.removeMember)))
	}
	s.oauthRoutes(mux, g)
	mux.Handle("GET /sc-cdn/{version}/{name}/{size}", g.Static(EndpointImages, http.HandlerFunc(s.picture)))
	mux.Handle("GET /change_logs/{name}", g.Static(endpointChangeLogFile, http.HandlerFunc(s.changeLogFile)))
	mux.Handle("/", g.API(endpointUnknown, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		renderer{s.opts}.Status(w, http.StatusNotFound)
	})))
	return mux
}
