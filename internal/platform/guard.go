package platform

import (
	"errors"
	"io"
	"net/http"
	"slices"
)

// What the client of NewHTTPClient refuses.
var (
	// ErrForeignHost: the request was for another host than the endpoint's.
	ErrForeignHost = errors.New("request for a host that is not the connection's endpoint")
	// ErrRedirect: the platform answered with a redirect.
	ErrRedirect = errors.New("the endpoint redirects elsewhere")
	// ErrBodyTooLarge: the answer is longer than the bound.
	ErrBodyTooLarge = errors.New("the answer is too large")
)

// guard is the transport of NewHTTPClient.
type guard struct {
	cfg     TransportConfig
	origins []string
	base    *http.Transport
}

// RoundTrip performs one request.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	start := g.cfg.Now()
	done := func(code string) {
		g.cfg.Observe(endpointOf(req.Context()), code, g.cfg.Now().Sub(start))
	}
	if !g.allows(req) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		done(codeError)
		return nil, ErrForeignHost
	}
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		done(codeError)
		return nil, err
	}
	code := codeOf(resp.StatusCode)
	if resp.StatusCode/100 == 3 {
		_ = resp.Body.Close()
		done(code)
		return nil, ErrRedirect
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: g.cfg.MaxBody, code: code, done: done}
	return resp, nil
}

// CloseIdleConnections makes http.Client.CloseIdleConnections work.
func (g *guard) CloseIdleConnections() { g.base.CloseIdleConnections() }

// allows also looks at the Host header: a name-based server may route by it.
func (g *guard) allows(req *http.Request) bool {
	if !slices.Contains(g.origins, origin(req.URL)) {
		return false
	}
	return req.Host == "" || req.Host == req.URL.Host
}

// boundedBody ends in ErrBodyTooLarge once more than left bytes were read, and
// reports the request when it is closed.
type boundedBody struct {
	io.ReadCloser
	left int64
	code string
	done func(code string)
}

// Read asks for one byte more than is left, to tell a full answer from a longer one.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrBodyTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		n, err = n-1, ErrBodyTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.code = codeError
	}
	return n, err
}

// Close closes the answer; only the first call reports.
func (b *boundedBody) Close() error {
	if b.done != nil {
		b.done(b.code)
		b.done = nil
	}
	return b.ReadCloser.Close()
}
