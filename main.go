// Command mithaq is the operator: it governs official social-media accounts that
// are declared as Kubernetes objects. This file holds the flags and the wiring
// and is the only importer of the platforms' adapters.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // credentials of clusters, when run outside of one
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/controllers/governancepolicy"
	"mithaq.dev/mithaq/controllers/platformconnection"
	"mithaq.dev/mithaq/controllers/socialaccount"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/facebook"
	"mithaq.dev/mithaq/internal/platform/instagram"
	"mithaq.dev/mithaq/internal/platform/snapchat"
	"mithaq.dev/mithaq/internal/platform/x"
	"mithaq.dev/mithaq/internal/platform/youtube"
	"mithaq.dev/mithaq/internal/policytest"
	"mithaq.dev/mithaq/internal/tally"
	"mithaq.dev/mithaq/internal/telemetry"
	"mithaq.dev/mithaq/internal/wake"
)

// version is stamped at build time.
var version = "unknown"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "policy" {
		os.Exit(policytest.Main(os.Args[2:], os.Stdout, os.Stderr))
	}
	if err := run(ctrl.SetupSignalHandler(), os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "mithaq:", err)
		os.Exit(1)
	}
}

// options are the operator's flags.
type options struct {
	metricsAddress string
	metricsSecure  bool
	healthAddress  string
	leaderElection bool
	namespace      string
	allowedHosts   string
	allowInsecure  bool
	workers        int
	qps            float64
	profileEvery   time.Duration
	activityEvery  time.Duration
	staleAfter     time.Duration
	firstLook      time.Duration
	countsSettle   time.Duration
	printVersion   bool
	logging        zap.Options
}

// hosts are the hosts of --allowed-hosts.
func (o options) hosts() []string {
	return strings.FieldsFunc(o.allowedHosts, func(r rune) bool { return r == ',' || r == ' ' })
}

func parse(args []string) (options, error) {
	o := options{logging: zap.Options{Development: false}}
	fs := flag.NewFlagSet("mithaq", flag.ContinueOnError)
	fs.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "address of the metrics endpoint; 0 turns it off")
	fs.BoolVar(&o.metricsSecure, "metrics-secure", true, "serve metrics over TLS to callers that the API server authorizes")
	fs.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 turns them off")
	fs.BoolVar(&o.leaderElection, "leader-elect", false, "act only while holding the lease; needed with more than one replica")
	fs.StringVar(&o.namespace, "operator-namespace", os.Getenv("POD_NAMESPACE"), "namespace of app Secrets, accepted editions and the lease; default: $POD_NAMESPACE")
	fs.StringVar(&o.allowedHosts, "allowed-hosts", "", "comma-separated hosts, or host:port, that endpoints may name beside the platforms' own")
	fs.BoolVar(&o.allowInsecure, "allow-insecure-endpoints", false, "permit plain http endpoints on loopback addresses")
	fs.IntVar(&o.workers, "account-workers", 16, "accounts reconciled at a time; more than 16 only adds latency at the API server")
	fs.Float64Var(&o.qps, "kube-api-qps", 0, "client-side limit of API requests a second; 0 leaves it to the server's priority and fairness")
	fs.DurationVar(&o.profileEvery, "default-profile-every", time.Hour, "longest time between two looks at a profile, where no policy says")
	fs.DurationVar(&o.activityEvery, "default-activity-every", 6*time.Hour, "longest time between two looks at posts, where no policy says")
	fs.DurationVar(&o.staleAfter, "default-stale-after", 6*time.Hour, "age at which knowledge is stale, where no policy says")
	fs.DurationVar(&o.firstLook, "first-look", 15*time.Second, "how long the first status of an account waits for the first look, so that both cost one write")
	fs.DurationVar(&o.countsSettle, "counts-settle", 5*time.Second, "how often the counts of a policy are written at most")
	fs.BoolVar(&o.printVersion, "version", false, "print the version and exit")
	o.logging.BindFlags(fs)
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if !o.printVersion && o.namespace == "" {
		return o, errors.New("the operator's namespace is not known: set --operator-namespace or $POD_NAMESPACE")
	}
	if o.workers < 1 || o.profileEvery < time.Second || o.staleAfter < o.profileEvery {
		return o, errors.New("--account-workers must be at least 1, --default-profile-every at least 1s, --default-stale-after no shorter than it")
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.printVersion {
		fmt.Println("mithaq", version)
		return nil
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.logging)))
	mgr, err := newManager(o)
	if err != nil {
		return err
	}
	if err := wire(ctx, mgr, o); err != nil {
		return err
	}
	ctrl.Log.Info("Starting", "version", version, "operatorNamespace", o.namespace)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=mithaq-system,resources=leases,verbs=get;create;update;patch
// Leader election still records its events in the core group.
// +kubebuilder:rbac:groups="",namespace=mithaq-system,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

func newManager(o options) (manager.Manager, error) {
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	cfg.QPS = float32(o.qps)
	if o.qps == 0 {
		cfg.QPS = -1
	}
	served := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure}
	if o.metricsSecure {
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
		served.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 }}
	}
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme:                        newScheme(),
		Metrics:                       served,
		HealthProbeBindAddress:        o.healthAddress,
		LeaderElection:                o.leaderElection,
		LeaderElectionID:              "mithaq.mithaq.dev",
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true,
		Cache:                         cacheOptions(o.namespace),
		Client: client.Options{Cache: &client.CacheOptions{
			DisableFor:                      []client.Object{&corev1.Secret{}},
			EnableReadYourWritesConsistency: ptr.To(true),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("creating the manager: %w", err)
	}
	return mgr, nil
}

// cacheOptions keep out of memory what nobody reads, and out of reach what is
// none of our business: Secrets are watched in the operator's namespace alone,
// and only their metadata.
func cacheOptions(namespace string) cache.Options {
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			secrets: {Namespaces: map[string]cache.Config{namespace: {}}},
		},
	}
}

// wire puts everything together.
func wire(ctx context.Context, mgr manager.Manager, o options) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the liveness check: %w", err)
	}
	if err := mgr.AddReadyzCheck("cache", func(req *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(req.Context()) {
			return errors.New("the cache is not in sync")
		}
		return nil
	}); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	engine := observe.New(observe.Config{Clock: clock.RealClock{}, Log: ctrl.Log.WithName("observe"), Registry: metrics.Registry})
	if err := mgr.Add(engine); err != nil {
		return fmt.Errorf("adding the observation engine: %w", err)
	}
	telemetry.RegisterFleet(metrics.Registry, mgr.GetCache())
	telemetry.RegisterVersion(metrics.Registry, version)
	return controllers(ctx, mgr, engine, o)
}

// adapters are the platforms that this version speaks to.
func adapters() map[v1alpha1.PlatformName]platform.Adapter {
	return map[v1alpha1.PlatformName]platform.Adapter{
		v1alpha1.PlatformX: x.Adapter(), v1alpha1.PlatformInstagram: instagram.Adapter(), v1alpha1.PlatformSnapchat: snapchat.Adapter(),
		v1alpha1.PlatformYouTube: youtube.Adapter(), v1alpha1.PlatformFacebook: facebook.Adapter(),
	}
}

// controllers sets the reconcilers up.
func controllers(ctx context.Context, mgr manager.Manager, engine *observe.Engine, o options) error {
	known := adapters()
	readable := map[v1alpha1.PlatformName]governance.Facts{}
	for name, adapter := range known {
		readable[name] = governance.Facts(adapter.Readable)
	}
	counts := wake.NewSource()
	fleet := tally.New(func(policy string) {
		counts.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Name: policy}}, o.countsSettle)
	})
	editions := edition.NewStore(o.namespace, mgr.GetClient(), mgr.GetAPIReader())
	if err := socialaccount.Setup(ctx, mgr, socialaccount.Config{
		Client: mgr.GetClient(), Observer: engine, Editions: editions, Tally: fleet,
		Recorder: mgr.GetEventRecorder(socialaccount.Name), Clock: clock.RealClock{}, Readable: readable,
		Defaults:  governance.Cadence{ProfileEvery: o.profileEvery, ActivityEvery: o.activityEvery, StaleAfter: o.staleAfter},
		FirstLook: o.firstLook, Workers: o.workers,
	}); err != nil {
		return fmt.Errorf("setting up the account controller: %w", err)
	}
	if err := governancepolicy.Setup(mgr, governancepolicy.Config{
		Client: mgr.GetClient(), Editions: editions, Tally: fleet, Counts: counts, Settle: o.countsSettle,
		Recorder: mgr.GetEventRecorder(governancepolicy.Name), Clock: clock.RealClock{}, Readable: readable,
	}); err != nil {
		return fmt.Errorf("setting up the policy controller: %w", err)
	}
	if err := platformconnection.Setup(mgr, platformconnection.Config{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Observer: engine, Adapters: known, Namespace: o.namespace,
		Recorder: mgr.GetEventRecorder(platformconnection.Name), Clock: clock.RealClock{},
		Endpoints: platformconnection.EndpointRules{AllowedHosts: o.hosts(), AllowInsecure: o.allowInsecure},
		Open:      opener(telemetry.NewRequests(metrics.Registry)),
	}); err != nil {
		return fmt.Errorf("setting up the connection controller: %w", err)
	}
	return nil
}
