package facebook

import (
	"context"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

// Authorize is the base URL of the consent dialog, which only browsers call.
const Authorize = "https://www.facebook.com"

const (
	roleAuthorize = "authorize"
	opOpen        = "open"
	perPage       = 100 // posts or likes of one call
)

// scopes are what a grant must hold, sorted (facebook.md, section 1).
var scopes = []string{
	"business_management", "pages_manage_metadata", "pages_read_engagement", "pages_read_user_content", "pages_show_list",
}

// Adapter describes Facebook Pages.
func Adapter() platform.Adapter {
	read := func(endpoint, credential string) platform.Read {
		return platform.Read{
			Batch: graph.BatchSize, Charges: graph.Charges(1, 1), Credential: credential,
			Endpoint: "POST /" + graph.Version + "/ (batch of GET " + endpoint + ")",
		}
	}
	const ours = "system-user token, or app token with Page Public Content Access"
	return platform.Adapter{
		Name:       platform.Facebook,
		Endpoint:   graph.Endpoint,
		Hosts:      map[string]string{roleAuthorize: Authorize},
		MediaHosts: []string{".fbcdn.net"},
		Budgets:    graph.Budgets(),
		Profiles: map[platform.Lookup]platform.Read{
			platform.ByID:     read("/{page}", ours),
			platform.ByHandle: read("/{username}", ours),
		},
		Streams: map[platform.Stream]platform.StreamRead{
			platform.StreamPosts: {
				Read:    read("/{page}/published_posts", "Page token, made of the system user's"),
				Actions: []platform.Action{platform.Publish, platform.Repost}, Ordered: true,
			},
			platform.StreamFollows: {
				Read: read("/{page}/likes", "Page token or system-user token"), Actions: []platform.Action{platform.Follow},
			},
		},
		Rereads: read("/{post}", "system-user token of a portfolio that has the Page"),
		Custody: systemUser(),
		Grants:  graph.GrantCosts(),
		Gaps:    gaps(),
		Readable: platform.Fields(
			platform.FieldHandle, platform.FieldDisplayName, platform.FieldBio, platform.FieldWebsite,
			platform.FieldAvatar, platform.FieldBanner, platform.FieldVerified, platform.FieldFollowers,
		),
		Open: open,
	}
}

func gaps() []platform.Gap {
	return []platform.Gap{
		{Subject: "personal profiles", Why: "no API reads them; official accounts are Pages"},
		{Subject: "creation time", Why: "not exposed; 'founded' is free text"},
		{Subject: "suspended or missing", Why: "one error (100/33) for both, and for a missing permission"},
		{Subject: "protected accounts", Why: "no such thing; an unpublished Page is shown as deactivated"},
		{Subject: "number of posts, newest post", Why: "no counter is exposed: activity is read when its interval is due"},
		{Subject: "likes and reactions made", Why: "not exposed; Pages liked are (follows)"},
		{Subject: "replies made elsewhere", Why: "comments are listed by post, of one's own posts only"},
		{Subject: "when a text was edited", Why: "updated_time also moves with comments"},
		{Subject: "when a Page was liked", Why: "the list has no times"},
		{Subject: "two-factor of people outside the portfolio", Why: "two_fac_status is told of the portfolio's people alone"},
	}
}

// humanSteps are what no API does (facebook.md, Rotation on handover).
func humanSteps() []string {
	return []string{"remove-direct-admins", "change-password", "check-two-factor", "end-sessions"}
}

// systemUser is what holds with a system user of the portfolio.
func systemUser() platform.Custody {
	return platform.Custody{
		Principal: "system user", Mints: true, Reach: platform.ReachToken, Introspects: true, Scopes: scopes, HumanSteps: humanSteps(),
	}
}

// person is what holds where people consent: a revocation takes the whole grant and
// every Page token that came of it.
func person() *platform.Custody {
	return &platform.Custody{
		Principal: "person", Reach: platform.ReachGrant, Introspects: true, Scopes: scopes, HumanSteps: humanSteps(),
	}
}

// open checks cfg and returns a client; it performs no call. Without the app's id
// and secret there is no life of a grant, without a portfolio nobody is listed.
func open(cfg platform.Config) (*platform.Client, error) {
	if err := platform.CheckConfig(cfg); err != nil {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opOpen, Err: err}
	}
	keys, err := graph.ReadKeys(cfg.App)
	if err != nil {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opOpen, Err: err}
	}
	p := &pages{Client: graph.New(cfg, keys)}
	client := &platform.Client{Observe: p, Activity: p, Reread: p}
	if keys.BusinessID != "" {
		client.People, client.Unseat = p, p
	}
	if !keys.Mints() {
		client.Custody = person()
	}
	if !keys.IsApp() {
		client.Custody = &platform.Custody{Reach: platform.ReachNone}
		return client, nil
	}
	login := &graph.Login{Client: p.Client, Authorize: cfg.Host(roleAuthorize), Scopes: scopes, Pages: true}
	client.Consent, client.Issue, client.Identify, client.Introspect, client.Revoke = login, login, login, login, login
	return client, nil
}

// pages reads Pages.
type pages struct {
	*graph.Client
	tokens pageTokens
}

func (p *pages) asset(ref platform.AccountRef) (graph.Asset, error) {
	if !graph.IsID(ref.ID) {
		return graph.Asset{}, &platform.Error{Kind: platform.KindInvalid, Op: "people", Err: graph.ErrBadRef}
	}
	return graph.Asset{ID: ref.ID, Roles: true, Tasks: true}, nil
}

// People lists who has access to a Page; token is the Page's.
func (p *pages) People(ctx context.Context, token platform.Token, ref platform.AccountRef) ([]platform.Member, error) {
	asset, err := p.asset(ref)
	if err != nil {
		return nil, err
	}
	return p.Client.People(ctx, token, asset)
}

// Unseat removes somebody's access to a Page.
func (p *pages) Unseat(ctx context.Context, token platform.Token, ref platform.AccountRef, m platform.Member) error {
	asset, err := p.asset(ref)
	if err != nil {
		return err
	}
	return p.Client.Unseat(ctx, token, asset, m)
}
