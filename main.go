// Command mithaq is the operator: it governs official social-media accounts that
// are declared as Kubernetes objects. This file holds the flags and the wiring
// and is the only importer of the platforms' adapters.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	goruntime "runtime"

	"k8s.io/apimachinery/pkg/types"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // credentials of clusters, when run outside of one
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/controllers/governancepolicy"
	"mithaq.dev/mithaq/controllers/handover"
	"mithaq.dev/mithaq/controllers/platformconnection"
	"mithaq.dev/mithaq/controllers/socialaccount"
	"mithaq.dev/mithaq/internal/compact"
	"mithaq.dev/mithaq/internal/connection"
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
	"mithaq.dev/mithaq/internal/process"
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
	if o.PprofAddress != "" {
		// One contention in a hundred: enough to see what is fought for.
		goruntime.SetMutexProfileFraction(100)
	}
	telemetry.RegisterVersion(metrics.Registry, version)
	return process.Process{
		Options: o, Version: version, Patience: handover.ShutdownPatience,
		Wire: func(ctx context.Context, mgr manager.Manager, of process.Scope) error { return wire(ctx, mgr, of, o) },
	}.Run(ctx)
}

// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=mithaq-system,resources=leases,verbs=get;create;update;patch
// Leader election still records its events in the core group.
// +kubebuilder:rbac:groups="",namespace=mithaq-system,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// wire puts everything together.
func wire(ctx context.Context, mgr manager.Manager, of process.Scope, o settings.Options) error {
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
	fleet, err := compact.Of(ctx, mgr.GetCache())
	if err != nil {
		return err
	}
	if err := telemetry.RegisterFleet(of.Registry, fleet); err != nil {
		return err
	}
	secrets, err := process.PastCache(mgr) // no token may lie in a cache
	if err != nil {
		return err
	}
	keeper := &custody.Keeper{Client: secrets, Namespace: o.Namespace}
	wallet := custody.NewWallet(keeper)
	engine := observe.New(observe.Config{
		Clock: clock.RealClock{}, Log: mgr.GetLogger().WithName("observe"), Registry: of.Registry, Tokens: wallet, Since: of.Since,
	})
	if err := mgr.Add(engine); err != nil {
		return fmt.Errorf("adding the observation engine: %w", err)
	}
	s := shared{
		Scope: of, fleet: fleet, engine: engine, apps: custody.NewApps(), keeper: keeper, wallet: wallet, secrets: secrets,
		editions: edition.NewStore(o.Namespace, mgr.GetClient(), mgr.GetAPIReader()),
	}
	if err := handovers(ctx, mgr, o, s); err != nil {
		return err
	}
	return controllers(mgr, s, o)
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
	process.Scope
	fleet    *compact.Accounts
	engine   *observe.Engine
	apps     *custody.Apps
	editions *edition.Store
	keeper   *custody.Keeper
	// wallet lends accounts' own tokens to the engine, for what nothing else reads.
	wallet *custody.Wallet
	// secrets reads and writes Secrets past any cache.
	secrets client.Client
}

// controllers sets the reconcilers up.
func controllers(mgr ctrl.Manager, s shared, o settings.Options) error {
	known := adapters()
	readable := map[v1alpha1.PlatformName]governance.Facts{}
	for name, adapter := range known {
		readable[name] = governance.Facts(adapter.Readable)
	}
	counts := wake.NewSource()
	judged := tally.New(func(policy string) {
		counts.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Name: policy}}, o.CountsSettle)
	})
	if err := socialaccount.Setup(mgr, socialaccount.Config{
		Client: mgr.GetClient(), Fleet: s.fleet, Observer: s.engine, Editions: s.editions, Tally: judged, Roster: s.Roster, Mine: s.Mine,
		Recorder: mgr.GetEventRecorder(socialaccount.Name), Clock: clock.RealClock{}, Readable: readable,
		Defaults:  governance.Cadence{ProfileEvery: o.ProfileEvery, ActivityEvery: o.ActivityEvery, StaleAfter: o.StaleAfter},
		FirstLook: o.FirstLook, Workers: o.Workers, Reviewed: telemetry.NewReviews(s.Registry),
	}); err != nil {
		return fmt.Errorf("setting up the account controller: %w", err)
	}
	if err := governancepolicy.Setup(mgr, governancepolicy.Config{
		Client: mgr.GetClient(), Fleet: s.fleet, Editions: s.editions, Tally: judged, Counts: counts, Settle: o.CountsSettle,
		Recorder: mgr.GetEventRecorder(governancepolicy.Name), Clock: clock.RealClock{}, Readable: readable,
		Board: s.Board(governancepolicy.BoardKind), Epoch: s.Epoch, AccountsOf: s.AccountsOf(),
	}); err != nil {
		return fmt.Errorf("setting up the policy controller: %w", err)
	}
	if err := platformconnection.Setup(mgr, platformconnection.Config{
		Client: mgr.GetClient(), Secrets: s.secrets, Observer: s.engine, Adapters: known, Apps: s.apps, Namespace: o.Namespace,
		Recorder: mgr.GetEventRecorder(platformconnection.Name), Clock: clock.RealClock{},
		Board: s.Board(platformconnection.BoardKind), Part: s.Part, Epoch: s.Epoch, Books: s.Books,
		Endpoints: platformconnection.EndpointRules{AllowedHosts: o.Hosts(), AllowInsecure: o.AllowInsecure},
		Open:      connection.Opener(telemetry.NewRequests(s.Registry)),
	}); err != nil {
		return fmt.Errorf("setting up the connection controller: %w", err)
	}
	return nil
}

// handovers sets up the rotation of credentials and the consent service.
func handovers(ctx context.Context, mgr ctrl.Manager, o settings.Options, s shared) error {
	desk := consent.NewDesk(o.ConsentURL)
	switch {
	case s.Front != nil:
		s.Front.Open(ctx, s.Part.Index, desk)
	case o.ConsentURL != "":
		if err := mgr.Add(&consent.Server{Desk: desk, Address: o.ConsentAddress, Leads: mgr.Elected(), Clock: clock.RealClock{}}); err != nil {
			return fmt.Errorf("adding the consent service: %w", err)
		}
	}
	if err := handover.Setup(ctx, mgr, handover.Config{
		Client: mgr.GetClient(), Fleet: s.fleet.WithCredentials(), Secrets: s.secrets, Keeper: s.keeper, Wallet: s.wallet, Apps: s.apps, Guard: s.Guard,
		Consents: desk, Consented: desk.Source(), Editions: s.editions, Recorder: mgr.GetEventRecorder(handover.Name), Clock: clock.RealClock{},
		Perform: custody.Perform, Random: custody.Random, Budgets: s.engine, Told: telemetry.NewHandovers(s.Registry), Workers: o.HandoverWorkers,
	}); err != nil {
		return fmt.Errorf("setting up the handover controller: %w", err)
	}
	return nil
}
