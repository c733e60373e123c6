package x

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

var (
	errLeftOut        = errors.New("the answer does not mention the account")
	errMalformed      = errors.New("what the answer says about the account is malformed")
	errContradiction  = errors.New("the answer contradicts itself about the account")
	errUnknownProblem = errors.New("the answer holds an unknown problem about the account")

	errRateLimited  = errors.New("the rate limit is used up")
	errUsageCapped  = errors.New("the usage cap is reached")
	errNoCredits    = errors.New("the account has no credits left")
	errUnauthorized = errors.New("the credential is refused")
	errForbidden    = errors.New("the request is forbidden")
	errBadRequest   = errors.New("the request is refused as invalid")
	errNoAnswer     = errors.New("the answer is not one to the question")
)

// The last path segments of problem types; their host differs.
const (
	typeNotFound        = "resource-not-found"
	typeUsageCapped     = "usage-capped"
	typeClientForbidden = "client-forbidden"
	typeUnsupportedAuth = "unsupported-authentication"
)

// credentialCodes are the v1.1 codes that speak of the credential or the app's
// own account: token dead, bad app credentials, wrong kind of authentication,
// account suspended, account locked.
var credentialCodes = map[int]bool{89: true, 99: true, 220: true, 64: true, 326: true}

// problem is the body of an answer that refuses the whole request.
type problem struct {
	Type   string         `json:"type"`
	Errors []requestError `json:"errors"`
}

// requestError is an entry of errors[] about the request.
type requestError struct {
	Code       int                 `json:"code"`
	Type       string              `json:"type"`
	Message    string              `json:"message"`
	Parameters map[string][]string `json:"parameters"`
}

// UnmarshalJSON keeps what can be read of an entry.
func (e *requestError) UnmarshalJSON(b []byte) error {
	type plain requestError
	_ = json.Unmarshal(b, (*plain)(e))
	return nil
}

// is reports whether the problem, or one of its errors, is of one of the types.
func (p *problem) is(types ...string) bool {
	for _, t := range types {
		if segment(p.Type) == t {
			return true
		}
		for _, e := range p.Errors {
			if segment(e.Type) == t {
				return true
			}
		}
	}
	return false
}

func (p *problem) credential() bool {
	for _, e := range p.Errors {
		if credentialCodes[e.Code] {
			return true
		}
	}
	return p.is(typeClientForbidden, typeUnsupportedAuth)
}

// refusal is the error for an answer that answers nothing (x.md, section 8). The
// statuses with one meaning count whatever the body; a 400 or 403 that is not
// X's JSON is somebody else's on the way.
func refusal(op string, answer *platform.Answer, now time.Time) *platform.Error {
	var p problem
	garbage := answer.DecodeJSON(op, &p) != nil
	e := &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: answer.Status, Err: errNoAnswer}
	switch answer.Status {
	case http.StatusUnauthorized:
		e.Kind, e.Err = platform.KindUnauthorized, errUnauthorized
	case http.StatusPaymentRequired:
		e.Kind, e.Err = platform.KindBudgetExhausted, errNoCredits
	case http.StatusTooManyRequests:
		e.Kind, e.Err, e.RetryAfter = platform.KindRateLimited, errRateLimited, retryAfter(answer.Header, now)
		if p.is(typeUsageCapped) {
			e.Kind, e.Err, e.RetryAfter = platform.KindBudgetExhausted, errUsageCapped, 0
		}
	case http.StatusBadRequest, http.StatusForbidden:
		if !garbage {
			e.Kind, e.Err = p.forbids(answer.Status)
		}
	}
	return e
}

func (p *problem) forbids(status int) (platform.Kind, error) {
	switch {
	case status == http.StatusBadRequest:
		return platform.KindInvalid, errBadRequest
	case p.credential():
		return platform.KindUnauthorized, errUnauthorized
	}
	return platform.KindInvalid, errForbidden
}

// accountProblem is an entry of errors[] about one account.
type accountProblem struct {
	ResourceID   string `json:"resource_id"`
	ResourceType string `json:"resource_type"`
	Value        string `json:"value"`
	Parameter    string `json:"parameter"`
	Title        string `json:"title"`
	Detail       string `json:"detail"`
	Type         string `json:"type"`
}

// UnmarshalJSON keeps what can be read of an entry: what cannot matches no
// account, or has no known outcome.
func (p *accountProblem) UnmarshalJSON(b []byte) error {
	type plain accountProblem
	_ = json.Unmarshal(b, (*plain)(p))
	return nil
}

// key is the key that the problem is about, or "" if it is not about an account
// that l asked for: a tweet's id may equal a user's.
func (p *accountProblem) key(l lookup) string {
	if p.ResourceType != "" && p.ResourceType != "user" || p.Parameter != "" && p.Parameter != l.parameter {
		return ""
	}
	name := p.Value
	if name == "" {
		name = p.ResourceID
	}
	return l.keyOf(platform.AccountRef{ID: name, Handle: name})
}

// outcome tells a suspended from a missing account, which share one type, by the
// title and the start of the detail (x.md, section 3). Both must agree.
func (p *accountProblem) outcome() platform.Outcome {
	if segment(p.Type) != typeNotFound {
		return platform.Unanswered
	}
	switch {
	case p.Title == "Not Found Error" && strings.HasPrefix(p.Detail, "Could not find user"):
		return platform.NotFound
	case p.Title == "Forbidden" && strings.HasPrefix(p.Detail, "User has been suspended"):
		return platform.Suspended
	}
	return platform.Unanswered
}

// segment is the last path segment of a problem's type.
func segment(uri string) string { return uri[strings.LastIndexByte(uri, '/')+1:] }
