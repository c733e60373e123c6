package graph

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	// Endpoint is the Graph API's own base URL.
	Endpoint = "https://graph.facebook.com"
	// Version is the version that is asked for. It was released on 2026-07-29. Meta
	// serves the next one in place of an expired one, without an error.
	Version = "v26.0"

	headerVersion = "Facebook-Api-Version"
)

// BucketApp is the gauge of the app, BucketPace our own ceiling.
const (
	BucketApp  = "app"
	BucketPace = "pace"
	// BucketGrants is our own ceiling of the single requests of a grant's life, beside
	// which no batch waits.
	BucketGrants = "grants"
)

// grantsPace is a fifth of the calls that two batches hold. Per second.
const (
	grantsPace  = 20
	grantsBurst = 10
)

// AppWindow is the rolling window of the app's gauge (rate-limiting, Platform limits).
const AppWindow = time.Hour

// Budgets are those of every Graph connection. Meta publishes no rate of requests,
// so the pace of two batches a second is our own choice.
func Budgets() []platform.Budget {
	return []platform.Budget{
		{Bucket: BucketApp, Kind: platform.BudgetGauge, Limit: 100, Window: AppWindow},
		{Bucket: BucketPace, Kind: platform.BudgetBucket, Limit: 2, Window: time.Second, Burst: 2},
		{Bucket: BucketGrants, Kind: platform.BudgetBucket, Limit: grantsPace, Window: time.Second, Burst: grantsBurst, Handed: 100},
	}
}

// GrantCosts are what the calls of a grant's life cost: all their requests our own
// ceiling, and the app's gauge those that are about no Page or account, which have
// budgets of their own (facebook.md, section 6). Listing people takes three lists, and on
// a Page two requests more.
func GrantCosts() map[platform.GrantCall][]platform.Charge {
	cost := func(requests, app int) []platform.Charge {
		return []platform.Charge{{Bucket: BucketGrants, PerRequest: requests}, {Bucket: BucketApp, PerRequest: app}}
	}
	return map[platform.GrantCall][]platform.Charge{
		platform.CallExchange: cost(3, 3), platform.CallMint: cost(1, 1), platform.CallRefresh: cost(1, 1),
		platform.CallIdentify: cost(2, 1), platform.CallIntrospect: cost(1, 1), platform.CallRevoke: cost(2, 2),
		platform.CallPeople: cost(5, 1), platform.CallUnseat: cost(1, 0),
	}
}

// Charges are what a batch post costs whose every account takes calls items: each
// item counts as one call, and up to posts batches are sent.
func Charges(calls, posts int) []platform.Charge {
	return []platform.Charge{{Bucket: BucketApp, PerItem: calls}, {Bucket: BucketPace, PerRequest: posts}}
}

var (
	errRequest = errors.New("the request cannot be built")
	errNoToken = errors.New("neither the account's own token nor one of the app is there")
)

// Client is one app's connection to the Graph API. It is safe for concurrent use.
type Client struct {
	cfg  platform.Config
	Keys Keys

	mu      sync.Mutex
	batches int
	version string
	seen    map[string]bool
}

// New returns a client of cfg's endpoint; it performs no call.
func New(cfg platform.Config, keys Keys) *Client {
	return &Client{cfg: cfg, Keys: keys, version: Version, seen: make(map[string]bool)}
}

// Now is the connection's clock.
func (c *Client) Now() time.Time { return c.cfg.Now() }

// Saw remembers that the app's own credential has read an object.
func (c *Client) Saw(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[id] = true
}

// HasSeen reports whether the app's own credential has read the object since the
// client was opened. Only then does 100/33 ("missing, or no permission") mean that
// the object is gone.
func (c *Client) HasSeen(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[id]
}

// proof is the app's secret proven for a token, or "" if there is no secret.
func (c *Client) proof(token platform.Token) string {
	if c.Keys.Secret == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(c.Keys.Secret))
	_, _ = mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

// prove adds the proof to a query.
func (c *Client) prove(query url.Values, token platform.Token) url.Values {
	if query == nil {
		query = url.Values{}
	}
	if proof := c.proof(token); proof != "" && token != "" {
		query.Set("appsecret_proof", proof)
	}
	return query
}

// request builds a request to the Graph API; the token travels in the header.
func (c *Client) request(
	ctx context.Context, method, path string, query url.Values, token platform.Token,
) (*http.Request, error) {
	query = c.prove(query, token)
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.Endpoint+"/"+Version+"/"+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: "graph", Err: errRequest}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+string(token))
	}
	return req, nil
}

// do performs a request and tells what its headers say.
func (c *Client) do(op, template string, req *http.Request, own map[string]bool) (*platform.Answer, error) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "mithaq")
	answer, err := platform.Do(c.cfg.HTTP, op, template, req)
	if err != nil {
		return nil, err
	}
	c.notice(answer.Header)
	if g := gaugeOf(answer.Header, own); g.told {
		c.cfg.Usage(g.usage(c.cfg.Now()))
	}
	return answer, nil
}

// Ask is one read of a node or of an edge.
type Ask struct {
	// Op is for errors, Template for metrics.
	Op, Template, Path string
	Query              url.Values
	Token              platform.Token
}

// Get reads one node or edge, and decodes what comes back into the value.
func (c *Client) Get(ctx context.Context, a Ask, into any) error {
	if a.Token == "" {
		return &platform.Error{Kind: platform.KindInvalid, Op: a.Op, Err: errNoToken}
	}
	req, err := c.request(ctx, http.MethodGet, a.Path, a.Query, a.Token)
	if err != nil {
		return err
	}
	answer, err := c.do(a.Op, a.Template, req, nil)
	if err != nil {
		return err
	}
	if e := Refusal(a.Op, answer, c.cfg.Now()); e != nil {
		return e
	}
	return answer.DecodeJSON(a.Op, into)
}

// notice tells of a version that is served in place of the one asked for.
func (c *Client) notice(h http.Header) {
	served := h.Get(headerVersion)
	if served == "" || !isVersion(served) {
		return
	}
	c.mu.Lock()
	changed := served != c.version
	c.version = served
	c.mu.Unlock()
	if changed && c.cfg.Notice != nil {
		c.cfg.Notice("the Graph API serves another version than "+Version, served)
	}
}

// isVersion is v and at most five digits and dots: it is shown to people.
func isVersion(s string) bool {
	if len(s) < 2 || len(s) > 6 || s[0] != 'v' {
		return false
	}
	for _, c := range s[1:] {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
