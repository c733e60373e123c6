package platformtest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// canary is in every token that the suite gives away: no error may hold it.
const canary = "CANARY"

// plain is a server without a fixture's Parse, and the number of its requests.
type plain struct {
	*httptest.Server
	requests atomic.Int32
}

func serving(t *testing.T, h http.HandlerFunc) *plain {
	t.Helper()
	p := &plain{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		h(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// openAll opens every capability of the adapter on an endpoint.
func (st stage) openAll(t *testing.T, endpoint string) *platform.Client {
	t.Helper()
	client := platform.NewHTTPClient(platform.TransportConfig{Endpoint: endpoint, MaxBody: maxBody, Timeout: 2 * prompt})
	t.Cleanup(client.CloseIdleConnections)
	opened, err := st.Adapter.Open(platform.Config{
		Endpoint: endpoint, Hosts: st.Adapter.HostsAt(endpoint), App: st.App, HTTP: client,
		Usage: func(platform.Usage) {}, Now: st.now,
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return opened
}

// spoiled are answers that are none, made of a true one.
func spoiled(truth http.HandlerFunc) map[string]http.HandlerFunc {
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	recorded := func(edit func([]byte) (int, []byte)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			truth(rec, r)
			status, body := edit(rec.Body.Bytes())
			w.WriteHeader(status)
			_, _ = w.Write(body)
		}
	}
	return map[string]http.HandlerFunc{
		"HTML with 200":  text(http.StatusOK, "<html>"+marker+"</html>"),
		"empty answer":   text(http.StatusOK, ""),
		"null":           text(http.StatusOK, "null"),
		"another object": text(http.StatusOK, `{"`+marker+`":[{"id":1}]}`),
		"truncated JSON": recorded(func(b []byte) (int, []byte) { return http.StatusOK, half(b) }),
		"huge body":      recorded(func(b []byte) (int, []byte) { return http.StatusOK, padded(bytes.Clone(b), 2*maxBody) }),
		"unavailable":    recorded(func(b []byte) (int, []byte) { return http.StatusServiceUnavailable, b }),
		"dropped":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
}
