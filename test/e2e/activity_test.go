package e2e

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// wordsFor is a policy that judges what is published, looked at every second.
func wordsFor(terms ...string) func(*scene) {
	return func(s *scene) {
		s.policy.Spec.Content = []v1alpha1.ContentRule{{
			Name: "no-passwords", AnyOf: v1alpha1.TextMatch{Terms: terms},
			Provision: v1alpha1.Provision{Severity: v1alpha1.SeverityHigh, Control: "OSMACC-2-2-1"},
		}}
		for i := range s.policy.Spec.Tiers {
			s.policy.Spec.Tiers[i].Observation.ActivityEvery = &metav1.Duration{Duration: every}
		}
	}
}

// publish makes a post of an account, and returns its id.
func (s *scene) publish(t *testing.T, name, text string) string {
	t.Helper()
	a, err := s.world.Find(s.on, s.handle(name))
	if err != nil {
		t.Fatal(err)
	}
	n := 2_000_000_000_000 + ids.Add(1)
	id := fmt.Sprint(n)
	switch s.on {
	case world.Facebook:
		id = a.ID + "_" + id
	case world.YouTube:
		id = fmt.Sprintf("v%010d", n%1e10)
	}
	post := world.Post{Platform: s.on, Account: a.ID, ID: id, Action: world.Publish, Text: text}
	if err := s.world.PutPost(post); err != nil {
		t.Fatal(err)
	}
	return post.ID
}

// finding waits until an account has exactly one, and returns it.
func finding(t *testing.T, acc *v1alpha1.SocialAccount) v1alpha1.Finding {
	t.Helper()
	until(t, func(context.Context) (string, error) {
		if all := read(t, acc).Status.Findings; len(all) != 1 || all[0].Verdict != v1alpha1.VerdictViolated {
			return "findings: " + show(all), nil
		}
		return "", nil
	})
	return acc.Status.Findings[0]
}

// expectNote waits until an event about an account has a note.
func expectNote(t *testing.T, acc *v1alpha1.SocialAccount, reason, note string) {
	t.Helper()
	until(t, func(ctx context.Context) (string, error) {
		var list eventsv1.EventList
		if err := shared.admin.List(ctx, &list, client.InNamespace(acc.Namespace)); err != nil {
			return "", err
		}
		var others []string
		for _, e := range list.Items {
			if e.Regarding.UID == acc.UID && e.Reason == reason {
				if e.Note == note {
					return "", nil
				}
				others = append(others, e.Note)
			}
		}
		return fmt.Sprintf("notes of %s: %q, want %q", reason, others, note), nil
	})
}

// The whole way of a post: found, kept over a handover, a restart and another
// edition, cleared when it is gone; and nothing is written in between.
func TestAPostIsAFindingUntilItIsGone(t *testing.T) {
	s := newScene(t, wordsFor("password", "كلمة المرور"))
	accounts := s.healthy(t, "talker", "quiet")
	talker, quiet := accounts[0], accounts[1]
	s.publish(t, "quiet", "صباح الخير")
	s.expect(t, all(good(), accounts))

	id := s.publish(t, "talker", "كلمة المرور للمنصة هي 1234")
	s.publish(t, "talker", "مساء الخير")
	bad := map[string]verdict{"talker": good(violating("content/no-passwords")), "quiet": good()}
	s.expect(t, bad)
	f := finding(t, talker)
	if ref := f.Reference; ref == nil || ref.ID != id || ref.Action != v1alpha1.ActionPublish || !strings.HasPrefix(string(ref.URL), "https://") || !strings.HasSuffix(string(ref.URL), id) || ref.SHA256 == "" || ref.Excerpt == "" {
		t.Errorf("the reference is %s", show(f.Reference))
	}
	if f.Responsible != "head-talker@edu.example" || f.Control != "OSMACC-2-2-1" || f.Evidence != v1alpha1.EvidenceObserved {
		t.Errorf("the finding is %s", show(f))
	}
	expectEvents(t, talker, "ViolationFound×1")
	expectEvents(t, quiet)

	edit(t, talker, func(acc *v1alpha1.SocialAccount) { acc.Spec.Owner.Accountable = "next@edu.example" })
	s.expect(t, bad)
	if got := finding(t, talker); got.Responsible != f.Responsible || !got.Since.Equal(&f.Since) {
		t.Errorf("after a handover: %s", show(got))
	}

	t.Run("a restart writes nothing", func(t *testing.T) {
		s.quiet(t)
		statuses, before, told := s.statuses(t), mustWrites(t), shared.proxy.writes()
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			shared.operator.restart(t, signal)
			s.sweeps(t, 3)
		}
		wrote := since(before, mustWrites(t))
		delete(wrote, "APPLY platformconnections/status") // what was spent of the day is saved
		if len(wrote) > 0 {
			t.Errorf("nothing changed, and yet: %v\n%s", wrote, strings.Join(shared.proxy.since(told), "\n"))
		}
		if diff := cmp.Diff(statuses, s.statuses(t)); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})

	t.Run("an edition that judges alike writes no account", func(t *testing.T) {
		s.quiet(t)
		statuses, version := s.statuses(t), map[string]string{}
		for _, acc := range accounts {
			version[acc.Name] = read(t, acc).ResourceVersion
		}
		edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) {
			p.Spec.Content[0].AnyOf.Terms = append(p.Spec.Content[0].AnyOf.Terms, "secret")
		})
		s.publish(t, "talker", "nothing to see")
		s.sweeps(t, 5)
		for _, acc := range accounts {
			if got := read(t, acc).ResourceVersion; got != version[acc.Name] {
				t.Errorf("%s was written", acc.Name)
			}
		}
		if diff := cmp.Diff(statuses, s.statuses(t)); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})

	if err := s.world.DeletePost(world.X, id); err != nil {
		t.Fatal(err)
	}
	s.expect(t, all(good(), accounts))
	expectEvents(t, talker, "ViolationFound×1", "ViolationCleared×1")
	expectNote(t, talker, "ViolationCleared", "no longer violated: content/no-passwords (the post is gone)")
}

// An edited policy judges anew what is there: what it forbids now is found, and what
// it no longer forbids clears, and says why.
// What an account of any platform publishes is judged, with the connection's own
// credential: nobody has granted anything.
func TestAPostOnAnyPlatformIsAFinding(t *testing.T) {
	t.Parallel()
	for _, on := range platforms {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			s := newSceneOn(t, on, wordsFor("password"))
			talker := s.healthy(t, "talker", "quiet")[0]
			s.observed(t, "True/Fresh")
			s.publish(t, "quiet", "good morning")
			id := s.publish(t, "talker", "the password is 1234")
			until(t, func(context.Context) (string, error) {
				for _, f := range read(t, talker).Status.Findings {
					if f.Rule == "content/no-passwords" && f.Verdict == v1alpha1.VerdictViolated && f.Reference != nil && f.Reference.ID == id {
						return "", nil
					}
				}
				return "findings: " + show(talker.Status.Findings), nil
			})
		})
	}
}

func TestAnEditedPolicyJudgesWhatWasPublished(t *testing.T) {
	t.Parallel()
	s := newScene(t, wordsFor("password"))
	accounts := s.healthy(t, "first", "second")
	s.publish(t, "first", "the password is 1234")
	s.publish(t, "second", "send your coins to this address")
	s.expect(t, map[string]verdict{"first": good(violating("content/no-passwords")), "second": good()})
	edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) {
		p.Spec.Version, p.Spec.Content[0].AnyOf.Terms = "2.0", []string{"coins"}
	})
	s.expect(t, map[string]verdict{"first": good(), "second": good(violating("content/no-passwords"))})
	expectNote(t, accounts[0], "ViolationCleared", "no longer violated: content/no-passwords (the policy changed)")
	if f := finding(t, accounts[1]); f.PolicyVersion != "2.0" {
		t.Errorf("judged by %s", show(f))
	}
	edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) {
		p.Spec.Selector.AccountSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"nobody": "here"}}
	})
	expectNote(t, accounts[1], "ViolationCleared", fmt.Sprintf("no longer violated: content/no-passwords (policy %s no longer selects the account)", s.policy.Name))
}
