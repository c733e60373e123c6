package x

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	endpointTimeline  = "/2/users/:id/tweets"
	endpointFollowing = "/2/users/:id/following"
	endpointLikes     = "/2/users/:id/liked_tweets"

	leastPosts  = 5
	mostPosts   = 100
	mostFollows = 1000
)

var (
	errStream    = errors.New("no such stream")
	errLimit     = errors.New("the limit is less than one")
	errCursor    = errors.New("the cursor is malformed")
	errNoToken   = errors.New("the stream needs the account's own token")
	errForeign   = errors.New("the answer holds what is not the account's")
	errNoAccount = errors.New("the account does not exist, or is suspended")
	errProtected = errors.New("the account is protected")
)

// reader implements platform.ActivityReader and platform.Rereader.
type reader struct{ *sender }

// Activity reads one stream of one account, with one request.
func (r *reader) Activity(
	ctx context.Context, stream platform.Stream, asks []platform.ActivityAsk,
) ([]platform.ActivityAnswer, error) {
	read, ok := map[platform.Stream]func(context.Context, platform.ActivityAsk) (platform.ActivityAnswer, error){
		platform.StreamPosts:   r.timeline,
		platform.StreamFollows: r.following,
		platform.StreamLikes:   r.likes,
	}[stream]
	if !ok {
		return nil, invalid("activity", errStream)
	}
	if len(asks) > 1 {
		return nil, invalid("activity", errBatch)
	}
	answers := make([]platform.ActivityAnswer, len(asks))
	for i, ask := range asks {
		answer, err := answerTo(ctx, ask, read)
		if err != nil {
			answer = platform.ActivityAnswer{Err: err}
		}
		answer.Ref = ask.Ref
		answers[i] = answer
	}
	return answers, nil
}

func answerTo(
	ctx context.Context, ask platform.ActivityAsk,
	read func(context.Context, platform.ActivityAsk) (platform.ActivityAnswer, error),
) (platform.ActivityAnswer, error) {
	switch {
	case !isID(ask.Ref.ID):
		return platform.ActivityAnswer{}, invalid("activity", errBadRef)
	case ask.Limit < 1:
		return platform.ActivityAnswer{}, invalid("activity", errLimit)
	}
	return read(ctx, ask)
}

// timeline reads posts, replies and reposts.
func (r *reader) timeline(ctx context.Context, ask platform.ActivityAsk) (platform.ActivityAnswer, error) {
	const op = "users.tweets"
	place, err := parsePlace(ask.Cursor, ask.Since)
	if err != nil {
		return platform.ActivityAnswer{}, invalid(op, errCursor)
	}
	query := place.query()
	query.Set("max_results", strconv.Itoa(min(max(ask.Limit, leastPosts), mostPosts)))
	query.Set("tweet.fields", fieldsOfPost)
	c := call{op: op, endpoint: endpointTimeline, path: pathOf(endpointTimeline, ask.Ref.ID), bucket: bucketTimeline, query: query}
	answer, err := r.readFor(ctx, ask.Token, c)
	if err != nil {
		return platform.ActivityAnswer{}, err
	}
	body, err := r.posts(c, answer)
	if err != nil {
		return platform.ActivityAnswer{}, err
	}
	acts := make([]platform.Act, 0, len(body.Data))
	for i := range body.Data {
		p := &body.Data[i]
		if p.malformed || p.CreatedAt.IsZero() {
			return platform.ActivityAnswer{}, unbelievable(op, errMalformed)
		}
		if p.AuthorID != ask.Ref.ID {
			return platform.ActivityAnswer{}, unbelievable(op, errForeign)
		}
		acts = append(acts, p.act(ask.Ref.Handle))
	}
	told, next, more := place.turn(acts, body.Meta.NextToken != "", ask.Limit)
	return platform.ActivityAnswer{Acts: told, Cursor: next.cursor(), More: more, Items: len(body.Data)}, nil
}

// readFor reads as the account where there is a token of its own, else as the app.
func (r *reader) readFor(ctx context.Context, own platform.Token, c call) (*platform.Answer, error) {
	if own != "" {
		return r.readAs(ctx, string(own), c)
	}
	return r.read(ctx, c)
}

// posts decodes a list of posts; an answer that refuses is an error.
func (r *reader) posts(c call, answer *platform.Answer) (posts, error) {
	var body posts
	if err := r.list(c, answer, &body); err != nil {
		return body, err
	}
	if body.Meta == nil {
		return body, listError(c.op, body.Errors)
	}
	return body, nil
}

// list decodes an answer with 200; another is classed, a 404 that names a problem as
// a missing account.
func (r *reader) list(c call, answer *platform.Answer, into any) error {
	switch answer.Status {
	case http.StatusOK:
		return answer.DecodeJSON(c.op, into)
	case http.StatusNotFound:
		var p problem
		if answer.DecodeJSON(c.op, &p) == nil && p.is(typeNotFound) {
			return &platform.Error{Kind: platform.KindNotFound, Op: c.op, Status: answer.Status, Err: errNoAccount}
		}
	}
	return refusal(c.op, answer, r.cfg.Now())
}

// listError is what a list without meta says instead: of a protected account, that
// it is not for us; of a missing or suspended one, that there is none.
func listError(op string, problems []accountProblem) *platform.Error {
	e := &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: http.StatusOK, Err: platform.ErrNotJSON}
	for _, p := range problems {
		switch segment(p.Type) {
		case typeNotAuthorized:
			e.Kind, e.Err = platform.KindUnauthorized, errProtected
		case typeNotFound:
			e.Kind, e.Err = platform.KindNotFound, errNoAccount
		default:
			return &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: http.StatusOK, Err: errUnknownProblem}
		}
	}
	return e
}

// typeNotAuthorized is the problem of a protected account (x.md, section 4).
const typeNotAuthorized = "not-authorized-for-resource"

func pathOf(endpoint, id string) string {
	return strings.Replace(endpoint, ":id", url.PathEscape(id), 1)
}

// unbelievable is the error for an answer that came whole and cannot be true.
func unbelievable(op string, why error) *platform.Error {
	return &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: http.StatusOK, Err: why}
}
