package youtube

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/api/googleapi"
	api "google.golang.org/api/youtube/v3"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	endpointChannels = "/youtube/v3/channels"
	opChannels       = "channels.list"
	kindChannels     = "youtube#channelListResponse"
	partsOfChannel   = "id,snippet,brandingSettings,statistics,status,contentDetails"
)

var (
	errBatch         = errors.New("more accounts than one request can name")
	errLookup        = errors.New("no such lookup")
	errBadRef        = errors.New("the account's id or handle is empty or malformed")
	errMalformed     = errors.New("what the answer says about the account is malformed")
	errContradiction = errors.New("the answer contradicts itself about the account")
	errWithheld      = errors.New("the account is not in an answer that does not account for itself")
)

// reader implements Observer, ActivityReader and Rereader.
type reader struct {
	cfg     platform.Config
	service *api.Service
	key     string
}

// Observe looks channels up with one request, by id up to 50, by handle one. A ref
// that is empty or malformed is Unanswered with KindInvalid and is not sent.
func (r *reader) Observe(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	most := map[platform.Lookup]int{platform.ByID: batch, platform.ByHandle: 1}[by]
	switch {
	case most == 0:
		return nil, invalid(opChannels, errLookup)
	case len(refs) > most:
		return nil, invalid(opChannels, errBatch)
	}
	q := newQuestion(by, refs)
	if len(q.keys) > 0 {
		answer, err := r.channels(ctx, q)
		if err != nil {
			return nil, err
		}
		q.hear(answer)
	}
	return q.observations(), nil
}

// channels asks for the question's channels.
func (r *reader) channels(ctx context.Context, q *question) (*channels, error) {
	call := r.service.Channels.List([]string{partsOfChannel}).MaxResults(page)
	if q.by == platform.ByID {
		call = call.Id(strings.Join(q.keys, ","))
	} else {
		call = call.ForHandle("@" + q.keys[0])
	}
	body, err := r.answer(ctx, opChannels, endpointChannels, func(ctx context.Context) error {
		_, err := call.Context(ctx).Do(r.asApp())
		return err
	})
	if err != nil {
		return nil, err
	}
	return decodeChannels(body)
}

// asApp reads with the app's key.
func (r *reader) asApp() googleapi.CallOption { return googleapi.QueryParameter("key", r.key) }

// question is one batch of refs and what YouTube said of each.
type question struct {
	by   platform.Lookup
	refs []platform.AccountRef
	keys []string
	said map[string]*verdict
}

type verdict struct {
	profile *platform.Profile
	absent  error // why absence is not believed; nil: it is
	doubt   error
}

func newQuestion(by platform.Lookup, refs []platform.AccountRef) *question {
	q := &question{by: by, refs: refs, said: make(map[string]*verdict, len(refs))}
	for _, ref := range refs {
		if key := q.keyOf(ref); key != "" && q.said[key] == nil {
			q.said[key] = &verdict{}
			q.keys = append(q.keys, key)
		}
	}
	return q
}

// keyOf is what ref is asked by, or "" where that is malformed.
func (q *question) keyOf(ref platform.AccountRef) string {
	if q.by == platform.ByID {
		if isChannel(ref.ID) {
			return ref.ID
		}
		return ""
	}
	if isHandle(ref.Handle) {
		return lower(ref.Handle)
	}
	return ""
}

// hear takes an answer in. That an account is absent is believed of an answer which
// accounts for itself (see envelope.counts) and names nobody who was not asked for.
func (q *question) hear(answer *channels) {
	whole := answer.counts(len(answer.Items))
	for i := range answer.Items {
		c := &answer.Items[i]
		v := q.about(c)
		if v == nil {
			whole = false
			continue
		}
		v.found(c)
	}
	if whole {
		return
	}
	for _, v := range q.said {
		v.absent = errWithheld
	}
}

// about is the verdict that an item belongs to, or nil.
func (q *question) about(c *channel) *verdict {
	if q.by == platform.ByID {
		return q.said[c.ID]
	}
	if c.Snippet == nil {
		return nil
	}
	return q.said[lower(strings.TrimPrefix(c.Snippet.CustomURL, "@"))]
}

func (v *verdict) found(c *channel) {
	profile, ok := profileOf(c)
	switch {
	case !ok:
		v.doubt = errMalformed
	case v.profile != nil && *v.profile != profile:
		v.doubt = errContradiction
	default:
		v.profile = &profile
	}
}

// observations are the verdicts, one per ref, in the order of refs.
func (q *question) observations() []platform.Observation {
	out := make([]platform.Observation, len(q.refs))
	for i, ref := range q.refs {
		out[i] = platform.Observation{Ref: ref, Outcome: platform.Unanswered}
		v := q.said[q.keyOf(ref)]
		switch {
		case v == nil:
			out[i].Err = invalid(opChannels, errBadRef)
		case v.doubt != nil:
			out[i].Err = unbelievable(opChannels, v.doubt)
		case v.profile != nil:
			profile := *v.profile
			out[i].Outcome, out[i].Profile = platform.Found, &profile
		case v.absent != nil:
			out[i].Err = unbelievable(opChannels, v.absent)
		default:
			out[i].Outcome = platform.NotFound
		}
	}
	return out
}

// unbelievable is the error for an answer that came whole and cannot be true.
func unbelievable(op string, why error) *platform.Error {
	return &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: http.StatusOK, Err: why}
}
