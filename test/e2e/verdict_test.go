package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// verdict is everything that is said of an account, in short.
type verdict struct {
	// Each condition as status/reason; those that appear only while true last.
	observed, governed, compliant, ready, extra string
	// Rules and fields, by name.
	violated, unknown, drift string
}

// good is an account in order; with changes it.
func good(change ...func(*verdict)) verdict {
	v := verdict{observed: "True/Fresh", governed: "True/PolicyMatched", compliant: "True/AllRulesPass", ready: "True/Reconciled"}
	for _, c := range change {
		c(&v)
	}
	return v
}

// seenAs is a verdict of Observed that Ready repeats.
func seenAs(state string) func(*verdict) {
	return func(v *verdict) { v.observed, v.ready = state, state }
}

// violating is an account that violates rules.
func violating(rules ...string) func(*verdict) {
	return func(v *verdict) { v.compliant, v.violated = "False/RulesViolated", strings.Join(rules, " ") }
}

// identityUnknown is an account that cannot be looked at: what it declares is
// judged all the same.
func identityUnknown(v *verdict) {
	v.compliant = "Unknown/EvidenceMissing"
	v.unknown = "identity/approved-profile identity/avatar identity/bio-must-contain identity/handle-pattern identity/verified"
}

func drifting(fields string) func(*verdict) { return func(v *verdict) { v.drift = fields } }

func verdictOf(acc *v1alpha1.SocialAccount) verdict {
	var v verdict
	state := func(conditionType string) string {
		c := meta.FindStatusCondition(acc.Status.Conditions, conditionType)
		if c == nil {
			return "absent"
		}
		return string(c.Status) + "/" + c.Reason
	}
	v.observed, v.governed, v.compliant, v.ready = state("Observed"), state("Governed"), state("Compliant"), state("Ready")
	for _, c := range acc.Status.Conditions {
		switch c.Type {
		case "Observed", "Governed", "Compliant", "Ready":
		case "CredentialsHealthy":
			if c.Reason != "NotRequired" {
				v.extra += c.Type + "=" + c.Reason + " "
			}
		case "HandoverComplete":
			if c.Reason != "Settled" {
				v.extra += c.Type + "=" + c.Reason + " "
			}
		default:
			v.extra += c.Type + "=" + c.Reason + " "
		}
		if c.ObservedGeneration != acc.Generation {
			v.extra += fmt.Sprintf("%s judges generation %d of %d ", c.Type, c.ObservedGeneration, acc.Generation)
		}
	}
	byVerdict := map[v1alpha1.Verdict][]string{}
	for _, f := range acc.Status.Findings {
		byVerdict[f.Verdict] = append(byVerdict[f.Verdict], f.Rule)
	}
	var fields []string
	for _, d := range acc.Status.Drift {
		fields = append(fields, d.Field)
	}
	v.violated, v.unknown, v.drift = sorted(byVerdict["Violated"]), sorted(byVerdict["Unknown"]), sorted(fields)
	return v
}

func sorted(words []string) string {
	slices.Sort(words)
	return strings.Join(words, " ")
}

// expect waits until the accounts are as wanted, by name.
func (s *scene) expect(t *testing.T, want map[string]verdict) {
	t.Helper()
	until(t, func(ctx context.Context) (string, error) {
		var list v1alpha1.SocialAccountList
		if err := shared.admin.List(ctx, &list, client.InNamespace(s.name)); err != nil {
			return "", err
		}
		got := map[string]verdict{}
		for i := range list.Items {
			if _, ok := want[list.Items[i].Name]; ok {
				got[list.Items[i].Name] = verdictOf(&list.Items[i])
			}
		}
		return cmp.Diff(want, got, cmp.AllowUnexported(verdict{})), nil
	})
}

// all is the same verdict of several accounts.
func all(v verdict, accounts []*v1alpha1.SocialAccount) map[string]verdict {
	out := map[string]verdict{}
	for _, acc := range accounts {
		out[acc.Name] = v
	}
	return out
}

// read gets the newest state of an object.
func read[T client.Object](t *testing.T, o T) T {
	t.Helper()
	if err := shared.admin.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// condition waits until a condition of an object is as wanted, status/reason, and
// its message holds all of words.
func condition[T client.Object](t *testing.T, o T, of func(T) []metav1.Condition, conditionType, want string, words ...string) {
	t.Helper()
	until(t, func(ctx context.Context) (string, error) {
		if err := shared.admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return "", err
		}
		c := meta.FindStatusCondition(of(o), conditionType)
		if c == nil {
			if want == "absent" {
				return "", nil
			}
			return conditionType + " is absent", nil
		}
		got := string(c.Status) + "/" + c.Reason
		for _, word := range words {
			if !strings.Contains(c.Message, word) {
				return fmt.Sprintf("%s is %s %q, want %s with %q", conditionType, got, c.Message, want, word), nil
			}
		}
		if got != want || c.ObservedGeneration != o.GetGeneration() {
			return fmt.Sprintf("%s is %s %q, want %s", conditionType, got, c.Message, want), nil
		}
		return "", nil
	})
}

func ofAccount(a *v1alpha1.SocialAccount) []metav1.Condition         { return a.Status.Conditions }
func ofPolicy(p *v1alpha1.GovernancePolicy) []metav1.Condition       { return p.Status.Conditions }
func ofConnection(c *v1alpha1.PlatformConnection) []metav1.Condition { return c.Status.Conditions }

// events are those about an object, in words of reason×count.
func events(ctx context.Context, o client.Object) (string, error) {
	namespace := o.GetNamespace()
	if namespace == "" {
		namespace = "default"
	}
	var list eventsv1.EventList
	if err := shared.admin.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return "", err
	}
	counts := map[string]int{}
	for _, e := range list.Items {
		if e.Regarding.UID != o.GetUID() {
			continue
		}
		if e.Action == "" || e.ReportingController == "" || e.Note == "" {
			return "", fmt.Errorf("event %s lacks action, controller or note: %+v", e.Reason, e)
		}
		counts[e.Reason]++
		if e.Series != nil {
			counts[e.Reason] += int(e.Series.Count) - 1
		}
	}
	var words []string
	for reason, n := range counts {
		words = append(words, fmt.Sprintf("%s×%d", reason, n))
	}
	return sorted(words), nil
}

// expectEvents waits until the events about an object are exactly these.
func expectEvents(t *testing.T, o client.Object, want ...string) {
	t.Helper()
	until(t, func(ctx context.Context) (string, error) {
		got, err := events(ctx, o)
		if err != nil || got == sorted(want) {
			return "", err
		}
		return fmt.Sprintf("events of %s: %q, want %q", o.GetName(), got, sorted(want)), nil
	})
}

// remainder is an account's status less Observed and what follows from it: in an
// outage nothing of it may change by a byte. When it was last seen moves with any
// write, as the contract says.
func remainder(t *testing.T, acc *v1alpha1.SocialAccount) string {
	t.Helper()
	s := read(t, acc).Status.DeepCopy()
	s.Transitions = nil
	if s.Profile != nil {
		s.Profile.ObservedAt = nil
	}
	s.Conditions = slices.DeleteFunc(s.Conditions, func(c metav1.Condition) bool { return c.Type == "Observed" || c.Type == "Ready" })
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
