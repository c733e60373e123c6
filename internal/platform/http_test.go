package platform_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func newClient(t *testing.T, cfg platform.TransportConfig) *http.Client {
	t.Helper()
	c := platform.NewHTTPClient(cfg)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func get(t *testing.T, c *http.Client, url string) (*platform.Answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return platform.Do(c, "test", "/things", req)
}

func TestOnlyTheEndpointIsAsked(t *testing.T) {
	tests := map[string]struct {
		endpoint, url, host string
		allowed             bool
	}{
		"the endpoint":       {"https://api.x.com", "https://api.x.com/2/users?ids=1", "", true},
		"with its port":      {"https://api.x.com", "https://api.x.com:443/", "", true},
		"in capitals":        {"https://api.x.com", "https://API.X.com/", "", true},
		"its Host header":    {"https://api.x.com", "https://api.x.com/", "api.x.com", true},
		"IPv6":               {"http://[::1]:80", "http://[::1]/", "", true},
		"another host":       {"https://api.x.com", "https://evil.example/", "", false},
		"a host below it":    {"https://x.com", "https://api.x.com/", "", false},
		"a host that starts": {"https://api.x.com", "https://api.x.com.evil.example/", "", false},
		"in the user part":   {"https://api.x.com", "https://api.x.com@evil.example/", "", false},
		"another port":       {"https://api.x.com", "https://api.x.com:8443/", "", false},
		"in the clear":       {"https://api.x.com", "http://api.x.com/", "", false},
		"another Host":       {"https://api.x.com", "https://api.x.com/", "evil.example", false},
		"no endpoint":        {"", "https://api.x.com/", "", false},
		"malformed endpoint": {"https://%zz", "https://api.x.com/", "", false},
		"another scheme":     {"ftp://api.x.com", "ftp://api.x.com/", "", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dialed := false
			c := newClient(t, platform.TransportConfig{
				Endpoint: tc.endpoint,
				Dial: func(context.Context, string, string) (net.Conn, error) {
					dialed = true
					return nil, errors.New("no network in this test")
				},
			})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tc.url, strings.NewReader("token=secret"))
			if err != nil {
				t.Fatal(err)
			}
			req.Host = tc.host
			_, err = platform.Do(c, "test", "/", req)
			if got := errors.Is(err, platform.ErrForeignHost); got == tc.allowed || dialed != tc.allowed {
				t.Errorf("refused %v, dialed %v, want allowed %v: %v", got, dialed, tc.allowed, err)
			}
			if want := platform.KindInvalid; !tc.allowed && platform.KindOf(err) != want {
				t.Errorf("got %s, want %s", platform.KindOf(err), want)
			}
		})
	}
}

func TestRedirectIsAnError(t *testing.T) {
	var paths []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	_, err := get(t, newClient(t, platform.TransportConfig{Endpoint: url}), url+"/here")
	if !errors.Is(err, platform.ErrRedirect) || platform.KindOf(err) != platform.KindUnavailable {
		t.Errorf("got %v", err)
	}
	if want := []string{"/here"}; !slices.Equal(paths, want) {
		t.Errorf("asked for %v, want %v", paths, want)
	}
}

func TestBodyIsBounded(t *testing.T) {
	const bound = 1000
	for _, size := range []int{0, 1, bound - 1, bound, bound + 1, 2 * bound, 1 << 20} {
		for _, packed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d packed %v", size, packed), func(t *testing.T) {
				url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					body := bytes.Repeat([]byte("x"), size)
					if packed {
						var b bytes.Buffer
						z := gzip.NewWriter(&b)
						_, _ = z.Write(body)
						_ = z.Close()
						w.Header().Set("Content-Encoding", "gzip")
						body = b.Bytes()
					}
					_, _ = w.Write(body)
				})
				answer, err := get(t, newClient(t, platform.TransportConfig{Endpoint: url, MaxBody: bound}), url)
				if size > bound {
					if !errors.Is(err, platform.ErrBodyTooLarge) || platform.KindOf(err) != platform.KindUnavailable {
						t.Errorf("got %v, want ErrBodyTooLarge", err)
					}
					return
				}
				if err != nil || len(answer.Body) != size {
					t.Errorf("got %v, want %d bytes", err, size)
				}
			})
		}
	}
}

// A body stays refused however often it is read on.
func TestBodyStaysRefused(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 4096)) })
	resp, err := newClient(t, platform.TransportConfig{Endpoint: url, MaxBody: 10}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	first, err := io.ReadAll(resp.Body)
	if len(first) != 10 || !errors.Is(err, platform.ErrBodyTooLarge) {
		t.Errorf("read %d bytes, %v", len(first), err)
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, platform.ErrBodyTooLarge) {
		t.Errorf("read %d more bytes, %v", n, err)
	}
}

func TestObserve(t *testing.T) {
	type seen struct {
		endpoint, code string
		d              time.Duration
	}
	tests := map[string]struct {
		handle http.HandlerFunc
		code   string
	}{
		"200":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }, "200"},
		"204":       {status(204), "2xx"},
		"302":       {status(302), "3xx"},
		"400":       {status(400), "400"},
		"401":       {status(401), "401"},
		"402":       {status(402), "402"},
		"403":       {status(403), "403"},
		"404":       {status(404), "404"},
		"418":       {status(418), "4xx"},
		"429":       {status(429), "429"},
		"503":       {status(503), "5xx"},
		"999":       {status(999), "error"},
		"dropped":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "error"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2000)) }, "error"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var got []seen
			now := time.Unix(0, 0)
			url := serve(t, tc.handle)
			c := newClient(t, platform.TransportConfig{
				Endpoint: url, MaxBody: 1000,
				Observe: func(endpoint, code string, d time.Duration) { got = append(got, seen{endpoint, code, d}) },
				Now: func() time.Time {
					mu.Lock()
					defer mu.Unlock()
					now = now.Add(time.Second)
					return now
				},
			})
			_, _ = get(t, c, url+"/things/12345?token=secret")
			if want := []seen{{"/things", tc.code, time.Second}}; !slices.Equal(got, want) {
				t.Errorf("told %v, want %v", got, want)
			}
			if !slices.Contains(platform.Codes, tc.code) {
				t.Errorf("%s is not in Codes", tc.code)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
	}
}

// Requests that nobody named, and refused ones, are counted too.
func TestObserveWithoutAnEndpoint(t *testing.T) {
	var got []string
	c := newClient(t, platform.TransportConfig{
		Endpoint: "https://api.x.com",
		Observe:  func(endpoint, code string, _ time.Duration) { got = append(got, endpoint+" "+code) },
		Now:      func() time.Time { return time.Time{} },
	})
	if resp, err := c.Get("https://evil.example/2/users/1"); err == nil {
		_ = resp.Body.Close()
		t.Error("the request was sent")
	}
	if want := []string{"other error"}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// A body that is closed twice, as careful callers do, is one request.
func TestObserveOnce(t *testing.T) {
	told := 0
	url := serve(t, status(200))
	c := newClient(t, platform.TransportConfig{
		Endpoint: url,
		Observe:  func(string, string, time.Duration) { told++ },
		Now:      func() time.Time { return time.Time{} },
	})
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = resp.Body.Close(), resp.Body.Close()
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// A platform with several hosts is asked at each of them, and nowhere else.
func TestFurtherHostsAreAllowed(t *testing.T) {
	for target, allowed := range map[string]bool{
		"https://api.example/x": true, "https://token.example/x": true, "https://api.example.evil/x": false, "http://token.example/x": false,
	} {
		dialed := false
		c := newClient(t, platform.TransportConfig{
			Endpoint: "https://api.example", Also: []string{"https://token.example", ""},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				dialed = true
				return nil, errors.New("no network in this test")
			},
		})
		_, err := get(t, c, target)
		if got := !errors.Is(err, platform.ErrForeignHost); got != allowed || dialed != allowed {
			t.Errorf("%s: allowed %v, dialed %v, want %v", target, got, dialed, allowed)
		}
	}
}
