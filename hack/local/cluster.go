// Package local runs what a demonstration or a benchmark needs on one machine: a
// real API server with nothing behind it, the platform simulator, and the operator
// as a process of its own.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Where the operator lives, as config/default installs it.
const (
	Namespace      = "mithaq-system"
	AccountName    = "mithaq-controller-manager"
	ServiceAccount = "system:serviceaccount:" + Namespace + ":" + AccountName
	owner          = "mithaq-dev"
)

// Place is where things are: the repository, the binaries, and the folder for
// kubeconfigs and logs.
type Place struct {
	Root, Bin, State string
}

// Cluster is a real API server with nothing behind it. Config and Client are an
// administrator's, without a limit of their own.
type Cluster struct {
	Config *rest.Config
	Client client.WithWatch

	env   *envtest.Environment
	place Place
}

// StartCluster starts etcd and kube-apiserver with the CRDs, and writes an
// administrator's kubeconfig. Feature gates of the API server are set as
// they are by default but those named, such as "Name=true".
func StartCluster(at Place, gates ...string) (*Cluster, error) {
	s := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		return nil, err
	}
	assets, err := filepath.Abs(at.Bin)
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(at.Root, "config/crd/bases")},
		ErrorIfCRDPathMissing: true,
	}
	// As much as etcd's documentation recommends at most, against 2 GiB by default: a
	// large fleet is written twice before anything is compacted.
	env.ControlPlane.Etcd = &envtest.Etcd{}
	env.ControlPlane.Etcd.Configure().Set("quota-backend-bytes", "8589934592")
	if len(gates) > 0 {
		env.ControlPlane.GetAPIServer().Configure().Append("feature-gates", gates...)
	}
	cfg, err := env.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), env.Stop())
	}
	cfg.QPS = -1
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: s})
	if err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	cluster := &Cluster{Config: cfg, Client: c, env: env, place: at}
	if err := cluster.admin(); err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	return cluster, nil
}

// admin writes an administrator's kubeconfig.
func (c *Cluster) admin() error {
	admin, err := c.env.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return err
	}
	kubeconfig, err := admin.KubeConfig()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.place.State, "kubeconfig"), kubeconfig, 0o600)
}

// Stop ends the API server, and etcd after it.
func (c *Cluster) Stop() error {
	if err := c.env.Stop(); err != nil {
		return fmt.Errorf("ending the control plane: %w", err)
	}
	return nil
}

// Install applies what config/default installs, the Deployment apart: the operator
// runs beside the cluster. It adds app Secrets, by name.
func (c *Cluster) Install(ctx context.Context, secrets map[string]map[string]string) error {
	objects := []client.Object{
		&corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: Namespace}},
		&corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: metav1.ObjectMeta{Name: AccountName, Namespace: Namespace}},
	}
	for name, data := range secrets {
		objects = append(objects, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: Namespace}, StringData: data})
	}
	for _, object := range objects {
		if err := c.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("creating %s: %w", object.GetName(), err)
		}
	}
	return c.ApplyFolder(ctx, "config/rbac", func(o *unstructured.Unstructured) bool { return strings.Contains(o.GetKind(), "Role") })
}

// ApplyFolder applies the objects of a folder of the repository that keep takes.
func (c *Cluster) ApplyFolder(ctx context.Context, folder string, keep func(*unstructured.Unstructured) bool) error {
	objects, err := Read(filepath.Join(c.place.Root, folder))
	if err != nil {
		return err
	}
	for _, object := range objects {
		if !keep(object) {
			continue
		}
		if err := c.Apply(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

// Apply applies one object that Read returned.
func (c *Cluster) Apply(ctx context.Context, object *unstructured.Unstructured) error {
	annotations := object.GetAnnotations()
	delete(annotations, sourceFile)
	object.SetAnnotations(annotations)
	err := c.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(owner), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("applying %s %s: %w", object.GetKind(), client.ObjectKeyFromObject(object), err)
	}
	return nil
}

// OperatorKubeconfig writes a kubeconfig with a token of the operator's service
// account, and returns its path.
func (c *Cluster) OperatorKubeconfig(ctx context.Context) (string, error) {
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: AccountName, Namespace: Namespace}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(24 * 3600))}}
	if err := c.Client.SubResource("token").Create(ctx, sa, request); err != nil {
		return "", fmt.Errorf("requesting the operator's token: %w", err)
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["dev"] = &clientcmdapi.Cluster{Server: c.Config.Host, CertificateAuthorityData: c.Config.CAData}
	cfg.AuthInfos["operator"] = &clientcmdapi.AuthInfo{Token: request.Status.Token}
	cfg.Contexts["dev"] = &clientcmdapi.Context{Cluster: "dev", AuthInfo: "operator"}
	cfg.CurrentContext = "dev"
	path, err := filepath.Abs(filepath.Join(c.place.State, "operator.kubeconfig"))
	if err != nil {
		return "", err
	}
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		return "", fmt.Errorf("writing the operator's kubeconfig: %w", err)
	}
	return path, nil
}
