package install

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
)

const (
	// The API server reads roles, flow schemas and CRDs from caches of its own:
	// what was installed holds a moment later.
	waitAtMost = 30 * time.Second
	waitStep   = 20 * time.Millisecond
	tenant     = "edu-riyadh"
)

// TestInstallation installs Mithaq on a real API server in the ways, and with the
// commands, of docs/install.md, and looks at each installation closely. The parts
// follow each other because only one Mithaq fits into a cluster.
func TestInstallation(t *testing.T) {
	s := needServer(t)
	err := s.client.Create(ctx(t), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant}})
	if client.IgnoreAlreadyExists(err) != nil { // it exists when the tests are repeated
		t.Fatal(err)
	}

	t.Run("with helm", func(t *testing.T) {
		s.documented(t, "kubectl apply --server-side -f config/manager/namespace.yaml")
		mustRun(t, tool(t, "helm"), "--kubeconfig", s.kubeconfigFile(t), "install", "mithaq", olderChart(t), "--namespace", namespace)
		if name := s.shortName(t); name != "older" {
			t.Fatalf("the older chart's kind has the short name %q", name)
		}
		s.documented(t, "helm upgrade mithaq charts/mithaq --namespace mithaq-system")
		s.look(t, helm(t))
		t.Run("the upgrade upgraded the kinds", func(t *testing.T) {
			if name := s.shortName(t); name != "sacct" {
				t.Errorf("after the upgrade the short name is %q", name)
			}
		})
		s.documented(t, "helm uninstall mithaq --namespace mithaq-system")
		s.isUninstalled(t)
	})
	t.Run("with kustomize", func(t *testing.T) {
		s.documented(t, "kubectl apply --server-side -k config/default")
		s.look(t, kustomize(t, root+"/config/default"))
		s.documented(t, "kubectl delete -n mithaq-system -l app.kubernetes.io/name=mithaq deployment,service,poddisruptionbudget,rolebinding,role,serviceaccount")
		s.documented(t, "kubectl delete -l app.kubernetes.io/name=mithaq clusterrolebinding,clusterrole,flowschema,prioritylevelconfiguration")
		s.isUninstalled(t)
	})
	t.Run("from kustomize to helm", func(t *testing.T) {
		s.documented(t, "kubectl apply --server-side -k config/default")
		if out, err := s.command(t, "helm install mithaq charts/mithaq --namespace mithaq-system"); err == nil {
			t.Errorf("helm took what is not its own without being told to:\n%s", out)
		}
		s.documented(t, "helm install mithaq charts/mithaq --namespace mithaq-system --take-ownership --force-conflicts")
		s.look(t, helm(t))
		s.documented(t, "helm uninstall mithaq --namespace mithaq-system")
		s.isUninstalled(t)
	})
	t.Run("everything removed", func(t *testing.T) {
		s.documented(t, "kubectl delete -k config/crd")
		s.eventually(t, "the kinds are gone", func() error {
			err := s.client.List(ctx(t), &v1alpha1.SocialAccountList{})
			if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
				return nil
			}
			return fmt.Errorf("still served: %v", err) //nolint:errorlint // nil where it is served
		})
	})
}

// documented runs a command of docs/install.md as the admin.
func (s *server) documented(t *testing.T, line string) {
	t.Helper()
	if !strings.Contains(document(t), line+"\n") {
		t.Errorf("docs/install.md does not say: %s", line)
	}
	if _, err := s.command(t, line); err != nil {
		t.Fatal(err)
	}
}

func (s *server) command(t *testing.T, line string) (string, error) {
	t.Helper()
	fields := strings.Fields(line)
	name := s.kubectl
	if fields[0] == "helm" {
		name = tool(t, "helm")
	}
	args := []string{"--kubeconfig", s.kubeconfigFile(t)}
	for _, arg := range fields[1:] {
		if strings.HasPrefix(arg, "config/") || strings.HasPrefix(arg, "charts/") {
			arg = root + "/" + arg
		}
		args = append(args, arg)
	}
	return run(t, name, args...)
}

// olderChart is the chart with one kind as an older version might have had it.
func olderChart(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mithaq")
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "files/crds/mithaq.dev_socialaccounts.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(raw), "- sacct\n", "- older\n", 1)
	if older == string(raw) {
		t.Fatal("the kind has no short name sacct")
	}
	if err := os.WriteFile(path, []byte(older), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// shortName is SocialAccount's short name as the server has it.
func (s *server) shortName(t *testing.T) string {
	t.Helper()
	return s.Kubectl(t, "get", "crd", "socialaccounts.mithaq.dev", "-o", "jsonpath={.spec.names.shortNames[0]}")
}

// look examines one installation.
func (s *server) look(t *testing.T, rendered objects) {
	t.Helper()
	t.Run("every object passes a strict dry run", func(t *testing.T) { s.dryRun(t, rendered) })
	t.Run("so do the network policy and the consent service", func(t *testing.T) {
		open := helm(t, "--set", "networkPolicy.enabled=true,consent.url=https://mithaq.edu.example")
		s.dryRun(t, objects{
			"the policy":          open.one(t, "NetworkPolicy", "mithaq-controller-manager"),
			"the consent service": open.one(t, "Service", "mithaq-consent"),
		})
	})
	t.Run("and an unknown field does not", func(t *testing.T) { s.dryRunBites(t, rendered) })
	t.Run("the server holds what was rendered", func(t *testing.T) { s.holds(t, rendered) })
	t.Run("an account can be declared", func(t *testing.T) { s.declareAccount(t) })
	t.Run("pod security", func(t *testing.T) { s.podSecurity(t, rendered) })
	t.Run("rights", func(t *testing.T) { s.rights(t) })
	t.Run("priority and fairness", func(t *testing.T) { s.fairness(t) })
}

func (s *server) dryRun(t *testing.T, rendered objects) {
	strict := client.WithFieldValidation(client.NewDryRunClient(s.client), metav1.FieldValidationStrict)
	for id, object := range rendered {
		err := strict.Apply(ctx(t), client.ApplyConfigurationFromUnstructured(object.DeepCopy()), client.FieldOwner("test"), client.ForceOwnership)
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A dry run that refuses nothing would prove nothing.
func (s *server) dryRunBites(t *testing.T, rendered objects) {
	strict := client.WithFieldValidation(client.NewDryRunClient(s.client), metav1.FieldValidationStrict)
	wrong := rendered.one(t, "Deployment", "mithaq-controller-manager").DeepCopy()
	if err := unstructured.SetNestedField(wrong.Object, "x", "spec", "template", "spec", "unknown"); err != nil {
		t.Fatal(err)
	}
	if err := strict.Apply(ctx(t), client.ApplyConfigurationFromUnstructured(wrong), client.FieldOwner("test"), client.ForceOwnership); err == nil {
		t.Error("a Deployment with an unknown field passes")
	}
}

// holds compares what is on the server with what was rendered: every rendered
// field is there, whatever the server added.
func (s *server) holds(t *testing.T, rendered objects) {
	for id, want := range rendered {
		got := &unstructured.Unstructured{}
		got.SetGroupVersionKind(want.GroupVersionKind())
		if err := s.client.Get(ctx(t), client.ObjectKeyFromObject(want), got); err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if missing := lacks(got.Object, want.Object, ""); missing != "" {
			t.Errorf("%s: %s", id, missing)
		}
	}
}

// lacks says where got is not at least want.
func lacks(got, want any, path string) string {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return path + " is missing"
		}
		for k, v := range want {
			if why := lacks(got[k], v, path+"."+k); why != "" {
				return why
			}
		}
		return ""
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return fmt.Sprintf("%s is %v, not %v", path, got, want)
		}
		for i, v := range want {
			if why := lacks(got[i], v, fmt.Sprintf("%s[%d]", path, i)); why != "" {
				return why
			}
		}
		return ""
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Sprintf("%s is %v, not %v", path, got, want)
	}
	return ""
}

// account is what survives every uninstallation.
func account() *v1alpha1.SocialAccount {
	return &v1alpha1.SocialAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "riyadh-x"},
		Spec: v1alpha1.SocialAccountSpec{
			Platform: v1alpha1.PlatformX, Handle: "edu_riyadh", Tier: "directorate",
			Owner: v1alpha1.Owner{Unit: "riyadh", Accountable: "a.alqahtani@edu.example", Contact: "media@edu.example"},
		},
	}
}

func (s *server) declareAccount(t *testing.T) {
	s.eventually(t, "an account is accepted", func() error {
		err := s.client.Create(ctx(t), account())
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}

func (s *server) isUninstalled(t *testing.T) {
	t.Helper()
	t.Run("uninstalling removes the operator and keeps the fleet", func(t *testing.T) {
		for _, list := range []schema.GroupVersionKind{
			{Group: "apps", Version: "v1", Kind: "DeploymentList"},
			{Version: "v1", Kind: "ServiceList"},
			{Version: "v1", Kind: "ServiceAccountList"},
			{Group: "policy", Version: "v1", Kind: "PodDisruptionBudgetList"},
			{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleList"},
			{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBindingList"},
			{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleList"},
			{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBindingList"},
			{Group: "flowcontrol.apiserver.k8s.io", Version: "v1", Kind: "FlowSchemaList"},
			{Group: "flowcontrol.apiserver.k8s.io", Version: "v1", Kind: "PriorityLevelConfigurationList"},
		} {
			left := &unstructured.UnstructuredList{}
			left.SetGroupVersionKind(list)
			if err := s.client.List(ctx(t), left); err != nil {
				t.Fatal(err)
			}
			for _, item := range left.Items {
				if strings.HasPrefix(item.GetName(), "mithaq") {
					t.Errorf("%s %s is left", item.GetKind(), item.GetName())
				}
			}
		}
		if err := s.client.Get(ctx(t), client.ObjectKeyFromObject(account()), account()); err != nil {
			t.Errorf("the account: %v", err)
		}
		if err := s.client.Get(ctx(t), client.ObjectKey{Name: namespace}, &corev1.Namespace{}); err != nil {
			t.Errorf("the operator's namespace: %v", err)
		}
	})
}

// seats is how many requests of a priority level the server handles at a time.
func (s *server) seats(t *testing.T, level string) (seats string) {
	t.Helper()
	metrics := s.Kubectl(t, "get", "--raw", "/metrics")
	prefix := `apiserver_flowcontrol_nominal_limit_seats{priority_level="` + level + `"} `
	for line := range strings.Lines(metrics) {
		if value, found := strings.CutPrefix(line, prefix); found {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("the server has no metric %s", prefix)
	return ""
}

// fairness asks as the operator and reads from the answer which priority level
// the server put it on.
func (s *server) fairness(t *testing.T) {
	seats := s.seats(t, "mithaq")
	if says := fmt.Sprintf("the operator has %s, borrows none", seats); !strings.Contains(document(t), says) {
		t.Errorf("docs/install.md does not say that %s", says)
	}
	for name, c := range map[string]struct{ path, schema, level string }{
		"reading accounts": {"/apis/mithaq.dev/v1alpha1/socialaccounts", "mithaq", "mithaq"},
		"its lease":        {"/apis/coordination.k8s.io/v1/namespaces/" + namespace + "/leases/mithaq.mithaq.dev", "mithaq-leader-election", "leader-election"},
	} {
		t.Run(name, func(t *testing.T) {
			var wantSchema flowcontrolv1.FlowSchema
			var wantLevel flowcontrolv1.PriorityLevelConfiguration
			if err := s.client.Get(ctx(t), client.ObjectKey{Name: c.schema}, &wantSchema); err != nil {
				t.Fatal(err)
			}
			if err := s.client.Get(ctx(t), client.ObjectKey{Name: c.level}, &wantLevel); err != nil {
				t.Fatal(err)
			}
			cfg := s.as(operator, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
			httpClient, err := rest.HTTPClientFor(cfg)
			if err != nil {
				t.Fatal(err)
			}
			s.eventually(t, "the request is on level "+c.level, func() error {
				request, err := http.NewRequestWithContext(ctx(t), http.MethodGet, cfg.Host+c.path, nil)
				if err != nil {
					return err
				}
				answer, err := httpClient.Do(request)
				if err != nil {
					return err
				}
				defer answer.Body.Close()
				gotSchema, gotLevel := answer.Header.Get("X-Kubernetes-PF-FlowSchema-UID"), answer.Header.Get("X-Kubernetes-PF-PriorityLevel-UID")
				if gotSchema != string(wantSchema.UID) || gotLevel != string(wantLevel.UID) {
					return fmt.Errorf("flow schema %s, priority level %s; want %s, %s", gotSchema, gotLevel, wantSchema.UID, wantLevel.UID)
				}
				return nil
			})
		})
	}
}

// eventually waits until check succeeds.
func (s *server) eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), waitStep, waitAtMost, true, func(_ context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("waiting until %s: %v: %v", what, err, last)
	}
}

// convert reads a rendered object as a type.
func convert[T any](t *testing.T, object *unstructured.Unstructured) *T {
	t.Helper()
	raw, err := json.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatal(err)
	}
	return out
}
