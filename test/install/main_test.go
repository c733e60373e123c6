package install

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"mithaq.dev/mithaq/api/v1alpha1"
)

const (
	root      = "../.."
	chart     = root + "/charts/mithaq"
	namespace = "mithaq-system"
	operator  = "system:serviceaccount:" + namespace + ":mithaq-controller-manager"
)

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	if os.Getenv("MITHAQ_SKIP_INSTALL") == "1" {
		fmt.Println("test/install: skipped, MITHAQ_SKIP_INSTALL=1")
		return 0
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	if err := touchInputs(); err != nil {
		fmt.Fprintln(os.Stderr, "test/install:", err)
		return 1
	}
	code := m.Run()
	if err := stopServer(); err != nil {
		fmt.Fprintln(os.Stderr, "test/install: ending the control plane:", err)
		return 1
	}
	return code
}

// touchInputs opens what helm, kustomize and kubectl will read. `go test` reuses a
// result unless a file that the test itself opened has changed.
func touchInputs() error {
	for _, dir := range []string{"config", "charts"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tool is the path of a tool of the version that hack/tools/versions pins.
func tool(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "hack/tools/versions"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != name {
			continue
		}
		path, err := filepath.Abs(filepath.Join(root, "bin", name+"-"+fields[1]))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%s is missing: run hack/tools/install.sh %s, or `make test`, which does; MITHAQ_SKIP_INSTALL=1 skips these tests", path, name)
		}
		return path
	}
	t.Fatalf("%s is not in hack/tools/versions", name)
	return ""
}

// run returns what a command prints. It knows no home directory but one of its
// own, so that nothing of the machine's changes the result.
func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home,
		"HELM_CONFIG_HOME=" + home, "HELM_CACHE_HOME=" + home, "HELM_DATA_HOME=" + home,
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := run(t, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// server is the real API server that the package's tests share.
type server struct {
	env        *envtest.Environment
	config     *rest.Config
	client     client.Client
	kubectl    string
	kubeconfig []byte
}

var (
	started   *server
	startOnce = sync.OnceValues(start)
)

// needServer starts etcd and kube-apiserver when the first test asks for them.
func needServer(t *testing.T) *server {
	t.Helper()
	s, err := startOnce()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start() (*server, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(root, "bin")
	}
	assets, err := filepath.Abs(assets)
	if err != nil {
		return nil, err
	}
	existing := false
	started = &server{
		env:     &envtest.Environment{BinaryAssetsDirectory: assets, UseExistingCluster: &existing},
		kubectl: filepath.Join(assets, "kubectl"),
	}
	// envtest turns this admission plugin off. It mounts the token into a pod,
	// which pod security has to accept too.
	started.env.ControlPlane.GetAPIServer().Configure().Disable("disable-admission-plugins")
	if started.config, err = started.env.Start(); err != nil {
		return nil, fmt.Errorf("starting the control plane of %s (`make controlplane` builds it): %w", assets, err)
	}
	started.config.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	if started.client, err = client.New(started.config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("creating the client: %w", err)
	}
	admin, err := started.env.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, fmt.Errorf("adding the admin: %w", err)
	}
	if started.kubeconfig, err = admin.KubeConfig(); err != nil {
		return nil, fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return started, nil
}

func stopServer() error {
	if started == nil {
		return nil
	}
	return started.env.Stop()
}

// kubeconfigFile writes the admin's kubeconfig for a command.
func (s *server) kubeconfigFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, s.kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Kubectl runs kubectl as the admin.
func (s *server) Kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return mustRun(t, s.kubectl, append([]string{"--kubeconfig", s.kubeconfigFile(t)}, args...)...)
}

// as is a client of the API server that speaks for somebody else.
func (s *server) as(user string, groups ...string) *rest.Config {
	cfg := rest.CopyConfig(s.config)
	cfg.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	return cfg
}

// ctx bounds what a test waits for.
func ctx(t *testing.T) context.Context {
	t.Helper()
	bounded, cancel := context.WithTimeout(t.Context(), waitAtMost)
	t.Cleanup(cancel)
	return bounded
}
