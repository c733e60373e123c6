package install

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// objects are rendered objects by what names them in a cluster.
type objects map[string]*unstructured.Unstructured

func (o objects) names() []string { return slices.Sorted(maps.Keys(o)) }

// one is the only object of a kind and name.
func (o objects) one(t *testing.T, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, object := range o {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	t.Fatalf("no %s %s among %v", kind, name, o.names())
	return nil
}

func parse(t *testing.T, text string) objects {
	t.Helper()
	out := objects{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		raw, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		json, err := yaml.YAMLToJSONStrict(raw)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, raw)
		}
		if bytes.Equal(json, []byte("null")) {
			continue
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(json); err != nil {
			t.Fatalf("%v in:\n%s", err, raw)
		}
		id := fmt.Sprintf("%s %s %s/%s", object.GetAPIVersion(), object.GetKind(), object.GetNamespace(), object.GetName())
		if out[id] != nil {
			t.Fatalf("rendered twice: %s", id)
		}
		out[id] = object
	}
}

func kustomize(t *testing.T, dir string) objects {
	t.Helper()
	return parse(t, mustRun(t, tool(t, "kustomize"), "build", dir))
}

// overlay builds an overlay that stands beside a clone called mithaq.
func overlay(t *testing.T, text string) objects {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs(filepath.Join(root, "config"))
	if err != nil {
		t.Fatal(err)
	}
	// kustomize wants paths relative to the overlay.
	relative, err := filepath.Rel(dir, config)
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "../mithaq/config/", relative+"/")
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kustomize(t, dir)
}

func helm(t *testing.T, args ...string) objects {
	t.Helper()
	args = append([]string{"template", "mithaq", chart, "--namespace", namespace}, args...)
	return parse(t, mustRun(t, tool(t, "helm"), args...))
}

// normal prints each object without what Helm adds for itself.
func normal(t *testing.T, o objects) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for id, object := range o {
		object = object.DeepCopy()
		for _, label := range []string{"app.kubernetes.io/managed-by", "helm.sh/chart"} {
			unstructured.RemoveNestedField(object.Object, "metadata", "labels", label)
		}
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations", keep)
		if len(object.GetAnnotations()) == 0 {
			unstructured.RemoveNestedField(object.Object, "metadata", "annotations")
		}
		raw, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		out[id] = strings.Split(string(raw), "\n")
	}
	return out
}

const keep = "helm.sh/resource-policy"

// Both ways install the same, with everything at its default and with the
// optional parts.
func TestBothWaysInstallTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kustomize, helm func(*testing.T) objects }{
		"default": {
			kustomize: func(t *testing.T) objects { return kustomize(t, root+"/config/default") },
			helm:      func(t *testing.T) objects { return helm(t, "--set", "namespace.create=true") },
		},
		"all components, an image and flags": {
			kustomize: func(t *testing.T) objects {
				return overlay(t, block(t, "# kustomization.yaml\n"))
			},
			helm: func(t *testing.T) objects {
				return helm(t, "--set", "namespace.create=true,serviceMonitor.enabled=true,networkPolicy.enabled=true",
					"--set", "image.repository=registry.example/gov/mithaq,image.tag=v9",
					"--set", "allowedHosts={x.example,proxy.example:8443},extraArgs={--account-workers=4}")
			},
		},
		"shards": {
			kustomize: func(t *testing.T) objects {
				return overlay(t, "resources: [../mithaq/config/default]\ncomponents: [../mithaq/config/shards]\n")
			},
			helm: func(t *testing.T) objects { return helm(t, "--set", "namespace.create=true,shards=3,replicas=4") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, got := c.kustomize(t), c.helm(t)
			if diff := cmp.Diff(want.names(), got.names()); diff != "" {
				t.Fatalf("kustomize (-) and helm (+) install different objects:\n%s", diff)
			}
			normalWant, normalGot := normal(t, want), normal(t, got)
			for _, id := range want.names() {
				if diff := cmp.Diff(normalWant[id], normalGot[id]); diff != "" {
					t.Errorf("%s: kustomize (-) and helm (+) differ:\n%s", id, diff)
				}
			}
		})
	}
}

// With the values as they are the chart leaves the namespace to whoever installs
// it: Helm cannot create the namespace that its release is recorded in.
func TestTheChartLeavesTheNamespaceAlone(t *testing.T) {
	t.Parallel()
	want := slices.DeleteFunc(helm(t, "--set", "namespace.create=true").names(), func(id string) bool {
		return strings.HasPrefix(id, "v1 Namespace ")
	})
	if diff := cmp.Diff(want, helm(t).names()); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// Uninstalling keeps what holds the fleet.
func TestTheChartKeepsTheFleet(t *testing.T) {
	t.Parallel()
	rendered := helm(t, "--set", "namespace.create=true")
	kept := 0
	for id, object := range rendered {
		policy := object.GetAnnotations()[keep]
		if holds := object.GetKind() == "CustomResourceDefinition" || object.GetKind() == "Namespace"; holds != (policy == "keep") {
			t.Errorf("%s: %s is %q", id, keep, policy)
		}
		if policy == "keep" {
			kept++
		}
	}
	if kept != 5 {
		t.Errorf("%d objects are kept, want the namespace and four kinds", kept)
	}
	for id, object := range helm(t, "--set", "crds.keep=false") {
		if object.GetAnnotations()[keep] != "" {
			t.Errorf("crds.keep=false keeps %s", id)
		}
	}
	for id, object := range helm(t, "--set", "crds.install=false") {
		if object.GetKind() == "CustomResourceDefinition" {
			t.Errorf("crds.install=false installs %s", id)
		}
	}
}

// Another namespace is used throughout: nothing but a text would name the old one.
func TestTheChartFollowsItsNamespace(t *testing.T) {
	t.Parallel()
	text := mustRun(t, tool(t, "helm"), "template", "mithaq", chart, "--namespace", "elsewhere")
	if strings.Contains(text, namespace) {
		for i, line := range strings.Split(text, "\n") {
			if strings.Contains(line, namespace) {
				t.Errorf("line %d still says: %s", i+1, line)
			}
		}
	}
	if !strings.Contains(text, "namespace: elsewhere") {
		t.Error("nothing is in the release's namespace")
	}
}

// The chart cannot read outside its folder, so it carries copies. They are made
// by `make manifests`, and here is what notices when they were not.
func TestTheChartCarriesTheGeneratedFiles(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(chart, "crds")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("charts/mithaq/crds exists (%v): Helm would install its kinds once and never upgrade them", err)
	}
	for copied, pattern := range map[string]string{"crds": "crd/bases/*.yaml", "rbac": "rbac/*role.yaml"} {
		want := readAll(t, filepath.Join(root, "config", pattern))
		got := readAll(t, filepath.Join(chart, "files", copied, "*.yaml"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("charts/mithaq/files/%s is out of date, run `make manifests`: config/%s (-), chart (+):\n%s", copied, pattern, diff)
		}
	}
}

func readAll(t *testing.T, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
	}
	out := map[string]string{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = string(raw)
	}
	return out
}

// Values that cannot work are refused before anything is installed.
func TestTheChartRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for values, says := range map[string]string{
		"image.tagg=v1":                                     "additional properties 'tagg' not allowed",
		"leaderElection.enabled=false":                      "needs replicas=1",
		"leaderElection.enabled=false,replicas=1,shards=2":  "shards needs leaderElection.enabled",
		"consent.peerPort=80":                               "'/consent/peerPort'",
		"allowedHosts={https://x.example}":                  "'/allowedHosts/0'",
		"defaults.profileEvery=1d":                          "'/defaults/profileEvery'",
		"image.repository=registry.example/a:b":             "'/image/repository'",
		"metrics.port=8081":                                 "'/metrics/port'",
		"extraEnv[0].name=POD_NAMESPACE":                    "'/extraEnv/0/name'",
		"metrics.enabled=false,serviceMonitor.enabled=true": "needs metrics.enabled",
	} {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, tool(t, "helm"), "template", "mithaq", chart, "--namespace", namespace, "--set", values)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), says) {
				t.Errorf("refused, but does not say %q: %v", says, err)
			}
		})
	}
}

func TestTheChartIsSound(t *testing.T) {
	t.Parallel()
	mustRun(t, tool(t, "helm"), "lint", "--strict", "--namespace", namespace, chart)
}
