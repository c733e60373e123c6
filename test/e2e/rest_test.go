package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

// crowd is the size of the fleet that has to be silent.
const crowd = 250

// crowded makes a scene of a crowd, problems among it.
func crowded(t *testing.T) (*scene, map[string]verdict) {
	t.Helper()
	s := newScene(t)
	_, want := s.troubled(t)
	// An image may be late by half an interval at most: with intervals as in
	// production, no account is written before its image is there.
	s.calm(t, func() { s.sweeps(t, 1) })
	s.lookEvery(t, 20*time.Second)
	return s, want
}

// grow adds accounts in order until the scene is a crowd.
func (s *scene) grow(t *testing.T, want map[string]verdict) {
	t.Helper()
	var wg sync.WaitGroup
	work := make(chan *v1alpha1.SocialAccount)
	for range 8 {
		wg.Go(func() {
			for acc := range work {
				if err := shared.admin.Create(t.Context(), acc); err != nil {
					t.Errorf("creating %s: %v", acc.Name, err)
				}
			}
		})
	}
	for i := s.accounts; i < crowd; i++ {
		name := fmt.Sprint("n", i)
		s.put(t, s.live(name))
		want[name] = good()
		work <- s.account(name)
		s.accounts++
	}
	close(work)
	wg.Wait()
	s.expect(t, want)
}

// lookEvery changes how often the policy has schools looked at.
func (s *scene) lookEvery(t *testing.T, interval time.Duration) {
	t.Helper()
	edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) { p.Spec.Tiers[0].Observation.ProfileEvery.Duration = interval })
	condition(t, s.policy, ofPolicy, "Accepted", "True/Accepted")
}

// counted waits until the policy says how the fleet stands.
func (s *scene) counted(t *testing.T, want map[string]verdict) {
	t.Helper()
	violating := 0
	for _, v := range want {
		if v.violated != "" {
			violating++
		}
	}
	until(t, func(context.Context) (string, error) {
		if a := read(t, s.policy).Status.Accounts; a == nil || int(*a.Selected) != len(want) || int(*a.Violating) != violating {
			return "the policy counts " + show(a), nil
		}
		return "", nil
	})
}

// settled waits until policy and connection say how the fleet stands, and the
// last events are written.
func (s *scene) settled(t *testing.T, want map[string]verdict) {
	t.Helper()
	s.counted(t, want)
	until(t, func(context.Context) (string, error) {
		if w := read(t, s.connection).Status.Sweep; w == nil || int(*w.Accounts) != len(want) {
			return "the connection counts " + show(w), nil
		}
		return "", nil
	})
	s.quiet(t)
}

// quiet waits for two sweeps in which the operator writes nothing.
func (s *scene) quiet(t *testing.T) {
	t.Helper()
	s.calm(t, func() { s.sweeps(t, 2) })
}

// calm waits until the operator writes nothing for a while.
func (s *scene) calm(t *testing.T, while func()) {
	t.Helper()
	until(t, func(context.Context) (string, error) {
		n := shared.proxy.writes()
		while()
		if late := shared.proxy.since(n); len(late) > 0 {
			return fmt.Sprintf("%d writes, the last %s", len(late), late[len(late)-1]), nil
		}
		return "", nil
	})
}

// silent fails if anything was written since before, by the API server's own
// count.
func silent(t *testing.T, before map[string]int, told int) {
	t.Helper()
	if wrote := since(before, mustWrites(t)); len(wrote) > 0 {
		t.Errorf("nothing changed, and yet: %v\n%s", wrote, strings.Join(shared.proxy.since(told), "\n"))
	}
}

func TestAnUnchangedFleetIsSilentAndRestartsChangeNothing(t *testing.T) {
	s, want := crowded(t)
	start, first := mustWrites(t), shared.proxy.writes()
	s.grow(t, want)
	s.counted(t, want)
	wrote := since(start, mustWrites(t))
	added := wrote["POST socialaccounts"]
	if n := wrote["APPLY socialaccounts/status"] + wrote["PATCH socialaccounts/status"]; n != added || added < crowd-20 {
		t.Errorf("the first convergence of %d accounts cost %d writes: %v\n%s", added, n, wrote, repeated(shared.proxy.since(first)))
	}
	s.lookEvery(t, every)
	s.settled(t, want)
	if n := since(start, mustWrites(t))["APPLY socialaccounts/status"]; n != added {
		t.Errorf("an edition that changes no verdict cost %d writes of accounts", n-added)
	}

	t.Run("three sweeps write nothing and cost ceil(N/100) requests each", func(t *testing.T) {
		before, told := mustWrites(t), shared.proxy.writes()
		const sweeps, chunks = 3, (crowd + 99) / 100
		reads := func() (requests, profiles, handles int) {
			ledger := s.world.Ledger()
			for _, b := range ledger.Bills {
				profiles += b.Billed + b.Deduplicated
			}
			return ledger.Asked(world.X, x.EndpointUsers), profiles, ledger.Asked(world.X, "")
		}
		// Between two requests, so that no answer is half counted.
		var requests, profiles, total int
		until(t, func(context.Context) (string, error) {
			first, _, _ := reads()
			s.sweeps(t, 0)
			requests, profiles, total = reads()
			if requests != first+1 {
				return "a request is under way", nil
			}
			return "", nil
		})
		began := time.Now()
		until(t, func(context.Context) (string, error) {
			if now, _, _ := reads(); now < requests+sweeps*chunks {
				return "sweeping", nil
			}
			return "", nil
		})
		took := time.Since(began)
		gotRequests, gotProfiles, gotTotal := reads()
		if n := gotRequests - requests; n != sweeps*chunks {
			t.Errorf("%d sweeps cost %d requests, want %d", sweeps, n, sweeps*chunks)
		}
		// missing and nobody are asked for and not charged; missing is not asked for
		// by its id, because nobody knows it.
		if n := gotProfiles - profiles; n > sweeps*crowd || n < sweeps*(crowd-10) {
			t.Errorf("%d sweeps of %d accounts read %d profiles", sweeps, crowd, n)
		}
		if other := (gotTotal - total) - (gotRequests - requests); other > sweeps+1 {
			t.Errorf("%d requests beside those of the sweeps: only the one missing handle is looked up", other)
		}
		if took < (sweeps-1)*every {
			t.Errorf("three sweeps of %s took %s: they are too frequent", every, took)
		}
		silent(t, before, told)
		s.expect(t, want)
	})

	statuses := s.statuses(t)
	for name, signal := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGKILL": syscall.SIGKILL} {
		t.Run("a restart by "+name+" writes nothing and loses nothing", func(t *testing.T) {
			before, told := mustWrites(t), shared.proxy.writes()
			shared.operator.restart(t, signal)
			s.sweeps(t, 3)
			silentButForSpend(t, before, told)
			if diff := cmp.Diff(statuses, s.statuses(t)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}

	t.Run("a broken edit and a restart leave the last good edition in force", func(t *testing.T) {
		edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) { p.Spec.Version, p.Spec.Identity.HandlePattern = "2.0", "^edu_(" })
		condition(t, s.policy, ofPolicy, "Accepted", "False/InvalidExpression", "identity/handle-pattern", "position 5", "edition 1.0 of generation 3 stays in force")
		condition(t, s.policy, ofPolicy, "Stalled", "True/InvalidExpression")
		expectEvents(t, s.policy, "PolicyAccepted×3", "PolicyRejected×1")
		s.quiet(t)
		var kept appsv1.ControllerRevisionList
		if err := shared.admin.List(t.Context(), &kept, client.InNamespace(operatorNamespace), client.MatchingLabels{"mithaq.dev/policy-uid": string(s.policy.UID)}); err != nil {
			t.Fatal(err)
		}
		if len(kept.Items) != 3 {
			t.Errorf("kept editions: %s", show(kept.Items))
		}
		if diff := cmp.Diff(statuses, s.statuses(t)); diff != "" {
			t.Errorf("a broken edit changed accounts (-before +after):\n%s", diff)
		}

		before, told := mustWrites(t), shared.proxy.writes()
		shared.operator.restart(t, syscall.SIGTERM)
		s.sweeps(t, 3)
		silentButForSpend(t, before, told)
		if in := read(t, s.policy).Status.InForce; in.Generation != 3 || in.Version != "1.0" {
			t.Errorf("in force: %s", show(in))
		}
		// The edition in force judges on.
		s.change(t, "fine", func(a *world.Account) { a.Verified = false })
		s.expect(t, map[string]verdict{"fine": good(violating("identity/verified"))})
		if f := read(t, s.account("fine")).Status.Findings[0]; f.PolicyVersion != "1.0" {
			t.Errorf("judged by edition %s", f.PolicyVersion)
		}

		edit(t, s.policy, func(p *v1alpha1.GovernancePolicy) { p.Spec.Identity.HandlePattern = "^(edu|moe)_" })
		condition(t, s.policy, ofPolicy, "Accepted", "True/Accepted", "edition 2.0 is in force")
		condition(t, s.policy, ofPolicy, "Stalled", "absent")
		expectEvents(t, s.policy, "PolicyAccepted×4", "PolicyRejected×1")
	})

	t.Run("a restart during an outage tells nothing twice", func(t *testing.T) {
		s.faults(t, world.Fault{Kind: world.FaultStatus, Status: 503})
		condition(t, s.connection, ofConnection, "Available", "False/Unavailable")
		s.expect(t, map[string]verdict{"n100": good(seenAs("Unknown/PlatformUnavailable"))})
		expectEvents(t, s.connection, "PlatformUnavailable×1")
		s.calm(t, func() { s.asks(t, 2) })
		before, told := mustWrites(t), shared.proxy.writes()
		shared.operator.restart(t, syscall.SIGKILL)
		s.asks(t, 5)
		silent(t, before, told)
		s.faults(t)
		s.expect(t, map[string]verdict{"n100": good()})
		condition(t, s.connection, ofConnection, "Available", "True/Reachable")
		expectEvents(t, s.connection, "PlatformUnavailable×1", "PlatformRecovered×1")
	})
}

// repeated are writes to the first object that was written more than once.
func repeated(writes []string) string {
	byPath := map[string][]string{}
	for _, w := range writes {
		path := strings.Join(strings.Fields(w)[:2], " ")
		byPath[path] = append(byPath[path], w)
	}
	for path, of := range byPath {
		if len(of) > 1 && strings.Contains(path, "/socialaccounts/n") {
			return strings.Join(of, "\n")
		}
	}
	return ""
}

// statuses are all statuses of a scene, as they are stored.
func (s *scene) statuses(t *testing.T) map[string]string {
	t.Helper()
	var list v1alpha1.SocialAccountList
	if err := shared.admin.List(t.Context(), &list, client.InNamespace(s.name)); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for i := range list.Items {
		out[list.Items[i].Name] = show(list.Items[i].Status)
	}
	return out
}

// silentButForSpend is silent, but for one write of the connection: whoever is read and
// is not remembered to be paid for counts as paid once more.
func silentButForSpend(t *testing.T, before map[string]int, told int) {
	t.Helper()
	const spend = "APPLY platformconnections/status"
	if mustWrites(t)[spend] == before[spend]+1 {
		before[spend]++
	}
	silent(t, before, told)
}
