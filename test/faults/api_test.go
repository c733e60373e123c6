package faults

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
)

// quiet answers what never changes in a run, policies, connections and namespaces,
// from what was read first, as the operator's cache does.
type quiet struct {
	next http.RoundTripper

	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	header http.Header
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (q *quiet) RoundTrip(r *http.Request) (*http.Response, error) {
	steady := r.Method == http.MethodGet && !r.URL.Query().Has("watch") && (strings.HasSuffix(r.URL.Path, "/governancepolicies") ||
		strings.HasSuffix(r.URL.Path, "/platformconnections") || r.URL.Path == "/api/v1/namespaces/"+accounts)
	if !steady {
		return q.next.RoundTrip(r)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.kept == nil {
		q.kept = map[string]kept{}
	}
	k, known := q.kept[r.URL.String()]
	if !known {
		answer, err := q.next.RoundTrip(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			return answer, err
		}
		body, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return nil, err
		}
		k = kept{answer.Header, body}
		q.kept[r.URL.String()] = k
	}
	return answerOf(r, http.StatusOK, k.header, k.body), nil
}

func answerOf(r *http.Request, status int, header http.Header, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header.Clone(),
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// Faults of the machine, of the API server and of platforms.
type fault string

const (
	none        fault = ""
	crashBefore fault = "crash before"
	crashAfter  fault = "crash after"
	// lostBefore never arrives; lostAfter takes effect and its answer is lost.
	lostBefore fault = "lost before"
	lostAfter  fault = "lost after"
	conflict   fault = "409"
	throttled  fault = "429"
	broken     fault = "5xx"
	// timeout and brokenAfter take effect; the answer is a deadline, or a 502.
	timeout     fault = "timeout after commit"
	brokenAfter fault = "502 after commit"
	wrongHolder fault = "wrong account"
	fewerScopes fault = "fewer scopes"
)

var (
	errLost = errors.New("the connection was reset")
	errGone = errors.New("connection refused")
)

// crash ends the goroutine of a reconcile as SIGKILL ends a process: what it holds in
// memory is gone, and nothing of it runs on.
func crash() { runtime.Goexit() }

// apiGate lets the requests of one process to the API server through, apart from the
// one that its plan spoils.
type apiGate struct {
	next http.RoundTripper
	p    *play
}

// RoundTrip implements http.RoundTripper.
func (g *apiGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return g.read(r)
	}
	f := g.p.wrote(r)
	switch f {
	case crashBefore:
		crash()
	case lostBefore:
		return nil, errGone
	case conflict:
		return refusal(r, http.StatusConflict, "Conflict"), nil
	case throttled:
		return refusal(r, http.StatusTooManyRequests, "TooManyRequests"), nil
	case broken:
		return refusal(r, http.StatusInternalServerError, "InternalError"), nil
	}
	before := g.p.unstruck()
	answer, err := g.next.RoundTrip(r)
	g.p.nameWrite(before)
	if f != crashAfter && f != lostAfter || err != nil {
		return answer, err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return nil, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	if f == crashAfter {
		crash()
	}
	return nil, errLost
}

// read lets a read through, apart from the one that its plan spoils.
func (g *apiGate) read(r *http.Request) (*http.Response, error) {
	switch g.p.read(r) {
	case lostBefore:
		return nil, errLost
	case timeout:
		return nil, context.DeadlineExceeded
	case throttled:
		return refusal(r, http.StatusTooManyRequests, "TooManyRequests"), nil
	case broken:
		return refusal(r, http.StatusInternalServerError, "InternalError"), nil
	}
	return g.next.RoundTrip(r)
}

// refusal is an answer of the API server that refuses.
func refusal(r *http.Request, code int, reason string) *http.Response {
	body := `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"injected","reason":"` + reason + `","code":` + http.StatusText(code) + `}`
	body = strings.Replace(body, http.StatusText(code), itoa(code), 1)
	return answerOf(r, code, http.Header{"Content-Type": {"application/json"}}, []byte(body))
}
