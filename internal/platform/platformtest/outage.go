package platformtest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// patience is the deadline that the suite sets where it has to pass.
const patience = 150 * time.Millisecond

// outage is one way for a platform to fail. Either play answers lookups, or at
// gives the endpoint.
type outage struct {
	name string
	play func(st stage, said []Said) respond
	at   func(t *testing.T) string
	edit func(*platform.TransportConfig)
	kind platform.Kind // KindUnavailable if empty
}

// checkOutages lets the platform fail while its answer, where there is one, says
// that every account is gone.
func checkOutages(t *testing.T, st stage) {
	gone := st.accounts(platform.NotFound, platform.Suspended, platform.Found)
	for _, o := range append(networkOutages(), answerOutages()...) {
		t.Run(o.name, func(t *testing.T) {
			st := st
			if o.play != nil {
				st.endpoint = st.serve(t, o.play(st, gone)).URL
			} else {
				st.endpoint = o.at(t)
			}
			if o.kind == "" {
				o.kind = platform.KindUnavailable
			}
			c := st.open(t, o.edit)
			got, err := c.Observe(t.Context(), st.by, st.refs(gone))
			reasons := st.expectNothing(t, got, err, o.kind)
			for _, e := range reasons {
				if o.kind == platform.KindRateLimited && (e.RetryAfter <= 0 || e.RetryAfter > st.period()) {
					t.Errorf("RetryAfter is %s, want within the window of %s", e.RetryAfter, st.period())
				}
			}
		})
	}
}

// period is the time after which a budget begins anew: a day where it has no window.
func (st stage) period() time.Duration { return cmp.Or(st.budget().Window, 24*time.Hour) }

func impatient(cfg *platform.TransportConfig) { cfg.Timeout = patience }

// networkOutages end before an answer.
func networkOutages() []outage {
	noName := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "platform.invalid", IsNotFound: true}
	}
	return []outage{
		{name: "refused", at: func(t *testing.T) string {
			l := listen(t)
			_ = l.Close()
			return "http://" + l.Addr().String()
		}},
		{
			name: "DNS failure", at: func(*testing.T) string { return "http://platform.invalid" },
			edit: func(cfg *platform.TransportConfig) { cfg.Dial = noName },
		},
		{name: "TLS failure", at: func(t *testing.T) string {
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.Config.ErrorLog = nolog
			s.StartTLS()
			t.Cleanup(s.Close)
			return s.URL
		}},
		{name: "half-open", edit: impatient, at: func(t *testing.T) string {
			return "http://" + listen(t).Addr().String() // nobody accepts
		}},
		{name: "slow body", edit: impatient, play: func(st stage, said []Said) respond {
			return func(w http.ResponseWriter, r *http.Request, _ []string) {
				_, _ = w.Write(half(st.Fixture.Answer(st.by, said)))
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		}},
		{name: "dropped", play: func(st stage, said []Said) respond {
			return func(w http.ResponseWriter, _ *http.Request, _ []string) {
				_, _ = w.Write(half(st.Fixture.Answer(st.by, said)))
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
		}},
		{name: "not HTTP", play: func(stage, []Said) respond {
			return func(w http.ResponseWriter, _ *http.Request, _ []string) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_, _ = conn.Write([]byte(marker + "\r\n\r\n"))
					_ = conn.Close()
				}
			}
		}},
	}
}

// answerOutages are answers that are none.
func answerOutages() []outage {
	limited := func(headers bool) func(stage, []Said) respond {
		return func(st stage, said []Said) respond {
			return func(w http.ResponseWriter, _ *http.Request, _ []string) {
				if headers {
					u := st.usage()
					u.Remaining = 0
					st.Fixture.Limits(w.Header(), u)
				}
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = w.Write(st.Fixture.Answer(st.by, said))
			}
		}
	}
	outages := []outage{
		{name: "429 with reset", play: limited(true), kind: platform.KindRateLimited},
		{name: "429 without reset", play: limited(false), kind: platform.KindRateLimited},
		{name: "HTML with 200", play: body("text/html", "<html><title>"+marker+"</title>Not Found</html>")},
		{name: "HTML called JSON", play: body("application/json", "<html>"+marker+"</html>")},
		{name: "empty answer", play: body("application/json", "")},
		{name: "empty object", play: body("application/json", "{}")},
		{name: "null", play: body("application/json", "null")},
		{name: "another object", play: body("application/json", `{"`+marker+`":[{"id":1}]}`)},
		{name: "truncated JSON", play: func(st stage, said []Said) respond {
			return bytesOf(http.StatusOK, half(st.Fixture.Answer(st.by, said)))
		}},
		{name: "two answers", play: func(st stage, said []Said) respond {
			one := st.Fixture.Answer(st.by, said)
			return bytesOf(http.StatusOK, append(one, one...))
		}},
		{name: "huge body", play: func(st stage, said []Said) respond {
			return bytesOf(http.StatusOK, padded(st.Fixture.Answer(st.by, said), 2*maxBody))
		}},
		{name: "gzip bomb", play: bomb},
	}
	for _, status := range []int{
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		http.StatusNoContent, http.StatusPartialContent, http.StatusRequestTimeout,
	} {
		outages = append(outages, outage{name: http.StatusText(status), play: func(st stage, said []Said) respond {
			return bytesOf(status, st.Fixture.Answer(st.by, said))
		}})
	}
	return outages
}

func body(contentType, text string) func(stage, []Said) respond {
	return func(stage, []Said) respond {
		return func(w http.ResponseWriter, _ *http.Request, _ []string) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write([]byte(text))
		}
	}
}

func bytesOf(status int, b []byte) respond {
	return func(w http.ResponseWriter, _ *http.Request, _ []string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(b)
	}
}

// bomb is an answer that is small as sent, and true, but for its size.
func bomb(st stage, said []Said) respond {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(padded(st.Fixture.Answer(st.by, said), 4*maxBody))
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request, _ []string) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}
}

func padded(b []byte, size int) []byte { return append(b, strings.Repeat(" ", size)...) }

func half(b []byte) []byte { return b[:len(b)/2] }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
