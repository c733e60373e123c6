package graph

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	opExchange = "oauth.exchange"
	opLong     = "oauth.long"
	opRefresh  = "oauth.refresh"
	opMint     = "oauth.mint"
	opAccounts = "me.accounts"

	pathToken = "oauth/access_token"
	// maxLifetime is far above any lifetime of a token.
	maxLifetime = 400 * 24 * time.Hour
)

// TokenAnswer is what the token endpoints answer.
type TokenAnswer struct {
	Access    string  `json:"access_token"`
	ExpiresIn float64 `json:"expires_in"` // seconds
}

// Ends is when the token ends by our own clock; the zero time: it has no end.
func (a TokenAnswer) Ends(now time.Time) time.Time {
	if a.ExpiresIn <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(min(a.ExpiresIn, maxLifetime.Seconds())) * time.Second)
}

// Login is Facebook Login: the OAuth client of the app. It implements
// platform.Consenter and platform.Issuer.
type Login struct {
	*Client
	// Authorize is the base URL of the dialog; only browsers call it.
	Authorize string
	// Scopes are asked for.
	Scopes []string
	// Pages: the grant is for a Page, whose own token is the access token; the
	// person's long-lived token is then the refresh token.
	Pages bool
}

// ConsentURL is the address of the dialog. Facebook Login takes no challenge here
// and no hint.
func (l *Login) ConsentURL(req platform.ConsentRequest) string {
	q := url.Values{
		"client_id": {l.Keys.ID}, "redirect_uri": {req.RedirectURI}, "state": {req.State},
		"response_type": {"code"}, "scope": {join(l.Scopes)},
	}
	return l.Authorize + "/" + Version + "/dialog/oauth?" + q.Encode()
}

// Exchange spends a code, and goes on to the long-lived token and, for a Page, to
// the Page's own. Once the code is spent it returns the best token that it has: a
// step that failed shows in what Identify says of it, and no live token is lost.
func (l *Login) Exchange(ctx context.Context, req platform.ExchangeRequest) (platform.Grant, error) {
	short, err := l.token(ctx, opExchange, url.Values{
		"client_id": {l.Keys.ID}, "client_secret": {l.Keys.Secret}, "redirect_uri": {req.RedirectURI}, "code": {string(req.Code)},
	})
	if err != nil {
		return platform.Grant{}, refusedCode(ctx, err)
	}
	user := short
	if long, err := l.token(ctx, opLong, l.extend(platform.Token(short.Access))); err == nil {
		user = long
	}
	g := platform.Grant{Access: platform.Token(user.Access), ExpiresAt: user.Ends(l.Now()), Scopes: sorted(l.Scopes)}
	if !l.Pages {
		return g, nil
	}
	if page, err := l.pageToken(ctx, g.Access, req.Ref); err == nil && page != "" {
		g.Refresh, g.Access, g.ExpiresAt = g.Access, page, time.Time{}
	}
	return g, nil
}

// refusedCode: with a well-formed request, a refused parameter is the code.
func refusedCode(ctx context.Context, err error) error {
	e := platform.CallError(ctx, opExchange, err)
	if IsParameter(e) {
		return &platform.Error{Kind: platform.KindUnauthorized, Op: opExchange, Status: e.Status, Err: errToken}
	}
	return err
}

func (l *Login) extend(token platform.Token) url.Values {
	return url.Values{
		"grant_type": {"fb_exchange_token"}, "client_id": {l.Keys.ID}, "client_secret": {l.Keys.Secret},
		"fb_exchange_token": {string(token)},
	}
}

// Refresh renews a person's or a 60-day system user's token; the old one lives on
// to its own end. A Page's token has no end and stays.
func (l *Login) Refresh(ctx context.Context, g platform.Grant) (platform.Grant, error) {
	query := l.extend(g.Access)
	if g.Refresh != "" {
		query = l.extend(g.Refresh)
	} else if l.Keys.Mints() {
		query.Set("set_token_expires_in_60_days", "true")
	}
	next, err := l.token(ctx, opRefresh, query)
	if err != nil {
		return platform.Grant{}, err
	}
	if g.Refresh != "" {
		g.Refresh = platform.Token(next.Access)
		return g, nil
	}
	g.Access, g.ExpiresAt = platform.Token(next.Access), next.Ends(l.Now())
	return g, nil
}

// Mint makes a token of the portfolio's system user. It reaches every account that
// the system user has; ref is for whom it is meant.
func (l *Login) Mint(ctx context.Context, _ platform.AccountRef) (platform.Grant, error) {
	if !l.Keys.Mints() {
		return platform.Grant{}, &platform.Error{Kind: platform.KindInvalid, Op: opMint, Err: errNoToken}
	}
	query := url.Values{"business_app": {l.Keys.ID}, "scope": {join(l.Scopes)}}
	req, err := l.request(ctx, http.MethodPost, l.Keys.SystemUserID+"/access_tokens", query, l.Keys.SystemUserToken)
	if err != nil {
		return platform.Grant{}, err
	}
	minted, err := l.issued(opMint, "/{system-user}/access_tokens", req)
	if err != nil {
		return platform.Grant{}, err
	}
	return platform.Grant{Access: platform.Token(minted.Access), ExpiresAt: minted.Ends(l.Now()), Scopes: sorted(l.Scopes)}, nil
}

// token asks the token endpoint once.
func (l *Login) token(ctx context.Context, op string, query url.Values) (TokenAnswer, error) {
	req, err := l.request(ctx, http.MethodGet, pathToken, query, "")
	if err != nil {
		return TokenAnswer{}, err
	}
	return l.issued(op, "/oauth/access_token", req)
}

func (c *Client) issued(op, template string, req *http.Request) (TokenAnswer, error) {
	answer, err := c.once(op, template, req)
	if err != nil {
		return TokenAnswer{}, err
	}
	var body struct {
		TokenAnswer
		// Data is where some versions of Instagram Login put the answer to a code.
		Data []TokenAnswer `json:"data"`
	}
	err = answer.DecodeJSON(op, &body)
	if len(body.Data) == 1 && body.Access == "" {
		body.TokenAnswer = body.Data[0]
	}
	if err != nil || body.Access == "" {
		return TokenAnswer{}, &platform.Error{Kind: platform.KindAmbiguous, Op: op, Status: answer.Status, Err: errLost}
	}
	return body.TokenAnswer, nil
}

// Issued sends a request for a token once and reads its answer.
func (c *Client) Issued(op, template string, req *http.Request) (TokenAnswer, error) {
	return c.issued(op, template, req)
}

// pageToken is the token of the Page ref among those of the person's, or of the
// only one where ref is zero.
func (l *Login) pageToken(ctx context.Context, user platform.Token, ref platform.AccountRef) (platform.Token, error) {
	type page struct {
		ID     string `json:"id"`
		Access string `json:"access_token"`
	}
	pages, err := List[page](ctx, l.Client, Edge{
		Op: opAccounts, Template: "/me/accounts", Path: "me/accounts", Fields: "id,name,access_token,tasks", Token: user,
	})
	if err != nil {
		return "", err
	}
	for _, p := range pages {
		if p.ID == ref.ID || ref.ID == "" && len(pages) == 1 {
			return platform.Token(p.Access), nil
		}
	}
	return "", nil
}

func join(scopes []string) string {
	text := ""
	for i, s := range scopes {
		if i > 0 {
			text += ","
		}
		text += s
	}
	return text
}

func sorted(scopes []string) []string {
	out := slices.Clone(scopes)
	slices.Sort(out)
	return slices.Compact(out)
}
