package youtube

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"mithaq.dev/mithaq/internal/platform"
)

// heard is the context key of the body that an answer with 200 had.
type heard struct{}

// listen makes strict keep the body: the library's types cannot tell a count that is
// zero from one that was left out, nor one malformed item from a malformed answer.
func listen(ctx context.Context) (context.Context, *[]byte) {
	body := new([]byte)
	return context.WithValue(ctx, heard{}, body), body
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
		case resp.StatusCode == http.StatusOK && !json.Valid(body):
			return nil, &platform.Error{Kind: platform.KindUnavailable, Op: "decode", Status: resp.StatusCode, Err: platform.ErrNotJSON}
		}
		if into, ok := r.Context().Value(heard{}).(*[]byte); ok && resp.StatusCode == http.StatusOK {
			*into = body
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	})
	return &inner
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
