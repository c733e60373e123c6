package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/local"
)

// applySamples applies the samples file by file, in the order of their names. A
// file named 90-… comes a second later, so that its objects are younger.
func applySamples(ctx context.Context, o options, c *local.Cluster, addresses map[string]string) (int, error) {
	objects, err := local.Read(filepath.Join(o.root, o.samples))
	if err != nil {
		return 0, err
	}
	waited := false
	for n, object := range objects {
		if err := point(object, addresses); err != nil {
			return n, err
		}
		if local.Late(object) && !waited {
			waited = true
			select {
			case <-ctx.Done():
				return n, ctx.Err()
			case <-time.After(1100 * time.Millisecond):
			}
		}
		if err := c.Apply(ctx, object); err != nil {
			return n, err
		}
	}
	return len(objects), nil
}

// point leads a sample connection to where the simulator serves its platform.
func point(object *unstructured.Unstructured, addresses map[string]string) error {
	if object.GetKind() != v1alpha1.KindPlatformConnection || !strings.HasPrefix(local.Nested(object, "spec", "endpoint"), "http://127.0.0.1") {
		return nil
	}
	platform := local.Nested(object, "spec", "platform")
	address, ok := addresses[strings.ToLower(platform)]
	if !ok {
		return fmt.Errorf("the simulator serves no %s", platform)
	}
	return unstructured.SetNestedField(object.Object, address, "spec", "endpoint")
}

// startSimulator starts the simulator. The demonstration looks every few seconds, far
// above what the platforms grant to one app: the simulator grants more, and the
// operator honours it.
func startSimulator(ctx context.Context, o options) (*local.Simulator, error) {
	return local.StartSimulator(ctx, o.place(), o.fleet, "--x-limit", "100000", "--youtube-units", "10000000", "--meta-engaged", "100000")
}

// startOperator runs the operator as its own process under its own service
// account, with the roles that are shipped and no others.
func startOperator(ctx context.Context, o options, c *local.Cluster) (*local.Process, error) {
	kubeconfig, err := c.OperatorKubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	consents, err := unused()
	if err != nil {
		return nil, err
	}
	return local.Start(o.place(), "operator", []string{"KUBECONFIG=" + kubeconfig}, filepath.Join(o.bin, "mithaq"),
		"--operator-namespace", local.Namespace, "--allow-insecure-endpoints", "--metrics-bind-address", "127.0.0.1:0",
		"--consent-url", "http://"+consents, "--consent-bind-address", consents,
		"--metrics-secure=false", "--health-probe-bind-address", "0", "--counts-settle", "1s")
}

// unused is a loopback address on which nothing listens.
func unused() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return "", fmt.Errorf("finding a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func (o options) place() local.Place { return local.Place{Root: o.root, Bin: o.bin, State: o.state} }
