package oauth

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"mithaq.dev/mithaq/internal/platform"
)

// Client is one OAuth client at one platform.
type Client struct {
	HTTP *http.Client
	Now  func() time.Time
	// ID and Secret are the client's credentials; an empty Secret is a public client.
	ID, Secret string
	// Authorize is the address at which people consent. Token and Revoke are whole
	// URLs; TokenPath and RevokePath their templates for metrics.
	Authorize, Token, Revoke string
	TokenPath, RevokePath    string
	// Style says where the client's credentials go; never AuthStyleAutoDetect, which
	// sends twice.
	Style oauth2.AuthStyle
	// RefusedAs are error codes, beside invalid_grant and invalid_token, with which
	// this platform refuses a code or token.
	RefusedAs []string
	// Scopes are asked for.
	Scopes []string
	// Params are further parameters of the consent URL.
	Params map[string]string
	// TakesHint: the platform takes login_hint.
	TakesHint bool
	// BareRevoke: a revocation carries the token alone, without the client (Google).
	BareRevoke bool
	// BasicRevoke: a revocation takes the client's credentials as Basic, whatever Style.
	BasicRevoke bool
	// Rename gives the names of Scopes to what the answers call otherwise.
	Rename map[string]string
}

const (
	opExchange = "oauth.exchange"
	opRefresh  = "oauth.refresh"
	opRevoke   = "oauth.revoke"

	maxScopes = 64
	// maxLifetime is far above any lifetime of an access token.
	maxLifetime = 400 * 24 * time.Hour
)

var errNoMint = errors.New("the platform issues no token without a person's consent")

func (c *Client) config(redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: redirect, Scopes: c.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: c.Authorize, TokenURL: c.Token, AuthStyle: c.Style},
	}
}

// ConsentURL is the address at which a person consents.
func (c *Client) ConsentURL(req platform.ConsentRequest) string {
	var options []oauth2.AuthCodeOption
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		options = append(options, oauth2.SetAuthURLParam(name, c.Params[name]))
	}
	if req.Challenge != "" {
		options = append(options, oauth2.SetAuthURLParam("code_challenge", req.Challenge),
			oauth2.SetAuthURLParam("code_challenge_method", "S256"))
	}
	if req.LoginHint != "" && c.TakesHint {
		options = append(options, oauth2.SetAuthURLParam("login_hint", req.LoginHint))
	}
	return c.config(req.RedirectURI).AuthCodeURL(req.State, options...)
}

// Exchange spends a code.
func (c *Client) Exchange(ctx context.Context, req platform.ExchangeRequest) (platform.Grant, error) {
	var options []oauth2.AuthCodeOption
	if req.Verifier != "" {
		options = append(options, oauth2.VerifierOption(string(req.Verifier)))
	}
	call, once := c.once(ctx, c.TokenPath)
	token, err := c.config(req.RedirectURI).Exchange(call, string(req.Code), options...)
	if err != nil {
		return platform.Grant{}, c.failed(ctx, opExchange, once, err)
	}
	return c.grant(token, nil), nil
}

// Refresh spends g's refresh token. What the answer leaves out stays as it was: a
// refresh token where the platform does not rotate it, the scopes.
func (c *Client) Refresh(ctx context.Context, g platform.Grant) (platform.Grant, error) {
	if g.Refresh == "" {
		return platform.Grant{}, &platform.Error{Kind: platform.KindUnauthorized, Op: opRefresh, Err: errNoRefresh}
	}
	call, once := c.once(ctx, c.TokenPath)
	token, err := c.config("").TokenSource(call, &oauth2.Token{RefreshToken: string(g.Refresh)}).Token()
	if err != nil {
		return platform.Grant{}, c.failed(ctx, opRefresh, once, err)
	}
	return c.grant(token, g.Scopes), nil
}

// Mint fails: none of the platforms that use this client issues tokens by API.
func (c *Client) Mint(context.Context, platform.AccountRef) (platform.Grant, error) {
	return platform.Grant{}, &platform.Error{Kind: platform.KindInvalid, Op: "oauth.mint", Err: errNoMint}
}

// grant is what an answer holds. The lifetime counts from now by our own clock.
func (c *Client) grant(token *oauth2.Token, scopes []string) platform.Grant {
	g := platform.Grant{Access: platform.Token(token.AccessToken), Refresh: platform.Token(token.RefreshToken), Scopes: scopes}
	if seconds := token.ExpiresIn; seconds > 0 {
		g.ExpiresAt = c.Now().Add(min(time.Duration(min(seconds, int64(maxLifetime/time.Second)))*time.Second, maxLifetime))
	}
	if told, ok := token.Extra("scope").(string); ok && told != "" {
		g.Scopes = ScopesOf(told, c.Rename)
	}
	return g
}

// ScopesOf are the scopes of an answer, by the names that rename gives, sorted, each
// once, at most 64.
func ScopesOf(told string, rename map[string]string) []string {
	scopes := strings.FieldsFunc(told, func(r rune) bool { return r == ' ' || r == ',' })
	for i, scope := range scopes {
		if name := rename[scope]; name != "" {
			scopes[i] = name
		}
	}
	slices.Sort(scopes)
	scopes = slices.Compact(scopes)
	return scopes[:min(len(scopes), maxScopes)]
}

// ending is the form of a revocation, and whether the client goes into the header.
func (c *Client) ending(token platform.Token) (form url.Values, basic bool) {
	form = url.Values{"token": {string(token)}}
	if c.BareRevoke {
		return form, false
	}
	if c.Secret != "" && (c.BasicRevoke || c.Style == oauth2.AuthStyleInHeader) {
		return form, true
	}
	form.Set("client_id", c.ID)
	if c.Secret != "" {
		form.Set("client_secret", c.Secret)
	}
	return form, false
}

// End revokes one token by RFC 7009. A token that is dead already is a success.
func (c *Client) End(ctx context.Context, token platform.Token) error {
	if token == "" {
		return nil
	}
	form, basic := c.ending(token)
	call, once := c.once(ctx, c.RevokePath)
	req, err := http.NewRequestWithContext(call, http.MethodPost, c.Revoke, strings.NewReader(form.Encode()))
	if err != nil {
		return &platform.Error{Kind: platform.KindInvalid, Op: opRevoke, Err: errBuild}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic {
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	answer, err := platform.Do(once.client, opRevoke, c.RevokePath, req)
	if err != nil {
		return once.lost(ctx, opRevoke, err)
	}
	return c.revoked(answer)
}
