// Command bench measures the real operator, as a process of its own with the flags
// that are shipped, on a real API server, against the platform simulator: a ministry's
// fleet of any size. `make bench` builds everything and starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/local"
)

// options are the command's flags.
type options struct {
	accounts, perConnection   int
	phases                    string
	root, bin, state          string
	out, page                 string
	pageOnly                  bool
	every, idle, patience     time.Duration
	sweeps, writers           int
	ceilingObjects, naiveSize int
	naiveEvery                time.Duration
	profiles                  bool
	rotations                 int
	divides                   bool
	clearedSize               int
	apart                     bool
}

func parse() (options, error) {
	o := options{}
	flag.IntVar(&o.accounts, "accounts", 10_000, "size of the fleet; the whole ministry is 132595")
	flag.StringVar(&o.phases, "phase", "", "comma-separated phases; what they need runs before them; default: all of "+strings.Join(names(), ", "))
	flag.StringVar(&o.root, "root", ".", "the repository")
	flag.StringVar(&o.bin, "bin", "bin", "where the binaries are")
	flag.StringVar(&o.state, "state", ".run/bench", "where kubeconfigs, logs and profiles go")
	flag.StringVar(&o.out, "out", "bin/bench.json", "where the figures go; a copy is kept by size, beside it")
	flag.StringVar(&o.page, "page", "", "also write the figures of all sizes into this page, between its markers")
	flag.BoolVar(&o.pageOnly, "page-only", false, "run nothing: write the page from the runs that there are")
	flag.DurationVar(&o.every, "every", 90*time.Second, "interval between two looks at an account while sweeps are measured")
	flag.DurationVar(&o.idle, "idle", time.Hour, "interval before that, the operator's default")
	flag.DurationVar(&o.patience, "patience", 45*time.Minute, "how long a phase may take")
	flag.IntVar(&o.sweeps, "sweeps", 3, "sweeps of the steady phase")
	flag.IntVar(&o.writers, "writers", 16, "parallel writers of the setup and of the raw ceiling")
	flag.IntVar(&o.perConnection, "per-connection", 2500, "accounts of a connection to Facebook or Instagram")
	flag.IntVar(&o.ceilingObjects, "ceiling-objects", 20_000, "objects of the raw ceiling, at most the size of the fleet; enough that the API server collects its garbage meanwhile, as it does while a fleet converges")
	flag.IntVar(&o.naiveSize, "naive-accounts", 2000, "accounts of the naive controller, at most X's of the fleet")
	flag.DurationVar(&o.naiveEvery, "naive-every", 30*time.Second, "the naive controller's interval")
	flag.BoolVar(&o.profiles, "profiles", false, "take CPU and heap profiles of the operator; costs a little")
	flag.IntVar(&o.rotations, "rotations", 1000, "accounts that change hands at once, at most the size of the fleet")
	flag.BoolVar(&o.divides, "divides", true, "the API server divides lists and watches by itself where it is asked to: its gate "+shardedGate)
	flag.IntVar(&o.clearedSize, "cleared-accounts", 2000, "accounts whose statuses the shards phase takes away and has written anew, by one process and by three; at most the size of the fleet")
	flag.BoolVar(&o.apart, "apart", false, "give etcd and kube-apiserver one half of the CPUs and everything else the other, as on a cluster whose control plane has machines of its own; kept beside the other figures, by size")
	flag.Parse()
	return o, o.check()
}

func (o options) check() error {
	if o.pageOnly && o.page == "" {
		return errors.New("--page-only needs --page")
	}
	if flag.NArg() > 0 || min(o.sweeps, o.writers, o.naiveSize, o.ceilingObjects, o.clearedSize, o.rotations) < 1 || min(o.every, o.naiveEvery) < time.Second {
		return errors.New("an argument that is no flag, or a number below 1, or an interval below 1s")
	}
	return nil
}

func (o options) place() local.Place { return local.Place{Root: o.root, Bin: o.bin, State: o.state} }

func main() {
	o, err := parse()
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if o.pageOnly {
			err = writePage(o.page, filepath.Dir(o.out))
		} else {
			err = run(ctx, o)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nbench:", err)
		os.Exit(1)
	}
}

// run prepares, runs the phases and ends everything in the opposite order: the
// operator, the simulator, the API server, etcd.
func run(ctx context.Context, o options) (err error) {
	wanted, err := selected(o.phases)
	if err != nil {
		return err
	}
	f, err := fleet.New(o.accounts, o.perConnection)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.state, 0o750); err != nil {
		return fmt.Errorf("creating %s: %w", o.state, err)
	}
	b := &bench{options: o, fleet: f, say: newTeller(os.Stdout), result: newResult(o, f), handing: wanted["massHandover"]}
	defer func() { err = errors.Join(err, b.stop()) }()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.play(ctx, wanted)
	return errors.Join(ctx.Err(), b.report(ctx))
}

// report prints and saves the figures, of a run that was interrupted those that it has. A
// phase that failed is an error; a target that was missed is a figure.
func (b *bench) report(ctx context.Context) error {
	b.result.judge()
	b.say.done()
	fmt.Fprint(os.Stdout, "\n", b.result.table(), "\n")
	if err := b.result.save(b.out); err != nil {
		return err
	}
	b.say.line("figures: %s, logs: %s", b.out, b.state)
	if b.page != "" && ctx.Err() == nil {
		if err := writePage(b.page, filepath.Dir(b.out)); err != nil {
			return err
		}
	}
	return b.result.failures()
}
