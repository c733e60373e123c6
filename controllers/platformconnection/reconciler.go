package platformconnection

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	apply "mithaq.dev/mithaq/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
	"mithaq.dev/mithaq/internal/status"
)

// Reconciler opens one connection at a time.
type Reconciler struct {
	Config
	// open remembers what each connection was opened with, so that it is opened
	// anew only when that changes.
	open map[string]string
	// books: nobody writes a status after the last figures, which may be older than they.
	books  sync.Mutex
	closed bool
	// unsure are connections whose last write failed: it may still arrive.
	unsure map[string]bool
}

// New returns a Reconciler. It is not safe for concurrent use: one worker.
func New(cfg Config) *Reconciler {
	return &Reconciler{Config: cfg, open: map[string]string{}, unsure: map[string]bool{}}
}

// Reconcile aligns one connection with its spec and shows how it does.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	r.books.Lock()
	defer r.books.Unlock()
	if r.closed {
		return ctrl.Result{}, nil
	}
	connection := &v1alpha1.PlatformConnection{}
	if err := r.Client.Get(ctx, req.NamespacedName, connection); err != nil {
		if apierrors.IsNotFound(err) {
			r.Observer.DropConnection(req.Name)
			r.Apps.Set(req.Name, nil)
			delete(r.open, req.Name)
			if !r.Board.Alone() {
				return ctrl.Result{}, r.Board.Drop(ctx, req.Name)
			}
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the connection: %w", err)
	}
	obstacle, err := r.connect(ctx, connection)
	if err != nil {
		return ctrl.Result{}, err
	}
	f := facts{obstacle: obstacle}
	f.report, f.reported = r.Observer.Report(connection.Name)
	if !r.Board.Alone() {
		return ctrl.Result{}, r.share(ctx, connection, f)
	}
	return ctrl.Result{}, r.apply(ctx, connection, f)
}

// connect hands the connection to the engine, or says what is in the way.
func (r *Reconciler) connect(ctx context.Context, connection *v1alpha1.PlatformConnection) (*obstacle, error) {
	adapter, supported := r.Adapters[connection.Spec.Platform]
	if !supported {
		r.Observer.DropConnection(connection.Name)
		return notSupported(connection.Spec.Platform), nil
	}
	found, err := r.obstacle(ctx, connection, adapter)
	if err != nil || found == nil {
		return nil, err
	}
	delete(r.open, connection.Name)
	r.Apps.Set(connection.Name, nil)
	r.Observer.SetConnection(observe.Connection{
		Name: connection.Name, Platform: adapter.Name, Adapter: adapter,
		State: observe.LaneState{Reason: observe.LaneUnauthorized, Message: "PlatformConnection " + connection.Name + ": " + found.message},
	})
	return found, nil
}

// obstacle opens the connection, or says what is in the way.
func (r *Reconciler) obstacle(ctx context.Context, connection *v1alpha1.PlatformConnection, adapter platform.Adapter) (*obstacle, error) {
	if other := r.otherDefault(ctx, connection); other != "" {
		return duplicateDefault(other), nil
	}
	endpoint, err := r.Endpoints.Resolve(adapter, connection.Spec.Endpoint)
	if err != nil {
		return endpointNotAllowed(err.Error()), nil
	}
	secret, missing, err := r.secret(ctx, "spec.appSecretRef", connection.Spec.AppSecretRef)
	if err != nil || missing != nil {
		return missing, err
	}
	alternate, missing, err := r.alternate(ctx, connection)
	if err != nil || missing != nil {
		return missing, err
	}
	share := share(connection)
	daily, units := limits(connection, adapter)
	with := fmt.Sprintf("%s %s %s %d %d %v %s %s", endpoint, secret.UID, secret.ResourceVersion, share, daily, units, alternate.UID, alternate.ResourceVersion)
	if r.open[connection.Name] == with {
		return nil, nil
	}
	opened, media, err := r.Open(adapter, platform.Config{
		Endpoint: endpoint, App: secret.Data, Grant: r.grants(connection.Name), Now: r.Clock.Now,
		Usage: func(u platform.Usage) { r.Observer.Usage(connection.Name, u) },
	})
	if err != nil {
		return secretMalformed(fmt.Sprintf("spec.appSecretRef: Secret %s: %v", client.ObjectKeyFromObject(secret), err)), nil
	}
	apps := map[rotation.App]custody.App{rotation.Primary: {Adapter: adapter, Client: opened}}
	if malformed := r.openAlternate(adapter, endpoint, alternate, apps); malformed != nil {
		return malformed, nil
	}
	next := observe.Connection{
		Name: connection.Name, Platform: adapter.Name, Adapter: adapter, Client: opened, Share: share, Media: media,
		DailyMicroUSD: daily, Units: units, Part: r.Part, Persist: true,
	}
	return nil, r.use(ctx, connection, next, apps, with)
}

// use takes a connection into use, with what was spent before.
func (r *Reconciler) use(ctx context.Context, connection *v1alpha1.PlatformConnection, next observe.Connection, apps map[rotation.App]custody.App, with string) error {
	was, err := r.restored(ctx, connection, next.Adapter)
	if err != nil {
		return err
	}
	next.Saved = was
	r.Apps.Set(connection.Name, apps)
	r.Observer.SetConnection(next)
	r.open[connection.Name] = with
	return nil
}

// openAlternate adds the second app, where there is one.
func (r *Reconciler) openAlternate(adapter platform.Adapter, endpoint string, secret *corev1.Secret, apps map[rotation.App]custody.App) *obstacle {
	if secret.Name == "" {
		return nil
	}
	opened, _, err := r.Open(adapter, platform.Config{Endpoint: endpoint, App: secret.Data, Now: r.Clock.Now, Usage: func(platform.Usage) {}})
	if err != nil {
		return secretMalformed(fmt.Sprintf("spec.alternateAppSecretRef: Secret %s: %v", client.ObjectKeyFromObject(secret), err))
	}
	apps[rotation.Alternate] = custody.App{Adapter: adapter, Client: opened}
	return nil
}

// secret reads a Secret of the operator's namespace.
func (r *Reconciler) secret(ctx context.Context, field string, ref v1alpha1.LocalReference) (*corev1.Secret, *obstacle, error) {
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: r.Namespace, Name: string(ref.Name)}
	if err := r.Secrets.Get(ctx, key, &secret); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, secretMissing(fmt.Sprintf("%s: Secret %s does not exist", field, key)), nil
		}
		return nil, nil, fmt.Errorf("reading the Secret of %s: %w", field, err)
	}
	return &secret, nil, nil
}

// alternate reads the second app's Secret; an empty one where there is none.
func (r *Reconciler) alternate(ctx context.Context, connection *v1alpha1.PlatformConnection) (*corev1.Secret, *obstacle, error) {
	if connection.Spec.AlternateAppSecretRef == nil {
		return &corev1.Secret{}, nil, nil
	}
	return r.secret(ctx, "spec.alternateAppSecretRef", *connection.Spec.AlternateAppSecretRef)
}

// defaultShare is the percentage of the published limits that is used where the
// connection does not say.
const defaultShare = 80

func share(connection *v1alpha1.PlatformConnection) int {
	if b := connection.Spec.Budget; b != nil && b.Share > 0 {
		return int(b.Share)
	}
	return defaultShare
}

// otherDefault names another connection that is marked default too.
func (r *Reconciler) otherDefault(ctx context.Context, connection *v1alpha1.PlatformConnection) string {
	if !isDefault(connection) {
		return ""
	}
	others := r.matching(ctx, func(c *v1alpha1.PlatformConnection) bool {
		return c.Name != connection.Name && c.Spec.Platform == connection.Spec.Platform && isDefault(c)
	})
	if len(others) == 0 {
		return ""
	}
	return others[0].Name
}

func isDefault(c *v1alpha1.PlatformConnection) bool { return c.Spec.Default != nil && *c.Spec.Default }

// apply saves what is new, and only then tells events.
func (r *Reconciler) apply(ctx context.Context, connection *v1alpha1.PlatformConnection, f facts) error {
	next, events := decide(connection, f, r.Clock.Now())
	written, err := r.write(ctx, connection, next, events)
	if written {
		r.tellSaved(connection, f)
	}
	return err
}

// write saves a status if it says anything new, and then tells events. It says whether
// the status is what next is; that of a connection that is gone is not.
func (r *Reconciler) write(ctx context.Context, connection *v1alpha1.PlatformConnection, next v1alpha1.PlatformConnectionStatus, events []occurrence) (bool, error) {
	if status.Same(connection.Status, next) {
		return true, nil
	}
	ac, err := status.As[apply.PlatformConnectionStatusApplyConfiguration](next)
	if err != nil {
		return false, err
	}
	if err := status.Apply(ctx, r.Client, Name, apply.PlatformConnection(connection.Name).WithUID(connection.UID).WithStatus(ac)); err != nil {
		r.unsure[connection.Name] = true
		return false, client.IgnoreNotFound(err)
	}
	delete(r.unsure, connection.Name)
	for _, e := range events {
		status.Tell(r.Recorder, connection, nil, e.reason, e.note)
	}
	return true, nil
}

// tellSaved lets the engine spend on, once its figures are in the status.
func (r *Reconciler) tellSaved(connection *v1alpha1.PlatformConnection, f facts) {
	if f.saves() {
		r.Observer.Saved(connection.Name, f.report.Ledger)
	}
}

// heartbeat is how old the counters of a status may become before they alone
// cause a write.
const heartbeat = 24 * time.Hour
