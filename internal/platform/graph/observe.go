package graph

import (
	"context"
	"errors"
	"net/http"

	"mithaq.dev/mithaq/internal/platform"
)

// Errors of single accounts.
var (
	// ErrBadRef: the account's id or handle is empty or malformed.
	ErrBadRef = errors.New("the account's id or handle is empty or malformed")
	// ErrForeign: the answer is about another object than the one asked for.
	ErrForeign = errors.New("the answer is about another object than the one asked for")
	// ErrMalformed: what the answer says is malformed.
	ErrMalformed = errors.New("what the answer says is malformed")
)

// Lookup is one way of looking accounts up.
type Lookup struct {
	Op string
	// Key is what an account is asked for by; empty: malformed.
	Key func(platform.AccountRef) string
	// Item is the read of one key.
	Item func(key string) Item
	// Read reads the answer about a key; an error of ErrForeign or ErrMalformed means
	// that it is not to be believed. A nil profile is an account that is deactivated.
	Read func(key string, body []byte) (*platform.Profile, error)
	// Discovers: the account is seen through another one, which says nothing of whether
	// the credential may read the account itself.
	Discovers bool
}

// Observe looks refs up with one batch.
func (c *Client) Observe(ctx context.Context, l Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	if len(refs) > BatchSize {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: l.Op, Err: errBatch}
	}
	place := make(map[string]int, len(refs))
	var keys []string
	var items []Item
	for _, ref := range refs {
		key := l.Key(ref)
		if _, twice := place[key]; key == "" || twice {
			continue
		}
		place[key] = len(items)
		keys, items = append(keys, key), append(items, l.Item(key))
	}
	places, err := c.Batch(ctx, l.Op, items)
	if err != nil {
		return nil, err
	}
	said := make([]platform.Observation, len(places))
	for i, p := range places {
		said[i] = c.observation(l, keys[i], p)
	}
	out := make([]platform.Observation, len(refs))
	for i, ref := range refs {
		at, asked := place[l.Key(ref)]
		if !asked {
			out[i] = platform.Observation{Outcome: platform.Unanswered, Err: &platform.Error{Kind: platform.KindInvalid, Op: l.Op, Err: ErrBadRef}}
		} else {
			out[i] = said[at]
		}
		out[i].Ref = ref
	}
	return out, nil
}

// observation is what a place says. An object that may be hidden is gone only if
// this credential has read it before.
func (c *Client) observation(l Lookup, key string, p Place) platform.Observation {
	if e := p.Err; e != nil {
		if IsAbsent(e) || IsInvisible(e) && c.HasSeen(key) {
			return platform.Observation{Outcome: platform.NotFound}
		}
		return platform.Observation{Outcome: platform.Unanswered, Err: e}
	}
	profile, err := l.Read(key, p.Body)
	switch {
	case err != nil:
		return platform.Observation{Outcome: platform.Unanswered, Err: &platform.Error{Kind: platform.KindUnavailable, Op: l.Op, Status: http.StatusOK, Err: err}}
	case profile == nil:
		c.Saw(key)
		return platform.Observation{Outcome: platform.Deactivated}
	}
	if !l.Discovers {
		c.Saw(profile.ID)
	}
	return platform.Observation{Outcome: platform.Found, Profile: profile}
}
