package youtube

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"mithaq.dev/mithaq/internal/platform"
)

// heard is what an answer was before the library read it.
type heard struct {
	// status is that of HTTP: the library believes the one in the body instead.
	status int
	// body is that of an answer with 200.
	body []byte
	// alone: what the library makes of such an answer is not used, so it is not given
	// the answer to read.
	alone bool
}

type heardKey struct{}

// listen makes strict keep the answer: the library's types cannot tell a count that
// is zero from one that was left out, nor one malformed item from a malformed answer.
func listen(ctx context.Context) (context.Context, *heard) {
	h := &heard{}
	return context.WithValue(ctx, heardKey{}, h), h
}

// strict is a client whose answers are read to their end before the library decodes
// them: with 200 one JSON value and nothing else, or an error that says so.
func strict(client *http.Client) *http.Client {
	inner := *client
	base := inner.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	inner.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		switch {
		case err != nil && resp.StatusCode/100 == 2:
			return nil, err
		case err != nil:
			body = nil // the status says enough
		}
		h, _ := r.Context().Value(heardKey{}).(*heard)
		if body, err = h.hear(resp.StatusCode, body); err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	})
	return &inner
}

// hear keeps an answer, if anybody listens, and returns what the library is given.
func (h *heard) hear(status int, body []byte) ([]byte, error) {
	if h != nil {
		h.status = status
	}
	if status != http.StatusOK {
		return body, nil
	}
	if h != nil {
		h.body = body
		if h.alone {
			return []byte("{}"), nil
		}
	}
	if !json.Valid(body) {
		return nil, &platform.Error{Kind: platform.KindUnavailable, Op: "decode", Status: status, Err: platform.ErrNotJSON}
	}
	return body, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
