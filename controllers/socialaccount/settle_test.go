package socialaccount

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/status"
)

// writes says whether a pass would write.
func writes(f *facts, now time.Time) bool {
	before := f.account.Status
	return !status.Same(before, pass(f, now).status)
}

func TestCountersAloneWriteNothing(t *testing.T) {
	f := inOrder(t)
	pass(&f, today)
	next := seen()
	next.Profile.Followers, next.Profile.Posts, next.Profile.LastPostAt = 2000, 20, today
	next.At = today.Add(23 * time.Hour)
	f.view.Snapshot = next
	if writes(&f, next.At) {
		t.Error("followers and posts alone cause a write")
	}
	next.Profile.DisplayName = "تعليم الرياض "
	if !writes(&f, next.At) {
		t.Error("a live name that changed is not written")
	}
	if p := f.account.Status.Profile; *p.Followers != 2000 || *p.Posts != 20 || !p.ObservedAt.Time.Equal(next.At) || p.LastPostAt == nil {
		t.Errorf("the counters did not move with another change: %+v", p)
	}
}

// TestASignatureThatWasRenewedWritesNothing: Meta signs the addresses of pictures anew
// every so often, for every account of a fleet at the same time.
func TestASignatureThatWasRenewedWritesNothing(t *testing.T) {
	const avatar, banner = "https://scontent.fbcdn.net/v/1/a.png?oe=%s&oh=1", "https://scontent.fbcdn.net/v/1/b.png?oe=%s&oh=1"
	f := inOrder(t)
	signed := func(by string, at time.Time) {
		f.view.Snapshot = seen()
		f.view.Snapshot.Profile.AvatarURL, f.view.Snapshot.Profile.BannerURL = fmt.Sprintf(avatar, by), fmt.Sprintf(banner, by)
		f.view.Snapshot.At = at
	}
	signed("first", today)
	pass(&f, today)
	signed("second", today.Add(time.Hour))
	if writes(&f, today.Add(time.Hour)) {
		t.Error("a signature alone causes a write")
	}
	f.view.Snapshot.Profile.AvatarURL = "https://scontent.fbcdn.net/v/1/another.png?oe=second&oh=1"
	if !writes(&f, today.Add(time.Hour)) {
		t.Error("another picture is not written")
	}
	if p := f.account.Status.Profile; p.BannerURL != fmt.Sprintf(banner, "second") {
		t.Errorf("the address of the banner did not move with another change: %s", p.BannerURL)
	}
}

func TestTheHeartbeatIsOnceADay(t *testing.T) {
	f := inOrder(t)
	pass(&f, today)
	for hour := 1; hour <= 49; hour++ {
		f.view.Snapshot = seen()
		f.view.Snapshot.At = today.Add(time.Duration(hour) * time.Hour)
		if got, want := writes(&f, f.view.Snapshot.At), hour%24 == 0; got != want {
			t.Errorf("after %d hours: written %v, want %v", hour, got, want)
		}
	}
}

func TestASecondPassOverTheSameFactsWritesNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*facts)
	}{
		{"in order", func(*facts) {}},
		{"awaiting", unseen},
		{"suspended", says(observe.Suspended)},
		{"not found", says(observe.NotFound)},
		{"paused", paused},
		{"duplicate", rivalled},
		{"no adapter", unobservable},
		{"no connection", unconnected},
		{"outage", lane(observe.LanePlatformUnavailable)},
		{"defaced", func(f *facts) { f.view.Snapshot.Profile.DisplayName = "Hacked" }},
		{"no policy", func(f *facts) { f.policies = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			c.change(&f)
			if !writes(&f, today) {
				t.Error("the first pass writes nothing")
			}
			for _, later := range []time.Duration{0, time.Second, time.Minute, 26 * time.Hour} {
				if writes(&f, today.Add(later)) {
					t.Errorf("%s later it is written again", later)
				}
			}
		})
	}
}

func TestANewEditionThatChangesNoVerdictWritesNothing(t *testing.T) {
	f := inOrder(t)
	pass(&f, today)
	digest := f.account.Status.Evaluation.Digest
	second := spec()
	second.Version = "2.0"
	f.policies = []*governance.Policy{compile(t, "moe-manual", second)}
	if writes(&f, today) {
		t.Error("the digest alone causes a write")
	}
	f.view.Snapshot.Profile.Verified = false
	if !writes(&f, today) || f.account.Status.Evaluation.Digest == digest {
		t.Error("the digest did not move with another change")
	}
}

// TestARestartIsNoEvidence: what a status holds is enough to go on with. The
// status that a new process computes from it is the one that the old one wrote.
func TestARestartIsNoEvidence(t *testing.T) {
	full := func(f *facts) {
		f.view.Snapshot.AvatarSHA256 = "aa"
		f.view.Snapshot.Profile.Website, f.view.Snapshot.Profile.Location = "https://edu.example", "الرياض"
		f.view.Snapshot.Profile.BannerURL, f.view.Snapshot.Profile.LastPostAt = "https://pbs.twimg.com/b.png", created
	}
	for _, c := range []struct {
		name   string
		change func(*facts)
	}{
		{"in order", full},
		{"protected", func(f *facts) { f.view.Snapshot.Profile.Protected = true }},
		{"unverified and unread", func(f *facts) { f.view.Snapshot.Profile.Verified, f.view.Snapshot.AvatarPerceptualHash = false, "" }},
		{"a profile that shows nothing", func(f *facts) {
			id, handle := f.view.Snapshot.Profile.ID, f.view.Snapshot.Profile.Handle
			f.view.Snapshot.Profile = outcome(observe.Found).Profile
			p := &f.view.Snapshot.Profile
			*p = seen().Profile
			p.ID, p.Handle, p.Bio, p.Followers, p.Posts, p.AvatarURL = id, handle, "", 0, 0, ""
		}},
		{"defaced", func(f *facts) { f.view.Snapshot.Profile.DisplayName = "Hacked" }},
		{"renamed", func(f *facts) { f.view.Snapshot.Profile.Handle = "edu_riyadh_sa" }},
		{"suspended", says(observe.Suspended)},
		{"not found", says(observe.NotFound)},
		{"deactivated", says(observe.Deactivated)},
		{"reassigned", func(f *facts) { says(observe.HandleReassigned)(f); f.view.Snapshot.HolderID = "666" }},
		{"never found", func(f *facts) { f.view.Snapshot = &observe.Snapshot{Outcome: observe.NotFound, At: today} }},
		{"never found by its declared id", func(f *facts) {
			f.account.Spec.AccountID = "42"
			f.view.Snapshot = &observe.Snapshot{Outcome: observe.NotFound, At: today}
		}},
		{"suspended by its declared id and never seen", func(f *facts) {
			f.account.Spec.AccountID = "42"
			f.view.Snapshot = &observe.Snapshot{Outcome: observe.Suspended, At: today}
		}},
		{"outage", lane(observe.LanePlatformUnavailable)},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := inOrder(t)
			c.change(&f)
			pass(&f, today)
			before := f.account.Status.DeepCopy()

			f.view = observe.View{Snapshot: remembered(f.account), Restored: true, Lane: observe.LaneState{Reason: observe.LaneConnectionMissing}}
			d := decide(f, today.Add(time.Minute))
			if diff := cmp.Diff(*before, d.status); diff != "" {
				t.Errorf("before the connection is open (-old process +new process):\n%s", diff)
			}
			f.view.Lane = observe.LaneState{}
			d = decide(f, today.Add(time.Minute))
			if diff := cmp.Diff(*before, d.status); diff != "" {
				t.Errorf("before the first look (-old process +new process):\n%s", diff)
			}
			expectEvents(t, d)
		})
	}
}

func TestNothingIsRememberedOfAnAccountThatWasNeverSeen(t *testing.T) {
	f := inOrder(t)
	unseen(&f)
	pass(&f, today)
	if s := remembered(f.account); s != nil {
		t.Errorf("got %+v", s)
	}
	f.account.Status.Profile = &v1alpha1.LiveProfile{Handle: "edu_riyadh"}
	if s := remembered(f.account); s != nil {
		t.Errorf("a profile without state and time: %+v", s)
	}
}
