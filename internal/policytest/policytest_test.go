package policytest

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const examples = "../../docs/examples/policy-tests"

// try runs the command over files in a folder of their own.
func try(t *testing.T, args []string, files map[string]string) (code int, out, complaints string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr strings.Builder
	code = Main(append(args, dir), &stdout, &stderr)
	return code, strings.ReplaceAll(stdout.String(), dir+"/", ""), strings.ReplaceAll(stderr.String(), dir+"/", "")
}

var policyTest = []string{"test"}

const policy = `
apiVersion: mithaq.dev/v1alpha1
kind: GovernancePolicy
metadata: {name: manual}
spec:
  version: "1.0"
  tiers: [{name: school, minPeople: 2}]
  identity: {handlePattern: "^edu_"}
  rules: [{name: arabic, expression: "account.language == 'ar'"}]
`

const tests = `
apiVersion: mithaq.dev/v1alpha1
kind: PolicyTest
metadata: {name: handles}
now: "2026-11-23T12:00:00Z"
defaults:
  account: {name: a, namespace: b, spec: {platform: X, handle: edu_a, tier: school, language: ar, owner: {accountable: a@edu.example}}}
cases:
- name: ours
  live: {handle: edu_a}
  expect: {rules: {identity/handle-pattern: Pass}}
`

func TestTheExamplesPass(t *testing.T) {
	var out, complaints strings.Builder
	if code := Main([]string{"test", examples}, &out, &complaints); code != ExitPass {
		t.Errorf("exit %d\n%s%s", code, out.String(), complaints.String())
	}
	if !strings.Contains(out.String(), "abroad-only: a school at home closes") || !strings.Contains(out.String(), "first-edition: a directorate in order") {
		t.Errorf("not all examples ran:\n%s", out.String())
	}
}

func TestAWrongExpectationFailsAndTellsWhere(t *testing.T) {
	wrong := tests + `- name: not ours
  live: {handle: other}
  expect: {tier: NotPermitted, compliant: "True", others: Pass, rules: {identity/handle-pattern: Pass, content/none: Pass}}
`
	code, out, complaints := try(t, policyTest, map[string]string{"policy.yaml": policy, "sub/../tests.yaml": wrong})
	want := `PASS  tests.yaml:9: handles: ours
FAIL  tests.yaml:12: handles: not ours
      content/none: want Pass, got NotApplicable
      identity/handle-pattern: want Pass, got Violated (the handle "other" does not match the pattern ^edu_)
      ownership/min-people: want Pass, got Violated (`
	if code != ExitFail || !strings.HasPrefix(out, want) || complaints != "" {
		t.Errorf("exit %d\n%s%s", code, out, complaints)
	}
	if !strings.HasSuffix(out, "      tier: want NotPermitted, got Permitted\n      compliant: want True, got False\n2 cases, 1 not as expected\n") {
		t.Errorf("got\n%s", out)
	}
}

// Every verdict that the examples expect is needed: with another one the case fails.
func TestEveryExpectationOfTheExamplesCanFail(t *testing.T) {
	names, err := files(examples)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, name := range names {
		docs, err := read(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			if d.kind != Kind {
				continue
			}
			var s suite
			if err := d.decode(d.node, &s); err != nil {
				t.Fatal(err)
			}
			compiled, err := s.compile(d)
			if err != nil {
				t.Fatal(err)
			}
			for i, raw := range s.Cases {
				c, err := s.load(d, child(d.node, "cases").Content[i], raw)
				if err != nil {
					t.Fatal(err)
				}
				for rule, verdict := range c.Expect.Rules {
					for _, other := range verdicts {
						c.Expect = expectation{Rules: map[string]string{rule: other}}
						differences, err := c.run(&s, compiled)
						if err != nil || (len(differences) == 0) != (other == verdict) {
							t.Errorf("%s: %s: %s expected as %s: %v, %v", name, c.Name, rule, other, differences, err)
						}
						checked++
					}
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no expectation was checked")
	}
}

func TestWhatCannotBeRunIsSaidWithItsPlace(t *testing.T) {
	for _, tc := range []struct {
		name  string
		args  []string
		files map[string]string
		want  string
	}{
		{"nothing there", policyTest, nil, "no document of kind PolicyTest in 0 YAML files"},
		{"no tests", policyTest, map[string]string{"policy.yaml": policy}, "no document of kind PolicyTest in 1 YAML files"},
		{"no policy", policyTest, map[string]string{"tests.yaml": tests}, "tests.yaml:2: there is no GovernancePolicy in"},
		{"no such policy file", policyTest, map[string]string{"tests.yaml": tests + "policies: [none.yaml]\n"}, "none.yaml: no such file"},
		{"a file without a policy", policyTest, map[string]string{"tests.yaml": tests + "policies: [tests.yaml]\n"}, "tests.yaml holds no GovernancePolicy"},
		{"a policy that does not compile", policyTest, map[string]string{"policy.yaml": strings.Replace(policy, "^edu_", "^edu_(", 1), "tests.yaml": tests},
			"policy.yaml: policy manual: identity/handle-pattern: spec.identity.handlePattern, position 5: missing closing )"},
		{"an expression that does not compile", policyTest, map[string]string{"policy.yaml": strings.Replace(policy, "account.language", "account.tongue", 1), "tests.yaml": tests},
			"policy.yaml: policy manual: rules/arabic: spec.rules[0].expression, position 7: undefined field 'tongue'"},
		{"not YAML", policyTest, map[string]string{"tests.yaml": "a: [\n"}, "tests.yaml: yaml: line 1"},
		{"a field that does not exist", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": strings.Replace(tests, "handle: edu_a}\n", "handel: edu_a}\n", 1)}, `tests.yaml:9: json: unknown field "handel"`},
		{"a field of the policy that does not exist", policyTest, map[string]string{"policy.yaml": policy + "  colour: red\n", "tests.yaml": tests}, `policy.yaml:2: json: unknown field "colour"`},
		{"another version", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": strings.Replace(tests, "v1alpha1", "v9", 1)}, `tests.yaml:2: apiVersion is "mithaq.dev/v9"`},
		{"no moment", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": strings.Replace(tests, "now:", "# now:", 1)}, "tests.yaml:2: now is missing"},
		{"no cases", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": tests[:strings.Index(tests, "cases:")]}, "tests.yaml:2: there are no cases"},
		{"a case without a name", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": strings.Replace(tests, "- name: ours", "- missing: gone", 1)}, "tests.yaml:9: the case has no name"},
		{"nothing expected", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": tests + "- name: idle\n  expect: {}\n"}, "tests.yaml:12: idle: nothing is expected"},
		{"a verdict that does not exist", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": tests + "- {name: odd, expect: {others: Fine}}\n"}, `tests.yaml:12: odd: expect.others is "Fine"`},
		{"a rule's verdict that does not exist", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": tests + "- {name: odd, expect: {rules: {a/b: Fine}}}\n"}, `tests.yaml:12: odd: expect.rules[a/b] is "Fine"`},
		{"a fact that does not exist", policyTest, map[string]string{"policy.yaml": policy, "tests.yaml": tests + "- {name: odd, unreadable: [colour], expect: {others: Pass}}\n"}, `tests.yaml:12: odd: unreadable: "colour" is none`},
		{"no command", nil, nil, usage},
		{"another command", []string{"lint"}, nil, usage},
		{"another format", []string{"test", "-o", "tap"}, nil, usage},
		{"two folders", []string{"test", "a"}, nil, usage},
		{"a flag that does not exist", []string{"test", "-x"}, nil, "flag provided but not defined"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, out, complaints := try(t, tc.args, tc.files)
			if code != ExitBroken || out != "" || !strings.Contains(complaints, tc.want) {
				t.Errorf("exit %d\n%s%s", code, out, complaints)
			}
		})
	}
}

func TestOtherFormatsSayTheSame(t *testing.T) {
	written := map[string]string{"policy.yaml": policy, "tests.yaml": tests + "- {name: \"a < b\", live: {handle: x}, expect: {rules: {identity/handle-pattern: Pass}}}\n"}
	code, out, _ := try(t, []string{"test", "-o", "json"}, written)
	var report struct {
		Cases  []Outcome
		Failed int
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != ExitFail || report.Failed != 1 || len(report.Cases) != 2 || report.Cases[1].Differences[0].Got != "Violated" || report.Cases[1].Line != 12 {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	code, out, _ = try(t, []string{"test", "-o", "junit"}, written)
	var parsed junitSuite
	if err := xml.Unmarshal([]byte(out), &parsed); err != nil || code != ExitFail || parsed.Tests != 2 || parsed.Failures != 1 || parsed.Cases[0].Failure != "" || !strings.Contains(parsed.Cases[1].Failure, "want Pass, got Violated") {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	var out, complaints strings.Builder
	if code := Main([]string{"test", "-h"}, &out, &complaints); code != ExitPass || !strings.Contains(complaints.String(), "text, json or junit") {
		t.Errorf("exit %d: %s", code, complaints.String())
	}
}
