package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

const (
	// every is how often the scenes' policies have accounts looked at.
	every = time.Second
	// patience bounds all waiting: far more than any step needs on a busy machine.
	patience = 45 * time.Second
	// emblem is the difference hash of the simulator's picture of that name.
	emblem = "0f173371332b0f0f"
	token  = "bearer-of-the-scene"
	bio    = "الحساب الرسمي لإدارة التعليم"
)

// scene is a namespace with a simulator, a connection and a policy of its own.
type scene struct {
	name       string
	on         world.Platform
	world      *world.World
	simulator  *httptest.Server
	connection *v1alpha1.PlatformConnection
	secret     *corev1.Secret
	policy     *v1alpha1.GovernancePolicy
	namespace  *corev1.Namespace
	accounts   int
	// more is deleted with the scene.
	more []client.Object
}

var scenes, ids atomic.Int64

// newScene makes a scene with what a ministry has before its first account. It
// is gone when the test ends.
func newScene(t *testing.T, change ...func(*scene)) *scene {
	t.Helper()
	return newSceneOn(t, world.X, change...)
}

// newSceneOn makes a scene on one of the platforms.
func newSceneOn(t *testing.T, on world.Platform, change ...func(*scene)) *scene {
	t.Helper()
	name, site := fmt.Sprint("scene-", scenes.Add(1)), sites[on]
	s := &scene{name: name, on: on, world: world.New(clock.RealClock{})}
	s.simulator = httptest.NewServer(site.serve(s.world))
	t.Cleanup(s.simulator.Close)
	if err := s.world.Load(site.fleet); err != nil {
		t.Fatal(err)
	}
	s.namespace = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"scene": name}}}
	s.secret = &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "x-" + name, Namespace: operatorNamespace}, Data: maps.Clone(site.secret),
	}
	s.connection = &v1alpha1.PlatformConnection{ObjectMeta: metav1.ObjectMeta{Name: "x-" + name}, Spec: v1alpha1.PlatformConnectionSpec{
		Platform: v1alpha1.PlatformName(on), Endpoint: s.simulator.URL, AppSecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName("x-" + name)},
	}}
	s.policy = &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: policySpec(name)}
	for _, c := range change {
		c(s)
	}
	for _, o := range []client.Object{s.namespace, s.secret, s.policy, s.connection} {
		if o.GetName() != "" {
			create(t, o)
		}
	}
	t.Cleanup(s.clear)
	return s
}

// without leaves an object out of a scene.
func without(part func(*scene) client.Object) func(*scene) {
	return func(s *scene) { part(s).SetName("") }
}

func policySpec(name string) v1alpha1.GovernancePolicySpec {
	tier := func(name v1alpha1.TierName, people int32) v1alpha1.Tier {
		return v1alpha1.Tier{Name: name, MinPeople: people, Observation: &v1alpha1.ObservationIntervals{
			ProfileEvery: &metav1.Duration{Duration: every}, StaleAfter: &metav1.Duration{Duration: time.Minute},
		}}
	}
	return v1alpha1.GovernancePolicySpec{
		Version:  "1.0",
		Selector: &v1alpha1.PolicySelector{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"scene": name}}},
		Tiers:    []v1alpha1.Tier{tier("school", 2), tier("ministry", 3)},
		Ownership: &v1alpha1.OwnershipRules{
			IncompatibleRoles: []v1alpha1.RoleSet{{v1alpha1.RolePublisher, v1alpha1.RoleApprover}},
			AllowedDomains:    []v1alpha1.DomainName{"edu.example"}, MaxAccountsPerPerson: 100_000,
		},
		Identity: &v1alpha1.IdentityRules{
			HandlePattern: "^edu_", BioMustContain: []string{"الحساب الرسمي"}, Verified: v1alpha1.VerifiedRequired,
			Avatars: []v1alpha1.AvatarRule{{Name: "emblem", PerceptualHash: emblem}},
		},
	}
}

// clear takes the scene down. What is gone by then is fine.
func (s *scene) clear() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	gone := func(err error) {
		if client.IgnoreNotFound(err) != nil {
			panic(err)
		}
	}
	gone(shared.admin.DeleteAllOf(ctx, &v1alpha1.SocialAccount{}, client.InNamespace(s.name)))
	// What holds credentials goes first: to revoke them takes the connection.
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var left v1alpha1.SocialAccountList
		err := shared.admin.List(ctx, &left, client.InNamespace(s.name))
		return err == nil && len(left.Items) == 0, err
	})
	gone(err)
	for _, o := range append([]client.Object{s.policy, s.connection, s.secret}, s.more...) {
		if o.GetName() != "" {
			gone(shared.admin.Delete(ctx, o))
		}
	}
}

// handle is the scene's own form of a name: claims are compared over the fleet.
func (s *scene) handle(name string) string {
	return sites[s.on].handle + name + s.name[len("scene-"):]
}

// unused is an id of the scene's own that no account has.
func (s *scene) unused(digit int) string { return fmt.Sprint(digit*1_000_000) + s.name[len("scene-"):] }

// live is an account that is in order on the platform.
func (s *scene) live(name string) world.Account {
	handle, site := s.handle(name), sites[s.on]
	return world.Account{
		Platform: s.on, ID: fmt.Sprintf(site.id, 100_000_000_000+ids.Add(1)), Owner: site.owner, Handle: handle, DisplayName: "تعليم " + handle, Bio: bio,
		Website: "https://edu.example/" + handle, Image: "emblem", Verified: true, VerifiedType: "government", Followers: 1000, Posts: 10,
	}
}

func (s *scene) put(t *testing.T, accounts ...world.Account) {
	t.Helper()
	for _, a := range accounts {
		if err := s.world.Put(a); err != nil {
			t.Fatal(err)
		}
		if person := sites[s.on].reader; person != "" {
			if err := s.world.PutRole(world.Role{Platform: s.on, Account: a.ID, Person: person, Tasks: []string{"MANAGE"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// change alters what the platform shows of an account, named or by id.
func (s *scene) change(t *testing.T, name string, change func(*world.Account)) {
	t.Helper()
	ref := s.handle(name)
	if _, ok := s.world.Account(s.on, name); ok {
		ref = name
	}
	if _, err := s.world.Update(s.on, ref, func(a *world.Account) error { change(a); return nil }); err != nil {
		t.Fatal(err)
	}
}

// account declares an account as GitOps does.
func (s *scene) account(name string, change ...func(*v1alpha1.SocialAccount)) *v1alpha1.SocialAccount {
	handle := s.handle(name)
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: s.name, Name: name}}
	acc.Spec = v1alpha1.SocialAccountSpec{
		Platform: v1alpha1.PlatformName(s.on), Handle: handle, Tier: "school", Language: "ar",
		Owner:         v1alpha1.Owner{Unit: "riyadh/" + acc.Name, Accountable: v1alpha1.PersonName("head-" + acc.Name + "@edu.example")},
		Team:          []v1alpha1.TeamMember{{Person: v1alpha1.PersonName("team-" + acc.Name + "@edu.example"), Roles: []v1alpha1.Role{v1alpha1.RoleManager}}},
		ConnectionRef: &v1alpha1.LocalReference{Name: v1alpha1.ObjectName("x-" + s.name)},
		Profile:       &v1alpha1.ApprovedProfile{DisplayName: "تعليم " + handle, Bio: bio},
	}
	for _, c := range change {
		c(acc)
	}
	return acc
}

// declare creates accounts.
func (s *scene) declare(t *testing.T, accounts ...*v1alpha1.SocialAccount) {
	t.Helper()
	for _, acc := range accounts {
		create(t, acc)
		s.accounts++
	}
}

// healthy puts accounts in order on the platform and declares them.
func (s *scene) healthy(t *testing.T, names ...string) []*v1alpha1.SocialAccount {
	t.Helper()
	var out []*v1alpha1.SocialAccount
	for _, name := range names {
		s.put(t, s.live(name))
		acc := s.account(name)
		s.declare(t, acc)
		out = append(out, acc)
	}
	return out
}

func (s *scene) faults(t *testing.T, faults ...world.Fault) {
	t.Helper()
	if err := s.world.SetFaults(s.on, faults...); err != nil {
		t.Fatal(err)
	}
}

// until polls until nothing is amiss. ask returns what is, or an error that ends
// the wait.
func until(t *testing.T, ask func(context.Context) (amiss string, err error)) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), 25*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if shared.operator.gone() {
			return false, errors.New("the operator ended")
		}
		amiss, err := ask(ctx)
		if errors.Is(err, context.DeadlineExceeded) || apierrors.IsTimeout(err) {
			return false, nil
		}
		last = amiss
		return amiss == "", err
	})
	if err != nil {
		t.Fatalf("%v after %s; last: %s", err, patience, last)
	}
}

// sweeps waits until every account of the scene has been looked at n times more,
// by the simulator's own count of answers.
func (s *scene) sweeps(t *testing.T, n int) {
	t.Helper()
	chunks := (s.accounts + 99) / 100
	target := s.world.Ledger().Asked(world.X, x.EndpointUsers) + n*chunks + 1
	until(t, func(context.Context) (string, error) {
		if asked := s.world.Ledger().Asked(world.X, x.EndpointUsers); asked < target {
			return fmt.Sprintf("%d of %d requests", asked, target), nil
		}
		return "", nil
	})
}

// asks waits until the simulator was asked n times more, whatever it answered.
func (s *scene) asks(t *testing.T, n int) {
	t.Helper()
	target := s.world.Ledger().Asked(s.on, "") + n
	until(t, func(context.Context) (string, error) {
		if asked := s.world.Ledger().Asked(s.on, ""); asked < target {
			return fmt.Sprintf("%d of %d requests", asked, target), nil
		}
		return "", nil
	})
}

// yes is for optional fields.
func yes() *bool { return ptr.To(true) }
