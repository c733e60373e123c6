package main

import (
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"
	"sigs.k8s.io/kube-api-linter/pkg/analysis/registry"
	kal "sigs.k8s.io/kube-api-linter/pkg/config"
	"sigs.k8s.io/yaml"
)

// finding is one thing an analyzer says, and about which field.
type finding struct {
	position token.Position
	linter   string
	field    string // Type.Field, or Type
	message  string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s: %s",
		f.position.Filename, f.position.Line, f.position.Column, f.linter, f.field, f.message)
}

type config struct {
	Linters       kal.Linters       `json:"linters"`
	LintersConfig kal.LintersConfig `json:"lintersConfig"`
}

// readConfig reads the file, or what is built in where none is named.
func readConfig(file string) (config, error) {
	var c config
	raw := builtInConfig
	if file != "" {
		var err error
		if raw, err = os.ReadFile(file); err != nil {
			return c, err
		}
	}
	return c, yaml.UnmarshalStrict(raw, &c)
}

// lint runs the configured analyzers over the packages.
func lint(c config, patterns []string) ([]finding, error) {
	analyzers, err := registry.DefaultRegistry().InitializeLinters(c.Linters, c.LintersConfig)
	if err != nil {
		return nil, fmt.Errorf("configuring the linters: %w", err)
	}
	loaded, err := load(patterns)
	if err != nil {
		return nil, err
	}
	graph, err := checker.Analyze(analyzers, loaded, nil)
	if err != nil {
		return nil, fmt.Errorf("analyzing: %w", err)
	}
	var findings []finding
	for _, action := range graph.Roots {
		if action.Err != nil {
			return nil, fmt.Errorf("running %s over %s: %w", action.Analyzer.Name, action.Package, action.Err)
		}
		names, schema := nameFields(action.Package), readSchema(action.Package)
		for _, d := range action.Diagnostics {
			if f := newFinding(action, names, d); schema.has(f.field) {
				findings = append(findings, f)
			}
		}
	}
	return sorted(findings), nil
}

func load(patterns []string) ([]*packages.Package, error) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax | packages.NeedModule}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", strings.Join(patterns, " "), err)
	}
	if packages.PrintErrors(loaded) > 0 {
		return nil, fmt.Errorf("loading %s: it does not compile", strings.Join(patterns, " "))
	}
	return loaded, nil
}

func newFinding(action *checker.Action, names fieldNames, d analysis.Diagnostic) finding {
	position := action.Package.Fset.Position(d.Pos)
	if wd, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(wd, position.Filename); err == nil {
			position.Filename = relative
		}
	}
	return finding{position: position, linter: action.Analyzer.Name, field: names.at(d.Pos), message: d.Message}
}

// sorted puts the findings in the order of the source.
func sorted(findings []finding) []finding {
	slices.SortFunc(findings, func(a, b finding) int {
		if c := strings.Compare(a.position.Filename, b.position.Filename); c != 0 {
			return c
		}
		if c := a.position.Offset - b.position.Offset; c != 0 {
			return c
		}
		return strings.Compare(a.linter+a.message, b.linter+b.message)
	})
	return findings
}
