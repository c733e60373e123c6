package process

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllerconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/consent"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/roster"
	"mithaq.dev/mithaq/internal/shard"
	"mithaq.dev/mithaq/internal/telemetry"
)

// replica is one of several processes that share the accounts. For each shard that it
// holds it runs a whole set of controllers, which knows no other accounts: the same as
// a process that is alone runs for all.
type replica struct {
	Process
	config   *rest.Config
	layout   shard.Layout
	identity string
	fleet    *roster.Roster
	stream   *roster.Stream
	// front takes what people consent to, for whichever replica acts for the account;
	// nil: the service is off.
	front *consent.Front
}

// announcedPeer is the annotation by which a shard's lease tells where its holder takes
// what people consented to.
const announcedPeer = "mithaq.dev/consent-peer"

// replicate takes part until ctx ends.
func (p Process) replicate(ctx context.Context) error {
	o := p.Options
	r, err := newReplica(p)
	if err != nil {
		return err
	}
	crew, err := r.crew()
	if err != nil {
		return err
	}
	host, err := r.host()
	if err != nil {
		return err
	}
	ctrl.Log.Info("Starting", "version", p.Version, "operatorNamespace", o.Namespace, "shards", o.Shards)
	// The host outlives what it serves: its watch feeds the roster. What a lost lease
	// leaves behind ends with the process, at once.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	served, acted := make(chan error, 1), make(chan error, 1)
	go func() { served <- host.Start(serving) }()
	go func() { acted <- crew.Run(ctx) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving: %w", errors.Join(err, errors.New("it ended by itself")))
	case err := <-acted:
		if err != nil {
			return fmt.Errorf("running: %w", err)
		}
	}
	stop()
	return <-served
}

// crew shares the shards with the other replicas. With the consent service each tells the
// others how it is reached.
func (r *replica) crew() (*shard.Crew, error) {
	o := r.Options
	leases, err := coordination.NewForConfig(r.config)
	if err != nil {
		return nil, fmt.Errorf("creating the client for leases: %w", err)
	}
	cfg := shard.Config{
		Layout: r.layout, Leases: leases, Namespace: o.Namespace, Identity: r.identity, Hold: r.hold,
		Times: leaseTimes, Clock: clock.RealClock{}, Log: ctrl.Log.WithName("shards"),
	}
	if o.ConsentURL == "" {
		return shard.NewCrew(cfg), nil
	}
	r.front = &consent.Front{Layout: r.layout, Address: o.ConsentAddress, PeerAddress: o.ConsentPeerAddress, Host: o.PodIP, Clock: clock.RealClock{}}
	announced, err := r.front.Announce()
	if err != nil {
		return nil, err
	}
	cfg.Announce = map[string]string{announcedPeer: announced}
	crew := shard.NewCrew(cfg)
	r.front.Locate = func(i int) (string, bool) {
		text, ok := crew.Announced(i)[announcedPeer]
		return text, ok
	}
	return crew, nil
}

// leaseTimes let others take a shard within custody.LeaseDuration of its holder's end:
// they see a renewal up to one look late, and that it stood still another.
var leaseTimes = shard.Times{
	Duration: custody.LeaseDuration - 2*custody.RetryPeriod, RenewBy: custody.RenewDeadline, Every: custody.RetryPeriod,
}

func newReplica(p Process) (*replica, error) {
	cfg, err := cluster(p.Options)
	if err != nil {
		return nil, err
	}
	layout, err := shard.NewLayout(p.Options.Shards)
	if err != nil {
		return nil, err
	}
	identity, err := custody.Identity()
	if err != nil {
		return nil, err
	}
	r := &replica{Process: p, config: cfg, layout: layout, identity: identity, fleet: roster.New()}
	r.stream, err = roster.NewStream(cfg, r.fleet)
	return r, err
}

// host serves metrics and probes for all that this process holds, and watches the fleet.
func (r *replica) host() (manager.Manager, error) {
	host, err := ctrl.NewManager(r.config, manager.Options{
		Scheme: newScheme(), Metrics: served(r.Options), HealthProbeBindAddress: r.Options.HealthAddress,
		PprofBindAddress: r.Options.PprofAddress,
	})
	if err != nil {
		return nil, fmt.Errorf("creating the manager: %w", err)
	}
	// A replica that waits is ready: it knows the fleet, and can take a shard at once.
	ready := func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), time.Second)
		defer cancel()
		if !r.stream.Wait(ctx) {
			return errors.New("the fleet is not known yet")
		}
		return nil
	}
	if err := errors.Join(host.AddHealthzCheck("ping", healthz.Ping), host.AddReadyzCheck("fleet", ready), host.Add(r.stream)); err != nil {
		return nil, fmt.Errorf("adding the watch of the fleet: %w", err)
	}
	if r.front != nil {
		if err := host.Add(r.front); err != nil {
			return nil, fmt.Errorf("adding the consent service: %w", err)
		}
	}
	return host, nil
}

// hold acts for a shard until ctx ends.
func (r *replica) hold(ctx context.Context, t shard.Tenure) error {
	if !r.stream.Wait(ctx) {
		return nil
	}
	registry := telemetry.NewScope(metrics.Registry, "shard", strconv.Itoa(t.Shard))
	defer registry.Close()
	mgr, err := r.shardManager(t, telemetry.NewForeign(registry))
	if err != nil {
		return err
	}
	direct, err := PastCache(mgr)
	if err != nil {
		return err
	}
	board := func(kind string) *shard.Board {
		return &shard.Board{
			Live: direct, Cache: mgr.GetCache(), Namespace: r.Options.Namespace, Layout: r.layout, Shard: t.Shard, Kind: kind, Identity: r.identity,
		}
	}
	lease := client.ObjectKey{Namespace: r.Options.Namespace, Name: shard.LeaseName(t.Shard)}
	part := Scope{
		Registry: registry, Roster: r.fleet, Board: board,
		Guard: &custody.Guard{Live: mgr.GetAPIReader(), Lease: lease, Identity: r.identity, Clock: clock.RealClock{}},
		Mine:  func(uid types.UID) bool { return r.layout.Of(uid) == t.Shard },
		Part:  budget.Part{Index: t.Shard, Of: r.layout.Shards()}, Epoch: t.Epoch, Since: t.Since, Front: r.front,
	}
	if err := r.Wire(ctx, mgr, part); err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

// shardManager is a shard's: its cache holds the shard's accounts alone. The shard's lease is
// the crew's matter.
func (r *replica) shardManager(t shard.Tenure, foreign *telemetry.Foreign) (manager.Manager, error) {
	options, err := shardCache(r.Options.Namespace, shard.Filter{Layout: r.layout, Shard: t.Shard, Dropped: foreign.Dropped})
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(r.config, manager.Options{
		Scheme: newScheme(), Logger: ctrl.Log.WithValues("shard", t.Shard),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		GracefulShutdownTimeout: &r.Patience,
		Cache:                   options, Client: clientOptions(),
		// Each shard has controllers of the same names.
		Controller: controllerconfig.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("creating the manager of shard %d: %w", t.Shard, err)
	}
	return mgr, nil
}

// shardCache is the cache of one shard, and of the boards of all.
func shardCache(namespace string, filter shard.Filter) (cache.Options, error) {
	options := cacheOptions(namespace)
	boards, err := labels.NewRequirement(shard.LabelBoard, selection.Exists, nil)
	if err != nil {
		return options, fmt.Errorf("selecting boards: %w", err)
	}
	options.ByObject[&corev1.ConfigMap{}] = cache.ByObject{
		Namespaces: map[string]cache.Config{namespace: {LabelSelector: labels.NewSelector().Add(*boards)}},
	}
	options.NewInformer = informerThrough(filter.Of)
	return options, nil
}
