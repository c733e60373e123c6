package x

import (
	"context"
	"net/http"
	"net/url"

	"mithaq.dev/mithaq/internal/platform"
)

// sender sends reads, as the app or as an account.
type sender struct {
	cfg    platform.Config
	bearer *bearer
}

// call is one read.
type call struct {
	op string
	// endpoint is the template; path is what is sent, the same where it is empty.
	endpoint, path string
	bucket         string
	query          url.Values
}

// read sends as the app, and once more with a new token where the old one is refused.
func (s *sender) read(ctx context.Context, c call) (*platform.Answer, error) {
	token, err := s.bearer.get(ctx, "")
	if err != nil {
		return nil, err
	}
	answer, err := s.readAs(ctx, token, c)
	if err != nil || answer.Status != http.StatusUnauthorized || s.bearer.pair == nil {
		return answer, err
	}
	if token, err = s.bearer.get(ctx, token); err != nil {
		return nil, err
	}
	return s.readAs(ctx, token, c)
}

// readAs sends with a token.
func (s *sender) readAs(ctx context.Context, token string, c call) (*platform.Answer, error) {
	path := c.path
	if path == "" {
		path = c.endpoint
	}
	target := s.cfg.Endpoint + path
	if len(c.query) > 0 {
		target += "?" + c.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, invalid(c.op, errRequest)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "mithaq")
	answer, err := platform.Do(s.cfg.HTTP, c.op, c.endpoint, req)
	if err != nil || c.bucket == "" {
		return answer, err
	}
	if usage, ok := usageOf(c.bucket, answer.Header, s.cfg.Now()); ok {
		s.cfg.Usage(usage)
	}
	return answer, nil
}
