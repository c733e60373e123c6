package connection

import (
	"maps"
	"net/url"
	"slices"

	ctrl "sigs.k8s.io/controller-runtime"

	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/media"
	"mithaq.dev/mithaq/internal/telemetry"
)

// Opener opens a platform's client and the fetcher of its images. The client reaches
// the platform's own hosts alone, or the endpoint where that stands in for all of them.
func Opener(requests *telemetry.Requests) func(platform.Adapter, platform.Config) (*platform.Client, observe.MediaFetcher, error) {
	return func(adapter platform.Adapter, cfg platform.Config) (*platform.Client, observe.MediaFetcher, error) {
		cfg.Hosts = adapter.HostsAt(cfg.Endpoint)
		cfg.HTTP = platform.NewHTTPClient(platform.TransportConfig{
			Endpoint: cfg.Endpoint, Also: slices.Collect(maps.Values(cfg.Hosts)), Observe: requests.Of(adapter.Name), Now: cfg.Now,
		})
		cfg.Notice = func(text, version string) {
			ctrl.Log.WithName("platform").Info(text, "platform", adapter.Name, "version", version)
		}
		opened, err := adapter.Open(cfg)
		return opened, images(adapter, cfg.Endpoint), err
	}
}

// images fetches a platform's profile images: from the platform's own image
// hosts, and from the endpoint itself where it is a loopback address.
func images(adapter platform.Adapter, endpoint string) observe.MediaFetcher {
	hosts := adapter.MediaHosts
	if u, err := url.Parse(endpoint); err == nil && u.Scheme == "http" {
		hosts = append(slices.Clone(hosts), u.Host)
	}
	return media.Hashes{Fetcher: media.New(media.Config{Hosts: hosts})}
}
