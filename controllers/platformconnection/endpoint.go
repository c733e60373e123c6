package platformconnection

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

// EndpointRules say where connections may lead. An app's token goes to the
// endpoint, so cluster administrators name the hosts twice: in the connection
// and in the operator's flags.
type EndpointRules struct {
	// AllowedHosts are hosts, or host:port, beside the platforms' own.
	AllowedHosts []string
	// AllowInsecure permits plain http to loopback addresses.
	AllowInsecure bool
}

// Resolve returns the base URL of a connection, or why it is not allowed.
func (rules EndpointRules) Resolve(adapter platform.Adapter, endpoint string) (string, error) {
	if endpoint == "" || endpoint == adapter.Endpoint {
		return adapter.Endpoint, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", errors.New("spec.endpoint is not a URL")
	}
	if u.Scheme == "http" {
		return rules.insecure(endpoint, u)
	}
	if u.Scheme != "https" {
		return "", fmt.Errorf("spec.endpoint: scheme %s is not allowed", u.Scheme)
	}
	if !rules.allowed(adapter, u) {
		return "", fmt.Errorf("spec.endpoint: host %s is not named by the operator's flag --allowed-hosts", u.Host)
	}
	return strings.TrimRight(endpoint, "/"), nil
}

// insecure permits plain http to loopback addresses, if the flags do.
func (rules EndpointRules) insecure(endpoint string, u *url.URL) (string, error) {
	if !loopback(u.Hostname()) {
		return "", fmt.Errorf("spec.endpoint: plain http is for loopback addresses only, not for %s", u.Hostname())
	}
	if !rules.AllowInsecure {
		return "", errors.New("spec.endpoint: plain http needs the operator's flag --allow-insecure-endpoints")
	}
	return strings.TrimRight(endpoint, "/"), nil
}

// allowed says whether an https URL leads to the platform's own host or to one
// that the flags name, with its port or on any port.
func (rules EndpointRules) allowed(adapter platform.Adapter, u *url.URL) bool {
	if own, err := url.Parse(adapter.Endpoint); err == nil && strings.EqualFold(own.Host, u.Host) {
		return true
	}
	return slices.ContainsFunc(rules.AllowedHosts, func(h string) bool {
		return strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname())
	})
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
