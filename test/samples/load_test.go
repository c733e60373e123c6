// Package samples holds the proof that config/samples, the simulator's
// hack/dev/fleet.yaml and the rules agree: each account comes out as it says.
package samples

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/platform"
)

const (
	samplesDir    = "../../config/samples"
	fleetFile     = "../../hack/dev/fleet.yaml"
	duplicateFile = "90-duplicate.yaml"

	caseLabel        = "demo.mithaq.dev/case"
	expectAnnotation = "demo.mithaq.dev/expect"
	// successorAnnotation names who becomes accountable in `make run`.
	successorAnnotation = "demo.mithaq.dev/successor"
)

// samples is what config/samples holds, in the order in which it is applied.
type samples struct {
	// files are in the order of their names.
	files       []string
	namespaces  []*corev1.Namespace
	bindings    []*rbacv1.RoleBinding
	policies    []*v1alpha1.GovernancePolicy
	connections []*v1alpha1.PlatformConnection
	accounts    []*v1alpha1.SocialAccount
	// fileOf tells where an account is declared.
	fileOf map[*v1alpha1.SocialAccount]string
}

func load(t *testing.T) *samples {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(samplesDir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	s := &samples{fileOf: map[*v1alpha1.SocialAccount]string{}}
	for _, path := range paths {
		file := filepath.Base(path)
		if file == "kustomization.yaml" {
			continue
		}
		s.files = append(s.files, file)
		for _, document := range documents(t, path) {
			s.add(t, file, document)
		}
	}
	return s
}

// documents are the documents of a YAML file that hold anything.
func documents(t *testing.T, path string) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for decoder := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(raw))); ; {
		document := make([]byte, len(raw))
		n, err := decoder.Read(document)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var content map[string]any
		if err := yaml.Unmarshal(document[:n], &content); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(content) > 0 {
			out = append(out, document[:n])
		}
	}
}

func (s *samples) add(t *testing.T, file string, document []byte) {
	t.Helper()
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal(document, &meta); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	switch meta.APIVersion + " " + meta.Kind {
	case "v1 Namespace":
		s.namespaces = append(s.namespaces, decode[corev1.Namespace](t, file, document))
	case "rbac.authorization.k8s.io/v1 RoleBinding":
		s.bindings = append(s.bindings, decode[rbacv1.RoleBinding](t, file, document))
	case "mithaq.dev/v1alpha1 GovernancePolicy":
		s.policies = append(s.policies, decode[v1alpha1.GovernancePolicy](t, file, document))
	case "mithaq.dev/v1alpha1 PlatformConnection":
		s.connections = append(s.connections, decode[v1alpha1.PlatformConnection](t, file, document))
	case "mithaq.dev/v1alpha1 SocialAccount":
		account := decode[v1alpha1.SocialAccount](t, file, document)
		s.accounts, s.fileOf[account] = append(s.accounts, account), file
	default:
		t.Fatalf("%s: unexpected %s %s", file, meta.APIVersion, meta.Kind)
	}
}

func decode[T any](t *testing.T, file string, document []byte) *T {
	t.Helper()
	object := new(T)
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, document)
	}
	return object
}

// connection is the platform's only one.
func (s *samples) connection(t *testing.T, name platform.Name) *v1alpha1.PlatformConnection {
	t.Helper()
	i := slices.IndexFunc(s.connections, func(c *v1alpha1.PlatformConnection) bool { return string(c.Spec.Platform) == string(name) })
	if i < 0 {
		t.Fatalf("no connection leads to %s", name)
	}
	return s.connections[i]
}

// compiled are the policies, ready to judge.
func (s *samples) compiled(t *testing.T) []*governance.Policy {
	t.Helper()
	var out []*governance.Policy
	for _, policy := range s.policies {
		p, problems := governance.Compile(policy.Name, &policy.Spec)
		if len(problems) > 0 {
			t.Fatalf("policy %s: %v", policy.Name, problems)
		}
		out = append(out, p)
	}
	return out
}

// labels of a namespace; nil if the samples do not have it.
func (s *samples) labels(namespace string) map[string]string {
	for _, n := range s.namespaces {
		if n.Name == namespace {
			return n.Labels
		}
	}
	return nil
}

// accountsOf counts a person's accounts over the whole fleet.
func (s *samples) accountsOf(person string) int {
	n := 0
	for _, account := range s.accounts {
		people := []v1alpha1.PersonName{account.Spec.Owner.Accountable}
		for _, member := range account.Spec.Team {
			people = append(people, member.Person)
		}
		if slices.ContainsFunc(people, func(p v1alpha1.PersonName) bool { return governance.PersonKey(p) == person }) {
			n++
		}
	}
	return n
}

// rival is the account before this one, and so the older, that claims the same.
func (s *samples) rival(account *v1alpha1.SocialAccount) *v1alpha1.SocialAccount {
	for _, other := range s.accounts {
		if other == account {
			return nil
		}
		if other.Spec.Platform == account.Spec.Platform && (strings.EqualFold(other.Spec.Handle, account.Spec.Handle) ||
			other.Spec.AccountID != "" && other.Spec.AccountID == account.Spec.AccountID) {
			return other
		}
	}
	return nil
}

func nameOf(account *v1alpha1.SocialAccount) string { return account.Namespace + "/" + account.Name }

func loadFleet(t *testing.T) world.Fleet {
	t.Helper()
	fleet, err := world.ReadFleet(fleetFile)
	if err != nil {
		t.Fatal(err)
	}
	return fleet
}
