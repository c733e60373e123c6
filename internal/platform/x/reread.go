package x

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	endpointPosts = "/2/tweets"
	opPosts       = "tweets.lookup"
)

// postVerdict is what an answer says of one post.
type postVerdict struct {
	outcome platform.Outcome
	post    *post
	doubt   error
}

// Reread looks posts up again. A post of another author than the ref's account is
// not believed.
func (r *reader) Reread(ctx context.Context, refs []platform.PostRef) ([]platform.PostState, error) {
	if len(refs) > batch {
		return nil, invalid(opPosts, errBatch)
	}
	said := make(map[string]*postVerdict, len(refs))
	var ids []string
	for _, ref := range refs {
		if isID(ref.ID) && said[ref.ID] == nil {
			said[ref.ID] = &postVerdict{}
			ids = append(ids, ref.ID)
		}
	}
	if len(ids) > 0 {
		c := call{op: opPosts, endpoint: endpointPosts, bucket: bucketPosts, query: url.Values{
			"ids": {strings.Join(ids, ",")}, "tweet.fields": {fieldsOfPost},
		}}
		answer, err := r.read(ctx, c)
		if err != nil {
			return nil, err
		}
		if err := r.hear(answer, said); err != nil {
			return nil, err
		}
	}
	states := make([]platform.PostState, len(refs))
	for i, ref := range refs {
		states[i] = stateOf(ref, said[ref.ID])
	}
	return states, nil
}

// hear takes an answer in.
func (r *reader) hear(answer *platform.Answer, said map[string]*postVerdict) error {
	if answer.Status != http.StatusOK {
		return refusal(opPosts, answer, r.cfg.Now())
	}
	var body posts
	if err := answer.DecodeJSON(opPosts, &body); err != nil {
		return err
	}
	if len(body.Data) == 0 && len(body.Errors) == 0 {
		return unbelievable(opPosts, platform.ErrNotJSON)
	}
	for i := range body.Data {
		if v := said[body.Data[i].ID]; v != nil {
			v.found(&body.Data[i])
		}
	}
	for i := range body.Errors {
		p := &body.Errors[i]
		if v := said[p.post()]; v != nil {
			v.say(p.postOutcome())
		}
	}
	return nil
}

func (v *postVerdict) found(p *post) {
	if p.malformed || p.CreatedAt.IsZero() || v.post != nil {
		v.doubt = errMalformed
		return
	}
	v.post = p
	v.say(platform.Found)
}

func (v *postVerdict) say(outcome platform.Outcome) {
	switch {
	case outcome == platform.Unanswered:
		v.doubt = errUnknownProblem
	case v.outcome != "" && v.outcome != outcome:
		v.doubt = errContradiction
	}
	v.outcome = outcome
}

func stateOf(ref platform.PostRef, v *postVerdict) platform.PostState {
	state := platform.PostState{Ref: ref, Outcome: platform.Unanswered}
	switch {
	case v == nil:
		state.Err = invalid(opPosts, errBadRef)
	case v.doubt != nil:
		state.Err = unbelievable(opPosts, v.doubt)
	case v.outcome == "":
		state.Err = unbelievable(opPosts, errLeftOut)
	case v.outcome == platform.Found && ref.Account.ID != "" && v.post.AuthorID != ref.Account.ID:
		state.Err = unbelievable(opPosts, errForeign)
	case v.outcome == platform.Found:
		act := v.post.act(ref.Account.Handle)
		state.Outcome, state.Act = platform.Found, &act
	default:
		state.Outcome = v.outcome
	}
	return state
}

// post is the id of the post that a problem is about, or "" if it is about
// something else.
func (p *accountProblem) post() string {
	switch p.ResourceType {
	case "", "tweet", "post":
	default:
		return ""
	}
	if p.Parameter != "" && p.Parameter != "ids" {
		return ""
	}
	if p.Value != "" {
		return p.Value
	}
	return p.ResourceID
}

// postOutcome believes that a post is gone where type, title and detail agree, as
// for accounts; that it is not for us (its author became protected) is no outcome.
func (p *accountProblem) postOutcome() platform.Outcome {
	if segment(p.Type) == typeNotFound && p.Title == "Not Found Error" &&
		(strings.HasPrefix(p.Detail, "Could not find tweet") || strings.HasPrefix(p.Detail, "Could not find post")) {
		return platform.NotFound
	}
	return platform.Unanswered
}
