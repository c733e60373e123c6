// Package shards runs several processes of the operator, as they are shipped, against a
// real API server, and kills one: with an API server that divides lists and watches by
// itself, and with one that does not.
package shards

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/shard"
)

const (
	root      = "../.."
	namespace = "mithaq-system"
	// patience bounds all waiting but that for a lease.
	patience = 3 * time.Minute
)

// site is a cluster with a platform.
type site struct {
	*testing.T
	admin      client.Client
	world      *world.World
	simulator  *httptest.Server
	dir        string
	kubeconfig string
	binary     string
	declared   int
	// public is the consent service's address.
	public string
}

func newSite(t *testing.T, gate bool) *site {
	t.Helper()
	log.SetLogger(logr.Discard())
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(root, "bin")
	}
	if _, err := os.Stat(filepath.Join(assets, "kube-apiserver")); err != nil {
		t.Fatalf("there is no control plane: run `make controlplane`: %v", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	env := &envtest.Environment{BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{filepath.Join(root, "config/crd/bases")}, ErrorIfCRDPathMissing: true, ControlPlaneStartTimeout: patience}
	env.ControlPlane.GetAPIServer().Configure().Append("feature-gates", fmt.Sprintf("ShardedListAndWatch=%t", gate))
	cfg, err := env.Start()
	if err != nil {
		t.Fatal(errors.Join(err, env.Stop()))
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	cfg.QPS = -1
	s := &site{T: t, dir: t.TempDir(), world: world.New(clock.RealClock{})}
	if s.admin, err = client.New(cfg, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	s.simulator = httptest.NewServer(x.New(s.world, x.Options{Limit: 1_000_000}))
	t.Cleanup(s.simulator.Close)
	if err := s.world.Load(world.Fleet{Apps: []world.App{
		{Platform: world.X, APIKey: "key", APISecret: "secret", AppToken: "bearer"},
		{Platform: world.X, APIKey: "key-b", APISecret: "secret-b", AppToken: "bearer-b"},
	}}); err != nil {
		t.Fatal(err)
	}
	s.install(cfg)
	s.build()
	return s
}

// install creates the roles that are shipped, and a kubeconfig of the operator's account.
func (s *site) install(cfg *rest.Config) {
	s.Helper()
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	files, err := filepath.Glob(filepath.Join(root, "config/rbac/*.yaml"))
	if err != nil {
		s.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			s.Fatal(err)
		}
		decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
		for {
			object := &unstructured.Unstructured{}
			err := decoder.Decode(&object.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				s.Fatalf("%s: %v", file, err)
			}
			if len(object.Object) == 0 || object.GetKind() == "Kustomization" {
				continue
			}
			if !strings.HasPrefix(object.GetKind(), "Cluster") {
				object.SetNamespace(namespace)
			}
			s.create(object)
		}
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "mithaq-controller-manager", Namespace: namespace}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(24 * 3600))}}
	if err := s.admin.SubResource("token").Create(s.Context(), account, request); err != nil {
		s.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: "https://" + strings.TrimPrefix(cfg.Host, "https://"), CertificateAuthorityData: cfg.CAData}
	config.AuthInfos["operator"] = &clientcmdapi.AuthInfo{Token: request.Status.Token}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "operator"}
	config.CurrentContext = "test"
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, s.kubeconfig); err != nil {
		s.Fatal(err)
	}
}

func (s *site) build() {
	s.Helper()
	s.binary = filepath.Join(s.dir, "mithaq")
	build := exec.CommandContext(s.Context(), "go", "build", "-o", s.binary, ".")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		s.Fatalf("building the operator: %v\n%s", err, out)
	}
}

func (s *site) create(objects ...client.Object) {
	s.Helper()
	for _, o := range objects {
		if err := s.admin.Create(s.Context(), o); err != nil {
			s.Fatalf("creating %T %s: %v", o, o.GetName(), err)
		}
	}
}

// until polls until nothing is amiss.
func (s *site) until(what string, within time.Duration, ask func(context.Context) (amiss string, err error)) time.Duration {
	s.Helper()
	last, began := "", time.Now()
	err := wait.PollUntilContextTimeout(s.Context(), 100*time.Millisecond, within, true, func(ctx context.Context) (bool, error) {
		amiss, err := ask(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return false, nil
		}
		last = amiss
		return amiss == "", err
	})
	if err != nil {
		s.Fatalf("%s: %v after %s; last: %s", what, err, within, last)
	}
	return time.Since(began)
}

// freeAddress is a loopback address that nobody listens on.
func (s *site) freeAddress() string {
	s.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		s.Fatal(err)
	}
	return listener.Addr().String()
}

// process is one replica.
type process struct {
	site    *site
	name    string
	metrics string
	// consents is where it serves browsers.
	consents string
	cmd      *exec.Cmd
	done     chan error

	mu  sync.Mutex
	log bytes.Buffer
}

// Write implements io.Writer.
func (p *process) Write(raw []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(raw)
}

// lines are those of the log that hold one of some words.
func (p *process) lines(words ...string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for line := range strings.Lines(p.log.String()) {
		for _, word := range words {
			if strings.Contains(line, word) {
				out = append(out, line[:min(len(line), 500)])
				break
			}
		}
	}
	return out
}

// begin starts a replica.
func (s *site) begin(name string, args ...string) *process {
	s.Helper()
	p := &process{site: s, name: name, metrics: s.freeAddress(), done: make(chan error, 1)}
	p.cmd = exec.Command(s.binary, append([]string{
		"--operator-namespace", namespace, "--leader-elect", "--allow-insecure-endpoints", "--metrics-bind-address", p.metrics, "--metrics-secure=false",
		"--health-probe-bind-address", "0", "--counts-settle", "500ms",
	}, args...)...)
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	s.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			if err := p.cmd.Process.Kill(); err != nil {
				s.Error(err)
			}
			s.Logf("%s was killed: %v", p.name, <-p.done)
		}
		if s.Failed() {
			s.Logf("the log of %s ends with:\n%s", p.name, strings.Join(tail(p.lines(""), 25), ""))
		}
	})
	return p
}

func tail(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

// end ends a replica by a signal.
func (p *process) end(signal syscall.Signal) {
	p.site.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.site.Fatal(err)
	}
	select {
	case err := <-p.done:
		if signal == syscall.SIGTERM && err != nil {
			p.site.Errorf("%s did not end well: %v", p.name, err)
		}
	case <-time.After(patience):
		p.site.Fatalf("%s did not end", p.name)
	}
	if bad := p.lines("Reconciler error", "is forbidden", "panic", "DATA RACE"); len(bad) > 0 && signal != syscall.SIGKILL {
		p.site.Errorf("%s complained:\n%s", p.name, strings.Join(tail(bad, 5), ""))
	}
}

// metric is the sum of a counter's or gauge's series.
func (p *process) metric(name string) float64 {
	p.site.Helper()
	answer, err := http.Get("http://" + p.metrics + "/metrics")
	if err != nil {
		p.site.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		p.site.Fatal(err)
	}
	sum, found := 0.0, false
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? ([0-9.e+]+)$`).FindAllStringSubmatch(string(raw), -1) {
		value, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			p.site.Fatal(err)
		}
		sum, found = sum+value, true
	}
	if !found {
		p.site.Errorf("%s has no metric %s", p.name, name)
	}
	return sum
}

// holders are who holds each shard, by the lease; "" where nobody does.
func (s *site) holders(ctx context.Context, n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		var lease coordinationv1.Lease
		if err := s.admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: shard.LeaseName(i)}, &lease); client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		out[i] = ptr.Deref(lease.Spec.HolderIdentity, "")
	}
	return out, nil
}

// takeover is how long nobody may act for a shard: the length of a lease, until the
// others have looked twice.
const takeover = custody.LeaseDuration + 3*custody.RetryPeriod
