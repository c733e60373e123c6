package e2e

import (
	"context"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

func id(a world.Account) func(*v1alpha1.SocialAccount) {
	return func(acc *v1alpha1.SocialAccount) { acc.Spec.AccountID = a.ID }
}

func TestEveryPlantedProblemShowsWhereItBelongsAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(s *scene) { s.policy.Spec.Selector.Classes = []v1alpha1.AccountClass{v1alpha1.ClassOfficial} })
	want := map[string]verdict{}
	plant := func(handle string, v verdict, change func(*world.Account), declare ...func(*v1alpha1.SocialAccount)) *v1alpha1.SocialAccount {
		a := s.live(handle)
		change(&a)
		s.put(t, a)
		acc := s.account(handle, declare...)
		s.declare(t, acc)
		want[acc.Name] = v
		return acc
	}
	asIs := func(*world.Account) {}

	plant("fine", good(), asIs)
	plant("suspended", good(seenAs("False/Suspended"), identityUnknown), func(a *world.Account) { a.State = world.Suspended })
	missing := s.account("missing")
	s.declare(t, missing)
	want["missing"] = good(seenAs("False/NotFound"), identityUnknown)
	plant("defaced", good(violating("identity/approved-profile", "identity/bio-must-contain"), drifting("bio displayName")),
		func(a *world.Account) { a.DisplayName, a.Bio = "Free coins", "DM me" })
	plant("avatar", good(violating("identity/avatar")), func(a *world.Account) { a.Image = "foreign" })
	plant("recoded", good(), func(a *world.Account) { a.Image = "emblem-recompressed" })
	plant("faceless", good(violating("identity/avatar")), func(a *world.Account) { a.Image = "" })
	plant("badge", good(violating("identity/verified")), func(a *world.Account) { a.Verified = false })
	plant("locked", good(), func(a *world.Account) { a.Protected = true })
	plant("alone", good(violating("ownership/min-people")), asIs, func(a *v1alpha1.SocialAccount) { a.Spec.Team = nil })
	plant("bakery", good(func(v *verdict) { v.governed, v.ready = "False/TierNotPermitted", "False/TierNotPermitted" }), asIs,
		func(a *v1alpha1.SocialAccount) { a.Spec.Tier = "bakery" })
	plant("foreigner", good(violating("ownership/allowed-domains")), asIs,
		func(a *v1alpha1.SocialAccount) { a.Spec.Owner.Accountable = "somebody@gmail.test" })
	plant("judge", good(violating("ownership/incompatible-roles")), asIs,
		func(a *v1alpha1.SocialAccount) {
			a.Spec.Team[0].Roles = []v1alpha1.Role{v1alpha1.RolePublisher, v1alpha1.RoleApprover}
		})
	plant("ungov", good(func(v *verdict) {
		v.governed, v.ready, v.compliant = "False/NoPolicyMatched", "False/NoPolicyMatched", "Unknown/EvidenceMissing"
	}), asIs, func(a *v1alpha1.SocialAccount) {
		a.Spec.Class = v1alpha1.ClassPersonal
	})

	// Known by their ids: one bears another handle, of one the handle is a
	// stranger's by now.
	renamed := s.live("new_name")
	s.put(t, renamed)
	s.declare(t, s.account("renamed", id(renamed), func(a *v1alpha1.SocialAccount) { a.Spec.Profile.DisplayName = renamed.DisplayName }))
	want["renamed"] = good(violating("identity/approved-profile"), drifting("handle"))
	recycled := s.live("recycled")
	s.put(t, recycled)
	if _, err := s.world.Recycle(world.X, recycled.ID, s.unused(9)); err != nil {
		t.Fatal(err)
	}
	s.declare(t, s.account("recycled", id(recycled)))
	want["recycled"] = good(seenAs("False/HandleReassigned"), identityUnknown)

	s.expect(t, want)
	s.sweeps(t, 2)
	s.expect(t, want)

	// Each tells its own event and no other.
	for name, events := range map[string][]string{
		"fine": nil, "recoded": nil, "locked": nil, "bakery": nil, "ungov": nil,
		"suspended": {"AccountSuspended×1"},
		"missing":   {"AccountMissing×1"},
		"defaced":   {"ProfileDrifted×1", "ViolationFound×1"},
		"avatar":    {"ViolationFound×1"},
		"badge":     {"ViolationFound×1"},
		"alone":     {"ViolationFound×1"},
		"renamed":   {"HandleChanged×1", "ViolationFound×1"},
		"recycled":  {"HandleReassigned×1"},
	} {
		acc := &v1alpha1.SocialAccount{}
		acc.Namespace, acc.Name = s.name, name
		expectEvents(t, read(t, acc), events...)
	}

	// The policy counts the whole fleet exactly: 15 official accounts, of which
	// renamed, defaced, avatar, faceless, badge, alone, foreigner and judge violate,
	// and suspended, missing and recycled cannot be judged.
	until(t, func(ctx context.Context) (string, error) {
		p := read(t, s.policy)
		if a := p.Status.Accounts; a == nil || *a.Selected != 15 || *a.Violating != 8 || *a.Unknown != 3 || *a.Compliant != 4 {
			return "the policy counts " + show(p.Status.Accounts), nil
		}
		return "", nil
	})
}

func TestALiveChangeShowsOnceAndByItself(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	accounts := s.healthy(t, "suspend", "delete", "rename", "deface", "avatar", "recycle", "count", "fine")
	s.expect(t, all(good(), accounts))
	for _, acc := range accounts {
		expectEvents(t, acc)
	}
	untouched := map[string]string{}
	for _, name := range []int{6, 7} {
		untouched[accounts[name].Name] = read(t, accounts[name]).ResourceVersion
	}

	s.change(t, "suspend", func(a *world.Account) { a.State = world.Suspended })
	s.change(t, "delete", func(a *world.Account) { a.State = world.Deleted })
	s.change(t, "rename", func(a *world.Account) { a.Handle = s.handle("renamed") })
	s.change(t, "deface", func(a *world.Account) { a.DisplayName = "Free coins" })
	s.change(t, "avatar", func(a *world.Account) { a.Image = "foreign" })
	s.change(t, "count", func(a *world.Account) { a.Followers, a.Posts = 9999, 99 })
	recycled, err := s.world.Find(world.X, s.handle("recycle"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.world.Recycle(world.X, recycled.ID, s.unused(8)); err != nil {
		t.Fatal(err)
	}
	broken := map[string]verdict{
		"suspend": good(seenAs("False/Suspended"), identityUnknown),
		"delete":  good(seenAs("False/NotFound"), identityUnknown),
		"rename":  good(violating("identity/approved-profile"), drifting("handle")),
		"deface":  good(violating("identity/approved-profile"), drifting("displayName")),
		"avatar":  good(violating("identity/avatar")),
		"recycle": good(seenAs("False/HandleReassigned"), identityUnknown),
		"count":   good(), "fine": good(),
	}
	s.expect(t, broken)
	s.sweeps(t, 2)
	s.expect(t, broken)
	for _, acc := range accounts {
		if was, ok := untouched[acc.Name]; ok && read(t, acc).ResourceVersion != was {
			t.Errorf("%s was written although nothing but counters changed", acc.Name)
		}
	}
	if got := read(t, accounts[5]).Status.AccountID; got != recycled.ID {
		t.Errorf("the id of a recycled handle moved from %s to %s", recycled.ID, got)
	}

	s.change(t, "suspend", func(a *world.Account) { a.State = world.Active })
	s.change(t, read(t, accounts[1]).Status.AccountID, func(a *world.Account) { a.State = world.Active })
	s.change(t, "renamed", func(a *world.Account) { a.Handle = s.handle("rename") })
	s.change(t, "deface", func(a *world.Account) { a.DisplayName = "تعليم " + s.handle("deface") })
	s.change(t, "avatar", func(a *world.Account) { a.Image = "emblem-recompressed" })
	if err := s.world.Delete(world.X, s.unused(8)); err != nil {
		t.Fatal(err)
	}
	s.change(t, recycled.ID, func(a *world.Account) { a.State = world.Active })
	s.expect(t, all(good(), accounts))
	s.sweeps(t, 2)
	s.expect(t, all(good(), accounts))
	for name, want := range map[string][]string{
		"suspend": {"AccountSuspended×1", "AccountRestored×1"},
		"delete":  {"AccountMissing×1", "AccountRestored×1"},
		"rename":  {"HandleChanged×2", "ViolationFound×1", "ViolationCleared×1"},
		"deface":  {"ProfileDrifted×1", "ProfileSettled×1", "ViolationFound×1", "ViolationCleared×1"},
		"avatar":  {"ViolationFound×1", "ViolationCleared×1"},
		"recycle": {"HandleReassigned×1", "AccountRestored×1"},
		"count":   nil, "fine": nil,
	} {
		acc := s.account(name)
		expectEvents(t, read(t, acc), want...)
		for i, one := range acc.Status.Transitions {
			if one.Sequence != int64(i+1) {
				t.Errorf("%s: transition %d has the number %d", name, i+1, one.Sequence)
			}
		}
	}
}
