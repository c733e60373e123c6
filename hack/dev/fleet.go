package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/local"
)

// annotationExpect is what a sample expects of itself: conditions with their
// status, and the rules that it violates.
const annotationExpect = "demo.mithaq.dev/expect"

// fleet is everything that the screen shows.
type fleet struct {
	accounts    []v1alpha1.SocialAccount
	policies    []v1alpha1.GovernancePolicy
	connections []v1alpha1.PlatformConnection
}

func readFleet(ctx context.Context, c *local.Cluster) (*fleet, error) {
	var accounts v1alpha1.SocialAccountList
	var policies v1alpha1.GovernancePolicyList
	var connections v1alpha1.PlatformConnectionList
	if err := c.Client.List(ctx, &accounts); err != nil {
		return nil, fmt.Errorf("listing accounts: %w", err)
	}
	if err := c.Client.List(ctx, &policies); err != nil {
		return nil, fmt.Errorf("listing policies: %w", err)
	}
	if err := c.Client.List(ctx, &connections); err != nil {
		return nil, fmt.Errorf("listing connections: %w", err)
	}
	slices.SortFunc(accounts.Items, func(a, b v1alpha1.SocialAccount) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return &fleet{accounts.Items, policies.Items, connections.Items}, nil
}

// pending says, in a sentence each, what has not converged.
func (f *fleet) pending() []string {
	var out []string
	if len(f.accounts) == 0 {
		out = append(out, "no account exists")
	}
	for i := range f.accounts {
		acc := &f.accounts[i]
		if why := unsettled(acc); why != "" {
			out = append(out, fmt.Sprintf("%s/%s: %s", acc.Namespace, acc.Name, why))
		}
	}
	for i := range f.policies {
		p := &f.policies[i]
		if !meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionAccepted) || p.Status.Accounts == nil {
			out = append(out, "policy "+p.Name+": not accepted and counted yet")
		}
	}
	for i := range f.connections {
		c := &f.connections[i]
		if !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady) {
			out = append(out, "connection "+c.Name+": "+reason(c.Status.Conditions, v1alpha1.ConditionReady))
		}
	}
	return out
}

// unsettled says why an account's status is not final; empty if it is.
func unsettled(acc *v1alpha1.SocialAccount) string {
	if acc.Status.ObservedGeneration != acc.Generation {
		return "not reconciled yet"
	}
	for _, t := range []string{
		v1alpha1.ConditionObserved, v1alpha1.ConditionGoverned, v1alpha1.ConditionCompliant,
		v1alpha1.ConditionCredentialsHealthy, v1alpha1.ConditionHandoverComplete, v1alpha1.ConditionReady,
	} {
		if meta.FindStatusCondition(acc.Status.Conditions, t) == nil {
			return "no condition " + t
		}
	}
	if meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionReconciling) {
		return "not looked at yet"
	}
	return ""
}

// surprises say where accounts are not as the samples expect.
func (f *fleet) surprises() []string {
	var out []string
	for i := range f.accounts {
		acc := &f.accounts[i]
		for want := range strings.FieldsSeq(acc.Annotations[annotationExpect]) {
			if why := unmet(acc, want); why != "" {
				out = append(out, fmt.Sprintf("%s/%s: expected %s, but %s", acc.Namespace, acc.Name, want, why))
			}
		}
		if !strings.Contains(acc.Annotations[annotationExpect], "Drift=") && len(acc.Status.Drift) > 0 {
			out = append(out, fmt.Sprintf("%s/%s: expected no drift, but %s", acc.Namespace, acc.Name, strings.Join(drifted(acc), ",")))
		}
	}
	return out
}

// unmet compares one expectation with an account: Condition=Status,
// Condition=Status:Reason, Compliant=False:rule,rule or Drift=field,field.
func unmet(acc *v1alpha1.SocialAccount, want string) string {
	subject, rest, _ := strings.Cut(want, "=")
	if subject == "Drift" {
		return differs("drift of", drifted(acc), rest)
	}
	status, detail, _ := strings.Cut(rest, ":")
	c := meta.FindStatusCondition(acc.Status.Conditions, subject)
	switch {
	case c == nil:
		return "there is no such condition"
	case string(c.Status) != status:
		return fmt.Sprintf("it is %s (%s: %s)", c.Status, c.Reason, c.Message)
	case detail == "":
		return ""
	case c.Reason == v1alpha1.ReasonRulesViolated:
		return differs("it violates", violated(acc), detail)
	case c.Reason != detail:
		return "the reason is " + c.Reason
	}
	return ""
}

func differs(what string, got []string, want string) string {
	if list := strings.Join(got, ","); list != sorted(want) {
		return what + " " + list
	}
	return ""
}

func drifted(acc *v1alpha1.SocialAccount) []string {
	var fields []string
	for _, d := range acc.Status.Drift {
		fields = append(fields, d.Field)
	}
	slices.Sort(fields)
	return fields
}

func sorted(list string) string {
	parts := strings.Split(list, ",")
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// violated lists the rules that count against an account.
func violated(acc *v1alpha1.SocialAccount) []string {
	var rules []string
	for _, f := range acc.Status.Findings {
		if f.Verdict == v1alpha1.VerdictViolated && f.Mode == v1alpha1.FindingEnforce {
			rules = append(rules, f.Rule)
		}
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// reason is a condition as the table shows it.
func reason(conditions []metav1.Condition, conditionType string) string {
	c := meta.FindStatusCondition(conditions, conditionType)
	if c == nil {
		return "–"
	}
	return c.Reason
}
