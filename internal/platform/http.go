package platform

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What a TransportConfig leaves at zero.
const (
	DefaultMaxBody       = 8 << 20
	DefaultTimeout       = 30 * time.Second
	defaultDialTimeout   = 5 * time.Second
	defaultTLSTimeout    = 10 * time.Second
	defaultHeaderTimeout = 20 * time.Second
	idleTimeout          = 90 * time.Second
	maxHeaderBytes       = 256 << 10
)

// TransportConfig configures NewHTTPClient. Only Endpoint is required.
type TransportConfig struct {
	// Endpoint is the connection's base URL: the only scheme, host and port that
	// the client sends a request to.
	Endpoint string
	// Also are further base URLs that the client may send a request to.
	Also []string
	// MaxBody bounds an answer after decompression, in bytes.
	MaxBody int64
	// Timeout bounds a whole request, the reading of the answer included.
	Timeout time.Duration
	// DialTimeout, TLSTimeout and HeaderTimeout bound the parts of a request.
	DialTimeout, TLSTimeout, HeaderTimeout time.Duration
	// RootCAs verify the server; nil means the system's.
	RootCAs *x509.CertPool
	// Dial replaces the dialer; nil means TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Observe, if set, is told of every request once its answer has been read:
	// the endpoint's template (see WithEndpoint), a code of the closed list of
	// Codes, and the duration by Now.
	Observe func(endpoint, code string, d time.Duration)
	// Now is the clock; required with Observe.
	Now func() time.Time
}

// NewHTTPClient returns the client that every adapter uses. It sends requests
// to the endpoint's host and to those of Also alone (ErrForeignHost before anything is dialed),
// follows no redirect (ErrRedirect), bounds the answer (ErrBodyTooLarge) and the
// time. If Endpoint is no http or https URL, every request fails.
func NewHTTPClient(cfg TransportConfig) *http.Client {
	cfg.MaxBody = cmp.Or(cfg.MaxBody, DefaultMaxBody)
	if cfg.Dial == nil {
		dialer := &net.Dialer{Timeout: cmp.Or(cfg.DialTimeout, defaultDialTimeout)}
		cfg.Dial = dialer.DialContext
	}
	if cfg.Observe == nil || cfg.Now == nil {
		cfg.Observe = func(string, string, time.Duration) {}
		cfg.Now = func() time.Time { return time.Time{} }
	}
	return &http.Client{
		Timeout: cmp.Or(cfg.Timeout, DefaultTimeout),
		Transport: &guard{
			cfg:     cfg,
			origins: originsOf(cfg),
			base: &http.Transport{
				Proxy:                  http.ProxyFromEnvironment,
				DialContext:            cfg.Dial,
				TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
				TLSHandshakeTimeout:    cmp.Or(cfg.TLSTimeout, defaultTLSTimeout),
				ResponseHeaderTimeout:  cmp.Or(cfg.HeaderTimeout, defaultHeaderTimeout),
				IdleConnTimeout:        idleTimeout,
				MaxResponseHeaderBytes: maxHeaderBytes,
				ForceAttemptHTTP2:      true,
			},
		},
	}
}

// endpointKey is the context key of WithEndpoint.
type endpointKey struct{}

// WithEndpoint names the endpoint that a request made with the returned context
// is counted under: its template, such as "/2/users", never a URL with ids.
func WithEndpoint(ctx context.Context, template string) context.Context {
	return context.WithValue(ctx, endpointKey{}, template)
}

func endpointOf(ctx context.Context) string {
	template, _ := ctx.Value(endpointKey{}).(string)
	return cmp.Or(template, "other")
}

// originsOf are the origins that a client may send a request to.
func originsOf(cfg TransportConfig) []string {
	var origins []string
	for _, base := range append([]string{cfg.Endpoint}, cfg.Also...) {
		if o := originOf(base); o != "" {
			origins = append(origins, o)
		}
	}
	return origins
}

// originOf is the scheme, host and port of a base URL, or "" if it has none.
func originOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return origin(u)
}

func origin(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	switch {
	case host == "":
		return ""
	case u.Scheme == "https":
		port = cmp.Or(port, "443")
	case u.Scheme == "http":
		port = cmp.Or(port, "80")
	default:
		return ""
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port)
}

// Codes are the values of a request's code label: the statuses that mean
// something of their own, the classes of the others, and "error" for no answer
// or one that could not be read.
var Codes = []string{"200", "400", "401", "402", "403", "404", "429", "1xx", "2xx", "3xx", "4xx", "5xx", codeError}

const codeError = "error"

func codeOf(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusBadRequest:
		return "400"
	case http.StatusUnauthorized:
		return "401"
	case http.StatusPaymentRequired:
		return "402"
	case http.StatusForbidden:
		return "403"
	case http.StatusNotFound:
		return "404"
	case http.StatusTooManyRequests:
		return "429"
	}
	classes := []string{codeError, "1xx", "2xx", "3xx", "4xx", "5xx"}
	if class := status / 100; class > 0 && class < len(classes) {
		return classes[class]
	}
	return codeError
}
