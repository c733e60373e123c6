// Package meta serves Facebook Pages and Instagram from a world: one origin that
// plays graph.facebook.com, graph.instagram.com, api.instagram.com and the consent
// dialogs of www.facebook.com and www.instagram.com. It is written from Meta's
// public documentation and field lists and refuses what they do not show. Where
// they are silent or unverified, Options choose.
//
// Grants of Facebook Login, with which Instagram is read as well, live under the
// world's platform Facebook; those of Instagram Login under Instagram, where the
// account is its own principal. A person's access to an Instagram account is a
// role under Instagram, or a role on the Page it is linked to.
package meta

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Endpoints, as the ledger and faults name them. A batch counts for Instagram if
// its first item is about an Instagram account, else for Facebook; an edge is
// "/{id}/" and its name.
const (
	EndpointBatch    = "/ (batch)"
	EndpointIDs      = "/?ids"
	EndpointNode     = "/{id}"
	EndpointSearch   = "/pages/search"
	EndpointDebug    = "/debug_token"
	EndpointToken    = "/oauth/access_token"
	EndpointRevoke   = "/oauth/revoke"
	EndpointDialog   = "/dialog/oauth"
	EndpointExchange = "/access_token"
	EndpointRefresh  = "/refresh_access_token"
	EndpointImages   = "/images"
	EndpointUnknown  = "unknown"
)

// Buckets of the ledger's budgets.
const (
	// BucketPages and BucketInstagram are calls per account and 24 hours.
	BucketPages     = "pages"
	BucketInstagram = "instagram"
	// BucketApp and BucketUser are calls per app and per user's token and hour.
	BucketApp  = "app"
	BucketUser = "user"
)

// Options alter the platform. The zero value is Meta as documented; the comments
// quote what the documents leave open.
type Options struct {
	// BaseURL begins picture and paging URLs; empty takes the address the client used.
	BaseURL string
	// Engaged stands in for an account's engaged users or impressions where the
	// world says 0; 0 is 1. "A Page with none: floor unverified."
	Engaged int64
	// DailyUsers stands in for an app's where the world says 0; 0 is 10.
	DailyUsers int64
	// UserCalls are a human's token's calls per hour, "a secret number"; 0 is 200.
	UserCalls int64
	// Penalty is by how much a call while throttled lengthens the block; 0 is 1 minute.
	Penalty time.Duration
	// ThrottleStatus is the HTTP status of a throttled call: "400 in most reports,
	// 403/429 listed too"; 0 is 400.
	ThrottleStatus int
	// ErrorsWith200 answers errors with HTTP 200, as one source says against others.
	ErrorsWith200 bool
	// RequireProof refuses calls without appsecret_proof.
	RequireProof bool
	// PublicContentAccess: the app has the feature Page Public Content Access.
	PublicContentAccess bool
	// LoosePageToken lets user tokens read what is documented with "page token".
	LoosePageToken bool
	// NoIGWebsite refuses IG users' website: "drop on #100".
	NoIGWebsite bool
	// NoIGMultiGet refuses ids= on IG users: "unverified by test".
	NoIGMultiGet bool
	// DebugIGTokens lets debug_token take Instagram Login's tokens: "unverified".
	DebugIGTokens bool
	// IGRefreshSame answers a refresh with the same token, made to last; IGRefreshEnds
	// ends the old one. "Whether the refreshed token differs from the old one and
	// whether the old one dies: unverified."
	IGRefreshSame, IGRefreshEnds bool
	// IGRevoke serves DELETE /me/permissions for Instagram Login: "unverified".
	IGRevoke bool
	// IGTokenInData wraps the answer to an Instagram code into data[0].
	IGTokenInData bool
	// IGException answers Instagram Login's errors with type IGApiException instead
	// of OAuthException: "unverified".
	IGException bool
	// DeleteMedia serves DELETE /{media}: "long documented as unsupported: unverified".
	DeleteMedia bool
	// DiscoveryHides leaves name, profile_picture_url and follows_count, which lack
	// the "Public" mark, out of business discovery.
	DiscoveryHides bool
	// URLLife is how long a picture's signed URL stays the same; 0 is an hour.
	URLLife time.Duration
}

type server struct {
	world      *world.World
	opts       Options
	limits     *limiter
	errors     problems
	facebook   gate.Gate
	instagram  gate.Gate
	selections sync.Map
	items      atomic.Int64
	urls       atomic.Pointer[signedURLs]
	twoFactor  sync.Map
	buffers    sync.Pool
}

// New returns a handler of both platforms over w, and sets their grant rules.
func New(w *world.World, opts Options) http.Handler {
	opts = withDefaults(opts)
	s := &server{world: w, opts: opts, limits: newLimiter(opts.Penalty)}
	s.errors = problems{opts: opts, trace: &atomic.Uint64{}}
	s.facebook = gate.Gate{World: w, Platform: world.Facebook, Render: renderer{s.errors, world.Facebook, w.Now}, Window: time.Hour}
	s.instagram = gate.Gate{World: w, Platform: world.Instagram, Render: renderer{s.errors, world.Instagram, w.Now}, Window: time.Hour}
	for _, p := range []world.Platform{world.Facebook, world.Instagram} {
		w.ServeEndpoints(p, endpoints()...)
	}
	w.SetGrantRules(world.Facebook, world.GrantRules{
		Prefix: "EAA", AccessLife: shortUserLife, ReplayEnds: "", RevokeEnds: world.ReachToken, PasswordEnds: true,
	})
	w.SetGrantRules(world.Instagram, world.GrantRules{
		Prefix: "IGAA", AccessLife: shortIGLife, RevokeEnds: world.ReachToken, PasswordEnds: true,
	})
	return s
}

func withDefaults(o Options) Options {
	setDefault(&o.Engaged, 1)
	setDefault(&o.DailyUsers, 10)
	setDefault(&o.UserCalls, 200)
	setDefault(&o.Penalty, time.Minute)
	setDefault(&o.ThrottleStatus, http.StatusBadRequest)
	setDefault(&o.URLLife, time.Hour)
	return o
}

func setDefault[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}

// ServeHTTP implements http.Handler. What the request is about has to be known
// before a fault of one of the platforms can strike it, so it is read first.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := imagePath(r.URL.Path); ok {
		s.facebook.Static(EndpointImages, s.picture(name)).ServeHTTP(w, r)
		return
	}
	req, bad := s.read(w, r)
	record := s.begin(req)
	out := &statusWriter{ResponseWriter: w}
	defer func() { record.End(out.status) }()
	g := s.facebook
	if req.platform == world.Instagram {
		g = s.instagram
	}
	g.API(req.endpoint, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bad != nil {
			s.errors.write(w, bad)
			return
		}
		req.fault, req.record = gate.Told(r.Context()), record
		s.serve(w, r, req)
	})).ServeHTTP(out, r.WithContext(gate.WithRecord(r.Context(), record)))
}

func (s *server) serve(w http.ResponseWriter, r *http.Request, req *request) {
	switch {
	case req.endpoint == EndpointDialog:
		s.dialog(w, r, req)
	case req.batch != nil:
		s.serveBatch(w, req)
	default:
		s.writeAnswer(w, s.do(req, &req.call), req)
	}
}

// statusWriter remembers the status that went out; 0 is none.
type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
