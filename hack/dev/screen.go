package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// keptChanges is how many changes the screen keeps.
const keptChanges = 8

// screen shows the fleet and what changed in it.
type screen struct {
	out     io.Writer
	live    bool
	hints   []string
	seen    map[string]int64
	changes []string
	last    string

	mu sync.Mutex
	// told is what others have told since the last time.
	told []string
}

func newScreen(out io.Writer, live bool) *screen {
	return &screen{out: out, live: live, seen: map[string]int64{}}
}

// tell adds a line to what changed. It is safe for concurrent use.
func (s *screen) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, time.Now().Format(time.TimeOnly)+"  "+fmt.Sprintf(format, args...))
}

func (s *screen) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told
	s.told = nil
	return told
}

// draw shows the fleet if anything changed since the last time.
func (s *screen) draw(f *fleet) {
	fresh := s.note(f)
	summary := s.summary(f)
	picture := summary + "\n" + s.table(f, false) + "\n"
	if len(s.changes) > 0 {
		picture += "\nWhat changed, newest last:\n  " + strings.Join(s.changes, "\n  ") + "\n"
	}
	if picture == s.last {
		return
	}
	first := s.last == ""
	s.last = picture
	if s.live {
		fmt.Fprint(s.out, "\x1b[H\x1b[2J", picture, "\nTry:\n  ", strings.Join(s.hints, "\n  "), "\n\nCtrl-C ends everything.\n")
		return
	}
	for _, change := range fresh {
		fmt.Fprintln(s.out, change)
	}
	if first {
		fmt.Fprint(s.out, "Try:\n  ", strings.Join(s.hints, "\n  "), "\n")
	}
	if len(fresh) > 0 || first {
		fmt.Fprintln(s.out, summary)
	}
}

// final shows every account.
func (s *screen) final(f *fleet) {
	fmt.Fprint(s.out, "\n", s.table(f, true), "\n", s.summary(f), "\n")
}

// note collects the transitions since the last time. The first status of an
// account is where it starts, and no change.
func (s *screen) note(f *fleet) []string {
	fresh := s.heard()
	for i := range f.accounts {
		acc := &f.accounts[i]
		key := acc.Namespace + "/" + acc.Name
		seen, known := s.seen[key]
		for _, t := range acc.Status.Transitions {
			if t.Sequence <= seen {
				continue
			}
			seen = t.Sequence
			if known {
				fresh = append(fresh, fmt.Sprintf("%s  %s  %s %s → %s (%s) %s", t.At.Format(time.TimeOnly), key, t.Condition, t.From, t.To, t.Reason, why(acc)))
			}
		}
		if len(acc.Status.Conditions) > 0 {
			s.seen[key] = seen
		}
	}
	s.changes = append(s.changes, fresh...)
	s.changes = s.changes[max(0, len(s.changes)-keptChanges):]
	return fresh
}

func (s *screen) summary(f *fleet) string {
	var b strings.Builder
	ready, compliant := 0, 0
	for i := range f.accounts {
		if meta.IsStatusConditionTrue(f.accounts[i].Status.Conditions, v1alpha1.ConditionReady) {
			ready++
		}
		if meta.IsStatusConditionTrue(f.accounts[i].Status.Conditions, v1alpha1.ConditionCompliant) {
			compliant++
		}
	}
	fmt.Fprintf(&b, "%d accounts, %d ready, %d compliant\n", len(f.accounts), ready, compliant)
	for i := range f.policies {
		p := &f.policies[i]
		fmt.Fprintf(&b, "policy %s %s: %s", p.Name, p.Spec.Version, reason(p.Status.Conditions, v1alpha1.ConditionAccepted))
		if a := p.Status.Accounts; a != nil {
			fmt.Fprintf(&b, ", %d selected, %d compliant, %d violating, %d unknown", *a.Selected, *a.Compliant, *a.Violating, *a.Unknown)
		}
		b.WriteString("\n")
	}
	for i := range f.connections {
		c := &f.connections[i]
		fmt.Fprintf(&b, "connection %s (%s): %s\n", c.Name, c.Spec.Platform, reason(c.Status.Conditions, v1alpha1.ConditionAvailable))
	}
	return b.String()
}

// table lists the accounts; those that are in order only if all are wanted.
func (s *screen) table(f *fleet, all bool) string {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "Why", WidthMax: 90, WidthMaxEnforcer: text.Trim}})
	t.AppendHeader(table.Row{"Account", "Platform", "Handle", "Tier", "Observed", "Governed", "Compliant", "Handover", "Why"})
	hidden := 0
	for i := range f.accounts {
		acc := &f.accounts[i]
		if !all && inOrder(acc) {
			hidden++
			continue
		}
		c := acc.Status.Conditions
		t.AppendRow(table.Row{
			acc.Namespace + "/" + acc.Name, acc.Spec.Platform, acc.Spec.Handle, acc.Spec.Tier,
			s.mark(c, v1alpha1.ConditionObserved), s.mark(c, v1alpha1.ConditionGoverned), s.mark(c, v1alpha1.ConditionCompliant),
			phase(acc), why(acc),
		})
	}
	out := t.Render()
	if hidden > 0 {
		out += fmt.Sprintf("\n(%d more are in order)", hidden)
	}
	return out
}

// inOrder: there is nothing to show of an account; its handover is always shown.
func inOrder(acc *v1alpha1.SocialAccount) bool {
	return acc.Spec.Credentials == nil && meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionReady) &&
		meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionCompliant)
}

// mark is a condition's reason, coloured on a terminal.
func (s *screen) mark(conditions []metav1.Condition, conditionType string) string {
	label := reason(conditions, conditionType)
	c := meta.FindStatusCondition(conditions, conditionType)
	if !s.live || c == nil {
		return label
	}
	switch c.Status {
	case metav1.ConditionTrue:
		return text.FgGreen.Sprint(label)
	case metav1.ConditionFalse:
		return text.FgRed.Sprint(label)
	case metav1.ConditionUnknown:
	}
	return text.FgYellow.Sprint(label)
}

// why says what is wrong with an account, most important first.
func why(acc *v1alpha1.SocialAccount) string {
	for _, t := range []string{v1alpha1.ConditionObserved, v1alpha1.ConditionGoverned} {
		if c := meta.FindStatusCondition(acc.Status.Conditions, t); c != nil && c.Status != metav1.ConditionTrue {
			return c.Message
		}
	}
	var parts []string
	for _, d := range acc.Status.Drift {
		parts = append(parts, fmt.Sprintf("%s is %q", d.Field, d.Got))
	}
	for _, f := range acc.Status.Findings {
		if f.Verdict == v1alpha1.VerdictViolated && f.Rule != "identity/approved-profile" {
			parts = append(parts, f.Message)
		}
	}
	return strings.Join(parts, "; ")
}
