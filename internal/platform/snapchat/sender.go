package snapchat

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"mithaq.dev/mithaq/internal/platform"
)

// sender sends reads.
type sender struct {
	cfg platform.Config
	app *appGrant
	// surplus counts every request at 80 percent of the published rate of a token:
	// what it has left may go into pages that nobody was charged for.
	surplus *rate.Limiter
	mu      sync.Mutex
	// unlimited are the endpoints that refused our page size.
	unlimited map[string]bool
}

const share = 0.8

func newSender(cfg platform.Config, app *appGrant) *sender {
	return &sender{
		cfg: cfg, app: app, surplus: rate.NewLimiter(perToken*share, burst), unlimited: make(map[string]bool),
	}
}

// call is one read.
type call struct {
	op string
	// endpoint is the template and path what is sent, at host.
	endpoint, path, host string
	query                url.Values
	// own is the account's token; empty: the app's grant.
	own platform.Token
	// paged: the page size is asked for, as long as it is not refused.
	paged bool
}

var errRequest = errors.New("the request cannot be built")

// read sends a call; with the app's grant once more where the token is refused. A
// page size that is refused is left out from then on: which is the largest is not
// documented (snapchat.md, section 2).
func (s *sender) read(ctx context.Context, c call) (*platform.Answer, error) {
	sized := c.paged && !s.refuses(c.endpoint)
	answer, err := s.attempt(ctx, c, sized)
	if err != nil || !sized || answer.Status != http.StatusBadRequest {
		return answer, err
	}
	again, err := s.attempt(ctx, c, false)
	if err == nil && again.Status == http.StatusOK {
		s.mu.Lock()
		s.unlimited[c.endpoint] = true
		s.mu.Unlock()
	}
	return again, err
}

func (s *sender) refuses(endpoint string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unlimited[endpoint]
}

func (s *sender) attempt(ctx context.Context, c call, sized bool) (*platform.Answer, error) {
	if c.own != "" {
		return s.send(ctx, c, c.own, sized)
	}
	token, err := s.app.get(ctx, "")
	if err != nil {
		return nil, err
	}
	answer, err := s.send(ctx, c, token, sized)
	if err != nil || answer.Status != http.StatusUnauthorized {
		return answer, err
	}
	if token, err = s.app.get(ctx, token); err != nil {
		return nil, err
	}
	return s.send(ctx, c, token, sized)
}

func (s *sender) send(ctx context.Context, c call, token platform.Token, sized bool) (*platform.Answer, error) {
	query := url.Values{}
	for name, values := range c.query {
		query[name] = values
	}
	if sized {
		query.Set("limit", strconv.Itoa(pageLimit))
	}
	target := c.host + c.path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, invalid(c.op, errRequest)
	}
	req.Header.Set("Authorization", "Bearer "+string(token))
	req.Header.Set("Accept", "application/json")
	// One implementer's public reads were refused without it (snapchat.md, section 1).
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "mithaq")
	s.surplus.AllowN(s.cfg.Now(), 1)
	return platform.Do(s.cfg.HTTP, c.op, c.endpoint, req)
}

func pathOf(endpoint, id string) string {
	return strings.Replace(endpoint, ":id", url.PathEscape(id), 1)
}

// isID: a UUID, or another id of the same letters; their case is the platform's.
func isID(s string) bool { return s != "" && len(s) <= 64 && wordsOf(s, "-_") }
