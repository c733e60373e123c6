package governance

import (
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestProcedures(t *testing.T) {
	const r = "activity/official-only"
	follow, like, publish := v1alpha1.ActionFollow, v1alpha1.ActionLike, v1alpha1.ActionPublish
	deny := func(targets *v1alpha1.ActivityTargets, actions ...v1alpha1.ActivityAction) v1alpha1.ActivityRule {
		return v1alpha1.ActivityRule{Name: "official-only", Effect: v1alpha1.EffectDeny, Actions: actions, Targets: targets}
	}
	allow := func(targets *v1alpha1.ActivityTargets) v1alpha1.ActivityRule {
		return v1alpha1.ActivityRule{Name: "partners", Effect: v1alpha1.EffectAllow, Actions: []v1alpha1.ActivityAction{follow, publish}, Targets: targets}
	}
	rules := func(r ...v1alpha1.ActivityRule) spec { return spec{Activity: r} }
	strangers := &v1alpha1.ActivityTargets{Governed: ptr(false), ExceptHandles: []string{"X:SPAregions", "YouTube:other"}}
	ours := &v1alpha1.ActivityTargets{Governed: ptr(true)}
	followed := func(id, handle string) []Act { return []Act{towards(follow, id, id, handle)} }
	blind := towards(follow, "7", "", "")
	blind.Target.Known = false
	official := rules(deny(strangers, follow))
	const denied = `the procedure does not allow the follow of "stranger"`
	runScenes(t, []scene{
		{name: "a denied target", rule: r, policy: official, acts: followed("7", "stranger"), coverage: everythingRead(), governed: governedIDs("8"), want: Violated, severity: medSev, message: denied, reference: &v1alpha1.FindingReference{Action: follow, ID: "7"}},
		{name: "nothing was done", rule: r, policy: official, coverage: everythingRead(), want: Pass},
		{name: "a governed target", rule: r, policy: official, acts: followed("8", "edu_jazan"), coverage: everythingRead(), governed: governedIDs("8"), want: Pass},
		{name: "a listed handle, however spelled", rule: r, policy: official, acts: followed("9", "sparegions"), coverage: everythingRead(), governed: governedIDs(), want: Pass},
		{name: "a handle listed for another platform", rule: r, policy: official, acts: followed("7", "other"), coverage: everythingRead(), governed: governedIDs(), want: Violated, severity: medSev, message: `the procedure does not allow the follow of "other"`},
		{name: "the account itself is governed", rule: r, policy: rules(deny(&v1alpha1.ActivityTargets{Governed: ptr(false)}, follow)), acts: followed("7", "Edu_Riyadh"), coverage: everythingRead(), governed: governedIDs(), want: Pass},
		{name: "another action", rule: r, policy: official, acts: []Act{towards(like, "7", "7", "stranger")}, coverage: everythingRead(), governed: governedIDs(), want: Pass},
		{name: "allowed before it is denied", rule: r, policy: rules(allow(ours), deny(nil, follow)), acts: followed("8", "edu_jazan"), coverage: everythingRead(), governed: governedIDs("8"), want: Pass},
		{name: "denied, since what allows does not match", rule: r, policy: rules(allow(ours), deny(nil, follow)), acts: followed("7", "stranger"), coverage: everythingRead(), governed: governedIDs("8"), want: Violated, severity: medSev, message: denied},
		{name: "a post goes towards nobody", rule: r, policy: rules(deny(strangers, publish)), acts: []Act{post("1", 1, "نص")}, coverage: everythingRead(), governed: governedIDs(), want: Pass},
		{name: "every post is denied", rule: r, policy: rules(deny(nil, publish)), acts: []Act{post("1", 1, "نص")}, coverage: everythingRead(), want: Violated, severity: medSev, message: "the procedure does not allow the post"},
		{name: "of an official's own account no target is told", rule: r, policy: official, account: func(a *account) { a.Spec.Class = v1alpha1.ClassPersonal }, acts: followed("7", "stranger"), coverage: everythingRead(), governed: governedIDs(), want: Violated, severity: medSev, message: "the procedure does not allow the follow"},

		{name: "nothing was read", rule: r, policy: official, want: Unknown, severity: medSev, message: "cannot be judged: what the account does has not been read"},
		{name: "the action was not read yet", rule: r, policy: official, coverage: except(follow, Coverage{}), want: Unknown, severity: medSev, message: "cannot be judged: follows have not been read yet"},
		{name: "the platform never shows it", rule: r, policy: official, coverage: except(follow, Coverage{Missing: "the platform does not show follows", Unobservable: true}), want: Unknown, severity: medSev, message: "cannot be judged: the platform does not show follows"},
		{name: "a scope is missing", rule: r, policy: rules(deny(strangers, follow, like)), coverage: except(like, Coverage{Missing: "no token with scope like.read"}), want: Unknown, severity: medSev, message: "cannot be judged: no token with scope like.read"},
		{name: "found although another action cannot be read", rule: r, policy: rules(deny(strangers, follow, like)), acts: followed("7", "stranger"), governed: governedIDs(), coverage: except(like, Coverage{Missing: "no token with scope like.read"}), want: Violated, severity: medSev, message: denied},
		{name: "the target is not told", rule: r, policy: official, acts: []Act{blind}, coverage: everythingRead(), governed: governedIDs(), want: Unknown, severity: medSev, message: "not everything can be judged: the platform does not tell towards whom the follow goes"},
		{name: "the target's handle is not told", rule: r, policy: official, acts: followed("7", ""), coverage: everythingRead(), governed: governedIDs(), want: Unknown, severity: medSev, message: "not everything can be judged: the platform does not tell the handle towards whom the follow goes"},
		{name: "the fleet is not known", rule: r, policy: official, acts: followed("7", "stranger"), coverage: everythingRead(), want: Unknown, severity: medSev, message: "not everything can be judged: which accounts are governed is not known"},
		{name: "nobody can tell whether an earlier procedure allows it", rule: r, policy: rules(allow(ours), deny(nil, follow)), acts: []Act{blind}, coverage: everythingRead(), governed: governedIDs(), want: Unknown, severity: medSev, message: "not everything can be judged: the platform does not tell towards whom the follow goes"},
	})
}

func TestProceduresThatAreNeverReachedAreRefused(t *testing.T) {
	rule := func(name string, effect v1alpha1.Effect, targets *v1alpha1.ActivityTargets, actions ...v1alpha1.ActivityAction) v1alpha1.ActivityRule {
		return v1alpha1.ActivityRule{Name: v1alpha1.RuleName(name), Effect: effect, Actions: actions, Targets: targets}
	}
	const follow, like = v1alpha1.ActionFollow, v1alpha1.ActionLike
	for _, tc := range []struct {
		name    string
		rules   []v1alpha1.ActivityRule
		refused bool
	}{
		{"one after one that decides the same towards anybody", []v1alpha1.ActivityRule{rule("a", v1alpha1.EffectAllow, nil, follow), rule("b", v1alpha1.EffectDeny, nil, follow)}, true},
		{"one whose actions two others decide", []v1alpha1.ActivityRule{rule("a", v1alpha1.EffectAllow, nil, follow), rule("b", v1alpha1.EffectDeny, &v1alpha1.ActivityTargets{}, like), rule("c", v1alpha1.EffectDeny, &v1alpha1.ActivityTargets{Governed: ptr(false)}, follow, like)}, true},
		{"one with an action more", []v1alpha1.ActivityRule{rule("a", v1alpha1.EffectAllow, nil, follow), rule("b", v1alpha1.EffectDeny, nil, follow, like)}, false},
		{"one after one that is about some targets", []v1alpha1.ActivityRule{rule("a", v1alpha1.EffectAllow, &v1alpha1.ActivityTargets{Governed: ptr(true)}, follow), rule("b", v1alpha1.EffectDeny, nil, follow)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := Compile("p", &spec{Version: "1", Activity: tc.rules})
			if (len(problems) > 0) != tc.refused {
				t.Fatalf("problems %v, want some: %v", problems, tc.refused)
			}
		})
	}
}
