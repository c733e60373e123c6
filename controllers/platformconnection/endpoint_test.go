package platformconnection

import (
	"strings"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

func TestAnEndpointLeadsNowhereThatNobodyNamed(t *testing.T) {
	const own = "https://api.x.com"
	adapter := platform.Adapter{Name: platform.X, Endpoint: own}
	for _, c := range []struct {
		endpoint, allowed string
		insecure          bool
		want, refusal     string
	}{
		{endpoint: "", want: own},
		{endpoint: own, want: own},
		{endpoint: "https://api.x.com/", want: own},
		{endpoint: "https://API.X.com", want: "https://API.X.com"},
		{endpoint: "https://proxy.edu.example", allowed: "proxy.edu.example", want: "https://proxy.edu.example"},
		{endpoint: "https://proxy.edu.example:8443", allowed: "proxy.edu.example", want: "https://proxy.edu.example:8443"},
		{endpoint: "https://proxy.edu.example:8443", allowed: "proxy.edu.example:8443", want: "https://proxy.edu.example:8443"},
		{endpoint: "https://Proxy.edu.example", allowed: "proxy.EDU.example", want: "https://Proxy.edu.example"},
		{endpoint: "https://proxy.edu.example:1", allowed: "proxy.edu.example:8443", refusal: "host proxy.edu.example:1 is not named by the operator's flag --allowed-hosts"},
		{endpoint: "https://api.x.com.evil.test", refusal: "host api.x.com.evil.test"},
		{endpoint: "https://api.x.com@evil.test", refusal: "host evil.test"},
		{endpoint: "https://evil.test/https://api.x.com", refusal: "host evil.test"},
		{endpoint: "https://api.x.com:6443", refusal: "host api.x.com:6443"},
		{endpoint: "https://169.254.169.254", refusal: "host 169.254.169.254"},
		{endpoint: "https://kubernetes.default.svc", refusal: "host kubernetes.default.svc"},
		{endpoint: "https://127.0.0.1:6443", insecure: true, refusal: "host 127.0.0.1:6443"},
		{endpoint: "https://sub.proxy.edu.example", allowed: "proxy.edu.example", refusal: "host sub.proxy.edu.example"},
		{endpoint: "http://127.0.0.1:18080", insecure: true, want: "http://127.0.0.1:18080"},
		{endpoint: "http://127.3.2.1", insecure: true, want: "http://127.3.2.1"},
		{endpoint: "http://[::1]:18080", insecure: true, want: "http://[::1]:18080"},
		{endpoint: "http://localhost:18080/", insecure: true, want: "http://localhost:18080"},
		{endpoint: "http://127.0.0.1:18080", refusal: "needs the operator's flag --allow-insecure-endpoints"},
		{endpoint: "http://169.254.169.254", insecure: true, refusal: "loopback addresses only, not for 169.254.169.254"},
		{endpoint: "http://api.x.com", insecure: true, refusal: "loopback addresses only"},
		{endpoint: "http://proxy.edu.example", allowed: "proxy.edu.example", insecure: true, refusal: "loopback addresses only"},
		{endpoint: "http://localhost.evil.test", insecure: true, refusal: "loopback addresses only"},
		{endpoint: "http://127.0.0.1.evil.test", insecure: true, refusal: "loopback addresses only"},
		{endpoint: "http://0.0.0.0", insecure: true, refusal: "loopback addresses only"},
		{endpoint: "http://[::ffff:10.0.0.1]", insecure: true, refusal: "loopback addresses only"},
		{endpoint: "file:///etc/passwd", insecure: true, refusal: "scheme file is not allowed"},
		{endpoint: "gopher://127.0.0.1", insecure: true, refusal: "scheme gopher is not allowed"},
		{endpoint: "//evil.test", insecure: true, refusal: "scheme"},
		{endpoint: "https://\x7f", refusal: "is not a URL"},
	} {
		t.Run(c.endpoint+"/"+c.allowed, func(t *testing.T) {
			rules := EndpointRules{AllowInsecure: c.insecure}
			if c.allowed != "" {
				rules.AllowedHosts = strings.Split(c.allowed, ",")
			}
			got, err := rules.Resolve(adapter, c.endpoint)
			if c.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), c.refusal) || got != "" {
					t.Errorf("got %q, %v; want a refusal with %q", got, err, c.refusal)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}
