package snapchat

import (
	"context"
	"errors"
	"sync"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/oauth"
)

const (
	opGrant = "app.grant"
	// early is how long before its end an access token is renewed.
	early = 5 * time.Minute
	// mostSends is how often a refresh token whose answer was lost is sent at all
	// (rotation.md, I3).
	mostSends = 2
)

var (
	errDead  = errors.New("the app's grant is refused: somebody must consent anew")
	errLost  = errors.New("the answer to a refresh was lost")
	errStore = errors.New("the app's grant cannot be loaded or stored")
)

// appGrant holds the app's own rotating grant. One caller at a time renews it, each
// under its own context, and what came back is stored before anybody uses it.
type appGrant struct {
	store platform.GrantStore
	oauth *oauth.Client
	now   func() time.Time
	// first is the grant that the app Secret holds.
	first platform.Grant
	turn  chan struct{}
	// have is what the store holds, as far as we know. unsaved came back of a refresh
	// of have and is not stored yet.
	have    platform.Grant
	unsaved *platform.Grant
	// sends counts how often have.Refresh was sent; triedFirst says that the app
	// Secret's own refresh token was.
	sends      int
	triedFirst bool
}

func newAppGrant(cfg platform.Config, client *oauth.Client, k keys) *appGrant {
	store := cfg.Grant
	if store == nil {
		store = &memory{}
	}
	return &appGrant{
		store: store, oauth: client, now: cfg.Now, turn: make(chan struct{}, 1),
		first: platform.Grant{Access: k.access, Refresh: k.refresh},
	}
}

// get returns an access token other than refused, which is "" at first.
func (g *appGrant) get(ctx context.Context, refused platform.Token) (platform.Token, error) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return "", platform.CallError(ctx, opGrant, ctx.Err())
	}
	if g.unsaved == nil && g.usable(g.have, refused) {
		return g.have.Access, nil
	}
	if err := g.settle(ctx); err != nil {
		return "", err
	}
	if g.usable(g.have, refused) {
		return g.have.Access, nil
	}
	if err := g.renew(ctx); err != nil {
		return "", err
	}
	if !g.usable(g.have, refused) {
		return "", &platform.Error{Kind: platform.KindUnauthorized, Op: opGrant, Err: errDead}
	}
	return g.have.Access, nil
}

func (g *appGrant) usable(grant platform.Grant, refused platform.Token) bool {
	return grant.Access != "" && grant.Access != refused &&
		(grant.ExpiresAt.IsZero() || g.now().Before(grant.ExpiresAt.Add(-early)))
}

// settle stores what is not stored yet, and reads what another replica stored.
func (g *appGrant) settle(ctx context.Context) error {
	if g.unsaved != nil && g.save(ctx, *g.unsaved) == nil {
		return nil
	}
	loaded, err := g.store.Load(ctx)
	if err != nil {
		return &platform.Error{Kind: platform.KindUnavailable, Op: opGrant, Err: errStore}
	}
	if loaded.Access == "" && loaded.Refresh == "" {
		loaded = g.first
	}
	if g.unsaved != nil && loaded.Refresh == g.have.Refresh {
		return &platform.Error{Kind: platform.KindUnavailable, Op: opGrant, Err: errStore}
	}
	g.unsaved = nil // another replica went on from the same grant, and stored its own
	g.take(loaded)
	return nil
}

func (g *appGrant) take(grant platform.Grant) {
	if grant.Refresh != g.have.Refresh {
		g.sends = 0
	}
	g.have = grant
}

// renew spends the refresh token. Where it is refused, another replica may have been
// faster, or a person may have put a new one into the app Secret.
func (g *appGrant) renew(ctx context.Context) error {
	err := g.refresh(ctx, g.have)
	if err == nil || platform.KindOf(err) != platform.KindUnauthorized {
		return err
	}
	spent := g.have.Refresh
	if err := g.settle(ctx); err != nil {
		return err
	}
	if g.have.Refresh != spent {
		return nil
	}
	if g.first.Refresh != "" && g.first.Refresh != spent && !g.triedFirst {
		g.triedFirst = true
		g.sends = 0
		return g.refresh(ctx, g.first)
	}
	return err
}

// refresh sends from's refresh token and stores what comes back. The store is not
// left to a context that is done: what was spent cannot be had again.
func (g *appGrant) refresh(ctx context.Context, from platform.Grant) error {
	if from.Refresh == "" || g.sends >= mostSends {
		return &platform.Error{Kind: platform.KindUnauthorized, Op: opGrant, Err: errDead}
	}
	g.sends++
	next, err := g.oauth.Refresh(ctx, from)
	switch {
	case err == nil:
	case platform.KindOf(err) == platform.KindAmbiguous:
		e := &platform.Error{Kind: platform.KindUnavailable, Op: opGrant, Err: errLost}
		if ctx.Err() != nil {
			e.Err = ctx.Err()
		}
		return e
	default:
		if platform.KindOf(err) != platform.KindUnauthorized && platform.KindOf(err) != platform.KindInvalid {
			g.sends-- // nothing was spent
		}
		return err
	}
	g.unsaved = &next
	if g.save(context.WithoutCancel(ctx), next) != nil {
		return &platform.Error{Kind: platform.KindUnavailable, Op: opGrant, Err: errStore}
	}
	return nil
}

// save stores next in place of what the store holds.
func (g *appGrant) save(ctx context.Context, next platform.Grant) error {
	prev := g.have
	if prev.Refresh == g.first.Refresh && prev.Access == g.first.Access {
		prev = platform.Grant{} // the Secret's own was never stored
	}
	if err := g.store.Save(ctx, prev, next); err != nil {
		return err
	}
	g.unsaved = nil
	g.take(next)
	return nil
}

// memory is the store of a client that was given none.
type memory struct {
	mu    sync.Mutex
	grant platform.Grant
}

func (m *memory) Load(context.Context) (platform.Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.grant, nil
}

func (m *memory) Save(_ context.Context, _, next platform.Grant) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.grant = next
	return nil
}
