package governance

import "mithaq.dev/mithaq/api/v1alpha1"

// Actions are what the rules of the policies in force judge, in a fixed order: what
// no rule is about need not be read, which costs.
func Actions(policies []*Policy) []v1alpha1.ActivityAction {
	var set actionSet
	for _, p := range policies {
		if p.inForce() {
			set |= p.actions()
		}
	}
	var out []v1alpha1.ActivityAction
	for i, action := range actions {
		if set&(1<<i) != 0 {
			out = append(out, action)
		}
	}
	return out
}

// actions are those that the policy has rules about. What is liked is judged like
// what is reposted, wherever a platform shows it.
func (p *Policy) actions() actionSet {
	spoken := actionsOf([]v1alpha1.ActivityAction{v1alpha1.ActionPublish, v1alpha1.ActionReply, v1alpha1.ActionRepost})
	var set actionSet
	for _, r := range p.spec.Activity {
		if r.Effect == v1alpha1.EffectDeny {
			set |= actionsOf(r.Actions)
		}
	}
	if len(p.spec.Content) > 0 {
		set |= spoken | actionsOf([]v1alpha1.ActivityAction{v1alpha1.ActionLike})
	}
	if len(p.spec.Sources) > 0 || p.spec.Languages != nil || p.spec.Performance != nil {
		set |= spoken
	}
	return set
}
