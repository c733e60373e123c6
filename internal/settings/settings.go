// Package settings reads the operator's flags.
package settings

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"mithaq.dev/mithaq/internal/shard"
)

// Options are the operator's flags.
type Options struct {
	MetricsAddress string
	MetricsSecure  bool
	HealthAddress  string
	// PprofAddress is where profiles are served; empty: nowhere.
	PprofAddress   string
	LeaderElection bool
	// Namespace is the operator's own.
	Namespace       string
	allowedHosts    string
	AllowInsecure   bool
	Workers         int
	HandoverWorkers int
	// Shards is into how many parts the accounts are divided; 1: they are not.
	Shards        int
	QPS           float64
	ProfileEvery  time.Duration
	ActivityEvery time.Duration
	StaleAfter    time.Duration
	FirstLook     time.Duration
	CountsSettle  time.Duration
	// ConsentURL is the public address of the consent service, ConsentAddress where
	// it listens; both empty: it is off.
	ConsentURL     string
	ConsentAddress string
	// ConsentPeerAddress is where other replicas hand on what is for an account of this
	// one's shards, and PodIP how they reach it if that names no host.
	ConsentPeerAddress string
	PodIP              string
	PrintVersion       bool
	Logging            zap.Options
}

// Hosts are the hosts of --allowed-hosts.
func (o Options) Hosts() []string {
	return strings.FieldsFunc(o.allowedHosts, func(r rune) bool { return r == ',' || r == ' ' })
}

// Parse reads the flags. Its error is flag.ErrHelp after --help.
func Parse(args []string) (Options, error) {
	o := Options{PodIP: os.Getenv("POD_IP"), Logging: zap.Options{Development: false}}
	fs := flag.NewFlagSet("mithaq", flag.ContinueOnError)
	o.serving(fs)
	o.judging(fs)
	fs.StringVar(&o.Namespace, "operator-namespace", os.Getenv("POD_NAMESPACE"), "namespace of app Secrets, vaults, accepted editions and the lease; default: $POD_NAMESPACE")
	fs.BoolVar(&o.PrintVersion, "version", false, "print the version and exit")
	o.Logging.BindFlags(fs)
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	return o, o.check()
}

// serving are the flags of what the process serves and asks of the API server.
func (o *Options) serving(fs *flag.FlagSet) {
	fs.StringVar(&o.MetricsAddress, "metrics-bind-address", ":8443", "address of the metrics endpoint; 0 turns it off")
	fs.BoolVar(&o.MetricsSecure, "metrics-secure", true, "serve metrics over TLS to callers that the API server authorizes")
	fs.StringVar(&o.HealthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 turns them off")
	fs.StringVar(&o.PprofAddress, "pprof-bind-address", "", "address where CPU, heap and mutex profiles are served, to anybody who reaches it: best a loopback one; empty turns them off")
	fs.BoolVar(&o.LeaderElection, "leader-elect", false, "act only while holding the lease; needed with more than one replica")
	fs.IntVar(&o.Shards, "shards", 1, "into how many parts the accounts are divided among the replicas; more than 1 needs --leader-elect")
	fs.StringVar(&o.allowedHosts, "allowed-hosts", "", "comma-separated hosts, or host:port, that endpoints may name beside the platforms' own")
	fs.BoolVar(&o.AllowInsecure, "allow-insecure-endpoints", false, "permit plain http endpoints, and a plain http consent service, on loopback addresses")
	fs.IntVar(&o.Workers, "account-workers", 16, "accounts reconciled at a time; more than 16 only adds latency at the API server")
	fs.IntVar(&o.HandoverWorkers, "handover-workers", 8, "accounts whose credentials are handled at a time; each may hold one call to a platform")
	fs.Float64Var(&o.QPS, "kube-api-qps", 0, "client-side limit of API requests a second; 0 leaves it to the server's priority and fairness")
	fs.StringVar(&o.ConsentURL, "consent-url", "", "public https address of the consent service, such as https://mithaq.edu.example; empty turns it off")
	fs.StringVar(&o.ConsentAddress, "consent-bind-address", ":8082", "address where the consent service listens, if --consent-url is set")
	fs.StringVar(&o.ConsentPeerAddress, "consent-peer-bind-address", ":8083", "address where other replicas hand on what came to them, with --consent-url and --shards; they reach it at $POD_IP unless it names a host")
}

// judging are the flags of what holds where no policy says otherwise.
func (o *Options) judging(fs *flag.FlagSet) {
	fs.DurationVar(&o.ProfileEvery, "default-profile-every", time.Hour, "time between two looks at a profile, where no policy says; a look may come a fiftieth of it later")
	fs.DurationVar(&o.ActivityEvery, "default-activity-every", 6*time.Hour, "longest time between two looks at posts, where no policy says")
	fs.DurationVar(&o.StaleAfter, "default-stale-after", 6*time.Hour, "age at which knowledge is stale, where no policy says")
	fs.DurationVar(&o.FirstLook, "first-look", 15*time.Second, "how long the first status of an account waits for the first look, so that both cost one write")
	fs.DurationVar(&o.CountsSettle, "counts-settle", 5*time.Second, "how often the counts of a policy are written at most")
}

func (o *Options) check() error {
	if !o.PrintVersion && o.Namespace == "" {
		return errors.New("the operator's namespace is not known: set --operator-namespace or $POD_NAMESPACE")
	}
	if o.Workers < 1 || o.HandoverWorkers < 1 || o.ProfileEvery < time.Second || o.StaleAfter < o.ProfileEvery {
		return errors.New("--account-workers and --handover-workers must be at least 1, --default-profile-every at least 1s, --default-stale-after no shorter than it")
	}
	if err := o.checkShards(); err != nil {
		return err
	}
	return o.checkConsent()
}

func (o *Options) checkShards() error {
	switch {
	case o.Shards < 1 || o.Shards > shard.Max:
		return fmt.Errorf("--shards must be 1 to %d", shard.Max)
	case o.Shards > 1 && !o.LeaderElection:
		return errors.New("--shards needs --leader-elect: each shard has a lease")
	}
	return nil
}

// checkConsent: tokens come through this address, so it is https, or a loopback
// address in development.
func (o *Options) checkConsent() error {
	if o.ConsentURL == "" {
		return nil
	}
	u, err := url.Parse(o.ConsentURL)
	if err != nil || !isBase(u) {
		return errors.New("--consent-url is no base URL")
	}
	if u.Scheme != "https" && !(o.AllowInsecure && u.Scheme == "http" && isLoopback(u.Hostname())) {
		return errors.New("--consent-url must be https; http is for loopback addresses with --allow-insecure-endpoints")
	}
	return nil
}

func isBase(u *url.URL) bool {
	return u.Host != "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

func isLoopback(host string) bool { return host == "127.0.0.1" || host == "localhost" || host == "::1" }
