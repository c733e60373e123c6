package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Where the operator lives, as config/default installs it.
const (
	operatorNamespace = "mithaq-system"
	operatorAccount   = "mithaq-controller-manager"
)

// install applies the roles and bindings that are shipped.
func install(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}}
	if err := shared.admin.Create(ctx, namespace); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, "config/rbac/*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		objects, err := decode(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, object := range objects {
			if object.GetKind() != "ClusterRole" && object.GetKind() != "ClusterRoleBinding" {
				object.SetNamespace(operatorNamespace)
			}
			if err := shared.admin.Create(ctx, object); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

// decode reads the objects of a YAML file.
func decode(raw []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(object.Object) > 0:
			out = append(out, object)
		}
	}
}

// kubeconfig writes one with a token of the operator's service account, for the
// API server behind the proxy.
func kubeconfig(ctx context.Context, dir string) (string, error) {
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: operatorAccount, Namespace: operatorNamespace}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(24 * 3600))}}
	if err := shared.admin.SubResource("token").Create(ctx, sa, request); err != nil {
		return "", fmt.Errorf("requesting the operator's token: %w", err)
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["e2e"] = &clientcmdapi.Cluster{Server: shared.proxy.URL, CertificateAuthorityData: shared.proxy.certificate()}
	cfg.AuthInfos["operator"] = &clientcmdapi.AuthInfo{Token: request.Status.Token}
	cfg.Contexts["e2e"] = &clientcmdapi.Context{Cluster: "e2e", AuthInfo: "operator"}
	cfg.CurrentContext = "e2e"
	path := filepath.Join(dir, "operator.kubeconfig")
	return path, clientcmd.WriteToFile(*cfg, path)
}

// server reads the API server's own request counters.
type server struct{ config *rest.Config }

var counter = regexp.MustCompile(`^apiserver_request_total\{(.*)\} ([0-9.e+]+)$`)

// writes counts the requests that the API server was sent to change objects of
// mithaq.dev, events and kept editions, dry runs apart, by verb and resource.
func (s *server) writes(ctx context.Context) (map[string]int, error) {
	clientset, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		return nil, err
	}
	raw, err := clientset.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := counter.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		l := labels(m[1])
		ours := l["group"] == "mithaq.dev" || l["resource"] == "events" || l["resource"] == "controllerrevisions"
		if !ours || slices.Contains([]string{"GET", "LIST", "WATCH"}, l["verb"]) || l["dry_run"] != "" {
			continue
		}
		value, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		counts[strings.TrimSuffix(l["verb"]+" "+l["resource"]+"/"+l["subresource"], "/")] += int(value)
	}
	return counts, lines.Err()
}

var label = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)

// labels are those of a metric's text form.
func labels(text string) map[string]string {
	out := map[string]string{}
	for _, m := range label.FindAllStringSubmatch(text, -1) {
		out[m[1]] = m[2]
	}
	return out
}

// mustWrites is writes for a test.
func mustWrites(t *testing.T) map[string]int {
	t.Helper()
	counts, err := shared.server.writes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// since is what was counted after before.
func since(before, after map[string]int) map[string]int {
	out := map[string]int{}
	for key, n := range after {
		if d := n - before[key]; d != 0 {
			out[key] = d
		}
	}
	return out
}

func create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := shared.admin.Create(t.Context(), o); err != nil {
			t.Fatalf("creating %T %s: %v", o, o.GetName(), err)
		}
	}
}

// edit changes an object as a person would.
func edit[T client.Object](t *testing.T, o T, change func(T)) {
	t.Helper()
	key := client.ObjectKeyFromObject(o)
	if err := shared.admin.Get(t.Context(), key, o); err != nil {
		t.Fatal(err)
	}
	before := o.DeepCopyObject().(client.Object)
	change(o)
	if err := shared.admin.Patch(t.Context(), o, client.MergeFrom(before)); err != nil {
		t.Fatalf("editing %s: %v", key, err)
	}
}

func remove(t *testing.T, o client.Object) {
	t.Helper()
	if err := shared.admin.Delete(t.Context(), o); err != nil {
		t.Fatalf("deleting %s: %v", o.GetName(), err)
	}
}
