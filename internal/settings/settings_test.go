package settings

import (
	"errors"
	"flag"
	"strings"
	"testing"
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
		"consent in the clear":      {[]string{"--operator-namespace=a", "--consent-url=http://mithaq.example"}, "must be https"},
		"loopback without leave":    {[]string{"--operator-namespace=a", "--consent-url=http://127.0.0.1:1"}, "--allow-insecure-endpoints"},
		"no shards":                 {[]string{"--operator-namespace=a", "--shards=0"}, "--shards must be"},
		"too many shards":           {[]string{"--operator-namespace=a", "--leader-elect", "--shards=65"}, "--shards must be"},
		"shards without leases":     {[]string{"--operator-namespace=a", "--shards=3"}, "--leader-elect"},
		"consent with a query":      {[]string{"--operator-namespace=a", "--consent-url=https://mithaq.example/?a=b"}, "no base URL"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(c.args); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := Parse([]string{"--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: got error %v", err)
	}
}

func TestFlagsFromTheEnvironment(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "mithaq-system")
	o, err := Parse([]string{"--allowed-hosts", "a.example, b.example:8443", "--consent-url=http://127.0.0.1:8082", "--allow-insecure-endpoints"})
	if err != nil {
		t.Fatal(err)
	}
	if o.Namespace != "mithaq-system" {
		t.Errorf("got namespace %q", o.Namespace)
	}
	if hosts := o.Hosts(); len(hosts) != 2 || hosts[0] != "a.example" || hosts[1] != "b.example:8443" {
		t.Errorf("got hosts %q", hosts)
	}
}

func TestShardsAndTheConsentServiceGoTogether(t *testing.T) {
	t.Setenv("POD_IP", "10.0.0.7")
	o, err := Parse([]string{"--operator-namespace=a", "--leader-elect", "--shards=3", "--consent-url=https://mithaq.example", "--consent-peer-bind-address=:9443"})
	if err != nil || o.PodIP != "10.0.0.7" || o.ConsentPeerAddress != ":9443" {
		t.Errorf("got %q at %q, %v", o.ConsentPeerAddress, o.PodIP, err)
	}
}
