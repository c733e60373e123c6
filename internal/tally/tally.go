// Package tally counts verdicts over the whole fleet. The account controller
// tells it each account's verdicts; the policy controller reads exact counts
// from it, which the capped lists in the accounts' statuses could not give.
package tally

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/governance"
)

// Tally holds the last verdicts of each account. It is safe for concurrent use.
type Tally struct {
	mu       sync.Mutex
	accounts map[types.NamespacedName]*account
	// equal holds one copy of what accounts contribute: most contribute the same.
	equal    map[string]*account
	policies map[string]*counts
	changed  func(policy string)
}

// account holds what an account contributes: the policies that judged it, and
// the rules that do not pass.
type account struct {
	policies []string
	failing  []governance.RuleResult
	// text tells it from others, accounts is how many contribute it.
	text     string
	accounts int
}

// textOf is the same for what is the same. No name has a zero byte.
func textOf(policies []string, failing []governance.RuleResult) string {
	var b strings.Builder
	for _, name := range policies {
		b.WriteString(name + "\x00")
	}
	for _, r := range failing {
		b.WriteString("\x00" + r.Policy + "\x00" + r.Rule + "\x00" + string(r.Verdict) + "\x00" + string(r.Mode))
	}
	return b.String()
}

type counts struct {
	selected, violating, unknown int
	rules                        map[string]*RuleCount
}

// RuleCount counts the accounts that do not pass a rule.
type RuleCount struct {
	Rule              string
	Violated, Unknown int
}

// Policy is what is known of one policy over the fleet. Selected is the sum of
// Compliant, Violating and Unknown.
type Policy struct {
	Selected, Compliant, Violating, Unknown int
	// Rules are the rules that somebody does not pass, worst first.
	Rules []RuleCount
}

// New returns an empty tally. changed is called, with the name of a policy,
// whenever its counts may have changed; it must not block.
func New(changed func(policy string)) *Tally {
	return &Tally{
		accounts: map[types.NamespacedName]*account{}, equal: map[string]*account{}, policies: map[string]*counts{}, changed: changed,
	}
}

// Set records an account's verdicts under these policies.
func (t *Tally) Set(key types.NamespacedName, policies []string, results []governance.RuleResult) {
	var failing []governance.RuleResult
	for _, r := range results {
		if r.Verdict == governance.Violated || r.Verdict == governance.Unknown {
			failing = append(failing, r)
		}
	}
	t.mu.Lock()
	was := t.accounts[key]
	if was != nil && slices.Equal(was.policies, policies) && slices.Equal(was.failing, failing) {
		t.mu.Unlock()
		return
	}
	next := t.share(policies, failing)
	t.add(was, -1)
	t.add(next, 1)
	t.accounts[key] = next
	t.mu.Unlock()
	t.tell(was, next)
}

// share is what accounts with these verdicts hold.
func (t *Tally) share(policies []string, failing []governance.RuleResult) *account {
	text := textOf(policies, failing)
	one, ok := t.equal[text]
	if !ok {
		one = &account{policies: slices.Clone(policies), failing: failing, text: text}
		t.equal[text] = one
	}
	return one
}

// Drop forgets an account that is gone.
func (t *Tally) Drop(key types.NamespacedName) {
	t.mu.Lock()
	was := t.accounts[key]
	t.add(was, -1)
	delete(t.accounts, key)
	t.mu.Unlock()
	t.tell(was, nil)
}

// Accounts is the number of accounts whose verdicts are known.
func (t *Tally) Accounts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.accounts)
}

// Policy returns the counts of a policy.
func (t *Tally) Policy(name string) Policy {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.policies[name]
	if !ok {
		return Policy{}
	}
	p := Policy{
		Selected: c.selected, Violating: c.violating, Unknown: c.unknown,
		Compliant: c.selected - c.violating - c.unknown,
	}
	for _, rule := range c.rules {
		if rule.Violated > 0 || rule.Unknown > 0 {
			p.Rules = append(p.Rules, *rule)
		}
	}
	p.Rules = WorstFirst(p.Rules)
	return p
}

// WorstFirst sorts the counts of rules.
func WorstFirst(rules []RuleCount) []RuleCount {
	slices.SortFunc(rules, func(a, b RuleCount) int {
		return cmp.Or(b.Violated-a.Violated, b.Unknown-a.Unknown, cmp.Compare(a.Rule, b.Rule))
	})
	return rules
}

// add adds what an account contributes, n times; nil: nothing.
func (t *Tally) add(a *account, n int) {
	if a == nil {
		return
	}
	if a.accounts += n; a.accounts == 0 {
		delete(t.equal, a.text)
	}
	t.addPolicies(a, n)
	t.addRules(a, n)
}

func (t *Tally) addPolicies(a *account, n int) {
	for _, name := range a.policies {
		c := t.of(name)
		c.selected += n
		switch worst(a.failing, name) {
		case governance.Violated:
			c.violating += n
		case governance.Unknown:
			c.unknown += n
		case governance.Pass, governance.Excepted:
		}
		if c.selected == 0 {
			delete(t.policies, name)
		}
	}
}

func (t *Tally) addRules(a *account, n int) {
	for _, r := range a.failing {
		c, ok := t.policies[r.Policy]
		if !ok {
			continue
		}
		rule := c.rules[r.Rule]
		if rule == nil {
			rule = &RuleCount{Rule: r.Rule}
			c.rules[r.Rule] = rule
		}
		if r.Verdict == governance.Violated {
			rule.Violated += n
		} else {
			rule.Unknown += n
		}
	}
}

func (t *Tally) of(name string) *counts {
	c, ok := t.policies[name]
	if !ok {
		c = &counts{rules: map[string]*RuleCount{}}
		t.policies[name] = c
	}
	return c
}

// worst is the worst verdict of a policy among an account's failing rules.
func worst(failing []governance.RuleResult, policy string) governance.Verdict {
	verdict := governance.Pass
	for _, r := range failing {
		if r.Policy != policy {
			continue
		}
		if r.Verdict == governance.Violated {
			return governance.Violated
		}
		verdict = governance.Unknown
	}
	return verdict
}

func (t *Tally) tell(a, b *account) {
	told := map[string]bool{}
	for _, one := range []*account{a, b} {
		if one == nil {
			continue
		}
		for _, name := range one.policies {
			if !told[name] {
				told[name] = true
				t.changed(name)
			}
		}
	}
}
