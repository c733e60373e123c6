package snapchat

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// envelope is the first level of every answer, below the HTTP status.
type envelope struct {
	Status string `json:"request_status"`
	Code   string `json:"error_code"`
	Paging struct {
		NextPage string `json:"next_page_id"`
		NextLink string `json:"next_link"`
	} `json:"paging"`
}

// item is the level below: the status of one thing that the answer holds.
type item struct {
	Status string `json:"sub_request_status"`
	Reason string `json:"sub_request_error_reason"`
}

// The statuses; their case varies.
const (
	statusSuccess = "SUCCESS"
	statusPartial = "PARTIAL"
	statusError   = "ERROR"
	statusFailure = "FAILURE"
)

func is(status string, words ...string) bool {
	for _, s := range words {
		if strings.EqualFold(status, s) {
			return true
		}
	}
	return false
}

// next is the token of the next page, or "".
func (e *envelope) next() string {
	if e.Paging.NextPage != "" || e.Paging.NextLink == "" {
		return e.Paging.NextPage
	}
	link, err := url.Parse(e.Paging.NextLink)
	if err != nil {
		return ""
	}
	return link.Query().Get("cursor")
}

var (
	errUnauthorized = errors.New("the credential is refused")
	errForbidden    = errors.New("the client is not admitted, or not let in to this profile")
	errRateLimited  = errors.New("the rate limit is used up")
	errBadRequest   = errors.New("the request is refused, or what was asked for does not exist")
	errNoAnswer     = errors.New("the answer is not one to the question")
	errFailed       = errors.New("the answer says that the request failed")
)

// retryUnknown is the first wait after a 429: the answer tells none, and what is
// published is an average per second.
const retryUnknown = time.Second

// refusal classes an answer that answers nothing (snapchat.md, section 7). A 400 or
// 404 that is not Snapchat's JSON is somebody else's on the way; a 403 may be empty.
func refusal(op string, answer *platform.Answer) *platform.Error {
	e := &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: answer.Status, Err: errNoAnswer}
	var body envelope
	theirs := answer.DecodeJSON(op, &body) == nil && is(body.Status, statusError)
	switch answer.Status {
	case http.StatusUnauthorized:
		e.Kind, e.Err = platform.KindUnauthorized, errUnauthorized
	case http.StatusTooManyRequests:
		e.Kind, e.Err, e.RetryAfter = platform.KindRateLimited, errRateLimited, retryUnknown
	case http.StatusForbidden:
		if theirs || len(strings.TrimSpace(string(answer.Body))) == 0 {
			e.Kind, e.Err = platform.KindUnauthorized, errForbidden
		}
	default:
		if kind, ok := theirsMeans[answer.Status]; ok && theirs {
			e.Kind, e.Err = kind, errBadRequest
		}
	}
	return e
}

// theirsMeans are the statuses that mean something in Snapchat's own answers alone.
var theirsMeans = map[int]platform.Kind{
	http.StatusNotFound:         platform.KindNotFound,
	http.StatusBadRequest:       platform.KindInvalid,
	http.StatusMethodNotAllowed: platform.KindInvalid,
	http.StatusNotAcceptable:    platform.KindInvalid,
	http.StatusGone:             platform.KindInvalid,
	http.StatusTeapot:           platform.KindInvalid,
}

// decode reads the first two levels: the HTTP status and request_status.
func decode(op string, answer *platform.Answer, into any, status *string) error {
	if answer.Status != http.StatusOK {
		return refusal(op, answer)
	}
	if err := answer.DecodeJSON(op, into); err != nil {
		return err
	}
	return believe(op, *status)
}

// believe says whether request_status lets an answer count.
func believe(op, status string) error {
	switch {
	case is(status, statusSuccess, statusPartial):
		return nil
	case is(status, statusError):
		return unbelievable(op, errFailed)
	}
	return unbelievable(op, platform.ErrNotJSON)
}

// unbelievable is the error for an answer that came whole and is no answer.
func unbelievable(op string, why error) *platform.Error {
	return &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: http.StatusOK, Err: why}
}
