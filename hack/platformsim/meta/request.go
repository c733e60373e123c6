package meta

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// call is one call of the API: a request, or an item of a batch.
type call struct {
	method string
	// path is without the version.
	path   []string
	params url.Values
	token  string
	// proof is appsecret_proof.
	proof string
}

func (c *call) segment(i int) string {
	if i < len(c.path) {
		return c.path[i]
	}
	return ""
}

// request is what a client sent.
type request struct {
	call

	platform world.Platform
	endpoint string
	version  string
	// base is the origin of URLs in answers.
	base string
	// batch is nil unless it is one.
	batch          []batchItem
	includeHeaders bool
	fault          world.Fault
	// scratch is for the body of an item, which is copied before the next.
	scratch []byte
	record  *world.Recorder
}

type batchItem struct {
	Method      string `json:"method"`
	RelativeURL string `json:"relative_url"`
	Body        string `json:"body"`
}

const (
	// maxBody bounds a request's body, in bytes; a batch of 50 is far below.
	maxBody = 1 << 20
	// maxItems is the most items of a batch and the most ids of a multi-get.
	maxItems      = 50
	newestVersion = "v26.0"
)

// livingVersions, oldest first; an older one is served by the oldest living one.
var livingVersions = []string{"v23.0", "v24.0", "v25.0", newestVersion}

var versionPattern = regexp.MustCompile(`^v[0-9]{1,2}\.[0-9]$`)

// read takes a request apart. Even a bad one comes with an endpoint and a
// platform, so that faults strike and the ledger counts it.
func (s *server) read(w http.ResponseWriter, r *http.Request) (*request, *problem) {
	req := &request{
		call: call{method: r.Method}, platform: world.Facebook, endpoint: EndpointUnknown,
		base: s.baseURL(r), includeHeaders: true,
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return req, badParameter("The request cannot be parsed")
	}
	r.Body = http.NoBody
	req.params = r.Form
	for name, values := range r.Form {
		if len(values) != 1 {
			return req, badParameter("Parameter %s is given %d times", name, len(values))
		}
	}
	if bad := req.readPath(r.URL.Path); bad != nil {
		return req, bad
	}
	bad := req.readToken(r.Header.Get("Authorization"))
	req.endpoint = endpointOf(&req.call)
	if bad == nil && req.endpoint == EndpointBatch {
		bad = req.readBatch()
	}
	req.platform = s.platformOf(req)
	return req, bad
}

func (req *request) readPath(path string) *problem {
	req.version = livingVersions[0]
	req.path = strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(req.path) == 0 || !versionPattern.MatchString(req.path[0]) {
		return nil
	}
	asked := req.path[0]
	req.path = req.path[1:]
	switch {
	case slices.Contains(livingVersions, asked):
		req.version = asked
	case len(asked) == len(newestVersion) && asked > newestVersion:
		return refuse(2500, "Unknown path components: /%s", asked)
	}
	return nil
}

// readToken takes the token from the header or the parameter, not from both.
func (req *request) readToken(header string) *problem {
	req.token, req.proof = req.params.Get("access_token"), req.params.Get("appsecret_proof")
	if header == "" {
		return nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || req.params.Has("access_token") {
		return badParameter("Give the access token once, as bearer or as access_token")
	}
	req.token = strings.TrimSpace(token)
	return nil
}

func (req *request) readBatch() *problem {
	req.batch = []batchItem{}
	switch req.params.Get("include_headers") {
	case "false", "0":
		req.includeHeaders = false
	}
	d := json.NewDecoder(strings.NewReader(req.params.Get("batch")))
	d.DisallowUnknownFields()
	if err := d.Decode(&req.batch); err != nil {
		return badParameter("param batch must be an array of objects with method, relative_url and body")
	}
	if len(req.batch) == 0 || len(req.batch) > maxItems {
		return badParameter("Too many or no requests in batch message: %d. Maximum batch size is %d", len(req.batch), maxItems)
	}
	return req.unknown("batch", "include_headers")
}

// unknown refuses parameters that are neither common nor in the list.
func (c *call) unknown(allowed ...string) *problem {
	for _, name := range slices.Sorted(maps.Keys(c.params)) {
		switch name {
		case "access_token", "appsecret_proof":
			continue
		}
		if !slices.Contains(allowed, name) {
			return badParameter("Unknown parameter: %s", name)
		}
	}
	return nil
}

// parse reads an item; its own token goes before the batch's. Items of a sweep
// have the same query, so those read already are in queries and must not be changed.
func (i batchItem) parse(top *request, queries map[string]url.Values) (*call, *problem) {
	path, query, _ := strings.Cut(strings.TrimPrefix(i.RelativeURL, "/"), "?")
	c := &call{method: i.Method, path: strings.FieldsFunc(path, func(r rune) bool { return r == '/' })}
	if len(c.path) > 0 && versionPattern.MatchString(c.path[0]) {
		c.path = c.path[1:]
	}
	known := false
	if c.params, known = queries[query]; !known {
		var err error
		if c.params, err = url.ParseQuery(query); err != nil {
			return nil, badParameter("relative_url cannot be parsed")
		}
		queries[query] = c.params
	}
	if i.Body != "" {
		body, err := url.ParseQuery(i.Body)
		if err != nil {
			return nil, badParameter("body cannot be parsed")
		}
		maps.Copy(body, c.params)
		c.params = body
	}
	c.token, c.proof = top.token, top.proof
	if c.params.Has("access_token") {
		c.token, c.proof = c.params.Get("access_token"), ""
	}
	if c.params.Has("appsecret_proof") {
		c.proof = c.params.Get("appsecret_proof")
	}
	switch i.Method {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
		return c, nil
	}
	return nil, badParameter("Unsupported method: %s", i.Method)
}

// edges are those that are served, below a node.
var edges = []string{
	"published_posts", "feed", "posts", "visitor_posts", "videos", "video_reels", "live_videos", "stories", "likes",
	"roles", "assigned_users", "agencies", "comments", "replies", "accounts", "permissions", "access_tokens",
	"assigned_pages", "business_users", "pending_users", "system_users", "owned_pages", "owned_instagram_assets",
	"instagram_accounts", "media", "live_media",
}

func endpoints() []string {
	out := []string{
		EndpointBatch, EndpointIDs, EndpointNode, EndpointSearch, EndpointDebug, EndpointToken, EndpointRevoke,
		EndpointDialog, EndpointExchange, EndpointRefresh, EndpointImages, EndpointUnknown,
	}
	for _, edge := range edges {
		out = append(out, EndpointNode+"/"+edge)
	}
	return out
}

var fixedPaths = map[string]string{
	"pages/search": EndpointSearch, "debug_token": EndpointDebug, "oauth/access_token": EndpointToken,
	"oauth/revoke": EndpointRevoke, "dialog/oauth": EndpointDialog, "oauth/authorize": EndpointDialog,
	"access_token": EndpointExchange, "refresh_access_token": EndpointRefresh,
}

func endpointOf(c *call) string {
	if endpoint, ok := fixedPaths[strings.Join(c.path, "/")]; ok {
		return endpoint
	}
	switch edge := c.segment(1); {
	case len(c.path) == 0 && c.method == http.MethodPost:
		return EndpointBatch
	case len(c.path) == 0:
		return EndpointIDs
	case len(c.path) == 1:
		return EndpointNode
	case slices.Contains(edges, edge):
		return EndpointNode + "/" + edge
	}
	return EndpointUnknown
}

// platformOf says which platform's faults and ledger a request belongs to.
func (s *server) platformOf(req *request) world.Platform {
	instagram := false
	switch req.endpoint {
	case EndpointExchange, EndpointRefresh:
		instagram = true
	case EndpointToken:
		instagram = req.method == http.MethodPost
	case EndpointDialog:
		instagram = req.segment(0) == "oauth"
	case EndpointSearch, EndpointDebug, EndpointRevoke:
	case EndpointBatch:
		instagram = len(req.batch) > 0 && s.onInstagram(firstID(req.batch[0].RelativeURL))
	case EndpointIDs:
		id, _, _ := strings.Cut(req.params.Get("ids"), ",")
		instagram = s.onInstagram(id)
	default:
		_, own := s.world.Token(world.Instagram, req.token)
		instagram = own || s.onInstagram(req.segment(0))
	}
	if instagram {
		return world.Instagram
	}
	return world.Facebook
}

// firstID is the node a relative URL is about.
func firstID(relative string) string {
	relative = strings.TrimPrefix(relative, "/")
	if first, rest, ok := strings.Cut(relative, "/"); ok && versionPattern.MatchString(first) {
		relative = rest
	}
	if end := strings.IndexAny(relative, "/?"); end >= 0 {
		relative = relative[:end]
	}
	return relative
}

func (s *server) onInstagram(id string) bool {
	if _, ok := s.world.Account(world.Instagram, id); ok {
		return true
	}
	if _, ok := s.assetAccount(id); ok {
		return true
	}
	_, ok := s.world.Post(world.Instagram, id)
	return ok
}

func (s *server) baseURL(r *http.Request) string {
	if s.opts.BaseURL != "" {
		return strings.TrimSuffix(s.opts.BaseURL, "/")
	}
	return "http://" + r.Host
}
