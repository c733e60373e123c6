package instagram

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

const (
	opCode    = "ig_login.code"
	opLong    = "ig_login.long"
	opRefresh = "ig_login.refresh"
	opMint    = "ig_login.mint"
	opMe      = "ig_login.me"
)

var (
	errNoMint  = errors.New("the login by Instagram issues no token without a person's consent")
	errRequest = errors.New("the request cannot be built")
	errRefused = errors.New("the code is refused")
)

// ownLogin is Instagram Login. It implements platform.Consenter, Issuer, Identifier
// and Introspector; there is no way to revoke.
type ownLogin struct {
	*graph.Client
	authorize, tokens, base string
}

// ConsentURL is the address at which the account consents.
func (l *ownLogin) ConsentURL(req platform.ConsentRequest) string {
	q := url.Values{
		"client_id": {l.Keys.ID}, "redirect_uri": {req.RedirectURI}, "state": {req.State},
		"response_type": {"code"}, "scope": {strings.Join(ownScopes, ",")},
	}
	return l.authorize + "/oauth/authorize?" + q.Encode()
}

// Exchange spends a code and goes on to the token of 60 days. If that fails, the
// token of one hour is what there is: no live token is lost.
func (l *ownLogin) Exchange(ctx context.Context, req platform.ExchangeRequest) (platform.Grant, error) {
	form := url.Values{
		"client_id": {l.Keys.ID}, "client_secret": {l.Keys.Secret}, "grant_type": {"authorization_code"},
		"redirect_uri": {req.RedirectURI}, "code": {string(req.Code)},
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, l.tokens+"/oauth/access_token", strings.NewReader(form.Encode()))
	if err != nil {
		return platform.Grant{}, &platform.Error{Kind: platform.KindInvalid, Op: opCode, Err: errRequest}
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	short, err := l.Issued(opCode, "/oauth/access_token", post)
	if err != nil {
		return platform.Grant{}, codeError(ctx, err)
	}
	g := platform.Grant{Access: platform.Token(short.Access), ExpiresAt: short.Ends(l.Now()), Scopes: ownScopes}
	long, err := l.get(ctx, opLong, "access_token", url.Values{
		"grant_type": {"ig_exchange_token"}, "client_secret": {l.Keys.Secret}, "access_token": {short.Access},
	})
	if err == nil {
		g.Access, g.ExpiresAt = platform.Token(long.Access), long.Ends(l.Now())
	}
	return g, nil
}

// codeError: with a well-formed request, a refused parameter is the code.
func codeError(ctx context.Context, err error) error {
	e := platform.CallError(ctx, opCode, err)
	if graph.IsParameter(e) {
		return &platform.Error{Kind: platform.KindUnauthorized, Op: opCode, Status: e.Status, Err: errRefused}
	}
	return err
}

// Refresh renews a token, which must be a day old and alive.
func (l *ownLogin) Refresh(ctx context.Context, g platform.Grant) (platform.Grant, error) {
	next, err := l.get(ctx, opRefresh, "refresh_access_token", url.Values{
		"grant_type": {"ig_refresh_token"}, "access_token": {string(g.Access)},
	})
	if err != nil {
		return platform.Grant{}, err
	}
	g.Access, g.ExpiresAt = platform.Token(next.Access), next.Ends(l.Now())
	return g, nil
}

// get asks a token endpoint, whose path has no version.
func (l *ownLogin) get(ctx context.Context, op, path string, query url.Values) (graph.TokenAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/"+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return graph.TokenAnswer{}, &platform.Error{Kind: platform.KindInvalid, Op: op, Err: errRequest}
	}
	return l.Issued(op, "/"+path, req)
}

// Mint fails: an account's token needs its consent.
func (l *ownLogin) Mint(context.Context, platform.AccountRef) (platform.Grant, error) {
	return platform.Grant{}, &platform.Error{Kind: platform.KindInvalid, Op: opMint, Err: errNoMint}
}

// me is the account that a token is for.
func (l *ownLogin) me(ctx context.Context, token platform.Token) (platform.Identity, error) {
	var body struct {
		ID       graph.ID `json:"user_id"`
		Username string   `json:"username"`
	}
	err := l.Get(ctx, graph.Ask{
		Op: opMe, Template: "/me", Path: "me", Query: url.Values{"fields": {"user_id,username"}}, Token: token,
	}, &body)
	if err == nil && body.ID == "" {
		err = &platform.Error{Kind: platform.KindUnavailable, Op: opMe, Status: http.StatusOK, Err: platform.ErrNotJSON}
	}
	if err != nil {
		return platform.Identity{}, err
	}
	return platform.Identity{AccountID: string(body.ID), Principal: string(body.ID), Handle: platform.Visible(body.Username, platform.MaxHandle)}, nil
}

// Identify says which account a token is for.
func (l *ownLogin) Identify(ctx context.Context, token platform.Token, _ platform.AccountRef) (platform.Identity, error) {
	return l.me(ctx, token)
}

// Introspect probes: there is no introspection of these tokens that is verified.
func (l *ownLogin) Introspect(ctx context.Context, token platform.Token) (platform.Introspection, error) {
	id, err := l.me(ctx, token)
	switch {
	case err == nil:
		return platform.Introspection{State: platform.TokenAlive, Principal: id.Principal}, nil
	case platform.KindOf(err) == platform.KindUnauthorized:
		return platform.Introspection{State: graph.Spent(err)}, nil
	}
	return platform.Introspection{}, err
}
