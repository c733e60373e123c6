package socialaccount

import (
	"testing"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/status"
)

func TestEventsAreToldOncePerTransition(t *testing.T) {
	renamed := func(f *facts) { f.view.Snapshot = seen(); f.view.Snapshot.Profile.Handle = "edu_riyadh_sa" }
	back := func(f *facts) { f.view = observe.View{Snapshot: seen()} }
	outage := lane(observe.LanePlatformUnavailable)
	over := lane("")
	protected := func(f *facts) { back(f); f.view.Snapshot.Profile.Protected = true }
	type step struct {
		change func(*facts)
		want   []v1alpha1.EventReason
	}
	is := func(change func(*facts), want ...v1alpha1.EventReason) step { return step{change, want} }
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"in order from the start", []step{is(back)}},
		{"awaited, then seen", []step{is(unseen), is(back)}},
		{"suspended and restored", []step{is(back), is(says(observe.Suspended), "AccountSuspended"), is(back, "AccountRestored")}},
		{"suspended from the start", []step{is(says(observe.Suspended), "AccountSuspended"), is(back, "AccountRestored")}},
		{"missing and restored", []step{is(back), is(says(observe.NotFound), "AccountMissing"), is(back, "AccountRestored")}},
		{"deactivated", []step{is(back), is(says(observe.Deactivated), "AccountMissing")}},
		{"suspended, then deleted", []step{is(back), is(says(observe.Suspended), "AccountSuspended"), is(says(observe.NotFound), "AccountMissing")}},
		{"handle recycled", []step{is(back), is(says(observe.HandleReassigned), "HandleReassigned"), is(back, "AccountRestored")}},
		// spec.profile makes another handle a difference from what is approved.
		{"renamed and renamed back", []step{is(back), is(renamed, "HandleChanged", "ViolationFound"), is(back, "HandleChanged", "ViolationCleared")}},
		{"renamed before it was ever seen", []step{is(renamed, "HandleChanged", "ViolationFound")}},
		{"protected is no news", []step{is(back), is(protected), is(back)}},
		{"suspended, protected", []step{is(says(observe.Suspended), "AccountSuspended"), is(protected, "AccountRestored")}},
		{"outage", []step{is(back), is(outage), is(over)}},
		{"outage while suspended", []step{is(says(observe.Suspended), "AccountSuspended"), is(outage), is(over)}},
		{"suspended during an outage", []step{is(back), is(outage), is(says(observe.Suspended)), is(over)}},
		{"stale and seen again", []step{is(back), is(stale), is(back)}},
		{"paused and resumed", []step{is(back), is(paused), is(func(f *facts) { f.paused = false; back(f) })}},
		{"duplicate and resolved", []step{is(rivalled, "DuplicateClaim"), is(func(f *facts) { f.rival = nil; back(f) }, "AccountRestored")}},
		{"duplicate that was seen before", []step{is(back), is(rivalled, "DuplicateClaim"), is(func(f *facts) { f.rival = nil; back(f) }, "AccountRestored")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			for i, s := range c.steps {
				s.change(&f)
				now := today.Add(time.Duration(i) * time.Hour)
				d := pass(&f, now)
				want := s.want
				if i > 0 && c.name == "suspended during an outage" && i == 2 {
					want = []v1alpha1.EventReason{"AccountSuspended"} // the snapshot is the platform's word, whenever it came
				}
				expectEvents(t, d, want...)
				expectEvents(t, pass(&f, now.Add(time.Minute)))
			}
		})
	}
}

func TestAnEventOfEachReasonAtMost(t *testing.T) {
	f := inOrder(t)
	pass(&f, today)
	f.view.Snapshot.Profile.DisplayName, f.view.Snapshot.Profile.Bio, f.view.Snapshot.Profile.Verified = "Hacked", "Buy", false
	f.view.Snapshot.AvatarPerceptualHash = "ffffffffffffffff"
	d := pass(&f, today)
	expectEvents(t, d, v1alpha1.EventProfileDrifted, v1alpha1.EventViolationFound)
	for _, o := range d.events {
		switch o.reason {
		case v1alpha1.EventProfileDrifted:
			if o.note != "the live profile differs from the declared one: bio, displayName" {
				t.Errorf("note %q", o.note)
			}
		case v1alpha1.EventViolationFound:
			if o.note != "violated: identity/approved-profile, identity/avatar, identity/bio-must-contain, identity/verified" {
				t.Errorf("note %q", o.note)
			}
		}
	}
}

func TestAcknowledgementsAreAskedForByTheirOwnEvent(t *testing.T) {
	f := inOrder(t)
	due := spec()
	due.Ownership.Acknowledgement = &v1alpha1.AcknowledgementRule{WithinDays: 30}
	f.policies[0] = compile(t, "moe-manual", due)
	f.since = sinces{{"moe-manual", today}}
	d := pass(&f, today)
	expectEvents(t, d)
	if want := today.Add(30 * 24 * time.Hour); !d.next.Equal(want) {
		t.Errorf("the next look at the clock is %v, want %v", d.next, want)
	}
	expectEvents(t, pass(&f, today.Add(30*24*time.Hour)), v1alpha1.EventAcknowledgementDue)
	expectEvents(t, pass(&f, today.Add(31*24*time.Hour)))
}

func TestEveryEventIsOfTheCatalogue(t *testing.T) {
	for _, reason := range []v1alpha1.EventReason{
		"DuplicateClaim", "AccountRestored", "AccountSuspended", "AccountMissing", "HandleReassigned", "HandleChanged",
		"ProfileDrifted", "ProfileSettled", "ViolationFound", "ViolationCleared", "AcknowledgementDue",
	} {
		if kind, _ := status.EventKind(reason); kind.Regarding != v1alpha1.KindSocialAccount || kind.Action == "" {
			t.Errorf("%s: %+v", reason, kind)
		}
	}
}
