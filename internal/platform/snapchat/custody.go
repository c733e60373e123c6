package snapchat

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
	endpointMine    = "/v1/public_profiles/my_profile"
	endpointMe      = "/v1/me"
	endpointToken   = "/login/oauth2/access_token"
	endpointConsent = "/login/oauth2/authorize"

	opMine = "my_profile"
	opMe   = "me"

	accessLifetime = time.Hour
)

var errNoPerson = errors.New("the answer is about no person")

// scopes are what a grant must hold, sorted.
func scopes() []string { return []string{"snapchat-marketing-api", "snapchat-profile-api"} }

// custody is what Snapchat really allows at a handover (rotation.md, section 4;
// snapchat.md, section 1). That a revocation works at all is not documented.
func custody() platform.Custody {
	return platform.Custody{
		Principal: "person", SingleUseRefresh: true, Reach: platform.ReachUnknown,
		Scopes: scopes(), AccessLifetime: accessLifetime,
		HumanSteps: []string{
			"remove-organization-members", "remove-profile-roles", "end-sessions",
			"change-password", "change-two-factor", "change-recovery-address",
		},
	}
}

func oauthClient(cfg platform.Config, k keys) *oauth.Client {
	accounts := cfg.Host(roleAccounts)
	return &oauth.Client{
		HTTP: cfg.HTTP, Now: cfg.Now, ID: k.clientID, Secret: k.clientSecret, Style: oauth2.AuthStyleInParams,
		Authorize: cfg.Host(roleAuthorize) + endpointConsent,
		Token:     accounts + endpointToken, TokenPath: endpointToken,
		Revoke: accounts + k.revokePath, RevokePath: "/revoke", BasicRevoke: true,
		Scopes: scopes(),
	}
}

// holder implements Identifier, Introspector, Revoker and People.
type holder struct {
	*sender
	oauth *oauth.Client
}

// Identify asks for the profile of a token, and for the person behind it.
func (h *holder) Identify(ctx context.Context, token platform.Token, _ platform.AccountRef) (platform.Identity, error) {
	if token == "" {
		return platform.Identity{}, &platform.Error{Kind: platform.KindUnauthorized, Op: opMine, Err: errUnauthorized}
	}
	answer, err := h.read(ctx, call{op: opMine, endpoint: endpointMine, path: endpointMine, host: h.cfg.Endpoint, own: token})
	if err != nil {
		return platform.Identity{}, err
	}
	var body struct {
		envelope
		Profile *profile `json:"public_profile"`
	}
	if err := decode(opMine, answer, &body, &body.Status); err != nil {
		return platform.Identity{}, err
	}
	if !body.Profile.valid() {
		return platform.Identity{}, unbelievable(opMine, errMalformed)
	}
	who, err := h.me(ctx, token)
	if err != nil {
		return platform.Identity{}, err
	}
	profile := body.Profile.profile()
	return platform.Identity{
		AccountID: profile.ID, Handle: profile.Handle, Principal: who.ID,
		Email: platform.Visible(who.Email, platform.MaxDisplayName),
	}, nil
}

// person is who consented.
type person struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

func (h *holder) me(ctx context.Context, token platform.Token) (person, error) {
	answer, err := h.read(ctx, call{op: opMe, endpoint: endpointMe, path: endpointMe, host: h.cfg.Host(roleAds), own: token})
	if err != nil {
		return person{}, err
	}
	var body struct {
		envelope
		Me person `json:"me"`
	}
	if err := decode(opMe, answer, &body, &body.Status); err != nil {
		return person{}, err
	}
	if !isID(body.Me.ID) {
		return person{}, unbelievable(opMe, errNoPerson)
	}
	return body.Me, nil
}

// Introspect probes: there is no introspection, and a refusal does not dependably
// say whether the token was revoked or ran out.
func (h *holder) Introspect(ctx context.Context, token platform.Token) (platform.Introspection, error) {
	if token == "" {
		return platform.Introspection{}, &platform.Error{Kind: platform.KindInvalid, Op: opMe, Err: errUnauthorized}
	}
	who, err := h.me(ctx, token)
	if err == nil {
		return platform.Introspection{State: platform.TokenAlive, Principal: who.ID}, nil
	}
	if e, ok := errors.AsType[*platform.Error](err); ok && e.Kind == platform.KindUnauthorized && e.Status == http.StatusUnauthorized {
		return platform.Introspection{State: platform.TokenUnclear}, nil
	}
	return platform.Introspection{}, err
}

// Revoke asks for the end of one token at an endpoint that is not documented for
// this API. Its success is no proof.
func (h *holder) Revoke(ctx context.Context, g platform.Grant, part platform.RevokePart) error {
	token := g.Access
	if part == platform.RevokeGrant && g.Refresh != "" {
		token = g.Refresh
	}
	return h.oauth.End(ctx, token)
}
