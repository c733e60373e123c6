package governance

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// truth has three values, like a verdict.
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

// procedure is what a policy says of some actions. The first that matches decides.
type procedure struct {
	id      ruleID
	actions actionSet
	deny    bool
	targets *targets // nil: towards anybody
}

// actionSet is a set of actions.
type actionSet uint8

func actionsOf(list []v1alpha1.ActivityAction) actionSet {
	var set actionSet
	for i, action := range actions {
		for _, a := range list {
			if a == action {
				set |= 1 << i
			}
		}
	}
	return set
}

func (set actionSet) has(a v1alpha1.ActivityAction) bool { return set&(1<<codeOf(a)) != 0 }

// targets limits a procedure to actions towards some accounts.
type targets struct {
	governed *bool
	// except are handles of each platform, made comparable.
	except map[v1alpha1.PlatformName]map[string]bool
}

// activity: a procedure that allows only takes cases from those that deny, so it
// has no verdict of its own.
func (c *compiler) activity() {
	var decided actionSet // by an earlier procedure, towards anybody
	for i, r := range c.spec.Activity {
		name, path := "activity/"+string(r.Name), "spec.activity"+index(i)
		p := procedure{
			id: ruleID{c.policy.name, name}, actions: actionsOf(r.Actions),
			deny: r.Effect == v1alpha1.EffectDeny, targets: targetsOf(r.Targets),
		}
		if p.actions&^decided == 0 && p.actions != 0 {
			c.problem(Problem{Rule: name, Path: path, Text: "the procedure is never reached: an earlier one decides the same actions towards anybody"})
		}
		if p.targets == nil {
			decided |= p.actions
		}
		c.policy.acts.procedures = append(c.policy.acts.procedures, p)
		if r.Targets != nil {
			for k, handle := range r.Targets.ExceptHandles {
				c.safe(name, path+".targets.exceptHandles"+index(k), handle)
			}
		}
		if p.deny {
			c.provide(name, path, r.Provision, deed{id: p.id, must: p.actions}.judge)
		}
	}
}

func targetsOf(t *v1alpha1.ActivityTargets) *targets {
	if t == nil || t.Governed == nil && len(t.ExceptHandles) == 0 {
		return nil
	}
	compiled := &targets{governed: t.Governed, except: map[v1alpha1.PlatformName]map[string]bool{}}
	for _, entry := range t.ExceptHandles {
		platform, handle, _ := strings.Cut(entry, ":")
		name := v1alpha1.PlatformName(platform)
		if compiled.except[name] == nil {
			compiled.except[name] = map[string]bool{}
		}
		compiled.except[name][handleKey(handle)] = true
	}
	return compiled
}

// handleKey is what all spellings of one handle share.
func handleKey(handle string) string { return strings.ToLower(norm.NFC.String(handle)) }

// procedures judges the act by the policy's procedures. Where one may match and may
// not, nobody can tell whether a later one decides.
func (t trial) procedures() {
	open := ""
	for i := range t.policy.acts.procedures {
		p := &t.policy.acts.procedures[i]
		if !p.actions.has(t.act.Action) {
			continue
		}
		matched, why := p.targets.match(t)
		if matched == no {
			continue
		}
		if matched == maybe && open == "" {
			open = why
		}
		if p.deny {
			t.denied(p, open)
		}
		if matched == yes {
			return
		}
	}
}

func (t trial) denied(p *procedure, open string) {
	if open != "" {
		t.undecided(p.id, open)
		return
	}
	t.violates(p.id, "the procedure does not allow "+t.what(), 0)
}

// match says whether the act goes towards one of the targets, and if nobody can tell,
// why.
func (t *targets) match(tr trial) (truth, string) {
	if t == nil {
		return yes, ""
	}
	act, acc := tr.act, tr.j.in.Account
	if act.Action == v1alpha1.ActionPublish {
		return no, "" // towards nobody in particular
	}
	to := act.Target
	if !to.Known || to.ID == "" && to.Handle == "" {
		return maybe, "the platform does not tell towards whom " + nounOf(act.Action) + " goes"
	}
	if t.governed != nil {
		if tr.j.in.Governed == nil {
			return maybe, "which accounts are governed is not known"
		}
		if (isSelf(acc, to) || tr.j.in.Governed(acc.Spec.Platform, to.ID, to.Handle)) != *t.governed {
			return no, ""
		}
	}
	return t.excepted(acc.Spec.Platform, act)
}

func (t *targets) excepted(platform v1alpha1.PlatformName, act *Act) (truth, string) {
	except := t.except[platform]
	switch {
	case len(except) == 0:
		return yes, ""
	case act.Target.Handle == "":
		return maybe, "the platform does not tell the handle towards whom " + nounOf(act.Action) + " goes"
	case except[handleKey(act.Target.Handle)]:
		return no, ""
	}
	return yes, ""
}

func isSelf(acc *v1alpha1.SocialAccount, to Target) bool {
	if to.ID != "" && (to.ID == acc.Spec.AccountID || to.ID == acc.Status.AccountID) {
		return true
	}
	return to.Handle != "" && handleKey(to.Handle) == handleKey(acc.Spec.Handle)
}
