package platform

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// SecretReader reads keys of an app Secret and remembers which are malformed. Its
// errors name keys, never values.
type SecretReader struct {
	app       Secret
	malformed []string
}

// ReadSecret begins to read an app Secret.
func ReadSecret(app Secret) *SecretReader { return &SecretReader{app: app} }

// Get is the value of a key, less the line ends that editors and `echo` leave. It
// is empty where the key is missing, empty, or holds anything but visible ASCII, as
// header values must be; the last makes Malformed an error.
func (r *SecretReader) Get(key string) string {
	value, ok := clean(r.app[key])
	if !ok && !slices.Contains(r.malformed, key) {
		r.malformed = append(r.malformed, key)
	}
	return value
}

// List is the value of a key that holds several, parted by commas or white space.
func (r *SecretReader) List(key string) []string {
	items := strings.FieldsFunc(string(r.app[key]), func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) })
	for _, item := range items {
		if _, ok := clean([]byte(item)); !ok && !slices.Contains(r.malformed, key) {
			r.malformed = append(r.malformed, key)
		}
	}
	return items
}

// Reject calls a key malformed for a reason of the platform's own.
func (r *SecretReader) Reject(key string) {
	if !slices.Contains(r.malformed, key) {
		r.malformed = append(r.malformed, key)
	}
}

// Malformed is the error that names the malformed keys, or nil.
func (r *SecretReader) Malformed() error {
	if len(r.malformed) == 0 {
		return nil
	}
	return fmt.Errorf("the app Secret's %s holds white space, control characters or another malformed value",
		strings.Join(r.malformed, " and "))
}

// clean drops line ends at the end, and reports whether the rest is visible ASCII
// alone.
func clean(value []byte) (string, bool) {
	value = bytes.TrimRight(value, "\r\n")
	for _, c := range value {
		if c <= ' ' || c > '~' {
			return "", false
		}
	}
	return string(value), true
}

// CheckConfig checks what every adapter needs of a Config: a base URL without
// slash, user, query or fragment for the endpoint and for every host, the client,
// the clock and the ear for usage.
func CheckConfig(cfg Config) error {
	if !isBase(cfg.Endpoint) {
		return errors.New("the endpoint is no http or https base URL")
	}
	for role, host := range cfg.Hosts {
		if !isBase(host) {
			return fmt.Errorf("the %s host is no http or https base URL", role)
		}
	}
	if cfg.HTTP == nil || cfg.Usage == nil || cfg.Now == nil {
		return errors.New("HTTP, Usage and Now are required")
	}
	return nil
}

func isBase(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") &&
		u.User == nil && u.RawQuery == "" && u.Fragment == "" && !strings.HasSuffix(u.Path, "/")
}

// Host is the base URL of a role, or the endpoint where Hosts has none.
func (c Config) Host(role string) string {
	if host := c.Hosts[role]; host != "" {
		return host
	}
	return c.Endpoint
}
