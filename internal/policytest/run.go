package policytest

import (
	"fmt"
	"path/filepath"
	"slices"

	yaml "go.yaml.in/yaml/v3"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
)

// Outcome is what became of one case.
type Outcome struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Test string `json:"test"`
	Case string `json:"case"`
	// Differences are empty if the case passes.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is where a case is not as expected.
type Difference struct {
	// Rule is the rule, or tier or compliant.
	Rule string `json:"rule"`
	Want string `json:"want"`
	Got  string `json:"got"`
	// Message is that of the finding, if there is one.
	Message string `json:"message,omitempty"`
}

// Run runs all tests below a folder, in the order of files and cases. An error means
// that tests could not be run: it names the file and line. Nothing to run is one.
func Run(dir string) ([]Outcome, error) {
	names, err := files(dir)
	if err != nil {
		return nil, err
	}
	var outcomes []Outcome
	tests := 0
	for _, name := range names {
		docs, err := read(name)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			if d.kind != Kind {
				continue
			}
			tests++
			of, err := runSuite(d)
			if err != nil {
				return nil, err
			}
			outcomes = append(outcomes, of...)
		}
	}
	if tests == 0 {
		return nil, fmt.Errorf("%s: no document of kind %s in %d YAML files", dir, Kind, len(names))
	}
	return outcomes, nil
}

func runSuite(d *document) ([]Outcome, error) {
	var s suite
	if err := d.decode(d.node, &s); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.place(d.node), err)
	}
	compiled, err := s.compile(d)
	if err != nil {
		return nil, err
	}
	nodes := child(d.node, "cases")
	var outcomes []Outcome
	for i, raw := range s.Cases {
		node := nodes.Content[i]
		c, err := s.load(d, node, raw)
		if err != nil {
			return nil, err
		}
		differences, err := c.run(&s, compiled)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", d.place(node), c.Name, err)
		}
		outcomes = append(outcomes, Outcome{File: d.file, Line: node.Line, Test: s.Metadata.Name, Case: c.Name, Differences: differences})
	}
	return outcomes, nil
}

func (s *suite) check() error {
	switch {
	case s.APIVersion != apiVersion:
		return fmt.Errorf("apiVersion is %q, not %s", s.APIVersion, apiVersion)
	case s.Metadata.Name == "":
		return fmt.Errorf("metadata.name is missing")
	case s.Now.IsZero():
		return fmt.Errorf("now is missing: a test does not depend on the day on which it runs")
	case len(s.Cases) == 0:
		return fmt.Errorf("there are no cases")
	}
	return nil
}

// compile reads and compiles the policies of a suite.
func (s *suite) compile(d *document) ([]*governance.Policy, error) {
	dir := filepath.Dir(d.file)
	names, err := s.files(dir)
	if err != nil {
		return nil, err
	}
	var compiled []*governance.Policy
	for _, name := range names {
		found, err := policies(name)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && len(s.Policies) > 0 {
			return nil, fmt.Errorf("%s: %s holds no GovernancePolicy", d.place(d.node), name)
		}
		for _, policy := range found {
			p, err := compilePolicy(name, policy)
			if err != nil {
				return nil, err
			}
			compiled = append(compiled, p)
		}
	}
	if len(compiled) == 0 {
		return nil, fmt.Errorf("%s: there is no GovernancePolicy in %s, and policies names no file", d.place(d.node), dir)
	}
	return compiled, nil
}

// files are those that the suite names, or all beside it.
func (s *suite) files(dir string) ([]string, error) {
	if len(s.Policies) == 0 {
		return filepath.Glob(filepath.Join(dir, "*.y*ml"))
	}
	var names []string
	for _, name := range s.Policies {
		names = append(names, filepath.Join(dir, name))
	}
	return names, nil
}

// compilePolicy compiles an edition as if it was enforced: that is what a test of a
// preview asks.
func compilePolicy(file string, policy *v1alpha1.GovernancePolicy) (*governance.Policy, error) {
	if policy.Spec.Mode == v1alpha1.ModePreview {
		policy.Spec.Mode = v1alpha1.ModeEnforce
	}
	compiled, problems := governance.Compile(policy.Name, &policy.Spec)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s: policy %s: %s", file, policy.Name, problems[0])
	}
	return compiled, nil
}

// load reads a case over the defaults.
func (s *suite) load(d *document, node *yaml.Node, raw []byte) (*testCase, error) {
	merged, err := mergeJSON(s.Defaults, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.place(node), err)
	}
	c := &testCase{}
	if err := d.strict(node, merged, c); err != nil {
		return nil, err
	}
	if c.Name == "" {
		return nil, fmt.Errorf("%s: the case has no name", d.place(node))
	}
	if err := c.Expect.check(); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", d.place(node), c.Name, err)
	}
	return c, nil
}

var (
	verdicts    = []string{"Pass", "Violated", "Unknown", "Excepted", notApplicable}
	permissions = []string{"Permitted", "NotPermitted"}
	answers     = []string{"True", "False", "Unknown"}
)

// notApplicable is the verdict of a rule that no policy has for the account.
const notApplicable = "NotApplicable"

func (e *expectation) check() error {
	for rule, verdict := range e.Rules {
		if !slices.Contains(verdicts, verdict) {
			return fmt.Errorf("expect.rules[%s] is %q, not one of %v", rule, verdict, verdicts)
		}
	}
	for _, field := range []struct {
		name, value string
		allowed     []string
	}{{"others", e.Others, verdicts}, {"tier", e.Tier, permissions}, {"compliant", e.Compliant, answers}} {
		if field.value != "" && !slices.Contains(field.allowed, field.value) {
			return fmt.Errorf("expect.%s is %q, not one of %v", field.name, field.value, field.allowed)
		}
	}
	if len(e.Rules) == 0 && e.Others == "" && e.Tier == "" && e.Compliant == "" {
		return fmt.Errorf("nothing is expected")
	}
	return nil
}
