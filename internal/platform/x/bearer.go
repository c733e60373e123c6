package x

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	opToken       = "oauth2.token"
	endpointToken = "/oauth2/token"
)

var (
	errTokenDead   = errors.New("the app token is refused")
	errTokenAbsent = errors.New("the answer holds no token")
	errPairRefused = errors.New("the app's key pair is refused")
)

// bearer holds the app's token, obtaining it where only a key pair is given. X
// has one app-only token per app, without expiry, so it is kept until refused.
type bearer struct {
	http  *http.Client
	now   func() time.Time
	pair  *clientcredentials.Config // nil if the token was given
	turn  chan struct{}             // holds the right to obtain and to write token
	token string
}

func newBearer(cfg platform.Config, c credentials) *bearer {
	b := &bearer{http: cfg.HTTP, now: cfg.Now, turn: make(chan struct{}, 1), token: c.token}
	if c.token == "" {
		b.pair = &clientcredentials.Config{
			ClientID:     c.key,
			ClientSecret: c.secret,
			TokenURL:     cfg.Endpoint + endpointToken,
			AuthStyle:    oauth2.AuthStyleInHeader,
		}
	}
	return b
}

// get returns a token other than refused, which is "" at first. One caller at a
// time obtains it, each under its own context; the others then use the result.
func (b *bearer) get(ctx context.Context, refused string) (string, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return "", platform.CallError(ctx, opToken, ctx.Err())
	}
	if b.pair != nil && b.token == refused {
		token, err := b.obtain(ctx)
		if err != nil {
			return "", err
		}
		b.token = token
	}
	if b.token == refused {
		return "", &platform.Error{Kind: platform.KindUnauthorized, Op: opToken, Err: errTokenDead}
	}
	return b.token, nil
}

func (b *bearer) obtain(ctx context.Context) (string, error) {
	call := platform.WithEndpoint(context.WithValue(ctx, oauth2.HTTPClient, b.http), endpointToken)
	token, err := b.pair.Token(call)
	if err == nil {
		return token.AccessToken, nil
	}
	if refusal, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return "", b.refusal(refusal.Response)
	}
	if _, sent := errors.AsType[*url.Error](err); sent || ctx.Err() != nil {
		return "", platform.CallError(ctx, opToken, err)
	}
	return "", &platform.Error{Kind: platform.KindUnavailable, Op: opToken, Err: errTokenAbsent}
}

// refusal classes an answer by its status: the text of oauth2's error holds the answer.
func (b *bearer) refusal(resp *http.Response) *platform.Error {
	e := &platform.Error{Kind: platform.KindUnavailable, Op: opToken, Status: resp.StatusCode, Err: errTokenAbsent}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		e.Kind, e.Err = platform.KindUnauthorized, errPairRefused
	case http.StatusTooManyRequests:
		e.Kind, e.Err, e.RetryAfter = platform.KindRateLimited, errRateLimited, retryAfter(resp.Header, b.now())
	}
	return e
}
