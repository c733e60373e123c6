package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/telemetry"
)

const (
	root = "../.."
	// vaults is the operator's namespace, accounts where the accounts are.
	vaults   = "mithaq-system"
	accounts = "faults"
	policy   = "faults"
	// overlap is how long the policy lets a former credential live.
	overlap = 10 * time.Minute
)

// audited is what the API server keeps of requests: the bodies of everything that
// changes and is no Secret, for the search after canaries.
const audited = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  verbs: [get, list, watch]
- level: RequestResponse
  resources:
  - {group: mithaq.dev}
  - {group: events.k8s.io}
  - {group: apps}
  - {group: "", resources: [events, configmaps, namespaces]}
- level: None
`

// cluster is a control plane and what all plans share of it.
type cluster struct {
	env    *envtest.Environment
	config *rest.Config
	scheme *runtime.Scheme
	mapper meta.RESTMapper
	base   http.RoundTripper
	admin  client.Client
	// key is the vaults' own: what is stored is read with it.
	key      []byte
	history  *recorder
	editions *edition.Store
	quiet    *quiet
	audit    string
	registry *prometheus.Registry
	meter    *telemetry.Handovers
	canaries atomic.Int64
}

func startCluster(ctx context.Context, dir string) (*cluster, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(root, "bin")
	}
	if _, err := os.Stat(filepath.Join(assets, "kube-apiserver")); err != nil {
		return nil, fmt.Errorf("there is no control plane: run `make controlplane`: %w", err)
	}
	c := &cluster{scheme: runtime.NewScheme(), audit: filepath.Join(dir, "audit.log"), registry: prometheus.NewRegistry()}
	c.meter = telemetry.NewHandovers(c.registry)
	if err := errors.Join(clientgoscheme.AddToScheme(c.scheme), v1alpha1.AddToScheme(c.scheme)); err != nil {
		return nil, err
	}
	rules := filepath.Join(dir, "audit.yaml")
	if err := os.WriteFile(rules, []byte(audited), 0o600); err != nil {
		return nil, err
	}
	c.env = &envtest.Environment{
		BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{filepath.Join(root, "config/crd/bases")}, ErrorIfCRDPathMissing: true,
	}
	c.env.ControlPlane.Etcd = &envtest.Etcd{}
	// What is shown here is no matter of power cuts of the machine.
	c.env.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
	c.env.ControlPlane.GetAPIServer().Configure().Set("audit-policy-file", rules).Set("audit-log-path", c.audit).Set("audit-log-mode", "batch")
	// A watch has to last for the whole run: without it the history is not whole.
	c.env.ControlPlane.GetAPIServer().Configure().Set("min-request-timeout", "14400")
	var err error
	if c.config, err = c.env.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), c.env.Stop())
	}
	c.config.QPS = -1
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(err, c.env.Stop())
	}
	return c, nil
}

// prepare opens the clients and creates what all plans share.
func (c *cluster) prepare(ctx context.Context) error {
	plain, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return err
	}
	c.base = plain.Transport
	c.quiet = &quiet{next: c.base}
	if c.mapper, err = apiutil.NewDynamicRESTMapper(c.config, plain); err != nil {
		return err
	}
	if c.admin, err = c.client(c.base); err != nil {
		return err
	}
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: vaults}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: accounts}},
		&v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: policy}, Spec: v1alpha1.GovernancePolicySpec{
			Version: "1.0", Tiers: []v1alpha1.Tier{{Name: "school", MinPeople: 1}},
			Credentials: &v1alpha1.CredentialRules{
				RotateOn: []v1alpha1.RotateOn{v1alpha1.RotateOnAccountableChanged, v1alpha1.RotateOnMemberRemoved, v1alpha1.RotateOnUnitChanged},
				Overlap:  &metav1.Duration{Duration: overlap},
			},
		}},
	}
	for _, p := range []v1alpha1.PlatformName{
		v1alpha1.PlatformX, v1alpha1.PlatformYouTube, v1alpha1.PlatformFacebook, v1alpha1.PlatformInstagram, v1alpha1.PlatformSnapchat,
	} {
		objects = append(objects, &v1alpha1.PlatformConnection{ObjectMeta: metav1.ObjectMeta{Name: connectionOf(p)}, Spec: v1alpha1.PlatformConnectionSpec{
			Platform: p, Endpoint: "http://127.0.0.1:1", AppSecretRef: v1alpha1.LocalReference{Name: "app"},
		}})
	}
	for _, o := range objects {
		if err := c.admin.Create(ctx, o); err != nil {
			return fmt.Errorf("creating %T %s: %w", o, o.GetName(), err)
		}
	}
	keeper := &custody.Keeper{Client: c.admin, Namespace: vaults}
	if c.key, err = keeper.Key(ctx); err != nil {
		return err
	}
	calm, err := c.client(c.quiet)
	if err != nil {
		return err
	}
	c.editions = edition.NewStore(vaults, calm, calm)
	c.history, err = record(ctx, c)
	return err
}

// client opens one that goes through a transport.
func (c *cluster) client(through http.RoundTripper) (client.WithWatch, error) {
	return client.NewWithWatch(c.config, client.Options{HTTPClient: &http.Client{Transport: through}, Scheme: c.scheme, Mapper: c.mapper})
}
