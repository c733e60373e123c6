package x

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// problem is an RFC 7807 object with the members X adds (OpenAPI, Problem,
// ResourceNotFoundProblem, InvalidRequestProblem).
type problem struct {
	ResourceID   string         `json:"resource_id,omitempty"`
	Value        string         `json:"value,omitempty"`
	Parameter    string         `json:"parameter,omitempty"`
	ResourceType string         `json:"resource_type,omitempty"`
	AccountID    int            `json:"account_id,omitempty"`
	Errors       []invalidParam `json:"errors,omitempty"`
	Title        string         `json:"title"`
	Detail       string         `json:"detail,omitempty"`
	Type         string         `json:"type"`
	Status       int            `json:"status,omitempty"`
}

// invalidParam is one complaint of OpenAPI 2.159's InvalidRequestProblem.
type invalidParam struct {
	Parameters map[string][]string `json:"parameters"`
	Message    string              `json:"message"`
}

// legacyErrors is the error list of API v1.1, still used around v2.
type legacyErrors struct {
	Errors []legacyError `json:"errors"`
}

type legacyError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Label   string `json:"label,omitempty"`
}

// problems writes X's error bodies; it is the gate's renderer. base is the
// start of problem types, which differs between the two OpenAPI descriptions.
type problems struct {
	base          string
	plainThrottle bool
}

const (
	typeJSON    = "application/json; charset=utf-8"
	typeProblem = "application/problem+json"
)

// Status implements gate.Renderer.
func (p problems) Status(w http.ResponseWriter, status int) {
	switch status {
	case http.StatusPaymentRequired:
		p.creditsDepleted(w)
	case http.StatusTooManyRequests:
		p.Throttle(w, time.Time{})
	default:
		text := http.StatusText(status)
		p.write(w, status, problem{Title: text, Type: "about:blank", Status: status, Detail: text})
	}
}

// Throttle implements gate.Renderer. The real limiter uses it as well, with its
// headers set before.
func (p problems) Throttle(w http.ResponseWriter, reset time.Time) {
	if !reset.IsZero() {
		w.Header().Set(headerLimit, strconv.Itoa(defaultAnnounced))
		w.Header().Set(headerRemaining, "0")
		w.Header().Set(headerReset, strconv.FormatInt(ceilUnix(reset), 10))
	}
	if p.plainThrottle {
		text := http.StatusText(http.StatusTooManyRequests)
		p.write(w, http.StatusTooManyRequests, problem{Title: text, Detail: text, Type: "about:blank", Status: http.StatusTooManyRequests})
		return
	}
	writeJSON(w, http.StatusTooManyRequests, typeJSON, legacyErrors{[]legacyError{{Code: 88, Message: "Rate limit exceeded"}}})
}

func (p problems) creditsDepleted(w http.ResponseWriter) {
	p.write(w, http.StatusPaymentRequired, problem{
		AccountID: 1, Title: "CreditsDepleted", Type: "https://api.twitter.com/2/problems/credits",
		Detail: "Your enrolled account [1] does not have any credits to fulfill this request.",
	})
}

func (p problems) unauthorized(w http.ResponseWriter) { p.Status(w, http.StatusUnauthorized) }

func (p problems) write(w http.ResponseWriter, status int, body problem) {
	writeJSON(w, status, typeProblem, body)
}

// missing and suspended share one type: only title and detail tell them apart
// (seen in public code quoting live answers).
func (p problems) missing(l *lookup, value string) problem {
	return p.resource(l, value, "Not Found Error", "Could not find user with "+l.param+": ["+value+"].")
}

func (p problems) suspended(l *lookup, value string) problem {
	return p.resource(l, value, "Forbidden", "User has been suspended: ["+value+"].")
}

func (p problems) resource(l *lookup, value, title, detail string) problem {
	return problem{
		ResourceID: value, Value: value, Parameter: l.param, ResourceType: "user",
		Title: title, Detail: detail, Type: p.base + "resource-not-found",
	}
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		http.Error(w, "encoding answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
