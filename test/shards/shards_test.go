package shards

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/shard"
)

const (
	shards   = 3
	accounts = 240
	every    = 2 * time.Second
	bio      = "الحساب الرسمي لإدارة التعليم"
	// busy answers for one account more than the policy allows a person.
	busy = "busy@edu.example"
)

func policy(name, handles string, mode v1alpha1.PolicyMode) *v1alpha1.GovernancePolicy {
	p := &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec = v1alpha1.GovernancePolicySpec{
		Version: "1.0", Mode: mode,
		Tiers: []v1alpha1.Tier{{Name: "school", MinPeople: 2, Observation: &v1alpha1.ObservationIntervals{
			ProfileEvery: &metav1.Duration{Duration: every}, StaleAfter: &metav1.Duration{Duration: 10 * time.Minute},
		}}},
		Ownership: &v1alpha1.OwnershipRules{MaxAccountsPerPerson: 4},
		Identity:  &v1alpha1.IdentityRules{HandlePattern: v1alpha1.RegularExpression(handles), Verified: v1alpha1.VerifiedRequired},
	}
	return p
}

func handle(i int) string { return fmt.Sprintf("edu_%03d", i) }

// account is number i. Each tenth is not verified, and the first five are one person's.
func account(i int) (*v1alpha1.SocialAccount, world.Account) {
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("edu-", i%3), Name: fmt.Sprintf("a-%03d", i)}}
	acc.Spec = v1alpha1.SocialAccountSpec{
		Platform: v1alpha1.PlatformX, Handle: handle(i), Tier: "school", Language: "ar",
		Owner: v1alpha1.Owner{Unit: "riyadh/" + acc.Name, Accountable: v1alpha1.PersonName(fmt.Sprintf("head-%d@edu.example", i))},
		Team:  []v1alpha1.TeamMember{{Person: v1alpha1.PersonName(fmt.Sprintf("team-%d@edu.example", i)), Roles: []v1alpha1.Role{v1alpha1.RoleManager}}},
	}
	if i < 5 {
		acc.Spec.Owner.Accountable = busy
	}
	return acc, world.Account{
		Platform: world.X, ID: fmt.Sprint(100_000_000_000 + i), Handle: handle(i), DisplayName: "تعليم", Bio: bio,
		Image: "emblem", Verified: i%10 != 0, VerifiedType: "government", Followers: 1000, Posts: 10,
	}
}

func (s *site) declare() {
	s.Helper()
	for i := range 3 {
		s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("edu-", i)}})
	}
	s.create(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x-app", Namespace: namespace}, Data: map[string][]byte{"appToken": []byte("bearer"), "clientID": []byte("key"), "clientSecret": []byte("secret")}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x-app-b", Namespace: namespace}, Data: map[string][]byte{"appToken": []byte("bearer-b"), "clientID": []byte("key-b"), "clientSecret": []byte("secret-b")}},
		policy("manual", "^edu_", ""), policy("next", "^edu_.*[02468]$", v1alpha1.ModePreview),
		&v1alpha1.PlatformConnection{ObjectMeta: metav1.ObjectMeta{Name: "x"}, Spec: v1alpha1.PlatformConnectionSpec{
			Platform: v1alpha1.PlatformX, Default: ptr.To(true), Endpoint: s.simulator.URL, AppSecretRef: v1alpha1.LocalReference{Name: "x-app"}, AlternateAppSecretRef: &v1alpha1.LocalReference{Name: "x-app-b"},
		}},
	)
	for i := range accounts {
		acc, live := account(i)
		if err := s.world.Put(live); err != nil {
			s.Fatal(err)
		}
		s.create(acc)
		s.declared++
	}
}

// state is what the objects say, apart from times and from the words in which a budget
// is described.
type state struct {
	Accounts   map[string]string
	Counts     map[string]string
	Preview    string
	Connection []string
}

func conditions(all []metav1.Condition) []string {
	var out []string
	for _, c := range all {
		out = append(out, fmt.Sprintf("%s=%s/%s", c.Type, c.Status, c.Reason))
	}
	slices.Sort(out)
	return out
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // of our own types
	}
	return string(raw)
}

func (s *site) state(ctx context.Context) (state, error) {
	out := state{Accounts: map[string]string{}, Counts: map[string]string{}}
	var accounts v1alpha1.SocialAccountList
	var policies v1alpha1.GovernancePolicyList
	var connection v1alpha1.PlatformConnection
	for _, list := range []client.ObjectList{&accounts, &policies} {
		if err := s.admin.List(ctx, list); err != nil {
			return out, err
		}
	}
	if err := s.admin.Get(ctx, client.ObjectKey{Name: "x"}, &connection); err != nil {
		return out, err
	}
	for i := range accounts.Items {
		acc := &accounts.Items[i]
		var rules []string
		for _, f := range acc.Status.Findings {
			rules = append(rules, f.Rule+"="+string(f.Verdict))
		}
		slices.Sort(rules)
		out.Accounts[acc.Namespace+"/"+acc.Name] = fmt.Sprint(conditions(acc.Status.Conditions), rules, acc.Status.AccountID)
	}
	for i := range policies.Items {
		p := &policies.Items[i]
		out.Counts[p.Name] = text(p.Status.Accounts) + text(p.Status.Rules) + fmt.Sprint(conditions(p.Status.Conditions))
		if p.Status.Preview != nil {
			p.Status.Preview.ComputedAt = nil
			out.Preview = text(p.Status.Preview)
		}
	}
	swept := ""
	if connection.Status.Sweep != nil {
		swept = fmt.Sprint(*connection.Status.Sweep.Accounts)
	}
	out.Connection = append(conditions(connection.Status.Conditions), swept)
	return out, nil
}

// converged says what is missing until every account is judged on what the platform
// shows, and everything is counted.
func (s *site) converged(ctx context.Context) (string, error) {
	now, err := s.state(ctx)
	if err != nil {
		return "", err
	}
	for name, is := range now.Accounts {
		if !strings.Contains(is, "Observed=True") && !strings.Contains(is, "DuplicateClaim") {
			return name + ": " + is, nil
		}
	}
	var manual v1alpha1.GovernancePolicy
	if err := s.admin.Get(ctx, client.ObjectKey{Name: "manual"}, &manual); err != nil {
		return "", err
	}
	switch a := manual.Status.Accounts; {
	case a == nil || int(*a.Selected) != s.declared:
		return "counts: " + now.Counts["manual"], nil
	case *a.Violating+*a.Compliant != *a.Selected && *a.Unknown > 1:
		return "counts: " + now.Counts["manual"], nil
	case !strings.Contains(now.Preview, fmt.Sprintf(`"accounts":%d,"unknown":0,`, s.declared)): // it follows once a minute
		return "preview: " + now.Preview, nil
	case !slices.Contains(now.Connection, "Ready=True/Reconciled") || !slices.Contains(now.Connection, fmt.Sprint(accounts)):
		return fmt.Sprint("connection: ", now.Connection), nil
	}
	return "", nil
}

// clear takes away everything that was said.
func (s *site) clear() {
	s.Helper()
	var accounts v1alpha1.SocialAccountList
	var policies v1alpha1.GovernancePolicyList
	var connections v1alpha1.PlatformConnectionList
	for _, list := range []client.ObjectList{&accounts, &policies, &connections} {
		if err := s.admin.List(s.Context(), list); err != nil {
			s.Fatal(err)
		}
	}
	var all []client.Object
	for i := range accounts.Items {
		accounts.Items[i].Status = v1alpha1.SocialAccountStatus{}
		all = append(all, &accounts.Items[i])
	}
	for i := range policies.Items {
		policies.Items[i].Status = v1alpha1.GovernancePolicyStatus{}
		all = append(all, &policies.Items[i])
	}
	for i := range connections.Items {
		connections.Items[i].Status = v1alpha1.PlatformConnectionStatus{}
		all = append(all, &connections.Items[i])
	}
	for _, o := range all {
		if err := s.admin.Status().Update(s.Context(), o); err != nil {
			s.Fatalf("clearing %s: %v", o.GetName(), err)
		}
	}
}

// With the gate the API server divides, without it the replicas do: what they say is the
// same, and what one process says.
func TestShards(t *testing.T) {
	var want *state
	t.Run("the API server does not divide", func(t *testing.T) {
		s := newSite(t, false)
		s.declare()
		want = s.alone()
		s.clear()
		three := s.three(*want)
		s.foreign(three, false)
		s.acrossShards()
		s.consents(three)
		s.kill(three)
	})
	t.Run("the API server divides", func(t *testing.T) {
		if os.Getenv("SHARDS") != "all" {
			t.Skip("make shards plays it")
		}
		s := newSite(t, true)
		s.declare()
		if want == nil {
			want = s.alone()
			s.clear()
		}
		three := s.three(*want)
		s.foreign(three, true)
		s.acrossShards()
		for _, p := range three {
			p.end(syscall.SIGTERM)
		}
	})
}

// alone is what one process says.
func (s *site) alone() *state {
	s.Helper()
	alone := s.begin("alone")
	s.Logf("one process: in order after %s", s.until("one process", patience, s.converged))
	want, err := s.state(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if !strings.Contains(want.Accounts["edu-0/a-000"], "ownership/max-accounts-per-person=Violated") {
		s.Fatalf("nobody has too many accounts: %s", want.Accounts["edu-0/a-000"])
	}
	alone.end(syscall.SIGTERM)
	return &want
}

// three begins three processes, which say what one says.
func (s *site) three(want state) []*process {
	s.Helper()
	var three []*process
	for _, name := range []string{"one", "two", "three"} {
		// The public address is the first's: as an ingress would lead everybody to one replica.
		address := s.freeAddress()
		if len(three) == 0 {
			s.public = "http://" + address
		}
		p := s.begin(name, "--shards=3", "--consent-url="+s.public, "--consent-bind-address="+address, "--consent-peer-bind-address="+s.freeAddress())
		p.consents = address
		three = append(three, p)
	}
	s.Logf("three processes: in order after %s", s.until("three processes", patience, s.converged))
	s.same("three processes", want)
	s.apart(shards)
	return three
}

// kill ends the holder of shard 0, which writes what is said of the whole fleet; then
// accounts of that shard change.
func (s *site) kill(three []*process) {
	s.Helper()
	dead := s.byShard(three, 0)
	three[dead].end(syscall.SIGKILL)
	changed := s.change(0)
	took := s.until("after a kill", takeover+4*every+30*time.Second, func(ctx context.Context) (string, error) { return s.turned(ctx, changed) })
	s.Logf("the accounts of a killed replica are observed and counted again after %s", took)
	if took > takeover+4*every+15*time.Second {
		s.Errorf("it took %s", took)
	}
	s.apart(2)
	for i, p := range three {
		if i != dead {
			p.end(syscall.SIGTERM)
		}
	}
}

// same says how the state differs from that of one process.
func (s *site) same(what string, want state) {
	s.Helper()
	s.until(what+" say the same", 20*time.Second, func(ctx context.Context) (string, error) {
		got, err := s.state(ctx)
		return cmp.Diff(want, got), err
	})
}

// apart waits until every shard is held, by so many processes.
func (s *site) apart(n int) []string {
	s.Helper()
	var all []string
	s.until("the shards are held", takeover, func(ctx context.Context) (string, error) {
		var err error
		all, err = s.holders(ctx, shards)
		different := slices.Compact(slices.Sorted(slices.Values(all)))
		if err == nil && (slices.Contains(all, "") || len(different) != n) {
			return fmt.Sprint(all), nil
		}
		return "", err
	})
	return all
}

// foreign: an API server that divides sends no account of another shard; one that does
// not sends all.
func (s *site) foreign(three []*process, gate bool) {
	s.Helper()
	for _, p := range three {
		dropped := p.metric("mithaq_shard_foreign_objects_total")
		s.Logf("%s dropped %.0f accounts of others", p.name, dropped)
		if gate != (dropped == 0) {
			s.Errorf("%s dropped %.0f accounts of others", p.name, dropped)
		}
	}
}

// byShard finds the process that acts for a shard, by what it logged.
func (s *site) byShard(all []*process, i int) int {
	s.Helper()
	for n, p := range all {
		acting := false
		for _, line := range p.lines("Acting for a shard") {
			acting = acting || strings.Contains(line, fmt.Sprintf(`"shard":%d,`, i)) || strings.Contains(line, fmt.Sprintf(`"shard": %d,`, i))
		}
		if acting {
			return n
		}
	}
	s.Fatalf("nobody says that it acts for shard %d", i)
	return -1
}

// acrossShards declares an account that one of another shard claims already, and a
// person's sixth; both are known at once wherever they matter, and forgotten again.
func (s *site) acrossShards() {
	s.Helper()
	layout, err := shard.NewLayout(shards)
	if err != nil {
		s.Fatal(err)
	}
	var first v1alpha1.SocialAccount
	first.Namespace, first.Name = "edu-1", "a-007"
	if err := s.admin.Get(s.Context(), client.ObjectKeyFromObject(&first), &first); err != nil {
		s.Fatal(err)
	}
	var rival *v1alpha1.SocialAccount
	for i := 0; rival == nil; i++ {
		one, _ := account(7)
		one.Name = fmt.Sprint("rival-", i)
		s.create(one)
		if layout.Of(one.UID) == layout.Of(first.UID) {
			if err := s.admin.Delete(s.Context(), one); err != nil {
				s.Fatal(err)
			}
			continue
		}
		rival = one
	}
	ask := func(want string) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			if err := s.admin.Get(ctx, client.ObjectKeyFromObject(rival), rival); err != nil {
				return "", err
			}
			if is := fmt.Sprint(conditions(rival.Status.Conditions)); !strings.Contains(is, want) {
				return is, nil
			}
			return "", nil
		}
	}
	s.until("a rival in another shard", patience, ask("Observed=False/DuplicateClaim"))
	if err := s.admin.Delete(s.Context(), &first); err != nil {
		s.Fatal(err)
	}
	s.until("the rival is alone", patience, ask("Observed=True"))
	if err := s.admin.Delete(s.Context(), rival); err != nil {
		s.Fatal(err)
	}
	again, _ := account(7)
	s.create(again)
	s.until("as before", patience, s.converged)
}

// some is how many accounts change: fewer than make the operator suspect an outage.
const some = 15

// change takes the verification from a few accounts of a shard.
func (s *site) change(i int) (names []string) {
	s.Helper()
	layout, err := shard.NewLayout(shards)
	if err != nil {
		s.Fatal(err)
	}
	var list v1alpha1.SocialAccountList
	if err := s.admin.List(s.Context(), &list); err != nil {
		s.Fatal(err)
	}
	for n := range list.Items {
		acc := &list.Items[n]
		if len(names) == some || layout.Of(acc.UID) != i || strings.HasSuffix(acc.Name, "0") {
			continue
		}
		names = append(names, acc.Namespace+"/"+acc.Name)
		if _, err := s.world.Update(world.X, acc.Spec.Handle, func(a *world.Account) error { a.Verified = false; return nil }); err != nil {
			s.Fatal(err)
		}
	}
	return names
}

// turned says which account's status does not show yet that its verification is gone.
func (s *site) turned(ctx context.Context, changed []string) (string, error) {
	now, err := s.state(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range changed {
		if !strings.Contains(now.Accounts[name], "identity/verified=Violated") {
			return name + " is as it was: " + now.Accounts[name], nil
		}
	}
	var manual v1alpha1.GovernancePolicy
	if err := s.admin.Get(ctx, client.ObjectKey{Name: "manual"}, &manual); err != nil {
		return "", err
	}
	for _, r := range manual.Status.Rules {
		if r.Rule == "identity/verified" && int(*r.Violated) == accounts/10+some {
			return "", nil
		}
	}
	return "counts: " + now.Counts["manual"], nil
}
