package x

import (
	"net/http"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// question is one batch of refs and what X said of each.
type question struct {
	lookup
	refs []platform.AccountRef
	// keys are what to ask for, each once; said holds the verdict on each.
	keys []string
	said map[string]*verdict
}

// verdict is what an answer says of one key. Two statements that differ cancel
// each other: the answer is then not to be believed.
type verdict struct {
	outcome platform.Outcome
	profile platform.Profile
	doubt   error
}

func newQuestion(l lookup, refs []platform.AccountRef) *question {
	q := &question{lookup: l, refs: refs, said: make(map[string]*verdict, len(refs))}
	for _, ref := range refs {
		key := l.keyOf(ref)
		if q.said[key] != nil || !l.valid(key) {
			continue
		}
		q.said[key] = &verdict{}
		q.keys = append(q.keys, key)
	}
	return q
}

// read takes an answer in. The lookup of a single account is documented to answer
// 404, a batch 200: both are read the same way (x.md, section 3).
func (q *question) read(answer *platform.Answer, asked []string, now time.Time) ([]platform.Observation, error) {
	switch answer.Status {
	case http.StatusOK:
		if err := q.decode(answer, asked); err != nil {
			return nil, err
		}
		return q.observations(), nil
	case http.StatusNotFound:
		if q.decode(answer, asked) == nil && q.answered() {
			return q.observations(), nil
		}
	}
	return nil, refusal(q.op, answer, now)
}

// decode reads what an answer says of the accounts that were asked for.
func (q *question) decode(answer *platform.Answer, asked []string) error {
	body, err := q.users(answer)
	if err != nil {
		return err
	}
	unread := unasked(asked)
	for i := range body.Data {
		u := &body.Data[i]
		if v := q.said[q.nameOf(u)]; v != nil {
			v.found(u, unread)
		}
	}
	for i := range body.Errors {
		p := &body.Errors[i]
		if v := q.said[p.key(q.lookup)]; v != nil {
			v.say(p.outcome(), platform.Profile{})
		}
	}
	return nil
}

// users is the answer's body; a 404 can be a problem by itself.
func (q *question) users(answer *platform.Answer) (users, error) {
	var body users
	if err := body.read(q.op, answer); err != nil {
		return body, err
	}
	if answer.Status == http.StatusNotFound && len(body.Errors) == 0 {
		body.Errors = make([]accountProblem, 1)
		return body, answer.DecodeJSON(q.op, &body.Errors[0])
	}
	if len(body.Data) == 0 && len(body.Errors) == 0 {
		return body, &platform.Error{
			Kind: platform.KindUnavailable, Op: q.op, Status: answer.Status, Err: platform.ErrNotJSON,
		}
	}
	return body, nil
}

func (q *question) answered() bool {
	for _, v := range q.said {
		if v.outcome != "" {
			return true
		}
	}
	return false
}

// observations are the verdicts, one per ref, in the order of refs.
func (q *question) observations() []platform.Observation {
	out := make([]platform.Observation, len(q.refs))
	for i, ref := range q.refs {
		out[i] = platform.Observation{Ref: ref, Outcome: platform.Unanswered}
		v := q.said[q.keyOf(ref)]
		switch {
		case v == nil:
			out[i].Err = invalid(q.op, errBadRef)
		case v.doubt != nil:
			out[i].Err = q.unanswered(v.doubt)
		case v.outcome == "":
			out[i].Err = q.unanswered(errLeftOut)
		case v.outcome == platform.Found:
			profile := v.profile
			out[i].Outcome, out[i].Profile = platform.Found, &profile
		default:
			out[i].Outcome = v.outcome
		}
	}
	return out
}

func (q *question) unanswered(why error) error {
	return &platform.Error{Kind: platform.KindUnavailable, Op: q.op, Status: http.StatusOK, Err: why}
}

func (v *verdict) found(u *user, unread platform.FieldSet) {
	if u.malformed || !isID(u.ID) || u.Username == "" || u.Name == "" {
		v.doubt = errMalformed
		return
	}
	v.say(platform.Found, u.profile(unread))
}

func (v *verdict) say(outcome platform.Outcome, profile platform.Profile) {
	switch {
	case outcome == platform.Unanswered:
		v.doubt = errUnknownProblem
	case v.outcome == "":
		v.outcome, v.profile = outcome, profile
	case v.outcome != outcome || v.profile != profile:
		v.doubt = errContradiction
	}
}
