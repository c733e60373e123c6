package process

import (
	"crypto/tls"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/compact"
	"mithaq.dev/mithaq/internal/settings"
)

// cluster says how to reach the API server.
func cluster(o settings.Options) (*rest.Config, error) {
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	cfg.QPS = float32(o.QPS)
	if o.QPS == 0 {
		cfg.QPS = -1
	}
	return cfg, nil
}

// served says how metrics are served.
func served(o settings.Options) metricsserver.Options {
	served := metricsserver.Options{BindAddress: o.MetricsAddress, SecureServing: o.MetricsSecure}
	if o.MetricsSecure {
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
		served.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 }}
	}
	return served
}

func clientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)}}
}

// PastCache reads and writes past any cache: the manager's own client would open an
// informer even for what it only writes, to see its own writes.
func PastCache(mgr manager.Manager) (client.Client, error) {
	c, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("creating the client past the cache: %w", err)
	}
	return c, nil
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
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
			// Each reader of a packed account has one of its own already.
			&v1alpha1.SocialAccount{}: {UnsafeDisableDeepCopy: ptr.To(true)},
		},
		NewInformer: informerThrough(func(lw toolscache.ListerWatcher) toolscache.ListerWatcher { return lw }),
	}
}

type newInformer = func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer

// informerThrough keeps accounts packed, as they come through a filter, and all else as
// it is.
func informerThrough(filter func(toolscache.ListerWatcher) toolscache.ListerWatcher) newInformer {
	return func(lw toolscache.ListerWatcher, of runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
		if _, ok := of.(*v1alpha1.SocialAccount); ok {
			return compact.Informer(filter(lw), resync, indexers)
		}
		return toolscache.NewSharedIndexInformer(lw, of, resync, indexers)
	}
}
