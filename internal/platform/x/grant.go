package x

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/oauth"
)

const (
	endpointMe    = "/2/users/me"
	endpointOAuth = "/2/oauth2/token"
	endpointEnd   = "/2/oauth2/revoke"
	opMe          = "users.me"

	accessLifetime = 2 * time.Hour
)

var (
	errNotThis  = errors.New("the answer is about no account")
	errAsksNone = errors.New("there is no token")
)

// scopes are what a grant must hold, sorted: to read as the account, and to refresh.
func scopes() []string {
	return []string{"follows.read", "like.read", "offline.access", "tweet.read", "users.read"}
}

// custody is what X really allows at a handover (rotation.md, section 4; x.md,
// section 2). What a revocation reaches and how long a spent refresh token may be
// repeated are not documented, so they count as their worst values.
func custody() platform.Custody {
	return platform.Custody{
		Principal: "account", PKCE: true, SingleUseRefresh: true, Reach: platform.ReachUnknown,
		Scopes: scopes(), AccessLifetime: accessLifetime,
		HumanSteps: []string{
			"remove-delegates", "end-sessions", "disconnect-other-apps",
			"change-password", "change-two-factor", "change-recovery-address",
		},
	}
}

func oauthClient(cfg platform.Config, creds credentials) *oauth.Client {
	style := oauth2.AuthStyleInHeader
	if creds.clientSecret == "" {
		style = oauth2.AuthStyleInParams
	}
	return &oauth.Client{
		HTTP: cfg.HTTP, Now: cfg.Now, ID: creds.clientID, Secret: creds.clientSecret, Style: style,
		Authorize: cfg.Host(roleAuthorize) + "/i/oauth2/authorize",
		Token:     cfg.Endpoint + endpointOAuth, TokenPath: endpointOAuth,
		Revoke: cfg.Endpoint + endpointEnd, RevokePath: endpointEnd,
		RefusedAs: []string{"invalid_request"}, // x.md, section 8: a token that is spent
		Scopes:    scopes(),
	}
}

// holder implements Identifier, Introspector and Revoker.
type holder struct {
	*sender
	oauth *oauth.Client
}

// Identify asks whom a token acts for: at X the account is its own principal. The
// scopes are not told.
func (h *holder) Identify(ctx context.Context, token platform.Token, _ platform.AccountRef) (platform.Identity, error) {
	if token == "" {
		return platform.Identity{}, &platform.Error{Kind: platform.KindUnauthorized, Op: opMe, Err: errAsksNone}
	}
	answer, err := h.readAs(ctx, string(token), call{op: opMe, endpoint: endpointMe})
	if err != nil {
		return platform.Identity{}, err
	}
	if answer.Status != http.StatusOK {
		return platform.Identity{}, refusal(opMe, answer, h.cfg.Now())
	}
	var body struct {
		Data user `json:"data"`
	}
	if err := answer.DecodeJSON(opMe, &body); err != nil {
		return platform.Identity{}, err
	}
	u := &body.Data
	if u.malformed || !isID(u.ID) || !isHandle(u.Username) {
		return platform.Identity{}, unbelievable(opMe, errNotThis)
	}
	return platform.Identity{AccountID: u.ID, Principal: u.ID, Handle: u.Username}, nil
}

// Introspect probes: X has no introspection, and a 401 does not say whether the
// token was revoked or ran out.
func (h *holder) Introspect(ctx context.Context, token platform.Token) (platform.Introspection, error) {
	identity, err := h.Identify(ctx, token, platform.AccountRef{})
	switch {
	case err == nil:
		return platform.Introspection{State: platform.TokenAlive, Principal: identity.Principal}, nil
	case platform.KindOf(err) == platform.KindUnauthorized && statusOf(err) == http.StatusUnauthorized:
		return platform.Introspection{State: platform.TokenUnclear}, nil
	}
	return platform.Introspection{}, err
}

// Revoke ends one token: which others end with it is not documented, so each part
// is revoked by itself.
func (h *holder) Revoke(ctx context.Context, g platform.Grant, part platform.RevokePart) error {
	token := g.Access
	if part == platform.RevokeGrant && g.Refresh != "" {
		token = g.Refresh
	}
	return h.oauth.End(ctx, token)
}

func statusOf(err error) int {
	if e, ok := errors.AsType[*platform.Error](err); ok {
		return e.Status
	}
	return 0
}
