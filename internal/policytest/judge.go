package policytest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
)

// readDays is how far back a case's acts were read, where it does not say.
const readDays = 60

// run judges the case and compares.
func (c *testCase) run(s *suite, compiled []*governance.Policy) ([]Difference, error) {
	acc := c.socialAccount()
	var policies []*governance.Policy
	for _, p := range compiled {
		if p.Selects(acc, c.NamespaceLabels) {
			policies = append(policies, p)
		}
	}
	in := governance.Input{Account: acc, Policies: policies, LiveMissing: c.Missing, Now: s.Now, EditionSince: s.since}
	if err := c.observe(&in); err != nil {
		return nil, err
	}
	if c.AccountsOf != nil {
		in.AccountsOf = c.accountsOf()
	}
	if c.Activity != nil {
		in.Activity = governance.Judge(nil, c.Activity.input(&in))
	}
	permitted, _ := governance.TierPermitted(policies, acc.Spec.Tier)
	return c.Expect.compare(governance.Evaluate(in), permitted), nil
}

func (s *suite) since(string) time.Time {
	if s.InForceSince == nil {
		return time.Time{}
	}
	return *s.InForceSince
}

func (c *testCase) socialAccount() *v1alpha1.SocialAccount {
	acc := &v1alpha1.SocialAccount{Spec: c.Account.Spec, Status: c.Account.Status}
	acc.Name, acc.Namespace, acc.Labels, acc.CreationTimestamp = c.Account.Name, c.Account.Namespace, c.Account.Labels, c.Account.CreatedAt
	return acc
}

// facts are the fields of a live profile that a platform may not tell.
var facts = map[string]governance.Facts{
	"handle": governance.FactHandle, "displayName": governance.FactDisplayName, "bio": governance.FactBio, "website": governance.FactWebsite,
	"avatar": governance.FactAvatar, "banner": governance.FactBanner, "verified": governance.FactVerified, "protected": governance.FactProtected,
	"followers": governance.FactFollowers, "posts": governance.FactPosts, "lastPostAt": governance.FactLastPost, "location": governance.FactLocation,
}

func (c *testCase) observe(in *governance.Input) error {
	readable := governance.FactLocation<<1 - 1
	for _, name := range c.Unreadable {
		fact, ok := facts[name]
		if !ok {
			return fmt.Errorf("unreadable: %q is none of the fields of live", name)
		}
		readable &^= fact
	}
	if c.Live != nil {
		in.Live = &governance.Live{Profile: c.Live, Readable: readable}
	}
	return nil
}

func (c *testCase) accountsOf() func(string) int {
	counts := map[string]int{}
	for person, n := range c.AccountsOf {
		counts[governance.PersonKey(person)] = n
	}
	return func(person string) int { return max(1, counts[person]) }
}

// actions are all of them: what is not said to be missing was read.
var actions = []v1alpha1.ActivityAction{v1alpha1.ActionPublish, v1alpha1.ActionReply, v1alpha1.ActionRepost, v1alpha1.ActionLike, v1alpha1.ActionFollow}

func (a *activity) input(in *governance.Input) governance.JudgeInput {
	since := in.Now.AddDate(0, 0, -readDays)
	if a.Since != nil {
		since = *a.Since
	}
	coverage := map[v1alpha1.ActivityAction]governance.Coverage{}
	for _, action := range actions {
		coverage[action] = governance.Coverage{Since: since, At: in.Now}
		if why := a.NotRead[action]; why != "" {
			coverage[action] = governance.Coverage{Missing: why}
		}
	}
	judged := governance.JudgeInput{Account: in.Account, Policies: in.Policies, Live: in.Live, Coverage: coverage, Now: in.Now, Governed: a.governed}
	for i, one := range a.Acts {
		judged.Acts = append(judged.Acts, one.act(i, in.Now))
	}
	return judged
}

func (a *activity) governed(platform v1alpha1.PlatformName, _, handle string) bool {
	return slices.ContainsFunc(a.Governed, func(declared string) bool {
		return strings.EqualFold(declared, string(platform)+":"+handle)
	})
}

// act fills in what a case need not say: an id, and a moment an hour ago.
func (a *act) act(i int, now time.Time) governance.Act {
	full := governance.Act{
		ID: a.ID, Action: a.Action, At: a.At, EditedAt: a.EditedAt, Text: a.Text, URL: a.URL, Links: a.Links, Language: a.Language, By: a.By,
	}
	if full.ID == "" {
		full.ID = fmt.Sprint("act-", i)
	}
	if full.At.IsZero() {
		full.At = now.Add(-time.Hour)
	}
	if a.Target != nil {
		full.Target = governance.Target{ID: a.Target.ID, Handle: a.Target.Handle, Known: true}
	}
	return full
}

// compare lists what is not as expected, rules by name.
func (e *expectation) compare(got governance.Result, permitted bool) []Difference {
	var out []Difference
	named := map[string]bool{}
	for _, rule := range sorted(e.Rules) {
		out = append(out, e.compareRule(rule, got, named)...)
	}
	for _, r := range got.Rules {
		if !named[r.Policy+":"+r.Rule] && e.Others != "" && r.Verdict.String() != e.Others {
			out = append(out, Difference{Rule: r.Rule, Want: e.Others, Got: r.Verdict.String(), Message: messageOf(got, r)})
		}
	}
	out = differs(out, "tier", e.Tier, permissions[boolIndex(!permitted)])
	return differs(out, "compliant", e.Compliant, compliant(got))
}

// compareRule compares one expected rule, in every policy that has it, and takes down
// which it named.
func (e *expectation) compareRule(rule string, got governance.Result, named map[string]bool) []Difference {
	var out []Difference
	want, found := e.Rules[rule], false
	for _, r := range got.Rules {
		full := r.Policy + ":" + r.Rule
		if r.Rule != rule && full != rule {
			continue
		}
		found, named[full] = true, true
		if r.Verdict.String() != want {
			out = append(out, Difference{Rule: rule, Want: want, Got: r.Verdict.String(), Message: messageOf(got, r)})
		}
	}
	if !found && want != notApplicable {
		out = append(out, Difference{Rule: rule, Want: want, Got: notApplicable})
	}
	return out
}

func differs(out []Difference, what, want, got string) []Difference {
	if want == "" || want == got {
		return out
	}
	return append(out, Difference{Rule: what, Want: want, Got: got})
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

func messageOf(got governance.Result, r governance.RuleResult) string {
	for i := range got.Findings {
		if f := &got.Findings[i]; f.Rule == r.Rule && string(f.Policy) == r.Policy {
			return f.Message
		}
	}
	return ""
}

// compliant is the status of the condition of that name: a violation of an enforced
// rule beats missing evidence, which beats a pass.
func compliant(got governance.Result) string {
	answer := "True"
	if len(got.Rules) == 0 {
		answer = "Unknown"
	}
	for _, r := range got.Rules {
		switch {
		case r.Mode != v1alpha1.FindingEnforce:
		case r.Verdict == governance.Violated:
			return "False"
		case r.Verdict == governance.Unknown:
			answer = "Unknown"
		}
	}
	return answer
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
