package media

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// What a Config leaves at zero.
const (
	DefaultMaxBytes  = 5 << 20
	DefaultMaxPixels = 16 << 20 // 4096 x 4096, at most 128 MiB decoded
	DefaultTimeout   = 20 * time.Second

	maxRedirects = 3
	maxDecoding  = 2
	op           = "media.fetch"
)

var (
	errURL      = errors.New("the image's URL is not an https URL of an allowed host")
	errRedirect = errors.New("the image redirects to another host or too often")
	errTooLarge = errors.New("the image is too large")
	errAbsent   = errors.New("the image does not exist")
	errAnswer   = errors.New("the answer is not an image")
	errLimited  = errors.New("the host asks for fewer requests")
)

// Config configures a Fetcher. Only Hosts is required.
type Config struct {
	// Hosts may be fetched from: a name alone means https on its default port; a
	// host:port is that port; a name that begins with a dot is every name below it. Plain http is used with a loopback host:port only.
	Hosts     []string
	MaxBytes  int64
	MaxPixels int
	Timeout   time.Duration
	// RootCAs verify the servers; nil means the system's.
	RootCAs *x509.CertPool
}

// Digest is what is kept of an image.
type Digest struct {
	// SHA256 is of the bytes as served, 64 hex digits.
	SHA256 string
	// PerceptualHash is a 64-bit difference hash, 16 hex digits: similar images
	// have hashes at a small Distance.
	PerceptualHash string
}

// Fetcher fetches images. It is safe for concurrent use.
type Fetcher struct {
	cfg      Config
	http     *http.Client
	decoding chan struct{} // bounds the memory that decoded images take
}

// New returns a Fetcher.
func New(cfg Config) *Fetcher {
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, DefaultMaxBytes)
	cfg.MaxPixels = cmp.Or(cfg.MaxPixels, DefaultMaxPixels)
	f := &Fetcher{cfg: cfg, decoding: make(chan struct{}, maxDecoding)}
	f.http = &http.Client{
		Timeout:       cmp.Or(cfg.Timeout, DefaultTimeout),
		CheckRedirect: sameHost,
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
			// An image does not compress: what claims to be compressed is a bomb.
			DisableCompression:    true,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 10 * time.Second,
			IdleConnTimeout:       time.Minute,
		},
	}
	return f
}

// CloseIdleConnections closes the connections that are not in use.
func (f *Fetcher) CloseIdleConnections() { f.http.CloseIdleConnections() }

// Fetch fetches the image at rawURL. Its error is a *platform.Error:
// KindInvalid for a URL that may not be fetched and an image beyond the bounds,
// KindNotFound where the host says that there is none, KindRateLimited, and
// KindUnavailable for the rest, an answer that is no image included.
func (f *Fetcher) Fetch(ctx context.Context, rawURL string) (Digest, error) {
	u, err := url.Parse(rawURL)
	if err != nil || !f.allows(u) {
		return Digest{}, fail(platform.KindInvalid, 0, errURL)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return Digest{}, fail(platform.KindInvalid, 0, errURL)
	}
	req.Header.Set("Accept", "image/png, image/jpeg, image/webp, image/gif")
	req.Header.Set("User-Agent", "mithaq")
	data, err := f.get(req)
	if err != nil {
		return Digest{}, err
	}
	select {
	case f.decoding <- struct{}{}:
		defer func() { <-f.decoding }()
	case <-ctx.Done():
		return Digest{}, platform.CallError(ctx, op, ctx.Err())
	}
	hash, err := f.hash(data)
	if err != nil {
		return Digest{}, err
	}
	sum := sha256.Sum256(data)
	return Digest{SHA256: hex.EncodeToString(sum[:]), PerceptualHash: hash}, nil
}

func (f *Fetcher) get(req *http.Request) ([]byte, error) {
	resp, err := f.http.Do(req)
	if err != nil {
		if errors.Is(err, errRedirect) {
			return nil, fail(platform.KindInvalid, 0, errRedirect)
		}
		return nil, platform.CallError(req.Context(), op, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := statusError(resp.StatusCode); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, f.cfg.MaxBytes+1))
	if err != nil {
		return nil, platform.CallError(req.Context(), op, err)
	}
	if int64(len(data)) > f.cfg.MaxBytes {
		return nil, fail(platform.KindInvalid, resp.StatusCode, errTooLarge)
	}
	return data, nil
}

func statusError(status int) error {
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusNotFound, http.StatusGone:
		return fail(platform.KindNotFound, status, errAbsent)
	case http.StatusTooManyRequests:
		return fail(platform.KindRateLimited, status, errLimited)
	}
	return fail(platform.KindUnavailable, status, errAnswer)
}

func fail(kind platform.Kind, status int, err error) error {
	return &platform.Error{Kind: kind, Op: op, Status: status, Err: err}
}

// allows reports whether u may be fetched. A URL with a user name in it is
// refused: it would be sent as a credential.
func (f *Fetcher) allows(u *url.URL) bool {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if u.User != nil || host == "" {
		return false
	}
	named := host
	if port != "" && (u.Scheme != "https" || port != "443") {
		named = net.JoinHostPort(host, port)
	}
	listed := slices.ContainsFunc(f.cfg.Hosts, func(h string) bool { return covers(h, named) })
	switch u.Scheme {
	case "https":
		return listed
	case "http":
		return listed && port != "" && isLoopback(host)
	}
	return false
}

// covers reports whether an entry of Hosts is the host, or the domain that it is in.
func covers(entry, host string) bool {
	if strings.HasPrefix(entry, ".") {
		return strings.HasSuffix(host, strings.ToLower(entry))
	}
	return strings.EqualFold(entry, host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameHost is the redirect policy.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || req.URL.Scheme != first.Scheme || req.URL.Host != first.Host || req.URL.User != nil {
		return errRedirect
	}
	return nil
}
