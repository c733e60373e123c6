package media_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func fetcher(t *testing.T, cfg media.Config, servers ...*httptest.Server) *media.Fetcher {
	t.Helper()
	for _, s := range servers {
		cfg.Hosts = append(cfg.Hosts, hostOf(t, s.URL))
	}
	f := media.New(cfg)
	t.Cleanup(f.CloseIdleConnections)
	return f
}

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func bytesHandler(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain") // what it is, its bytes tell
		_, _ = w.Write(b)
	}
}

func TestOnlyAllowedURLs(t *testing.T) {
	asked := 0
	srv := serve(t, func(http.ResponseWriter, *http.Request) { asked++ })
	host := hostOf(t, srv.URL)
	port := host[strings.LastIndexByte(host, ':')+1:]
	tests := map[string]struct {
		hosts []string
		url   string
	}{
		"another host":        {[]string{"pbs.twimg.com"}, "https://evil.example/a.png"},
		"a host below":        {[]string{"twimg.com"}, "https://pbs.twimg.com/a.png"},
		"a host that starts":  {[]string{"pbs.twimg.com"}, "https://pbs.twimg.com.evil.example/a.png"},
		"in the user part":    {[]string{"pbs.twimg.com"}, "https://pbs.twimg.com@evil.example/a.png"},
		"with a user":         {[]string{"pbs.twimg.com"}, "https://user:pass@pbs.twimg.com/a.png"},
		"another port":        {[]string{"pbs.twimg.com"}, "https://pbs.twimg.com:8443/a.png"},
		"in the clear":        {[]string{"pbs.twimg.com", "pbs.twimg.com:80"}, "http://pbs.twimg.com:80/a.png"},
		"no scheme":           {[]string{"pbs.twimg.com"}, "//pbs.twimg.com/a.png"},
		"data":                {[]string{""}, "data:image/png;base64,AAAA"},
		"file":                {[]string{""}, "file:///etc/passwd"},
		"empty":               {[]string{""}, ""},
		"https without host":  {[]string{""}, "https:///a.png"},
		"malformed":           {[]string{"pbs.twimg.com"}, "https://pbs.twimg.com/%zz"},
		"a domain alike":      {[]string{".fbcdn.net"}, "https://evilfbcdn.net/a.png"},
		"the domain itself":   {[]string{".fbcdn.net"}, "https://fbcdn.net/a.png"},
		"a domain's port":     {[]string{".fbcdn.net"}, "https://a.fbcdn.net:8443/a.png"},
		"a domain, below":     {[]string{".fbcdn.net"}, "https://a.fbcdn.net.evil.example/a.png"},
		"loopback, not named": {[]string{"pbs.twimg.com"}, srv.URL},
		"loopback, no port":   {[]string{"127.0.0.1"}, srv.URL},
		"loopback, 2nd name":  {[]string{host}, "http://localhost:" + port},
		"metadata service":    {[]string{"169.254.169.254:80", "169.254.169.254"}, "http://169.254.169.254:80/a.png"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := fetcher(t, media.Config{Hosts: tc.hosts}).Fetch(t.Context(), tc.url)
			if err == nil || platform.KindOf(err) != platform.KindInvalid {
				t.Errorf("got %v, want KindInvalid", err)
			}
		})
	}
	if asked != 0 {
		t.Errorf("%d requests were sent", asked)
	}
}

func TestBounds(t *testing.T) {
	picture := encode(t, picture(64, 64), "png")
	tests := map[string]struct {
		data []byte
		cfg  media.Config
		want platform.Kind // "" if it is hashed
	}{
		"as large as allowed": {picture, media.Config{MaxBytes: int64(len(picture)), MaxPixels: 64 * 64}, ""},
		"a byte too much":     {picture, media.Config{MaxBytes: int64(len(picture)) - 1}, platform.KindInvalid},
		"a row too much":      {picture, media.Config{MaxPixels: 64*64 - 1}, platform.KindInvalid},
		"decompression bomb":  {bomb(50_000, 50_000), media.Config{}, platform.KindInvalid},
		"dimensions overflow": {bomb(1<<31-1, 1<<31-1), media.Config{}, platform.KindUnavailable},
		"endless":             {bytes.Repeat([]byte{0}, media.DefaultMaxBytes+1), media.Config{}, platform.KindInvalid},
		"half an image":       {picture[:len(picture)/2], media.Config{}, platform.KindUnavailable},
		"nothing":             {nil, media.Config{}, platform.KindUnavailable},
		"HTML":                {[]byte("<html>Not Found</html>"), media.Config{}, platform.KindUnavailable},
		"SVG":                 {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), media.Config{}, platform.KindUnavailable},
		"no pixels at all":    {bomb(0, 0), media.Config{}, platform.KindUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, bytesHandler(tc.data))
			got, err := fetcher(t, tc.cfg, srv).Fetch(t.Context(), srv.URL)
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || platform.KindOf(err) != tc.want || got != (media.Digest{}) {
				t.Errorf("got %+v, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	for status, want := range map[int]platform.Kind{
		204: platform.KindUnavailable, 304: platform.KindUnavailable, 401: platform.KindUnavailable,
		403: platform.KindUnavailable, 404: platform.KindNotFound, 410: platform.KindNotFound,
		429: platform.KindRateLimited, 500: platform.KindUnavailable, 503: platform.KindUnavailable,
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, err := fetcher(t, media.Config{}, srv).Fetch(t.Context(), srv.URL+"/a.png?secret")
		pe, ok := errors.AsType[*platform.Error](err)
		if !ok || pe.Kind != want || pe.Status != status || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: got %v, want %s", status, err, want)
		}
	}
}

func TestRedirects(t *testing.T) {
	data := encode(t, picture(32, 32), "png")
	other := serve(t, bytesHandler(data))
	var srv *httptest.Server
	srv = serve(t, func(w http.ResponseWriter, r *http.Request) {
		var left int
		switch {
		case r.URL.Path == "/elsewhere":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case r.URL.Path == "/as-user":
			http.Redirect(w, r, strings.Replace(srv.URL, "://", "://user:pass@", 1), http.StatusFound)
		case scan(r.URL.Path, &left) && left > 0:
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusFound)
		default:
			_, _ = w.Write(data)
		}
	})
	f := fetcher(t, media.Config{}, srv, other)
	for path, ok := range map[string]bool{"/0": true, "/1": true, "/3": true, "/4": false, "/elsewhere": false, "/as-user": false} {
		_, err := f.Fetch(t.Context(), srv.URL+path)
		if (err == nil) != ok || err != nil && platform.KindOf(err) != platform.KindInvalid {
			t.Errorf("%s: got %v, want followed: %v", path, err, ok)
		}
	}
}

func scan(path string, n *int) bool {
	_, err := fmt.Sscanf(path, "/%d", n)
	return err == nil
}

func TestNothingIsTold(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "Cookie", "Referer", "Accept-Encoding"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("%s: %s was sent", name, v)
			}
		}
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "1"})
		w.WriteHeader(http.StatusNotFound)
	})
	f := fetcher(t, media.Config{}, srv)
	for range 2 {
		_, _ = f.Fetch(t.Context(), srv.URL)
	}
}

func TestTLS(t *testing.T) {
	data := encode(t, picture(32, 32), "png")
	srv := httptest.NewUnstartedServer(bytesHandler(data))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	if _, err := fetcher(t, media.Config{}, srv).Fetch(t.Context(), srv.URL); err == nil || platform.KindOf(err) != platform.KindUnavailable {
		t.Errorf("untrusted: got %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	if _, err := fetcher(t, media.Config{RootCAs: roots}, srv).Fetch(t.Context(), srv.URL); err != nil {
		t.Errorf("trusted: got %v", err)
	}
}

func TestContext(t *testing.T) {
	held := make(chan struct{}, 2)
	srv := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		held <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-held
		cancel()
	}()
	_, err := fetcher(t, media.Config{}, srv).Fetch(ctx, srv.URL)
	if !errors.Is(err, context.Canceled) || platform.KindOf(err) != platform.KindUnavailable {
		t.Errorf("cancelled: got %v", err)
	}
	_, err = fetcher(t, media.Config{Timeout: 50 * time.Millisecond}, srv).Fetch(t.Context(), srv.URL)
	if !errors.Is(err, context.DeadlineExceeded) || platform.KindOf(err) != platform.KindUnavailable {
		t.Errorf("late: got %v", err)
	}
}
