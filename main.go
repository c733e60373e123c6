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
	"mithaq.dev/mithaq/controllers/handover"
	"mithaq.dev/mithaq/controllers/platformconnection"
	"mithaq.dev/mithaq/controllers/socialaccount"
	"mithaq.dev/mithaq/internal/consent"
	"mithaq.dev/mithaq/internal/custody"
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
	"mithaq.dev/mithaq/internal/settings"
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

func run(ctx context.Context, args []string) error {
	o, err := settings.Parse(args)
	if err != nil {
		return err
	}
	if o.PrintVersion {
		fmt.Println("mithaq", version)
		return nil
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.Logging)))
	mgr, leader, err := newManager(o)
	if err != nil {
		return err
	}
	if err := wire(ctx, mgr, leader, o); err != nil {
		return err
	}
	ctrl.Log.Info("Starting", "version", version, "operatorNamespace", o.Namespace)
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

func newManager(o settings.Options) (manager.Manager, *custody.Leadership, error) {
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return nil, nil, fmt.Errorf("finding the cluster: %w", err)
	}
	cfg.QPS = float32(o.QPS)
	if o.QPS == 0 {
		cfg.QPS = -1
	}
	served := metricsserver.Options{BindAddress: o.MetricsAddress, SecureServing: o.MetricsSecure}
	if o.MetricsSecure {
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
		served.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 }}
	}
	leader, err := custody.NewLeadership(cfg, o.Namespace, o.LeaderElection)
	if err != nil {
		return nil, nil, err
	}
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme:                              newScheme(),
		Metrics:                             served,
		HealthProbeBindAddress:              o.HealthAddress,
		LeaderElection:                      o.LeaderElection,
		LeaderElectionID:                    custody.LeaseName,
		LeaderElectionNamespace:             o.Namespace,
		LeaderElectionResourceLockInterface: leader.Lock,
		LeaderElectionReleaseOnCancel:       true,
		GracefulShutdownTimeout:             ptr.To(handover.ShutdownPatience),
		LeaseDuration:                       ptr.To(custody.LeaseDuration),
		RenewDeadline:                       ptr.To(custody.RenewDeadline),
		RetryPeriod:                         ptr.To(custody.RetryPeriod),
		Cache:                               cacheOptions(o.Namespace),
		Client: client.Options{Cache: &client.CacheOptions{
			EnableReadYourWritesConsistency: ptr.To(true),
		}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("creating the manager: %w", err)
	}
	return mgr, leader, nil
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
func wire(ctx context.Context, mgr manager.Manager, leader *custody.Leadership, o settings.Options) error {
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
	// The manager's own client would open an informer even for what it only writes,
	// to see its own writes. No token may lie in a cache.
	secrets, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return fmt.Errorf("creating the client for Secrets: %w", err)
	}
	s := shared{engine: engine, apps: custody.NewApps(), editions: edition.NewStore(o.Namespace, mgr.GetClient(), mgr.GetAPIReader()), secrets: secrets}
	if err := handovers(ctx, mgr, o, leader.Guard(mgr.GetAPIReader(), clock.RealClock{}), s); err != nil {
		return err
	}
	return controllers(ctx, mgr, s, o)
}

// adapters are the platforms that this version speaks to.
func adapters() map[v1alpha1.PlatformName]platform.Adapter {
	return map[v1alpha1.PlatformName]platform.Adapter{
		v1alpha1.PlatformX: x.Adapter(), v1alpha1.PlatformInstagram: instagram.Adapter(), v1alpha1.PlatformSnapchat: snapchat.Adapter(),
		v1alpha1.PlatformYouTube: youtube.Adapter(), v1alpha1.PlatformFacebook: facebook.Adapter(),
	}
}

// shared is what several controllers work with.
type shared struct {
	engine   *observe.Engine
	apps     *custody.Apps
	editions *edition.Store
	// secrets reads and writes Secrets past any cache.
	secrets client.Client
}

// controllers sets the reconcilers up.
func controllers(ctx context.Context, mgr ctrl.Manager, s shared, o settings.Options) error {
	known := adapters()
	readable := map[v1alpha1.PlatformName]governance.Facts{}
	for name, adapter := range known {
		readable[name] = governance.Facts(adapter.Readable)
	}
	counts := wake.NewSource()
	fleet := tally.New(func(policy string) {
		counts.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Name: policy}}, o.CountsSettle)
	})
	if err := socialaccount.Setup(ctx, mgr, socialaccount.Config{
		Client: mgr.GetClient(), Observer: s.engine, Editions: s.editions, Tally: fleet,
		Recorder: mgr.GetEventRecorder(socialaccount.Name), Clock: clock.RealClock{}, Readable: readable,
		Defaults:  governance.Cadence{ProfileEvery: o.ProfileEvery, ActivityEvery: o.ActivityEvery, StaleAfter: o.StaleAfter},
		FirstLook: o.FirstLook, Workers: o.Workers,
	}); err != nil {
		return fmt.Errorf("setting up the account controller: %w", err)
	}
	if err := governancepolicy.Setup(mgr, governancepolicy.Config{
		Client: mgr.GetClient(), Editions: s.editions, Tally: fleet, Counts: counts, Settle: o.CountsSettle,
		Recorder: mgr.GetEventRecorder(governancepolicy.Name), Clock: clock.RealClock{}, Readable: readable,
	}); err != nil {
		return fmt.Errorf("setting up the policy controller: %w", err)
	}
	if err := platformconnection.Setup(mgr, platformconnection.Config{
		Client: mgr.GetClient(), Secrets: s.secrets, Observer: s.engine, Adapters: known, Apps: s.apps, Namespace: o.Namespace,
		Recorder: mgr.GetEventRecorder(platformconnection.Name), Clock: clock.RealClock{},
		Endpoints: platformconnection.EndpointRules{AllowedHosts: o.Hosts(), AllowInsecure: o.AllowInsecure},
		Open:      opener(telemetry.NewRequests(metrics.Registry)),
	}); err != nil {
		return fmt.Errorf("setting up the connection controller: %w", err)
	}
	return nil
}

// handovers sets up the rotation of credentials and the consent service.
func handovers(ctx context.Context, mgr ctrl.Manager, o settings.Options, guard *custody.Guard, s shared) error {
	desk := consent.NewDesk(o.ConsentURL)
	if o.ConsentURL != "" {
		if err := mgr.Add(&consent.Server{Desk: desk, Address: o.ConsentAddress, Leads: mgr.Elected(), Clock: clock.RealClock{}}); err != nil {
			return fmt.Errorf("adding the consent service: %w", err)
		}
	}
	if err := handover.Setup(ctx, mgr, handover.Config{
		Client: mgr.GetClient(), Secrets: s.secrets, Keeper: &custody.Keeper{Client: s.secrets, Namespace: o.Namespace}, Apps: s.apps, Guard: guard,
		Consents: desk, Consented: desk.Source(), Editions: s.editions, Recorder: mgr.GetEventRecorder(handover.Name), Clock: clock.RealClock{},
		Perform: custody.Perform, Random: custody.Random, Told: telemetry.NewHandovers(metrics.Registry), Workers: o.HandoverWorkers,
	}); err != nil {
		return fmt.Errorf("setting up the handover controller: %w", err)
	}
	return nil
}
