package graph

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/scroll"
)

var errBadAsk = errors.New("the ask's account, cursor or limit is malformed")

// Feed is how a list that is ordered newest first is read.
type Feed struct {
	Op string
	// Items are the reads of one account; until bounds them from above, in Unix
	// seconds, and is 0 at the top; since from below, and is 0 if nothing does.
	Items func(ask platform.ActivityAsk, until, since int64) []Item
	// Read reads the answers to Items, in order: acts in any order, and whether the
	// list goes on.
	Read func(ask platform.ActivityAsk, places []Place) (acts []platform.Act, more bool, err *platform.Error)
	// Calls is the number of Items.
	Calls int
}

// reading is one ask that is being answered.
type reading struct {
	ask    platform.ActivityAsk
	place  scroll.Place
	items  []Item
	answer platform.ActivityAnswer
}

// Activity reads the feeds of at most BatchSize accounts: one batch for each of the
// Calls that an account takes. Cursors of the platform are not kept, as they must not
// be: a page is named by the time of the oldest act before it.
func (c *Client) Activity(ctx context.Context, f Feed, asks []platform.ActivityAsk) ([]platform.ActivityAnswer, error) {
	if len(asks) > BatchSize {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: f.Op, Err: errBatch}
	}
	readings := make([]*reading, len(asks))
	var items []Item
	for i, ask := range asks {
		readings[i] = begin(f, ask)
		items = append(items, readings[i].items...)
	}
	places := make([]Place, 0, len(items))
	for part := range slices.Chunk(items, BatchSize) {
		some, err := c.Batch(ctx, f.Op, part)
		if err != nil {
			return nil, err
		}
		places = append(places, some...)
	}
	answers := make([]platform.ActivityAnswer, len(asks))
	for i, r := range readings {
		n := len(r.items)
		if n > 0 {
			r.take(f, places[:n])
			places = places[n:]
		}
		answers[i] = r.answer
	}
	return answers, nil
}

// begin checks an ask and makes its items.
func begin(f Feed, ask platform.ActivityAsk) *reading {
	r := &reading{ask: ask, answer: platform.ActivityAnswer{Ref: ask.Ref}}
	place, err := scroll.Parse(ask.Cursor)
	until := int64(0)
	if place.Page() != "" {
		var bad error
		until, bad = strconv.ParseInt(place.Page(), 10, 64)
		err = errors.Join(err, bad)
	}
	if err != nil || !IsID(ask.Ref.ID) || ask.Limit < 1 {
		r.answer.Err = &platform.Error{Kind: platform.KindInvalid, Op: f.Op, Err: errBadAsk}
		return r
	}
	since := int64(0)
	if ask.Cursor == "" && !ask.Since.IsZero() {
		since = ask.Since.Unix()
	}
	r.place, r.items = place, f.Items(ask, until, since)
	return r
}

// take reads what came back.
func (r *reading) take(f Feed, places []Place) {
	acts, more, e := f.Read(r.ask, places)
	if e != nil {
		r.answer.Err = e
		return
	}
	slices.SortStableFunc(acts, func(a, b platform.Act) int { return b.At.Compare(a.At) })
	next := ""
	if more && len(acts) > 0 {
		next = strconv.FormatInt(acts[len(acts)-1].At.Add(time.Second).Unix(), 10)
	}
	told := r.place.Turn(acts, next, r.ask.Since, r.ask.Limit)
	cursor, err := told.Next.Cursor()
	if err != nil {
		r.answer.Err = &platform.Error{Kind: platform.KindUnavailable, Op: f.Op, Status: http.StatusOK, Err: err}
		return
	}
	r.answer.Acts, r.answer.Cursor, r.answer.More, r.answer.Items = told.Acts, cursor, told.More, len(r.items)
}

// Rereads is how single posts are looked up again.
type Rereads struct {
	Op     string
	Fields string
	// IsPost says whether s can be the id of a post.
	IsPost func(s string) bool
	// Read reads the answer about a post.
	Read func(ref platform.PostRef, body []byte) (platform.Act, error)
}

// Reread looks posts up again with one batch. A post that is missing or hidden is
// gone only if this credential has read its account before.
func (c *Client) Reread(ctx context.Context, r Rereads, refs []platform.PostRef) ([]platform.PostState, error) {
	if len(refs) > BatchSize {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: r.Op, Err: errBatch}
	}
	var items []Item
	for _, ref := range refs {
		if r.IsPost(ref.ID) {
			items = append(items, Item{Path: ref.ID, Query: fieldsOf(r.Fields)})
		}
	}
	places, err := c.Batch(ctx, r.Op, items)
	if err != nil {
		return nil, err
	}
	out := make([]platform.PostState, len(refs))
	for i, ref := range refs {
		if !r.IsPost(ref.ID) {
			out[i] = platform.PostState{Ref: ref, Outcome: platform.Unanswered, Err: &platform.Error{Kind: platform.KindInvalid, Op: r.Op, Err: ErrBadRef}}
			continue
		}
		out[i] = c.state(r, ref, places[0])
		places = places[1:]
	}
	return out, nil
}

func (c *Client) state(r Rereads, ref platform.PostRef, p Place) platform.PostState {
	state := platform.PostState{Ref: ref, Outcome: platform.Unanswered}
	if p.Err != nil {
		if IsInvisible(p.Err) && c.HasSeen(ref.Account.ID) {
			state.Outcome = platform.NotFound
			return state
		}
		state.Err = p.Err
		return state
	}
	act, err := r.Read(ref, p.Body)
	if err != nil {
		state.Err = &platform.Error{Kind: platform.KindUnavailable, Op: r.Op, Status: http.StatusOK, Err: err}
		return state
	}
	state.Outcome, state.Act = platform.Found, &act
	return state
}
