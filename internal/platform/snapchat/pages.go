package snapchat

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	endpointOrganization = "/v1/organizations/:id/public_profiles"
	opOrganization       = "organization.public_profiles"

	// fresh is how long a page answers for the accounts on it: short, for an
	// observation is taken as made when it is asked for.
	fresh = 30 * time.Second
	// maxCursor is the bound of platform.Cursor.
	maxCursor = 256
)

var errCursor = errors.New("the cursor is malformed or too long")

// pages reads the profiles of organisations, page by page. It implements
// platform.Lister; and it keeps what it read for a moment, so that the lookups that
// a page answers need not be sent.
type pages struct {
	*sender
	organizations []string

	mu   sync.Mutex
	at   platform.Cursor // where the walk of find goes on
	kept map[string]kept
}

type kept struct {
	profile platform.Profile
	at      time.Time
}

// List reads the page at cursor. A profile that the page holds twice in two ways, or
// that belongs to another organisation, is left out.
func (p *pages) List(ctx context.Context, cursor platform.Cursor) (platform.Listing, error) {
	at, page, err := p.parse(cursor)
	if err != nil {
		return platform.Listing{}, invalid(opOrganization, err)
	}
	c := call{
		op: opOrganization, endpoint: endpointOrganization, path: pathOf(endpointOrganization, p.organizations[at]),
		host: p.cfg.Endpoint, query: url.Values{}, paged: true,
	}
	if page != "" {
		c.query.Set("cursor", page)
	}
	answer, err := p.read(ctx, c)
	if err != nil {
		return platform.Listing{}, err
	}
	var body profiles
	if err := body.read(opOrganization, answer); err != nil {
		return platform.Listing{}, err
	}
	next := body.next()
	if next != "" && next == page {
		return platform.Listing{}, unbelievable(opOrganization, errCursor)
	}
	listing := platform.Listing{Observations: found(p.organizations[at], body.Profiles)}
	if next == "" {
		at++
	}
	if at < len(p.organizations) {
		listing.More = true
		listing.Cursor = platform.Cursor(strconv.Itoa(at) + "|" + next)
	}
	if len(listing.Cursor) > maxCursor {
		return platform.Listing{}, unbelievable(opOrganization, errCursor)
	}
	return listing, nil
}

func (p *pages) parse(cursor platform.Cursor) (at int, page string, err error) {
	if cursor == "" {
		return 0, "", nil
	}
	index, page, ok := strings.Cut(string(cursor), "|")
	at, err = strconv.Atoi(index)
	if !ok || err != nil || at < 0 || at >= len(p.organizations) {
		return 0, "", errCursor
	}
	return at, page, nil
}

// found are the profiles that a page shows without doubt.
func found(organization string, items []profileItem) []platform.Observation {
	var out []platform.Observation
	index := make(map[string]int)
	doubted := make(map[string]bool)
	for _, it := range items {
		if !is(it.Status, statusSuccess) || !it.Profile.valid() ||
			it.Profile.Organization != "" && it.Profile.Organization != organization {
			continue
		}
		profile := it.Profile.profile()
		if i, ok := index[profile.ID]; ok {
			doubted[profile.ID] = doubted[profile.ID] || *out[i].Profile != profile
			continue
		}
		index[profile.ID] = len(out)
		out = append(out, platform.Observation{
			Ref: platform.AccountRef{ID: profile.ID, Handle: profile.Handle}, Outcome: platform.Found, Profile: &profile,
		})
	}
	kept := out[:0]
	for _, o := range out {
		if !doubted[o.Ref.ID] {
			kept = append(kept, o)
		}
	}
	return kept
}

// find answers from a page that was read within the last half minute. Where none
// holds the account and the rate leaves something over, it reads the next page, so
// that others find theirs; a page that fails costs nobody an answer.
func (p *pages) find(ctx context.Context, id string) (platform.Profile, bool, error) {
	if !p.mu.TryLock() {
		return platform.Profile{}, false, nil // a page is being read, for somebody else
	}
	defer p.mu.Unlock()
	if profile, ok := p.take(id); ok {
		return profile, true, nil
	}
	// Two left: one for the page, one for the lookup that may follow.
	if p.surplus.TokensAt(p.cfg.Now()) < 2 {
		return platform.Profile{}, false, nil
	}
	listing, err := p.List(ctx, p.at)
	if err != nil {
		p.at = ""
		if ctx.Err() != nil {
			return platform.Profile{}, false, err
		}
		return platform.Profile{}, false, nil
	}
	p.at = listing.Cursor
	p.keep(listing.Observations)
	profile, ok := p.take(id)
	return profile, ok, nil
}

// take uses what is kept of an account up: the next question gets a new answer.
func (p *pages) take(id string) (platform.Profile, bool) {
	k, ok := p.kept[id]
	if !ok {
		return platform.Profile{}, false
	}
	delete(p.kept, id)
	return k.profile, p.cfg.Now().Sub(k.at) < fresh
}

func (p *pages) keep(observations []platform.Observation) {
	now := p.cfg.Now()
	if p.kept == nil {
		p.kept = make(map[string]kept)
	}
	for id, k := range p.kept {
		if now.Sub(k.at) >= fresh {
			delete(p.kept, id)
		}
	}
	for _, o := range observations {
		p.kept[o.Ref.ID] = kept{profile: *o.Profile, at: now}
	}
}
