package meta

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// problem is Graph's error object.
type problem struct {
	status         int
	message, typ   string
	code, subcode  int
	transient      bool
	title, userMsg string
	usage          []usage
}

const typeOAuth = "OAuthException"

func refuse(code int, format string, args ...any) *problem {
	return &problem{code: code, typ: typeOAuth, message: fmt.Sprintf(format, args...)}
}

func badParameter(format string, args ...any) *problem {
	return refuse(100, "(#100) "+format, args...)
}

// missing is the one answer for what does not exist, is suspended or is not for
// this token.
func missing(id string) *problem {
	return &problem{
		code: 100, subcode: 33, typ: "GraphMethodException",
		message: "Unsupported get request. Object with ID '" + id + "' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
	}
}

func unknownAlias(alias string) *problem {
	return refuse(803, "(#803) Some of the aliases you requested do not exist: %s", alias)
}

func noSuchHandle(handle string) *problem {
	return &problem{
		code: 110, subcode: 2207013, typ: typeOAuth, message: "Invalid user id", title: "Cannot find User",
		userMsg: "The user with username " + handle + " cannot be found.",
	}
}

func lacking(permission string) *problem {
	return refuse(10, "(#10) This endpoint requires the '%s' permission to be granted", permission)
}

func notAllowed(format string, args ...any) *problem {
	return refuse(200, "(#200) "+format, args...)
}

func noCapability() *problem {
	return refuse(3, "(#3) Application does not have the capability to make this API call.")
}

func syntax(err error) *problem { return refuse(2500, "%v", err) }

func badToken(subcode int, message string) *problem {
	return &problem{code: 190, subcode: subcode, typ: typeOAuth, message: message}
}

// problems writes error bodies. It numbers the traces.
type problems struct {
	opts  Options
	trace *atomic.Uint64
}

func (e problems) statusOf(p *problem) int {
	if e.opts.ErrorsWith200 {
		return http.StatusOK
	}
	return cmp.Or(p.status, http.StatusBadRequest)
}

func (e problems) append(buf []byte, p *problem) []byte {
	o := field.Begin(buf)
	o.Object("error", func(o *field.Object) {
		o.Text("message", p.message)
		o.Text("type", p.typ)
		o.Int("code", int64(p.code))
		if p.subcode != 0 {
			o.Int("error_subcode", int64(p.subcode))
		}
		if p.transient || p.title != "" {
			o.Bool("is_transient", p.transient)
		}
		o.Text("error_user_title", p.title)
		o.Text("error_user_msg", p.userMsg)
		o.Text("fbtrace_id", "A"+strconv.FormatUint(e.trace.Add(1)*0x9e3779b97f4a7c15, 36))
	})
	return o.End()
}

func (e problems) write(w http.ResponseWriter, p *problem) {
	for _, u := range p.usage {
		u.announce(w.Header())
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(e.statusOf(p))
	_, _ = w.Write(e.append(nil, p))
}

const typeJSON = "application/json; charset=UTF-8"

// renderer writes the errors of faults; it is the gate's.
type renderer struct {
	problems

	platform world.Platform
	now      func() time.Time
}

// Status implements gate.Renderer.
func (e renderer) Status(w http.ResponseWriter, status int) {
	switch status {
	case http.StatusTooManyRequests:
		e.Throttle(w, time.Time{})
		return
	case http.StatusUnauthorized:
		p := badToken(0, "Invalid OAuth access token - Cannot parse access token")
		p.status = status
		e.write(w, p)
		return
	case http.StatusForbidden:
		p := notAllowed("Permissions error")
		p.status = status
		e.write(w, p)
		return
	}
	p := transient()
	p.status, p.transient = status, status >= http.StatusInternalServerError
	e.write(w, p)
}

func transient() *problem {
	return &problem{
		status: http.StatusInternalServerError, code: 2, typ: typeOAuth, transient: true,
		message: "An unexpected error has occurred. Please retry your request later.",
	}
}

// Throttle implements gate.Renderer: Meta announces minutes, not a time.
func (e renderer) Throttle(w http.ResponseWriter, reset time.Time) {
	p := e.throttled(BucketPages)
	if e.platform == world.Instagram {
		p = e.throttled(BucketInstagram)
	}
	if !reset.IsZero() {
		minutes := int64(math.Ceil(reset.Sub(e.now()).Minutes()))
		p.usage = []usage{{bucket: BucketPages, id: "0", percent: 100, minutes: max(minutes, 1)}}
		if e.platform == world.Instagram {
			p.usage[0].bucket = BucketInstagram
		}
	}
	e.write(w, p)
}

// throttled is the refusal of a bucket that is used up.
func (e problems) throttled(bucket string) *problem {
	p := &problem{status: e.opts.ThrottleStatus, typ: typeOAuth, transient: true}
	switch bucket {
	case BucketPages:
		p.code, p.message = 80001, "(#80001) There have been too many calls to this Page account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting."
	case BucketInstagram:
		p.code, p.message = 80002, "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again. For more info, please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting."
	case BucketUser:
		p.code, p.message = 17, "(#17) User request limit reached"
	default:
		p.code, p.message = 4, "(#4) Application request limit reached"
	}
	return p
}
