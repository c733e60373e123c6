package platformconnection

import (
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
		return "", fmt.Errorf("spec.endpoint is not a URL")
	}
	if u.Scheme == "http" {
		if !loopback(u.Hostname()) {
			return "", fmt.Errorf("spec.endpoint: plain http is for loopback addresses only, not for %s", u.Hostname())
		}
		if !rules.AllowInsecure {
			return "", fmt.Errorf("spec.endpoint: plain http needs the operator's flag --allow-insecure-endpoints")
		}
		return strings.TrimRight(endpoint, "/"), nil
	}
	if u.Scheme != "https" {
		return "", fmt.Errorf("spec.endpoint: scheme %s is not allowed", u.Scheme)
	}
	if own, err := url.Parse(adapter.Endpoint); err == nil && strings.EqualFold(own.Host, u.Host) {
		return strings.TrimRight(endpoint, "/"), nil
	}
	if !slices.ContainsFunc(rules.AllowedHosts, func(h string) bool {
		return strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname())
	}) {
		return "", fmt.Errorf("spec.endpoint: host %s is not named by the operator's flag --allowed-hosts", u.Host)
	}
	return strings.TrimRight(endpoint, "/"), nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
