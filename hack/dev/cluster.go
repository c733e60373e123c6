package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Where the operator lives, as config/default installs it.
const (
	namespace      = "mithaq-system"
	accountName    = "mithaq-controller-manager"
	serviceAccount = "system:serviceaccount:" + namespace + ":" + accountName
	owner          = "mithaq-dev"
)

// cluster is a real API server with nothing behind it.
type cluster struct {
	env    *envtest.Environment
	config *rest.Config
	client client.Client
}

func startCluster(o options) (*cluster, error) {
	s := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		return nil, err
	}
	assets, err := filepath.Abs(o.bin)
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(o.root, "config/crd/bases")},
		ErrorIfCRDPathMissing: true,
	}
	cfg, err := env.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), env.Stop())
	}
	cfg.QPS = -1
	c, err := client.New(cfg, client.Options{Scheme: s})
	if err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	admin, err := env.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	kubeconfig, err := admin.KubeConfig()
	if err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	if err := os.WriteFile(filepath.Join(o.state, "kubeconfig"), kubeconfig, 0o600); err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	return &cluster{env: env, config: cfg, client: c}, nil
}

func (c *cluster) stop() error {
	if err := c.env.Stop(); err != nil {
		return fmt.Errorf("ending the control plane: %w", err)
	}
	return nil
}

// install applies what config/default installs, the Deployment apart: the
// operator runs beside the cluster. It adds the demonstration's app Secrets.
func (c *cluster) install(ctx context.Context, o options, secrets map[string]map[string]string) error {
	objects := []client.Object{
		&corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: metav1.ObjectMeta{Name: accountName, Namespace: namespace}},
	}
	for name, data := range secrets {
		objects = append(objects, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, StringData: data})
	}
	for _, object := range objects {
		if err := c.client.Create(ctx, object); err != nil {
			return fmt.Errorf("creating %s: %w", object.GetName(), err)
		}
	}
	roles, err := read(filepath.Join(o.root, "config/rbac"))
	if err != nil {
		return err
	}
	for _, object := range roles {
		if !strings.Contains(object.GetKind(), "Role") {
			continue
		}
		if err := c.apply(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) apply(ctx context.Context, object *unstructured.Unstructured) error {
	annotations := object.GetAnnotations()
	delete(annotations, sourceFile)
	object.SetAnnotations(annotations)
	err := c.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(owner), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("applying %s %s: %w", object.GetKind(), client.ObjectKeyFromObject(object), err)
	}
	return nil
}

// applySamples applies the samples file by file, in the order of their names. A
// file named 90-… comes a second later, so that its objects are younger.
func (c *cluster) applySamples(ctx context.Context, o options, addresses map[string]string) (int, error) {
	objects, err := read(filepath.Join(o.root, o.samples))
	if err != nil {
		return 0, err
	}
	waited := false
	for n, object := range objects {
		if err := point(object, addresses); err != nil {
			return n, err
		}
		if late(object) && !waited {
			waited = true
			select {
			case <-ctx.Done():
				return n, ctx.Err()
			case <-time.After(1100 * time.Millisecond):
			}
		}
		if err := c.apply(ctx, object); err != nil {
			return n, err
		}
	}
	return len(objects), nil
}

// point leads a sample connection to where the simulator serves its platform.
func point(object *unstructured.Unstructured, addresses map[string]string) error {
	if object.GetKind() != v1alpha1.KindPlatformConnection || !strings.HasPrefix(nested(object, "spec", "endpoint"), "http://127.0.0.1") {
		return nil
	}
	platform := nested(object, "spec", "platform")
	address, ok := addresses[strings.ToLower(platform)]
	if !ok {
		return fmt.Errorf("the simulator serves no %s", platform)
	}
	return unstructured.SetNestedField(object.Object, address, "spec", "endpoint")
}

// sourceFile remembers, while objects are in memory, which file they came from.
const sourceFile = "dev.mithaq.dev/file"

func late(o *unstructured.Unstructured) bool {
	file := o.GetAnnotations()[sourceFile]
	return strings.HasPrefix(file, "90-")
}

func nested(o *unstructured.Unstructured, path ...string) string {
	value, _, err := unstructured.NestedString(o.Object, path...)
	if err != nil {
		return ""
	}
	return value
}

// read decodes all objects of a folder, file by file.
func read(dir string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []*unstructured.Unstructured
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		docs := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(raw)))
		objects, err := decode(docs, filepath.Base(file))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, objects...)
	}
	return out, nil
}

func decode(docs io.ReadCloser, file string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	buffer := make([]byte, 1<<20)
	for {
		n, err := docs.Read(buffer)
		if errors.Is(err, io.EOF) {
			return out, docs.Close()
		}
		if err != nil {
			return nil, errors.Join(err, docs.Close())
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(buffer[:n], &object.Object); err != nil {
			return nil, errors.Join(err, docs.Close())
		}
		if len(object.Object) == 0 {
			continue
		}
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[sourceFile] = file
		object.SetAnnotations(annotations)
		out = append(out, object)
	}
}

// operatorKubeconfig writes a kubeconfig with a token of the operator's service
// account.
func (c *cluster) operatorKubeconfig(ctx context.Context, o options) (string, error) {
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: accountName, Namespace: namespace}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(24 * 3600))}}
	if err := c.client.SubResource("token").Create(ctx, sa, request); err != nil {
		return "", fmt.Errorf("requesting the operator's token: %w", err)
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["dev"] = &clientcmdapi.Cluster{Server: c.config.Host, CertificateAuthorityData: c.config.CAData}
	cfg.AuthInfos["operator"] = &clientcmdapi.AuthInfo{Token: request.Status.Token}
	cfg.Contexts["dev"] = &clientcmdapi.Context{Cluster: "dev", AuthInfo: "operator"}
	cfg.CurrentContext = "dev"
	path, err := filepath.Abs(filepath.Join(o.state, "operator.kubeconfig"))
	if err != nil {
		return "", err
	}
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		return "", fmt.Errorf("writing the operator's kubeconfig: %w", err)
	}
	return path, nil
}
