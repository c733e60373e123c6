package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// What an error of the Graph API means (facebook.md, instagram.md, section 7), in
// fixed words: its own text may hold ids and queries.
var (
	errService     = errors.New("the service reports a passing fault")
	errLimited     = errors.New("a rate limit is used up")
	errPermission  = errors.New("a permission or a task is missing")
	errInvisible   = errors.New("the object is missing, or the credential may not see it")
	errAlias       = errors.New("there is no account of this name")
	errNoPerson    = errors.New("there is no professional account of this name")
	errParameter   = errors.New("a parameter or field is refused")
	errProof       = errors.New("the proof of the app's secret is refused")
	errBlocked     = errors.New("the action is blocked for a policy of the platform")
	errQuery       = errors.New("the platform cannot read the request")
	errUnknown     = errors.New("the platform reports an unknown error")
	errNoAnswer    = errors.New("the answer is not one to the request")
	errToken       = errors.New("the token is refused")
	errPassword    = errors.New("the token is refused: the password was changed")
	errExpired     = errors.New("the token is refused: its time ran out")
	errTokenDead   = errors.New("the token is refused: it was revoked")
	errAppRemoved  = errors.New("the token is refused: the user removed the app")
	errCheckpoint  = errors.New("the token is refused: the person must log in and answer a check")
	errUnconfirmed = errors.New("the token is refused: the person's account is not confirmed")
	errNoRole      = errors.New("the token is refused: its user has no role on the Page any more")
)

// retryUnknown is the wait where the platform does not say how long: no header of
// the Graph API but the minutes to regain does.
const retryUnknown = 5 * time.Minute

// fault is the error of an answer.
type fault struct {
	Code      int  `json:"code"`
	Subcode   int  `json:"error_subcode"`
	Transient bool `json:"is_transient"`
}

// faultOf is the error in a body, or nil. Even a 200 can hold one.
func faultOf(body []byte) *fault {
	var wire struct {
		Error json.RawMessage `json:"error"`
	}
	if !mayFail(body) || json.Unmarshal(body, &wire) != nil || len(wire.Error) == 0 || string(wire.Error) == "null" {
		return nil
	}
	f := &fault{}
	_ = json.Unmarshal(wire.Error, f) // what cannot be read has no known code
	return f
}

// mayFail says that a body may have a member "error": nearly none has, and to find out
// by decoding costs as much as to read it. The decoder minds no case and reads escaped
// letters, all of which begin with \u00.
func mayFail(body []byte) bool {
	if bytes.Contains(body, []byte(`\u00`)) {
		return true
	}
	const name = `"error"`
	for {
		i := bytes.IndexByte(body, '"')
		if i < 0 || len(body)-i < len(name) {
			return false
		}
		if body = body[i:]; strings.EqualFold(string(body[:len(name)]), name) {
			return true
		}
		body = body[1:]
	}
}

// meaning is a kind, a text, and whether it is about the app or the token.
type meaning struct {
	kind   platform.Kind
	err    error
	shared bool
}

var subcodes190 = map[int]error{
	458: errAppRemoved, 459: errCheckpoint, 460: errPassword, 463: errExpired, 464: errUnconfirmed,
	467: errTokenDead, 490: errCheckpoint, 492: errNoRole,
}

// meanings are those of the codes that need no subcode.
var meanings = map[int]meaning{
	1: {platform.KindUnavailable, errService, false}, 2: {platform.KindUnavailable, errService, false},
	3: {platform.KindUnauthorized, errPermission, false}, 10: {platform.KindUnauthorized, errPermission, false},
	4: {platform.KindRateLimited, errLimited, true}, 17: {platform.KindRateLimited, errLimited, true},
	32: {platform.KindRateLimited, errLimited, true}, 341: {platform.KindRateLimited, errLimited, true},
	613: {platform.KindRateLimited, errLimited, true}, 80001: {platform.KindRateLimited, errLimited, false},
	80002: {platform.KindRateLimited, errLimited, false},
	104:   {platform.KindInvalid, errProof, true}, 368: {platform.KindUnauthorized, errBlocked, false},
	803: {platform.KindNotFound, errAlias, false}, 2500: {platform.KindInvalid, errQuery, false},
	100:   {platform.KindInvalid, errParameter, false},
	36104: {platform.KindInvalid, errQuery, false},
}

// byBoth are the codes that mean something with one subcode alone.
var byBoth = map[[2]int]meaning{
	{100, 33}:      {platform.KindNotFound, errInvisible, false},
	{24, 2207006}:  {platform.KindNotFound, errInvisible, false},
	{110, 2207013}: {platform.KindNotFound, errNoPerson, false},
}

// mean is what a fault means.
func (f *fault) mean() meaning {
	known, listed := meanings[f.Code]
	both, paired := byBoth[[2]int{f.Code, f.Subcode}]
	switch {
	case listed && known.kind == platform.KindRateLimited:
		return known
	case f.Transient:
		return meaning{platform.KindUnavailable, errService, false}
	case paired:
		return both
	case listed:
		return known
	case f.Code >= 200 && f.Code <= 299:
		return meaning{platform.KindUnauthorized, errPermission, false}
	case f.Code == 190 || f.Code == 102:
		return f.token()
	}
	return meaning{platform.KindUnavailable, errUnknown, false}
}

// token is why a token is refused, as far as the subcode says.
func (f *fault) token() meaning {
	why := subcodes190[f.Subcode]
	if why == nil {
		why = errToken
	}
	return meaning{platform.KindUnauthorized, why, true}
}

// Refusal is the error of an answer, or nil if it is a 200 without one.
func Refusal(op string, answer *platform.Answer, now time.Time) *platform.Error {
	e, _ := refusal(op, answer, now)
	return e
}

// refusal branches on the body's code (a throttled call is a 400 in most reports);
// a status of 500 or more says nothing, whatever the body.
func refusal(op string, answer *platform.Answer, now time.Time) (e *platform.Error, shared bool) {
	e = &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: answer.Status, Err: errNoAnswer}
	f := faultOf(answer.Body)
	switch {
	case answer.Status >= http.StatusInternalServerError:
		return e, false
	case f != nil:
		m := f.mean()
		e.Kind, e.Err, shared = m.kind, m.err, m.shared
	case answer.Status == http.StatusOK:
		return nil, false
	case answer.Status == http.StatusTooManyRequests:
		e.Kind, e.Err, shared = platform.KindRateLimited, errLimited, true
	case answer.Status == http.StatusUnauthorized:
		e.Kind, e.Err, shared = platform.KindUnauthorized, errToken, true
	}
	if e.Kind == platform.KindRateLimited {
		e.RetryAfter = gaugeOf(answer.Header, nil).wait()
	}
	return e, shared
}

// IsInvisible reports whether err says that an object is missing or may not be
// seen, which are one on this platform. IsAbsent: that a name is nobody's.
func IsInvisible(err *platform.Error) bool { return errors.Is(err, errInvisible) }

// IsAbsent reports whether err says that a name is nobody's.
func IsAbsent(err *platform.Error) bool {
	return errors.Is(err, errAlias) || errors.Is(err, errNoPerson)
}

// IsParameter reports whether err says that a parameter or field is refused.
func IsParameter(err *platform.Error) bool { return errors.Is(err, errParameter) }

// Spent is the state of a token that was refused with err: expired says nothing of
// a revocation.
func Spent(err error) platform.Liveness {
	switch {
	case errors.Is(err, errExpired):
		return platform.TokenExpired
	case errors.Is(err, errPassword), errors.Is(err, errTokenDead), errors.Is(err, errAppRemoved), errors.Is(err, errNoRole):
		return platform.TokenDead
	}
	return platform.TokenUnclear
}
