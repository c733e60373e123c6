package graph

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	opDebug    = "debug_token"
	opIdentify = "identify"
	opRevoke   = "oauth.revoke"

	typePage   = "PAGE"
	typeUser   = "USER"
	typeSystem = "SYSTEM_USER"
)

// tokenInfo is what debug_token tells.
type tokenInfo struct {
	AppID   string   `json:"app_id"`
	Type    string   `json:"type"`
	Valid   *bool    `json:"is_valid"`
	Expires int64    `json:"expires_at"` // Unix seconds; 0: no end
	User    string   `json:"user_id"`
	Profile string   `json:"profile_id"`
	Scopes  []string `json:"scopes"`
	// Error says why a token is not valid; its subcode is spelled in another way than
	// that of an answer.
	Error *struct {
		Code    int `json:"code"`
		Subcode int `json:"subcode"`
	} `json:"error"`
}

// debug asks the platform about a token.
func (l *Login) debug(ctx context.Context, token platform.Token) (tokenInfo, error) {
	var body struct {
		Data tokenInfo `json:"data"`
	}
	err := l.Get(ctx, Ask{
		Op: opDebug, Template: "/debug_token", Path: "debug_token", Query: url.Values{"input_token": {string(token)}}, Token: l.Keys.AppToken,
	}, &body)
	if err == nil && body.Data.Valid == nil {
		err = &platform.Error{Kind: platform.KindUnavailable, Op: opDebug, Status: http.StatusOK, Err: platform.ErrNotJSON}
	}
	return body.Data, err
}

// Introspect asks whether a token lives. A dead one is dead only where the subcode
// says why.
func (l *Login) Introspect(ctx context.Context, token platform.Token) (platform.Introspection, error) {
	info, err := l.debug(ctx, token)
	if err != nil {
		return platform.Introspection{}, err
	}
	out := platform.Introspection{State: platform.TokenAlive, Principal: info.User, Scopes: sorted(info.Scopes)}
	if info.Expires > 0 {
		out.ExpiresAt = time.Unix(info.Expires, 0).UTC()
	}
	if *info.Valid {
		return out, nil
	}
	out.State = platform.TokenUnclear
	if info.Error != nil {
		out.State = Spent((&fault{Code: info.Error.Code, Subcode: info.Error.Subcode}).mean().err)
	}
	return out, nil
}

// Identify says whom a token acts for. A Page's token names its Page; any other
// proves that it reaches the account by reading it.
func (l *Login) Identify(ctx context.Context, token platform.Token, ref platform.AccountRef) (platform.Identity, error) {
	info, err := l.debug(ctx, token)
	if err != nil {
		return platform.Identity{}, err
	}
	if !*info.Valid || info.AppID != "" && info.AppID != l.Keys.ID {
		return platform.Identity{}, &platform.Error{Kind: platform.KindUnauthorized, Op: opIdentify, Err: errToken}
	}
	id := platform.Identity{Principal: info.User, Scopes: sorted(info.Scopes)}
	switch {
	case l.Pages && info.Type == typePage:
		id.AccountID = info.Profile
		return id, nil
	case l.Pages && info.Type == typeUser, !IsID(ref.ID): // a person's token is no Page's
		return id, nil
	}
	return l.reaches(ctx, id, token, ref)
}

// reaches reads the account with the token; an account that it cannot see is not
// its own.
func (l *Login) reaches(
	ctx context.Context, id platform.Identity, token platform.Token, ref platform.AccountRef,
) (platform.Identity, error) {
	var node struct {
		ID       string `json:"id"`
		Username string `json:"username"`
	}
	err := l.Get(ctx, Ask{Op: opIdentify, Template: "/{account}", Path: ref.ID, Query: fieldsOf("id,username"), Token: token}, &node)
	if err != nil && platform.KindOf(err) != platform.KindNotFound {
		return platform.Identity{}, err
	}
	id.AccountID, id.Handle = node.ID, platform.Visible(node.Username, platform.MaxHandle)
	return id, nil
}

// Revoke ends a token by its type: a system user's alone, a person's whole grant
// with all Page tokens derived from it. A Page's token ends with its person's.
func (l *Login) Revoke(ctx context.Context, g platform.Grant, _ platform.RevokePart) error {
	token := g.Access
	if g.Refresh != "" {
		token = g.Refresh
	}
	info, err := l.debug(ctx, token)
	if err != nil {
		return err
	}
	if !*info.Valid {
		return nil
	}
	template, req, err := l.end(ctx, info, token)
	if err != nil {
		return err
	}
	answer, err := l.once(opRevoke, template, req)
	switch {
	case err == nil:
		return succeeded(opRevoke, answer)
	case platform.KindOf(err) == platform.KindUnauthorized:
		return nil // a token that is refused is dead already
	}
	return err
}

// end is the request that ends a token of its type.
func (l *Login) end(ctx context.Context, info tokenInfo, token platform.Token) (string, *http.Request, error) {
	switch {
	case info.Type == typeSystem:
		req, err := l.request(ctx, http.MethodGet, "oauth/revoke", url.Values{
			"client_id": {l.Keys.ID}, "client_secret": {l.Keys.Secret}, "revoke_token": {string(token)},
		}, l.Keys.Reads())
		return "/oauth/revoke", req, err
	case info.Type == typeUser && IsID(info.User):
		req, err := l.request(ctx, http.MethodDelete, info.User+"/permissions", nil, token)
		return "/{user}/permissions", req, err
	}
	return "", nil, &platform.Error{Kind: platform.KindInvalid, Op: opRevoke, Err: errParameter}
}
