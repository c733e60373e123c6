package platform_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const query = "token=very-secret"

func TestCallErrorTellsNothing(t *testing.T) {
	opErr := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Source: addr("10.0.0.1:54321"), Addr: addr("10.0.0.2:443"), Err: err}
	}
	tests := map[string]struct {
		err  error
		want string
	}{
		"DNS":               {&net.DNSError{Err: "no such host", Name: "api.x.com", Server: "10.0.0.10:53"}, "name resolution failed"},
		"refused":           {opErr(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "connection refused"},
		"reset":             {opErr(os.NewSyscallError("read", syscall.ECONNRESET)), "connection reset"},
		"broken pipe":       {opErr(syscall.EPIPE), "connection reset"},
		"net timeout":       {opErr(os.ErrDeadlineExceeded), "timed out"},
		"deadline":          {context.DeadlineExceeded, "timed out"},
		"ended early":       {io.ErrUnexpectedEOF, "connection closed before the end of the answer"},
		"unknown authority": {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "TLS certificate signed by an unknown authority"},
		"certificate name":  {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}}, "TLS certificate is for another host"},
		"expired":           {x509.CertificateInvalidError{Reason: x509.Expired}, "TLS certificate is expired or not valid for this use"},
		"other certificate": {&tls.CertificateVerificationError{Err: errors.New(query)}, "TLS handshake failed"},
		"no TLS":            {tls.RecordHeaderError{Msg: query}, "TLS handshake failed"},
		"alert":             {tls.AlertError(40), "TLS handshake failed"},
		"too large":         {platform.ErrBodyTooLarge, platform.ErrBodyTooLarge.Error()},
		"redirect":          {platform.ErrRedirect, platform.ErrRedirect.Error()},
		"anything":          {errors.New(query), "request failed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			wrapped := &url.Error{Op: "Get", URL: "https://api.x.com/2/users?" + query, Err: fmt.Errorf("wrapped: %w", tc.err)}
			got := platform.CallError(t.Context(), "users.lookup", wrapped)
			if got.Kind != platform.KindUnavailable || got.Error() != "users.lookup: Unavailable: "+tc.want {
				t.Errorf("got %v", got)
			}
			for e := error(got); e != nil; e = errors.Unwrap(e) {
				for _, tell := range []string{query, "://", "10.0.0"} {
					if strings.Contains(e.Error(), tell) {
						t.Errorf("%T tells %q: %v", e, tell, e)
					}
				}
			}
		})
	}
}

type addr string

func (a addr) Network() string { return "tcp" }
func (a addr) String() string  { return string(a) }

func TestCallErrorReportsTheContext(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	broken := errors.New("broken by the cancellation")
	if got := platform.CallError(cancelled, "op", broken); !errors.Is(got, context.Canceled) || got.Kind != platform.KindUnavailable {
		t.Errorf("cancelled: got %v", got)
	}
	if got := platform.CallError(late, "op", broken); !errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("late: got %v", got)
	}
	if got := platform.CallError(t.Context(), "op", broken); errors.Is(got, context.Canceled) || errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("neither: got %v", got)
	}
	if got := platform.CallError(t.Context(), "op", os.ErrDeadlineExceeded); !errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("a timeout of the client: got %v", got)
	}
	known := &platform.Error{Kind: platform.KindRateLimited, Op: "other"}
	if got := platform.CallError(cancelled, "op", fmt.Errorf("wrapped: %w", known)); got != known {
		t.Errorf("known: got %v", got)
	}
}

// The classes hold for the errors that the network really makes.
func TestRealFailures(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(status(200))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := serve(t, status(200))
	closed := httptest.NewServer(status(200))
	closed.Close()
	stalls := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	foreign := x509.NewCertPool()
	foreign.AddCert(untrusted.Certificate())
	port := untrusted.URL[strings.LastIndexByte(untrusted.URL, ':'):]
	tests := map[string]struct {
		cfg  platform.TransportConfig
		want string
	}{
		"refused":           {platform.TransportConfig{Endpoint: closed.URL}, "connection refused"},
		"unknown authority": {platform.TransportConfig{Endpoint: untrusted.URL}, "unknown authority"},
		"another name":      {platform.TransportConfig{Endpoint: "https://localhost" + port, RootCAs: foreign}, "another host"},
		"no TLS there":      {platform.TransportConfig{Endpoint: strings.Replace(plain, "http:", "https:", 1)}, "TLS handshake failed"},
		"total timeout":     {platform.TransportConfig{Endpoint: stalls, Timeout: 50 * time.Millisecond}, "timed out"},
		"header timeout":    {platform.TransportConfig{Endpoint: stalls, HeaderTimeout: 50 * time.Millisecond}, "timed out"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := get(t, newClient(t, tc.cfg), tc.cfg.Endpoint+"/2/users?"+query)
			if err == nil || platform.KindOf(err) != platform.KindUnavailable || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestDecodeJSON(t *testing.T) {
	type wanted struct {
		Data []string `json:"data"`
	}
	for _, body := range []string{"", " ", "<html>", `{"data":`, `{"data":1}`, `{"data":[1]}`, `{} {}`, `{}x`, "\x00"} {
		answer := &platform.Answer{Status: 200, Body: []byte(body)}
		err := answer.DecodeJSON("op", &wanted{})
		pe, ok := errors.AsType[*platform.Error](err)
		if !ok || pe.Kind != platform.KindUnavailable || !errors.Is(err, platform.ErrNotJSON) || pe.Status != 200 {
			t.Errorf("%q: got %v", body, err)
		}
	}
	var got wanted
	if err := (&platform.Answer{Body: []byte(` {"data":["a"],"more":1} `)}).DecodeJSON("op", &got); err != nil || got.Data[0] != "a" {
		t.Errorf("got %v, %v", got, err)
	}
}

// A status says enough where the body cannot be read; a 200 without one says nothing.
func TestUnreadableBody(t *testing.T) {
	for code, wantErr := range map[int]bool{200: true, 429: false, 503: false} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(code)
			_, _ = w.Write([]byte("{"))
		})
		answer, err := get(t, newClient(t, platform.TransportConfig{Endpoint: url}), url)
		if (err != nil) != wantErr || err == nil && (answer.Status != code || len(answer.Body) != 0) {
			t.Errorf("%d: got %+v, %v", code, answer, err)
		}
	}
}

func TestErrorText(t *testing.T) {
	for want, e := range map[string]*platform.Error{
		"op: Invalid":                          {Kind: platform.KindInvalid, Op: "op"},
		"op: Invalid: why":                     {Kind: platform.KindInvalid, Op: "op", Err: errors.New("why")},
		"op: RateLimited (HTTP 429): used up":  {Kind: platform.KindRateLimited, Op: "op", Status: 429, Err: errors.New("used up")},
		"users.lookup: Unavailable (HTTP 503)": {Kind: platform.KindUnavailable, Op: "users.lookup", Status: 503},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := platform.KindOf(errors.New("unknown")); got != platform.KindUnavailable {
		t.Errorf("an unknown error is %s", got)
	}
	if got := platform.KindOf(fmt.Errorf("wrapped: %w", &platform.Error{Kind: platform.KindNotFound})); got != platform.KindNotFound {
		t.Errorf("a wrapped error is %s", got)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	const value = "very-secret"
	cfg := platform.Config{App: platform.Secret{"appToken": []byte(value)}}
	encoded, err := json.Marshal(map[string]any{"app": cfg.App})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		texts = append(texts, fmt.Sprintf(verb, cfg.App), fmt.Sprintf(verb, cfg), fmt.Sprintf(verb, &cfg))
	}
	bytesOf := strings.Trim(fmt.Sprint([]byte(value)), "[]")
	for _, text := range texts {
		for _, tell := range []string{value, bytesOf, fmt.Sprintf("%x", value), "dmVyeS1zZWNyZXQ"} {
			if bytes.Contains([]byte(text), []byte(tell)) {
				t.Errorf("%s tells the secret", text)
			}
		}
	}
}

func TestFieldSet(t *testing.T) {
	set := platform.Fields(platform.FieldBio, platform.FieldAvatar)
	if !set.Has(platform.FieldBio) || set.Has(platform.FieldBanner) {
		t.Errorf("%b", set)
	}
	if rest := set.Without(platform.Fields(platform.FieldBio, platform.FieldBanner)); rest != platform.Fields(platform.FieldAvatar) {
		t.Errorf("%b", rest)
	}
}
