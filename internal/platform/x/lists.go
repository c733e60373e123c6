package x

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/scroll"
)

const (
	paramPage = "pagination_token"
	paramMost = "max_results"
	maxToken  = 256
)

var errPage = errors.New("the page token cannot be kept")

// following reads one page of the accounts followed. The cursor is the next page's
// token and empty at the end: the list is whole once More is false. One malformed
// entry spoils the page, for what is missing would look unfollowed.
func (r *reader) following(ctx context.Context, ask platform.ActivityAsk) (platform.ActivityAnswer, error) {
	const op = "users.following"
	query := url.Values{paramMost: {strconv.Itoa(min(ask.Limit, mostFollows))}}
	if ask.Cursor != "" {
		query.Set(paramPage, string(ask.Cursor))
	}
	c := call{op: op, endpoint: endpointFollowing, path: pathOf(endpointFollowing, ask.Ref.ID), bucket: bucketFollowing, query: query}
	answer, err := r.readFor(ctx, ask.Token, c)
	if err != nil {
		return platform.ActivityAnswer{}, err
	}
	var body struct {
		users
		Meta *meta `json:"meta"`
	}
	if err := r.list(c, answer, &body); err != nil {
		return platform.ActivityAnswer{}, err
	}
	if body.Meta == nil {
		return platform.ActivityAnswer{}, listError(op, body.Errors)
	}
	out, err := followed(op, body.Data, body.Meta)
	if err == nil && out.More && out.Cursor == ask.Cursor {
		err = unbelievable(op, errPage)
	}
	return out, err
}

// followed is a page of the accounts followed.
func followed(op string, data []user, m *meta) (platform.ActivityAnswer, error) {
	if m.Count != len(data) {
		return platform.ActivityAnswer{}, unbelievable(op, errContradiction)
	}
	out := platform.ActivityAnswer{Items: len(data), Acts: make([]platform.Act, 0, len(data))}
	for i := range data {
		u := &data[i]
		if u.malformed || !isID(u.ID) || u.Username == "" {
			return platform.ActivityAnswer{}, unbelievable(op, errMalformed)
		}
		target := platform.AccountRef{ID: u.ID, Handle: u.Username}
		out.Acts = append(out.Acts, platform.Act{
			ID: u.ID, Action: platform.Follow, URL: "https://x.com/" + url.PathEscape(u.Username), Target: target, TargetKnown: true,
		})
	}
	out.Cursor, out.More = platform.Cursor(m.NextToken), m.NextToken != ""
	if len(out.Cursor) > maxToken {
		return platform.ActivityAnswer{}, unbelievable(op, errPage)
	}
	return out, nil
}

// likes reads one page of the posts liked, as the account: the order is that of the
// likes, whose times are not told.
func (r *reader) likes(ctx context.Context, ask platform.ActivityAsk) (platform.ActivityAnswer, error) {
	const op = "users.liked_tweets"
	if ask.Token == "" {
		return platform.ActivityAnswer{}, &platform.Error{Kind: platform.KindUnauthorized, Op: op, Err: errNoToken}
	}
	place, err := scroll.Parse(ask.Cursor)
	if err != nil {
		return platform.ActivityAnswer{}, invalid(op, err)
	}
	query := url.Values{paramMost: {strconv.Itoa(min(max(ask.Limit, leastPosts), mostPosts))}, "tweet.fields": {fieldsOfPost}}
	if place.Page() != "" {
		query.Set(paramPage, place.Page())
	}
	c := call{op: op, endpoint: endpointLikes, path: pathOf(endpointLikes, ask.Ref.ID), bucket: bucketLikes, query: query}
	answer, err := r.readAs(ctx, string(ask.Token), c)
	if err != nil {
		return platform.ActivityAnswer{}, err
	}
	body, err := r.posts(c, answer)
	if err != nil {
		return platform.ActivityAnswer{}, err
	}
	acts := make([]platform.Act, 0, len(body.Data))
	for i := range body.Data {
		if body.Data[i].malformed {
			return platform.ActivityAnswer{}, unbelievable(op, errMalformed)
		}
		acts = append(acts, like(&body.Data[i]))
	}
	told := place.Turn(acts, body.Meta.NextToken, ask.Since, ask.Limit)
	cursor, err := told.Next.Cursor()
	if err != nil {
		return platform.ActivityAnswer{}, unbelievable(op, err)
	}
	return platform.ActivityAnswer{Acts: told.Acts, Cursor: cursor, More: told.More, Items: len(body.Data)}, nil
}

// like is the act of liking p: its text and links are those of what was liked.
func like(p *post) platform.Act {
	a := p.act("")
	return platform.Act{
		ID: p.ID, Action: platform.Like, Text: a.Text, URL: a.URL, Links: a.Links, Language: a.Language,
		Target: platform.AccountRef{ID: p.AuthorID}, TargetKnown: p.AuthorID != "",
	}
}
