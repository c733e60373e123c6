package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"mithaq.dev/mithaq/hack/bench/measure"
	"mithaq.dev/mithaq/hack/local"
)

// operator is the operator's process and where it answers.
type operator struct {
	*local.Process
	started                time.Time
	metrics, health, pprof string
}

// shipped are the arguments and the environment of the Deployment that is shipped: what
// is measured is what is installed.
func shipped(root string) (args, env []string, err error) {
	raw, err := os.ReadFile(filepath.Join(root, "config/manager/deployment.yaml"))
	if err != nil {
		return nil, nil, err
	}
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict(raw, &d); err != nil {
		return nil, nil, fmt.Errorf("reading the Deployment: %w", err)
	}
	if len(d.Spec.Template.Spec.Containers) != 1 {
		return nil, nil, fmt.Errorf("the Deployment has %d containers, not 1", len(d.Spec.Template.Spec.Containers))
	}
	c := d.Spec.Template.Spec.Containers[0]
	for _, e := range c.Env {
		value, err := valueOf(e, c)
		if err != nil {
			return nil, nil, err
		}
		env = append(env, e.Name+"="+value)
	}
	return c.Args, env, nil
}

// valueOf is what the kubelet would put into a variable.
func valueOf(e corev1.EnvVar, c corev1.Container) (string, error) {
	from := e.ValueFrom
	switch {
	case from == nil:
		return e.Value, nil
	case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.namespace":
		return local.Namespace, nil
	case from.FieldRef != nil && from.FieldRef.FieldPath == "status.podIP":
		return "127.0.0.1", nil
	case from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.memory":
		return fmt.Sprint(c.Resources.Limits.Memory().Value()), nil
	}
	return "", fmt.Errorf("the Deployment takes %s from somewhere that this benchmark does not know", e.Name)
}

// startOperator starts the one that acts for the whole fleet.
func (b *bench) startOperator(ctx context.Context) (err error) {
	b.operator, err = b.launch(ctx, "operator", b.more...)
	return err
}

// launch starts one with the shipped arguments, some more, and what the loopback needs
// beside them: plain http to the simulator, plain metrics, ports of its own.
func (b *bench) launch(ctx context.Context, name string, more ...string) (*operator, error) {
	args, env, err := shipped(b.root)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := b.cluster.OperatorKubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	o := &operator{}
	for _, address := range []*string{&o.metrics, &o.health, &o.pprof} {
		if *address, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	args = append(args, "--metrics-bind-address="+o.metrics, "--health-probe-bind-address="+o.health, "--metrics-secure=false", "--allow-insecure-endpoints")
	if b.profiles {
		args = append(args, "--pprof-bind-address="+o.pprof)
	}
	if len(more) == 0 {
		b.result.Settings.Flags, b.result.Settings.Environment = args, env
	}
	args = append(args, more...)
	o.started = time.Now()
	o.Process, err = local.Start(b.place(), name, append(env, "KUBECONFIG="+kubeconfig), append([]string{filepath.Join(b.bin, "mithaq")}, args...)...)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// stopOperator ends it as a cluster would.
func (b *bench) stopOperator() error {
	o := b.operator
	b.operator = nil
	if o == nil {
		return nil
	}
	return o.Stop()
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// ready says whether its caches are in sync.
func (o *operator) ready(ctx context.Context) bool {
	_, err := get(ctx, "http://"+o.health+"/readyz")
	return err == nil
}

// reconciled is how many times it has looked at an account's state since it started.
func (o *operator) reconciled(ctx context.Context) (int, error) {
	return o.counter(ctx, "controller_runtime_reconcile_total", map[string]string{"controller": "socialaccount"})
}

// reviewed is how many accounts it has judged since it started because an edition changed.
func (o *operator) reviewed(ctx context.Context) (int, error) {
	return o.counter(ctx, "mithaq_policy_reviewed_accounts_total", nil)
}

func (o *operator) counter(ctx context.Context, name string, labels map[string]string) (int, error) {
	page, err := get(ctx, "http://"+o.metrics+"/metrics")
	if err != nil {
		return 0, fmt.Errorf("reading the operator's metrics: %w", err)
	}
	return measure.Counter(page, name, labels)
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	return measure.Fetch(req)
}

// writes counts the API server's writes.
func (b *bench) writes(ctx context.Context) (measure.Requests, error) {
	return measure.WritesOf(ctx, func(ctx context.Context) ([]byte, error) {
		return b.raw.Get().AbsPath("/metrics").DoRaw(ctx)
	})
}
