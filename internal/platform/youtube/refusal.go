package youtube

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/api/googleapi"

	"mithaq.dev/mithaq/internal/platform"
)

var (
	errUnauthorized = errors.New("the credential is refused")
	errForbidden    = errors.New("the request is forbidden")
	errSuspended    = errors.New("the account of the credential is suspended or closed")
	errRateLimited  = errors.New("the rate limit is used up")
	errQuota        = errors.New("the day's quota is used up")
	errBadRequest   = errors.New("the request is refused as invalid")
	errPageRefused  = errors.New("the page token is refused")
	errMissing      = errors.New("what was asked for does not exist")
	errNoAnswer     = errors.New("the answer is not one to the question")
	errAPIOff       = errors.New("the API is switched off in the project")
)

// class is what a reason means.
type class struct {
	kind platform.Kind
	err  error
}

// retryUnknown is the wait after a refusal that is not about the day: the answers
// tell none (youtube.md, section 6).
const retryUnknown = 60 * time.Second

// reasons are those of the envelope's errors[0].reason (youtube.md, section 7).
var reasons = map[string]class{
	"quotaExceeded":                     {platform.KindBudgetExhausted, errQuota},
	"dailyLimitExceeded":                {platform.KindBudgetExhausted, errQuota},
	"rateLimitExceeded":                 {platform.KindRateLimited, errRateLimited},
	"userRateLimitExceeded":             {platform.KindRateLimited, errRateLimited},
	"authError":                         {platform.KindUnauthorized, errUnauthorized},
	"expired":                           {platform.KindUnauthorized, errUnauthorized},
	"authorizationRequired":             {platform.KindUnauthorized, errUnauthorized},
	"youtubeSignupRequired":             {platform.KindUnauthorized, errUnauthorized},
	"keyInvalid":                        {platform.KindUnauthorized, errUnauthorized},
	"API_KEY_INVALID":                   {platform.KindUnauthorized, errUnauthorized},
	"insufficientPermissions":           {platform.KindUnauthorized, errForbidden},
	"forbidden":                         {platform.KindUnauthorized, errForbidden},
	"channelForbidden":                  {platform.KindUnauthorized, errForbidden},
	"accountDelegationForbidden":        {platform.KindUnauthorized, errForbidden},
	"authenticatedUserNotChannel":       {platform.KindUnauthorized, errForbidden},
	"subscriptionForbidden":             {platform.KindUnauthorized, errForbidden},
	"playlistItemsNotAccessible":        {platform.KindUnauthorized, errForbidden},
	"accessNotConfigured":               {platform.KindUnauthorized, errAPIOff},
	"authenticatedUserAccountSuspended": {platform.KindUnauthorized, errSuspended},
	"authenticatedUserAccountClosed":    {platform.KindUnauthorized, errSuspended},
	"accountTerminated":                 {platform.KindNotFound, errMissing},
	"accountSuspended":                  {platform.KindNotFound, errMissing},
	"accountClosed":                     {platform.KindNotFound, errMissing},
	"channelSuspended":                  {platform.KindNotFound, errMissing},
	"channelClosed":                     {platform.KindNotFound, errMissing},
	"channelNotFound":                   {platform.KindNotFound, errMissing},
	"playlistNotFound":                  {platform.KindNotFound, errMissing},
	"videoNotFound":                     {platform.KindNotFound, errMissing},
	"subscriberNotFound":                {platform.KindNotFound, errMissing},
	"missingRequiredParameter":          {platform.KindInvalid, errBadRequest},
	"invalidFilters":                    {platform.KindInvalid, errBadRequest},
	"incompatibleParameters":            {platform.KindInvalid, errBadRequest},
	reasonPage:                          {platform.KindInvalid, errPageRefused},
	"unexpectedParameter":               {platform.KindInvalid, errBadRequest},
	"invalidCriteria":                   {platform.KindInvalid, errBadRequest},
	"badRequest":                        {platform.KindInvalid, errBadRequest},
	"invalidChannelId":                  {platform.KindInvalid, errBadRequest},
}

const reasonPage = "invalidPageToken"

// failed classes the error of a call by its reason. Where there is none that is
// known, the statuses with one meaning count; a 400, 403 or 404 without a reason is
// somebody else's on the way.
func (r *reader) failed(ctx context.Context, op string, err error) *platform.Error {
	refusal, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		e := platform.CallError(ctx, op, err)
		return &platform.Error{Kind: e.Kind, Op: op, Status: e.Status, Err: e.Err}
	}
	status := refusal.Code
	if h, ok := ctx.Value(heardKey{}).(*heard); ok {
		status = h.status
	}
	e := &platform.Error{Kind: platform.KindUnavailable, Op: op, Status: status, Err: errNoAnswer}
	known, ok := reasons[reasonOf(refusal)]
	switch {
	case status >= http.StatusInternalServerError || status < http.StatusBadRequest:
	case ok:
		e.Kind, e.Err = known.kind, known.err
	case status == http.StatusUnauthorized:
		e.Kind, e.Err = platform.KindUnauthorized, errUnauthorized
	case status == http.StatusTooManyRequests:
		e.Kind, e.Err = platform.KindRateLimited, errRateLimited
	}
	if e.Kind == platform.KindRateLimited {
		e.RetryAfter = retryUnknown
	}
	if e.Kind == platform.KindBudgetExhausted {
		e.RetryAfter = r.untilMidnight()
	}
	return e
}

// reasonOf is the first reason of the envelope that is known: errors[], and where
// that is generic, the details.
func reasonOf(e *googleapi.Error) string {
	for _, detail := range e.Details {
		if d, ok := detail.(map[string]any); ok {
			if reason, ok := d["reason"].(string); ok && reason == "API_KEY_INVALID" {
				return reason
			}
		}
	}
	if len(e.Errors) > 0 {
		return e.Errors[0].Reason
	}
	return ""
}

// untilMidnight is how long the quota's day lasts.
func (r *reader) untilMidnight() time.Duration {
	zone, err := time.LoadLocation(pacific)
	if err != nil {
		return 24 * time.Hour // no data base of time zones: a day is enough everywhere
	}
	now := r.cfg.Now()
	local := now.In(zone)
	next := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
	return max(next.Sub(now), time.Second)
}
