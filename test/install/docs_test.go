package install

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"
)

// document is docs/install.md.
func document(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "docs/install.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// block is the fenced block of docs/install.md that begins so.
func block(t *testing.T, beginning string) string {
	t.Helper()
	_, rest, found := strings.Cut(document(t), "```yaml\n"+beginning)
	if !found {
		t.Fatalf("docs/install.md has no block that begins with %q", beginning)
	}
	text, _, _ := strings.Cut(rest, "```")
	return text
}

// flags are the operator's flags with their defaults, read from its source: the
// binary would have to be built to ask it.
func flags(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	logging := flag.NewFlagSet("", flag.ContinueOnError)
	logging.SetOutput(io.Discard)
	(&zap.Options{}).BindFlags(logging)
	logging.VisitAll(func(f *flag.Flag) { out[f.Name] = f.DefValue })
	files, err := filepath.Glob(filepath.Join(root, "internal/settings/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if name, value, ok := flagOf(n); ok {
				out[name] = value
			}
			return true
		})
	}
	if len(out) < 10 {
		t.Fatalf("found %d flags only: %v", len(out), out)
	}
	return out
}

// flagOf recognises fs.TypeVar(&variable, "name", default, "usage").
func flagOf(n ast.Node) (name, value string, ok bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 4 {
		return "", "", false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"StringVar", "BoolVar", "IntVar", "Float64Var", "DurationVar"}, method.Sel.Name) {
		return "", "", false
	}
	literal, ok := call.Args[1].(*ast.BasicLit)
	if !ok {
		return "", "", false
	}
	name, err := strconv.Unquote(literal.Value)
	return name, constant(call.Args[2]), err == nil
}

// constant prints a default as `--help` would.
func constant(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
		return e.Value
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		unit := map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}[e.Sel.Name]
		return unit.String()
	case *ast.BinaryExpr:
		n, err := strconv.Atoi(constant(e.X))
		unit, also := time.ParseDuration(constant(e.Y))
		if err == nil && also == nil {
			return (time.Duration(n) * unit).String()
		}
	case *ast.CallExpr: // os.Getenv("NAME")
		if len(e.Args) == 1 {
			return "$" + constant(e.Args[0])
		}
	}
	return "?"
}

// The table of flags is true: every flag with its default, and no other.
func TestTheDocsNameEveryFlag(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| (`[^`]*`)? *\\|").FindAllStringSubmatch(document(t), -1) {
		value := strings.Trim(row[2], "`")
		if d, err := time.ParseDuration(value); err == nil && value != "0" {
			value = d.String()
		}
		got[row[1]] = value
	}
	want := flags(t)
	for name, value := range want {
		if value == "epoch" || strings.HasPrefix(name, "zap-") && value == "" {
			want[name] = ""
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flags of the operator (-), docs/install.md (+):\n%s", diff)
	}
}

// No value of the chart makes an argument that the operator does not know: it
// would not start.
func TestTheChartPassesKnownFlags(t *testing.T) {
	t.Parallel()
	known := flags(t)
	for _, values := range []string{
		"",
		"metrics.enabled=false",
		"replicas=1,leaderElection.enabled=false",
		"replicas=4,shards=3",
		"consent.url=https://mithaq.edu.example,consent.port=8090",
		"consent.url=https://mithaq.edu.example,shards=3,replicas=3",
		"allowedHosts={a.example},allowInsecureEndpoints=true,logging.level=debug,logging.encoder=json," +
			"defaults.profileEvery=1h,defaults.activityEvery=2h,defaults.staleAfter=3h",
	} {
		deployment := helm(t, "--set", values).one(t, "Deployment", "mithaq-controller-manager")
		args := containerArgs(t, deployment.Object)
		if len(args) < 2 {
			t.Errorf("%s: only %v", values, args)
		}
		for _, arg := range args {
			name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
			if _, ok := known[name]; !ok {
				t.Errorf("%s: the operator has no flag %s", values, arg)
			}
		}
	}
}

func containerArgs(t *testing.T, deployment map[string]any) []string {
	t.Helper()
	raw, err := yaml.Marshal(deployment)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []struct{ Args []string } }
			}
		}
	}
	if err := yaml.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d.Spec.Template.Spec.Containers[0].Args
}

// PROJECT is what kubebuilder's tools believe: the kinds, their scope, and which
// of them have a controller.
func TestProjectIsTrueToTheKinds(t *testing.T) {
	t.Parallel()
	type resource struct {
		API        struct{ Namespaced bool }
		Controller bool
		Domain     string
		Group      string
		Kind       string
		Version    string
	}
	var project struct{ Resources []resource }
	raw, err := os.ReadFile(filepath.Join(root, "PROJECT"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &project); err != nil {
		t.Fatal(err)
	}
	got := map[string]resource{}
	for _, r := range project.Resources {
		got[r.Kind] = r
	}
	want := map[string]resource{}
	for _, text := range readAll(t, filepath.Join(root, "config/crd/bases/*.yaml")) {
		var crd struct {
			Spec struct {
				Group    string
				Names    struct{ Kind, Singular string }
				Scope    string
				Versions []struct{ Name string }
			}
		}
		if err := yaml.Unmarshal([]byte(text), &crd); err != nil {
			t.Fatal(err)
		}
		r := resource{Domain: crd.Spec.Group, Kind: crd.Spec.Names.Kind, Version: crd.Spec.Versions[0].Name}
		r.API.Namespaced = crd.Spec.Scope == "Namespaced"
		_, err := os.Stat(filepath.Join(root, "controllers", crd.Spec.Names.Singular, "reconciler.go"))
		r.Controller = err == nil
		want[r.Kind] = r
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CRDs and controllers (-), PROJECT (+):\n%s", diff)
	}
}
