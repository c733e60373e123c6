package faults

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/rotation"
)

// stage is where the operator's own process is killed: real time, X, and accounts
// that change hands again and again.
type stage struct {
	name     string
	world    *world.World
	server   *httptest.Server
	accounts []*play
	binary   string
}

// process is the operator as it is shipped.
type process struct {
	cmd              *exec.Cmd
	done             chan struct{}
	consent, metrics string
}

const held = 6

// newStage creates accounts that the operator governs, in a namespace of their own.
func newStage(t *testing.T, name string) *stage {
	t.Helper()
	s := &stage{name: name, world: world.New(clock.RealClock{}), binary: os.Getenv("MITHAQ")}
	if s.binary == "" {
		s.binary = filepath.Join(shared.dir, "mithaq")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", s.binary, ".")
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building the operator: %v\n%s", err, out)
		}
	}
	s.world.MarkSecrets(mark)
	on := onX()
	s.server = httptest.NewServer(on.serve(s.world))
	t.Cleanup(s.server.Close)
	// Calls take a second, so that most kills fall into one.
	if err := s.world.SetFaults(world.X, world.Fault{Kind: world.FaultDelay, DelaySeconds: 1, Endpoint: x.EndpointUserToken},
		world.Fault{Kind: world.FaultDelay, DelaySeconds: 1, Endpoint: x.EndpointRevoke}); err != nil {
		t.Fatal(err)
	}
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"stage": name}}},
		&v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.GovernancePolicySpec{
			Version: "1.0", Tiers: []v1alpha1.Tier{{Name: "school", MinPeople: 1}},
			Selector: &v1alpha1.PolicySelector{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"stage": name}}},
			Credentials: &v1alpha1.CredentialRules{
				RotateOn: []v1alpha1.RotateOn{v1alpha1.RotateOnAccountableChanged}, Overlap: &metav1.Duration{Duration: time.Second},
			},
		}},
		&v1alpha1.PlatformConnection{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.PlatformConnectionSpec{
			Platform: v1alpha1.PlatformX, Endpoint: s.server.URL, AppSecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName(name + "-primary")},
			AlternateAppSecretRef: &v1alpha1.LocalReference{Name: v1alpha1.ObjectName(name + "-alternate")},
		}},
	}
	for _, which := range []rotation.App{rotation.Primary, rotation.Alternate} {
		objects = append(objects, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: vaults, Name: name + "-" + string(which)}, Data: on.secret(which)})
	}
	for _, o := range objects {
		if err := shared.admin.Create(t.Context(), o); err != nil {
			t.Fatalf("creating %T %s: %v", o, o.GetName(), err)
		}
	}
	for range held {
		s.declare(t, on)
	}
	t.Cleanup(func() { s.clear(t) })
	return s
}

func (s *stage) declare(t *testing.T, on *site) {
	t.Helper()
	p := &play{plan: plan{site: on, serial: serial()}, c: shared.cluster, world: s.world, raw: map[string]string{}}
	p.at = on.place(p.serial)
	if err := on.furnish(s.world, p.at); err != nil {
		t.Fatal(err)
	}
	p.acc = &v1alpha1.SocialAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.name, Name: "live-" + itoa(p.serial)},
		Spec: v1alpha1.SocialAccountSpec{
			Platform: v1alpha1.PlatformX, Handle: p.at.handle, AccountID: p.at.id, Tier: "school", Language: "ar",
			Owner: v1alpha1.Owner{Unit: "riyadh", Accountable: former}, ConnectionRef: &v1alpha1.LocalReference{Name: v1alpha1.ObjectName(s.name)},
			Credentials: &v1alpha1.AccountCredentials{SecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName("live-" + itoa(p.serial))}},
		},
	}
	if err := shared.admin.Create(t.Context(), p.acc); err != nil {
		t.Fatal(err)
	}
	s.accounts = append(s.accounts, p)
}

func (s *stage) clear(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	for _, p := range s.accounts {
		if err := client.IgnoreNotFound(shared.admin.Delete(ctx, p.acc)); err != nil {
			t.Error(err)
		}
	}
}

// start runs the operator.
func (s *stage) start(t *testing.T, log io.Writer, flags ...string) *process {
	t.Helper()
	o := &process{done: make(chan struct{})}
	for _, address := range []*string{&o.consent, &o.metrics} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*address = l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(shared.dir, "kubeconfig")
	if err := os.WriteFile(config, shared.env.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	o.cmd = exec.Command(s.binary, append([]string{
		"--operator-namespace", vaults, "--allow-insecure-endpoints", "--metrics-bind-address", o.metrics, "--metrics-secure=false",
		"--consent-url", "http://" + o.consent, "--consent-bind-address", o.consent, "--health-probe-bind-address", "0",
	}, flags...)...)
	o.cmd.Env = append(os.Environ(), "KUBECONFIG="+config)
	o.cmd.Stdout, o.cmd.Stderr = log, log
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = o.cmd.Wait() // it is killed
		close(o.done)
	}()
	return o
}

// kill ends it as a machine that fails does.
func (o *process) kill(t *testing.T) {
	t.Helper()
	if err := o.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	<-o.done
}

// people lets people consent, give their word, and, as long as more, hand accounts
// over again.
func (s *stage) people(ctx context.Context, more bool) error {
	var list v1alpha1.SocialAccountList
	if err := shared.admin.List(ctx, &list, client.InNamespace(s.name)); err != nil {
		return err
	}
	for i := range list.Items {
		if err := s.person(ctx, &list.Items[i], more); err != nil && !apierrors.IsConflict(err) {
			return err
		}
	}
	return nil
}

func (s *stage) person(ctx context.Context, acc *v1alpha1.SocialAccount, more bool) error {
	h, before := acc.Status.Handover, acc.DeepCopy()
	switch {
	case h == nil:
		c := acc.Status.Credentials
		if !more || c == nil || !meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete) || c.RotationsTotal == nil {
			return nil
		}
		next := v1alpha1.PersonName(fmt.Sprintf("holder-%d@edu.example", *c.RotationsTotal))
		if acc.Spec.Owner.Accountable == next {
			return nil
		}
		acc.Spec.Owner.Accountable = next
	case h.ConsentURL != "":
		return s.consent(ctx, acc.Spec.AccountID, h.ConsentURL)
	default:
		acc.Spec.Attestations = nil
		for _, step := range h.HumanSteps {
			if step.State == v1alpha1.HumanStepOpen {
				acc.Spec.Attestations = append(acc.Spec.Attestations, v1alpha1.Attestation{Control: step.Step, By: "auditor@edu.example", At: metav1.NewTime(time.Now().Truncate(time.Second))})
			}
		}
		if len(acc.Spec.Attestations) == 0 {
			return nil
		}
	}
	return shared.admin.Patch(ctx, acc, client.MergeFrom(before))
}

// consent consents; a service that is down right now is tried later.
func (s *stage) consent(ctx context.Context, id, address string) error {
	page, err := fetch(ctx, address)
	if err != nil {
		return nil //nolint:nilerr // the operator is being killed
	}
	found := link.FindStringSubmatch(page)
	if found == nil {
		return nil
	}
	s.world.Choose(world.X, world.Choice{Person: id})
	_, err = fetch(ctx, html.UnescapeString(found[1]))
	if err != nil {
		return nil //nolint:nilerr // as above: the code is lost, and asked for again
	}
	return nil
}

func fetch(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// act lets people act for so long, or until done says so.
func (s *stage) act(t *testing.T, most time.Duration, more bool, done func(context.Context) (bool, error)) bool {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, most, true, func(ctx context.Context) (bool, error) {
		if err := s.people(ctx, more); err != nil && ctx.Err() == nil {
			return false, err
		}
		return done(ctx)
	})
	if err != nil && !wait.Interrupted(err) {
		t.Fatal(err)
	}
	return err == nil
}

func never(context.Context) (bool, error) { return false, nil }

// settled says that every account is at rest with a credential.
func (s *stage) settled(ctx context.Context) (bool, error) {
	for _, p := range s.accounts {
		p.ctx = ctx
		acc, v, _, err := p.load()
		if err != nil {
			return false, client.IgnoreNotFound(err)
		}
		if acc == nil || v == nil || v.Journal.Phase != rotation.Idle || v.Journal.Op != nil || v.Current == nil || acc.Status.Handover != nil ||
			v.Journal.SettledFor.Accountable != string(acc.Spec.Owner.Accountable) {
			return false, nil
		}
	}
	return true, nil
}

// calls are the mutating calls of one account: each shows a secret of it.
func (s *stage) calls(id string) []world.Call {
	owner := map[string]string{}
	for _, t := range s.world.Tokens(world.X, world.TokenQuery{}) {
		owner[t.Fingerprint] = t.Person
	}
	var out []world.Call
	for _, c := range s.world.History().Calls {
		mine := c.Person == id
		for _, sent := range c.Sent {
			mine = mine || owner[sent.Fingerprint] == id
		}
		if c.Mutating && c.Effect != "" && mine {
			out = append(out, c)
		}
	}
	return out
}

// judge holds the watch history and the ledger of every account against the invariants.
func (s *stage) judge(t *testing.T) {
	t.Helper()
	for _, p := range s.accounts {
		p.ctx = t.Context()
		_, v, objects, err := p.load()
		if err != nil || v == nil {
			t.Fatalf("%s: %v", p.acc.Name, err)
		}
		history, err := shared.history.upTo(p.acc.Name, false, objects[len(objects)-1])
		if err != nil {
			t.Fatal(err)
		}
		for _, stored := range history.vaults {
			p.checkStored(p.previous, stored)
			p.previous = stored
			for _, slot := range slots(stored) {
				for _, token := range []string{string(slot.Access), string(slot.Refresh), string(slot.OldAccess), string(slot.OldRefresh)} {
					p.raw[s.world.Fingerprint(token)] = token
				}
			}
		}
		p.checkCalls(s.calls(p.at.id))
		p.checkLive(v)
		shared.result.Violations += len(p.violations)
		shared.result.OverlappingCalls += p.overlapping
		if len(p.violations) > 0 {
			t.Errorf("%s: %v", p.acc.Name, p.violations)
		}
	}
}

// checkLive is the end of an account that was handed over under kills.
func (p *play) checkLive(v *rotation.Vault) {
	known, lost := p.knownFamilies(v), 0
	for _, e := range v.Ledger {
		if e.State == rotation.GrantUnknown && len(e.Fingerprints) == 0 {
			lost++
		}
	}
	current, _ := p.world.Token(world.X, string(v.Current.Access))
	if !current.Alive(time.Now()) {
		p.violated("I1: the credential in use is not accepted")
	}
	unknown := 0
	for _, t := range p.world.Tokens(world.X, world.TokenQuery{Person: p.at.id, Alive: true, Kind: world.AccessToken}) {
		switch {
		case t.Family == current.Family:
		case known[t.Family]:
			p.violated("I6: at rest, and a former grant lives")
		default:
			unknown++
		}
	}
	if unknown > lost {
		p.violated("I6: %d live grants are not in the ledger, which counts %d", unknown, lost)
	}
}

// kills is how often the operator is killed; none in a sample.
func kills(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("FAULTS_KILLS"))
	if err != nil || n < 1 {
		t.Skip("FAULTS_KILLS is not set: the operator's process is not killed in a sample")
	}
	return n
}

// The operator's own process, killed again and again amid handovers.
func TestKillsBreakNoInvariant(t *testing.T) {
	most := kills(t)
	shared.result.Stages = append(shared.result.Stages, "kills")
	s := newStage(t, "kills")
	log, err := os.Create(filepath.Join(shared.dir, "kills.log"))
	if err != nil {
		t.Fatal(err)
	}
	for range most {
		o := s.start(t, log)
		// 0.5 to 5 s: from the start-up into the calls.
		s.act(t, 500*time.Millisecond+time.Duration(rand.Int64N(int64(4500*time.Millisecond))), true, never)
		o.kill(t)
		shared.result.Kills++
	}
	o := s.start(t, log)
	if !s.act(t, 4*time.Minute, false, s.settled) {
		t.Error("not every account is at rest 4 minutes after the last kill")
		s.tell(t)
	}
	metrics, err := fetch(t.Context(), "http://"+o.metrics+"/metrics")
	if err != nil {
		t.Error(err)
	}
	if _, err := io.WriteString(log, metrics); err != nil {
		t.Error(err)
	}
	o.kill(t)
	s.judge(t)
	s.tell(t)
}

// tell says how far the accounts came.
func (s *stage) tell(t *testing.T) {
	t.Helper()
	for _, p := range s.accounts {
		p.ctx = t.Context()
		_, v, _, err := p.load()
		if err != nil || v == nil {
			t.Errorf("%s: %v", p.acc.Name, err)
			continue
		}
		t.Logf("%s: %d rotations, epoch %d, %d mutating calls; %s", p.acc.Name, v.Journal.Rotations, v.Journal.Epoch, len(s.calls(p.at.id)), stand(v))
	}
}

// Two managers alive at once: one is stopped amid handovers until the other took its
// lease, and then goes on.
func TestTwoManagersNeverOverlap(t *testing.T) {
	kills(t)
	shared.result.Stages = append(shared.result.Stages, "two managers")
	s := newStage(t, "managers")
	log, err := os.Create(filepath.Join(shared.dir, "managers.log"))
	if err != nil {
		t.Fatal(err)
	}
	const elect = "--leader-elect"
	managers := map[string]*process{"": s.start(t, log, elect)}
	first := s.leader(t, "")
	managers[first] = managers[""]
	delete(managers, "")
	other := s.start(t, log, elect)
	s.act(t, 25*time.Second, true, never)
	stopped := managers[first]
	if err := stopped.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second := s.leader(t, first)
	s.act(t, 10*time.Second, true, never)
	if err := stopped.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if !s.act(t, 4*time.Minute, false, s.settled) {
		t.Error("not every account is at rest 4 minutes after the lease moved")
	}
	t.Logf("the lease went from %s to %s", first, second)
	other.kill(t)
	stopped.kill(t)
	s.judge(t)
	s.tell(t)
}

// leader waits until somebody else than before holds the lease.
func (s *stage) leader(t *testing.T, before string) (holder string) {
	t.Helper()
	if !s.act(t, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		var lease coordinationv1.Lease
		err := shared.admin.Get(ctx, client.ObjectKey{Namespace: vaults, Name: custody.LeaseName}, &lease)
		if err == nil && lease.Spec.HolderIdentity != nil {
			holder = *lease.Spec.HolderIdentity
		}
		return holder != "" && holder != before, client.IgnoreNotFound(err)
	}) {
		t.Fatalf("nobody took the lease of %q", before)
	}
	return holder
}
