package main

import (
	"errors"
	"flag"
	"strings"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/platform"
)

func TestFlags(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no namespace":              {nil, "namespace is not known"},
		"unknown flag":              {[]string{"--nonsense"}, "not defined"},
		"an argument":               {[]string{"--operator-namespace=a", "b"}, `unexpected argument "b"`},
		"no workers":                {[]string{"--operator-namespace=a", "--account-workers=0"}, "--account-workers"},
		"stale before looked again": {[]string{"--operator-namespace=a", "--default-profile-every=2h", "--default-stale-after=1h"}, "--default-stale-after"},
		"interval of nothing":       {[]string{"--operator-namespace=a", "--default-profile-every=0s"}, "--default-profile-every"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(c.args); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := parse([]string{"--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: got error %v", err)
	}
}

func TestFlagsFromTheEnvironment(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "mithaq-system")
	o, err := parse([]string{"--allowed-hosts", "a.example, b.example:8443"})
	if err != nil {
		t.Fatal(err)
	}
	if o.namespace != "mithaq-system" {
		t.Errorf("got namespace %q", o.namespace)
	}
	if hosts := o.hosts(); len(hosts) != 2 || hosts[0] != "a.example" || hosts[1] != "b.example:8443" {
		t.Errorf("got hosts %q", hosts)
	}
}

// TestImagesOnlyFromKnownHosts: an image URL comes out of an answer that anybody
// can write into.
func TestImagesOnlyFromKnownHosts(t *testing.T) {
	adapter := adapters()[v1alpha1.PlatformX]
	_, _, err := images(adapter, "https://api.x.com").Fetch(t.Context(), "http://127.0.0.1:1/secret.png")
	if platform.KindOf(err) != platform.KindInvalid {
		t.Errorf("an image of another host: got %v, want it refused as invalid", err)
	}
	_, _, err = images(adapter, "http://127.0.0.1:1").Fetch(t.Context(), "http://127.0.0.1:1/image.png")
	if platform.KindOf(err) != platform.KindUnavailable {
		t.Errorf("an image of a loopback endpoint where nobody listens: got %v, want unavailable", err)
	}
}
