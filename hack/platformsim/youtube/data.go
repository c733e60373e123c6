package youtube

import (
	"net/http"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// method is a list method of the Data API.
type method struct {
	endpoint string
	params   map[string]param
	parts    []string
	// bucket is the daily budget that a call is charged to.
	bucket string
	// scopes, any of which a user's token needs; nil is that of all reads.
	scopes []string
	serve  func(*call) (answer, *fault)
}

// call is one request that was admitted and is well-formed.
type call struct {
	ask

	project string
	// token is the user's; nil for a read with a key.
	token *world.Token
	base  string
	lie   world.FaultKind
}

const scopeBase = "https://www.googleapis.com/auth/"

// reading are the scopes of list methods in the discovery document.
var reading = []string{scopeBase + "youtube", scopeBase + "youtube.force-ssl", scopeBase + "youtube.readonly", scopeBase + "youtubepartner"}

func (s *server) methods() []*method {
	fifty := aNumber(0, 50)
	return []*method{
		{
			endpoint: EndpointChannels, bucket: BucketUnits, serve: s.channels,
			parts: []string{
				"auditDetails", "brandingSettings", "contentDetails", "contentOwnerDetails", "id", "localizations",
				"snippet", "statistics", "status", "topicDetails",
			},
			params: map[string]param{
				"part": aList, "id": aList, "forHandle": aText, "forUsername": aText, "mine": aBool, "managedByMe": aBool,
				"mySubscribers": aBool, "categoryId": aText, "hl": aText, "maxResults": fifty, "pageToken": aText,
				"onBehalfOfContentOwner": aText,
			},
		},
		{
			endpoint: EndpointPlaylistItems, bucket: BucketUnits, serve: s.playlistItems,
			parts: []string{"contentDetails", "id", "snippet", "status"},
			params: map[string]param{
				"part": aList, "id": aList, "playlistId": aText, "videoId": aText, "maxResults": fifty, "pageToken": aText,
				"onBehalfOfContentOwner": aText,
			},
		},
		{
			endpoint: EndpointVideos, bucket: BucketUnits, serve: s.videos,
			parts: []string{
				"contentDetails", "fileDetails", "id", "liveStreamingDetails", "localizations", "player", "processingDetails",
				"recordingDetails", "snippet", "statistics", "status", "suggestions", "topicDetails",
			},
			params: map[string]param{
				"part": aList, "id": aList, "myRating": oneOf("none", "like", "dislike"), "chart": oneOf("chartUnspecified", "mostPopular"),
				"hl": aText, "locale": aText, "maxHeight": aNumber(72, 8192), "maxWidth": aNumber(72, 8192), "maxResults": aNumber(1, 50),
				"pageToken": aText, "regionCode": aText, "videoCategoryId": aText, "onBehalfOfContentOwner": aText,
			},
		},
		{
			endpoint: EndpointSubscriptions, bucket: BucketUnits, serve: s.subscriptions,
			parts: []string{"contentDetails", "id", "snippet", "subscriberSnippet"},
			params: map[string]param{
				"part": aList, "channelId": aText, "forChannelId": aText, "id": aList, "mine": aBool, "myRecentSubscribers": aBool,
				"mySubscribers": aBool, "maxResults": fifty, "pageToken": aText, "onBehalfOfContentOwner": aText,
				"onBehalfOfContentOwnerChannel": aText, "order": oneOf("subscriptionOrderUnspecified", "relevance", "unread", "alphabetical"),
			},
		},
		s.searchMethod(), s.commentMethod(),
	}
}

// data admits a call, charges it, reads it and serves it, in this order: an
// invalid request costs as much as a valid one.
func (s *server) data(m *method) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, f := s.admit(r, m)
		if f == nil {
			f = s.quota.take(c.project, c.user(), m.bucket)
		}
		if f == nil {
			f = s.standing(c)
		}
		if f == nil {
			c.ask, f = m.parse(r.URL.RawQuery)
		}
		var out answer
		if f == nil {
			out, f = m.serve(c)
		}
		if f != nil {
			f.write(w)
			return
		}
		s.write(w, r, c, m, out)
	})
}

func (s *server) write(w http.ResponseWriter, r *http.Request, c *call, m *method, out answer) {
	if out.Etag == "" {
		out.Etag = etag(out.Kind, out.NextPageToken)
	}
	w.Header().Set("ETag", out.Etag)
	w.Header().Set("Cache-Control", "private")
	w.Header().Set("Vary", "Origin, X-Origin, Referer")
	if match := r.Header.Get("If-None-Match"); match != "" && strings.Trim(match, `"`) == out.Etag {
		if s.opts.FreeNotModified {
			s.quota.refund(c.project, m.bucket)
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	var body any = out
	if fields := c.get("fields"); fields != "" {
		var f *fault
		if body, f = partial(out, fields); f != nil {
			f.write(w)
			return
		}
	}
	writeJSON(w, http.StatusOK, body, c.get("prettyPrint") != "false")
}

// user is whom per-user limits count; empty for a key.
func (c *call) user() string {
	if c.token == nil {
		return ""
	}
	return c.token.Person
}

// admit finds the project of a key or of a user's token.
func (s *server) admit(r *http.Request, m *method) (*call, *fault) {
	c := &call{base: s.baseURL(r), lie: gate.Lie(r.Context())}
	q := r.URL.Query()
	value, ok := gate.Bearer(r)
	for _, name := range []string{"access_token", "oauth_token"} {
		if !ok && q.Has(name) {
			value, ok = q.Get(name), true
		}
	}
	if ok {
		return c, s.admitUser(c, value, m)
	}
	key := q.Get("key")
	if key == "" {
		key = r.Header.Get("X-Goog-Api-Key")
	}
	if key == "" {
		return c, forbidden("forbidden", "The request is missing a valid API key.")
	}
	project, known := s.world.AppOf(world.YouTube, key)
	if !known {
		return c, badKey()
	}
	c.project = project
	return c, s.enabled(project)
}

func badKey() *fault {
	f := badRequest("badRequest", "", "API key not valid. Please pass a valid API key.")
	f.domain = "global"
	f.details = []any{map[string]any{
		"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
		"metadata": map[string]string{"service": "youtube.googleapis.com"},
	}}
	return f
}

func (s *server) admitUser(c *call, value string, m *method) *fault {
	token, known := s.world.Token(world.YouTube, value)
	if !known || token.Kind != world.AccessToken || token.Cause != "" {
		return deadToken()
	}
	c.token, c.project = &token, token.Client
	if f := s.enabled(token.Client); f != nil {
		return f
	}
	scopes := m.scopes
	if scopes == nil {
		scopes = reading
	}
	if !slices.ContainsFunc(token.Scopes, func(scope string) bool { return slices.Contains(scopes, scope) }) {
		return forbidden("insufficientPermissions", "Request had insufficient authentication scopes.")
	}
	return nil
}

func deadToken() *fault {
	return &fault{
		code: http.StatusUnauthorized, reason: "authError", domain: "global",
		message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
	}
}

func (s *server) enabled(project string) *fault {
	if app, ok := s.world.App(world.YouTube, project); ok && app.Denied {
		return &fault{
			code: http.StatusForbidden, reason: "accessNotConfigured", domain: "usageLimits",
			message: "YouTube Data API v3 has not been used in this project before or it is disabled.",
		}
	}
	return nil
}

// standing refuses users whose own channel is suspended or closed: with its own
// token only does YouTube say so (docs/errors).
func (s *server) standing(c *call) *fault {
	if c.token == nil || c.token.Account == "" {
		return nil
	}
	account, ok := s.world.Account(world.YouTube, c.token.Account)
	switch {
	case c.lie == world.FaultAllSuspended, ok && account.State == world.Suspended:
		return forbidden("authenticatedUserAccountSuspended", "The YouTube account of the authenticated user is suspended.")
	case c.lie == world.FaultAllNotFound, !ok, account.State != world.Active:
		return forbidden("authenticatedUserAccountClosed", "The YouTube account of the authenticated user is closed.")
	}
	return nil
}

// isLost says whether a fault makes every account missing or suspended.
func (c *call) isLost() bool {
	return c.lie == world.FaultAllNotFound || c.lie == world.FaultAllSuspended
}

// own is the channel of the token's user.
func (s *server) own(c *call) (world.Account, *fault) {
	if c.token == nil {
		return world.Account{}, &fault{
			code: http.StatusUnauthorized, reason: "authorizationRequired", domain: "youtube.common",
			message: "The request uses the mine parameter but is not properly authorized.",
		}
	}
	account, ok := s.world.Account(world.YouTube, c.token.Account)
	if !ok {
		return world.Account{}, &fault{
			code: http.StatusUnauthorized, reason: "youtubeSignupRequired", domain: "youtube.header", message: "Unauthorized",
		}
	}
	return account, nil
}
