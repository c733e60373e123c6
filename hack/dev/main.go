// Command dev shows Mithaq at work on one machine: a real API server, the
// platform simulator and the operator, with a sample ministry. `make run` builds
// everything and starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"
)

// options are the command's flags.
type options struct {
	once    bool
	timeout time.Duration
	bin     string
	root    string
	state   string
	fleet   string
	samples string
}

func main() {
	o := options{}
	flag.BoolVar(&o.once, "once", false, "exit when everything has converged: 0 if all is as the samples expect")
	flag.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long --once waits")
	flag.StringVar(&o.root, "root", ".", "the repository")
	flag.StringVar(&o.bin, "bin", "bin", "where the binaries are")
	flag.StringVar(&o.state, "state", ".run", "where kubeconfig and logs go")
	flag.StringVar(&o.fleet, "fleet", "hack/dev/fleet.yaml", "what the simulator serves")
	flag.StringVar(&o.samples, "samples", "config/samples", "what is applied")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "\nrun:", err)
		os.Exit(1)
	}
}

// run starts one thing after the other, shows the fleet, and ends everything that
// it started in the opposite order.
func run(ctx context.Context, o options) (err error) {
	if err := os.MkdirAll(o.state, 0o750); err != nil {
		return fmt.Errorf("creating %s: %w", o.state, err)
	}
	started := time.Now()
	say := func(format string, args ...any) {
		fmt.Printf("%5.1fs  %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
	}
	say("starting etcd and kube-apiserver")
	cluster, err := startCluster(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.stop()) }()
	say("kube-apiserver answers at %s", cluster.config.Host)

	simulator, err := startSimulator(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, simulator.stop()) }()
	say("platform simulator serves %d platforms; its control endpoint is %s", len(simulator.addresses)-1, simulator.addresses[control])

	if err := cluster.install(ctx, o, simulator.secrets); err != nil {
		return err
	}
	say("installed CRDs, roles and %d app Secrets", len(simulator.secrets))
	operator, err := startOperator(ctx, o, cluster)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, operator.stop()) }()
	say("operator runs as %s", serviceAccount)

	n, err := cluster.applySamples(ctx, o, simulator.addresses)
	if err != nil {
		return err
	}
	say("applied %d objects of %s", n, o.samples)
	show := newScreen(os.Stdout, term.IsTerminal(int(os.Stdout.Fd())) && !o.once)
	show.hints = hints(o, simulator)
	h := &handover{cluster: cluster, control: simulator.addresses[control], timeout: o.timeout, say: say}
	if o.once {
		return h.once(ctx, o, operator, show)
	}
	h.say = show.tell
	defer h.begin(ctx)()
	return watch(ctx, cluster, operator, show)
}

// hints tell how to go on from here.
func hints(o options, s *simulator) []string {
	kubeconfig, err := filepath.Abs(filepath.Join(o.state, "kubeconfig"))
	if err != nil {
		kubeconfig = filepath.Join(o.state, "kubeconfig")
	}
	return []string{
		fmt.Sprintf("export KUBECONFIG=%s    # then: %s/kubectl get mithaq -A", kubeconfig, o.bin),
		fmt.Sprintf("curl -X PATCH %s/v1/accounts/X/edu_riyadh -d '{\"displayName\":\"Hacked\"}'    # deface an account", s.addresses[control]),
		fmt.Sprintf("curl -X PUT %s/v1/faults/YouTube -d '{\"kind\":\"status\",\"status\":503}'    # an outage; DELETE ends it", s.addresses[control]),
		fmt.Sprintf("logs: %s/operator.log", o.state),
	}
}

// watch shows the fleet until somebody presses Ctrl-C.
func watch(ctx context.Context, c *cluster, operator *process, show *screen) error {
	for {
		fleet, err := c.fleet(ctx)
		if err == nil {
			show.draw(fleet)
		}
		select {
		case <-ctx.Done():
			fmt.Println("\nending")
			return nil
		case <-operator.done:
			return fmt.Errorf("the operator ended: %w; see its log", operator.err())
		case <-time.After(time.Second):
		}
	}
}
