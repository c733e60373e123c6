package facebook

import (
	"context"
	"sync"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

const opToken = "pages.access_token"

// pageTokens are tokens of Pages, made of the system user's. They end with it and not
// before (facebook.md, section 1), so each is asked for once, and again when it is
// refused. They are held in memory alone.
type pageTokens struct {
	mu   sync.Mutex
	held map[string]platform.Token
}

func (s *pageTokens) get(page string) (platform.Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, ok := s.held[page]
	return token, ok
}

func (s *pageTokens) put(page string, token platform.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string]platform.Token{}
	}
	s.held[page] = token
}

func (s *pageTokens) drop(page string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, page)
}

// posts reads what at most 50 Pages published, each with its own token where the system
// user manages it. A Page without one is asked for with the token of the sweep, and the
// platform says what that may read.
func (p *pages) posts(ctx context.Context, asks []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
	failed, err := p.fetchTokens(ctx, asks)
	if err != nil {
		return nil, err
	}
	answers := make([]platform.ActivityAnswer, len(asks))
	var at []int
	var ready []platform.ActivityAsk
	for i, ask := range asks {
		if e := failed[ask.Ref.ID]; e != nil {
			answers[i] = platform.ActivityAnswer{Ref: ask.Ref, Err: e}
			continue
		}
		if ask.Token == "" {
			ask.Token, _ = p.tokens.get(ask.Ref.ID)
		}
		at, ready = append(at, i), append(ready, ask)
	}
	told, err := p.Client.Activity(ctx, graph.Feed{Op: opPosts, Items: postItems, Read: readPosts}, ready)
	if err != nil {
		for _, ask := range ready {
			p.refused(ask, err)
		}
		return nil, err
	}
	for j, answer := range told {
		answers[at[j]] = answer
		p.refused(ready[j], answer.Err)
	}
	return answers, nil
}

// refused forgets a token that the platform refuses: the next reading asks for another.
func (p *pages) refused(ask platform.ActivityAsk, err error) {
	if err != nil && platform.KindOf(err) == platform.KindUnauthorized {
		p.tokens.drop(ask.Ref.ID)
	}
}

// fetchTokens asks, with one batch, for the tokens that are not held yet. It returns
// those Pages for which that could not be answered now; who has no token has none.
func (p *pages) fetchTokens(ctx context.Context, asks []platform.ActivityAsk) (map[string]*platform.Error, error) {
	failed := map[string]*platform.Error{}
	missing := p.tokenless(asks)
	places, err := p.Batch(ctx, opToken, missing)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		if e := p.keep(missing[i].Path, place); e != nil && (e.Kind == platform.KindUnavailable || e.Kind == platform.KindRateLimited) {
			failed[missing[i].Path] = e
		}
	}
	return failed, nil
}

// tokenless are the items for the Pages whose tokens are not held; none where there is
// no system user.
func (p *pages) tokenless(asks []platform.ActivityAsk) []graph.Item {
	if p.Keys.SystemUserToken == "" {
		return nil
	}
	var items []graph.Item
	for _, ask := range asks {
		if _, held := p.tokens.get(ask.Ref.ID); !held && ask.Token == "" && graph.IsID(ask.Ref.ID) {
			items = append(items, graph.Item{Path: ask.Ref.ID, Query: graph.Fields("id,access_token", 0, 0, 0)})
		}
	}
	return items
}

// keep holds the token that an answer gives of a Page, if it does.
func (p *pages) keep(id string, place graph.Place) *platform.Error {
	var page struct {
		ID    string `json:"id"`
		Token string `json:"access_token"`
	}
	e := graph.Decode(opToken, place, &page)
	if e == nil && page.ID == id && page.Token != "" {
		p.tokens.put(id, platform.Token(page.Token))
	}
	return e
}
