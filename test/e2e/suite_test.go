// Package e2e runs the operator as it is shipped against a real API server and
// the platform simulator: as its own process, as its own service account, with
// the generated roles and no others.
//
// One control plane and one operator serve the whole package. Each test has a
// namespace, a simulator, a connection and a policy of its own (a scene), so tests
// that do not stop the operator run beside each other. Nothing waits for a fixed
// time: what has to happen is polled for, and silence is counted in sweeps.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
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

// root is the repository.
const root = "../.."

// shared is what all tests share.
var shared struct {
	config   *rest.Config
	admin    client.Client
	server   *server
	proxy    *proxy
	operator *operator
}

func TestMain(m *testing.M) {
	// Tests beside each other wait more than they work.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr), zap.UseDevMode(false)))
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts what is shared, and ends it in the opposite order.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "mithaq-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	env, err := controlPlane()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, env.Stop()) }()
	ctx := context.Background()
	if err := install(ctx); err != nil {
		return 1, err
	}
	shared.proxy, err = newProxy(shared.config)
	if err != nil {
		return 1, err
	}
	defer shared.proxy.Close()
	shared.operator, err = newOperator(ctx, dir)
	if err != nil {
		return 1, err
	}
	if err := shared.operator.start(); err != nil {
		return 1, err
	}
	if err := shared.operator.ready(ctx); err != nil {
		shared.operator.log.dump(os.Stderr, 40)
		return 1, errors.Join(err, shared.operator.stop())
	}
	code = m.Run()
	if err := shared.operator.stop(); err != nil {
		shared.operator.log.dump(os.Stderr, 40)
		return 1, err
	}
	if bad := shared.operator.log.complaints(); len(bad) > 0 {
		shared.operator.log.dump(os.Stderr, 40)
		return 1, fmt.Errorf("the operator complained:\n%s", bad)
	}
	if code != 0 {
		shared.operator.log.dump(os.Stderr, 20)
	}
	return code, nil
}

func controlPlane() (*envtest.Environment, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(root, "bin")
	}
	if _, err := os.Stat(filepath.Join(assets, "kube-apiserver")); err != nil {
		return nil, fmt.Errorf("there is no control plane: run `make controlplane`: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(root, "config/crd/bases")},
		ErrorIfCRDPathMissing: true,
	}
	cfg, err := env.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), env.Stop())
	}
	cfg.QPS = -1
	shared.config = cfg
	shared.server = &server{config: cfg}
	shared.admin, err = client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	return env, nil
}
