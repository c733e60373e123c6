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
	err := l.Get(ctx, opDebug, "/debug_token", "debug_token", url.Values{"input_token": {string(token)}}, l.Keys.AppToken, &body)
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
func (l *Login) Identify(ctx context.Context, token platform.Token, ref platform.AccountRef) (platform.Identity, error) { //nolint:gocyclo // one decision, read from top to bottom; to be split
	info, err := l.debug(ctx, token)
	if err != nil {
		return platform.Identity{}, err
	}
	if !*info.Valid || info.AppID != "" && info.AppID != l.Keys.ID {
		return platform.Identity{}, &platform.Error{Kind: platform.KindUnauthorized, Op: opIdentify, Err: errToken}
	}
	id := platform.Identity{Principal: info.User, Scopes: sorted(info.Scopes)}
	if info.Type == typePage && l.Pages {
		id.AccountID = info.Profile
		return id, nil
	}
	if l.Pages && info.Type == typeUser {
		return id, nil // a person's token is no Page's
	}
	if !IsID(ref.ID) {
		return id, nil
	}
	var node struct {
		ID       string `json:"id"`
		Username string `json:"username"`
	}
	err = l.Get(ctx, opIdentify, "/{account}", ref.ID, url.Values{"fields": {"id,username"}}, token, &node)
	switch {
	case err == nil:
		id.AccountID, id.Handle = node.ID, platform.Visible(node.Username, platform.MaxHandle)
	case platform.KindOf(err) != platform.KindNotFound:
		return platform.Identity{}, err
	}
	return id, nil
}

// Revoke ends a token by its type: a system user's alone, a person's whole grant
// with all Page tokens derived from it. A Page's token ends with its person's.
func (l *Login) Revoke(ctx context.Context, g platform.Grant, _ platform.RevokePart) error { //nolint:gocyclo // one decision, read from top to bottom; to be split
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
	var req *http.Request
	template := "/{user}/permissions"
	switch {
	case info.Type == typeSystem:
		template = "/oauth/revoke"
		req, err = l.request(ctx, http.MethodGet, "oauth/revoke", url.Values{
			"client_id": {l.Keys.ID}, "client_secret": {l.Keys.Secret}, "revoke_token": {string(token)},
		}, l.Keys.Reads())
	case info.Type == typeUser && IsID(info.User):
		req, err = l.request(ctx, http.MethodDelete, info.User+"/permissions", nil, token)
	default:
		return &platform.Error{Kind: platform.KindInvalid, Op: opRevoke, Err: errParameter}
	}
	if err != nil {
		return err
	}
	answer, err := l.once(opRevoke, template, req)
	if platform.KindOf(err) == platform.KindUnauthorized && err != nil {
		return nil //nolint:nilerr // the error is the answer
	}
	if err != nil {
		return err
	}
	return succeeded(opRevoke, answer)
}
