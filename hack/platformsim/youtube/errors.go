package youtube

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// fault is a refusal (docs/errors). It is not an error of the simulator, so it
// carries what Google's envelope needs.
type fault struct {
	code              int
	reason, message   string
	domain, parameter string
	details           []any
}

type envelope struct {
	Error envelopeError `json:"error"`
}

type envelopeError struct {
	Code    int         `json:"code"`
	Message string      `json:"message"`
	Errors  []complaint `json:"errors"`
	Status  string      `json:"status,omitempty"`
	Details []any       `json:"details,omitempty"`
}

type complaint struct {
	Message      string `json:"message"`
	Domain       string `json:"domain"`
	Reason       string `json:"reason"`
	Location     string `json:"location,omitempty"`
	LocationType string `json:"locationType,omitempty"`
}

// statuses are google.rpc.Code names.
var statuses = map[int]string{
	http.StatusBadRequest:          "INVALID_ARGUMENT",
	http.StatusUnauthorized:        "UNAUTHENTICATED",
	http.StatusForbidden:           "PERMISSION_DENIED",
	http.StatusNotFound:            "NOT_FOUND",
	http.StatusConflict:            "ABORTED",
	http.StatusPreconditionFailed:  "FAILED_PRECONDITION",
	http.StatusTooManyRequests:     "RESOURCE_EXHAUSTED",
	http.StatusInternalServerError: "INTERNAL",
	http.StatusServiceUnavailable:  "UNAVAILABLE",
}

// reasons are what a bare status says.
var reasons = map[int]string{
	http.StatusBadRequest:          "badRequest",
	http.StatusUnauthorized:        "authError",
	http.StatusForbidden:           "forbidden",
	http.StatusNotFound:            "notFound",
	http.StatusConflict:            "conflict",
	http.StatusPreconditionFailed:  "conditionNotMet",
	http.StatusTooManyRequests:     "rateLimitExceeded",
	http.StatusInternalServerError: "internalError",
}

func badRequest(reason, parameter, message string) *fault {
	return &fault{code: http.StatusBadRequest, reason: reason, parameter: parameter, message: message, domain: "youtube.parameter"}
}

func forbidden(reason, message string) *fault {
	return &fault{code: http.StatusForbidden, reason: reason, message: message}
}

func notFound(reason, parameter, message string) *fault {
	return &fault{code: http.StatusNotFound, reason: reason, parameter: parameter, message: message}
}

func (f *fault) write(w http.ResponseWriter) {
	c := complaint{Message: f.message, Domain: f.domain, Reason: f.reason}
	if c.Domain == "" {
		c.Domain = "youtube.common"
	}
	switch {
	case f.code == http.StatusUnauthorized:
		c.Location, c.LocationType = "Authorization", "header"
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	case f.parameter != "":
		c.Location, c.LocationType = f.parameter, "parameter"
	}
	writeJSON(w, f.code, envelope{envelopeError{
		Code: f.code, Message: f.message, Errors: []complaint{c}, Status: statuses[f.code], Details: f.details,
	}}, true)
}

// renderer is the gate's.
type renderer struct{}

// Status implements gate.Renderer.
func (renderer) Status(w http.ResponseWriter, status int) {
	reason, ok := reasons[status]
	if !ok {
		reason = "backendError"
	}
	(&fault{code: status, reason: reason, message: http.StatusText(status), domain: "global"}).write(w)
}

// Throttle implements gate.Renderer. No header says when to come back.
func (r renderer) Throttle(w http.ResponseWriter, _ time.Time) {
	r.Status(w, http.StatusTooManyRequests)
}

func writeJSON(w http.ResponseWriter, status int, body any, pretty bool) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if pretty {
		e.SetIndent("", "  ")
	}
	if err := e.Encode(body); err != nil {
		http.Error(w, "encoding answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
