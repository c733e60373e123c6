package instagram

import (
	"context"
	"errors"
	"net/url"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

// open checks cfg and returns a client; it performs no call.
func open(cfg platform.Config) (*platform.Client, error) {
	invalid := func(err error) (*platform.Client, error) {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opOpen, Err: err}
	}
	if err := platform.CheckConfig(cfg); err != nil {
		return invalid(err)
	}
	keys, err := graph.ReadKeys(cfg.App)
	if err != nil {
		return invalid(err)
	}
	login := platform.ReadSecret(cfg.App).Get(KeyLogin)
	if login != "" && login != loginFacebook && login != loginInstagram {
		return invalid(errors.New("the app Secret's " + KeyLogin + " is neither " + loginFacebook + " nor " + loginInstagram))
	}
	if login == loginInstagram {
		return openOwn(cfg, keys)
	}
	a := newAccounts(cfg, keys)
	client := a.client()
	if !keys.Mints() {
		client.Custody = person()
	}
	if !keys.IsApp() {
		client.Custody = &platform.Custody{Reach: platform.ReachNone}
		return client, nil
	}
	l := &graph.Login{Client: a.Client, Authorize: cfg.Host(roleAuthorize), Scopes: scopes}
	client.Consent, client.Issue, client.Identify, client.Introspect, client.Revoke = l, l, l, l, l
	return client, nil
}

// openOwn opens with Instagram Login. The secret of the Instagram app proves
// nothing to the Graph API of Facebook.
func openOwn(cfg platform.Config, keys graph.Keys) (*platform.Client, error) {
	if !keys.IsApp() {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opOpen, Err: errors.New(
			"the app Secret lacks " + platform.KeyClientID + " or " + platform.KeyClientSecret)}
	}
	own := keys
	keys.ID, keys.Secret = "", ""
	a := newAccounts(cfg, keys)
	client := a.client()
	at := cfg
	at.Endpoint = cfg.Host(roleInstagram)
	l := &ownLogin{Client: graph.New(at, own), authorize: cfg.Host(roleAuthorizeInstagram), tokens: cfg.Host(roleTokens), base: at.Endpoint}
	client.Consent, client.Issue, client.Identify, client.Introspect = l, l, l, l
	client.Custody = account()
	return client, nil
}

// accounts reads Instagram accounts.
type accounts struct {
	*graph.Client
	fields fields
}

func newAccounts(cfg platform.Config, keys graph.Keys) *accounts {
	return &accounts{Client: graph.New(cfg, keys)}
}

func (a *accounts) client() *platform.Client {
	client := &platform.Client{Observe: a, Activity: a, Reread: a}
	if a.Keys.BusinessID != "" {
		client.People, client.Unseat = a, a
	}
	return client
}

const opAsset = "assets"

var errNoAsset = errors.New("the portfolio does not hold the account as an asset")

// asset finds the account among the portfolio's assets, its own and its clients'.
func (a *accounts) asset(ctx context.Context, token platform.Token, ref platform.AccountRef) (graph.Asset, error) {
	if !graph.IsID(ref.ID) {
		return graph.Asset{}, &platform.Error{Kind: platform.KindInvalid, Op: opAsset, Err: graph.ErrBadRef}
	}
	if a.Keys.SystemUserToken != "" {
		token = a.Keys.SystemUserToken
	}
	type node struct {
		ID      string   `json:"id"`
		Account graph.ID `json:"ig_user_id"`
	}
	for _, edge := range []string{"owned_instagram_assets", "client_instagram_assets"} {
		nodes, err := graph.List[node](ctx, a.Client, graph.Edge{
			Op: opAsset, Template: "/{business}/" + edge, Path: a.Keys.BusinessID + "/" + edge, Fields: "id,ig_user_id", Token: token,
			Query: url.Values{},
		})
		if err != nil {
			return graph.Asset{}, err
		}
		for _, n := range nodes {
			if string(n.Account) == ref.ID && graph.IsID(n.ID) {
				return graph.Asset{ID: n.ID}, nil
			}
		}
	}
	return graph.Asset{}, &platform.Error{Kind: platform.KindNotFound, Op: opAsset, Err: errNoAsset}
}

// People lists who has access to an account through the portfolio.
func (a *accounts) People(ctx context.Context, token platform.Token, ref platform.AccountRef) ([]platform.Member, error) {
	asset, err := a.asset(ctx, token, ref)
	if err != nil {
		return nil, err
	}
	return a.Client.People(ctx, token, asset)
}

// Unseat removes somebody's access through the portfolio.
func (a *accounts) Unseat(ctx context.Context, token platform.Token, ref platform.AccountRef, m platform.Member) error {
	asset, err := a.asset(ctx, token, ref)
	if err != nil {
		return err
	}
	return a.Client.Unseat(ctx, token, asset, m)
}
