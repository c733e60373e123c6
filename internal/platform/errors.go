package platform

import (
	"errors"
	"fmt"
	"time"
)

// Kind classes the ways in which a call can fail. Callers branch on it, never
// on a text.
type Kind string

// The kinds: a closed list.
const (
	// KindUnavailable: the platform could not be reached, failed, or answered
	// something that is not an answer. It says nothing about any account.
	KindUnavailable Kind = "Unavailable"
	// KindRateLimited: a request budget is used up until RetryAfter.
	KindRateLimited Kind = "RateLimited"
	// KindBudgetExhausted: the app's money or monthly volume is used up.
	KindBudgetExhausted Kind = "BudgetExhausted"
	// KindUnauthorized: the credential is refused.
	KindUnauthorized Kind = "Unauthorized"
	// KindNotFound: what was asked for does not exist.
	KindNotFound Kind = "NotFound"
	// KindInvalid: the request is wrong; sending it again is useless.
	KindInvalid Kind = "Invalid"
	// KindAmbiguous: a call that changes something may or may not have taken effect.
	KindAmbiguous Kind = "Ambiguous"
)

// Error is the error of every call to a platform. It holds no response body, no
// token and no URL query.
type Error struct {
	Kind Kind
	// Op is the call that failed, for example "users.lookup".
	Op string
	// RetryAfter is how long to wait where the platform said so, else 0.
	RetryAfter time.Duration
	// Status is the HTTP status, or 0 where there was no answer.
	Status int
	Err    error
}

// Error says what failed and why.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first *Error in err's chain, or KindUnavailable: what
// cannot be classed says nothing about an account.
func KindOf(err error) Kind {
	if pe, ok := errors.AsType[*Error](err); ok {
		return pe.Kind
	}
	return KindUnavailable
}
