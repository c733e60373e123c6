package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Problem says what keeps a policy from being accepted.
type Problem struct {
	// Rule is the rule's section and name: content/no-personal-data. For an
	// exception it is exceptions/<name>, for the policy's selector "selector".
	Rule string
	// Path is the field: spec.content[0].anyOf.patterns[2].
	Path string
	// Position is the offset in the expression, in code points from 0.
	Position int
	// Text says what is wrong.
	Text string
	// Selector: a label selector is malformed, not an expression.
	Selector bool
}

// String is the problem as people read it.
func (p Problem) String() string {
	if p.Selector {
		return p.Rule + ": " + p.Path + ": " + p.Text
	}
	return p.Rule + ": " + p.Path + ", position " + strconv.Itoa(p.Position) + ": " + p.Text
}

// Compile checks one policy and makes it ready to judge. With problems there is
// no policy. The spec may change afterwards; the policy keeps a copy.
func Compile(name string, spec *v1alpha1.GovernancePolicySpec) (*Policy, []Problem) {
	c := &compiler{spec: spec.DeepCopy()}
	if c.spec.Mode == "" {
		c.spec.Mode = v1alpha1.ModeEnforce
	}
	c.policy = &Policy{name: name, spec: c.spec}
	if s := c.spec.Selector; s != nil {
		c.policy.namespaces = c.selector("selector", "spec.selector.namespaceSelector", s.NamespaceSelector)
		c.policy.accounts = c.selector("selector", "spec.selector.accountSelector", s.AccountSelector)
	}
	c.ownership()
	c.identity()
	c.credentials()
	c.attestations()
	c.activity()
	c.content()
	c.languages()
	c.performance()
	c.custom()
	c.exceptions()
	c.policy.digest = c.digest(c.spec)
	c.policy.alone = digestAll([]*Policy{c.policy})
	c.policy.acts.digest = c.digest(conductOf(c.spec))
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return c.policy, nil
}

// compiler gathers the rules and problems of one policy.
type compiler struct {
	policy   *Policy
	spec     *v1alpha1.GovernancePolicySpec
	problems []Problem
}

func (c *compiler) problem(p Problem) { c.problems = append(c.problems, p) }

// add takes from the registry what r leaves open. A rule that is not registered
// cannot be added.
func (c *compiler) add(r rule) {
	doc := docOf(r.name)
	r.evidence = doc.Evidence
	if r.severity == "" {
		r.severity = doc.Severity
	}
	if r.mode == "" {
		r.mode = v1alpha1.FindingEnforce
	}
	if c.spec.Mode != v1alpha1.ModeEnforce {
		r.mode = v1alpha1.FindingAudit
	}
	c.policy.rules = append(c.policy.rules, r)
}

func (c *compiler) pattern(rule, path string, pattern v1alpha1.RegularExpression) *regexp.Regexp {
	if !c.safe(rule, path, string(pattern)) {
		return nil
	}
	re, fault := compilePattern(string(pattern))
	if fault != nil {
		c.problem(Problem{Rule: rule, Path: path, Position: fault.at, Text: fault.text})
	}
	return re
}

// selector compiles a label selector; nil selects all.
func (c *compiler) selector(rule, path string, s *metav1.LabelSelector) labels.Selector {
	if s == nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		c.problem(Problem{Rule: rule, Path: path, Text: clean(err.Error(), maxMessage), Selector: true})
		return nil
	}
	if selector.Empty() {
		return nil
	}
	return selector
}

// domains makes domains comparable. Their order says nothing, so messages list
// them by name.
func (c *compiler) domains(names []v1alpha1.DomainName) []string {
	domains := make([]string, 0, len(names))
	for _, name := range names {
		domains = append(domains, asciiDomain(string(name)))
	}
	slices.Sort(domains)
	return slices.Compact(domains)
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (c *compiler) exceptions() {
	for i := range c.spec.Exceptions {
		e := &c.spec.Exceptions[i]
		path := "spec.exceptions" + index(i) + ".accountSelector"
		compiled := exception{
			accounts: c.selector("exceptions/"+string(e.Name), path, e.AccountSelector),
			until:    e.Until.Time,
		}
		for j, name := range e.Rules {
			if !c.has(name) {
				c.problem(Problem{Rule: "exceptions/" + string(e.Name), Path: "spec.exceptions" + index(i) + ".rules" + index(j), Text: "there is no rule " + quote(name, maxFragment)})
			}
		}
		for j := range c.policy.rules {
			if r := &c.policy.rules[j]; slices.Contains(e.Rules, r.name) {
				r.exceptions = append(r.exceptions, compiled)
			}
		}
	}
}

// has says that a rule exists: one of those that are built in, or one that the policy
// names. An exception from a section that the policy leaves out does no harm.
func (c *compiler) has(name string) bool {
	doc := docOf(name)
	if doc == nil || doc.Name == name {
		return doc != nil
	}
	return slices.ContainsFunc(c.policy.rules, func(r rule) bool { return r.name == name })
}

// conductOf is the part of an edition that acts are judged under. How a finding is
// worded and weighed is no part of it: nothing is read again for that, reads cost.
func conductOf(s *v1alpha1.GovernancePolicySpec) *v1alpha1.GovernancePolicySpec {
	part := &v1alpha1.GovernancePolicySpec{
		Activity: slices.Clone(s.Activity), Content: slices.Clone(s.Content), Sources: slices.Clone(s.Sources), Languages: s.Languages,
	}
	for i := range part.Activity {
		part.Activity[i].Provision = v1alpha1.Provision{}
	}
	for i := range part.Content {
		part.Content[i].Provision = v1alpha1.Provision{}
	}
	for i := range part.Sources {
		part.Sources[i].Provision = v1alpha1.Provision{}
	}
	return part
}

// digest covers everything that the edition says. The JSON of a spec is
// canonical: fields come in the order of the type, keys of maps by name.
func (c *compiler) digest(spec *v1alpha1.GovernancePolicySpec) string {
	text, err := json.Marshal(struct {
		Name string
		Spec *v1alpha1.GovernancePolicySpec
	}{c.policy.name, spec})
	if err != nil {
		c.problem(Problem{Rule: "policy", Path: "spec", Text: clean(err.Error(), maxMessage)})
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
